package understand_test

import (
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

var dangers = []struct{ text, danger string }{
	{"着火了!快来人", "fire"},
	{"怡园3号楼2单元着火了", "fire"},
	{"12号楼楼道里往外冒浓烟", "fire"},
	{"隔壁厨房起火了,火苗老高", "fire"},
	{"地下室有股烧焦的味,越来越呛", "fire"},
	{"电动车自燃了", "fire"},
	{"車棚著火了", "fire"},
	{"楼下垃圾桶烧起来了", "fire"},
	{"恐怕是着火了,楼上全是烟", "fire"},
	{"去年着过火,今天又冒烟了", "fire"},
	{"着火了怎么办啊", "fire"},
	{"毁了毁了,油锅着火了", "fire"},
	{"砰的一声爆炸了", "fire"},
	{"家里煤气味很大,头晕", "gas"},
	{"楼道里闻着有天然气味", "gas"},
	{"燃气管子漏气了,呲呲响", "gas"},
	{"俺家煤气罐漏了", "gas"},
	{"煤气泄漏了怎么办", "gas"},
	{"一氧化碳报警器响了", "gas"},
	{"忘了关煤气,人在外头回不去", "gas"},
	{"有人触电了", "electric"},
	{"屋里死人了快来", "medical"},
	{"路灯杆漏电,摸着麻", "electric"},
	{"高压线断了掉在地上", "electric"},
	{"配电箱滋滋冒火花", "electric"},
	{"楼道电表箱打火,噼里啪啦的", "electric"},
	{"电梯卡住了,里面有人", "trapped"},
	{"被困电梯了快救我", "trapped"},
	{"孩子反锁在屋里了", "trapped"},
	{"俺爹锁在阳台上了下不来", "trapped"},
	{"小孩的头卡在栏杆里,出不来了", "trapped"},
	{"老伴晕倒了", "medical"},
	{"对门老太太敲门没人应,好几天没露面了", "medical"},
	{"俺娘喘不上气了", "medical"},
	{"有人要跳楼", "medical"},
	{"邻居割腕自杀", "medical"},
	{"大爷摔在楼梯上爬不起来了", "medical"},
	{"俺爹没气了", "medical"},
	{"吃了一瓶安眠药", "medical"},
	{"有个人躺在地上不动了", "medical"},
	{"有人持刀在菜市场门口", "violence"},
	{"楼下打起来了,见血了", "violence"},
	{"有人抢劫", "violence"},
	{"有个男的一直尾随我", "violence"},
	{"有人正在撬门", "violence"},
	{"俺孙子不见了", "violence"},
	{"俺娘有点糊涂,走丢了", "violence"},
	{"救命", "violence"},
	{"围墙塌了", "collapse"},
	{"广告牌掉下来砸着人了", "collapse"},
	{"楼前地陷下去一个大洞", "collapse"},
	{"房子要塌了,墙上裂了大缝", "collapse"},
	{"有孩子掉河里了", "drowning"},
	{"有人落水", "drowning"},
	{"老头掉进化粪池了", "drowning"},
	{"以前没这味,今儿个煤气味很大", "gas"},
	{"家里没人着火了", "fire"},
	{"培训班那屋着火了", "fire"},
	{"充电引起火灾了", "fire"},
	{"怕着火怕着火还真着火了,快来人", "fire"},
	{"孩子在学习,突然晕倒了", "medical"},
	{"着火了怎么逃生", "fire"},
	{"我跟人打起来了", "violence"},
	{"俺过去一看有人晕倒了", "medical"},
	{"楼下烧烤摊的煤气罐着了", "gas"},
}

// Words that sound like danger and are none.
var harmless = []string{
	"孩子上火了,嗓子疼",
	"最近火大,老想发火",
	"急得嗓子冒烟也没人管",
	"煤气费怎么交",
	"燃气卡在哪充值",
	"消防演练几号搞",
	"社区讲讲着火怎么逃生吧",
	"去年着火过,到现在墙还黑着没刷",
	"消防通道堵了,万一着火咋办",
	"飞线充电容易着火",
	"怕漏电,能不能来看看插座",
	"灭火器过期了",
	"火锅店油烟太大",
	"毕家洼西区56号楼热死人了空调坏了",
	"火车声音太吵",
	"幸好没着火",
	"天然气用着用着没气了",
	"燃气灶打不着火",
	"楼上做饭糊味太大",
	"轮胎没气了",
	"暖气漏气,不热",
	"电梯老坏,爬楼累死了",
	"车被堵在里头出不来",
	"轮椅都出不去",
	"电费太高了",
	"三楼两口子天天打架骂街",
	"想找人打牌",
	"楼上往下扔酒瓶子,差点砸着孩子",
	"天塌了也得交物业费",
	"沙发塌了想扔,扔哪",
	"手机掉水里了,哪里能修",
	"钥匙掉井里了",
	"谢谢你们救命之恩,上次俺爹晕倒多亏了社区",
	"以前有人触电过,那根线到现在没换",
	"想学急救,晕倒了怎么救",
	"没有人打架,就是声音大",
	"卖保健品的是骗子",
	"树枝断了怕砸着人",
	"墙皮掉渣",
	"气得我冒烟",
	"广场舞炸了锅似的",
	"狗丢了,帮忙找找",
	"电线杆上贴满小广告",
	"我想办个煤气本",
	"防火门关不上",
	"水管爆了",
	"楼道灯泡炸了一个",
	"飞线充电会引起火灾",
	"火灾隐患多,来查查吧",
	"想听个急救讲座,学学晕倒怎么办",
	"孩子吵得跟打架似的",
	"新闻上说有人触电,俺小区的线也该查查",
}

func TestDanger(t *testing.T) {
	r, c := whole(t), demo(t)
	for _, d := range dangers {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: d.text})
		if err != nil {
			t.Fatal(err)
		}
		if u.Danger != d.danger || u.Severity != workflow.Emergency || u.Kind != workflow.Incident || u.Category == "" {
			t.Errorf("%s: %q %s %s %s, want %s", d.text, u.Danger, u.Severity, u.Kind, u.Category, d.danger)
		}
	}
	for _, text := range harmless {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if u.Danger != "" || u.Severity == workflow.Emergency {
			t.Errorf("%s: %q %s, want no emergency", text, u.Danger, u.Severity)
		}
	}
}

// A long letter that tells of dangers is a big matter; one that cries for help
// is an emergency however long.
func TestDangerInALetter(t *testing.T) {
	r, c := whole(t), demo(t)
	letter := "尊敬的社区领导您好,我是西区12号楼的住户,我们楼一楼开了一家麻将馆,营业三年多了,每天从下午一直吵到后半夜,老人孩子都没法休息。" +
		"跟老板说了很多次都没有用,打牌的人经常因为输赢吵架,听说去年还打起来过,消防通道也被他们的桌子占了一半,物业来看了一次就再也没有来过。" +
		"我们几家商量了以后写这封信,希望社区能出面协调,让他们十点以前关门,谢谢你们。"
	for text, want := range map[string]workflow.Severity{
		letter: workflow.Major,
		letter + "另外刚才一楼着火了,快来人,快救火,里面还有人没出来!": workflow.Emergency,
	} {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil || u.Severity != want {
			t.Errorf("%s (%s) %v, want %s: %s", u.Severity, u.Danger, err, want, text)
		}
	}
}
