package understand_test

import (
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

// What people write, by kind and category; the words of the samples are not
// repeated here.
var kinds = []struct {
	kind     workflow.Kind
	category workflow.Category
	texts    []string
}{
	{workflow.Incident, "facilities", []string{
		"楼道里的灯泡憋了,上楼全靠摸",
		"俺单元的防盗门锁坏了,使劲推才关上",
		"电梯一直卡卡响,坐着心里发毛",
		"路灯不着了,晚上遛弯看不见道",
		"小区大门口的栏杆抬不起来了",
		"楼梯扶手断了一截",
		"门口地砖翘起来了,老太太崴了脚",
		"屋顶漏雨漏得不轻,拿盆接着呢",
		"楼道窗户玻璃碎了没人换",
		"監控壞了,丟了東西都查不到",
		"对讲门铃不响了好几个月",
		"走廊的感应灯长明,白天也亮着浪费电",
	}},
	{workflow.Incident, "drainage", []string{
		"俺家厨房下水堵得死死的",
		"马桶不通了,咋弄都下不去",
		"楼前污水井又冒水了,一地的脏水",
		"雨水管断了半截,下雨哗哗的浇墙",
		"地漏老是返臭味",
		"下雨天院里积水没过脚脖子",
		"一楼厕所倒灌,毁了,木地板全完了",
		"下水管裂了,漏了一地",
	}},
	{workflow.Incident, "utilities", []string{
		"俺这儿停电了,啥时候来电啊",
		"暖气木有,冻得俺穿着棉袄睡",
		"自来水有股子铁锈味,发红",
		"水管爆了,水呲得老高",
		"宽带上不去网,孩子没法上网课",
		"今年暖气片子就没热过",
		"楼上楼下都没水,是不是管道坏了",
		"燃气灶打不着火,说是没气",
		"水表不走字",
		"電壓不穩,燈一閃一閃的",
	}},
	{workflow.Incident, "sanitation", []string{
		"垃圾箱都溢出来了,也没人清",
		"楼梯上全是狗屎,踩了一脚",
		"楼道好几个月没人打扫了",
		"有人把装修垃圾扔在楼后头",
		"五楼把纸壳子堆楼道里,都没法走",
		"夏天垃圾桶苍蝇一大片",
		"楼道墙上贴满小广告,难看",
		"地下室里有老鼠,咬坏不少东西",
		"小店的油烟直往俺窗户里灌,呛得慌",
	}},
	{workflow.Incident, "parking", []string{
		"车停在单元门口挡道,救护车都进不来",
		"我交了钱的车位天天让人占",
		"小区没地儿停车了,转了半个钟头",
		"楼前那辆破面包车停了一年多没挪过",
		"电动车乱停,轮椅过不去",
		"装地锁占公共的地方,凭啥",
		"充电桩老是没电,投了钱不充",
	}},
	{workflow.Incident, "greening", []string{
		"大杨树枝子伸到俺家窗户里了",
		"树枝断了挂在半空,看着怪吓人",
		"绿化带的草长得比人高了",
		"花坛里的冬青都枯死了",
		"楼前树上全是毛毛虫,往下掉",
		"有人偷着砍树",
		"楼前草坪让车压得稀烂",
	}},
	{workflow.Incident, "noise", []string{
		"楼上装修天天钻,孩子高考复习不了",
		"跳广场舞的声音能不能小点",
		"楼下麻将馆哗啦哗啦到半夜",
		"隔壁家的狗从早叫到晚",
		"楼上半夜剁饺子馅,咣咣的",
		"门口商店大喇叭循环喊,烦死了",
		"夜里施工轰隆轰隆,神经衰弱了",
	}},
	{workflow.Incident, "dispute", []string{
		"楼上卫生间漏水,淌到俺家墙上,他说不是他的事",
		"跟对门因为楼道放东西吵起来了,来人给说和说和",
		"隔壁在墙上装摄像头对着俺家门",
		"楼上把拖把水滴我家被子上,找他还骂人",
		"借给邻居的钱不还,人还躲着我",
		"楼下嫌俺家吵,三番五次上来骂",
	}},
	{workflow.Incident, "safety", []string{
		"飞线充电一大串,看着就害怕",
		"消防车道画着线呢,照样停满了",
		"高空抛物,一个烟灰缸砸在俺脚边",
		"流浪狗成群,不敢下楼",
		"消防栓里没水,真出事咋整",
		"电瓶车推进电梯上楼充",
		"楼道里的电线都裸露着",
		"昨晚俺家进小偷,丢了个金镯子",
	}},
	{workflow.Incident, "illegal_building", []string{
		"一楼又搭棚子了,都盖到路上来了",
		"有人在顶楼盖了间彩钢房",
		"楼下把绿地圈成自家院子",
		"六楼砸承重墙,这不要命吗",
		"违章建筑举报了两年没拆",
	}},
	{workflow.Incident, "property_service", []string{
		"物业光收钱不干活",
		"门卫不管事,推销的随便进",
		"报修给物业半个月了没人来",
		"物业费一分不少交,啥活也不干",
		"保安骂人,啥素质",
	}},
	{workflow.Incident, workflow.OtherIncident, []string{
		"有骗子冒充社区的上门卖净水器",
		"老年卡刷不上,公交司机不让上",
		"补贴到现在没发下来,咋回事",
		"卖保健品的又来骗老人了",
		"快递柜的快递让人拿走了",
	}},
	{workflow.Wish, "elderly", []string{
		"我八十二了,想有人教教我用微信",
		"老伴卧床,想请人上门给剪剪头",
		"一个人过年冷清,盼着有人来说说话",
		"想让志愿者陪我去医院拿药",
		"想给老娘过个九十大寿,热闹热闹",
		"要是有人能给独居老人送饭就好了",
	}},
	{workflow.Wish, "children", []string{
		"放暑假了,孩子没人看,社区能开个托管班吗",
		"孙子想要个书包",
		"希望有人给孩子辅导辅导英语",
		"要是有个儿童图书角就好了",
	}},
	{workflow.Wish, "veterans", []string{
		"我当过兵,想找找老战友",
		"退役回来想学个手艺",
	}},
	{workflow.Wish, "new_jobs", []string{
		"俺们骑手想有个能充电喝水的地方",
		"跑滴滴的,希望有个能歇歇的小屋",
	}},
	{workflow.Wish, "military_families", []string{
		"丈夫在边防当兵,家里老人想有人照应",
	}},
	{workflow.Wish, "hardship", []string{
		"想要个轮椅,推老头子出去晒晒太阳",
		"孩子上大学学费凑不够,希望能帮帮",
		"儿子残疾,想找个能干的活",
		"家里困难,想要台旧洗衣机",
	}},
	{workflow.Wish, "public_project", []string{
		"希望在楼下安几个凳子",
		"啥时候咱这老楼能装上电梯就好了",
		"建议小区里建个凉亭",
		"想有个社区食堂,不用天天做饭",
		"能不能在路口加个减速带",
	}},
	{workflow.Wish, "neighbourhood", []string{
		"想学国画,有人教不",
		"希望社区多组织点活动,大家认识认识",
		"中秋节能不能搞个联欢会",
		"想找人一块下象棋",
	}},
	{workflow.Wish, workflow.OtherWish, []string{
		"想去北京看一次升旗,这辈子没去过",
	}},
	{workflow.Consult, "", []string{
		"请问养老认证在哪儿办",
		"电费怎么交啊,手机上不会弄",
		"社区几点下班",
		"残疾证咋办,要啥手续",
		"物业电话是多少",
		"疫苗啥时候打",
		"公租房怎么申请",
		"暖气费什么时候交",
		"天然气卡在哪儿充值",
		"垃圾分类咋分",
		"老年食堂在哪",
	}},
	{workflow.Praise, "", []string{
		"路灯修好了,真快,谢谢你们",
		"小王网格员真热心,表扬",
		"谢谢志愿者陪我去医院",
		"物业这回干得好,点个赞",
		"感谢社区送的饺子,心里暖和",
		"楼道干净多了,保洁大姐辛苦了",
	}},
	{workflow.Wish, workflow.LessonVisit, []string{
		"走不动,想听党课", "腿脚不好下不了楼,党课能不能来家里讲", "想请老党员上门给讲一课党史", "能不能送学上门",
	}},
	{workflow.Consult, "", []string{"党课几点开", "咱支部的党课在哪儿上"}},
	{workflow.Wish, "neighbourhood", []string{"想在小区开个书法课"}}, // nor are other lessons, and other visits, taken for one
	{workflow.Wish, "elderly", []string{"老人在家孤单,想有人上门陪着说说话"}},
	{workflow.Chat, "", []string{
		"您好", "在不在", "好嘞,谢谢", "嗯", "1001", "👍👍", "谢谢啊", "知道了", "早", "呵呵", "ok", "??", "中", "领导好", "大家晚上好", "测试一下",
	}},
}

func TestKindAndCategory(t *testing.T) {
	r, c := whole(t), demo(t)
	n := 0
	for _, k := range kinds {
		for _, text := range k.texts {
			n++
			u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			if u.Kind != k.kind || (k.kind == workflow.Incident || k.kind == workflow.Wish) && u.Category != k.category {
				t.Errorf("%s: %s %s (%.2f), want %s %s", text, u.Kind, u.Category, u.Confidence, k.kind, k.category)
			}
		}
	}
	if n < 120 {
		t.Errorf("%d cases, want at least 120", n)
	}
}
