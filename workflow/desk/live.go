package desk

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// About is a kind of thing that changed, as pages show it.
type About string

// The kinds.
const (
	AboutTicket About = "ticket" // a ticket, in any way
	AboutWall   About = "wall"   // perhaps what stands on the wish wall
	AboutTray   About = "tray"   // perhaps what stands in the by-hand tray
	AboutPeople About = "people" // somebody: new, on leave, another home or telephone
	AboutRounds About = "rounds" // a patrol or a visit
	AboutTopic  About = "topic"  // a topic: how it stands, its votes
	AboutFailed About = "failed" // a push that reached nobody, or a task that failed for good
)

// Notice says what changed, so that an open page knows whether to read again.
// It names tickets and people by number alone and tells nothing of them.
type Notice struct {
	// All: anything may have changed; the rest is empty. So it is after
	// notices were missed, and with a new document or staff.
	All     bool     `json:"all,omitempty"`
	Numbers []int64  `json:"n,omitempty"` // tickets
	About   []About  `json:"a,omitempty"`
	Grids   []string `json:"g,omitempty"` // where tickets or rounds are, or came from; none = any may be concerned
	// People have something to do with it: who reported or filed it, has or had
	// it, helps with it, follows it. Many: more than are named.
	People []workflow.PersonID `json:"p,omitempty"`
	Many   bool                `json:"m,omitempty"`
}

// mostNamed is how many people a notice names.
const mostNamed = 200

// NoticeOf is what a change tells; ok is false where no page could show it.
func NoticeOf(ch *Change) (n Notice, ok bool) {
	about := func(a About) {
		if !slices.Contains(n.About, a) {
			n.About = append(n.About, a)
		}
	}
	grid := func(g string) {
		if !slices.Contains(n.Grids, g) {
			n.Grids = append(n.Grids, g)
		}
	}
	named := map[workflow.PersonID]bool{}
	person := func(people ...workflow.PersonID) {
		for _, p := range people {
			switch {
			case p == 0 || named[p]:
			case len(n.People) == mostNamed:
				n.Many = true
			default:
				named[p] = true
				n.People = append(n.People, p)
			}
		}
	}
	anyGrid := false
	for i := range ch.Tickets {
		t, events := &ch.Tickets[i].Ticket, ch.Tickets[i].Events
		if len(events) == 0 {
			continue
		}
		about(AboutTicket)
		n.Numbers = append(n.Numbers, t.Number)
		grid(t.Place.Grid)
		person(t.Reporter, t.FiledBy, t.Owner)
		for _, ev := range events {
			person(ev.By, ev.Former, ev.Owner, ev.Helper)
		}
		for _, h := range t.Hands {
			person(h.Person)
		}
		person(t.Followers...)
		person(t.Supporters...)
		for _, ev := range events {
			// It may have come from another grid, or from the wall or tray.
			anyGrid = anyGrid || ev.Place != nil && ch.Tickets[i].Was != 0
			if t.Kind == workflow.Wish || ev.Kind == workflow.Wish {
				about(AboutWall)
			}
			switch ev.Type {
			case workflow.EvReclassified, workflow.EvMerged, workflow.EvCancelled:
				about(AboutWall)
				about(AboutTray)
			case workflow.EvTrayed, workflow.EvReturned, workflow.EvQuestionLapsed, workflow.EvClassified, workflow.EvAdvised,
				workflow.EvAnswered, workflow.EvAssigned, workflow.EvPublished, workflow.EvSplit, workflow.EvReopened:
				about(AboutTray)
			}
		}
		if t.Stand == workflow.InTray {
			about(AboutTray)
		}
	}
	if p := ch.NewPerson; p != nil {
		about(AboutPeople)
		person(p.ID)
	}
	if ch.Following != nil {
		about(AboutPeople)
		person(ch.Following.Person)
	}
	if ch.Home != nil {
		about(AboutPeople)
		person(ch.Home.Person)
	}
	if ch.Contact != nil {
		about(AboutPeople)
		person(ch.Contact.Person)
	}
	if ch.Away != nil {
		about(AboutPeople)
		person(ch.Away.Person)
	}
	if len(ch.Ended) > 0 {
		about(AboutFailed)
	}
	if len(ch.Topics)+len(ch.Votes) > 0 { // not whose vote
		about(AboutTopic)
	}
	for _, r := range ch.Rounds {
		about(AboutRounds)
		grid(r.Place.Grid)
		person(r.By)
	}
	if anyGrid {
		n.Grids = nil
	}
	return n, len(n.About) > 0
}

// Line is a connection on which a process hears what others committed.
type Line interface {
	// Hear says of which communities, from now on.
	Hear(ctx context.Context, communities []string) error
	// Next waits for a notice. Where a community is heard from now on, or again
	// after a loss, that is a notice that all may have changed. An error means
	// that the line is lost.
	Next(ctx context.Context) (community string, n Notice, err error)
	Close() error
}

// Live tells the open pages of a process what changes, whichever process
// changes it: its own changes at once, those of others over the Drive. While
// the Drive is away pages are told every two seconds that anything may have
// changed.
//
// A watcher who reads slowly never holds up anybody: what it missed becomes one
// notice that anything may have changed.
type Live struct {
	desk *Desk

	watching atomic.Int64  // how many watch; 0 costs a commit nothing
	changed  chan struct{} // holds one token after the communities that are watched have changed
	mu       sync.Mutex
	watchers map[string]map[*watcher]struct{} // by community; none without watchers
	told     map[string]time.Time             // when watchers were last told something
	unsaid   map[string]bool                  // communities of which others were not told something
}

