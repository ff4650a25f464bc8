package wechatsim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Failure is a fault on demand for API calls. The first rule that matches a
// call is used. Delay comes first; then at most one of Hang, HTTPStatus and
// ErrCode, after none of which the call is done; with HalfBody it is done and
// half of its answer is sent (the caller cannot know that it was done).
type Failure struct {
	Path       string        // e.g. "/cgi-bin/message/custom/send"; "" matches every call
	OpenID     string        // the call's touser or openid; "" matches every call
	ErrCode    int           // answered with the platform's words; 0 for none
	Times      int           // how many calls; 0 for all until Reset
	Delay      time.Duration // real time before the answer
	HTTPStatus int           // answered with an HTML page, as a gateway does
	Hang       bool          // no answer until the caller leaves
	HalfBody   bool
}

// Fail adds a rule.
func (p *Platform) Fail(rule Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, &rule)
}

// Reset removes all rules of Fail.
func (p *Platform) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = nil
}

// failureFor gives a copy of the rule for a call and counts it, nil for none.
func (p *Platform) failureFor(path string, r *http.Request, body []byte) *Failure {
	openid := r.URL.Query().Get("openid")
	var to struct {
		ToUser string `json:"touser"`
	}
	if json.Unmarshal(body, &to) == nil && to.ToUser != "" {
		openid = to.ToUser
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.failures {
		if f.Path != "" && f.Path != path || f.OpenID != "" && f.OpenID != openid {
			continue
		}
		found := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				p.failures = append(p.failures[:i:i], p.failures[i+1:]...)
			}
		}
		return &found
	}
	return nil
}

// failed answers a call as the rule says; false lets it go on.
func (p *Platform) failed(w http.ResponseWriter, r *http.Request, path string, f *Failure) bool {
	if f == nil {
		return false
	}
	if f.Delay > 0 {
		delay := time.NewTimer(f.Delay)
		defer delay.Stop()
		select {
		case <-delay.C:
		case <-r.Context().Done():
			return true
		case <-p.ctx.Done():
			return true
		}
	}
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-p.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case f.HTTPStatus != 0:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.HTTPStatus)
		_, _ = w.Write([]byte("<html><body><h1>" + http.StatusText(f.HTTPStatus) + "</h1></body></html>"))
	case f.ErrCode != 0:
		p.refusal(w, path, refuse(f.ErrCode))
	default:
		return false
	}
	return true
}

// tearApart sends half of an answer and breaks the connection.
func tearApart(w http.ResponseWriter, content []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content[:len(content)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
