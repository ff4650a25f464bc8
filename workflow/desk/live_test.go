package desk_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// live runs a desk's hub until the test ends.
func (f *fixture) live(d *desk.Desk) {
	ctx, stop := context.WithCancel(f.Context())
	var running sync.WaitGroup
	running.Go(func() { d.Live().Run(ctx) })
	f.Cleanup(func() {
		stop()
		running.Wait()
	})
}

// replica is another process: its own desk and connection to the same stores.
func (f *fixture) replica() *desk.Desk {
	f.Helper()
	drive, err := redis.Open(f.redis, redis.Options{})
	f.must(err)
	f.Cleanup(func() { _ = drive.Close() })
	d := desk.New(desk.Options{Journal: f.store, Drive: drive, Clock: f.clock})
	f.must(d.Refresh(f.Context()))
	return d
}

// next is the next notice that fits.
func next(t *testing.T, notices <-chan desk.Notice, what string, fits func(desk.Notice) bool) desk.Notice {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case n, open := <-notices:
			if !open {
				t.Fatalf("%s: the channel is closed", what)
			}
			if fits(n) {
				return n
			}
		case <-limit:
			t.Fatalf("%s: not told", what)
		}
	}
}

func all(n desk.Notice) bool { return n.All }

func of(number int64) func(desk.Notice) bool {
	return func(n desk.Notice) bool { return slices.Contains(n.Numbers, number) }
}

func TestAChangeIsToldOnEveryReplica(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	other := f.replica()
	f.live(f.desk)
	f.live(other)
	mine, stopMine := f.desk.Live().Watch(community)
	defer stopMine()
	theirs, stop := other.Live().Watch(community)
	elsewhere, stopElsewhere := other.Live().Watch("elsewhere")
	defer stopElsewhere()
	next(t, mine, "the line stands", all)
	next(t, theirs, "the line stands", all)
	next(t, elsewhere, "the line stands", all)

	filed := f.file()
	for name, notices := range map[string]<-chan desk.Notice{"own": mine, "others'": theirs} {
		n := next(t, notices, name, func(desk.Notice) bool { return true }) // the next one, not told twice before
		if !of(filed.Number)(n) || !slices.Contains(n.About, desk.AboutTicket) || !slices.Equal(n.Grids, []string{"G01"}) ||
			!slices.Contains(n.People, f.reporter.ID) || !slices.Contains(n.People, f.worker.ID) {
			t.Errorf("%s notice: %+v", name, n)
		}
	}
	again := f.file()
	if n := next(t, mine, "own", func(desk.Notice) bool { return true }); !of(again.Number)(n) {
		t.Errorf("told twice: %+v", n)
	}
	next(t, theirs, "others'", of(again.Number))

	// A page that was made before that, and watches only now, has missed something.
	if l := f.desk.Live(); !l.ToldSince(community, f.clock.Now()) || l.ToldSince(community, f.clock.Now().Add(3*time.Second)) || l.ToldSince("nowhere", time.Time{}) {
		t.Error("what was told when is not known")
	}

	// What no change tells.
	f.desk.Tell(t.Context(), community, desk.AboutFailed)
	for name, notices := range map[string]<-chan desk.Notice{"own": mine, "others'": theirs} {
		if n := next(t, notices, name, func(desk.Notice) bool { return true }); !slices.Equal(n.About, []desk.About{desk.AboutFailed}) {
			t.Errorf("%s notice: %+v", name, n)
		}
	}

	// The document, and staff.
	changed := strings.Replace(shape, "第一网格", "一号网格", 1)
	doc, err := workflow.ParseCommunity(strings.NewReader(changed))
	f.must(err)
	_, err = f.store.ApplyCommunity(t.Context(), doc, []byte(changed), "test")
	f.must(err)
	f.must(other.Refresh(t.Context()))
	next(t, theirs, "another document", all)

	stop()
	stop()
	for range theirs { // what was still on its way
	}
	late, stopLate := other.Live().Watch(community)
	defer stopLate()
	third := f.file() // told by itself, or by the notice that the community is heard again
	next(t, late, "who comes again", func(n desk.Notice) bool { return n.All || of(third.Number)(n) })
	if len(elsewhere) != 0 {
		t.Errorf("another community was told %+v", <-elsewhere)
	}
}

// A watcher who does not read holds up nobody and learns that it missed something.
func TestASlowWatcher(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	notices, stop := f.desk.Live().Watch(community)
	defer stop()
	filed := f.file()
	for range 100 {
		w := f.work(true)
		_, err := w.Do(t.Context(), filed.Number, workflow.Command{Name: workflow.CmdSupplement, Actor: workflow.By(f.reporter), Text: "还是不亮"})
		f.must(err)
		f.must(w.Commit(t.Context()))
	}
	read := 0
	for first := true; len(notices) > 0; first = false {
		n := <-notices
		if read++; first != n.All {
			t.Errorf("notice %d: %+v", read, n)
		}
	}
	if read == 0 || read > 32 {
		t.Errorf("%d notices kept", read)
	}
}

