package workflow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Ladder says who hears of a promise that is about to be missed or was
// missed, step by step (worker → part-time workers → grid leader →
// committee), by the clock that it belongs to. After the last step it is
// brought up again by the day, to the same people.
type Ladder struct {
	Response  []Rung `yaml:"response" json:"response"`   // nobody has accepted
	Feedback  []Rung `yaml:"feedback" json:"feedback"`   // the resident has heard nothing
	Resolve   []Rung `yaml:"resolve" json:"resolve"`     // it is not done
	Tray      []Rung `yaml:"tray" json:"tray"`           // it is not filed by hand
	Unclaimed []Rung `yaml:"unclaimed" json:"unclaimed"` // a wish that nobody claims
	Visit     []Rung `yaml:"visit" json:"visit"`         // a pair's visit that is due
	Emergency []Rung `yaml:"emergency" json:"emergency"` // an emergency that nobody has accepted, or of which any other clock is missed
}

// Rung is one step of a ladder.
type Rung struct {
	After time.Duration `yaml:"after" json:"after"` // since the promise was missed; less than 0: a reminder before it
	Tell  []Hearer      `yaml:"tell" json:"tell"`
	Rise  bool          `yaml:"rise" json:"rise"` // the matter becomes the committee's to answer for
}

// Hearer is somebody that a rung tells.
type Hearer string

// The hearers.
const (
	HearsWorker    Hearer = "worker"    // who has it; while nobody does, who files by hand
	HearsFullTime  Hearer = "full_time" // the grid's full-time worker
	HearsPartTime  Hearer = "part_time" // the grid's part-time workers: one of them may accept it
	HearsLeader    Hearer = "leader"    // the grid's leader
	HearsCommittee Hearer = "committee" // the committee's people on duty
)

// Hearers are all that a rung may tell, nearest to the matter first.
func Hearers() []Hearer {
	return []Hearer{HearsWorker, HearsFullTime, HearsPartTime, HearsLeader, HearsCommittee}
}

var hearers = map[Hearer]Audience{
	HearsWorker: ToWorker, HearsFullTime: ToFullTime, HearsPartTime: ToPartTime, HearsLeader: ToLeader, HearsCommittee: ToDuty,
}

// DefaultLadder is that of a community whose document has none.
func DefaultLadder() Ladder {
	const m, h = time.Minute, time.Hour
	tell := func(after time.Duration, rise bool, who ...Hearer) Rung { return Rung{after, who, rise} }
	late := []Rung{
		tell(-4*h, false, HearsWorker),
		tell(0, false, HearsWorker, HearsPartTime),
		tell(4*h, false, HearsWorker, HearsLeader),
		tell(24*h, true, HearsWorker, HearsLeader, HearsCommittee),
	}
	return Ladder{
		Response: []Rung{
			tell(-30*m, false, HearsWorker),
			tell(0, false, HearsWorker, HearsPartTime),
			tell(30*m, false, HearsWorker, HearsLeader),
			tell(1*h, true, HearsWorker, HearsLeader, HearsCommittee),
		},
		Feedback:  late,
		Resolve:   late,
		Tray:      []Rung{tell(0, false, HearsFullTime, HearsLeader), tell(1*h, true, HearsFullTime, HearsLeader, HearsCommittee)},
		Unclaimed: []Rung{tell(0, true, HearsCommittee)},
		Visit: []Rung{
			tell(0, false, HearsWorker), tell(24*h, false, HearsWorker),
			tell(48*h, false, HearsWorker, HearsLeader), tell(72*h, true, HearsWorker, HearsLeader, HearsCommittee),
		},
		Emergency: []Rung{
			tell(0, true, HearsWorker, HearsPartTime, HearsLeader, HearsCommittee),
			tell(5*m, true, HearsWorker, HearsPartTime, HearsLeader, HearsCommittee),
			tell(10*m, true, HearsWorker, HearsPartTime, HearsLeader, HearsCommittee),
			tell(30*m, true, HearsWorker, HearsLeader, HearsCommittee),
		},
	}
}

