package workflow

import "time"

// EventType says what happened; the names are kept in the record for ever.
type EventType string

// The events, one for each row's result in the table.
const (
	EvFiled          EventType = "filed"
	EvClassified     EventType = "classified"
	EvReclassified   EventType = "reclassified"
	EvTrayed         EventType = "trayed"
	EvAdvised        EventType = "advised"
	EvPublished      EventType = "published"
	EvAssigned       EventType = "assigned"
	EvClaimed        EventType = "claimed"
	EvAccepted       EventType = "accepted"
	EvTransferred    EventType = "transferred"
	EvReturned       EventType = "returned"
	EvAsked          EventType = "asked"
	EvAnswered       EventType = "answered"
	EvNoted          EventType = "noted"
	EvSupplemented   EventType = "supplemented"
	EvResolved       EventType = "resolved"
	EvRated          EventType = "rated"
	EvReopened       EventType = "reopened"
	EvCancelled      EventType = "cancelled"
	EvMerged         EventType = "merged"
	EvAbsorbed       EventType = "absorbed"
	EvSplit          EventType = "split"
	EvReleased       EventType = "released"
	EvAdopted        EventType = "adopted"
	EvLeft           EventType = "left"
	EvUrged          EventType = "urged"
	EvEscalated      EventType = "escalated"
	EvQuestionLapsed EventType = "question_lapsed"
	EvOverdue        EventType = "overdue"
	EvBroughtUp      EventType = "brought_up"
	EvRatingReminded EventType = "rating_reminded"
	EvClosedByTime   EventType = "closed_by_time"

	EvReminded     EventType = "reminded"
	EvMoved        EventType = "moved"
	EvCalled       EventType = "called"
	EvJoined       EventType = "joined"
	EvPartDone     EventType = "part_done"
	EvPartDeclined EventType = "part_declined"
	EvPaired       EventType = "paired"
	EvVisited      EventType = "visited"
	EvConsented    EventType = "consented"
	EvSupported    EventType = "supported"
	EvThanked      EventType = "thanked"
	EvClosedAlone  EventType = "closed_alone"
)

// Event is one thing that happened to a ticket. It holds all that Apply
// needs, so that replaying events needs neither rules nor people. Due, where
// not nil, is the complete set of clocks that run afterwards. Question is the
// one that was asked or answered; of a classification the one that stays open, of
// a result the one that it makes needless.
type Event struct {
	Seq   int64     `json:"seq"` // 1 for the first; the ticket's version after it
	At    time.Time `json:"at"`
	Type  EventType `json:"type"`
	Actor ActorKind `json:"actor"`
	By    PersonID  `json:"by,omitempty"`
	To    State     `json:"to"` // the ticket's state afterwards

	Text     string              `json:"text,omitempty"`
	Media    []Media             `json:"media,omitempty"`
	Kind     Kind                `json:"kind,omitempty"`
	Category Category            `json:"category,omitempty"`
	Severity Severity            `json:"severity,omitempty"`
	Danger   string              `json:"danger,omitempty"`
	Place    *Place              `json:"place,omitempty"`
	Reporter PersonID            `json:"reporter,omitempty"`
	Owner    PersonID            `json:"owner,omitempty"`
	Former   PersonID            `json:"former,omitempty"` // the owner before
	Why      string              `json:"why,omitempty"`
	Unit     string              `json:"unit,omitempty"`
	Level    int                 `json:"level,omitempty"`
	Question *Question           `json:"question,omitempty"`
	Rating   Rating              `json:"rating,omitempty"`
	Into     int64               `json:"into,omitempty"`
	Follow   []PersonID          `json:"follow,omitempty"`
	Clock    Clock               `json:"clock,omitempty"`
	Source   Source              `json:"source,omitempty"`
	Rung     int                 `json:"rung,omitempty"`    // the ladder's step
	Tell     []Hearer            `json:"tell,omitempty"`    // and whom it tells
	Helper   PersonID            `json:"helper,omitempty"`  // whose part it is
	Outside  bool                `json:"outside,omitempty"` // it left its grid's hands by this
	Phoned   bool                `json:"phoned,omitempty"`  // said on the telephone
	Yes      bool                `json:"yes,omitempty"`
	Every    time.Duration       `json:"every,omitempty"`
	Points   []Point             `json:"points,omitempty"`
	Due      map[Clock]time.Time `json:"due,omitzero"`
}

// Rewords tells whether an event of this type may change what the ticket says,
// what it is about or where it is.
func (t EventType) Rewords() bool {
	switch t {
	case EvFiled, EvClassified, EvReclassified, EvAdvised, EvMoved, EvAnswered, EvQuestionLapsed, EvSupplemented, EvLeft:
		return true
	}
	return false
}
