package desk

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/ledger"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// The Journal's answers to a Change that cannot be committed. Nothing of the
// change is stored.
var (
	// ErrStale: a ticket, conversation or person was changed by another since
	// it was read. Read again and decide again.
	ErrStale = errors.New("desk: stale")
	// ErrLastAdmin: the staff would be left without an administrator.
	ErrLastAdmin = errors.New("desk: the last administrator")
	// ErrSeen: the delivery is in the record already; its first reply stands.
	ErrSeen = errors.New("desk: delivery seen before")
)

// Change is all that one cause (a message, a clock, a page) changes. It is
// committed whole or not at all.
type Change struct {
	Community string
	Delivery  *Delivery        // the message that caused it, nil otherwise
	NewPerson *workflow.Person // a resident's first message
	Following *Following       // somebody follows or leaves the account
	Home      *Home            // somebody's home is registered
	Contact   *Contacted       // what somebody is called, and their telephone
	Away      *Away            // somebody goes on leave, or comes back
	Earned    []ledger.Entry   // points for deeds, each booked once
	Fund      []ledger.Line    // lines of the fund's board
	Rounds    []workflow.Round // patrols and visits; one to the care list moves its rhythm on
	Classwork Classwork        // what it does to the party class
	Talk      *Talk            // the conversation afterwards
	Topics    []TopicChange    // topics, and votes on them; see topic.go
	Votes     []topic.Vote
	Tickets   []TicketChange
	Pushes    []Push
	Media     []MediaFile // new media, to be fetched
	Attach    []Attach    // media that now belong to a ticket
	Consents  []Consent   // what somebody agreed to be sent, or no longer does
	Ended     []PushEnd   // pushes that came to their end by this
	Samples   []Sample    // what a worker said that words mean
	// Looks are lines of the audit log: what somebody is shown of others' data by
	// the reply.
	Looks []access.Entry
	// Tasks follow the commit. With the Drive away they are lost: only for what
	// nobody is owed.
	Tasks []Task
}

// Sample is a message with what a worker said it is about: what the model can
// learn from. One ticket has one, the last.
type Sample struct {
	Number   int64
	Text     string // what the resident wrote
	Guess    workflow.Category
	Kind     workflow.Kind
	Category workflow.Category
	Severity workflow.Severity
	By       workflow.PersonID
	At       time.Time
}

// Delivery is one message of a person as it was taken, with the reply given.
// ID is unique within the community (see bot/wechat): the same ID twice gives
// ErrSeen.
type Delivery struct {
	ID     string
	Person workflow.PersonID
	Type   string // text, image, …, event:subscribe
	Text   string
	Reply  string
	At     time.Time
	// Deferred: the reply could not go out with the webhook's answer and was
	// owed as a push instead.
	Deferred bool
}

// Following says that a person follows the account from now on, or not.
type Following struct {
	Person workflow.PersonID
	Yes    bool
}

// Home registers where somebody lives.
type Home struct {
	Person workflow.PersonID
	Place  workflow.Place
}

// Contacted is what somebody is called and their telephone, as they or who
// filed for them said; what is empty stays as it is.
type Contacted struct {
	Person workflow.PersonID
	Name   string
	Phone  string
}

// Away says when somebody is on leave; the zero Leave: not any more.
type Away struct {
	Person workflow.PersonID
	Leave  workflow.Leave
}

// GridShare is how many tickets a grid resolved, and how many of them without
// leaving its hands.
type GridShare struct {
	Grid   string
	Solved int
	Inside int
}

// Consent is what somebody said to a subscription template: By more sends are
// agreed to, or None any more.
type Consent struct {
	Person   workflow.PersonID
	Template string
	By       int
	None     bool
}

// PushEnd is the end of a push that was learnt of after it was sent, or made
// by a telephone call.
type PushEnd struct {
	Key string
	PushOutcome
}

// Talk is one person's conversation: State belongs to the bot and is opaque
// here. Was is the version it was read at, 0 for none.
type Talk struct {
	Person        workflow.PersonID
	Was           int64
	State         json.RawMessage
	LastMessageAt time.Time // opens WeChat's 48 h window; zero = unchanged
	LastClickAt   time.Time // opens WeChat's 1 min window; zero = unchanged
}

// TicketChange is a ticket after its new events; Was is its version before
// them, 0 for a new one.
type TicketChange struct {
	Was    int64
	Ticket workflow.Ticket
	Events []workflow.Event
}

// PushStatus is the fate of a push.
type PushStatus string

