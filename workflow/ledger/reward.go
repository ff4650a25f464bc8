package ledger

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

// Reward is something that points are spent on.
type Reward struct {
	ID    int // its number within the community, as people say it
	Name  string
	Price int // points
	Stock int // how many can still be ordered
	Ended bool
}

// Bounds of a reward.
const (
	MostName  = 20 // signs
	MostPrice = 100_000
	MostStock = 100_000
)

// Fits tells whether a reward can be offered as it is.
func (r Reward) Fits() bool {
	n := utf8.RuneCountInString(r.Name)
	return n > 0 && n <= MostName && r.Price > 0 && r.Price <= MostPrice && r.Stock >= 0 && r.Stock <= MostStock
}

// May tells why somebody cannot order a reward, nil where they can. The record asks
// the same again of what is true then.
func (r Reward) May(b Balance) error {
	switch {
	case r.ID == 0 || r.Ended:
		return &workflow.Error{Code: CodeNoReward}
	case r.Stock < 1:
		return &workflow.Error{Code: CodeSoldOut}
	case b.Points < r.Price:
		return &workflow.Error{Code: CodeShort}
	}
	return nil
}

// OrderState is where an order stands.
type OrderState string

// The states. Only one that waits goes on.
const (
	Waits    OrderState = "waits"  // to be fetched by its code
	Fetched  OrderState = "handed" // handed over
	Returned OrderState = "back"   // nobody came, or who ordered it does not want it: points and stock went back
)

// Order is a reward that somebody ordered: their points are held and one of the stock
// is theirs until they fetch it with the code, or the time for it is over.
type Order struct {
	ID     int64
	Cause  string // of the message or form that ordered it: ordered once
	Person workflow.PersonID
	Reward Reward
	Nth    int // how many of the reward wait for them with this one; asked where it is not 0, so that two taps are one order
	Points int // what it cost then
	Hash   []byte
	State  OrderState
	MadeAt time.Time
	Until  time.Time
	EndAt  time.Time
	By     workflow.PersonID // who handed it over, or does not want it any more
}

// Entry is what the order's beginning or end moves.
func (o Order) Entry(why Why, at time.Time) Entry {
	return Entry{Cause: fmt.Sprintf("%s:%d", why, o.ID), Person: o.Person, Why: why, Points: o.Points, Number: o.ID, At: at}
}

// codeDigits is how long a code is.
const codeDigits = 6

// NewCode is a fresh code by which an order is fetched: digits, to be read out.
func NewCode() string {
	var code strings.Builder
	for range codeDigits {
		n, _ := rand.Int(rand.Reader, big.NewInt(10)) // crypto/rand never fails
		code.WriteByte(byte('0' + n.Int64()))
	}
	return code.String()
}

// ReadCode is a code as somebody typed it, "" where it is none.
func ReadCode(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == ' ' || r == '-':
			return -1
		}
		return r
	}, s)
	if len(s) != codeDigits || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// Holding is what somebody has, and how it came.
type Holding struct {
	Balance
	Ranked  bool    // they agreed to stand on the board
	Entries []Entry // the newest first
}

// Rank is somebody on the board, with what they earned since the year began.
type Rank struct {
	Person workflow.PersonID
	Name   string
	Points int
}
