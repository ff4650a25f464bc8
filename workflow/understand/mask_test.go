package understand_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

// Each line: a text, "=>" and the text as it may leave.
const masked = `
我叫王建国,住12号楼3单元402,电话13953112345,楼道灯坏了 => 我叫【姓名】,住【住址】,电话【号码】,楼道灯坏了
电话139 5311 2345 => 电话【号码】
打０５３１－８８８８１２３４没人接 => 打【号码】没人接
俺手机号是幺三九五三幺幺二三四五 => 俺手机号是【号码】
身份证37010219500101123X办不了补贴 => 身份证【号码】办不了补贴
身份证 370102 19500101 1234 => 身份证 【号码】
卡号6222 0216 0201 2345 678 => 卡号【号码】
微信wang_jianguo88加我 => 微信【号码】加我
邮箱 Wang.J@example.com.cn => 邮箱 【号码】
鲁A12345堵着门 => 【号码】堵着门
鲁A·D12345堵着门 => 【号码】堵着门
对门张阿姨家的狗天天叫 => 对门【姓名】阿姨家的狗天天叫
楼上李秀英大娘摔了 => 楼上【姓名】大娘摔了
物业刘经理态度忒差 => 物业【姓名】经理态度忒差
老王又在楼道抽烟 => 【姓名】又在楼道抽烟
姓名:欧阳小芳,想领补助 => 姓名:【姓名】,想领补助
我是赵敏,孩子没人看 => 我是【姓名】,孩子没人看
我叫王建国我家楼道灯坏了 => 我叫【姓名】我家楼道灯坏了
我叫王建国想反映个事 => 我叫【姓名】想反映个事
我姓王叫建国,灯坏了 => 我姓【姓名】,灯坏了
我媳妇叫李秀英,瘫了三年 => 我媳妇叫【姓名】,瘫了三年
电话139,5311,2345 => 电话【号码】
电话139、5311、2345找我 => 电话【号码】找我
电话139/5311_2345 => 电话【号码】
电话1三九5311二三四五 => 电话【号码】
电话①③⑨⑤③①①②③④⑤ => 电话【号码】
毕家洼西区大门口的灯坏了 => 毕家洼西区大门口的灯坏了
管家电话没人接 => 管家电话没人接
李家的狗又叫了 => 【姓名】的狗又叫了
张网格员说过两天来 => 【姓名】网格员说过两天来
张建国一直不来 => 【姓名】一直不来
53到56号楼停水3天了,没人管 => 53到56号楼停水3天了,没人管
井盖坏了110块钱谁出 => 井盖坏了110块钱谁出
老房子漏水,老人住着害怕 => 老房子漏水,老人住着害怕
2026年11月23号晚上8点停电 => 2026年11月23号晚上8点停电
ＷＩＦＩ连不上，打 139 5311 2345 没人接！ => ＷＩＦＩ连不上，打 【号码】 没人接！
樓道燈 壞了，我叫王建国。LED的？ => 樓道燈 壞了，我叫【姓名】。LED的？
`

func TestMask(t *testing.T) {
	r := rules(t)
	c := demo(t)
	for line := range strings.Lines(strings.TrimSpace(masked)) {
		in, want, _ := strings.Cut(strings.TrimSpace(line), " => ")
		if got := r.Mask(c, in, []string{"张建国", ""}); got != want {
			t.Errorf("%s\n have %s\n want %s", in, got, want)
		}
	}
}

// A telephone or identity number leaves in no company.
func TestNoNumberLeaves(t *testing.T) {
	r := rules(t)
	c := demo(t)
	between := rapid.SampledFrom([]string{"", "", "", "-", " ", ",", "、", ".", "/", "·", "~", ":", "(", "\n", "——", ", "})
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringMatching(`[楼道灯坏了0-9号单元,。 a-zA-Z]{0,12}`)
		number := rapid.StringMatching(`1[3-9][0-9]{9}|[1-9][0-9]{16}[0-9X]|0531-[0-9]{8}`).Draw(t, "number")
		var spread strings.Builder
		for i, r := range number {
			if i > 0 {
				spread.WriteString(between.Draw(t, "between"))
			}
			spread.WriteRune(r)
		}
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, number)
		before, after := words.Draw(t, "before"), words.Draw(t, "after")
		got := r.Mask(c, before+"。"+spread.String()+"。"+after, nil)
		left := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, got)
		if strings.Contains(left, digits[len(digits)-7:]) {
			t.Fatalf("%q left in %q", spread.String(), got)
		}
	})
}

func TestMaskKeepsWhatIsTheMatter(t *testing.T) {
	r, c := whole(t), demo(t)
	for _, text := range []string{"咱毕家洼西区12号楼3单元的楼道灯又不亮了,黑灯瞎火的", "楼下广场舞吵得俺心脏病都犯了", "想找人教我用手机挂号"} {
		was, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		now, err := r.Understand(t.Context(), c, workflow.Words{Text: r.Mask(c, text, nil)})
		if err != nil || now.Kind != was.Kind || now.Category != was.Category {
			t.Errorf("%s: %v %v after masking, %v %v before (%v)", text, now.Kind, now.Category, was.Kind, was.Category, err)
		}
	}
}
