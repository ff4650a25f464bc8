package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/tables"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// Log is the audit log, which only grows; the PostgreSQL store is one.
type Log interface {
	// Audit writes one line.
	Audit(ctx context.Context, community string, e access.Entry) error
	// AuditDeed writes one line and tells its ID; AuditOutcome what came of it.
	AuditDeed(ctx context.Context, community string, e access.Entry) (id int64, err error)
	AuditOutcome(ctx context.Context, community string, id int64, at time.Time, outcome access.Outcome, reason string) error
	// AuditLook writes one line unless the same look of the same person was written
	// since a moment and was not refused; then id is 0.
	AuditLook(ctx context.Context, community string, e access.Entry, since time.Time) (id int64, err error)
	// AuditLog are lines with their outcomes, newest first.
	AuditLog(ctx context.Context, community string, want access.Entries) ([]access.Entry, error)
	// FindPerson are those whose key is, or else whose name is, exactly as written.
	FindPerson(ctx context.Context, community, nameOrKey string) ([]workflow.Person, error)
	// CareList is the whole care list, for the names of those whom lines are about.
	CareList(ctx context.Context, community string) ([]workflow.Care, error)
}

// lookLasts is how long an open page counts as one look: when it reads itself anew
// because something changed, that is no new one.
const lookLasts = time.Hour

// outcomeTime bounds how long the outcome of a deed is written for.
const outcomeTime = 3 * time.Second

// logged writes the line of the audit log, has the request done, and adds what came
// of it. Without the line nothing is done or shown; where only the outcome cannot be
// written, the line stands as begun.
func (c *Console) logged(q *request) error {
	e := q.entry()
	if q.row.whom != nil {
		whom, err := q.row.whom(c, q)
		if err != nil {
			return err
		}
		if whom != "" {
			e.Object += ", " + whom
		}
	}
	look := q.Method == http.MethodGet || q.Method == http.MethodHead
	if !look {
		e.Outcome = access.Begun
	}
	var id int64
	var err error
	if q.refreshes() {
		id, err = c.o.Record.AuditLook(q.Context(), q.community(), e, q.now.Add(-lookLasts))
	} else {
		id, err = c.o.Record.AuditDeed(q.Context(), q.community(), e)
	}
	if err != nil {
		return fmt.Errorf("console: audit: %w", err)
	}
	err = q.row.do(c, q)
	outcome, reason := q.came(err)
	if id == 0 || outcome == e.Outcome || look && outcome != access.Refused {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), outcomeTime)
	defer cancel()
	if failed := c.o.Record.AuditOutcome(ctx, q.community(), id, c.now(), outcome, reason); failed != nil {
		c.o.Logger.Error("the outcome is not in the audit log", "community", q.community(), "line", id, "cause", failed)
	}
	return err
}

// came is what came of the request, and of what was refused the code. Of a deed that
// a fault of ours cut off nobody knows.
func (q *request) came(err error) (access.Outcome, string) {
	var wrong *fault
	switch code := workflow.CodeOf(err); {
	case errors.As(err, &wrong):
		return access.Refused, string(workflow.CodeInvalid)
	case err != nil && code == workflow.CodeBusy:
		return access.Begun, ""
	case err != nil:
		return access.Refused, string(code)
	case q.status >= 500:
		return access.Begun, ""
	case q.status >= 400:
		return access.Refused, string(workflow.CodeInvalid)
	case q.tried:
		return access.Tried, ""
	}
	return access.Done, strings.Join(q.notes, ", ")
}

// refreshes tells whether an open page reads itself anew because something changed.
// A page that was asked for by anything but its address is a look of its own.
func (q *request) refreshes() bool {
	return q.row.live && q.Method == http.MethodGet && q.Header.Get("HX-Request") == "true" && q.Header.Get("HX-Trigger") != "" &&
		!slices.ContainsFunc(slices.Collect(maps.Keys(q.URL.Query())), func(key string) bool { return key != "said" && key != "grid" && key != "to" })
}