// The fates. Owed and sending go on; the others are ends, and visible.
const (
	PushOwed    PushStatus = "owed"
	PushSending PushStatus = "sending" // leased by a sender
	PushSent    PushStatus = "sent"
	PushManual  PushStatus = "manual"  // no channel reaches the person: somebody should telephone
	PushDone    PushStatus = "done"    // somebody telephoned
	PushDropped PushStatus = "dropped" // not worth a telephone call (a photo, a progress note)
	PushUnknown PushStatus = "unknown" // fate unknown and not worth a duplicate
)

// Push is one message that the desk owes to one person. Key is unique within
// the community, so that it is owed once however often it is derived.
type Push struct {
	Community string
	Key       string // "1024:7:accepted:55", "late:<delivery>"
	Person    workflow.PersonID
	Number    int64 // the ticket, 0 for none
	Purpose   workflow.Purpose
	Facts     Facts
	Status    PushStatus
	Channel   string // custom, template, subscribe; "" before it is sent
	Attempts  int
	NextTry   time.Time // not before
	ErrCode   int64     // WeChat's last errcode, 0 for none
	Error     string    // last error, redacted
	CreatedAt time.Time
	SentAt    time.Time
	Lease     int64 // by which its sender has it, for the outcome
}

// Urgent tells whether the push goes before others.
func (p Push) Urgent() bool { return p.Purpose.Urgent() }

// Waits is until when the push must wait because residents should have quiet, now
// where it need not: an emergency, and an hour that somebody chose themselves.
func (p Push) Waits(c *workflow.Community, now time.Time) time.Time {
	chosen := !p.Facts.Wanted.IsZero() && !now.Before(p.Facts.Wanted) && now.Before(p.Facts.Wanted.Add(time.Hour))
	if !p.Purpose.Quiet() || p.Facts.Severity == workflow.Emergency || chosen {
		return now
	}
	return c.Quiet.Next(now, c.Location()).UTC()
}

// Facts are what the words of a push or a reply are filled with: the ticket
// as it was when the push became owed.
type Facts struct {
	Number     int64             `json:"number,omitempty"`
	Kind       workflow.Kind     `json:"kind,omitempty"`
	Category   workflow.Category `json:"category,omitempty"`
	Severity   workflow.Severity `json:"severity,omitempty"`
	Danger     string            `json:"danger,omitempty"`
	State      workflow.State    `json:"state,omitempty"`
	Stand      workflow.Stand    `json:"stand,omitempty"`
	Place      workflow.Place    `json:"place"`
	Text       string            `json:"text,omitempty"` // the matter, as the resident wrote it
	Said       string            `json:"said,omitempty"` // the words of the event: question, note, result, reason
	Owner      workflow.PersonID `json:"owner,omitempty"`
	Unit       string            `json:"unit,omitempty"`
	Level      int               `json:"level,omitempty"`
	Why        string            `json:"why,omitempty"`
	Clock      workflow.Clock    `json:"clock,omitempty"`
	Rating     workflow.Rating   `json:"rating,omitempty"`
	Into       int64             `json:"into,omitempty"`
	Reporter   workflow.PersonID `json:"reporter,omitempty"`
	ResponseBy time.Time         `json:"response_by,omitzero"`
	ResolveBy  time.Time         `json:"resolve_by,omitzero"`
	Media      string            `json:"media,omitempty"` // photo: the media file's ID

	// Anonymous: who reads it may not know who asked, nor where they live.
	Anonymous bool `json:"anonymous,omitempty"`
	Unnamed   bool `json:"unnamed,omitempty"` // a wish whose owner has not said that claimers may know them

	Event   workflow.EventType `json:"event,omitempty"`
	By      workflow.PersonID  `json:"by,omitempty"`     // who did what the push tells of
	Helper  workflow.PersonID  `json:"helper,omitempty"` // whose part it is
	Part    string             `json:"part,omitempty"`
	Rung    int                `json:"rung,omitempty"`
	Also    int                `json:"also,omitempty"` // followers
	Support int                `json:"support,omitempty"`
	Unasked bool               `json:"unasked,omitempty"` // what the resident was asked need not be answered any more
	Lesson  int64              `json:"lesson,omitempty"`  // what it is about, of the party class
	Wanted  time.Time          `json:"wanted,omitzero"`   // the hour that they chose themselves for it
	Days    int                `json:"days,omitempty"`    // a pair's rhythm
	Points  int                `json:"points,omitempty"`  // what the person told earned or lost
	Source  workflow.Source    `json:"source,omitempty"`
}

