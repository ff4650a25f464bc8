package console

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// replica is a second process over the same stores.
func (h *house) replica() (other *house) {
	h.t.Helper()
	d := desk.New(desk.Options{Journal: h.store, Drive: h.desk.Drive(), Clock: h.clock})
	h.must(d.Refresh(h.t.Context()))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Live().Run(ctx)
	}()
	o := h.console.o
	o.Desk, o.Live = d, d.Live()
	console, err := New(o)
	h.must(err)
	server := httptest.NewServer(console.Handler())
	h.t.Cleanup(func() {
		console.Close()
		server.Close()
		stop()
		<-done
	})
	return &house{t: h.t, store: h.store, desk: d, clock: h.clock, console: console, url: server.URL, people: h.people}
}

// A page that is open at one replica follows what another one changes, within a
// second, and keeps what somebody is writing.
func TestAnOpenPageFollowsAnotherReplica(t *testing.T) {
	h := newHouse(t)
	other := h.replica()
	ticket := h.file(east, "楼道灯不亮了")
	b := other.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(other.url + "/c/east/my")
	b.Do("following", browsertest.Says("已派单,等接手"), browsertest.Follows())
	worker := workflow.By(h.people["east/worker"])
	began := time.Now()
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker})
	b.Do("accepted", browsertest.Says("正在办"))
	t.Logf("shown after %s", time.Since(began).Round(time.Millisecond))

	b.Go(other.url + "/c/east/my/" + number(ticket))
	b.Do("following", browsertest.Follows(), browsertest.Fills("words", "我晚上六点以后在家"))
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯换好了"})
	b.Do("send what was being written", browsertest.Presses("发送"), browsertest.Says("已经补充上"), browsertest.Says("办得怎么样?"))
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || !strings.Contains(got.Text, "六点以后") {
		t.Errorf("what was written is lost: %q %v", got.Text, err)
	}
}

// events reads the stream of somebody until its test ends.
func (b *browser) events(path string) <-chan string {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+path, nil)
	b.must(err)
	res, err := b.client.Do(req)
	b.must(err)
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		b.t.Fatalf("the stream: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	out := make(chan string, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				out <- event
			}
		}
	}()
	b.t.Cleanup(func() {
		cancel()
		<-done
	})
	return out
}

// Who logged out is told no more, nor who left the staff what is not theirs; and nobody
// keeps more pages open than a browser does.
func TestAStreamEnds(t *testing.T) {
	h := newHouse(t)
	worker, resident := h.as("east/worker"), h.as("east/resident")
	left, out := worker.events("/c/east/live"), resident.events("/c/east/live")
	h.must(h.store.Leave(t.Context(), east, h.people["east/worker"].ID))
	h.must(h.desk.Refresh(t.Context()))
	for who, stream := range map[string]<-chan string{"left": left, "resident": out} {
		if e := <-stream; e != "changed" { // the staff did
			t.Fatalf("%s is told %q", who, e)
		}
	}
	ticket := h.file(east, "楼道灯不亮了")
	if e := <-out; e != "changed" {
		t.Fatalf("the resident is told %q", e)
	}
	select {
	case e := <-left:
		t.Errorf("who left is told %q of %d", e, ticket.Number)
	default: // the resident was told already
	}
	_, err := h.store.EndSessions(t.Context(), east, h.people["east/resident"].ID)
	h.must(err)
	h.must(h.clock.BlockUntilContext(t.Context(), 2))
	h.clock.Advance(beat)
	select {
	case e, open := <-out:
		if open {
			t.Errorf("who logged out is told %q", e)
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream of who logged out stays open")
	}

	b := h.as("east/neighbour")
	for range mostStreams {
		b.events("/c/east/live")
	}
	if a := b.get("/c/east/live"); a.status != http.StatusTooManyRequests {
		t.Errorf("one page more: %d", a.status)
	}
}

// The stream says that something changed, to whom it may concern, and not what.
func TestWhoseStreamMoves(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	streams := map[string]<-chan string{}
	for _, who := range []string{"east/resident", "east/neighbour", "east/worker", "east/committee", "west/committee"} {
		code, _, _ := strings.Cut(who, "/")
		streams[who] = h.as(who).events("/c/" + code + "/live")
	}
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])})
	for _, who := range []string{"east/resident", "east/worker", "east/committee"} {
		select {
		case e := <-streams[who]:
			if e != "changed" {
				t.Errorf("%s is told %q", who, e)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s is not told", who)
		}
	}
	for _, who := range []string{"east/neighbour", "west/committee"} {
		select {
		case e := <-streams[who]:
			t.Errorf("%s is told %q of what does not concern them", who, e)
		default: // the others were told already
		}
	}
	if a := h.browser().get("/c/east/live"); a.status != http.StatusUnauthorized {
		t.Errorf("a stream for nobody: %d", a.status)
	}
}
