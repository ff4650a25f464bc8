package wechat

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Verdict is what is known about a signature that came in.
type Verdict string

// The verdicts. Same is the platform's own retry: the message goes through once
// more and gets the same reply by its Delivery. Different is a signature that
// was used for another body: refused.
const (
	New       Verdict = "new"
	Same      Verdict = "same"
	Different Verdict = "different"
)

// Replays remembers for which body a signature was used. The plain signature
// does not cover the body (WeChat: it is made of token, timestamp and nonce), so
// without this memory one captured signature would authorise any other body.
// The first writer of a (community, nonceKey) wins, for all replicas. An account that
// takes encrypted bodies alone needs none of it.
type Replays interface {
	Seen(ctx context.Context, community, nonceKey, bodyDigest string, ttl time.Duration) (Verdict, error)
}

// MemoryReplays is a Replays of this process alone. Its zero value is ready.
// It holds at most Max signatures, 131,072 when 0 (about 30 MB); beyond that
// the oldest are forgotten first.
type MemoryReplays struct {
	Clock clockwork.Clock // nil is the real one
	Max   int

	mu    sync.Mutex
	known map[[sha256.Size]byte]use
	order [][sha256.Size]byte // the keys of known by age
}

type use struct {
	body string
	ends time.Time
}

const defaultReplays = 1 << 17

// Seen implements Replays; it never fails.
func (m *MemoryReplays) Seen(_ context.Context, community, nonceKey, bodyDigest string, ttl time.Duration) (Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[[sha256.Size]byte]use{}
	}
	clock, most := m.Clock, m.Max
	if clock == nil {
		clock = clockwork.NewRealClock()
	}
	if most <= 0 {
		most = defaultReplays
	}
	now := clock.Now()
	for len(m.order) > 0 && !now.Before(m.known[m.order[0]].ends) {
		m.forgetOldest()
	}
	key := sha256.Sum256([]byte(community + "\x00" + nonceKey))
	old, known := m.known[key]
	switch {
	case known && now.Before(old.ends) && old.body == bodyDigest:
		return Same, nil
	case known && now.Before(old.ends):
		return Different, nil
	case known: // has ended behind an older one that has not: keeps its place
		m.known[key] = use{bodyDigest, now.Add(ttl)}
		return New, nil
	}
	for len(m.order) >= most {
		m.forgetOldest()
	}
	m.known[key] = use{bodyDigest, now.Add(ttl)}
	m.order = append(m.order, key)
	return New, nil
}

func (m *MemoryReplays) forgetOldest() {
	delete(m.known, m.order[0])
	m.order = m.order[1:]
}
