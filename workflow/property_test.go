package workflow

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// start is a Thursday afternoon before a holiday of officeHours.
var start = time.Date(2026, 4, 30, 8, 0, 0, 0, time.UTC)

var names = func() []CommandName {
	var out []CommandName
	for _, row := range Table {
		if !slices.Contains(out, row.Command) {
			out = append(out, row.Command)
		}
	}
	return out
}()

func drawPerson(t *rapid.T, label string) PersonID {
	return rapid.SampledFrom(append([]PersonID{0}, slices.Sorted(maps.Values(cast))...)).Draw(t, label)
}

func drawPlace(t *rapid.T) Place {
	return rapid.SampledFrom([]Place{
		{}, {Estate: "东园", Building: 1, Grid: "G1"}, {Estate: "西园", Building: 2, Grid: "G2"},
		{Detail: "在门口"}, {Grid: "none"},
	}).Draw(t, "place")
}

// drawCommand is any command by anybody, more often than not one that fits.
func drawCommand(t *rapid.T, d *desk) Command {
	cmd := Command{
		Name:     rapid.SampledFrom(names).Draw(t, "command"),
		Actor:    actor(drawPerson(t, "actor")),
		Text:     rapid.SampledFrom([]string{"灯不亮", "灯不亮", " ", ""}).Draw(t, "text"),
		Kind:     rapid.SampledFrom([]Kind{Incident, Incident, Wish, Consult, ""}).Draw(t, "kind"),
		Category: rapid.SampledFrom([]Category{"lighting", "company", ""}).Draw(t, "category"),
		Severity: rapid.SampledFrom([]Severity{Minor, Major, Emergency, "", "odd"}).Draw(t, "severity"),
		Place:    drawPlace(t),
		To:       drawPerson(t, "to"),
		Topic:    rapid.SampledFrom([]Topic{TopicWorker, TopicPlace, TopicWhat, "", "odd"}).Draw(t, "topic"),
		Into:     rapid.SampledFrom([]int64{7, 8, 0, -1, 1024}).Draw(t, "into"),
		Follow:   []PersonID{drawPerson(t, "follow")},
		Rating:   rapid.SampledFrom([]Rating{Satisfied, Fair, Unsatisfied, "", "odd"}).Draw(t, "rating"),
		Clock:    rapid.SampledFrom(allClocks).Draw(t, "clock"),
		Source:   rapid.SampledFrom([]Source{SourceChat, SourcePatrol}).Draw(t, "source"),
		Every:    rapid.SampledFrom([]time.Duration{0, time.Hour, 7 * day}).Draw(t, "every"),
		Yes:      rapid.Bool().Draw(t, "yes"),
		Phoned:   rapid.Bool().Draw(t, "phoned"),
		Outside:  rapid.Bool().Draw(t, "outside"),
	}
	if rapid.Bool().Draw(t, "photo") {
		cmd.Media = []Media{{ID: "m1", Type: "image", By: cmd.Actor.Person}}
	}
	if rapid.IntRange(0, 3).Draw(t, "unfit") == 0 {
		return cmd
	}
	if slices.Contains(withOwner, d.ticket.State) && rapid.IntRange(0, 5).Draw(t, "call") == 0 {
		cmd.Name, cmd.Actor, cmd.Text = CmdCall, actor(d.ticket.Owner), "搭把手"
		return cmd
	}
	if d.ticket.Kind == Wish && d.ticket.State == Accepted && rapid.IntRange(0, 3).Draw(t, "join") == 0 {
		cmd.Name, cmd.Actor, cmd.Unit = CmdJoin, actor(dang), "第三支部"
		return cmd
	}
	if helpers := d.ticket.Helpers(); len(helpers) > 0 && rapid.Bool().Draw(t, "of a helper") {
		cmd.Name = rapid.SampledFrom([]CommandName{CmdFinish, CmdDecline}).Draw(t, "part")
		cmd.Actor, cmd.To, cmd.Text = actor(helpers[0]), helpers[0], "好了"
		if cmd.Name == CmdDecline && rapid.Bool().Draw(t, "left") {
			cmd.Actor = System()
		}
		return cmd
	}
	if d.ticket.Kind == Wish && d.ticket.State == Accepted && d.ticket.Pair == nil && rapid.IntRange(0, 2).Draw(t, "to a pair") == 0 {
		cmd.Name, cmd.Actor, cmd.Every = CmdPair, actor(d.ticket.Owner), 7*day
		return cmd
	}
	if d.ticket.Pair != nil && rapid.Bool().Draw(t, "of the pair") {
		cmd.Name, cmd.Actor, cmd.Text = CmdVisit, actor(d.ticket.Owner), "聊了一个钟头"
		return cmd
	}
	// The right person and good words for a command that the state knows; often
	// one that leads on, seldom one that ends the ticket.
	on := rapid.Bool().Draw(t, "on")
	ends := rapid.IntRange(0, 19).Draw(t, "ends") == 0
	var rows []Row
	for _, row := range Table {
		switch leads := slices.Contains([]State{Accepted, Resolved}, row.To); {
		case !slices.Contains(row.From, d.ticket.State), row.Command == CmdTick:
		case on && !leads && slices.Contains(withOwner, d.ticket.State):
		case !ends && (row.To == Cancelled || row.To == Merged):
		default:
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return cmd
	}
	row := rapid.SampledFrom(rows).Draw(t, "row")
	cmd.Name, cmd.Text, cmd.Topic, cmd.Category = row.Command, "灯不亮", TopicWorker, "lighting"
	cmd.Every, cmd.Yes = 7*day, !d.ticket.Named
	cmd.Severity = rapid.SampledFrom([]Severity{Minor, Major, Emergency}).Draw(t, "good severity")
	if row.Command == CmdRelease {
		cmd.Follow = d.ticket.Followers
	}
	if row.Command == CmdAdopt {
		cmd.Reporter, cmd.Follow = zhou, []PersonID{d.ticket.Reporter}
	}
	if others := slices.Concat(d.ticket.Followers, d.ticket.Supporters); row.Command == CmdLeave && len(others) > 0 {
		cmd.Reporter = others[0]
	}
	for _, p := range append([]PersonID{0}, slices.Sorted(maps.Values(cast))...) {
		if slices.ContainsFunc(row.Who, func(w Who) bool { return w.Holds(&d.ticket, actor(p)) }) {
			cmd.Actor = actor(p)
			if rapid.Bool().Draw(t, "this one") {
				break
			}
		}
	}
	return cmd
}

// step gives a command and holds what came of it against the rules.
func step(t *rapid.T, d *desk, cmd Command, ask Topic) {
	before, had := d.ticket, len(d.events)
	saved := before.clone()
	saved.Due = maps.Clone(before.Due)
	d.owed = nil
	ev1, err1 := Decide(d.c, before, cmd, d.now)
	ev2, err2 := Decide(d.c, before, cmd, d.now)
	if diff := cmp.Diff(ev1, ev2); diff != "" || CodeOf(err1) != CodeOf(err2) {
		t.Fatalf("decided twice, differs: %s %v %v", diff, err1, err2)
	}
	if diff := cmp.Diff(saved, before); diff != "" {
		t.Fatalf("Decide changed the ticket: %s", diff)
	}
	err := d.do(cmd, ask)
	if diff := cmp.Diff(saved, before); diff != "" {
		t.Fatalf("Apply changed the ticket before: %s", diff)
	}
	if errors.As(err, new(unsettled)) {
		t.Fatalf("%v", err)
	}
	if err != nil {
		if code := CodeOf(err); code == "" || code == CodeBusy || len(d.events) != had {
			t.Fatalf("refused with %q, %d events", code, len(d.events)-had)
		}
		if diff := cmp.Diff(saved, d.ticket); diff != "" {
			t.Fatalf("a refusal changed the ticket: %s", diff)
		}
	}
	inTable(t, before, d.events[had:])
	if len(d.events) > 0 {
		if err := broken(d); err != nil {
			t.Fatalf("after %s: %v\n%+v", cmd.Name, err, d.ticket)
		}
	}
}

// inTable: each event is made by a row that leads from the state before to
// the state after, starts only the clocks that are drawn for it, and owes
// nobody two pushes and the actor none.
func inTable(t *rapid.T, ticket Ticket, events []Event) {
	for _, ev := range events {
		if !slices.ContainsFunc(Table, func(r Row) bool {
			return r.Makes == ev.Type && slices.Contains(r.From, ticket.State) && (r.To == ev.To || r.To == Same && ev.To == ticket.State)
		}) {
			t.Fatalf("no row makes %s from %q to %q", ev.Type, ticket.State, ev.To)
		}
		for clock := range ev.Due {
			if _, ran := ticket.Due[clock]; !ran && !startsAt(clock, ev.Type) {
				t.Fatalf("%s starts the clock %s, which is not drawn", ev.Type, clock)
			}
		}
		ended := !ticket.State.Open()
		ticket = Apply(ticket, ev)
		seen := map[PersonID]bool{}
		for _, n := range Owed(smallRoster, &ticket, &ev) {
			if n.Person == 0 || n.Person == ev.By || seen[n.Person] || ended && ev.Type != EvRated && ev.Type != EvReopened && ev.Type != EvThanked {
				t.Fatalf("%s by %s tells %s %s (ended before: %v)", ev.Type, nameOf(ev.By), nameOf(n.Person), n.Purpose, ended)
			}
			seen[n.Person] = true
		}
	}
}

func startsAt(c Clock, e EventType) bool {
	return slices.ContainsFunc(clockStarts, func(d struct {
		clock  Clock
		length string
		starts []EventType
	}) bool {
		return d.clock == c && slices.Contains(d.starts, e)
	})
}

// drawReport files a ticket of any sort.
func drawReport(t *rapid.T, d *desk) {
	cmd := Command{
		Name: CmdFile, Actor: actor(rapid.SampledFrom([]PersonID{li, wang, chen}).Draw(t, "reporter")), Text: "灯不亮",
		Kind:     rapid.SampledFrom([]Kind{Incident, Incident, Wish, ""}).Draw(t, "kind"),
		Category: rapid.SampledFrom([]Category{"lighting", "lighting", ""}).Draw(t, "category"),
		Severity: rapid.SampledFrom([]Severity{Minor, Major, Emergency}).Draw(t, "severity"),
		Source:   rapid.SampledFrom([]Source{SourceChat, SourceChat, SourcePatrol}).Draw(t, "how"),
	}
	if rapid.Bool().Draw(t, "placed") {
		cmd.Place = Place{Estate: "东园", Building: 1, Grid: "G1"}
	}
	step(t, d, cmd, rapid.SampledFrom([]Topic{TopicPlace, TopicWhat, ""}).Draw(t, "ask"))
	if len(d.events) == 0 {
		t.Fatal("the report was refused")
	}
}

// drawTime lets time pass: to the next clock, or by minutes, hours or days.
func drawTime(t *rapid.T, d *desk) {
	if clock, at, ok := d.ticket.NextDue(); ok && rapid.Bool().Draw(t, "to the next clock") {
		if at.After(d.now) {
			d.now = at
		}
		step(t, d, Command{Name: CmdTick, Actor: System(), Clock: clock}, "")
		return
	}
	unit := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
	d.now = d.now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "span")) * unit)
}

