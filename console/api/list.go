package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Bounds of a list.
const (
	usualPage   = 50
	longestPage = 200
	// changesKept is how far back it can be asked what changed: who stayed away
	// longer reads everything again.
	changesKept = 31 * 24 * time.Hour
	// settled is how far before now the answer says to ask from the next time: what
	// was decided before that is in the record by now.
	settled = time.Minute
)

var (
	states = []workflow.State{
		workflow.Received, workflow.Classified, workflow.Assigned, workflow.Accepted, workflow.Resolved, workflow.Closed, workflow.Cancelled, workflow.Merged,
	}
	kinds      = []workflow.Kind{workflow.Incident, workflow.Wish}
	severities = []workflow.Severity{workflow.Emergency, workflow.Major, workflow.Minor}
)

// listParameters are what a list can be asked by.
var listParameters = []string{"state", "kind", "category", "grid", "severity", "level", "late", "filed_from", "filed_until", "changed_since", "cursor", "limit"}

// listQuery reads what a list is asked by.
func (q *request) listQuery(asked map[string]string) (desk.Query, error) {
	var out desk.Query
	var err error
	try := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	taxonomy := q.api.o.Taxonomy.For(q.shape.Community)
	try(func() (e error) {
		out.States, e = oneOf(asked, "state", func(s workflow.State) bool { return slices.Contains(states, s) })
		return e
	})
	try(func() error {
		one, e := oneOf(asked, "kind", func(k workflow.Kind) bool { return slices.Contains(kinds, k) })
		if len(one) == 1 { // both is as none
			out.Kind = one[0]
		}
		return e
	})
	try(func() (e error) {
		out.Categories, e = oneOf(asked, "category", func(c workflow.Category) bool { return taxonomy.KindOf(c) != "" })
		return e
	})
	try(func() (e error) {
		out.Grids, e = oneOf(asked, "grid", func(code string) bool { _, ok := q.shape.Community.Grid(code); return ok })
		return e
	})
	try(func() error {
		one, e := oneOf(asked, "severity", func(s workflow.Severity) bool { return slices.Contains(severities, s) })
		if len(one) > 1 {
			return unreadable("severity")
		}
		if len(one) == 1 {
			out.Severity = one[0]
		}
		return e
	})
	try(func() (e error) {
		out.Level, e = count(asked, "level", 0, workflow.LevelGrid, workflow.LevelSubdistrict)
		return e
	})
	try(func() error {
		if s, ok := asked["late"]; ok && s != "true" {
			return unreadable("late")
		}
		out.Late = asked["late"] == "true"
		return nil
	})
	try(func() (e error) { out.From, e = moment(asked, "filed_from"); return e })
	try(func() (e error) { out.Until, e = moment(asked, "filed_until"); return e })
	try(func() (e error) { out.Changed, e = moment(asked, "changed_since"); return e })
	try(func() (e error) { out.Limit, e = count(asked, "limit", usualPage, 1, longestPage); return e })
	try(func() (e error) { out.Before, e = after(asked); return e })
	switch {
	case err != nil:
	case !out.Until.IsZero() && !out.From.Before(out.Until):
		err = unreadable("filed_until")
	case !out.Changed.IsZero() && (out.Changed.After(q.now) || q.now.Sub(out.Changed) > changesKept):
		err = unreadable("changed_since")
	}
	return out, err
}

// tickets lists tickets, the newest filing first.
func (q *request) tickets() error {
	asked, err := q.asked(listParameters...)
	if err != nil {
		return err
	}
	query, err := q.listQuery(asked)
	if err != nil {
		return err
	}
	found, err := q.api.o.Record.Search(q.Context(), q.code(), query)
	if workflow.CodeOf(err) == workflow.CodeInvalid {
		return &refusal{code: codeRequest, field: "cursor", cause: err} // all else was checked
	}
	if err != nil {
		return err
	}
	out := struct {
		Tickets []ticketShape `json:"tickets"`
		Next    string        `json:"next_cursor,omitempty"`
		AsOf    time.Time     `json:"as_of"`
	}{[]ticketShape{}, "", q.now.Add(-settled)}
	for i := range found.Tickets {
		out.Tickets = append(out.Tickets, q.show(&found.Tickets[i]))
	}
	if found.Next != 0 {
		out.Next = cursorOf(found.Next, asked)
	}
	return q.answer(http.StatusOK, out)
}
