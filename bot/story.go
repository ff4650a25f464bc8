package bot

import (
	"context"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
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
	if !t.ReadBy(s.me) {
		return "", &workflow.Error{Code: workflow.CodeNotFound, Number: sp.Number}
	}
	s.talk.Ticket = t.Number
	if !t.Involved(s.me.ID) {
		s.looks("ticket.look", t.Number)
	}
	events, err := s.b.desk.Journal().Events(ctx, s.in.Community, t.Number)
	if err != nil {
		return "", err
	}
	const most = 25
	steps, err := s.voice().Story(ctx, s.b.desk.Journal(), &t, events, s.me, 30, s.now)
	if err != nil {
		return "", err
	}
	skipped := max(0, len(steps)-most)
	var lines []string
	for _, step := range steps[skipped:] {
		lines = append(lines, step.When+" "+step.Text)
	}
	v := s.about(&t)
	v["Lines"], v["Skipped"] = strings.Join(lines, "\n"), skipped
	v["Points"] = s.voice().Points(&t)
	return s.say("story", v), nil
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
		lines = append(lines, s.say("share_line", Values{"Grid": grid.Name, "Solved": g.Solved, "Inside": g.Inside, "Percent": wording.Percent(g.Inside, g.Solved)}))
	}
	return s.say("share", Values{"Lines": strings.Join(lines, "\n"), "Solved": solved, "Inside": inside, "Percent": wording.Percent(inside, solved), "Days": int(shareSince / (24 * time.Hour))}), nil
}
