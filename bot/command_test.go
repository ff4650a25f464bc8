package bot

import (
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

func TestListen(t *testing.T) {
	tests := []struct {
		text string
		want spoken
	}{
		{"进度", spoken{Verb: verbProgress}},
		{"进度 1024", spoken{Verb: verbProgress, Number: 1024}},
		{"进度１０２４", spoken{Verb: verbProgress, Number: 1024}},
		{"1024", spoken{Verb: verbNumber, Number: 1024}},
		{"#1024", spoken{Verb: verbNumber, Number: 1024}},
		{"1024号", spoken{Verb: verbNumber, Number: 1024}},
		{"２", spoken{Verb: verbNumber, Number: 2}},
		{"催办", spoken{Verb: verbUrge}},
		{"催一下吧", spoken{Verb: verbUrge}},
		{"补充:水流到二楼了", spoken{Verb: verbSupplement, Rest: "水流到二楼了"}},
		{"补充 1024 水流到二楼了", spoken{Verb: verbSupplement, Number: 1024, Rest: "水流到二楼了"}},
		{"补充 1201室也漏了", spoken{Verb: verbSupplement, Rest: "1201室也漏了"}},
		{"撤销1024", spoken{Verb: verbCancel, Number: 1024}},
		{"满意", spoken{Verb: verbRate, Rating: workflow.Satisfied}},
		{"不满意。", spoken{Verb: verbRate, Rating: workflow.Unsatisfied}},
		{"满意 1024", spoken{Verb: verbRate, Number: 1024, Rating: workflow.Satisfied}},
		{"不满意1024", spoken{Verb: verbRate, Number: 1024, Rating: workflow.Unsatisfied}},
		{"1024 满意", spoken{Verb: verbRate, Number: 1024, Rating: workflow.Satisfied}},
		{"评价 1024 基本满意", spoken{Verb: verbRate, Number: 1024, Rating: workflow.Fair}},
		{"办结 1024 灯已换", spoken{Verb: verbResolve, Number: 1024, Rest: "灯已换"}},
		{"办结1024,灯已换", spoken{Verb: verbResolve, Number: 1024, Rest: "灯已换"}},
		{"1024 办结 灯已换", spoken{Verb: verbResolve, Number: 1024, Rest: "灯已换"}},
		{"办结 灯已换", spoken{Verb: verbResolve, Rest: "灯已换"}},
		{"转派 1024 张建国 不归我管", spoken{Verb: verbTransfer, Number: 1024, Rest: "张建国 不归我管"}},
		{"退单 1024 不是我的网格", spoken{Verb: verbReturn, Number: 1024, Rest: "不是我的网格"}},
		{"问 1024 几楼?", spoken{Verb: verbAsk, Number: 1024, Rest: "几楼?"}},
		{"并案 1025 1024", spoken{Verb: verbMerge, Number: 1025, Rest: "1024"}},
		{"绑定 AB12CD34", spoken{Verb: verbBind, Rest: "AB12CD34"}},
		{"待办", spoken{Verb: verbWork}},
		{"认领1030", spoken{Verb: verbClaim, Number: 1030}},
		{"心愿墙", spoken{Verb: verbWall}},
		{"积分", spoken{Verb: verbPoints}},
		{"积分榜", spoken{Verb: verbBoard}},
		{"兑换", spoken{Verb: verbRewards}},
		{"兑换3", spoken{Verb: verbRewards, Rest: "3"}},
		{"兑换 3号吧", spoken{Verb: verbRewards, Rest: "3号吧"}},
		{"社区基金", spoken{Verb: verbFund}},
		{"登记诉求", spoken{Verb: verbAs, Rest: "诉求"}},

		// what people say and what must not be read as a command
		{"问题是楼道灯不亮", spoken{}},
		{"办完事回来发现车被堵了", spoken{}},
		{"快点来人啊,下水道冒水了", spoken{}},
		{"取消门口的停车位行不行", spoken{}},
		{"我的自行车被偷了", spoken{}},
		{"12号楼3单元灯坏了", spoken{}},
		{"12-3-402", spoken{}},
		{"1201室漏水", spoken{}},
		{"2024年就报过", spoken{}},
		{"帮助老人的心愿能办吗", spoken{}},
		{"满意度太低了", spoken{}},
		{"兑换点没有人", spoken{}},
		{"积分少算了", spoken{}},
		{"上榜的都是谁", spoken{}},
		{"", spoken{}},
	}
	for _, tt := range tests {
		if got := listen(tt.text); got != tt.want {
			t.Errorf("listen(%q) = %+v, want %+v", tt.text, got, tt.want)
		}
	}
}

func TestTapIDsCarryTheCommand(t *testing.T) {
	for code, format := range tapCodes {
		text := sprintf(format, 1024)
		id := menuID(text)
		if id != "1024"+code {
			t.Errorf("menuID(%q) = %q, want 1024%s", text, id, code)
		}
		if back, ok := tapped(id); !ok || back != text {
			t.Errorf("tapped(%q) = %q, %v, want %q", id, back, ok, text)
		}
	}
	for _, id := range []string{"", "0", "7", "abc", "102499", "10241x", "9999999999999999999999911"} {
		if text, ok := tapped(id); ok {
			t.Errorf("tapped(%q) = %q, want nothing", id, text)
		}
	}
	if id := menuID("怡园小区"); id != "0" {
		t.Errorf("menuID of a label = %q, want 0", id)
	}
}

func FuzzListen(f *testing.F) {
	for _, s := range []string{"办结 1024 灯已换", "1024 满意", "补充", "登记", "\xff\xfe", "＃１０２４", "1024 1024 1024"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sp := listen(s)
		if sp.Number < 0 {
			t.Fatalf("listen(%q) = %+v: a negative number", s, sp)
		}
		if sp.Verb == verbRate && sp.Rating == "" {
			t.Fatalf("listen(%q) = %+v: a verdict without one", s, sp)
		}
	})
}
