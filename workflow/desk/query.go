package desk

import (
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Query says which tickets are looked for: those that all that is set fits.
type Query struct {
	Words  string // as typed: terms that must all stand in the text or its place; see package find
	Number int64  // 0 for any

	Estate   string
	Building int // 0 for any
	Landmark string
	Grids    []string // one of these

	// Reporters and Owners: one of the first reported it, or one of the second
	// has it or had it when it ended. At most 100 of both. Names and telephones
	// are turned into people by Journal.Residents.
	Reporters []workflow.PersonID
	Owners    []workflow.PersonID

	States     []workflow.State // one of these
	Kind       workflow.Kind
	Categories []workflow.Category // one of these
	Severity   workflow.Severity
	Source     workflow.Source
	Late       bool // open, with a missed promise
	Level      int  // at this level of responsibility or above; 0 for any

	// Changed: something happened to it at that moment or after; zero for any. All
	// that changed since is looked through for each page.
	Changed time.Time

	// From and Until bound the filing: not before From, before Until; zero for no
	// bound.
	From, Until time.Time

	// Before is the number of the ticket after which this page begins, 0 for the
	// first page; Limit how many a page has, 0 for 50, at most 200.
	Before int64
	Limit  int
}

// Found is a page of a search, newest first. Next is where the next page begins
// (Query.Before), 0 where there is nothing more: also a page that is short or
// empty may have a next one, where much was looked through and little fitted.
type Found struct {
	Tickets []workflow.Ticket
	Next    int64
}

// Day is what a page shows of a time, usually today, and of now.
type Day struct {
	DayCount // of the whole community
	// Grids are the same by grid, "" being those without one.
	Grids map[string]DayCount
}

// DayCount counts tickets. The first five are of the time asked for, each
// ticket once in each; the others are of now.
type DayCount struct {
	Filed    int
	Accepted int // accepted or claimed
	Resolved int // resolved, and not reopened since
	Rated    int // with a verdict other than unsatisfied
	Reopened int // unsatisfied, or undone

	Open   int
	Late   int // open, with a missed promise
	States map[workflow.State]int
	Stands map[workflow.Stand]int
}
