package wechatsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Platform is one running stand-in with one account. Its methods may be used
// from many goroutines. Its Options are those of New, completed with what was
// left out; they are for reading.
type Platform struct {
	Options
	client  *http.Client
	handler http.Handler
	journal *journal

	ctx        context.Context // ends with Close
	stop       context.CancelFunc
	background sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	people   map[string]*person
	order    []string // openids in the order they were given
	chat     []Said   // everything said, oldest first
	byPerson map[string][]int
	changed  chan struct{} // closed and replaced with every new entry
	lastID   int64         // of entries
	msgID    int64         // of messages and jobs
	last     *delivery
	tokens   map[string]*grant
	current  map[string]string // world of tokens → the newest token
	forced   forced
	codes    map[string]*oauthCode
	media    map[string]*mediaFile
	menu     json.RawMessage
	qr       map[string]*sceneCode // ticket → code
	jobs     map[string]job        // openid + client_msg_id → what was sent
	snapshot map[string]bool       // openids whose OAuth is that of a snapshot user
	failures []*Failure
	used     map[string]int // calls by path and day or minute
	usedDay  string
	usedMin  string
	stats    Stats
}

// Stats counts what happened since New.
type Stats struct {
	Calls       map[string]int         // API calls by path, refused ones too
	Errors      map[int]int            // refusals by errcode
	PathErrors  map[string]map[int]int // refusals by path and errcode
	Deliveries  int                    // messages and events sent to the webhook
	Tries       int                    // requests that took
	Unavailable int                    // deliveries after which the person saw 暂时无法提供服务
	Slowest     time.Duration          // longest answer to one try, real time
}

// firstMsgID is where message ids begin at an empty stand-in; a random part is
// added, so that two stand-ins in front of one store do not meet.
const firstMsgID = 24_000_000_000_000_000

// New makes a stand-in, reading back what Options.DataDir keeps. It starts no
// server: Handler is served by the caller. Close it.
func New(options Options) (*Platform, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConnsPerHost = 128
	ctx, stop := context.WithCancel(context.Background())
	p := &Platform{
		Options: options,
		client: &http.Client{
			Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // the platform follows no redirects
			},
		},
		ctx: ctx, stop: stop,
		people:   map[string]*person{},
		byPerson: map[string][]int{},
		changed:  make(chan struct{}),
		msgID:    firstMsgID + rand.Int64N(1e15),
		tokens:   map[string]*grant{},
		current:  map[string]string{},
		codes:    map[string]*oauthCode{},
		media:    map[string]*mediaFile{},
		qr:       map[string]*sceneCode{},
		jobs:     map[string]job{},
		snapshot: map[string]bool{},
		used:     map[string]int{},
		stats:    Stats{Calls: map[string]int{}, Errors: map[int]int{}, PathErrors: map[string]map[int]int{}},
	}
	for _, who := range options.Personas {
		p.admit(&person{Persona: who, Following: !who.Stranger, Since: p.Clock.Now()})
	}
	if options.DataDir != "" {
		var err error
		if p.journal, err = openJournal(options.DataDir, p.replay); err != nil {
			stop()
			return nil, err
		}
	}
	p.handler = p.inApp(p.routes())
	return p, nil
}

// Handler serves the API under the real paths, the page at "/" and the page's
// own calls under "/sim/".
func (p *Platform) Handler() http.Handler { return p.handler }

// Close ends deliveries under way and live streams, and closes the files.
// A closed Platform answers no more.
func (p *Platform) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.background.Wait()
	p.client.CloseIdleConnections()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.journal.close()
}

// Stats gives a copy of the counts.
func (p *Platform) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Calls, s.Errors = maps.Clone(s.Calls), maps.Clone(s.Errors)
	s.PathErrors = make(map[string]map[int]int, len(p.stats.PathErrors))
	for path, errs := range p.stats.PathErrors {
		s.PathErrors[path] = maps.Clone(errs)
	}
	return s
}

// Admit adds a person who was not in Options.Personas; one who is known stays
// as they are.
func (p *Platform) Admit(who Persona) error {
	if who.OpenID == "" {
		return errors.New("wechatsim: a person needs an OpenID")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.people[who.OpenID] == nil {
		someone := &person{Persona: who, Following: !who.Stranger, Since: p.Clock.Now()}
		p.admit(someone)
		p.keep(record{Person: someone})
	}
	return nil
}

func (p *Platform) admit(who *person) {
	p.people[who.OpenID] = who
	p.order = append(p.order, who.OpenID)
}

// replay takes one line of the journal back into memory.
func (p *Platform) replay(r record) {
	switch {
	case r.Said != nil:
		p.remember(*r.Said)
	case r.Person != nil:
		if known := p.people[r.Person.OpenID]; known != nil {
			r.Person.Persona = known.Persona // names come from the options of today
			*known = *r.Person
		} else {
			p.admit(r.Person)
		}
	case r.Media != nil:
		p.media[r.Media.ID] = r.Media
	case r.Code != nil:
		p.qr[r.Code.Ticket] = r.Code
	case r.Token != nil:
		p.tokens[r.Token.Token] = r.Token
		p.current[r.Token.World] = r.Token.Token
	case r.Job != nil:
		p.jobs[r.Job.Key] = *r.Job
	case r.Menu != nil:
		p.menu = r.Menu
		if string(r.Menu) == "{}" {
			p.menu = nil
		}
	case r.MsgID != 0:
		p.msgID = r.MsgID
	}
}

// keep writes a change to the journal; the caller holds p.mu.
func (p *Platform) keep(r record) {
	if err := p.journal.write(r); err != nil {
		p.Logger.Error("wechatsim: journal", "error", err)
	}
}

// nextMsgID gives an id that no other message or job has, also after a
// restart; the caller holds p.mu.
func (p *Platform) nextMsgID() int64 {
	p.msgID++
	p.keep(record{MsgID: p.msgID})
	return p.msgID
}

// inBackground runs f until Close; after Close it does nothing. The caller
// does not hold p.mu.
func (p *Platform) inBackground(f func(context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.background.Go(func() { f(p.ctx) })
	}
}

// ErrUnknownPerson is returned for an openid that is no persona.
var ErrUnknownPerson = errors.New("wechatsim: nobody has this openid")

// ErrNotFollowing is returned for what only a follower can do.
var ErrNotFollowing = errors.New("wechatsim: this person does not follow the account")

func (p *Platform) person(openid string) (*person, error) {
	if who := p.people[openid]; who != nil {
		return who, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownPerson, openid)
}
