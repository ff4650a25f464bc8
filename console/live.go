package console

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// beat keeps a connection open through proxies that cut idle ones.
const beat = 20 * time.Second

// changed is what an open page is told.
const changed = "event: changed\ndata:\n\n"

// mostStreams is how many pages of one session follow changes at one replica: a browser
// opens six to one host, and more than one window may be open.
const mostStreams = 12

// streams counts the open pages of each session.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// begin tells whether one more may be opened; end must be called then.
func (s *streams) begin(session string) (end func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[session] >= mostStreams {
		return nil, false
	}
	s.open[session]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[session]--; s.open[session] == 0 {
			delete(s.open, session)
		}
	}, true
}

// still tells whether who is logged in still is, and takes over the parts that they play
// now. An open page alone keeps no session alive.
func (q *request) still() bool {
	shape, ok := q.console.o.Desk.Shape(q.community())
	if !ok {
		return false
	}
	q.shape, q.now, q.me = shape, q.console.now(), workflow.Person{}
	err := q.knowsUntil(q.now)
	return err == nil && q.row.lets(q.me)
}

// live tells an open page that something changed (server-sent events): not what.
// The page reads itself anew, with the rights that it has then.
func (c *Console) live(q *request) error {
	end, ok := c.streams.begin(q.token)
	if !ok {
		return errOften("open pages")
	}
	defer end()
	control := http.NewResponseController(q.w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("console: live: %w", err)
	}
	changes, stop := c.o.Live.Watch(q.community())
	defer stop()
	h := q.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx
	q.w.WriteHeader(http.StatusOK)
	send := func(text string) error {
		if _, err := fmt.Fprint(q.w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	first := "retry: 2000\n\n"
	if since, err := strconv.ParseInt(q.URL.Query().Get("since"), 10, 64); err == nil && c.o.Live.ToldSince(q.community(), time.UnixMilli(since)) {
		first += changed // between the making of the page and now
	}
	if err := send(first); err != nil {
		return nil //nolint:nilerr // the browser has gone
	}
	ticker := c.o.Clock.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-q.Context().Done():
			return nil
		case <-c.closing:
			return nil
		case n, ok := <-changes:
			if !ok {
				return nil
			}
			if shape, ok := c.o.Desk.Shape(q.community()); ok && q.me.Staff() { // who left is told no more
				q.shape, q.me.Roles = shape, shape.Roster.ByID(q.me.ID).Roles
			}
			if !q.concerns(n) {
				continue
			}
			if send(changed) != nil {
				return nil
			}
		case <-ticker.Chan():
			if !q.still() || send(": \n\n") != nil {
				return nil
			}
		}
	}
}
