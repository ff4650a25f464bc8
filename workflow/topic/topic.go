package topic

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

// State is where a topic stands.
type State string

// The states. Those after Counting are ends.
const (
	Proposed State = "proposed" // 提出: the committee has not taken it up yet
	Talked   State = "talked"   // 议事: neighbours talk it over, on a bench
	Voting   State = "voting"   // 表决
	Counting State = "counting" // 计票: no vote comes in any more
	Decided  State = "decided"  // 通过
	Declined State = "declined" // 没有通过, or not taken up
	Lapsed   State = "lapsed"   // 人数不够: too few voted
)

// Ended tells whether nothing more becomes of it.
func (s State) Ended() bool { return s == Decided || s == Declined || s == Lapsed }

// Label is how it stands, as a key of the wording below topic_state: what the committee
// did not take up was not voted down.
func (t *Topic) Label() string {
	if t.State == Declined && t.Why != "" {
		return "unopened"
	}
	return string(t.State)
}

// CommandName is what can be done with a topic.
type CommandName string

// The commands.
const (
	Open    CommandName = "open"    // the committee takes it up
	Note    CommandName = "note"    // 板凳会: what was said, with photos
	Call    CommandName = "call"    // the committee calls the vote
	Decline CommandName = "decline" // the committee does not take it up, and says why
	Close   CommandName = "close"   // the time for votes is over
	Finish  CommandName = "finish"  // the votes are counted
)

// Row is one row of Table.
type Row struct {
	From    []State
	Command CommandName
	Desk    bool // the desk does it by itself; else the committee
	To      []State
}

// Table says what can be done with a topic, and what comes of it.
var Table = []Row{
	{[]State{Proposed}, Open, false, []State{Talked}},
	{[]State{Talked}, Note, false, []State{Talked}},
	{[]State{Talked}, Call, false, []State{Voting}},
	{[]State{Proposed, Talked}, Decline, false, []State{Declined}},
	{[]State{Voting}, Close, true, []State{Counting}},
	{[]State{Counting}, Finish, true, []State{Decided, Declined, Lapsed}},
}

// The refusals, besides those of the machine.
const (
	CodeNoHome    workflow.Code = "topic_no_home"   // nobody knows where they live
	CodeNoRoom    workflow.Code = "topic_no_room"   // nor behind which door
	CodeElsewhere workflow.Code = "topic_elsewhere" // they live elsewhere
	CodeVoted     workflow.Code = "topic_voted"     // they have voted, or their household has
	CodeOver      workflow.Code = "topic_over"      // the vote is over, or has not begun
	CodeMany      workflow.Code = "topic_many"      // too many of theirs wait for the committee
	CodeQuorum    workflow.Code = "topic_quorum"    // more votes are asked for than there are voters
)

// Topic is what neighbours decide. Version rises by one with each change.
type Topic struct {
	Community  string            `json:"community"`
	Number     int64             `json:"number"` // of the same numbers as tickets
	Version    int64             `json:"version"`
	State      State             `json:"state"`
	Scope      Scope             `json:"scope"`
	Text       string            `json:"text"`
	Category   workflow.Category `json:"category,omitempty"` // of the ticket that may come of it
	Hot        int               `json:"hot,omitempty"`      // it was suggested because there was trouble so many times
	Proposer   workflow.PersonID `json:"proposer"`
	ProposedAt time.Time         `json:"proposed_at"`
	Caller     workflow.PersonID `json:"caller,omitempty"` // who called the vote, in whose name the ticket is filed
	Rules      Rules             `json:"rules,omitzero"`
	Notes      []Minutes         `json:"notes,omitempty"`
	Why        string            `json:"why,omitempty"` // it was not taken up
	EndedAt    time.Time         `json:"ended_at,omitzero"`
	Telling    State             `json:"telling,omitempty"` // of what all who live there are being told, "" = of nothing
	Told       workflow.PersonID `json:"told,omitempty"`    // the last of them
}

// Rules are how a topic is voted on.
type Rules struct {
	By     By        `json:"by"`
	Secret bool      `json:"secret,omitempty"`
	Quorum int       `json:"quorum"` // so many votes at least
	Until  time.Time `json:"until"`
}

// Minutes are what was said at a bench meeting.
type Minutes struct {
	At    time.Time         `json:"at"`
	By    workflow.PersonID `json:"by"`
	Text  string            `json:"text"`
	Media []workflow.Media  `json:"media,omitempty"`
}

