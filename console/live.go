package console

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// beat keeps a connection open through proxies that cut idle ones.
const beat = 20 * time.Second

// changed is what an open page is told.
const changed = "event: changed\ndata:\n\n"

// live tells an open page that something changed (server-sent events): not what.
// The page reads itself anew, with the rights that it has then.
func (c *Console) live(q *request) error {
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
			if !q.concerns(n) {
				continue
			}
			if send(changed) != nil {
				return nil
			}
		case <-ticker.Chan():
			if send(": \n\n") != nil {
				return nil
			}
		}
	}
}
