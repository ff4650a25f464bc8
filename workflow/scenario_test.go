package workflow

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A scenario is told line by line:
//
//	li: file minor@G1 => filed, classified, assigned; chen=assigned
//	    who, command, then exactly the events that follow and exactly the
//	    people who are told, and why. Nothing after "=>" may be missing, and
//	    nothing else may happen.
//	li: accept !! not_allowed
//	    the refusal; nothing may change.
//	+30m
//	    time passes, and clocks fire as they fall due; with "=>" as above,
//	    without it no clock may fire.
//	is accepted with chen level 1: resolve 47h
//	    state, stand, owner, level, and exactly the clocks that run with the
//	    time that they have left; a "*" before the clocks: they stand still.
//	points chen 2, zhou -2
//	    what verdicts and thanks earned or cost, in all.
//	late 30h
//	    time passes, and nobody looks at the clocks.
//	at 2026-04-24 16:00
//	    the first line may set the time, in the community's zone.
//
// A report is written kind@grid, kind being minor, major, emergency, wish or
// "?", the grid "?" where it is not known; "!" behind it: do not ask back.
func scenario(t *testing.T, doc, story string) *desk {
	t.Helper()
	c := community(t, doc)
	d := newDesk(c, time.Date(2026, 3, 2, 10, 0, 0, 0, c.Location()))
	for i, line := range strings.Split(story, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := tell(d, line); err != nil {
			t.Fatalf("line %d: %s\n%v\nticket: %+v", i, line, err, d.ticket)
		}
		if len(d.events) > 0 {
			if err := broken(d); err != nil {
				t.Fatalf("line %d: %s\nbreaks a rule: %v", i, line, err)
			}
		}
	}
	return d
}

