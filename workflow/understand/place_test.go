package understand_test

import (
	"slices"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

func TestPlace(t *testing.T) {
	r, c := whole(t), demo(t)
	xiqu := func(building int) workflow.Place {
		return workflow.Place{Estate: "毕家洼西区", Building: building, Grid: c.GridOf("毕家洼西区", building)}
	}
	yiyuan := func(building int) workflow.Place {
		return workflow.Place{Estate: "怡园小区", Building: building, Grid: "G05"}
	}
	with := func(p workflow.Place, unit, floor int, room, detail string) workflow.Place {
		p.Unit, p.Floor, p.Room, p.Detail = unit, floor, room, detail
		return p
	}
	home := workflow.Place{Estate: "怡园小区", Building: 3, Unit: 2, Room: "501", Grid: "G05"}
	scene := xiqu(40)
	near := workflow.Place{Estate: "铁路宿舍", Building: 5, Grid: "G06"}
	none := workflow.Place{}
	gate := workflow.Place{Estate: "怡园小区", Landmark: "怡园大门口", Grid: "G05"}
	square := workflow.Place{Estate: "毕家洼西区", Landmark: "小广场", Grid: "G02"}
	for _, x := range []struct {
		text    string
		words   workflow.Words // Text is that above
		want    workflow.Place
		problem string
	}{
		// Buildings, units, rooms.
		{text: "毕家洼西区12号楼3单元402漏水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区12号楼3单元402室漏水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "12号楼3单元的楼道灯又不亮了,黑灯瞎火的,西区的", want: with(xiqu(12), 3, 0, "", "楼道")},
		{text: "西区12#-3-402下水堵了", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区12#3-402下水堵了", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区12-3-402下水堵了", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "怡园 3-2-501 停电", want: with(yiyuan(3), 2, 0, "501", "")},
		{text: "怡园5-302下水堵了", want: with(yiyuan(5), 0, 0, "302", "")},
		{text: "西区12号楼3-402没水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区12号楼402没水", want: with(xiqu(12), 0, 0, "402", "")},
		{text: "西区十二号楼三单元四零二漏水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区二十三号楼二单元五楼漏水", want: with(xiqu(23), 2, 5, "", "")},
		{text: "西区六十九号楼停电", want: xiqu(69)},
		{text: "俺是怡园7号楼的楼长老孙,俺楼二单元那灯不亮", want: with(yiyuan(7), 2, 0, "", "")},
		{text: "怡园7号楼,五楼漏水", want: with(yiyuan(7), 0, 5, "", "")},
		{text: "从六楼窗户里顺下来一溜插排,西区60号楼4单元", want: with(xiqu(60), 4, 6, "", "")},
		{text: "西区47-3灯坏了", want: with(xiqu(47), 3, 0, "", "")},
		{text: "960-8-1-501对讲按了没声", want: workflow.Place{Estate: "960医院家属院", Building: 8, Unit: 1, Room: "501", Grid: "G09"}},
		{text: "960家属院8-2门口", want: workflow.Place{Estate: "960医院家属院", Building: 8, Unit: 2, Grid: "G09", Detail: "门口"}},
		{text: "电话是960-8812345的来找我", want: none},
		{text: "干休所3号院5号楼门坏了", want: workflow.Place{Estate: "第十一干休所", Building: 5, Grid: "G08"}},
		{text: "怡园的灯又不亮了", problem: "which_building", want: workflow.Place{Estate: "怡园小区", Grid: "G05"}},
		{text: "怡园整个小区都没电了", want: workflow.Place{Estate: "怡园小区", Grid: "G05"}},
		{text: "西区三单元", want: workflow.Place{Estate: "毕家洼西区", Unit: 3}},
		{text: "西區12號樓3單元402室漏水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区１２号楼３单元４０２漏水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区一百二十号楼", problem: "no_such_building", want: workflow.Place{Estate: "毕家洼西区", Building: 120}},
		{text: "西区 12 号楼 3 单元 402 漏水", want: with(xiqu(12), 3, 0, "402", "")},
		{text: "西区12栋停电了", want: xiqu(12)},
		{text: "西区12幢停电了", want: xiqu(12)},
		{text: "西区12座停电了", want: xiqu(12)},
		{text: "西区第12栋停电了", want: xiqu(12)},
		{text: "西区12#楼没电", want: xiqu(12)},
		{text: "怡园12号的下水道", want: yiyuan(12)},
		{text: "西区12号3单元灯坏了", want: with(xiqu(12), 3, 0, "", "")},
		{text: "西区12楼3单元灯坏了", want: with(xiqu(12), 3, 0, "", "")},
		{text: "西区12楼灯坏了", want: xiqu(12)},
		{text: "西区12号楼东头垃圾堆着", want: with(xiqu(12), 0, 0, "", "东头")},
		{text: "西区12号楼的地下室门口堆着破烂", want: with(xiqu(12), 0, 0, "", "地下室门口")},
		{text: "西区12号楼3单元5楼东户漏水", want: with(xiqu(12), 3, 5, "", "东户")},
		{text: "毕西53到56号楼都停水", want: with(xiqu(53), 0, 0, "", "53到56号楼")},
		{text: "西区53-56号楼停水", want: with(xiqu(53), 0, 0, "", "53-56号楼")},
		{text: "西区53号楼到56号楼停水", want: with(xiqu(53), 0, 0, "", "53号楼到56号楼")},
		{text: "怡园3、5、7号楼的垃圾没人收", want: with(yiyuan(3), 0, 0, "", "3、5、7号楼")},
		{text: "怡园三到五号楼中间的路坏了", want: with(yiyuan(3), 0, 0, "", "三到五号楼中间")},
		{text: "怡园五六号楼中间积水", want: with(yiyuan(5), 0, 0, "", "五六号楼中间")},
		{text: "电话13812345678,怡园8号楼", want: yiyuan(8)},
		{text: "我在怡园,8号楼2单元门禁坏了", want: with(yiyuan(8), 2, 0, "", "")},
		{text: "怡园和西区都有狗,西区12号楼最多", want: xiqu(12)},
		{text: "12号楼道灯坏了,西区", want: with(xiqu(12), 0, 0, "", "")},
		{text: "解放军960医院3号楼灯坏了", want: workflow.Place{Estate: "960医院家属院", Building: 3, Grid: "G09"}},
		{text: "十一干3号楼没暖气", want: workflow.Place{Estate: "第十一干休所", Building: 3, Grid: "G08"}},
		{text: "第四人民医院宿舍6号楼", want: workflow.Place{Estate: "四院宿舍", Building: 6, Grid: "G07"}},

		// The estate is not said.
		{text: "56号楼下水堵了", want: xiqu(56)},
		{text: "12号楼下水堵了", problem: "which_estate", want: workflow.Place{Building: 12}},
		{text: "12号楼3单元402漏水", problem: "which_estate", want: workflow.Place{Building: 12, Unit: 3, Room: "402"}},
		{text: "12号楼灯坏了", words: workflow.Words{Home: home}, want: yiyuan(12)},
		{text: "12号楼灯坏了", words: workflow.Words{Scene: scene, Home: home}, want: xiqu(12)},
		{text: "12号楼灯坏了", words: workflow.Words{Near: near, Home: home}, want: workflow.Place{Estate: "铁路宿舍", Building: 12, Grid: "G06"}},
		{text: "22号楼灯坏了", words: workflow.Words{Home: home}, problem: "which_estate", want: workflow.Place{Building: 22}},
		{text: "我家12号楼灯坏了", words: workflow.Words{Scene: scene, Home: home}, want: yiyuan(12)},
		{text: "怡园88号楼灯坏了", problem: "no_such_building", want: workflow.Place{Estate: "怡园小区", Building: 88}},
		{text: "99号楼灯坏了", problem: "no_such_building", want: workflow.Place{Building: 99}},
		{text: "99号楼灯坏了", words: workflow.Words{Home: home}, problem: "no_such_building", want: workflow.Place{Building: 99}},

		// Landmarks and estates.
		{text: "怡园大门口的垃圾桶满了", want: with(gate, 0, 0, "", "垃圾桶")},
		{text: "怡园门口路灯不亮", want: gate},
		{text: "小广场跳舞太吵", want: square},
		{text: "我是怡园3号楼的,小广场跳舞太吵", want: square},
		{text: "我是怡园3号楼的,西区5号楼前垃圾没人收", want: with(xiqu(5), 0, 0, "", "")},
		{text: "我住怡园3号楼,停电了", want: yiyuan(3)},
		{text: "怡园3号楼在小广场旁边", want: yiyuan(3)},
		{text: "怡园的小广场太吵", want: workflow.Place{Estate: "怡园小区", Grid: "G05"}},
		{text: "怡园停车场没灯", want: workflow.Place{Estate: "怡园小区", Grid: "G05"}},
		{text: "怡园小区", problem: "which_building", want: workflow.Place{Estate: "怡园小区", Grid: "G05"}},
		{text: "西区太吵", want: workflow.Place{Estate: "毕家洼西区"}},
		{text: "西区广场太吵", want: square},
		{text: "西区太吵", words: workflow.Words{Scene: scene}, want: scene},
		{text: "西区北门道闸坏了", want: workflow.Place{Estate: "毕家洼西区", Landmark: "西区北门", Grid: "G01", Detail: "道闸"}},

		// What goes without saying.
		{text: "我家下水堵了", words: workflow.Words{Home: home}, want: home},
		{text: "俺家下水堵了", words: workflow.Words{Home: home, Scene: scene}, want: home},
		{text: "咱楼电梯坏了", words: workflow.Words{Home: home}, want: home},
		{text: "我家下水堵了", want: none},
		{text: "下水堵了", words: workflow.Words{Home: home}, want: none},
		{text: "灯坏了", words: workflow.Words{Scene: scene, Near: near, Home: home}, want: scene},
		{text: "灯坏了", words: workflow.Words{Near: near, Home: home}, want: near},
		{text: "3单元5楼漏水", words: workflow.Words{Home: home}, want: workflow.Place{Estate: "怡园小区", Building: 3, Unit: 3, Floor: 5, Grid: "G05"}},
		{text: "2单元5楼漏水", want: workflow.Place{Unit: 2, Floor: 5}},
		{text: "2单元漏水", words: workflow.Words{Scene: scene}, want: with(scene, 2, 0, "", "")},
		{text: "402室漏水", words: workflow.Words{Scene: scene}, want: with(scene, 0, 0, "402", "")},
		{text: "我想学用手机", words: workflow.Words{Home: home}, want: home},

		// Numbers and words that are no place.
		{text: "12号停的水", want: none},
		{text: "西区12号停的水,现在还没来", want: workflow.Place{Estate: "毕家洼西区"}},
		{text: "3月12号楼道灯坏了", want: none},
		{text: "2024-3-12报的修", want: none},
		{text: "2024年3月12日报的修", want: none},
		{text: "24-3-12报的修", want: none},
		{text: "打12345没人接", want: none},
		{text: "电话0531-88012345", want: none},
		{text: "我手机13800101402", want: none},
		{text: "交了1202元", want: none},
		{text: "100-201元", want: none},
		{text: "早上8:30-11:30吵", want: none},
		{text: "工单1024怎么样了", want: none},
		{text: "1024号工单", want: none},
		{text: "一栋楼都停水", want: none},
		{text: "两栋楼之间积水", want: none},
		{text: "这一栋住户都没水", want: none},
		{text: "坐2#线地铁", want: none},
		{text: "落了一层灰", want: none},
		{text: "修了一座桥", want: none},
		{text: "分不清东西区别", want: none},
		{text: "花了960元", want: none},
		{text: "他在铁路局上班", want: none},
		{text: "孩子考上师范大学了", want: none},
		{text: "80岁老人", want: none},
		{text: "300户没水", want: none},
		{text: "5楼道灯坏了", want: none},
	} {
		x.words.Text = x.text
		u, err := r.Understand(t.Context(), c, x.words)
		if err != nil {
			t.Fatal(err)
		}
		if u.Place != x.want || u.PlaceProblem != x.problem {
			t.Errorf("%s: %+v %q\n want %+v %q", x.text, u.Place, u.PlaceProblem, x.want, x.problem)
		}
		if (u.PlaceProblem == "which_estate") != (len(u.Estates) > 1) {
			t.Errorf("%s: problem %q with estates %v", x.text, u.PlaceProblem, u.Estates)
		}
	}
	u, err := r.Understand(t.Context(), c, workflow.Words{Text: "12号楼灯坏了"})
	if want := []string{"毕家洼西区", "北村新居", "怡园小区", "铁路宿舍"}; err != nil || !slices.Equal(u.Estates, want) {
		t.Errorf("%v %v, want %v, the largest first", u.Estates, err, want)
	}
}
