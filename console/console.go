package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/console/assets"
	"github.com/wishdesk/wishdesk/console/codes"
	"github.com/wishdesk/wishdesk/tables"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// LoginKeeper keeps logins on their way; the PostgreSQL store is one.
type LoginKeeper interface {
	NewLogin(ctx context.Context, community string, l access.Login, now time.Time) error
}

// Record is what the pages keep and read besides the desk's journal; the
// PostgreSQL store is one. Every method is safe for concurrent use.
type Record interface {
	LoginKeeper
	// Login may still be used; ok is false where there is none.
	Login(ctx context.Context, community string, hash []byte, now time.Time) (l access.Login, ok bool, err error)
	// AgreeLogin makes a scan somebody's, UseLogin uses a login up; of two in one
	// moment one succeeds.
	AgreeLogin(ctx context.Context, community string, hash []byte, person workflow.PersonID, now time.Time) (ok bool, err error)
	UseLogin(ctx context.Context, community string, hash []byte, now time.Time) (ok bool, err error)

	NewSession(ctx context.Context, community string, s access.Session) error
	// Session has not run out; it is noted as seen and lasts until expires.
	Session(ctx context.Context, community string, hash []byte, now, expires time.Time) (s access.Session, ok bool, err error)
	EndSession(ctx context.Context, community string, hash []byte) error

	Tickets
	Lists
	Outdoors
	Office
	Models
	tables.Record
	Log
}

// Account is a community's Official Account, as far as it says who somebody is;
// *wechat.Client is one.
type Account interface {
	// AuthorizeURL is where WeChat's browser is sent, to come back to redirect with
	// a code and the state.
	AuthorizeURL(redirect, state string) string
	// OAuthUser is whose code it is; a code works once.
	OAuthUser(ctx context.Context, code string) (openid string, err error)
}

// MediaStore is where photos and recordings are; see bot.MediaStore.
type MediaStore interface {
	Clean(data []byte, kind string) (clean []byte, mime string, err error)
	Put(ctx context.Context, community, id string, data []byte) error
	Get(ctx context.Context, community, id string) ([]byte, error)
	// Delete removes what is stored; nothing there is no error.
	Delete(ctx context.Context, community, id string) error
}

// Live tells of changes; *desk.Live is one.
type Live interface {
	// Watch gives a notice for every change of a community until stop is called.
	Watch(community string) (notices <-chan desk.Notice, stop func())
	// ToldSince tells whether something changed since a page was made that watches
	// from now on.
	ToldSince(community string, since time.Time) bool
}

// Options are what a Console stands on. All are required but Logger.
type Options struct {
	Desk     *desk.Desk
	Record   Record
	Live     Live
	Media    MediaStore
	Wording  *wording.Wording
	Taxonomy *workflow.Taxonomy
	// Account is a community's account; ok is false where it has none, or one
	// that may not say who somebody is.
	Account func(community string) (a Account, ok bool)
	// Understander guesses what a ticket in the tray is about.
	Understander workflow.Understander
	// Teacher trains a community's own model.
	Teacher Teacher
	// Mask hides numbers and names in a text; see workflow.Understander.
	Mask func(c *workflow.Community, text string, names []string) string
	// Codes is a community's account as far as it makes building codes; ok is false
	// where it has none.
	Codes func(community string) (p codes.Platform, ok bool)
	// Shelf keeps a table between its check and its entry.
	Shelf Shelf
	// Message reads a message that failed for good.
	Message Message
	// PublicURL is where people reach the pages, https://host; "" where links
	// cannot be made.
	PublicURL string
	Clock     clockwork.Clock
	Logger    *slog.Logger
}

// Console serves the pages of all communities. It is safe for concurrent use and
// keeps nothing in memory that another replica would miss, but how far a training is
// that it began.
type Console struct {
	o        Options
	assets   *assets.Files
	pages    map[string]page
	routes   []route
	training training
	streams  streams
	exported int // how many tickets one table holds
	weeks    weeks
	closing  chan struct{}
	close    sync.Once
}

// New gives a console. It fails where the build lacks browser files or a
// template is broken.
func New(o Options) (*Console, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := assets.Load()
	if err != nil {
		return nil, err
	}
	c := &Console{o: o, assets: files, closing: make(chan struct{}), routes: table(), training: training{jobs: map[string]job{}}, streams: streams{open: map[string]int{}}, exported: exported}
	c.pages, err = parsePages()
	return c, err
}

// now is the console's time, in UTC, as fine as the record keeps it.
func (c *Console) now() time.Time { return c.o.Desk.Now() }

// Close ends what stays open: pages that follow changes, which come back to another
// replica by themselves, and trainings.
func (c *Console) Close() {
	c.close.Do(func() { close(c.closing) })
	c.training.work.Wait()
}

// Handler serves /c/{community}/… and the browser files.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+assets.Prefix, c.assets)
	for _, row := range c.routes {
		mux.Handle(row.pattern, c.serve(&row, mux))
	}
	nowhere := func(w http.ResponseWriter, r *http.Request, code workflow.Code) {
		c.setHeaders(w.Header())
		q := &request{Request: r, console: c, w: w, row: &route{pattern: "none"}, now: c.now(), pages: mux, refused: refusedOf(r.Context())}
		code0, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/c/"), "/")
		if shape, ok := c.o.Desk.Shape(code0); ok {
			if q.shape = shape; q.knows() != nil {
				q.me = workflow.Person{}
			}
		}
		c.fail(q, &workflow.Error{Code: code, Cause: errors.New("no such page")})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		form := r.Clone(r.Context())
		form.Method = http.MethodPost
		if _, pattern := mux.Handler(form); r.Method == http.MethodGet && pattern != "/" {
			w.Header().Set("Allow", http.MethodPost)
			nowhere(w, r, "no_method")
			return
		}
		nowhere(w, r, "no_page")
	})
	// No other site's page changes anything here (Go 1.25: by Sec-Fetch-Site and
	// Origin), besides the sign that every form carries.
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { nowhere(w, r, workflow.CodeNotAllowed) }))
	all := own.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.ContainsRune(r.URL.Path, 0) || !utf8.ValidString(r.URL.Path) { // nothing in the record is called so
			nowhere(w, r, "no_page")
			return
		}
		all.ServeHTTP(w, r)
	})
}
