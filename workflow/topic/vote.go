package topic

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"github.com/wishdesk/wishdesk/workflow"
)

// By says who has one vote.
type By string

// Who has one.
const (
	Household By = "household"
	Person    By = "person"
)

// Choice is what somebody votes.
type Choice string

// The choices.
const (
	For     Choice = "for"
	Against Choice = "against"
	Abstain Choice = "abstain"
)

// Choices are all of them, as they are offered.
var Choices = []Choice{For, Against, Abstain}

// Vote is one vote. What a Secret one chooses is kept apart from whose it is.
type Vote struct {
	Number int64
	Voter  string // see Voter: one vote each
	Person workflow.PersonID
	Choice Choice
	Secret bool
}

// Voted is that somebody voted; Choice is "" where the vote is secret.
type Voted struct {
	Voter  string
	Person workflow.PersonID
	Choice Choice
}

// Tally is how often each choice was chosen.
type Tally map[Choice]int

// Result is what a vote came to: it is written once.
type Result struct {
	For, Against, Abstain int
	Quorum                int
	Outcome               State // Decided, Declined, Lapsed
	Ticket                int64 // what came of it, 0 for none
	At                    time.Time
}

// Votes is how many voted.
func (r Result) Votes() int { return r.For + r.Against + r.Abstain }

// Count is what a vote came to: too few votes and it lapses; it is decided where more
// are for it than against it.
func Count(t Topic, tally Tally, now time.Time) Result {
	r := Result{For: tally[For], Against: tally[Against], Abstain: tally[Abstain], Quorum: t.Rules.Quorum, Outcome: Declined, At: now}
	switch {
	case r.Votes() < r.Quorum:
		r.Outcome = Lapsed
	case r.For > r.Against:
		r.Outcome = Decided
	}
	return r
}

// Voter is as whom somebody votes: the same for all of a household where that has one
// vote. An error says why they cannot.
func Voter(t Topic, p workflow.Person, now time.Time) (string, error) {
	home := p.Home
	room := door(home.Room)
	switch {
	case t.State != Voting || !now.Before(t.Rules.Until):
		return "", refuse(CodeOver, &t, "%s", t.State)
	case home.Building == 0:
		return "", refuse(CodeNoHome, &t, "no home")
	case !t.Scope.Has(home):
		return "", refuse(CodeElsewhere, &t, "lives elsewhere")
	case t.Rules.By == Person:
		return fmt.Sprintf("person %d", p.ID), nil
	case home.Unit == 0 || room == "": // without them a household could have two names
		return "", refuse(CodeNoRoom, &t, "no door")
	}
	return fmt.Sprintf("%s %d-%d-%s", home.Estate, home.Building, home.Unit, room), nil
}

// digits are those of a room as people write them in words.
var digits = strings.NewReplacer("〇", "0", "零", "0", "一", "1", "二", "2", "三", "3", "四", "4", "五", "5", "六", "6", "七", "7", "八", "8", "九", "9")

// door is a room's number, however it was written: 402, ０402室, 四〇二, 4-02; also with
// the entrance before it, which stands beside it: 3-402, 3单元402.
func door(room string) string {
	room = digits.Replace(width.Fold.String(room))
	if _, after, ok := strings.Cut(room, "单元"); ok {
		room = after
	}
	apart := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	room = strings.TrimRightFunc(strings.ToUpper(room), func(r rune) bool { return apart(r) || strings.ContainsRune("室号房户门家", r) })
	parts := strings.FieldsFunc(room, apart)
	if n := len(parts); n > 1 && len(parts[n-1]) >= 3 && strings.Trim(parts[n-1], "0123456789") == "" {
		parts = parts[n-1:]
	}
	return strings.TrimLeft(strings.Join(parts, ""), "0")
}
