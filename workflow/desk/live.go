package desk

import (
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
)

// Notice says that something of a community changed, not what: whoever shows it
// reads it anew. People are those concerned, besides the staff.
type Notice struct {
	Everything bool // anything may have changed
	People     []workflow.PersonID
}

// Concerns tells whether a change may show on what a resident sees.
func (n Notice) Concerns(p workflow.PersonID) bool {
	return n.Everything || slices.Contains(n.People, p)
}

// Watch gives a notice for every change of a community until stop is called.
func (d *Desk) Watch(string) (<-chan Notice, func()) { return make(chan Notice), func() {} }
