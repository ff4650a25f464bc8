package bot

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Values are what a text is filled with.
type Values map[string]any

// Wording is every word that people read over WeChat, by key. It is made once
// by ParseWording and safe for concurrent use.
type Wording struct {
	texts *template.Template
	keys  map[string]bool
	menu  []menuButton
}

type menuButton struct {
	Name string       `yaml:"name"`
	Say  string       `yaml:"say"`
	Sub  []menuButton `yaml:"sub"`
}

// ParseWording reads configs/wording.yaml: nested keys become "a.b". A text
// that is no template is refused with its key.
func ParseWording(data []byte) (*Wording, error) {
	var doc struct {
		Texts map[string]any `yaml:"texts"`
		Menu  []menuButton   `yaml:"menu"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("wording: %w", err)
	}
	w := &Wording{texts: template.New("wording").Option("missingkey=zero"), keys: map[string]bool{}, menu: doc.Menu}
	var errs []error
	var walk func(prefix string, node map[string]any)
	walk = func(prefix string, node map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(node)) {
			key := prefix + k
			switch v := node[k].(type) {
			case string:
				if _, err := w.texts.New(key).Parse(strings.TrimRight(v, "\n")); err != nil {
					errs = append(errs, fmt.Errorf("wording: %s: %w", key, err))
				}
				w.keys[key] = true
			case map[string]any:
				walk(key+".", v)
			default:
				errs = append(errs, fmt.Errorf("wording: %s: want a text", key))
			}
		}
	}
	walk("", doc.Texts)
	if !w.keys["fallback"] {
		errs = append(errs, errors.New("wording: fallback: is missing"))
	}
	return w, errors.Join(errs...)
}

// Say is the text of a key filled with values. An unknown key gives the
// fallback text: a person never reads a key.
func (w *Wording) Say(key string, v Values) string {
	if !w.keys[key] {
		key = "fallback"
	}
	var b strings.Builder
	if err := w.texts.ExecuteTemplate(&b, key, map[string]any(v)); err != nil {
		b.Reset()
		if err := w.texts.ExecuteTemplate(&b, "fallback", map[string]any(v)); err != nil {
			return ""
		}
	}
	return strings.ReplaceAll(b.String(), "<no value>", "")
}

// Has tells whether there is a text for the key.
func (w *Wording) Has(key string) bool { return w.keys[key] }

// Offer adds choices to a text: each can be tapped (by a link that works in
// WeChat but is undocumented), answered by its number, or said.
func (w *Wording) Offer(reply string, choices []choice) string {
	if len(choices) == 0 {
		return reply
	}
	var b strings.Builder
	b.WriteString(reply)
	for i, c := range choices {
		fmt.Fprintf(&b, "\n%d. <a href=\"weixin://bizmsgmenu?msgmenucontent=%s&msgmenuid=%s\">%s</a>", i+1, linkSafe(c.Label), menuID(c.Text), c.Label)
	}
	b.WriteString("\n")
	b.WriteString(w.Say("tap_or_number", nil))
	return b.String()
}

func linkSafe(s string) string {
	return strings.NewReplacer(`"`, "", "&", "", "<", "", ">", "", "\n", " ").Replace(s)
}

// Menu is the account's menu. Its buttons send what a person could write.
func Menu(w *Wording) []*menu.Button {
	var out []*menu.Button
	for _, b := range w.menu {
		if len(b.Sub) == 0 {
			out = append(out, menu.NewClickButton(b.Name, b.Say))
			continue
		}
		var sub []*menu.Button
		for _, s := range b.Sub {
			sub = append(sub, menu.NewClickButton(s.Name, s.Say))
		}
		out = append(out, menu.NewSubButton(b.Name, sub))
	}
	return out
}

// tapCodes are the commands that a tapped item's id can carry, so that an old
// menu still means the ticket that it was about. The platform wants numbers:
// the ticket's number followed by two digits.
var tapCodes = map[string]string{
	"11": "评价 %d 满意", "12": "评价 %d 基本满意", "13": "评价 %d 不满意",
	"21": "接单 %d", "22": "转派 %d", "23": "退单 %d", "24": "追问 %d", "25": "办结 %d", "26": "进展 %d", "27": "查看 %d",
	"31": "进度 %d", "32": "催办 %d", "33": "撤销 %d", "34": "补充 %d", "35": "重办 %d",
	"36": "我也想要 %d", "37": "公开 %d", "38": "保密 %d",
	"41": "认领 %d", "42": "一起 %d", "43": "结对 %d", "44": "走访 %d",
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

// about is what the words need to know of a ticket.
func (s *session) about(t *workflow.Ticket) Values {
	f := desk.FactsOf(t)
	f.Anonymous = t.HidesWho(s.me)
	if !s.sees(t) {
		f = f.Veiled()
	}
	v := s.b.values(s.shape, &f, s.now)
	v["Resolution"] = t.Resolution
	v["Overdue"] = len(t.Overdue) > 0
	v["FiledAt"] = s.b.when(s.shape.Community, t.FiledAt, s.now)
	v["ResolvedAt"] = s.b.when(s.shape.Community, t.ResolvedAt, s.now)
	v["Waiting"] = t.Question != nil && t.Question.Pauses
	v["Reopened"] = t.Reopened
	v["Followers"] = len(t.Followers)
	if t.Question != nil && s.sees(t) {
		v["Question"] = t.Question.Text
	}
	if t.Owner == s.me.ID {
		v["Mine"] = true
	}
	return v
}

// sees tells whether the writer may read what the ticket says: whose matter it
// is, who filed it, who handles or handled it, its grid's workers and the
// committee. Those whose tickets were merged into it see only how it stands.
func (s *session) sees(t *workflow.Ticket) bool {
	by := s.by()
	if t.Reporter == s.me.ID {
		return true
	}
	return s.me.Staff() && (t.FiledBy == s.me.ID || t.Owner == s.me.ID || slices.Contains(t.Handlers, s.me.ID)) ||
		s.me.Staff() && t.Hand(s.me.ID) != nil || workflow.WhoGridWorker.Holds(t, by) || workflow.WhoCommittee.Holds(t, by)
}

// values are the words for facts.
func (b *Bot) values(shape desk.Shape, f *desk.Facts, now time.Time) Values {
	c := shape.Community
	if f.Anonymous {
		hidden := *f
		hidden.Text, hidden.Place = b.anonymous(c, f.Text), workflow.Place{Estate: f.Place.Estate, Grid: f.Place.Grid}
		f = &hidden
	}
	owner := shape.Roster.ByID(f.Owner)
	grid, _ := c.Grid(f.Place.Grid)
	v := Values{
		"Number": f.Number, "Kind": string(f.Kind), "KindLabel": b.o.Taxonomy.Kinds[f.Kind],
		"What": b.o.Taxonomy.Label(f.Category), "Category": string(f.Category),
		"Severity": string(f.Severity), "Danger": f.Danger,
		"State": string(f.State), "Stand": string(f.Stand), "Open": f.State.Open(),
		"Place": f.Place.String(), "Grid": grid.Name, "Text": shorten(firstLine(f.Text), 40), "Full": f.Text, "Said": f.Said,
		"Owner": owner.Name, "Title": b.Title(c, owner), "Unit": f.Unit, "Level": f.Level, "Clock": string(f.Clock),
		"Rating": string(f.Rating), "Into": f.Into, "Hotline": c.Hotline, "Community": c.Name,
		"ResponseBy": b.when(c, f.ResponseBy, now), "ResolveBy": b.when(c, f.ResolveBy, now),
	}
	if f.Category == "" && f.Number != 0 {
		v["What"] = b.o.Wording.Say("what_unknown", nil)
	}
	if f.Danger != "" {
		v["Call"] = b.o.Wording.Say("call."+f.Danger, v)
	}
	if f.Why != "" {
		v["Why"] = f.Why // a rule of the community's own says it in its own words
		if b.o.Wording.Has("why." + f.Why) {
			v["Why"] = b.o.Wording.Say("why."+f.Why, v)
		}
		v["Because"] = b.o.Wording.Say("because", v)
	}
	by, helper := shape.Roster.ByID(f.By), shape.Roster.ByID(f.Helper)
	v["By"], v["ByTitle"], v["Helper"], v["HelperTitle"] = by.Name, b.Title(c, by), helper.Name, b.Title(c, helper)
	v["Event"], v["Part"], v["Rung"], v["Also"], v["Support"], v["Points"] = string(f.Event), f.Part, f.Rung, f.Also, f.Support, f.Points
	v["Households"], v["Days"] = f.Also+1, f.Days
	v["Line"], v["Source"] = b.o.Taxonomy.Line(f.Category), string(f.Source)
	v["StateLabel"] = b.o.Wording.Say("state."+stateKey(f), v)
	return v
}

func stateKey(f *desk.Facts) string {
	switch f.Stand {
	case workflow.OnWall:
		return "wall"
	case workflow.InTray:
		return "tray"
	}
	return string(f.State)
}

// Title is what somebody is called beside their name: 「第一网格专职网格员」; ""
// for residents.
func (b *Bot) Title(c *workflow.Community, p workflow.Person) string {
	if len(p.Roles) == 0 {
		return ""
	}
	r := p.Roles[0]
	grid, _ := c.Grid(r.Grid)
	return strings.TrimSpace(b.o.Wording.Say("title."+string(r.Kind), Values{
		"Grid": grid.Name, "FullTime": r.FullTime, "Department": r.Department, "Team": r.Team, "Unit": r.Unit, "Branch": r.Branch,
	}))
}

// when is a moment as it is said: 「今天 15:20」「明天 09:00」「11月25日 15:20」.
func (b *Bot) when(c *workflow.Community, t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	local, today := t.In(c.Location()), now.In(c.Location())
	days := dayOf(local).Sub(dayOf(today)) / (24 * time.Hour)
	key := map[time.Duration]string{0: "time.today", 1: "time.tomorrow", -1: "time.yesterday"}[days]
	if key == "" {
		key = "time.date"
	}
	return b.o.Wording.Say(key, Values{"Clock": local.Format("15:04"), "Month": int(local.Month()), "Day": local.Day()})
}

// dayOf is the day as a date in UTC, so that days can be subtracted.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// shorten cuts a text to so many characters, with a sign that it was cut.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
