package ground

import "fmt"

// estate is a part of the demo community: how it is said, and how many buildings.
type estate struct {
	name      string
	buildings int
}

var estates = []estate{{"毕家洼西区", 69}, {"怡园小区", 16}, {"北村新居", 22}, {"铁路宿舍", 14}, {"四院宿舍", 10}}

// troubles are what residents write, each of another category.
var troubles = []string{
	"楼道灯不亮了", "下水道堵了", "楼道里堆满杂物", "单元门坏了关不上", "垃圾没人清运", "楼上半夜装修太吵", "车位被人占了", "暖气不热", "树枝挡住窗户了", "墙皮掉下来了",
}

// Words are what resident i writes: nobody else writes the same.
func Words(i int64) string {
	n := i
	trouble := troubles[n%int64(len(troubles))]
	n /= int64(len(troubles))
	var total int64
	for _, e := range estates {
		total += int64(e.buildings)
	}
	b := n % total
	n /= total
	for _, e := range estates {
		if b < int64(e.buildings) {
			return fmt.Sprintf("%s%d号楼%d单元%d%02d%s", e.name, b+1, n%6+1, n/6%6+1, n/36%4+1, trouble) + again(n/144)
		}
		b -= int64(e.buildings)
	}
	return trouble
}

// again makes words differ once every flat has reported everything.
func again(round int64) string {
	if round == 0 {
		return ""
	}
	return fmt.Sprintf(",第%d回了", round+1)
}
