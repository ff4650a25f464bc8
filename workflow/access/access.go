// Package access is the room of who has come in to the pages, as data: sessions,
// logins on their way, and what is written down of who looked at what. The
// rules by which a ticket may be read are the ticket's own (workflow.Ticket.ReadBy);
// which page is whose stands in the console's table.
//
// What must never come in: HTTP, SQL, cookies and tokens themselves. Only hashes
// of them pass through here.
package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// How says by which way somebody came in.
type How string

// The ways.
const (
	ByWeChat How = "wechat" // OAuth inside the app
	ByLink   How = "link"   // a one-time link out of the chat
	ByScan   How = "scan"   // a code on a desk, scanned by a telephone that is in
)

// Hash is what is kept of a token that nobody guesses: its SHA-256.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Keyed is what is kept of a code so short that all could be tried: its HMAC-SHA-256 by
// a secret that is not in the record.
func Keyed(secret, code string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(code))
	return mac.Sum(nil)
}

// Session is somebody's being logged in with one browser.
type Session struct {
	Hash      []byte // of the cookie
	Person    workflow.PersonID
	How       How
	Agent     string // the browser as it names itself, shortened
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	ExpiresAt time.Time
}

// SessionMost is how long a session lasts at most, however often it is used.
const SessionMost = 30 * 24 * time.Hour

// Login is a login on its way. A link names its person from the start; a scan
// has nobody until a telephone agrees.
type Login struct {
	Hash      []byte // of the token in the link or the code
	Kind      How    // ByLink or ByScan
	Person    workflow.PersonID
	Secret    []byte // scan: the hash of what the waiting browser holds
	Agent     string // scan: the waiting browser
	Next      string // the path to go to then, "" for the first page
	ExpiresAt time.Time
	Used      bool
}

// Entry is one line of the audit log: who looked at or changed what. It names
// tickets and people by number, never by what they said or are called.
type Entry struct {
	ID     int64
	At     time.Time
	Person workflow.PersonID // 0: nobody was logged in
	Action string            // of the console's table, such as "ticket.look"
	Number int64             // the ticket, 0 for none
	Object string            // what else it was about: "person 55", "week 2026-W47"
	// What came of it, and of what was refused the code.
	Outcome Outcome
	Reason  string
}

// Outcome is what came of a line of the audit log. A deed is written before it is
// done, as Begun, so that none is done without a line; what came of it is added.
type Outcome string

// The outcomes. A look has none unless it was refused.
const (
	Begun   Outcome = "begun"   // nobody knows how it ended: it was cut off
	Done    Outcome = "done"    // it was done
	Tried   Outcome = "tried"   // what it would change was shown, and nothing changed
	Refused Outcome = "refused" // nothing was done, or shown
)

// Entries says which lines of the audit log are wanted; the zero one means all.
type Entries struct {
	Person workflow.PersonID
	Number int64
	Before int64 // an ID: older ones only; 0 = from the newest
	Limit  int
}
