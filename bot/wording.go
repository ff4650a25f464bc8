package bot

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/menu"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Values are what a text is filled with.
type Values = wording.Values

// voice is the wording of a community.
func (b *Bot) voice(shape desk.Shape) wording.Voice {
	v := wording.New(b.o.Wording, b.o.Taxonomy, shape, nil)
	if b.o.Understander != nil {
		v.Mask = b.o.Understander.Mask
	}
	return v
}

func (s *session) voice() wording.Voice {
	if s.spoken.W == nil {
		s.spoken = s.b.voice(s.shape)
	}
	return s.spoken
}

// offer adds choices to a text: each can be tapped (by a link that works in
// WeChat but is undocumented), answered by its number, or said.
func offer(o wording.Voice, reply string, choices []choice) string {
	if len(choices) == 0 {
		return reply
	}
	var b strings.Builder
	b.WriteString(reply)
	for i, c := range choices {
		fmt.Fprintf(&b, "\n%d. <a href=\"weixin://bizmsgmenu?msgmenucontent=%s&msgmenuid=%s\">%s</a>", i+1, linkSafe(c.Label), menuID(c.Text), c.Label)
	}
	b.WriteString("\n")
	b.WriteString(o.Say("tap_or_number", nil))
	return b.String()
}

func linkSafe(s string) string {
	return strings.NewReplacer(`"`, "", "&", "", "<", "", ">", "", "\n", " ").Replace(s)
}

// Menu is the account's menu: what the community has. Its buttons send what a person
// could write, or open the community's pages, whose address is pages ("" where people
// reach none: then those buttons are left out).
func Menu(w *wording.Wording, of desk.Shape, pages string) []*menu.Button {
	var build func(all []wording.Button) []*menu.Button
	build = func(all []wording.Button) []*menu.Button {
		var out []*menu.Button
		for _, b := range all {
			switch has := configured[b.If]; {
			case b.If != "" && (has == nil || !has(of)):
			case len(b.Sub) > 0:
				out = append(out, menu.NewSubButton(b.Name, build(b.Sub)))
			case b.Page == "":
				out = append(out, menu.NewClickButton(b.Name, b.Say))
			case pages != "":
				out = append(out, menu.NewViewButton(b.Name, strings.TrimSuffix(pages, "/")+"/"+strings.TrimPrefix(b.Page, "/")))
			}
		}
		return out
	}
	return build(w.Menu)
}

// tapCodes are the commands that a tapped item's id can carry, so that an old
// menu still means the ticket that it was about. The platform wants numbers:
// the ticket's number followed by two digits.
var tapCodes = map[string]string{
	"11": "评价 %d 满意", "12": "评价 %d 基本满意", "13": "评价 %d 不满意",
	"21": "接单 %d", "22": "转派 %d", "23": "退单 %d", "24": "追问 %d", "25": "办结 %d", "26": "进展 %d", "27": "查看 %d",
	"31": "进度 %d", "32": "催办 %d", "33": "撤销 %d", "34": "补充 %d", "35": "重办 %d",
	"36": "我也想要 %d", "37": "公开 %d", "38": "保密 %d",
	"71": "学完了 %d", "72": "问讲师 %d", "73": "答复 %d", "74": "党课 %d",
	"41": "认领 %d", "42": "一起 %d", "43": "结对 %d", "44": "走访 %d",
	"61": "投票 %d 赞成", "62": "投票 %d 反对", "63": "投票 %d 弃权", "64": "议题 %d",
	"51": "协助 %d", "52": "完成 %d", "53": "办不了 %d", "54": "经过 %d", "55": "回访 %d",
}

// menuID is the id of an item that stands for these words; "0" where only the
// label can tell.
func menuID(text string) string {
	sp := listen(text)
	if sp.Number == 0 {
		return "0"
	}
	for code, format := range tapCodes {
		if fmt.Sprintf(format, sp.Number) == text {
			return strconv.FormatInt(sp.Number, 10) + code
		}
	}
	return "0"
}

// tapped is what a tapped item's id stands for.
func tapped(id string) (string, bool) {
	if len(id) < 5 || strings.Trim(id, "0123456789") != "" {
		return "", false
	}
	format, ok := tapCodes[id[len(id)-2:]]
	if !ok {
		return "", false
	}
	n, err := strconv.ParseInt(id[:len(id)-2], 10, 64)
	if err != nil {
		return "", false
	}
	return fmt.Sprintf(format, n), true
}

// about is what the words need to know of a ticket; what it is about where the writer
// may not know who asked only card says.
func (s *session) about(t *workflow.Ticket) Values {
	f := desk.FactsOf(t)
	f.Anonymous = t.HidesWho(s.me)
	switch {
	case !t.ReadBy(s.me):
		f = f.Veiled()
	case !t.HandledBy(s.me):
		f = f.Theirs()
	}
	v := s.voice().Facts(&f, s.now)
	v["Resolution"] = t.Resolution
	v["Overdue"] = t.IsLate()
	v["FiledAt"] = s.voice().When(t.FiledAt, s.now)
	v["ResolvedAt"] = s.voice().When(t.ResolvedAt, s.now)
	v["Waiting"] = t.Question != nil && t.Question.Pauses
	v["Reopened"] = t.Reopened
	v["Followers"] = len(t.Followers)
	if t.Question != nil && t.ReadBy(s.me) {
		v["Question"] = t.Question.Text
	}
	if t.Owner == s.me.ID {
		v["Mine"] = true
	}
	return v
}
