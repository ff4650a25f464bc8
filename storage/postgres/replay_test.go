package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// commands are those that the random life of a ticket draws from.
var commands = []workflow.CommandName{
	workflow.CmdClassify, workflow.CmdToTray, workflow.CmdAssign, workflow.CmdPublish, workflow.CmdClaim, workflow.CmdAccept,
	workflow.CmdTransfer, workflow.CmdReturn, workflow.CmdAsk, workflow.CmdAnswer, workflow.CmdNote, workflow.CmdSupplement,
	workflow.CmdResolve, workflow.CmdRate, workflow.CmdReopen, workflow.CmdCancel, workflow.CmdUrge, workflow.CmdEscalate,
}

// Whatever the machine makes of random commands: replaying the events in the
// record gives the ticket in the record, and the columns that find it agree.
func TestReplayingTheRecordGivesTheTicket(t *testing.T) {
	s := newStore(t)
	shape, err := s.Shape(ctx(t), here)
	must(t, err)
	actors := []workflow.Actor{
		workflow.System(), workflow.By(workflow.Person{ID: 7}),
		workflow.By(workflow.Person{ID: 8, Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1"}}}),
		workflow.By(workflow.Person{ID: 9, Roles: []workflow.Role{{Kind: workflow.RoleCommittee}}}),
	}
	seen := map[workflow.EventType]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		number, err := s.NextNumber(ctx(t), here)
		if err != nil {
			rt.Fatal(err)
		}
		ticket, now := workflow.Ticket{Community: here, Number: number}, noon
		var was int64
		var events []workflow.Event
		commit := func() {
			if len(events) == 0 {
				return
			}
			if err := s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{{Was: was, Ticket: ticket, Events: events}}}); err != nil {
				rt.Fatal(err)
			}
			was, events = ticket.Version, nil
		}
		do := func(cmd workflow.Command) {
			ev, err := workflow.Decide(shape.Community, ticket, cmd, now)
			if err != nil {
				if errors.As(err, new(*workflow.Error)) {
					return
				}
				rt.Fatal(err)
			}
			seen[ev.Type] = true
			ticket = workflow.Apply(ticket, ev)
			events = append(events, ev)
		}
		kind := rapid.SampledFrom([]workflow.Kind{workflow.Incident, workflow.Wish}).Draw(rt, "kind")
		place := workflow.Place{Estate: "东园", Building: 2, Grid: "G1"}
		do(workflow.Command{Name: workflow.CmdFile, Actor: actors[1], Text: "水管漏了 <&\u2028>", Kind: kind, Category: "drainage", Severity: workflow.Major, Place: place})
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(30*time.Hour)).Draw(rt, "passes")))
			cmd := workflow.Command{
				Name: rapid.SampledFrom(commands).Draw(rt, "command"), Actor: rapid.SampledFrom(actors).Draw(rt, "actor"),
				Text: rapid.SampledFrom([]string{"", "好的", "\"引号\"\t\\n 😀"}).Draw(rt, "text"), To: 8, Kind: kind, Category: "drainage",
				Severity: workflow.Minor, Place: place, Topic: workflow.TopicWorker, Unit: "供电所",
				Rating: rapid.SampledFrom([]workflow.Rating{workflow.Satisfied, workflow.Unsatisfied}).Draw(rt, "rating"),
			}
			if rapid.Bool().Draw(rt, "photo") {
				cmd.Media = []workflow.Media{{ID: "m1", Type: "image", By: 7}}
			}
			do(cmd)
			if clock, at, ok := ticket.NextDue(); ok && !at.After(now) {
				do(workflow.Command{Name: workflow.CmdTick, Actor: workflow.System(), Clock: clock})
			}
			if rapid.Bool().Draw(rt, "commit") {
				commit()
			}
		}
		commit()
		stored, err1 := s.Ticket(ctx(t), here, number)
		record, err2 := s.Events(ctx(t), here, number)
		if err := errors.Join(err1, err2); err != nil {
			rt.Fatal(err)
		}
		same(rt, "the ticket decided and the one stored", ticket, stored)
		same(rt, "replayed", stored, workflow.Replay(here, number, record))
		checkColumns(rt, s, stored)
	})
	if len(seen) < 8 {
		t.Errorf("only %d types of events came up", len(seen))
	}
}

func checkColumns(rt *rapid.T, s *Store, t workflow.Ticket) {
	var version, owner, reporter int64
	var level int
	var state, stand, grid string
	var due, pressing, ended *time.Time
	if err := s.pool.QueryRow(rt.Context(), `SELECT version, owner, reporter, level, state, stand, grid, next_due, pressing, ended_at FROM ticket
		WHERE community = $1 AND number = $2`, t.Community, t.Number).Scan(&version, &owner, &reporter, &level, &state, &stand, &grid, &due, &pressing, &ended); err != nil {
		rt.Fatal(err)
	}
	_, at, open := t.NextDue()
	got := fmt.Sprint(version, owner, reporter, level, state, stand, grid, due != nil, ended == nil)
	want := fmt.Sprint(t.Version, int64(t.Owner), int64(t.Reporter), t.Level, string(t.State), string(t.Stand), t.Place.Grid, open, t.State.Open())
	if got != want || open && at.Sub(*due).Abs() > time.Microsecond {
		rt.Fatalf("the columns say %s due %v, the ticket %s due %v", got, due, strings.TrimSpace(want), at)
	}
	if at := t.Pressing(); (pressing == nil) != at.IsZero() || pressing != nil && at.Sub(*pressing).Abs() > time.Microsecond {
		rt.Fatalf("pressing: the column says %v, the ticket %v", pressing, at)
	}
}