// MediaStatus is the state of a media file.
type MediaStatus string

// The states of a media file.
const (
	MediaOwed    MediaStatus = "owed"    // to be fetched within three days
	MediaUnheard MediaStatus = "unheard" // a recording in the media store whose words are still to be made out
	MediaStored  MediaStatus = "stored"  // in the media store under its ID
	MediaRefused MediaStatus = "refused" // wrong type or too large
	MediaGone    MediaStatus = "gone"    // WeChat has it no longer
)

// MediaFile is a photo, recording or video that somebody sent.
type MediaFile struct {
	Community string
	ID        string // our key, also the media store's
	Person    workflow.PersonID
	WeChatID  string // WeChat's media_id, valid for three days
	Type      string // image, voice, video
	Status    MediaStatus
	MIME      string
	Size      int64 // bytes as stored
	Number    int64 // the ticket it belongs to, 0 while loose
	CreatedAt time.Time
	// Spoken: a recording without words, which are to be made out and answered.
	Spoken bool
}

// Attach says that media belong to a ticket.
type Attach struct {
	Number int64
	IDs    []string
}

// Why a push was not sent, where it was not the platform that refused: what stands in
// PushOutcome.Error, with details for the log after a colon. Words for people are
// found by them.
const (
	WhyUnreachable = "unreachable" // they left the account, or are known without WeChat
	WhyNoChannel   = "no_channel"  // the platform lets no channel reach them now
	WhyInterrupted = "interrupted" // its sender died, perhaps after sending
	WhyNoAccount   = "no_account"  // the community is not connected
	WhyNotArrived  = "not_arrived" // the platform says so after it took the message
	WhySuperseded  = "superseded"  // a newer call to them tells the same
)

// IsWhy tells such a reason from an error's text.
func IsWhy(s string) bool {
	return slices.Contains([]string{WhyUnreachable, WhyNoChannel, WhyInterrupted, WhyNoAccount, WhyNotArrived, WhySuperseded}, s)
}

// PushOutcome is what became of an attempt to send.
type PushOutcome struct {
	Status  PushStatus
	Channel string
	NextTry time.Time // with PushOwed: try again then
	Held    bool      // with PushOwed: it was not tried, so this attempt does not count
	ErrCode int64
	Error   string // redacted; one of the reasons above or an error's text
	MsgID   int64  // WeChat's id of a template message, by which its result is reported; 0 for none
	At      time.Time
	Lease   int64 // of the push; with PushOwed it must still be that one
}

// Contact is what decides which channel may reach a person now.
type Contact struct {
	LastMessageAt time.Time // zero if never
	LastClickAt   time.Time
	SinceMessage  int            // customer-service messages sent since the message
	SinceClick    int            // and since the click
	Consents      map[string]int // subscription template ID → sends left
}

// Shape is a community's document, staff and model at one moment.
type Shape struct {
	Version   int64 // rises with every change of anything here
	Community *workflow.Community
	Roster    workflow.Roster
	Model     int64 // the community's own model that is in use, 0 = none; see package learn
}

