package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Lists are what the record finds of many tickets; the PostgreSQL store is one.
type Lists interface {
	// Search finds tickets, newest first; see desk.Query.
	Search(ctx context.Context, community string, q desk.Query) (desk.Found, error)
	// Overdue are the open tickets with a missed promise, the longest first, of a
	// grid or ("") of all.
	Overdue(ctx context.Context, community, grid string, limit int) ([]workflow.Ticket, error)
	// HandledBy are somebody's tickets, ended ones too, newest first, before a
	// number.
	HandledBy(ctx context.Context, community string, person workflow.PersonID, before int64, limit int) ([]workflow.Ticket, error)
	// Day counts what happened in a time, and what is open now.
	Day(ctx context.Context, community string, from, until time.Time) (desk.Day, error)
}

// dutyPage is what somebody has to do.
type dutyPage struct {
	Mine   []matter // the most pressing first
	Parts  []matter // of which they have a part
	Tray   []matter // to be filed by hand
	Calls  []call   // telephone calls that no push could make
	Asked  []askedLine
	Rated  []matter // done, the resident has the word
	Grid   string
	Keeper bool
}

// call is somebody whom no push reached.
type call struct {
	Number             int64
	Who, Hidden, Phone string // Phone only where it was asked for
	What               string
	About              string // what the matter is, and roughly where
	Verdict            bool   // about a result: they are asked how it was
}

// listed is how many tickets a list shows.
const listed = 50

// duty is the work of who is logged in.
func (c *Console) duty(q *request) error { return q.showDuty(0) }

// callPhone shows the telephone numbers of those to be called about a ticket; the
// audit log has it by then.
func (c *Console) callPhone(q *request) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	return q.showDuty(number)
}

// showDuty shows the page, with the telephone numbers of the calls about a ticket.
func (q *request) showDuty(phones int64) error {
	c := q.console
	journal := c.o.Desk.Journal()
	owned, err := journal.Owned(q.Context(), q.community(), q.me.ID, listed)
	if err != nil {
		return err
	}
	var page dutyPage
	mine, err := q.matters(owned)
	if err != nil {
		return err
	}
	for _, m := range mine {
		if m.State == workflow.Resolved {
			page.Rated = append(page.Rated, m)
		} else {
			page.Mine = append(page.Mine, m)
		}
	}
	helped, err := journal.Helped(q.Context(), q.community(), q.me.ID, listed)
	if err != nil {
		return err
	}
	if page.Parts, err = q.matters(helped); err != nil {
		return err
	}
	if page.Tray, err = q.tray(); err != nil {
		return err
	}
	if page.Calls, err = q.calls(owned, phones); err != nil {
		return err
	}
	if page.Asked, err = q.questions(); err != nil {
		return err
	}
	return q.show("duty", page)
}

// grids are those whose tray somebody keeps: of a worker or leader theirs, of
// the committee all, and what is in none.
func (q *request) grids() []string {
	var out []string
	add := func(code string) {
		if !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	for _, r := range q.me.Roles {
		switch {
		case r.Kind == workflow.RoleCommittee:
			add("")
			for _, g := range q.shape.Community.Grids {
				add(g.Code)
			}
		case (r.Kind == workflow.RoleWorker || r.Kind == workflow.RoleLeader) && r.Grid != "":
			add(r.Grid)
		case r.Kind == workflow.RoleWorker || r.Kind == workflow.RoleLeader:
			for _, g := range q.shape.Community.Grids {
				add(g.Code)
			}
		}
	}
	return out
}

func (q *request) tray() ([]matter, error) {
	var all []workflow.Ticket
	for _, g := range q.grids() {
		in, err := q.console.o.Desk.Journal().Tray(q.Context(), q.community(), g, listed)
		if err != nil {
			return nil, err
		}
		all = append(all, in...)
	}
	slices.SortStableFunc(all, workflow.MorePressing)
	return q.matters(all[:min(len(all), listed)])
}

// callAbout is what a matter is and by which building, for who has to telephone about it;
// never the words or the door.
func (q *request) callAbout(f *desk.Facts) string {
	if f.Number == 0 {
		return ""
	}
	what := q.voice().Say("what_unknown", nil)
	if f.Category != "" {
		what = q.voice().Taxonomy.Label(f.Category)
	}
	if f.Kind == workflow.Wish {
		return what
	}
	where := workflow.Place{Estate: f.Place.Estate, Building: f.Place.Building, Landmark: f.Place.Landmark}
	return strings.TrimSpace(what + " " + where.String())
}

// calls are the pushes that reached nobody: somebody telephones.
func (q *request) calls(owned []workflow.Ticket, phones int64) ([]call, error) {
	open, err := q.console.o.Desk.Calls(q.Context(), q.community(), q.me, owned, 20)
	if err != nil {
		return nil, err
	}
	var out []call
	for _, p := range open {
		if p.Number == 0 {
			continue // about no ticket: it stands with what did not arrive
		}
		who, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), p.Person)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return nil, err
		}
		one := call{
			Number: p.Number, Who: who.Name, Hidden: workflow.HidePhone(who.Phone), What: q.voice().Say("purpose."+string(p.Purpose), map[string]any{"Number": p.Number}),
			About: q.callAbout(&p.Facts), Verdict: p.Purpose == workflow.TellResolved,
		}
		if p.Number == phones {
			one.Phone = who.Phone
		}
		out = append(out, one)
	}
	return out, nil
}

// donePage is what somebody handled.
type donePage struct {
	All  []matter
	Next int64
}

// done is what who is logged in handled, newest first.
func (c *Console) done(q *request) error {
	before := q.cursor()
	all, err := c.o.Record.HandledBy(q.Context(), q.community(), q.me.ID, before, listed+1)
	if err != nil {
		return err
	}
	var page donePage
	if len(all) > listed {
		all = all[:listed]
		page.Next = all[listed-1].Number
	}
	if page.All, err = q.matters(all); err != nil {
		return err
	}
	return q.show("done", page)
}
