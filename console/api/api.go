package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Prefix is where Handler expects to be mounted.
const Prefix = "/api/v1/"

// Record is what the API reads and keeps besides the desk's journal; the
// PostgreSQL store is one. Every method is safe for concurrent use.
type Record interface {
	// KeyOf is the key with a hash (access.Hash), also one that has ended; ok is
	// false where the community has none.
	KeyOf(ctx context.Context, community string, hash []byte, now time.Time) (k access.Key, ok bool, err error)
	// Audit writes one line of the audit log, which only grows.
	Audit(ctx context.Context, community string, e access.Entry) error
	// Search finds tickets, newest filing first.
	Search(ctx context.Context, community string, q desk.Query) (desk.Found, error)
}

// Options are what an API stands on. All are required but Logger.
type Options struct {
	Desk     *desk.Desk
	Record   Record
	Wording  *wording.Wording
	Taxonomy *workflow.Taxonomy
	// Understander makes out what a filing leaves unsaid.
	Understander workflow.Understander
	Logger       *slog.Logger
}

// API serves all communities. It is safe for concurrent use and keeps nothing in
// memory that another replica would miss.
type API struct {
	o        Options
	routes   []route
	document []byte // the description, as JSON
}

// New gives an API. It fails where the description in the build cannot be read.
func New(o Options) (*API, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	document, err := describe()
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return &API{o: o, routes: table(), document: document}, nil
}

// route is one row of the table. path is as the description has it, below Prefix.
type route struct {
	method string
	path   string
	scopes []access.Scope // one of these is needed; none = no key at all
	do     func(*request) error
}

// table is every route, and which scope it takes.
func table() []route {
	const community = "/communities/{community}"
	read, either, file := []access.Scope{access.ScopeRead}, []access.Scope{access.ScopeRead, access.ScopeFile}, []access.Scope{access.ScopeFile}
	return []route{
		{http.MethodGet, "/openapi.json", nil, (*request).description},
		{http.MethodGet, community, either, (*request).community},
		{http.MethodGet, community + "/categories", either, (*request).categories},
		{http.MethodGet, community + "/tickets", read, (*request).tickets},
		{http.MethodPost, community + "/tickets", file, (*request).file},
		{http.MethodGet, community + "/tickets/{number}", read, (*request).ticket},
		{http.MethodGet, community + "/tickets/{number}/events", read, (*request).events},
		{http.MethodGet, community + "/digests/{week}", read, (*request).week},
	}
}

// Handler serves everything below Prefix. Other sites' pages get nothing out of it:
// it says nothing about CORS and knows no cookies.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := map[string]string{}
	for i := range a.routes {
		row := &a.routes[i]
		path := Prefix[:len(Prefix)-1] + row.path
		mux.Handle(row.method+" "+path, a.serve(row))
		if methods[path] != "" {
			methods[path] += ", "
		}
		if methods[path] += row.method; row.method == http.MethodGet {
			methods[path] += ", " + http.MethodHead
		}
	}
	for path, allowed := range methods {
		mux.Handle(path, a.serve(&route{path: "other method", do: func(q *request) error {
			q.w.Header().Set("Allow", allowed)
			return refuse(codeMethod)
		}}))
	}
	mux.Handle("/", a.serve(&route{path: "none", do: func(*request) error { return refuse(codeNotFound) }}))
	return mux
}