// entry is what the audit log says of this request: the table's word for it,
// the ticket, and what else its address names.
func (q *request) entry() access.Entry {
	e := access.Entry{At: q.now, Person: q.me.ID, Action: q.row.log}
	e.Number, _ = strconv.ParseInt(q.PathValue("number"), 10, 64)
	var object []string
	for _, name := range []string{"person", "care", "week", "media", "key", "code", "command", "section", "version", "letter", "table", "estate"} {
		if v := q.PathValue(name); v != "" {
			object = append(object, name+" "+v)
		}
	}
	if g, ok := q.shape.Community.Grid(q.URL.Query().Get("grid")); ok && q.row.live {
		object = append(object, "grid "+g.Code)
	}
	switch q.row.log {
	case "search", "search.export", "search.export.names":
		s := q.sought()
		e.Number = s.want.Number
		object = append(object, s.words()...)
	case "media.look":
		if m, err := q.console.o.Desk.Journal().Media(q.Context(), q.community(), q.PathValue("media")); err == nil {
			e.Number = m.Number
		}
	}
	e.Object = strings.Join(object, ", ")
	return e
}

// auditPage is the audit log.
type auditPage struct {
	Lines  []auditLine
	Person string
	Number string
	Next   int64
	Staff  []workflow.Person
}

// auditLine is one line, in words.
type auditLine struct {
	When, Who, What, Object, Outcome string
	Bad                              bool // it was not done, or nobody knows
	Number                           int64
}

// audit shows who looked at and changed what.
func (c *Console) audit(q *request) error {
	v := q.URL.Query()
	page := auditPage{Person: v.Get("person"), Number: v.Get("number")}
	for _, p := range q.shape.Roster {
		page.Staff = append(page.Staff, p)
	}
	want := access.Entries{Before: q.cursor(), Limit: listed + 1}
	want.Number, _ = strconv.ParseInt(page.Number, 10, 64)
	lines, err := q.linesOf(want, strings.TrimSpace(page.Person))
	if err != nil {
		return err
	}
	list, err := c.o.Record.CareList(q.Context(), q.community())
	if err != nil {
		return err
	}
	cared := map[string]string{}
	for _, one := range list {
		cared[strconv.FormatInt(one.ID, 10)] = one.Name
	}
	if len(lines) > listed {
		lines = lines[:listed]
		page.Next = lines[listed-1].ID
	}
	for _, e := range lines {
		if e.Outcome == access.Done && e.Reason != "" {
			e.Object = strings.TrimPrefix(e.Object+", "+e.Reason, ", ")
		}
		page.Lines = append(page.Lines, auditLine{
			When: e.At.In(q.shape.Community.Location()).Format("01-02 15:04:05"), Who: q.who(e), What: q.action(e), Object: q.object(e, cared), Number: e.Number,
			Outcome: q.outcome(e), Bad: e.Outcome == access.Refused || e.Outcome == access.Begun,
		})
	}
	return q.show("audit", page)
}

// linesOf are the lines of whoever is called so, also of residents and of who left; of
// everybody where nobody is named.
func (q *request) linesOf(want access.Entries, name string) ([]access.Entry, error) {
	if name == "" {
		return q.console.o.Record.AuditLog(q.Context(), q.community(), want)
	}
	people, err := q.console.o.Record.FindPerson(q.Context(), q.community(), name)
	if err != nil {
		return nil, err
	}
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		people = []workflow.Person{{ID: workflow.PersonID(id)}}
	}
	var out []access.Entry
	for _, p := range people {
		if want.Person = p.ID; want.Person <= 0 {
			continue // everybody
		}
		lines, err := q.console.o.Record.AuditLog(q.Context(), q.community(), want)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	slices.SortFunc(out, func(a, b access.Entry) int { return cmp.Compare(b.ID, a.ID) })
	return out[:min(len(out), want.Limit)], nil
}

