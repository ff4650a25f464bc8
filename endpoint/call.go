package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/sony/gobreaker/v2"
)

// Options say where an endpoint is and how it is asked.
type Options struct {
	URL     string        // base, such as https://api.example.com/v1
	Key     string        // "" where it asks for none
	Model   string        // the model's name there
	Timeout time.Duration // of one question with its repetition
	// HTTP is the way there; nil = a client of its own.
	HTTP *http.Client
}

// Check tells whether an endpoint can be asked so.
func (o Options) Check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("url: want http(s)://host/v1")
	case u.User != nil:
		return errors.New("url: a secret in it would be logged: give it as key")
	case o.Model == "":
		return errors.New("model: want the name of a model there")
	case o.Timeout < 100*time.Millisecond || o.Timeout > 5*time.Minute:
		return errors.New("timeout: want 100ms to 5m")
	}
	return nil
}

// Error is why there is no answer. It never holds words of the question or of
// the answer.
type Error struct {
	Reason Reason
	Status int // HTTP's, 0 where none came
}

// Reason says what failed.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable" // no connection, or it broke
	TimedOut    Reason = "timed out"
	Refused     Reason = "refused"     // an HTTP status of 400 or more
	Unusable    Reason = "unusable"    // an answer that is not what was asked for
	Resting     Reason = "resting"     // it failed too often: not asked for a while
	Interrupted Reason = "interrupted" // the asker went away
)

// Error is the reason, with HTTP's status where there is one.
func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("endpoint: %s: HTTP %d", e.Reason, e.Status)
	}
	return "endpoint: " + string(e.Reason)
}

// The circuit breaker: so many failures in a row, and for so long nothing is
// asked; then one question tries whether it is better.
const (
	failuresInARow = 3
	rest           = time.Minute
)

// answerLimit bounds an answer, in bytes.
const answerLimit = 1 << 20

// retries are repetitions after a broken connection, a 429 or a 5xx, within
// the time limit.
const retries = 1

// caller asks one endpoint.
type caller struct {
	o       Options
	options []option.RequestOption
	breaker *gobreaker.CircuitBreaker[string]
}

func newCaller(o Options) *caller {
	client := http.Client{}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.Transport = bounded{client.Transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // nobody else is asked
	options := []option.RequestOption{
		option.WithBaseURL(strings.TrimRight(o.URL, "/") + "/"),
		option.WithHTTPClient(&client), option.WithMaxRetries(retries),
	}
	if o.Key != "" {
		options = append(options, option.WithAPIKey(o.Key))
	}
	return &caller{o: o, options: options, breaker: gobreaker.NewCircuitBreaker[string](gobreaker.Settings{
		Timeout:     rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresInARow },
		IsExcluded: func(err error) bool {
			var e *Error
			return errors.As(err, &e) && e.Reason == Interrupted
		},
	})}
}

// resting tells that nothing is asked now because of failures.
func (c *caller) resting() bool { return c.breaker.State() == gobreaker.StateOpen }

// ask lets f ask within the time limit, unless the endpoint rests. What f
// returns as *Error stays so.
func (c *caller) ask(ctx context.Context, f func(ctx context.Context) (string, error)) (string, error) {
	answer, err := c.breaker.Execute(func() (string, error) {
		limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
		defer cancel()
		answer, err := f(limited)
		if err == nil {
			return answer, nil
		}
		return "", reasonOf(ctx, limited, err)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = &Error{Reason: Resting}
	}
	return answer, err
}

func reasonOf(ctx, limited context.Context, err error) error {
	var mine *Error
	var api *openai.Error
	switch {
	case errors.As(err, &mine):
		return mine
	case ctx.Err() != nil:
		return &Error{Reason: Interrupted}
	case limited.Err() != nil:
		return &Error{Reason: TimedOut}
	case errors.As(err, &api):
		return &Error{Reason: Refused, Status: api.StatusCode}
	}
	var network *url.Error
	if errors.As(err, &network) {
		return &Error{Reason: Unreachable}
	}
	return &Error{Reason: Unusable} // it answered, and not in JSON
}

// bounded cuts answers that are too long.
type bounded struct{ next http.RoundTripper }

// RoundTrip asks, and bounds what is read of the answer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err == nil {
		resp.Body = limitedBody{io.LimitReader(resp.Body, answerLimit), resp.Body}
	}
	return resp, err
}

type limitedBody struct {
	io.Reader
	io.Closer
}
