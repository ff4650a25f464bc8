package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// bind gives a worker or committee member their WeChat by a one-time code.
func (s *session) bind(ctx context.Context, sp spoken) (string, error) {
	ok, err := s.b.desk.Drive().Allow(ctx, s.in.Community, "bind:"+strconv.FormatInt(int64(s.me.ID), 10), 1, 5, time.Hour)
	if err == nil && !ok {
		return s.say("slow_down", nil), nil
	}
	code := strings.ToUpper(strings.TrimSpace(sp.Rest))
	if code == "" && sp.Number != 0 {
		code = strconv.FormatInt(sp.Number, 10)
	}
	if code == "" {
		s.talk.Pending = pending{Verb: verbBind}
		return s.say("bind_how", nil), nil
	}
	p, former, err := s.b.desk.Journal().Bind(ctx, s.in.Community, code, s.in.OpenID, s.now)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return s.say("bind_wrong", nil), nil
	}
	if err != nil {
		return "", err
	}
	if s.w.Change.NewPerson != nil || p.ID != s.me.ID {
		// The WeChat is now the staff member's: the conversation is theirs.
		s.w.Change.NewPerson = nil
		s.me, s.was, s.talk = p, 0, talk{}
		state, version, err := s.b.desk.Talk(ctx, s.in.Community, p.ID, true)
		if err != nil {
			return "", err
		}
		s.was, s.talk = version, readTalk(state, s.now, s.shape.Community)
	}
	if former != 0 {
		if err := s.adopt(ctx, former); err != nil {
			return "", err
		}
	}
	return s.say("bound", Values{"Name": p.Name}), nil
}

// adopt makes the writer's own what they had brought as a resident.
func (s *session) adopt(ctx context.Context, former workflow.PersonID) error {
	all, err := s.b.desk.Journal().Reported(ctx, s.in.Community, former, true, 100)
	if err != nil {
		return err
	}
	for _, t := range all {
		living, err := s.w.Living(ctx, t.Number)
		if err != nil {
			return err
		}
		for _, number := range slices.Compact([]int64{t.Number, living.Number}) {
			now, err := s.w.Ticket(ctx, number)
			if err != nil {
				return err
			}
			if now.State == workflow.Cancelled || !now.Involved(former) {
				continue
			}
			if _, err := s.w.Do(ctx, number, workflow.Command{
				Name: workflow.CmdAdopt, Actor: workflow.System(), Reporter: s.me.ID, Follow: []workflow.PersonID{former},
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// login gives a link with which the writer comes in to the pages, once.
func (s *session) login(ctx context.Context) (string, error) {
	if s.b.o.Links == nil {
		return s.say("login_off", nil), nil
	}
	ok, err := s.b.desk.Drive().Allow(ctx, s.in.Community, "login:"+strconv.FormatInt(int64(s.me.ID), 10), 1, 5, 10*time.Minute)
	if err == nil && !ok {
		return s.say("slow_down", nil), nil
	}
	link, err := s.b.o.Links.LoginLink(ctx, s.in.Community, s.me.ID, "")
	if err != nil {
		return "", err
	}
	if link == "" {
		return s.say("login_off", nil), nil
	}
	return s.say("login", Values{"Link": link, "Minutes": int(s.b.o.Links.Life() / time.Minute)}), nil
}
