package console

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/workflow"
)

// versionsPage are the versions of the community's document.
type versionsPage struct {
	Versions []workflow.Document
	Stands   int64
	Next     int64
}

// versions lists them, the newest first.
func (c *Console) versions(q *request) error {
	before := q.cursor()
	all, err := c.o.Record.CommunityVersions(q.Context(), q.community(), before, listed+1)
	if err != nil {
		return err
	}
	page := versionsPage{Versions: all}
	if len(all) > listed {
		page.Versions, page.Next = all[:listed], all[listed-1].Version
	}
	stands, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	page.Stands = stands.Version
	if err != nil {
		return err
	}
	return q.show("versions", page)
}

// versionPage is one version: what it changed, and what putting it back would.
type versionPage struct {
	Version, Stands int64
	Author          string
	AppliedAt       time.Time
	Text            string
	Words, Lines    []charter.Line // against the one before
	Back            preview        // what putting it back would do
	Reasons         []string       // why it cannot be put back
}

func (q *request) versionOf() (doc, stands workflow.Document, err error) {
	n, err := strconv.ParseInt(q.PathValue("version"), 10, 64)
	if err != nil || n < 1 {
		return doc, stands, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such version")}
	}
	if doc, err = q.console.o.Record.CommunityDocument(q.Context(), q.community(), n); err != nil {
		return doc, stands, err
	}
	stands, err = q.console.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	return doc, stands, err
}

// version shows one version.
func (c *Console) version(q *request) error {
	doc, stands, err := q.versionOf()
	if err != nil {
		return err
	}
	page := versionPage{Version: doc.Version, Stands: stands.Version, Author: doc.Author, AppliedAt: doc.AppliedAt, Text: doc.YAML}
	before := workflow.Document{}
	if doc.Version > 1 {
		if before, err = c.o.Record.CommunityDocument(q.Context(), q.community(), doc.Version-1); err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return err
		}
	}
	page.Lines = charter.Differences(strings.Split(before.YAML, "\n"), strings.Split(doc.YAML, "\n"))
	was, err := workflow.ParseCommunity(strings.NewReader(before.YAML))
	now, err2 := workflow.ParseCommunity(strings.NewReader(doc.YAML))
	if err == nil && err2 == nil { // else one of another release: its lines are told
		page.Words = charter.Differences(q.sentences(was), q.sentences(now))
	}
	if doc.Version == stands.Version {
		return q.show("version", page)
	}
	change, err := c.registry().Propose(q.Context(), q.community(), stands.Version, []byte(doc.YAML))
	var refused *charter.Refused
	switch {
	case errors.As(err, &refused):
		page.Reasons = q.reasons(refused)
	case err != nil:
		return err
	default:
		if page.Back, err = q.previewed(&change); err != nil {
			return err
		}
		if err := change.Allowed(false); errors.As(err, &refused) {
			page.Reasons = q.reasons(refused)
		}
	}
	return q.show("version", page)
}

// putBack makes an old version the newest one.
func (c *Console) putBack(q *request) error {
	doc, _, err := q.versionOf()
	if err != nil {
		return err
	}
	on, _ := strconv.ParseInt(q.PostFormValue("on"), 10, 64)
	change, err := c.registry().Propose(q.Context(), q.community(), on, []byte(doc.YAML))
	if err != nil {
		return err
	}
	if err := q.apply(change); err != nil {
		return err
	}
	return q.to("applied", "admin/community")
}
