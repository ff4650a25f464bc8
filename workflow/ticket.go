package workflow

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// State is where a ticket stands in the loop; see table.go.
type State string

// The states of the table.
const (
	None       State = ""           // before the ticket is filed
	Received   State = "received"   // somebody reported, it is not yet clear what or where
	Classified State = "classified" // kind, category, severity and place are known; on the wall, in the tray, or on its way to an owner
	Assigned   State = "assigned"   // has an owner who has not yet accepted
	Accepted   State = "accepted"   // the owner is on it
	Resolved   State = "resolved"   // done in the owner's eyes; the resident has the word
	Closed     State = "closed"     // the resident had the last word, or the time for it
	Cancelled  State = "cancelled"  // withdrawn, or found to be none
	Merged     State = "merged"     // lives on in another ticket
)

// Open tells whether a ticket in this state still needs somebody.
func (s State) Open() bool {
	switch s {
	case Received, Classified, Assigned, Accepted, Resolved:
		return true
	}
	return false
}

// Stand says where an open ticket without an accepted owner stands.
type Stand string

// The places where a ticket can stand.
const (
	WithNobody Stand = ""     // only while the machine is on its way to an owner, or the resident is asked what or where
	WithOwner  Stand = "with" // an owner has it
	OnWall     Stand = "wall" // a wish that may be claimed
	InTray     Stand = "tray" // to be filed or assigned by hand
)

// Levels of responsibility. A reopened or escalated ticket goes up by one.
const (
	LevelGrid        = 1 // the grid's workers
	LevelCommittee   = 2 // the community's party committee
	LevelSubdistrict = 3 // the subdistrict is told; the committee still owns it
)

// Clock names a running deadline of a ticket.
type Clock string

// The clocks. What each does when it fires stands in table.go.
const (
	ClockQuestion  Clock = "question"        // the resident's answer is awaited
	ClockResponse  Clock = "response"        // somebody must accept
	ClockFeedback  Clock = "feedback"        // the resident must hear how it stands (大事24小时反馈)
	ClockResolve   Clock = "resolve"         // it must be resolved
	ClockUnclaimed Clock = "unclaimed"       // a wish without a claimer goes to the committee
	ClockTray      Clock = "tray"            // must be filed by hand
	ClockVisit     Clock = "visit"           // a pair's next visit is due
	ClockReminder  Clock = "reminder"        // who has it is reminded before a promise is missed
	ClockAgain     Clock = "again"           // the next step of the ladder: an overdue matter is brought up again
	ClockRemind    Clock = "rating_reminder" // one reminder to rate
	ClockRating    Clock = "rating"          // then it is closed by time
)

// Rating is the resident's verdict.
type Rating string

// The three verdicts, as residents tap them.
const (
	Satisfied   Rating = "satisfied"   // 满意
	Fair        Rating = "fair"        // 基本满意
	Unsatisfied Rating = "unsatisfied" // 不满意: reopens one level higher
)

// Topic says what a question is about.
type Topic string

// The topics.
const (
	TopicPlace  Topic = "place"  // where is it (asked by the desk itself)
	TopicWhat   Topic = "what"   // what is it (asked by the desk itself)
	TopicWorker Topic = "worker" // a worker's own question
)