// wander drives a ticket with random commands and time.
func wander(t *rapid.T, d *desk, steps int) {
	drawReport(t, d)
	for range rapid.IntRange(0, steps).Draw(t, "steps") {
		if n := rapid.IntRange(0, 3).Draw(t, "what"); n == 0 || n < 3 && d.ticket.State == Resolved {
			drawTime(t, d)
		} else {
			step(t, d, drawCommand(t, d), "")
		}
	}
}

func TestRandomCommands(t *testing.T) {
	for name, doc := range map[string]string{"around the clock": remindingCommunity, "office hours": strings.Replace(officeHours, shortLadder, "", 1)} {
		t.Run(name, func(t *testing.T) {
			c := community(t, doc)
			types := map[EventType]bool{}
			sequence := func(t *rapid.T) {
				d := newDesk(c, start)
				if rapid.IntRange(0, 9).Draw(t, "staff") == 0 {
					d.r = nil // nobody has been entered yet
				}
				wander(t, d, 40)
				for _, ev := range d.events {
					types[ev.Type] = true
				}
			}
			// The test is only worth what it reaches.
			missing := func() []EventType {
				var out []EventType
				for _, row := range Table {
					if !types[row.Makes] {
						out = append(out, row.Makes)
					}
				}
				return out
			}
			for range 10 {
				rapid.Check(t, sequence)
				if t.Failed() || len(missing()) == 0 {
					return
				}
			}
			t.Errorf("no random sequence made %v", missing())
		})
	}
}

