package wording

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Step is one thing that happened to a ticket, in words.
type Step struct {
	At   time.Time
	When string // 「11-23 15:20」
	Type workflow.EventType
	Text string

	Media  []workflow.Media // came with it, as far as the reader may see them
	Theirs bool             // it is what those wrote whose matter it is
}

// People finds who is no longer staff, and the names of whom tickets are about;
// desk.Journal is one.
type People interface {
	Names(ctx context.Context, community string, numbers []int64) (map[int64][]string, error)
	Person(ctx context.Context, community string, id workflow.PersonID) (workflow.Person, error)
}

// Story tells what happened to a ticket, step by step, as far as somebody may know it:
// all to who handles it; to whose matter it is every step, but others' words only
// where they were meant for them; to anybody else, and to who may not know who asked,
// what is done about it. events are all of them. Of what somebody wrote at a step the
// first line is told, cut at most characters.
func (o Voice) Story(ctx context.Context, people People, t *workflow.Ticket, events []workflow.Event, me workflow.Person, most int, now time.Time) ([]Step, error) {
	var out []Step
	all := t.HandledBy(me) && !t.HidesWho(me)
	if !all {
		events = workflow.Told(events, me.ID)
	}
	for i := range events {
		ev := events[i]
		if !all && t.Reporter != me.ID {
			if !slices.Contains(outline, ev.Type) && (ev.By != me.ID || ev.Text == "" && len(ev.Media) == 0) {
				continue
			}
			ev.Why = ""
		}
		step, err := o.step(ctx, people, t, &ev, most, now)
		if err != nil {
			return nil, err
		}
		if ev.Type != workflow.EvAbsorbed { // another's stay with theirs
			step.Media = slices.DeleteFunc(slices.Clone(ev.Media), func(m workflow.Media) bool { // of who left it
				return all && !slices.Contains(t.Media, m)
			})
		}
		switch ev.Type {
		case workflow.EvFiled, workflow.EvLeft:
			step.Theirs = true
		case workflow.EvAnswered, workflow.EvSupplemented:
			step.Theirs = t.Involved(ev.By)
		}
		out = append(out, step)
	}
	return out, nil
}

// outline are the events that say how a matter stands without anybody's words.
var outline = []workflow.EventType{
	workflow.EvFiled, workflow.EvAssigned, workflow.EvClaimed, workflow.EvAccepted, workflow.EvTransferred, workflow.EvResolved,
	workflow.EvReopened, workflow.EvRated, workflow.EvClosedByTime, workflow.EvClosedAlone, workflow.EvCancelled, workflow.EvMerged, workflow.EvLeft,
}

// byStaff are events that only staff make, so that the name of who made one may
// always stand, also of somebody who never had the ticket and has left since.
var byStaff = []workflow.EventType{
	workflow.EvAssigned, workflow.EvTransferred, workflow.EvReturned, workflow.EvEscalated, workflow.EvClassified, workflow.EvReclassified,
	workflow.EvAsked, workflow.EvCalled,
}

// handlerName is the name of somebody who handled a ticket, also of one who
// plays no part any more; "" for residents.
func (o Voice) handlerName(ctx context.Context, people People, t *workflow.Ticket, id workflow.PersonID) (string, error) {
	if p := o.Shape.Roster.ByID(id); p.ID != 0 || id == 0 {
		return p.Name, nil
	}
	if id != t.FiledBy && !slices.Contains(t.Handlers, id) && !slices.ContainsFunc(t.Hands, func(h workflow.Hand) bool { return h.Person == id }) {
		return "", nil
	}
	p, err := people.Person(ctx, o.Shape.Community.Code, id)
	return p.Name, err
}

