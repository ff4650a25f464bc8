package bot

import (
	"context"
	"regexp"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// lives is how somebody begins who tells where they live, and nothing else.
var lives = regexp.MustCompile(`^(?:我|俺|咱)(?:们)?(?:就)?(?:家住在?|家在|家是|住在?)`)

// livesIn is the place that somebody says they live in, as written.
func livesIn(raw string) (string, bool) {
	text := tidy(raw)
	m := lives.FindStringIndex(text)
	if m == nil {
		return "", false
	}
	return strings.Trim(text[m[1]:], " ,。.!"), true
}

// here stands for the place whose code was just scanned.
const here = "这里"

// home registers where the writer lives, so that 「我家」 finds its way: by one
// line, or by a tap after scanning the building's code.
func (s *session) home(ctx context.Context, written string) (string, error) {
	if written == "" {
		s.talk.Pending = pending{Verb: verbHome}
		return s.say("home_how", Values{"Place": s.me.Home.String()}), nil
	}
	p := s.talk.Scene.Place
	if written != here || p.Building == 0 {
		u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: written, Scene: s.talk.Scene.Place})
		if err != nil {
			return "", err
		}
		if u.PlaceProblem != "" || u.Place.Building == 0 || u.Place.Grid == "" {
			s.talk.Pending = pending{Verb: verbHome}
			v := Values{"Written": u.Place.String(), "Problem": u.PlaceProblem}
			if u.PlaceProblem == "which_estate" {
				var choices []choice
				for _, e := range u.Estates {
					if len(choices) < 4 {
						choices = append(choices, choice{e, "登记住址 " + e + written})
					}
				}
				return s.offer(s.say("home_unclear", v), choices...), nil
			}
			return s.say("home_unclear", v), nil
		}
		p = u.Place
	}
	p.Detail, p.Landmark = "", ""
	s.w.Change.Home = &desk.Home{Person: s.me.ID, Place: p}
	grid, _ := s.shape.Community.Grid(p.Grid)
	worker, _ := s.shape.Roster.FullTime(p.Grid)
	return s.say("home_known", Values{"Place": p.String(), "Grid": grid.Name, "Worker": worker.Name}), nil
}