// Journal is the record, in PostgreSQL. Every method is safe for concurrent
// use; errors other than ErrStale, ErrSeen and *workflow.Error mean that the
// record cannot be reached or is at fault.
type Journal interface {
	// Ping tells whether the record answers at all.
	Ping(ctx context.Context) error
	// Commit stores the change whole, durably, or not at all. Concurrent
	// changes share one transaction; each caller gets its own answer.
	Commit(ctx context.Context, ch Change) error

	// NextNumber is a fresh ticket number; NextPerson a fresh person ID. Both
	// leave gaps after a restart and never repeat.
	NextNumber(ctx context.Context, community string) (int64, error)
	NextPerson(ctx context.Context) (workflow.PersonID, error)

	// Ticket is a *workflow.Error with CodeNotFound where there is none.
	Ticket(ctx context.Context, community string, number int64) (workflow.Ticket, error)
	Events(ctx context.Context, community string, number int64) ([]workflow.Event, error)
	// Owned are the open tickets that somebody has, the most pressing first (see
	// workflow.Ticket.Pressing).
	Owned(ctx context.Context, community string, owner workflow.PersonID, limit int) ([]workflow.Ticket, error)
	// Reported are somebody's own tickets, newest first; ended ones too where
	// ended is set.
	Reported(ctx context.Context, community string, reporter workflow.PersonID, ended bool, limit int) ([]workflow.Ticket, error)
	// Wall are the wishes that may be claimed, oldest first, after a number.
	Wall(ctx context.Context, community string, after int64, limit int) ([]workflow.Ticket, error)
	// Tray are the tickets to be filed by hand in a grid ("" = those without
	// one), the most pressing first.
	Tray(ctx context.Context, community, grid string, limit int) ([]workflow.Ticket, error)
	// Risen are the tickets at or above a level that wait for somebody to do
	// something, the most pressing first: not those that are done or lie in the tray,
	// nor those that somebody (but; 0 = nobody) has themselves.
	Risen(ctx context.Context, community string, level int, but workflow.PersonID, limit int) ([]workflow.Ticket, error)
	// Near are the open incidents of a category in a building, or at a landmark,
	// filed since a moment, newest first.
	Near(ctx context.Context, community string, place workflow.Place, category workflow.Category, since time.Time, limit int) ([]workflow.Ticket, error)
	Topics // see topic.go
	// Helped are the open tickets of which somebody has a part, the most pressing
	// first; Wished the wishes on the wall that most neighbours support.
	Helped(ctx context.Context, community string, helper workflow.PersonID, limit int) ([]workflow.Ticket, error)
	Wished(ctx context.Context, community string, limit int) ([]workflow.Ticket, error)
	// Solved is each grid's share between two moments.
	Solved(ctx context.Context, community string, from, until time.Time) ([]GridShare, error)
	// Followed is the Shape's version that the open tickets have followed;
	// FollowedTo notes a later one.
	Followed(ctx context.Context, community string) (int64, error)
	FollowedTo(ctx context.Context, community string, shape int64) error
	// Unleft are the tickets that may lack that somebody left them (see
	// workflow.Unleft); WasLeft notes that one has been looked at.
	Unleft(ctx context.Context, community string) ([]int64, error)
	WasLeft(ctx context.Context, community string, number int64) error
	// OpenTickets calls f with every open ticket, in the order of their filing; it
	// also rebuilds the Drive.
	OpenTickets(ctx context.Context, community string, f func(workflow.Ticket) error) error
	// DueTickets are numbers of open tickets whose next deadline is not after
	// a moment, earliest first.
	DueTickets(ctx context.Context, community string, until time.Time, limit int) ([]int64, error)
	// Loads is how many open tickets each owner has.
	Loads(ctx context.Context, community string) (map[workflow.PersonID]int, error)

	// Delivered is a delivery in the record; ok is false where there is none.
	Delivered(ctx context.Context, community, id string) (d Delivery, ok bool, err error)
	// PersonByOpenID is who writes; ok is false for a first message.
	PersonByOpenID(ctx context.Context, community, openid string) (p workflow.Person, ok bool, err error)
	Person(ctx context.Context, community string, id workflow.PersonID) (workflow.Person, error)
	Ledger
	// Names are the names of whom some tickets are about, by number: of all who
	// ever reported one, who follow it and who wish the same.
	Names(ctx context.Context, community string, numbers []int64) (map[int64][]string, error)
	// Residents are those whom a telephone number finds, else a name.
	Residents(ctx context.Context, community, name, phone string) ([]workflow.Person, error)
	// CareDue are the entries of some grids' care lists that are due until a
	// moment, the longest due first; CareNamed those with a name.
	CareDue(ctx context.Context, community string, grids []string, until time.Time, limit int) ([]workflow.Care, error)
	CareNamed(ctx context.Context, community, name string) ([]workflow.Care, error)
	Lessons
	// RoundsOf is how many rounds of a kind somebody recorded since a moment.
	RoundsOf(ctx context.Context, community string, by workflow.PersonID, kind workflow.RoundKind, since time.Time) (int, error)
	PropertyMonths
	// Talk is somebody's conversation and its version; a zero version where
	// there is none yet.
	Talk(ctx context.Context, community string, person workflow.PersonID) (state json.RawMessage, version int64, err error)

	// Communities are the codes of all communities, and Shapes' versions, so
	// that a running process sees a change within a second at little cost.
	Communities(ctx context.Context) (map[string]int64, error)
	Shape(ctx context.Context, community string) (Shape, error)

	// TakePush leases a push that is owed and due (or whose lease ran out:
	// then Attempts tells) to one sender; ok is false where there is nothing
	// to do. A push whose lease ran out comes back with Status PushSending.
	TakePush(ctx context.Context, community, key string, now time.Time, lease time.Duration) (p Push, ok bool, err error)
	// FinishPush stores the outcome of an attempt.
	FinishPush(ctx context.Context, community, key string, out PushOutcome) error
	// OwedPushes are pushes owed and due, or with a lease that ran out, oldest
	// first; only their key, person and purpose are read.
	OwedPushes(ctx context.Context, community string, now time.Time, limit int) ([]Push, error)
	// PushByMsgID finds a template push by WeChat's message id, for its result.
	PushByMsgID(ctx context.Context, community string, msgID int64) (p Push, ok bool, err error)
	// LastSubscribe is the push sent last to somebody as a subscription notice,
	// for its result, which comes without an id that was known; ok is false
	// where there is none.
	LastSubscribe(ctx context.Context, community string, person workflow.PersonID) (p Push, ok bool, err error)
	// ManualPushes are the pushes that need a telephone call and that the
	// filter lets through, oldest first.
	ManualPushes(ctx context.Context, community string, f Manual, limit int) ([]Push, error)
	Contact(ctx context.Context, community string, person workflow.PersonID) (Contact, error)
	// Consent adds (or with -1 uses up) one subscription consent; it reports
	// whether one was there to use.
	Consent(ctx context.Context, community string, person workflow.PersonID, template string, by int) (bool, error)

	// MediaToFetch are media still owed or unheard, oldest first.
	MediaToFetch(ctx context.Context, community string, limit int) ([]MediaFile, error)
	Media(ctx context.Context, community, id string) (MediaFile, error)
	FinishMedia(ctx context.Context, community, id string, status MediaStatus, mime string, size int64) error
	// Heard says that nothing more is to be made out of a recording.
	Heard(ctx context.Context, community, id string) error

	// DeadLetter keeps a task that failed for good, for a person to see.
	DeadLetter(ctx context.Context, community, queue string, body []byte, reason string, at time.Time) error
	// DeadLetters are they, newest first; DeadLetterByID is one of them, ok is
	// false where there is none; RemoveDeadLetter forgets one.
	DeadLetters(ctx context.Context, community string, limit int) ([]DeadLetter, error)
	DeadLetterByID(ctx context.Context, community string, id int64) (d DeadLetter, ok bool, err error)
	RemoveDeadLetter(ctx context.Context, community string, id int64) error

	// What the weekly digest counts, and the digests that were sent: kept as they
	// were sent (ok is false where the week's was sent before), read by their
	// week, and the last ones of weeks before one, the newest first.
	digest.Source
	KeepDigest(ctx context.Context, d digest.Digest) (ok bool, err error)
	SentDigest(ctx context.Context, community string, week digest.Week) (d digest.Digest, ok bool, err error)
	LastDigests(ctx context.Context, community string, before digest.Week, limit int) ([]digest.Digest, error)

	// Bind gives a person their WeChat by a one-time code, and says which
	// resident wrote with it before, 0 for nobody; what that one was still owed
	// is owed to the person. The same code with the same WeChat does the same
	// again. A *workflow.Error with CodeNotFound where the code is wrong, used
	// by another or too old.
	Bind(ctx context.Context, community, code, openid string, now time.Time) (p workflow.Person, former workflow.PersonID, err error)
}

