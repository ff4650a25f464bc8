package console

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// replica is a second process over the same stores.
func (h *house) replica() (other *house) {
	h.t.Helper()
	drive, err := redis.Open(h.redis, redis.Options{}) // its own: a process does not hear itself
	h.must(err)
	h.t.Cleanup(func() { _ = drive.Close() })
	d := desk.New(desk.Options{Journal: h.store, Drive: drive, Clock: h.clock})
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

// A page that is open at one replica shows within a second what another one changes.
// The page says when it showed it; of five changes the third quickest counts, for
// machines that are busy.
func TestAnOpenPageFollowsAnotherReplica(t *testing.T) {
	h := newHouse(t)
	other := h.replica()
	b := other.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	var took []time.Duration
	for range 5 {
		ticket := h.file(east, "楼道灯不亮了")
		b.Go(other.url + "/c/east/my/" + number(ticket))
		b.Do("following", browsertest.Says("已派单,等接手"), browsertest.Follows())
		b.Holds(`new MutationObserver(() => { if (!window.shown && document.querySelector('#matter').innerText.includes('正在办')) window.shown = Date.now(); }).observe(document.body, {childList: true, subtree: true}) === undefined`)
		h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])})
		committed := time.Now()
		b.Do("accepted", browsertest.Says("正在办"))
		shown, err := chromedp.Run(b, chromedp.Evaluate[int64](`window.shown`))
		h.must(err)
		took = append(took, time.UnixMilli(shown).Sub(committed))
	}
	slices.Sort(took)
	if t.Logf("shown after %v", took); took[2] > time.Second {
		t.Errorf("a change is shown after %s, want a second at most", took[2])
	}
}

// A page waits with what is new while somebody writes there, and says so; they press
// when they like, and what they wrote stays.
func TestAPageWaitsForWhoWrites(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker})
	b := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/my/" + number(ticket))
	b.Do("following", browsertest.Follows(), browsertest.Fills("words", "我晚上六点以后在家"))
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯换好了"})
	b.Do("told", chromedp.WaitVisible(chromedp.CSS("#newer")))
	b.Picture("newer-phone")
	b.Usable()
	b.Holds(`!document.body.innerText.includes('办得怎么样?')`)
	b.Do("see it", browsertest.Presses("有新变化,点这里刷新"), browsertest.Says("办得怎么样?"), chromedp.WaitNotVisible(chromedp.CSS("#newer")))
	b.Holds(`document.querySelector('#words').value === '我晚上六点以后在家'`)
	b.Do("send what was being written", browsertest.Presses("发送"), browsertest.Says("已经补充上"))
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || !strings.Contains(got.Text, "六点以后") {
		t.Errorf("what was written is lost: %q %v", got.Text, err)
	}

	// What is only folded open stays so, and the page goes on following.
	w := h.tab("east/committee", browsertest.PhoneWidth, browsertest.PhoneHeight)
	w.Go(h.url + "/c/east/t/" + number(ticket))
	w.Do("fold open", browsertest.Follows(), browsertest.Presses("重办"), chromedp.WaitVisible(chromedp.CSS("#reopen")))
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdRate, Actor: workflow.By(h.people["east/resident"]), Rating: workflow.Satisfied})
	w.Do("rated", chromedp.WaitVisible(`//ol[@class="steps"]//*[contains(.,"居民评价:满意")]`), chromedp.WaitVisible(chromedp.CSS("#reopen")))
}

// Many changes are one reading a second, the last change included.
func TestAStormIsReadOnceASecond(t *testing.T) {
	h := newHouse(t)
	b := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/my")
	b.Do("following", browsertest.Follows())
	b.Holds(`(window.read = 0, document.addEventListener('htmx:beforeRequest', () => window.read++)) === undefined`)
	began := time.Now()
	var last workflow.Ticket
	for range 30 {
		last = h.file(east, "楼道灯不亮了")
	}
	b.Do("the last one", browsertest.Says(number(last)+" 号"))
	most := int(time.Since(began).Seconds()/0.9) + 3 // with the one that makes up for what happened before
	if read, err := chromedp.Run(b, chromedp.Evaluate[int](`window.read`)); err != nil || read > most || read == 0 {
		t.Errorf("30 changes are read %d times within %s (%v)", read, time.Since(began), err)
	}
}

// Every list follows what changes on it.
func TestListsFollow(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		who, path, says string
		change          func()
	}{
		{"east/worker", "work/done", "经手的这一件", func() { h.file(east, "经手的这一件") }},
		{"east/worker", "rounds", "灯都亮着", func() {
			w, err := h.desk.Begin(east, true)
			h.must(err)
			w.Change.Rounds = append(w.Change.Rounds, workflow.Round{ID: "r1", Kind: workflow.Patrol, By: h.people["east/worker"].ID, Text: "灯都亮着", At: h.clock.Now(), Place: workflow.Place{Grid: "G1"}})
			h.must(w.Commit(t.Context()))
		}},
		{"east/admin", "admin/failures", "media: 45009", func() {
			h.must(h.store.DeadLetter(t.Context(), east, "media", []byte("m1 {}"), "media: 45009", h.clock.Now()))
			h.desk.Tell(t.Context(), east, desk.AboutFailed)
		}},
	} {
		b := h.tab(c.who, browsertest.DeskWidth, browsertest.DeskHeight)
		b.Go(h.url + "/c/east/" + c.path)
		b.Do(c.path, browsertest.Follows())
		c.change()
		b.Do(c.path, chromedp.WaitReady(`//main//*[contains(normalize-space(.),"`+c.says+`")]`))
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
	// A page that was made before the last change, and follows only now, is told of it.
	path := "/c/east/live?since=" + itoa(h.clock.Now().UnixMilli())
	select {
	case <-h.as("east/worker").events(path):
	case <-time.After(10 * time.Second):
		t.Error("what changed between the making of a page and its stream is not told")
	}
	if a := h.browser().get("/c/east/live"); a.status != http.StatusUnauthorized {
		t.Errorf("a stream for nobody: %d", a.status)
	}
}