// who is who a line is about: by a key it is other software.
func (q *request) who(e access.Entry) string {
	if e.Person == 0 && strings.HasPrefix(e.Object, "key ") {
		return q.voice().Say("page.software", nil)
	}
	if name, ok := strings.CutPrefix(e.Object, "operator "); ok && e.Person == 0 {
		name, _, _ = strings.Cut(name, ", ")
		return q.voice().Say("page.operator", wording.Values{"Name": name})
	}
	return q.whom(e.Person)
}

// action is what a line's word means.
func (q *request) action(e access.Entry) string { return q.voice().Say("page.action."+e.Action, nil) }

// outcome is what came of a line, in words; "" where it was done.
func (q *request) outcome(e access.Entry) string {
	switch e.Outcome {
	case access.Refused:
		return q.voice().Say("page.outcome.refused", wording.Values{"Text": strings.TrimSpace(wording.FirstLine(q.refusalIn(e.Reason)))})
	case access.Begun, access.Tried:
		return q.voice().Say("page.outcome."+string(e.Outcome), nil)
	}
	return ""
}

// partsIn says in words which parts somebody plays, as partsOf keeps them.
func (q *request) partsIn(parts string) string {
	var out []string
	for part := range strings.SplitSeq(parts, "+") {
		kind, rest, _ := strings.Cut(part, " ")
		words := []string{q.voice().Say("page.role."+kind, nil)}
		for _, word := range strings.Fields(rest) {
			if g, ok := q.shape.Community.Grid(word); ok {
				word = g.Name
			} else if q.console.o.Wording.Has("page.sought." + word) {
				word = q.voice().Say("page.sought."+word, nil)
			}
			words = append(words, word)
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, " / ")
}

// object says what else a line is about, in words.
func (q *request) object(e access.Entry, cared map[string]string) string {
	say := func(key, what string) string {
		return q.voice().Say("page.object."+key, wording.Values{"Text": what})
	}
	var out []string
	for part := range strings.SplitSeq(e.Object, ", ") {
		kind, what, _ := strings.Cut(part, " ")
		_, number := strconv.ParseInt(what, 10, 64)
		switch {
		case kind == "section" && slices.Contains(charter.Sections, what):
			what = q.section(what).Name
		case kind == "person":
			id, _ := strconv.ParseInt(what, 10, 64)
			what = q.whom(workflow.PersonID(id))
		case kind == "care":
			what = cmp.Or(cared[what], say("care_gone", what))
		case kind == "grid":
			g, _ := q.shape.Community.Grid(what)
			what = cmp.Or(g.Name, what)
		case kind == "estate":
			if n, err := strconv.Atoi(what); err == nil && n > 0 && n <= len(q.shape.Community.Estates) {
				what = q.shape.Community.Estates[n-1].Name
			}
		case kind == "was" || kind == "is":
			what = q.partsIn(what)
		case kind == "category":
			what = q.voice().Taxonomy.Label(workflow.Category(what))
		case kind == "state" && states[what] != nil:
			what = q.voice().Say("page.sought."+what, nil)
		case kind == "command":
			what = q.voice().Say("page.deed."+what, nil)
		case kind == "key" && number == nil:
			kind = "api_key"
		case kind == "table" || slices.Contains(tables.Kinds, tables.Kind(kind)):
			file := what
			if kind != "table" {
				what = kind
			}
			if what = q.voice().Say("page.table."+what+".name", nil); kind != "table" {
				kind, what = "table", strings.TrimSpace(what+" "+file)
			}
		case what == "new" || what == "before":
			kind, what = what, kind
		case kind == "once", kind == "operator":
			continue // tells two requests apart, or who it was
		}
		if part != "" && q.console.o.Wording.Has("page.object."+kind) {
			part = say(kind, what)
		}
		out = append(out, part)
	}
	return strings.Join(out, "、")
}

// whom is somebody by name whom a line of the audit log is about, also a resident.
func (q *request) whom(id workflow.PersonID) string {
	if q.shape.Roster.ByID(id).ID == 0 {
		if p, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), id); err == nil && p.Name != "" {
			return p.Name
		}
	}
	return q.nameOf(id)
}
