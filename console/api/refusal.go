package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// The codes of refusals. They are stable, stand in the description, and each has
// its words in wording.yaml below api.
const (
	codeRequest     = "invalid_request"        // the request cannot be read: JSON, a field, a parameter
	codeNoKey       = "no_key"                 // none came, or nothing that looks like one
	codeKeyEnded    = "key_ended"              // it worked once
	codeScope       = "scope_missing"          // the key does not let anybody do this
	codeNotFound    = "not_found"              // no such thing, or none that this key may know of
	codeMethod      = "method_not_allowed"     //
	codeMismatch    = "idempotency_mismatch"   // the Idempotency-Key came with another filing before
	codeTooLarge    = "too_large"              // the body
	codeMediaType   = "unsupported_media_type" // the body is not JSON
	codeInvalid     = "invalid"                // it can be read, but says what cannot be
	codeNeedsPlace  = "needs_place"            // an incident without a place that a grid is known of
	codeTooMany     = "too_many_requests"      // of one key
	codeUnavailable = "busy"                   // the stores do not answer; nothing was changed
)

// statuses are the refusals' HTTP statuses.
var statuses = map[string]int{
	codeRequest: http.StatusBadRequest, codeNoKey: http.StatusUnauthorized, codeKeyEnded: http.StatusUnauthorized,
	codeScope: http.StatusForbidden, codeNotFound: http.StatusNotFound, codeMethod: http.StatusMethodNotAllowed,
	codeMismatch: http.StatusConflict, codeTooLarge: http.StatusRequestEntityTooLarge, codeMediaType: http.StatusUnsupportedMediaType,
	codeInvalid: http.StatusUnprocessableEntity, codeNeedsPlace: http.StatusUnprocessableEntity,
	codeTooMany: http.StatusTooManyRequests, codeUnavailable: http.StatusServiceUnavailable,
}

// refusal is why a request is not answered. Field names the parameter or field at
// fault, "" for none; cause is for the log and never holds what was sent.
type refusal struct {
	code  string
	field string
	cause error
}

// Error is the text for logs.
func (r *refusal) Error() string {
	s := "api: " + r.code
	if r.field != "" {
		s += " (" + r.field + ")"
	}
	if r.cause != nil {
		s += ": " + r.cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (r *refusal) Unwrap() error { return r.cause }

func refuse(code string) error { return &refusal{code: code} }

// unreadable is a parameter or field that cannot be read.
func unreadable(field string) error { return &refusal{code: codeRequest, field: field} }

// unfit is a field that can be read and says what cannot be.
func unfit(field string) error { return &refusal{code: codeInvalid, field: field} }

// refusalOf turns any error into a refusal.
func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &refusal{code: codeTooLarge}
	}
	switch workflow.CodeOf(err) {
	case workflow.CodeNotFound:
		return &refusal{code: codeNotFound, cause: err}
	case workflow.CodeBusy:
		return &refusal{code: codeUnavailable, cause: err}
	}
	return &refusal{code: codeInvalid, cause: err}
}

// problem is the one shape of an error.
type problem struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// fail answers why a request is not answered. A fault of ours is logged with its
// cause.
func (q *request) fail(err error) {
	if errors.Is(err, context.Canceled) && q.Request.Context().Err() != nil {
		return // whoever asked has gone
	}
	r := refusalOf(err)
	status := statuses[r.code]
	log, level := q.api.o.Logger, "refused"
	if status >= http.StatusInternalServerError {
		level = "failed"
		log.Error("api request failed", "request", q.id, "route", q.row.path, "community", q.PathValue("community"), "cause", err)
	} else {
		log.Info("api request refused", "request", q.id, "route", q.row.path, "code", r.code, "field", r.field)
	}
	requests.WithLabelValues(q.row.method+" "+q.row.path, level).Inc()
	h := q.w.Header()
	switch r.code {
	case codeNoKey:
		h.Set("WWW-Authenticate", `Bearer realm="wishdesk"`)
	case codeKeyEnded:
		h.Set("WWW-Authenticate", `Bearer realm="wishdesk", error="invalid_token"`)
	case codeScope:
		h.Set("WWW-Authenticate", `Bearer realm="wishdesk", error="insufficient_scope"`)
	case codeTooMany, codeUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	words := q.api.o.Wording
	if q.key.ID != 0 { // else nobody learns of a community by its words
		words = q.voice().W
	}
	message := words.Say("api."+r.code, wording.Values{"Field": r.field})
	q.write(status, problem{r.code, message, q.id})
}

// retryAfter is when somebody may come again, in seconds.
const retryAfter = "60"