// of are the rungs of a clock for a ticket, those before the promise apart
// from those after it. There is at least one after it.
func (l *Ladder) of(t *Ticket, c Clock) (before, after []Rung) {
	rungs := map[Clock][]Rung{
		ClockResponse: l.Response, ClockFeedback: l.Feedback, ClockResolve: l.Resolve,
		ClockTray: l.Tray, ClockUnclaimed: l.Unclaimed, ClockVisit: l.Visit,
	}[c]
	if t.Severity == Emergency && t.Kind == Incident && t.State != Accepted {
		rungs = l.Emergency
	}
	for _, r := range rungs {
		if r.After < 0 {
			before = append(before, r)
		} else {
			after = append(after, r)
		}
	}
	if len(after) == 0 {
		after = []Rung{{Tell: []Hearer{HearsWorker, HearsCommittee}, Rise: true}}
	}
	return before, after
}

// rung is the step of a missed promise that a ticket has come to: the last one
// for good.
func (l *Ladder) rung(t *Ticket, c Clock, step int) Rung {
	_, after := l.of(t, c)
	return after[min(step, len(after)-1)]
}

// next is how long after a step the following one comes; again after the last.
func (l *Ladder) next(t *Ticket, c Clock, step int, again time.Duration) time.Duration {
	_, after := l.of(t, c)
	if step+1 >= len(after) {
		return again
	}
	return after[step+1].After - after[step].After
}

// remindable are the promises that somebody is reminded of before.
var remindable = []Clock{ClockResponse, ClockFeedback, ClockResolve}

// reminder is the reminder that comes next after a moment: of which promise,
// when, and to whom; ok is false where there is none. What is promised in
// working time is reminded of in working time.
func reminder(c *Community, t *Ticket, due map[Clock]time.Time, now time.Time) (of Clock, at time.Time, r Rung, ok bool) {
	if t.Owner == 0 {
		return of, at, r, false
	}
	for _, clock := range remindable {
		promised, running := due[clock]
		if !running {
			continue
		}
		before, _ := c.Ladder.of(t, clock)
		for _, b := range before {
			when := promised.Add(b.After)
			if t.Severity != Emergency && t.Kind != Wish { // whose time is not working time
				when = c.Working.Before(promised, -b.After, c.Location()).UTC()
			}
			if when.After(now) && (!ok || when.Before(at)) {
				of, at, r, ok = clock, when, b, true
			}
		}
	}
	return of, at, r, ok
}

func (l *Ladder) check(again time.Duration) error {
	var errs []error
	ladders := map[string][]Rung{
		"response": l.Response, "feedback": l.Feedback, "resolve": l.Resolve, "tray": l.Tray,
		"unclaimed": l.Unclaimed, "visit": l.Visit, "emergency": l.Emergency,
	}
	for _, name := range slices.Sorted(maps.Keys(ladders)) {
		rungs := ladders[name]
		for i, r := range rungs {
			fail := func(code WrongCode, format string, a ...any) {
				errs = append(errs, wrong(fmt.Sprintf("ladder.%s[%d]", name, i), code, "", format, a...))
			}
			if i > 0 && r.After <= rungs[i-1].After {
				fail(WrongOrder, "must come after the step before it")
			}
			if most := max(again, day); i > 0 && rungs[i-1].After >= 0 && r.After-rungs[i-1].After > most {
				fail(WrongGap, "comes more than %v after the step before it", most)
			}
			if r.After < 0 && (r.Rise || name != "response" && name != "feedback" && name != "resolve") {
				fail(WrongBefore, "only a reminder of a response, feedback or resolution comes before, and it does not rise")
			}
			if len(r.Tell) == 0 {
				fail(WrongNobody, "tells nobody")
			}
			for _, h := range r.Tell {
				if _, ok := hearers[h]; !ok {
					fail(WrongChoice, "tell: want some of %v, have %q", slices.Sorted(maps.Keys(hearers)), h)
				}
			}
		}
		if len(rungs) > 0 && !slices.ContainsFunc(rungs, func(r Rung) bool { return r.Rise }) && name != "visit" {
			errs = append(errs, wrong("ladder."+name, WrongRise, "", "no step rises to the committee"))
		}
	}
	return errors.Join(errs...)
}
