package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// call is one request to the API.
type call struct {
	path        string // /cgi-bin/message/custom/send
	method      string
	query       url.Values // without the access token
	body        []byte
	contentType string
	limit       int64    // of the answer in bytes; 0 is maxAnswer
	slow        bool     // carries media: has mediaPatience times the time
	binary      bool     // the answer is media, or JSON where something is wrong
	hide        []string // what no error may hold: openid, secret, code
}

// answer is what came back with HTTP 200.
type answer struct {
	contentType string
	body        []byte
}

// NoAnswer is the errcode told to ClientOptions.OnCall where none came back.
// The platform does not use it.
const NoAnswer int64 = -1000

const (
	defaultBase = "https://api.weixin.qq.com"
	maxAnswer   = 64 << 10 // of JSON, in bytes
)

func (r call) api() string { return strings.TrimPrefix(strings.TrimPrefix(r.path, "/"), "cgi-bin/") }

// jsonCall is a POST of v. HTML characters stay as they are: the platform shows
// \u003c as it stands.
func jsonCall(path string, v any, hide ...string) (call, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return call{}, fmt.Errorf("wechat: %s: %w", path, err)
	}
	return call{path: path, method: http.MethodPost, body: b.Bytes(), contentType: "application/json; charset=utf-8", hide: hide}, nil
}

// withToken makes a call with the account's token. A token that the platform no
// longer takes is replaced, and the call made once more: it was not done.
func (c *Client) withToken(ctx context.Context, r call, out any) (answer, error) {
	token, err := c.tokens.get(ctx, "")
	if err != nil {
		return answer{}, err
	}
	a, err := c.tryWith(ctx, r, token, out)
	var refused *APIError
	if !errors.As(err, &refused) || refused.Action() != RefreshToken {
		return a, err
	}
	c.log.Info("the platform refuses the access token", "api", r.api(), "errcode", refused.Code)
	if token, err = c.tokens.get(ctx, token); err != nil {
		return answer{}, err
	}
	return c.tryWith(ctx, r, token, out)
}

func (c *Client) tryWith(ctx context.Context, r call, token string, out any) (answer, error) {
	query := url.Values{"access_token": {token}}
	for k, v := range r.query {
		query[k] = v
	}
	r.query = query
	r.hide = append([]string{token}, r.hide...)
	return c.do(ctx, r, out)
}

// do makes one call and reads its answer into out. A JSON answer with an errcode
// is an *APIError; nil for out wants errcode 0 to be there.
func (c *Client) do(ctx context.Context, r call, out any) (answer, error) {
	started := c.o.Clock.Now()
	a, err := c.exchange(ctx, r)
	if err == nil && (!r.binary || a.isText()) {
		err = r.decode(a.body, out)
	}
	if c.o.OnCall != nil {
		code := int64(0)
		var refused *APIError
		if errors.As(err, &refused) {
			code = refused.Code
		} else if err != nil {
			code = NoAnswer
		}
		c.o.OnCall(r.api(), code, c.o.Clock.Since(started))
	}
	return a, err
}

// exchange sends the request and reads the answer within its bounds.
func (c *Client) exchange(ctx context.Context, r call) (answer, error) {
	var written atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})
	fail := func(cause error) (answer, error) {
		kind := ErrNotSent
		if written.Load() {
			kind = ErrAmbiguous
		}
		return answer{}, failed(r.api(), kind, cause, r.hide)
	}
	address := r.path // a full one for media that lives elsewhere
	if strings.HasPrefix(r.path, "/") {
		address = c.base + r.path + "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return fail(err)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	client := c.http
	if r.slow {
		client = c.slowHTTP
	}
	res, err := client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		if res.StatusCode < http.StatusInternalServerError {
			written.Store(false) // turned away before the platform saw it
		}
		return fail(fmt.Errorf("HTTP %d", res.StatusCode))
	}
	limit := max(r.limit, maxAnswer)
	var body []byte
	if res.ContentLength <= limit {
		if body, err = io.ReadAll(io.LimitReader(res.Body, limit+1)); err != nil {
			return fail(err)
		}
	}
	if res.ContentLength > limit || int64(len(body)) > limit {
		if r.binary {
			return answer{}, fmt.Errorf("%w: %s", ErrTooLarge, r.api())
		}
		return fail(errors.New("the answer is too long"))
	}
	return answer{res.Header.Get("Content-Type"), body}, nil
}

// isText tells a JSON answer from media. The platform sends errors of the media
// calls as text/plain too.
func (a answer) isText() bool {
	return a.contentType == "" || strings.HasPrefix(a.contentType, "text/") || strings.Contains(a.contentType, "json")
}

func (r call) decode(body []byte, out any) error {
	var head struct {
		Code    *int64 `json:"errcode"`
		Message string `json:"errmsg"`
	}
	err := json.Unmarshal(body, &head)
	switch {
	case err != nil:
		return failed(r.api(), ErrAmbiguous, errors.New("the answer is not JSON"), nil)
	case head.Code != nil && *head.Code != 0:
		return &APIError{API: r.api(), Code: *head.Code, Message: redact(head.Message, r.hide)}
	case out == nil && head.Code == nil:
		return failed(r.api(), ErrAmbiguous, errors.New("the answer has no errcode"), nil)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return failed(r.api(), ErrAmbiguous, errors.New("the answer has another shape"), nil)
	}
	return nil
}
