package console

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Office is what administrators keep of a community; the PostgreSQL store is one.
type Office interface {
	charter.Record
	// UpsertPerson stores somebody under a key; their WeChat stays as it is.
	UpsertPerson(ctx context.Context, key string, p workflow.Person) (workflow.PersonID, error)
	// PersonOfKey is whom UpsertPerson stored under a key, 0 for nobody.
	PersonOfKey(ctx context.Context, community, key string) (workflow.PersonID, error)
	// ChangePerson changes name, telephone and parts of one of the staff from what was
	// seen; desk.ErrStale where they are not so any more. Neither it nor Leave leaves
	// the staff without an administrator.
	ChangePerson(ctx context.Context, seen, p workflow.Person) error
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
	On    int64 // the version of the document that is being changed
	Draft string
	Shown string // the draft as it would read
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
	doc, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	draft := t.Own
	if draft == "" {
		draft = t.Shipped
	}
	return q.show("word", wordPage{Text: t, On: doc.Version, Draft: draft, Shown: t.Preview})
}

// changeWord previews a community's own text, and keeps it when that is agreed
// to; an empty one lets the shipped text stand again.
func (c *Console) changeWord(q *request) error {
	t, err := q.text()
	if err != nil {
		return err
	}
	page := wordPage{Text: t, Draft: q.words("text")}
	page.On, _ = strconv.ParseInt(q.PostFormValue("on"), 10, 64)
	if page.Draft != "" {
		page.Shown, err = c.o.Wording.Preview(q.shape.Community, t.Key, page.Draft)
		if faults := wording.FaultsOf(err); len(faults) > 0 {
			return &fault{Field: "text", Says: []string{q.voice().Fault(faults[0])}}
		}
		if err != nil {
			return err
		}
	}
	if q.PostFormValue("agreed") != "yes" {
		q.tried = true
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
	change, err := c.registry().Propose(q.Context(), q.community(), page.On, yaml)
	if err == nil {
		err = q.apply(change)
	}
	switch {
	case errors.Is(err, desk.ErrStale) && doc.Version != page.On && stands.Wording[t.Key] == own[t.Key]:
		return q.to("applied", "admin/words") // by the first of two taps
	case errors.Is(err, desk.ErrStale):
		return &fault{Key: "stale", Stale: true}
	case err != nil:
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