// Complaint is one complaint that went to the hotline: no names, no words.
type Complaint struct {
	Number   string // the hotline's own: the same one twice is one
	At       time.Time
	Category string // as the hotline calls it
	Grid     string // "" where its address is not understood
}

// Manual says which calls are somebody's to make: all, or those about their
// tickets, about what they own, or in their grids. Never those to themselves,
// nor asking for a verdict on their own work.
type Manual struct {
	All     bool
	Numbers []int64
	Owner   workflow.PersonID
	Grids   []string
	Not     workflow.PersonID
	// Those after one that was made at a moment under a key; zero = from the oldest.
	After    time.Time
	AfterKey string
}

// TaskKind says what a queued task is.
type TaskKind string

// The tasks of the stage queue.
const (
	TaskMessage TaskKind = "message" // a message that could not be handled in time; Body is the bot's
	TaskTick    TaskKind = "tick"    // a ticket's clock is due
	TaskMedia   TaskKind = "media"   // a media file is to be fetched
	TaskPush    TaskKind = "push"    // a push is owed
	TaskHear    TaskKind = "hear"    // the words of a recording are to be made out
	TaskAdvice  TaskKind = "advice"  // a ticket is in doubt: a second opinion may help
	TaskEntry   TaskKind = "entry"   // an Entry that could not be entered in time; Body is it
)

