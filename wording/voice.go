package wording

import (
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Voice is the wording of one community as it is now. New makes it.
type Voice struct {
	W        *Wording
	Taxonomy *workflow.Taxonomy
	Shape    desk.Shape
	// Mask hides numbers and names in a text; nil hides none. See
	// workflow.Understander.
	Mask func(c *workflow.Community, text string, names []string) string
}

// New gives the voice of a community: its own texts and categories in place of
// the shipped ones. It is cheap enough for every message.
func New(w *Wording, t *workflow.Taxonomy, shape desk.Shape, mask func(*workflow.Community, string, []string) string) Voice {
	return Voice{W: w.For(shape.Community), Taxonomy: t.For(shape.Community), Shape: shape, Mask: mask}
}

// Say is a text that may always name the community and its telephone.
func (o Voice) Say(key string, v Values) string {
	if v == nil {
		v = Values{}
	}
	v["Hotline"], v["Community"] = o.Shape.Community.Hotline, o.Shape.Community.Name
	return o.W.Say(key, v)
}

// Facts are the words for facts: what texts of the wording are filled with. Those for
// somebody who may not know who asked (desk.Facts.Anonymous) have nothing of what was
// written; Veil.Facts has it without traces.
func (o Voice) Facts(f *desk.Facts, now time.Time) Values {
	if f.Anonymous {
		hidden := *f
		if hidden.Text = ""; !o.Shape.Roster.ByID(f.By).Staff() {
			hidden.Said = ""
		}
		f = &hidden
	}
	return o.facts(f, now)
}

func (o Voice) facts(f *desk.Facts, now time.Time) Values {
	c := o.Shape.Community
	if f.Anonymous {
		hidden := *f
		hidden.Place = workflow.Place{Estate: f.Place.Estate, Grid: f.Place.Grid}
		f = &hidden
	}
	owner := o.Shape.Roster.ByID(f.Owner)
	grid, _ := c.Grid(f.Place.Grid)
	v := Values{
		"Number": f.Number, "Kind": string(f.Kind), "KindLabel": o.Taxonomy.Kinds[f.Kind],
		"What": o.Taxonomy.Label(f.Category), "Category": string(f.Category),
		"Severity": string(f.Severity), "Danger": f.Danger,
		"State": string(f.State), "Stand": string(f.Stand), "Open": f.State.Open(),
		"Place": f.Place.String(), "Grid": grid.Name, "Text": Shorten(FirstLine(f.Text), 40), "Full": f.Text, "Said": f.Said,
		"Owner": owner.Name, "Title": o.Title(owner), "Unit": f.Unit, "Level": f.Level, "Clock": string(f.Clock),
		"Rating": string(f.Rating), "Into": f.Into, "Hotline": c.Hotline, "Community": c.Name,
		"ResponseBy": o.When(f.ResponseBy, now), "ResolveBy": o.When(f.ResolveBy, now),
	}
	if f.Category == "" && f.Number != 0 {
		v["What"] = o.Say("what_unknown", nil)
	}
	if f.Danger != "" {
		v["Call"] = o.W.Say("call."+f.Danger, v)
	}
	if f.Why != "" {
		v["Why"] = f.Why // a rule of the community's own says it in its own words
		if o.W.Has("why." + f.Why) {
			v["Why"] = o.W.Say("why."+f.Why, v)
		}
		v["Because"] = o.W.Say("because", v)
	}
	by, helper := o.Shape.Roster.ByID(f.By), o.Shape.Roster.ByID(f.Helper)
	v["By"], v["ByTitle"], v["Helper"], v["HelperTitle"] = by.Name, o.Title(by), helper.Name, o.Title(helper)
	v["Event"], v["Part"], v["Rung"], v["Also"], v["Support"], v["Points"] = string(f.Event), f.Part, f.Rung, f.Also, f.Support, f.Points
	v["Unasked"] = f.Unasked
	v["Households"], v["Days"] = f.Also+1, f.Days
	v["Line"], v["Source"] = o.Taxonomy.Line(f.Category), string(f.Source)
	v["StateLabel"] = o.W.Say("state."+stateKey(f.State, f.Stand), v)
	return v
}

func stateKey(state workflow.State, stand workflow.Stand) string {
	switch stand {
	case workflow.OnWall:
		return "wall"
	case workflow.InTray:
		return "tray"
	}
	return string(state)
}

// State is how a ticket stands: 「正在办」.
func (o Voice) State(t *workflow.Ticket) string {
	return o.Say("state."+stateKey(t.State, t.Stand), nil)
}

// Title is what somebody is called beside their name: 「第一网格专职网格员」; ""
// for residents.
func (o Voice) Title(p workflow.Person) string {
	if len(p.Roles) == 0 {
		return ""
	}
	r := p.Roles[0]
	grid, _ := o.Shape.Community.Grid(r.Grid)
	return strings.TrimSpace(o.Say("title."+string(r.Kind), Values{
		"Grid": grid.Name, "FullTime": r.FullTime, "Department": r.Department, "Team": r.Team, "Unit": r.Unit, "Branch": r.Branch,
	}))
}

// When is a moment as it is said: 「今天 15:20」「明天 09:00」「11月25日 15:20」.
func (o Voice) When(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	zone := o.Shape.Community.Location()
	local, today := t.In(zone), now.In(zone)
	days := dayOf(local).Sub(dayOf(today)) / (24 * time.Hour)
	key := map[time.Duration]string{0: "time.today", 1: "time.tomorrow", -1: "time.yesterday"}[days]
	if key == "" {
		key = "time.date"
	}
	return o.Say(key, Values{"Clock": local.Format("15:04"), "Month": int(local.Month()), "Day": local.Day()})
}

// Span is a time in words: 「1 小时 20 分」, 「2 天 3 小时」.
func (o Voice) Span(d time.Duration) string {
	minutes := int((d + 30*time.Second) / time.Minute)
	return strings.TrimSpace(o.Say("digest.span", Values{"Days": minutes / 1440, "Hours": minutes % 1440 / 60, "Minutes": minutes % 60}))
}

// dayOf is the day as a date in UTC, so that days can be subtracted.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}