func (o Voice) step(ctx context.Context, people People, t *workflow.Ticket, ev *workflow.Event, most int, now time.Time) (Step, error) {
	var names [3]string
	for i, id := range []workflow.PersonID{ev.By, ev.Owner, ev.Helper} {
		var err error
		if names[i], err = o.handlerName(ctx, people, t, id); err != nil {
			return Step{}, err
		}
	}
	if names[0] == "" && ev.Actor == workflow.ActorPerson && slices.Contains(byStaff, ev.Type) {
		p, err := people.Person(ctx, o.Shape.Community.Code, ev.By)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return Step{}, err
		}
		names[0] = p.Name
	}
	who := names[0]
	if who == "" && ev.Actor == workflow.ActorPerson {
		who = o.Say("story_resident", Values{"Own": ev.By == t.Reporter})
	}
	grid := ""
	if ev.Place != nil {
		g, _ := o.Shape.Community.Grid(ev.Place.Grid)
		grid = g.Name
	}
	var tell []string
	for _, h := range ev.Tell {
		tell = append(tell, o.Say("hearer."+string(h), nil))
	}
	v := o.Facts(&desk.Facts{Why: ev.Why, Place: t.Place, Category: t.Category}, now)
	why := o.Say("why_left", Values{"Why": ev.Text})
	if ev.Text != workflow.WhyLeft {
		why = Shorten(FirstLine(ev.Text), most)
	}
	when := ev.At.In(o.Shape.Community.Location())
	return Step{At: when, When: when.Format("01-02 15:04"), Type: ev.Type, Text: o.Say("story_line", Values{
		"Type": string(ev.Type), "Who": who, "Text": why, "Owner": names[1], "Helper": names[2], "Why": v["Because"],
		"Category": o.Taxonomy.Label(ev.Category), "Clock": string(ev.Clock), "Tell": strings.Join(tell, "、"), "Rating": string(ev.Rating),
		"Grid": grid, "Into": ev.Into, "Yes": ev.Yes, "Days": int(ev.Every / (24 * time.Hour)), "Phoned": ev.Phoned, "Rung": ev.Rung + 1,
	})}, nil
}

// Points are what a ticket earned and cost, by person.
func (o Voice) Points(t *workflow.Ticket) string {
	sums := map[workflow.PersonID]int{}
	var order []workflow.PersonID
	for _, p := range t.Points {
		if !slices.Contains(order, p.Person) {
			order = append(order, p.Person)
		}
		sums[p.Person] += p.N
	}
	var out []string
	for _, p := range order {
		sign := ""
		if sums[p] > 0 {
			sign = "+"
		}
		out = append(out, o.Shape.Roster.ByID(p).Name+" "+sign+strconv.Itoa(sums[p]))
	}
	return strings.Join(out, "、")
}

// Explain says in words who would get a matter, and which rules were read on
// the way: for an operator who tries the rules of a community.
func (o Voice) Explain(u workflow.Understanding, load func(workflow.PersonID) int, now time.Time) string {
	t := workflow.Ticket{
		State: workflow.Classified, Kind: u.Kind, Category: u.Category, Severity: u.Severity, Danger: u.Danger, Place: u.Place, Level: workflow.LevelGrid,
	}
	if t.Severity == "" {
		t.Severity = workflow.Minor
	}
	f := desk.FactsOf(&t)
	v := o.Facts(&f, now)
	v["Confidence"] = int(100*u.Confidence + 0.5)
	v["SeverityLabel"] = o.Taxonomy.Severities[t.Severity]
	say := func(key string, v Values) string { return o.Say("explain."+key, v) }
	head := say("understood", v)
	switch {
	case u.Kind != workflow.Incident && u.Kind != workflow.Wish:
		return head + "\n" + say("no_ticket", v)
	case workflow.Next(&t) == workflow.CmdPublish:
		return head + "\n" + say("wall", v)
	case u.Kind == workflow.Incident && !u.Place.Known() && u.Severity != workflow.Emergency:
		return head + "\n" + say("no_place", v)
	}
	a, ok, tried := workflow.Explain(o.Shape.Community, o.Shape.Roster, &t, load, now)
	lines := []string{head}
	for i, r := range tried {
		f.Why = r.Rule
		rule := o.Facts(&f, now)
		rule["Index"], rule["Reason"] = i+1, say("reason."+string(r.Reason), nil)
		lines = append(lines, say("rule", rule))
	}
	if !ok {
		return strings.Join(append(lines, say("tray", v)), "\n")
	}
	f.Owner, f.Why = a.To, a.Why
	v = o.Facts(&f, now)
	v["Load"] = load(a.To)
	return strings.Join(append(lines, say("chosen", v)), "\n")
}