func tell(d *desk, line string) error {
	line, want, expects := strings.Cut(line, "=>")
	line, code, refused := strings.Cut(strings.TrimSpace(line), "!!")
	line = strings.TrimSpace(line)
	had := len(d.events)
	d.owed = nil

	switch {
	case strings.HasPrefix(line, "at "):
		at, err := time.ParseInLocation("2006-01-02 15:04", line[3:], d.c.Location())
		d.now = at.UTC()
		return err
	case strings.HasPrefix(line, "late "): // time passes, and nobody looks at the clocks
		span, err := time.ParseDuration(line[5:])
		d.now = d.now.Add(span)
		return err
	case strings.HasPrefix(line, "points "):
		sums, have := map[PersonID]int{}, []string{}
		for _, p := range d.ticket.Points {
			sums[p.Person] += p.N
		}
		for p, n := range sums {
			have = append(have, nameOf(p)+" "+strconv.Itoa(n))
		}
		slices.Sort(have)
		if got := strings.Join(have, ", "); got != line[7:] {
			return fmt.Errorf("have: points %s", got)
		}
		return nil
	case strings.HasPrefix(line, "is "):
		if have := describe(d); have != line[3:] {
			return fmt.Errorf("have: is %s", have)
		}
		return nil
	case strings.HasPrefix(line, "+"):
		span, err := time.ParseDuration(line[1:])
		if err != nil {
			return err
		}
		if err := pass(d, span); err != nil {
			return err
		}
	default:
		cmd, ask, err := read(line)
		if err != nil {
			return err
		}
		before := d.ticket
		err = d.do(cmd, ask)
		if refused {
			code = strings.TrimSpace(code)
			if string(CodeOf(err)) != code || errors.As(err, new(unsettled)) || d.ticket.Version != before.Version {
				return fmt.Errorf("have: %w, want the refusal %s", err, code)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}

	wantEvents, wantTold, _ := strings.Cut(want, ";")
	var events, told []string
	for _, ev := range d.events[had:] {
		name := string(ev.Type)
		if ev.Clock != "" {
			name += " " + string(ev.Clock)
		}
		events = append(events, name)
	}
	for _, n := range d.owed {
		told = append(told, nameOf(n.Person)+"="+string(n.Purpose))
	}
	if have := strings.Join(events, ", "); have != strings.TrimSpace(wantEvents) || !expects && have != "" {
		return fmt.Errorf("events: %s", have)
	}
	if have := strings.Join(told, ", "); have != strings.TrimSpace(wantTold) {
		return fmt.Errorf("told: %s", have)
	}
	return nil
}

// pass lets time go by; the desk fires each clock at its moment.
func pass(d *desk, span time.Duration) error {
	until := d.now.Add(span)
	for {
		clock, at, ok := d.ticket.NextDue()
		if !ok || at.After(until) {
			d.now = until
			return nil
		}
		if at.After(d.now) {
			d.now = at
		}
		if err := d.do(Command{Name: CmdTick, Actor: System(), Clock: clock}, ""); err != nil {
			return err
		}
	}
}

func describe(d *desk) string {
	t := &d.ticket
	s := string(t.State)
	switch t.Stand {
	case WithOwner:
		s += " with " + nameOf(t.Owner)
	case OnWall, InTray:
		s += " " + string(t.Stand)
	}
	s += " level " + strconv.Itoa(t.Level)
	var clocks []string
	if t.Question != nil {
		clocks = append(clocks, "question "+left(t.Question.Until, d.now))
	}
	now, stopped := d.now, ""
	if paused(t) {
		now, stopped = t.Question.At, "*"
	}
	for clock, at := range t.Due {
		clocks = append(clocks, stopped+string(clock)+" "+left(at, now))
	}
	slices.SortFunc(clocks, func(a, b string) int {
		return cmp.Compare(strings.TrimPrefix(a, "*"), strings.TrimPrefix(b, "*"))
	})
	if len(clocks) > 0 {
		s += ": " + strings.Join(clocks, ", ")
	}
	return s
}

// left is the time until a moment without its zeros: 47h, 1h30m, 5m.
func left(at, now time.Time) string {
	s := at.Sub(now).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// read reads 「li: file minor@G1」.
func read(line string) (Command, Topic, error) {
	who, words, ok := strings.Cut(line, ": ")
	person, known := cast[who]
	if !ok || !known && who != "desk" {
		return Command{}, "", fmt.Errorf("who is %q?", who)
	}
	name, rest, _ := strings.Cut(words, " ")
	cmd := Command{Name: CommandName(name), Actor: actor(person)}
	arg, more, _ := strings.Cut(rest, " ")
	var ask Topic
	switch cmd.Name {
	case CmdFile, CmdClassify, CmdAdvise:
		cmd.Text = cmp.Or(more, "有人说")
		if whom, ok := strings.CutPrefix(more, "for "); ok {
			cmd.Reporter = cast[whom]
		}
		if more == "found" {
			cmd.Source = SourcePatrol
		}
		ask = report(&cmd, arg)
	case CmdAssign, CmdTransfer:
		cmd.To, cmd.Text = cast[arg], more
	case CmdAsk:
		cmd.Topic, cmd.Text = TopicWorker, rest
		if arg == string(TopicPlace) || arg == string(TopicWhat) {
			cmd.Topic, cmd.Text = Topic(arg), more
		}
	case CmdAnswer:
		cmd.Text = rest
		if strings.Contains(arg, "@") {
			report(&cmd, arg)
		}
	case CmdRate:
		cmd.Rating, cmd.Phoned = Rating(arg), more == "by telephone"
	case CmdMerge, CmdAbsorb, CmdRelease:
		cmd.Into, _ = strconv.ParseInt(arg, 10, 64)
		for _, name := range strings.Fields(more) {
			cmd.Follow = append(cmd.Follow, cast[name])
		}
	case CmdAdopt:
		cmd.Reporter, cmd.Follow = cast[arg], []PersonID{cast[more]}
	case CmdLeave:
		cmd.Reporter, cmd.Text = cast[arg], more
		cmd.Place = Place{Estate: "东园", Building: 2, Grid: "G1"}
	case CmdClaim:
		cmd.Unit = arg
	case CmdTick:
		cmd.Clock = Clock(arg)
	case CmdCall:
		cmd.To, cmd.Text = cast[arg], more
	case CmdDecline:
		if cmd.Text = rest; cmd.Actor.Kind == ActorSystem {
			cmd.To, cmd.Text = cast[arg], more
		}
	case CmdJoin:
		cmd.Unit, cmd.Text = arg, more
	case CmdPair:
		days, _ := strconv.Atoi(arg)
		cmd.Every = time.Duration(days) * day
	case CmdConsent:
		cmd.Yes = arg == "yes"
	case CmdMove:
		cmd.Place.Grid = arg
	default:
		cmd.Text = rest
	}
	return cmd, ask, nil
}

// report reads 「minor@G1」 and gives what to ask where something is missing.
func report(cmd *Command, arg string) (ask Topic) {
	arg, quiet := strings.CutSuffix(arg, "!")
	what, where, _ := strings.Cut(arg, "@")
	switch what {
	case "wish":
		cmd.Kind, cmd.Category, cmd.Severity = Wish, "company", Minor
	case "urgent-wish":
		cmd.Kind, cmd.Category, cmd.Severity = Wish, "company", Major
	case "minor", "major", "emergency":
		cmd.Kind, cmd.Category, cmd.Severity = Incident, "lighting", Severity(what)
		if what == "emergency" {
			cmd.Category, cmd.Danger = "safety", "gas"
		}
		ask = TopicPlace
	default:
		cmd.Severity = Minor
		ask = TopicWhat
	}
	if where != "?" && where != "" {
		cmd.Place = Place{Estate: "东园", Building: 1, Grid: where}
	}
	if quiet {
		return ""
	}
	return ask
}
