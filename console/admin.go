package console

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Office is what administrators keep of a community; the PostgreSQL store is one.
type Office interface {
	charter.Record
	// UpsertPerson stores somebody under a key; their WeChat stays as it is.
	UpsertPerson(ctx context.Context, key string, p workflow.Person) (workflow.PersonID, error)
	// ChangePerson changes name, telephone and parts of one of the staff.
	ChangePerson(ctx context.Context, p workflow.Person) error
	// Leave takes all parts from somebody.
	Leave(ctx context.Context, community string, id workflow.PersonID) error
	// NewBindCode lets whoever says the code become the person to WeChat.
	NewBindCode(ctx context.Context, community string, person workflow.PersonID, code string, expires time.Time) error
	// EndSessions forgets all sessions of somebody.
	EndSessions(ctx context.Context, community string, person workflow.PersonID) (int, error)
	// CommunityVersions are the document's versions without their texts, newest
	// first, those before one.
	CommunityVersions(ctx context.Context, code string, before int64, limit int) ([]workflow.Document, error)
	// FiledByCategory counts the tickets filed since a moment.
	FiledByCategory(ctx context.Context, community string, since time.Time) (map[workflow.Category]int, error)
	// PushFailures are the pushes that reached nobody for certain, newest first.
	PushFailures(ctx context.Context, community string, limit int) ([]desk.Push, error)
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
	When, Who, What, Object string
	Number                  int64
}

// object says what else a line is about, in words for the kinds that have them.
func (q *request) object(s string) string {
	var out []string
	for part := range strings.SplitSeq(s, ", ") {
		kind, what, _ := strings.Cut(part, " ")
		switch {
		case kind == "section" && slices.Contains(charter.Sections, what):
			what = q.section(what).Name
		case kind == "person":
			if id, err := strconv.ParseInt(what, 10, 64); err == nil {
				what = q.whom(workflow.PersonID(id))
			}
		case kind == "care":
			if id, err := strconv.ParseInt(what, 10, 64); err == nil {
				what = q.nameOf(workflow.PersonID(id))
			}
		}
		if key := "page.object." + kind; q.console.o.Wording.Has(key) {
			part = q.voice().Say(key, wording.Values{"Text": what})
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

// audit shows who looked at and changed what.
func (c *Console) audit(q *request) error {
	v := q.URL.Query()
	page := auditPage{Person: v.Get("person"), Number: v.Get("number")}
	for _, p := range q.shape.Roster {
		page.Staff = append(page.Staff, p)
	}
	want := access.Entries{Before: q.cursor(), Limit: listed + 1}
	person, _ := strconv.ParseInt(page.Person, 10, 64)
	want.Person = workflow.PersonID(max(person, 0))
	want.Number, _ = strconv.ParseInt(page.Number, 10, 64)
	lines, err := c.o.Record.AuditLog(q.Context(), q.community(), want)
	if err != nil {
		return err
	}
	if len(lines) > listed {
		lines = lines[:listed]
		page.Next = lines[listed-1].ID
	}
	for _, e := range lines {
		page.Lines = append(page.Lines, auditLine{
			When: e.At.In(q.shape.Community.Location()).Format("01-02 15:04:05"), Who: q.nameOf(e.Person), What: q.action(e.Action), Object: q.object(e.Object), Number: e.Number,
		})
	}
	return q.show("audit", page)
}

// wordsPage is a community's words.
type wordsPage struct {
	Groups []string
	Group  string
	Texts  []wording.Text
}

// wordsBook lists the texts of a group with what the community says instead.
func (c *Console) wordsBook(q *request) error {
	var page wordsPage
	page.Group = q.URL.Query().Get("group")
	for _, g := range c.o.Wording.Book(q.shape.Community) {
		page.Groups = append(page.Groups, g.Name)
		if g.Name == page.Group {
			page.Texts = g.Texts
		}
	}
	return q.show("words", page)
}

// wordPage is one text in change.
type wordPage struct {
	wording.Text
	Draft   string
	Shown   string // the draft as it would read
	Problem string
}

func (q *request) text() (wording.Text, error) {
	for _, g := range q.console.o.Wording.Book(q.shape.Community) {
		for _, t := range g.Texts {
			if t.Key == q.PathValue("key") {
				return t, nil
			}
		}
	}
	return wording.Text{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such text")}
}

// word shows one text.
func (c *Console) word(q *request) error {
	t, err := q.text()
	if err != nil {
		return err
	}
	draft := t.Own
	if draft == "" {
		draft = t.Shipped
	}
	return q.show("word", wordPage{Text: t, Draft: draft, Shown: t.Preview})
}

// changeWord previews a community's own text, and keeps it when that is agreed
// to; an empty one lets the shipped text stand again.
func (c *Console) changeWord(q *request) error {
	t, err := q.text()
	if err != nil {
		return err
	}
	page := wordPage{Text: t, Draft: q.words("text")}
	if page.Draft != "" {
		page.Shown, err = c.o.Wording.Preview(q.shape.Community, t.Key, page.Draft)
		if faults := wording.FaultsOf(err); len(faults) > 0 {
			page.Problem = q.voice().Fault(faults[0])
			return q.render(422, "word", page)
		}
		if err != nil {
			return err
		}
	}
	if q.PostFormValue("agreed") != "yes" {
		return q.show("word", page)
	}
	doc, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	stands, err := workflow.ParseCommunity(strings.NewReader(doc.YAML))
	if err != nil {
		return err
	}
	own := map[string]string{}
	for key, text := range stands.Wording {
		own[key] = text
	}
	own[t.Key] = page.Draft
	if page.Draft == "" || page.Draft == t.Shipped {
		delete(own, t.Key)
	}
	yaml, err := charter.AmendValue([]byte(doc.YAML), "wording", own)
	if err != nil {
		return err
	}
	change, err := c.registry().Propose(q.Context(), q.community(), doc.Version, yaml)
	if err != nil {
		return err
	}
	if _, err := c.registry().Apply(q.Context(), change, q.me.Name, false); err != nil {
		return err
	}
	if err := c.o.Desk.Refresh(q.Context()); err != nil {
		return err
	}
	return q.to("applied", "admin/words")
}

// tryPage tries the rules on a message.
type tryPage struct {
	Text   string
	Answer string
}

// tryRules says who would get a message, and which rules were read on the way.
// Nothing is filed.
func (c *Console) tryRules(q *request) error {
	page := tryPage{Text: q.words("text")}
	if page.Text != "" {
		u, err := c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: page.Text})
		if err != nil {
			return err
		}
		loads, err := c.o.Desk.Journal().Loads(q.Context(), q.community())
		if err != nil {
			return err
		}
		page.Answer = q.voice().Explain(u, func(p workflow.PersonID) int { return loads[p] }, q.now)
	}
	return q.show("try", page)
}