// With Redis away a process still tells its own changes at once, and every two
// seconds that anything may have changed; after the return it hears the others
// again.
func TestLiveWithoutRedis(t *testing.T) {
	server := storetest.RedisServer(t)
	f := newFixture(t, server.URL())
	other := f.replica()
	f.live(f.desk)
	f.live(other)
	mine, stopMine := f.desk.Live().Watch(community)
	defer stopMine()
	theirs, stopTheirs := other.Live().Watch(community)
	defer stopTheirs()
	next(t, mine, "the line stands", all)
	next(t, theirs, "the line stands", all)

	server.Kill()
	next(t, mine, "the loss", all)
	next(t, theirs, "the loss", all)
	filed := f.file()
	next(t, mine, "its own", of(filed.Number))
	for range 3 {
		f.must(f.clock.BlockUntilContext(t.Context(), 2))
		f.clock.Advance(2 * time.Second)
		next(t, theirs, "every two seconds", all)
	}
	f.must(f.clock.BlockUntilContext(t.Context(), 2)) // both have tried in vain and wait
	server.Restart()
	for len(theirs) > 0 {
		<-theirs
	}
	f.clock.Advance(2 * time.Second)
	next(t, theirs, "the return", all)
	f.must(f.desk.Fire(t.Context(), community)) // what could not be told is made up for
	again := f.file()
	next(t, theirs, "after the return", of(again.Number))
}

// What was committed while this process could not reach Redis is told to others
// who could all the time.
func TestWhatWasNotToldIsMadeUpFor(t *testing.T) {
	server := storetest.Redis(t)
	proxy := storetest.Cut(t, server)
	f := newFixture(t, proxy.URL())
	f.redis = server
	other := f.replica()
	f.live(other)
	theirs, stop := other.Live().Watch(community)
	defer stop()
	next(t, theirs, "the line stands", all)
	proxy.Cut()
	f.file()
	proxy.Heal()
	f.clock.Advance(2 * time.Second)
	f.must(f.desk.Fire(t.Context(), community))
	if n := next(t, theirs, "made up for", func(desk.Notice) bool { return true }); !n.All {
		t.Errorf("told %+v", n)
	}
}

func TestNoticeOf(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	wish := workflow.Command{Actor: workflow.By(f.reporter), Text: "想学手机", Kind: workflow.Wish, Category: "company", Severity: workflow.Minor, Place: workflow.Place{Estate: "东院", Building: 3, Grid: "G01"}}
	w := f.work(false)
	_, err := w.File(t.Context(), wish)
	f.must(err)
	f.must(w.Commit(t.Context()))
	for name, c := range map[string]struct {
		ch   desk.Change
		want []desk.About
	}{
		"talk alone":       {desk.Change{Talk: &desk.Talk{}}, nil},
		"read, not change": {desk.Change{Tickets: []desk.TicketChange{{Ticket: workflow.Ticket{Number: 1}}}}, nil},
		"wish":             {w.Change, []desk.About{desk.AboutTicket, desk.AboutWall, desk.AboutTray}},
		"leave":            {desk.Change{Away: &desk.Away{Person: 8}}, []desk.About{desk.AboutPeople}},
		"call made":        {desk.Change{Ended: []desk.PushEnd{{Key: "k"}}}, []desk.About{desk.AboutFailed}},
		"topic":            {desk.Change{Topics: []desk.TopicChange{{Topic: topic.Topic{Number: 1, Proposer: 8}}}}, []desk.About{desk.AboutTopic}},
		"vote":             {desk.Change{Votes: []topic.Vote{{Number: 1, Person: 8}}}, []desk.About{desk.AboutTopic}},
		"patrol":           {desk.Change{Rounds: []workflow.Round{{By: 8}}}, []desk.About{desk.AboutRounds}},
	} {
		n, ok := desk.NoticeOf(&c.ch)
		if ok != (c.want != nil) || !slices.Equal(n.About, c.want) {
			t.Errorf("%s: %+v, %v", name, n, ok)
		}
		if name == "vote" && len(n.People) != 0 {
			t.Errorf("who voted is told: %+v", n)
		}
	}
	// A ticket that came to another grid concerns the one it came from as well,
	// and whom it names is bounded.
	many := workflow.Ticket{Number: 1, Reporter: 1}
	for i := range 500 {
		many.Followers = append(many.Followers, workflow.PersonID(i+1))
	}
	n, _ := desk.NoticeOf(&desk.Change{Tickets: []desk.TicketChange{{Was: 1, Ticket: many, Events: []workflow.Event{{Type: workflow.EvMoved, Place: &workflow.Place{Grid: "G02"}, Former: 900}}}}})
	if n.Grids != nil || !n.Many || len(n.People) != 200 || !slices.Contains(n.People, 900) {
		t.Errorf("%+v", n)
	}
}