// Task is one entry of a queue. Key is the ticket number, media ID or push
// key; ID and Deliveries are the queue's own.
type Task struct {
	Kind       TaskKind
	Key        string
	Body       []byte
	Lane       string // tasks of one lane are done one after the other, in order; "" for none
	Urgent     bool   // of a push: it stood on the urgent queue
	ID         string
	Stream     string
	Deliveries int64 // how often it was handed out, 1 the first time
}

// Drive is what drives, in Redis. Everything in it can be rebuilt from the
// Journal except tasks of kind message and entry, which its append-only file keeps.
// Every method fails fast when Redis is away.
type Drive interface {
	// Committed follows a change: live state, deadlines, loads, push and
	// media tasks; and tells other processes of it (see NoticeOf).
	Committed(ctx context.Context, ch Change) error
	// Tell tells other processes a notice; Listen opens a line on which this one
	// hears theirs, not its own.
	Tell(ctx context.Context, community string, n Notice) error
	Listen(ctx context.Context) (Line, error)
	// Live is an open ticket's state if the Drive has it.
	Live(ctx context.Context, community string, number int64) (t workflow.Ticket, ok bool, err error)
	// Forget drops an open ticket's live state that proved stale.
	Forget(ctx context.Context, community string, number int64) error
	// Talk is a conversation if the Drive has it.
	Talk(ctx context.Context, community string, person workflow.PersonID) (state json.RawMessage, version int64, ok bool, err error)
	ForgetTalk(ctx context.Context, community string, person workflow.PersonID) error
	Loads(ctx context.Context, community string) (loads map[workflow.PersonID]int, ok bool, err error)

	// Begin claims a delivery: first is true for its first sight; otherwise
	// reply is the stored reply and done tells whether it is there yet.
	Begin(ctx context.Context, community, delivery string, ttl time.Duration) (first, done bool, reply string, err error)
	// Done stores the reply of a delivery; Undo forgets that it was begun.
	Done(ctx context.Context, community, delivery, reply string, ttl time.Duration) error
	Undo(ctx context.Context, community, delivery string) error
	// Replied tells whether a delivery has its reply; nothing is claimed.
	Replied(ctx context.Context, community, delivery string) (bool, error)
	// Allow is a rate limit: at most n of name within per; what is asked for counts as
	// cost of them.
	Allow(ctx context.Context, community, name string, cost, n int, per time.Duration) (bool, error)

	// Add puts a task on its queue (push tasks on the push queue, urgent ones
	// first; others on the stage queue).
	Add(ctx context.Context, community string, t Task, urgent bool) error
	// Read waits up to block for tasks that nobody has, of any queue.
	Read(ctx context.Context, community, consumer string, n int, block time.Duration) ([]Task, error)
	// Mine gives up to n tasks of each queue that this consumer has and has not
	// finished, those in hand among them.
	Mine(ctx context.Context, community, consumer string, n int) ([]Task, error)
	// Claim takes over tasks that another consumer left unfinished for idle.
	Claim(ctx context.Context, community, consumer string, idle time.Duration, n int) ([]Task, error)
	// Finish acknowledges a task and removes it.
	Finish(ctx context.Context, community string, t Task) error
	// FireDue puts a tick task on the stage queue for every deadline that is
	// due and pushes that deadline back by lease, in one step, so that of
	// many replicas one does it. It returns how many.
	FireDue(ctx context.Context, community string, now time.Time, lease time.Duration, limit int) (int, error)

	// Ready tells whether the Drive holds the community's state; false after
	// a loss.
	Ready(ctx context.Context, community string) (bool, error)
	// Restore sets live state and deadline of some open tickets, and all
	// loads; MarkReady ends a rebuild.
	Restore(ctx context.Context, community string, tickets []workflow.Ticket) error
	RestoreLoads(ctx context.Context, community string, loads map[workflow.PersonID]int) error
	MarkReady(ctx context.Context, community string) error
	// Lock is a lease on a name for one of many replicas; unlock is safe
	// after the lease ran out.
	Lock(ctx context.Context, community, name string, ttl time.Duration) (unlock func(), ok bool, err error)
}

// MayCustom tells whether a customer-service message may go to the person by
// WeChat's rules: 5 within 48 hours of a message, 3 within a minute of a menu
// click, scan or follow.
func (c Contact) MayCustom(now time.Time) bool {
	return now.Sub(c.LastMessageAt) < 48*time.Hour && c.SinceMessage < 5 ||
		now.Sub(c.LastClickAt) < time.Minute && c.SinceClick < 3
}