// Whatever people did before, a ticket that all leave alone ends, or is
// brought up again and again; its clocks never spin without time passing.
func TestLeftAlone(t *testing.T) {
	c := community(t, smallCommunity)
	clocks := c.Clocks
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(c, start)
		wander(t, d, 15)
		late := slices.Contains(slices.Collect(maps.Keys(d.ticket.Due)), ClockAgain) && d.ticket.Question == nil
		spins := 0
		for range 20 {
			clock, at, ok := d.ticket.NextDue()
			if !ok {
				break
			}
			gap := max(at.Sub(d.now), 0)
			if late && gap > clocks.Again || gap > clocks.WishResolve {
				t.Fatalf("nobody hears of it for %v (overdue already: %v)\n%+v", gap, late, d.ticket)
			}
			if spins++; gap > 0 {
				spins = 0
			}
			if spins > len(allClocks) {
				t.Fatalf("clocks spin without time passing\n%+v", d.ticket)
			}
			d.now = d.now.Add(gap)
			step(t, d, Command{Name: CmdTick, Actor: System(), Clock: clock}, "")
			late = late || d.events[len(d.events)-1].Type == EvOverdue
			if late && d.ticket.State != Resolved && len(d.owed) == 0 {
				t.Fatalf("%s told nobody\n%+v", d.events[len(d.events)-1].Type, d.ticket)
			}
		}
		if d.ticket.State == Resolved {
			t.Fatalf("resolved for ever\n%+v", d.ticket)
		}
	})
}