// Question is what the resident was asked and has not answered.
type Question struct {
	Topic  Topic     `json:"topic"`
	Text   string    `json:"text,omitempty"` // a worker's words; the desk's own questions have theirs in the wording
	By     PersonID  `json:"by,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
	Pauses bool      `json:"pauses"` // the other clocks stand still meanwhile
}

// Media is one photo, recording or video kept with a ticket.
type Media struct {
	ID   string   `json:"id"`   // the media store's key
	Type string   `json:"type"` // image, voice, video
	By   PersonID `json:"by,omitempty"`
}

// HandState is how far somebody called to a ticket is with their part.
type HandState string

// The states of a hand.
const (
	HandCalled   HandState = "called"   // is on it
	HandDone     HandState = "done"     // has done it
	HandDeclined HandState = "declined" // handed it back, or plays no part any more
	HandReleased HandState = "released" // not needed any more: the ticket ended before
)

// Hand is somebody beside the owner who does a part of a ticket: called by
// the owner (协助), or a claimer who joined a wish (一起办).
type Hand struct {
	Person PersonID  `json:"person"`
	Unit   string    `json:"unit,omitempty"` // claimers: as they are shown
	Part   string    `json:"part,omitempty"` // what they are to do
	State  HandState `json:"state"`
	Result string    `json:"result,omitempty"` // what they did, or why not
	At     time.Time `json:"at"`
	DoneAt time.Time `json:"done_at,omitzero"`
}

// Pair 结对帮扶 is a wish that takes longer: who claimed it visits in a rhythm
// until it ends.
type Pair struct {
	Every  time.Duration `json:"every"` // ns, whole days
	Visits int           `json:"visits,omitempty"`
	LastAt time.Time     `json:"last_at,omitzero"`
}

// Source says how a ticket came in.
type Source string

// The sources; a ticket from before they were noted has none.
const (
	SourceChat    Source = "chat"    // the resident wrote
	SourceBehalf  Source = "behalf"  // 代报: a worker filed it for somebody
	SourceMailbox Source = "mailbox" // 心愿信箱, 心愿墙: imported
	SourcePatrol  Source = "patrol"  // 巡查, 走访: a worker found it
	SourceFixed   Source = "fixed"   // 随手做: found and fixed on the spot
	SourceTopic   Source = "topic"   // 微议题: the neighbours decided it
	SourceOpen311 Source = "open311" // other civic software, by Open311
	SourceAPI     Source = "api"     // other software, by the JSON API
)

// Ticket 工单 is one incident or wish and all that the rules need to know of
// it. It is nothing but what its events make (see Replay); Version is their
// number.
type Ticket struct {
	Community string `json:"community"`
	Number    int64  `json:"number"` // short, can be said over the telephone; unique within the community
	Version   int64  `json:"version"`

	State    State    `json:"state"`
	Stand    Stand    `json:"stand,omitempty"`
	Kind     Kind     `json:"kind"`
	Category Category `json:"category,omitempty"`
	Severity Severity `json:"severity,omitempty"`
	Danger   string   `json:"danger,omitempty"` // which emergency, see Understanding
	Text     string   `json:"text"`             // what the resident wrote first, and later additions line by line
	Place    Place    `json:"place"`
	Media    []Media  `json:"media,omitempty"`

	Reporter  PersonID   `json:"reporter,omitempty"`
	FiledBy   PersonID   `json:"filed_by,omitempty"` // a worker, where it was filed on behalf
	Source    Source     `json:"source,omitempty"`
	Named     bool       `json:"named,omitempty"`     // the reporter lets claimers know who asks
	Followers []PersonID `json:"followers,omitempty"` // reporters of tickets merged into this one

	Level    int        `json:"level"`
	Owner    PersonID   `json:"owner,omitempty"`
	Why      string     `json:"why,omitempty"` // the assignment rule that chose the owner
	Handlers []PersonID `json:"handlers,omitempty"`
	// Passed are those who handed it on since it was last assigned.
	Passed  []PersonID `json:"passed,omitempty"`
	Hands   []Hand     `json:"hands,omitempty"`
	Pair    *Pair      `json:"pair,omitempty"`
	Outside bool       `json:"outside,omitempty"` // it left its grid's hands, or rose to the committee

	Question  *Question           `json:"question,omitempty"`
	Due       map[Clock]time.Time `json:"due,omitempty"`       // the running clocks; those that a question pauses keep their old time
	Overdue   []Clock             `json:"overdue,omitempty"`   // the clocks missed since the filing or the last reopening
	LateSince time.Time           `json:"late_since,omitzero"` // when the first of them was missed that is not made good
	Late      Clock               `json:"late,omitempty"`      // the clock whose ladder is being climbed
	Rung      int                 `json:"rung,omitempty"`      // and its step, 0 for the first

	FiledAt      time.Time `json:"filed_at"`
	Since        time.Time `json:"since"` // the promises count from here: filing or reopening, moved on by pauses
	ClassifiedAt time.Time `json:"classified_at,omitzero"`
	AssignedAt   time.Time `json:"assigned_at,omitzero"`
	AcceptedAt   time.Time `json:"accepted_at,omitzero"` // first response
	ReportedAt   time.Time `json:"reported_at,omitzero"` // first feedback to the resident
	ResolvedAt   time.Time `json:"resolved_at,omitzero"`
	EndedAt      time.Time `json:"ended_at,omitzero"` // closed, cancelled or merged
	UrgedAt      time.Time `json:"urged_at,omitzero"`

	Resolution string   `json:"resolution,omitempty"`
	Rating     Rating   `json:"rating,omitempty"`
	ByTime     bool     `json:"by_time,omitempty"` // closed without a rating
	Reopened   int      `json:"reopened,omitempty"`
	Urged      int      `json:"urged,omitempty"`
	Escalated  int      `json:"escalated,omitempty"`
	Into       int64    `json:"into,omitempty"`     // the ticket it was merged into
	Absorbed   []int64  `json:"absorbed,omitempty"` // the tickets merged into it
	Claimers   []string `json:"claimers,omitempty"` // units that claimed a wish, as they are shown

	Supporters []PersonID `json:"supporters,omitempty"` // 我也想要: neighbours who wish the same
	Points     []Point    `json:"points,omitempty"`
}

// IsLate tells whether a promise is missed that can still be made good.
func (t *Ticket) IsLate() bool {
	return t.State.Open() && t.State != Resolved && !t.LateSince.IsZero()
}

// MadeGood tells whether a missed promise is history by now: that somebody would have
// it, once somebody has.
func (t *Ticket) MadeGood(c Clock) bool {
	return t.Owner != 0 && (c == ClockUnclaimed || c == ClockTray)
}

// MovesTo is the grid to which the ticket's building belongs by a community's
// document, "" where that is its own.
func (t *Ticket) MovesTo(c *Community) string {
	if t.Place.Building == 0 || t.Place.Grid == "" {
		return ""
	}
	if grid := c.GridOf(t.Place.Estate, t.Place.Building); grid != t.Place.Grid {
		return grid
	}
	return ""
}

// Urgent tells whether a wish must not wait on the wall (即接即办).
func (t *Ticket) Urgent() bool { return t.Severity == Emergency || t.Severity == Major }

// wallable tells whether it is a wish for the wall.
func (t *Ticket) wallable() bool {
	return t.Kind == Wish && t.Level == LevelGrid && !t.Urgent() && t.Category != LessonVisit
}

// How much may be added to a ticket: what everybody who handles it reads, in signs, and
// photos and recordings.
const (
	MostText  = 10_000
	MostMedia = 60
)

// HidesWho tells whether somebody may not know who wishes, and where they live:
// the one who asked has not agreed, and the person is neither they nor, by
// office, a worker of the grid, its leader or of the committee, nor has to go there.
func (t *Ticket) HidesWho(p Person) bool {
	visits := t.Category == LessonVisit && p.ID == t.Owner
	return t.Kind == Wish && !t.Named && !visits && p.ID != t.Reporter && !WhoGridWorker.Holds(t, By(p)) && !WhoCommittee.Holds(t, By(p))
}

// Hand is the open part of somebody, nil if they have none.
func (t *Ticket) Hand(p PersonID) *Hand {
	for i := range t.Hands {
		if t.Hands[i].Person == p && t.Hands[i].State == HandCalled {
			return &t.Hands[i]
		}
	}
	return nil
}

// Helpers are those with an open part.
func (t *Ticket) Helpers() []PersonID {
	var out []PersonID
	for _, h := range t.Hands {
		if h.State == HandCalled {
			out = append(out, h.Person)
		}
	}
	return out
}

// NextDue is the clock that fires next and when, reminders among them: for the
// machine, not for people (see Promise). While a question pauses the
// ticket, only the question's own clock runs: a stopped clock never fires. ok
// is false for tickets that have ended.
func (t *Ticket) NextDue() (c Clock, at time.Time, ok bool) {
	if !t.State.Open() {
		return "", time.Time{}, false
	}
	if t.Question != nil {
		c, at, ok = ClockQuestion, t.Question.Until, true
		if t.Question.Pauses {
			return c, at, ok
		}
	}
	for _, k := range slices.Sorted(maps.Keys(t.Due)) {
		if d := t.Due[k]; !ok || d.Before(at) {
			c, at, ok = k, d, true
		}
	}
	return c, at, ok
}

// promises are the clocks that somebody was given a word on. The others only
// remind, or bring up again what was missed.
var promises = []Clock{ClockResponse, ClockFeedback, ClockResolve, ClockUnclaimed, ClockTray, ClockVisit}

// Promise is what is promised next and by when: what a person reads who asks by
// when. ok is false where no promise runs: before somebody's verdict, while a
// question makes them stand still, where all were missed.
func (t *Ticket) Promise() (c Clock, at time.Time, ok bool) {
	for _, k := range promises {
		if d, running := t.running(k); running && (!ok || d.Before(at)) {
			c, at, ok = k, d, true
		}
	}
	return c, at, ok
}

// Pressing is where a list that puts the most pressing first has the ticket: what
// is late by since when it is, the rest by the next promise; zero, and last, where
// none runs.
func (t *Ticket) Pressing() time.Time {
	if t.IsLate() {
		return t.LateSince
	}
	_, at, _ := t.Promise()
	return at
}

// MorePressing compares tickets as a list has them that puts the most pressing
// first.
func MorePressing(a, b Ticket) int {
	x, y := a.Pressing(), b.Pressing()
	switch {
	case x.IsZero() && !y.IsZero():
		return 1
	case y.IsZero() && !x.IsZero():
		return -1
	}
	return cmp.Or(x.Compare(y), cmp.Compare(a.Number, b.Number))
}

// Involved tells whether a person reported the ticket or follows it.
func (t *Ticket) Involved(p PersonID) bool {
	return p != 0 && (t.Reporter == p || slices.Contains(t.Followers, p))
}

// Waits tells whether somebody reported the ticket, follows it or wishes the same.
func (t *Ticket) Waits(p PersonID) bool {
	return t.Involved(p) || p != 0 && slices.Contains(t.Supporters, p)
}

// InDoubt tells whether nobody knows yet what the ticket is about, and no
// person has asked its reporter: advice can still help.
func (t *Ticket) InDoubt() bool {
	return t.State == Received && t.Category == "" && (t.Question == nil || t.Question.Topic == TopicWhat)
}

// clone copies what Apply changes in place.
func (t *Ticket) clone() Ticket {
	c := *t
	c.Media = slices.Clip(c.Media)
	c.Followers = slices.Clip(c.Followers)
	c.Handlers = slices.Clip(c.Handlers)
	c.Overdue = slices.Clip(c.Overdue)
	c.Absorbed = slices.Clip(c.Absorbed)
	c.Claimers = slices.Clip(c.Claimers)
	c.Passed = slices.Clip(c.Passed)
	c.Hands = slices.Clone(c.Hands)
	c.Supporters = slices.Clip(c.Supporters)
	c.Points = slices.Clip(c.Points)
	if c.Pair != nil {
		pair := *c.Pair
		c.Pair = &pair
	}
	return c
}
