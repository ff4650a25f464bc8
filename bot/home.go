package bot

import (
	"context"
	"regexp"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// lives is how somebody begins who tells where they live, and nothing else.
var lives = regexp.MustCompile(`^(?:我|俺|咱)(?:们)?(?:搬家了|搬了)?[,，。 ]*(?:现在|目前|就)?(?:家住在?|家在|家是|住在?|搬到|搬去|搬家到)了?`)

// livesIn is the place that somebody says they live in, as written.
func livesIn(raw string) (string, bool) {
	text := tidy(raw)
	m := lives.FindStringIndex(text)
	if m == nil {
		return "", false
	}
	return strings.Trim(text[m[1]:], " ,。.!"), true
}

// homeOrAnswer registers the writer's home; where a question is open, the
// address answers it too.
func (s *session) homeOrAnswer(ctx context.Context, written string) (string, error) {
	_, asked, err := s.asked(ctx)
	if err != nil {
		return "", err
	}
	reply, err := s.home(ctx, written)
	if err != nil || !asked || s.w.Change.Home == nil || written == here {
		return reply, err
	}
	answer, err := s.free(ctx, written)
	return answer + "\n" + reply, err
}

// tellsHome tells whether a text says where the writer lives, and nothing else;
// rest is the place as written, "" where they ask where that is.
func (s *session) tellsHome(ctx context.Context, raw string) (rest string, ok bool, err error) {
	rest, ok = livesIn(raw)
	if !ok {
		return "", false, nil
	}
	if strings.HasPrefix(rest, "哪") {
		return "", true, nil
	}
	if strings.ContainsAny(rest, ",，。;；!！?？") {
		return "", false, nil // more than an address
	}
	u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: rest})
	return rest, err == nil && u.Confidence < workflow.Unclear && u.Place.Building != 0 && u.Severity != workflow.Emergency, err
}

// whoIsMine says who the worker of the writer's grid is.
func (s *session) whoIsMine() string {
	place := s.me.Home
	if place.Grid == "" {
		place = s.talk.Scene.Place
	}
	grid, _ := s.shape.Community.Grid(place.Grid)
	worker, ok := s.shape.Roster.FullTime(place.Grid)
	return s.say("who", Values{"Grid": grid.Name, "Worker": worker.Name, "Known": ok && place.Grid != ""})
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