type watcher struct{ notices chan Notice }

const (
	noticesKept = 32              // for a watcher who is busy
	awayEvery   = 2 * time.Second // how often pages are told to look while the Drive is away
)

func newLive(d *Desk) *Live {
	return &Live{desk: d, changed: make(chan struct{}, 1), watchers: map[string]map[*watcher]struct{}{}, told: map[string]time.Time{}, unsaid: map[string]bool{}}
}

// Live is the hub of this process.
func (d *Desk) Live() *Live { return d.live }

// Watch gives the notices of a community from now on, until stop is called,
// which closes the channel and may be called again. What other processes change
// is heard while Run runs; where the community was not heard before, a notice
// that anything may have changed says when that begins.
func (l *Live) Watch(community string) (notices <-chan Notice, stop func()) {
	w := &watcher{notices: make(chan Notice, noticesKept)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.watchers[community] == nil {
		l.watchers[community] = map[*watcher]struct{}{}
		l.wake()
	}
	l.watchers[community][w] = struct{}{}
	l.watching.Add(1)
	return w.notices, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, there := l.watchers[community][w]; !there {
			return
		}
		delete(l.watchers[community], w)
		close(w.notices)
		l.watching.Add(-1)
		if len(l.watchers[community]) == 0 {
			delete(l.watchers, community)
			delete(l.told, community)
			l.wake()
		}
	}
}

// wake has Run look at what is watched.
func (l *Live) wake() {
	select {
	case l.changed <- struct{}{}:
	default: // it will look anyway
	}
}

// tell gives a notice to all who watch a community.
func (l *Live) tell(community string, n Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watchers[community]) > 0 {
		l.told[community] = l.desk.clock.Now()
	}
	for w := range l.watchers[community] {
		w.tell(n)
	}
}

// ToldSince tells whether watchers of a community were told something since a moment,
// or may have been by another process whose clock is a little ahead: for a page that
// was made then and watches from now on.
func (l *Live) ToldSince(community string, since time.Time) bool {
	const apart = 2 * time.Second // of two processes' clocks
	l.mu.Lock()
	defer l.mu.Unlock()
	told, ok := l.told[community]
	return ok && told.Add(apart).After(since)
}

// tellAll says to everybody that anything may have changed.
func (l *Live) tellAll() {
	for _, community := range l.watched() {
		l.tell(community, Notice{All: true})
	}
}

// tell never waits. Its callers hold the lock, so nobody else sends.
func (w *watcher) tell(n Notice) {
	select {
	case w.notices <- n:
		return
	default:
	}
	for {
		select {
		case <-w.notices:
		default: // empty, and only this one sends: there is room
			w.notices <- Notice{All: true}
			return
		}
	}
}

// committed tells of a change of this process. The Drive tells the others.
func (l *Live) committed(ch *Change) {
	if l.watching.Load() == 0 {
		return
	}
	if n, ok := NoticeOf(ch); ok {
		l.tell(ch.Community, n)
	}
}

// Tell tells the open pages of a community, at every process, of something that no
// Change tells. It never fails: what others cannot be told now they are told later.
func (d *Desk) Tell(ctx context.Context, community string, about About) {
	n := Notice{About: []About{about}}
	d.live.tell(community, n)
	if err := d.withDrive("tell", func(drive Drive) error { return drive.Tell(ctx, community, n) }); err != nil {
		d.live.unheard(&Change{Community: community})
	}
}

// unheard remembers that others could not be told of a change.
func (l *Live) unheard(ch *Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsaid[ch.Community] = true
}

// catchUp tells the others that anything may have changed, where they were not
// told something.
func (l *Live) catchUp(ctx context.Context, drive Drive, community string) error {
	l.mu.Lock()
	missed := l.unsaid[community]
	delete(l.unsaid, community)
	l.mu.Unlock()
	if !missed {
		return nil
	}
	err := drive.Tell(ctx, community, Notice{All: true})
	if err != nil {
		l.unheard(&Change{Community: community})
	}
	return err
}

// watched are the communities that somebody watches, in order.
func (l *Live) watched() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	codes := make([]string, 0, len(l.watchers))
	for code := range l.watchers {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// Run hears what other processes change, on one connection and only of what is
// watched, until ctx ends. A Runner runs it.
func (l *Live) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if len(l.watched()) == 0 {
			select {
			case <-ctx.Done():
			case <-l.changed:
			}
			continue
		}
		if err := l.listen(ctx); err != nil && ctx.Err() == nil {
			driveErrors.WithLabelValues("listen").Inc()
			l.desk.log.Warn("changes of other processes are not heard", "cause", err)
			l.tellAll()
			select {
			case <-ctx.Done():
			case <-l.desk.clock.After(awayEvery):
			}
		}
	}
}

// listen hears until nobody watches, or the line is lost.
func (l *Live) listen(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	line, err := l.desk.drive.Listen(ctx)
	if err != nil {
		return err
	}
	defer line.Close()
	if err := line.Hear(ctx, l.watched()); err != nil {
		return err
	}
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel() // before waiting
	following.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-l.changed:
			}
			codes := l.watched()
			if len(codes) > 0 && line.Hear(ctx, codes) == nil {
				continue
			}
			cancel() // nobody watches, or the line is lost
			return
		}
	})
	for {
		community, n, err := line.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		l.tell(community, n)
	}
}
