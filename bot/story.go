package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// story tells what happened to a ticket, step by step: 「经过 1024」.
func (s *session) story(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		sp.Number = s.talk.Ticket
	}
	t, err := s.visible(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	if !s.sees(&t) {
		return "", &workflow.Error{Code: workflow.CodeNotFound, Number: sp.Number}
	}
	s.talk.Ticket = t.Number
	events, err := s.b.desk.Journal().Events(ctx, s.in.Community, t.Number)
	if err != nil {
		return "", err
	}
	const most = 25
	skipped := max(0, len(events)-most)
	var lines []string
	for _, ev := range events[skipped:] {
		line, err := s.storyLine(ctx, &t, &ev)
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	v := s.about(&t)
	v["Lines"], v["Skipped"] = strings.Join(lines, "\n"), skipped
	v["Points"] = s.points(&t)
	return s.say("story", v), nil
}

// handlerName is the name of somebody who handled a ticket, also of one who
// plays no part any more; "" for residents.
func (s *session) handlerName(ctx context.Context, t *workflow.Ticket, id workflow.PersonID) (string, error) {
	if p := s.shape.Roster.ByID(id); p.ID != 0 || id == 0 {
		return p.Name, nil
	}
	if id != t.FiledBy && !slices.Contains(t.Handlers, id) && !slices.ContainsFunc(t.Hands, func(h workflow.Hand) bool { return h.Person == id }) {
		return "", nil
	}
	p, err := s.b.desk.Journal().Person(ctx, s.in.Community, id)
	return p.Name, err
}

func (s *session) storyLine(ctx context.Context, t *workflow.Ticket, ev *workflow.Event) (string, error) {
	var names [3]string
	for i, id := range []workflow.PersonID{ev.By, ev.Owner, ev.Helper} {
		var err error
		if names[i], err = s.handlerName(ctx, t, id); err != nil {
			return "", err
		}
	}
	who := names[0]
	if who == "" && ev.Actor == workflow.ActorPerson {
		who = s.say("story_resident", Values{"Own": t.Involved(ev.By)})
	}
	grid := ""
	if ev.Place != nil {
		g, _ := s.shape.Community.Grid(ev.Place.Grid)
		grid = g.Name
	}
	var tell []string
	for _, h := range ev.Tell {
		tell = append(tell, s.say("hearer."+string(h), nil))
	}
	f := desk.Facts{Why: ev.Why, Place: t.Place, Category: t.Category}
	v := s.b.values(s.shape, &f, s.now)
	why := s.say("why_left", Values{"Why": ev.Text})
	if ev.Text != workflow.WhyLeft {
		why = shorten(firstLine(ev.Text), 30)
	}
	return s.say("story_line", Values{
		"At": ev.At.In(s.shape.Community.Location()).Format("01-02 15:04"), "Type": string(ev.Type), "Who": who, "Text": why,
		"Owner": names[1], "Helper": names[2], "Why": v["Because"],
		"Category": s.b.o.Taxonomy.Label(ev.Category), "Clock": string(ev.Clock), "Tell": strings.Join(tell, "、"), "Rating": string(ev.Rating),
		"Grid": grid, "Into": ev.Into, "Yes": ev.Yes, "Days": int(ev.Every / (24 * time.Hour)), "Phoned": ev.Phoned, "Rung": ev.Rung + 1,
	}), nil
}

// points are what a ticket earned and cost, by person.
func (s *session) points(t *workflow.Ticket) string {
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
		out = append(out, s.shape.Roster.ByID(p).Name+" "+sign+strconv.Itoa(sums[p]))
	}
	return strings.Join(out, "、")
}

// Explain says in words who would get a matter, and which rules were read on
// the way: for an operator who tries the rules of a community.
func (b *Bot) Explain(shape desk.Shape, u workflow.Understanding, load func(workflow.PersonID) int, now time.Time) string {
	t := workflow.Ticket{
		State: workflow.Classified, Kind: u.Kind, Category: u.Category, Severity: u.Severity, Danger: u.Danger, Place: u.Place, Level: workflow.LevelGrid,
	}
	if t.Severity == "" {
		t.Severity = workflow.Minor
	}
	f := desk.FactsOf(&t)
	v := b.values(shape, &f, now)
	v["Confidence"] = int(100*u.Confidence + 0.5)
	v["SeverityLabel"] = b.o.Taxonomy.Severities[t.Severity]
	say := func(key string, v Values) string { return b.o.Wording.Say("explain."+key, v) }
	head := say("understood", v)
	switch {
	case u.Kind != workflow.Incident && u.Kind != workflow.Wish:
		return head + "\n" + say("no_ticket", v)
	case workflow.Next(&t) == workflow.CmdPublish:
		return head + "\n" + say("wall", v)
	case u.Kind == workflow.Incident && !u.Place.Known() && u.Severity != workflow.Emergency:
		return head + "\n" + say("no_place", v)
	}
	a, ok, tried := workflow.Explain(shape.Community, shape.Roster, &t, load, now)
	lines := []string{head}
	for i, r := range tried {
		f.Why = r.Rule
		rule := b.values(shape, &f, now)
		rule["Index"], rule["Reason"] = i+1, say("reason."+string(r.Reason), nil)
		lines = append(lines, say("rule", rule))
	}
	if !ok {
		return strings.Join(append(lines, say("tray", v)), "\n")
	}
	f.Owner, f.Why = a.To, a.Why
	v = b.values(shape, &f, now)
	v["Load"] = load(a.To)
	return strings.Join(append(lines, say("chosen", v)), "\n")
}

// shareSince is how far back the share solved inside the grids is counted.
const shareSince = 30 * 24 * time.Hour

// share tells how much of what each grid resolved never left its hands
// (小事不出网格): for leaders and the committee all grids, for a worker their own.
func (s *session) share(ctx context.Context) (string, error) {
	all, err := s.b.desk.Journal().Solved(ctx, s.in.Community, s.now.Add(-shareSince), s.now.Add(time.Second))
	if err != nil {
		return "", err
	}
	var lines []string
	solved, inside := 0, 0
	for _, g := range all {
		if !s.me.MayCare(g.Grid) && !s.me.Has(workflow.RoleLeader) {
			continue
		}
		solved, inside = solved+g.Solved, inside+g.Inside
		grid, _ := s.shape.Community.Grid(g.Grid)
		lines = append(lines, s.say("share_line", Values{"Grid": grid.Name, "Solved": g.Solved, "Inside": g.Inside, "Percent": percent(g.Inside, g.Solved)}))
	}
	return s.say("share", Values{"Lines": strings.Join(lines, "\n"), "Solved": solved, "Inside": inside, "Percent": percent(inside, solved), "Days": int(shareSince / (24 * time.Hour))}), nil
}

// percent is a share of a whole, rounded; 0 of nothing.
func percent(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return (200*part + whole) / (2 * whole)
}