// A question shifts what is left of every promise by exactly as long as the
// answer took, whatever happens meanwhile; also the promises that are counted
// anew from the start of the matter afterwards.
func TestPauseShifts(t *testing.T) {
	c := community(t, smallCommunity)
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(c, start)
		sev := rapid.SampledFrom([]Severity{Minor, Major}).Draw(t, "severity")
		place := Place{Estate: "东园", Building: 1, Grid: "G1"}
		step(t, d, Command{Name: CmdFile, Actor: actor(li), Text: "灯不亮", Kind: Incident, Category: "lighting", Severity: sev, Place: place}, "")
		d.now = d.now.Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "age")) * time.Minute)
		if rapid.Bool().Draw(t, "accepted") {
			step(t, d, Command{Name: CmdAccept, Actor: actor(chen)}, "")
		}
		meanwhile := func(d *desk) {}
		act := rapid.SampledFrom([]CommandName{"", CmdTransfer, CmdReturn, CmdAccept, CmdNote, CmdClassify, CmdAssign, CmdUrge}).Draw(t, "meanwhile")
		if act != "" {
			meanwhile = func(d *desk) {
				by := chen
				switch act {
				case CmdAssign:
					by = duty
				case CmdUrge:
					by = li
				}
				step(t, d, Command{
					Name: act, Actor: actor(by), Text: "等等", To: zhou,
					Kind: Incident, Category: "lighting", Severity: Major, Place: place,
				}, "")
			}
		}
		straight, asked := d.copy(), d.copy()
		meanwhile(straight)

		step(t, asked, Command{Name: CmdAsk, Actor: actor(zhou), Topic: TopicWorker, Text: "几楼"}, "")
		first := time.Duration(rapid.IntRange(0, 1400).Draw(t, "first")) * time.Minute
		then := time.Duration(rapid.IntRange(0, 1400).Draw(t, "then")) * time.Minute
		asked.now = asked.now.Add(first)
		meanwhile(asked)
		asked.now = asked.now.Add(then)
		step(t, asked, Command{Name: CmdAnswer, Actor: actor(li), Text: "三楼"}, "")

		same := func(when string) {
			t.Helper()
			want := map[Clock]time.Time{}
			for k, at := range straight.ticket.Due {
				want[k] = at.Add(first + then)
			}
			if !reflect.DeepEqual(want, asked.ticket.Due) {
				t.Fatalf("%s (%s meanwhile): %v", when, act, cmp.Diff(want, asked.ticket.Due))
			}
		}
		same("after the answer")
		for _, d := range []*desk{straight, asked} {
			step(t, d, Command{Name: CmdClassify, Actor: actor(duty), Kind: Incident, Category: "water", Severity: Major, Place: place}, "")
		}
		same("classified anew")
	})
}

// The same in working time: as much of it is left as there was.
func TestPauseShiftsInWorkingTime(t *testing.T) {
	c := community(t, officeHours)
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(c, start.Add(time.Duration(rapid.IntRange(0, 20000).Draw(t, "start"))*time.Minute))
		step(t, d, Command{
			Name: CmdFile, Actor: actor(li), Text: "灯不亮", Kind: Incident, Category: "lighting", Severity: Major,
			Place: Place{Estate: "东园", Building: 1, Grid: "G1"},
		}, "")
		d.now = d.now.Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "age")) * time.Minute)
		before, asked := maps.Clone(d.ticket.Due), d.now
		step(t, d, Command{Name: CmdAsk, Actor: actor(chen), Topic: TopicWorker, Text: "几楼"}, "")
		d.now = d.now.Add(time.Duration(rapid.IntRange(0, 2879).Draw(t, "wait")) * time.Minute)
		step(t, d, Command{Name: CmdAnswer, Actor: actor(li), Text: "三楼"}, "")
		for k, at := range before {
			had := c.Working.Between(asked, at, c.Location())
			if has := c.Working.Between(d.now, d.ticket.Due[k], c.Location()); has != had {
				t.Fatalf("%s had %v left, has %v", k, had, has)
			}
		}
	})
}
