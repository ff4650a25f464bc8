package access

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"
)

// Scope is something that other software may do with a key.
type Scope string

// The scopes. What is public in Open311 needs no key at all.
const (
	ScopeRead     Scope = "read"     // tickets and digests, without anything that leads to a person
	ScopeFile     Scope = "file"     // file tickets
	ScopePersonal Scope = "personal" // with ScopeRead: also what people wrote, who they are and where they live; each look is in the audit log
)

// Scopes are all scopes, in order.
var Scopes = []Scope{ScopeRead, ScopeFile, ScopePersonal}

// Key lets other software in. The key itself is shown once, when it is made; only
// its hash is kept.
type Key struct {
	ID      int64 // unique within the community
	Name    string
	Scopes  []Scope
	MadeAt  time.Time
	UsedAt  time.Time // to the day, zero for never
	EndedAt time.Time // zero while it works
}

// May tells whether the key lets somebody do something.
func (k Key) May(s Scope) bool { return k.EndedAt.IsZero() && slices.Contains(k.Scopes, s) }

// NewKey is a fresh key of 192 random bits, which begins so that a leaked one can
// be searched for.
func NewKey() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random) // crypto/rand never fails
	return "wdk_" + base64.RawURLEncoding.EncodeToString(random)
}