// Command is one command with what belongs to it.
type Command struct {
	Name   CommandName
	By     workflow.PersonID // 0 = the desk
	Text   string            // Note, Decline
	Media  []workflow.Media  // Note
	Rules  Rules             // Call
	Sure   bool              // Call: also where there are fewer voters than votes are asked for
	Result Result            // Finish
}

// What a topic may hold, and how long a vote may last.
const (
	MostText  = 300 // signs
	MostNotes = 20
	MostOpen  = 3 // topics of one resident that wait for the committee
	Shortest  = time.Hour
	Longest   = 60 * 24 * time.Hour
)

// Propose is a new topic, where it may be one.
func Propose(t Topic, now time.Time) (Topic, error) {
	t.Text = strings.TrimSpace(t.Text)
	switch n := utf8.RuneCountInString(t.Text); {
	case n < 2:
		return t, refuse(workflow.CodeNeedsText, &t, "no words")
	case n > MostText:
		return t, refuse(workflow.CodeTooMuch, &t, "%d signs", n)
	case t.Scope.Estate == "" || t.Number == 0 || t.Proposer == 0:
		return t, refuse(workflow.CodeInvalid, &t, "of nowhere or by nobody")
	}
	t.State, t.Version, t.ProposedAt = Proposed, 1, now
	return t, nil
}

// Decide is the topic after a command, or why it cannot be. Who may give it is asked
// before: the committee, or the desk itself (Row.Desk).
func Decide(t Topic, cmd Command, now time.Time) (Topic, error) {
	i := slices.IndexFunc(Table, func(r Row) bool { return r.Command == cmd.Name && slices.Contains(r.From, t.State) })
	if i < 0 {
		return t, refuse(workflow.CodeWrongState, &t, "%s while %s", cmd.Name, t.State)
	}
	row := Table[i]
	if row.Desk != (cmd.By == 0) {
		return t, refuse(workflow.CodeNotAllowed, &t, "%s by %d", cmd.Name, cmd.By)
	}
	to := row.To[0]
	switch cmd.Text = strings.TrimSpace(cmd.Text); cmd.Name {
	case Note:
		switch {
		case cmd.Text == "" && len(cmd.Media) == 0:
			return t, refuse(workflow.CodeNeedsText, &t, "an empty note")
		case len(t.Notes) >= MostNotes:
			return t, refuse(workflow.CodeTooMuch, &t, "%d notes", len(t.Notes))
		}
		t.Notes = append(slices.Clone(t.Notes), Minutes{At: now, By: cmd.By, Text: cmd.Text, Media: cmd.Media})
	case Decline:
		if cmd.Text == "" {
			return t, refuse(workflow.CodeNeedsText, &t, "declined without a reason")
		}
		t.Why = cmd.Text
	case Call:
		r := cmd.Rules
		lasts := r.Until.Sub(now)
		if r.By != Household && r.By != Person || r.Quorum < 1 || lasts < Shortest || lasts > Longest {
			return t, refuse(workflow.CodeInvalid, &t, "rules %+v", r)
		}
		t.Rules, t.Caller, t.Telling, t.Told = r, cmd.By, Voting, 0
	case Close:
		if now.Before(t.Rules.Until) {
			return t, refuse(workflow.CodeNotDue, &t, "closed early")
		}
	case Finish:
		to = cmd.Result.Outcome
		if !slices.Contains(row.To, to) {
			return t, refuse(workflow.CodeInvalid, &t, "outcome %q", to)
		}
		t.Telling, t.Told = to, 0
	}
	if t.State = to; to.Ended() {
		t.EndedAt = now
	}
	t.Version++
	return t, nil
}

func refuse(code workflow.Code, t *Topic, format string, a ...any) error {
	return &workflow.Error{Code: code, Number: t.Number, Cause: fmt.Errorf("topic: "+format, a...)}
}

// Drawing is the table as a Mermaid diagram; decision 22 holds it.
func Drawing() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> proposed: propose\n")
	for _, r := range Table {
		for _, from := range r.From {
			for _, to := range r.To {
				who := ""
				if r.Desk {
					who = " (the desk)"
				}
				fmt.Fprintf(&b, "    %s --> %s: %s%s\n", from, to, r.Command, who)
			}
		}
	}
	for _, s := range []State{Decided, Declined, Lapsed} {
		fmt.Fprintf(&b, "    %s --> [*]\n", s)
	}
	return b.String()
}
