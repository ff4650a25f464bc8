package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

var requests = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "wishdesk_api_requests_total", Help: "Requests of the JSON API by route and end: answered, refused, failed.",
}, []string{"route", "end"})

// Limits of a request.
const (
	bodyLimit = 64 << 10 // bytes
	timeLimit = 15 * time.Second
	perMinute = 600 // requests of one key
	// A digest counts weeks of tickets, a filing sends somebody out.
	weeksPerMinute   = 20
	filingsPerMinute = 60
)

// request is one request in hand: in which community, and with which key. Handlers
// get it after the table has let it through.
type request struct {
	*http.Request
	api   *API
	w     http.ResponseWriter
	row   *route
	id    string // told with every answer and in the log
	shape desk.Shape
	key   access.Key
	now   time.Time
}

// serve is what happens to every request: which community, which key, may it, not
// too often; then the handler.
func (a *API) serve(row *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeLimit)
		defer cancel()
		q := &request{Request: r.WithContext(ctx), api: a, w: w, row: row, id: rand.Text()[:16], now: a.o.Desk.Now()}
		q.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		w.Header().Set("X-Request-Id", q.id)
		w.Header().Set("Cache-Control", "no-store")
		err := q.admit()
		if err == nil {
			err = row.do(q)
		}
		if err != nil {
			q.fail(err)
		}
	})
}

// admit lets a request through, or says why not. A key that is no key of the
// community is told what somebody is told who asks for a community that is not
// there: nobody learns which communities there are.
func (q *request) admit() error {
	if len(q.row.scopes) == 0 {
		return nil
	}
	secret, ok := bearer(q.Header)
	if !ok {
		return refuse(codeNoKey)
	}
	if q.shape, ok = q.api.o.Desk.Shape(q.PathValue("community")); !ok {
		return refuse(codeNotFound)
	}
	var err error
	if q.key, ok, err = q.api.o.Record.KeyOf(q.Context(), q.code(), access.Hash(secret), q.now); err != nil {
		return fmt.Errorf("api: key: %w", err)
	}
	switch {
	case !ok:
		return refuse(codeNotFound)
	case !q.key.EndedAt.IsZero():
		return refuse(codeKeyEnded)
	case !slices.ContainsFunc(q.row.scopes, q.key.May):
		return refuse(codeScope)
	}
	return q.pace("all", perMinute)
}

// keyForm is what a key looks like, as far as it tells one from something else.
var keyForm = regexp.MustCompile(`^wdk_[A-Za-z0-9_-]{20,80}$`)

// bearer is the key that came with a request (RFC 6750, in the header alone).
func bearer(h http.Header) (string, bool) {
	scheme, key, _ := strings.Cut(h.Get("Authorization"), " ")
	return key, strings.EqualFold(scheme, "Bearer") && keyForm.MatchString(key)
}

// pace refuses what comes too often with one key. With the drive away nobody
// counts.
func (q *request) pace(what string, n int) error {
	ok, err := q.api.o.Desk.Drive().Allow(q.Context(), q.code(), "api:"+what+":"+strconv.FormatInt(q.key.ID, 10), 1, n, time.Minute)
	if err != nil {
		q.api.o.Logger.Warn("api: requests are not counted", "cause", err)
		return nil
	}
	if !ok {
		return refuse(codeTooMany)
	}
	return nil
}

// code is the community's.
func (q *request) code() string { return q.shape.Community.Code }

// voice is the community's words.
func (q *request) voice() wording.Voice {
	return wording.New(q.api.o.Wording, q.api.o.Taxonomy, q.shape, q.api.o.Understander.Mask)
}

// personal tells whether the answer may lead to people.
func (q *request) personal() bool { return q.key.May(access.ScopePersonal) }

// note writes a line of the audit log, before anything is shown or changed.
func (q *request) note(action string, number int64, about ...string) error {
	e := access.Entry{At: q.now, Action: action, Number: number, Object: strings.Join(append([]string{"key " + strconv.FormatInt(q.key.ID, 10)}, about...), ", ")}
	if err := q.api.o.Record.Audit(q.Context(), q.code(), e); err != nil {
		return fmt.Errorf("api: audit: %w", err)
	}
	return nil
}

// number is the ticket that the path names.
func (q *request) number() (int64, error) {
	s := q.PathValue("number")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != s {
		return 0, refuse(codeNotFound)
	}
	return n, nil
}

// asked are the query's parameters; one that is not known, or comes twice, is
// refused.
func (q *request) asked(known ...string) (map[string]string, error) {
	return parameters(q.URL.RawQuery, known)
}

// read reads the body as JSON into a value: nothing that it does not know, nothing
// after it.
func (q *request) read(into any) error {
	kind, with, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || with["charset"] != "" && !strings.EqualFold(with["charset"], "utf-8") || q.Header.Get("Content-Encoding") != "" {
		return refuse(codeMediaType)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(q.Body); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refuse(codeTooLarge)
		}
		return &refusal{code: codeRequest, field: "body", cause: errors.New("cut off")}
	}
	return decode(body.Bytes(), into)
}

// answer sends a value.
func (q *request) answer(status int, v any) error {
	requests.WithLabelValues(q.row.method+" "+q.row.path, "answered").Inc()
	q.write(status, v)
	return nil
}

func (q *request) write(status int, v any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // our own shapes always have a form
		q.api.o.Logger.Error("api answer has no form", "request", q.id, "cause", err)
		status = http.StatusInternalServerError
		body.Reset()
	}
	q.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	q.w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	q.w.WriteHeader(status)
	_, _ = q.w.Write(body.Bytes())
}

// living is a ticket of the community.
func (q *request) living() (workflow.Ticket, error) {
	number, err := q.number()
	if err != nil {
		return workflow.Ticket{}, err
	}
	return q.api.o.Desk.Journal().Ticket(q.Context(), q.code(), number)
}
