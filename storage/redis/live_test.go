package redis

import (
	"context"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestALineHearsWhatItFollows(t *testing.T) {
	server := server(t)
	d, other := open(t, server), open(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l, err := d.Listen(ctx)
	must(t, err)
	defer l.Close()
	must(t, l.Hear(ctx, []string{"a", "b"}))
	next := func() (string, desk.Notice) {
		t.Helper()
		code, n, err := l.Next(ctx)
		must(t, err)
		return code, n
	}
	for range 2 {
		if code, n := next(); !n.All || code != "a" && code != "b" {
			t.Fatalf("%s: %+v", code, n)
		}
	}
	must(t, d.Tell(ctx, "a", desk.Notice{Numbers: []int64{1}})) // its own
	must(t, other.Tell(ctx, "c", desk.Notice{Numbers: []int64{2}}))
	must(t, other.Tell(ctx, "b", desk.Notice{Numbers: []int64{3}}))
	if code, n := next(); code != "b" || n.Numbers[0] != 3 {
		t.Fatalf("%s: %+v", code, n)
	}
	must(t, l.Hear(ctx, []string{"b", "c"}))
	if code, n := next(); code != "c" || !n.All {
		t.Fatalf("%s: %+v", code, n)
	}
	must(t, other.Tell(ctx, "a", desk.Notice{Numbers: []int64{4}}))
	must(t, d.c.Publish(ctx, liveChannel("c"), "of another release").Err())
	if code, n := next(); code != "c" || !n.All {
		t.Fatalf("%s: %+v", code, n)
	}
}

// A Redis that hangs counts as lost after a few seconds; the end of ctx ends the
// wait at once.
func TestALineThatHangs(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Redis(t))
	d := open(t, proxy.URL())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l, err := d.Listen(ctx)
	must(t, err)
	defer l.Close()
	must(t, l.Hear(ctx, []string{"a"}))
	_, _, err = l.Next(ctx)
	must(t, err)
	proxy.Stall()
	if _, _, err := l.Next(ctx); err == nil || ctx.Err() != nil {
		t.Fatalf("a hanging line: %v", err)
	}
	proxy.Heal()
	ending, end := context.WithCancel(ctx)
	again, err := d.Listen(ending)
	must(t, err)
	defer again.Close()
	must(t, again.Hear(ending, []string{"a"}))
	_, _, err = again.Next(ending)
	must(t, err)
	ended := make(chan error)
	go func() { _, _, err := again.Next(ending); ended <- err }()
	end()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a notice after the end")
		}
	case <-ctx.Done():
		t.Error("the wait does not end")
	}
}

// BenchmarkCommittedUnheard is what telling costs a commit while nobody listens:
// the same change in turn told and not. Its figure is the share of time more.
func BenchmarkCommittedUnheard(b *testing.B) {
	d, err := Open(storetest.Redis(b), Options{})
	must(b, err)
	defer d.Close()
	ch := change(assigned(1001, 1, 7, noon))
	ch.Tickets[0].Ticket.Text, ch.Tickets[0].Ticket.Reporter = "3号楼楼道灯不亮", 9
	ch.Pushes = []desk.Push{{Key: "1001:1:assigned:7", Purpose: workflow.TellAssigned}}
	var spent [2]time.Duration
	for n := 0; b.Loop(); n++ {
		told := n % 2
		ch.Tickets[0].Events = nil
		if told == 1 {
			ch.Tickets[0].Events = []workflow.Event{{Seq: 1, Type: workflow.EvFiled, By: 9}}
		}
		begun := time.Now()
		must(b, d.Committed(context.Background(), ch))
		spent[told] += time.Since(begun)
	}
	b.ReportMetric(float64(spent[1]-spent[0])/float64(spent[0]), "more")
}
