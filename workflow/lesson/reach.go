package lesson

import (
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Reach is how far the lessons of a while have come with one member of a branch.
type Reach struct {
	Person workflow.Person
	Of     int // lessons of the plan that were given to them, or that they learnt
	Learnt int // of them: read, heard, asked about, or the class attended
	Last   time.Time
}

// Unreached tells whether somebody should be visited: they were given lessons more than
// once, and none arrived.
func (r Reach) Unreached() bool { return r.Of > 1 && r.Learnt == 0 }

// Reached tells of each member of a branch how far they are with its plan of the days
// until now, those who are least reached first.
func Reached(members []workflow.Person, plan []Planned, branch string, done []Done, now time.Time, loc *time.Location) []Reach {
	type one struct {
		lesson int64
		person workflow.PersonID
	}
	learnt, given := map[one]time.Time{}, map[one]bool{}
	for _, d := range done {
		k := one{d.Lesson, d.Person}
		given[k] = true
		if d.Deed.Learns() && (learnt[k].IsZero() || d.At.Before(learnt[k])) {
			learnt[k] = d.At
		}
	}
	var out []Reach
	for _, m := range members {
		r := Reach{Person: m}
		for _, p := range plan {
			if p.Branch != branch || p.Day > DayOf(now, loc) || !given[one{p.Lesson, m.ID}] { // who joined since has nothing to catch up
				continue
			}
			r.Of++
			if at, ok := learnt[one{p.Lesson, m.ID}]; ok {
				r.Learnt++
				if at.After(r.Last) {
					r.Last = at
				}
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Reach) int { return a.Learnt - b.Learnt })
	return out
}

// Counts is how far one lesson has come in a branch.
type Counts struct {
	Given, Read, Heard, Asked, Signed, Learnt int
}

// Count counts the deeds of a branch's members with a lesson.
func Count(lesson int64, members []workflow.Person, done []Done) Counts {
	var c Counts
	learnt := map[workflow.PersonID]bool{}
	for _, d := range done {
		if d.Lesson != lesson || !slices.ContainsFunc(members, func(p workflow.Person) bool { return p.ID == d.Person }) {
			continue
		}
		*map[Deed]*int{Given: &c.Given, Read: &c.Read, Heard: &c.Heard, Asked: &c.Asked, Signed: &c.Signed}[d.Deed]++
		if d.Deed.Learns() {
			learnt[d.Person] = true
		}
	}
	c.Learnt = len(learnt)
	return c
}
