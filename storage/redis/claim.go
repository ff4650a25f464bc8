package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// A delivery's key holds "." while the first request is at work on it, then
// "=" and the reply.

// Begin claims a delivery.
func (d *Drive) Begin(ctx context.Context, community, delivery string, ttl time.Duration) (first, done bool, reply string, err error) {
	had, err := d.c.SetArgs(ctx, key(community, "seen", delivery), ".", redis.SetArgs{Mode: "NX", Get: true, TTL: ttl}).Result()
	if errors.Is(err, redis.Nil) {
		return true, false, "", nil
	}
	if err != nil {
		return false, false, "", err
	}
	reply, done = strings.CutPrefix(had, "=")
	if !done {
		reply = ""
	}
	return false, done, reply, nil
}

// Done stores a delivery's reply.
func (d *Drive) Done(ctx context.Context, community, delivery, reply string, ttl time.Duration) error {
	return d.c.Set(ctx, key(community, "seen", delivery), "="+reply, ttl).Err()
}

// Replied tells whether a delivery has its reply; nothing is claimed.
func (d *Drive) Replied(ctx context.Context, community, delivery string) (done bool, err error) {
	had, err := d.c.Get(ctx, key(community, "seen", delivery)).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return strings.HasPrefix(had, "="), err
}

// Undo forgets that a delivery was begun.
func (d *Drive) Undo(ctx context.Context, community, delivery string) error {
	return d.c.Del(ctx, key(community, "seen", delivery)).Err()
}

// Allow is a rate limit within fixed windows: whether cost more still fit into n.
func (d *Drive) Allow(ctx context.Context, community, name string, cost, n int, per time.Duration) (bool, error) {
	ok, err := allowScript.Run(ctx, d.c, []string{key(community, "rate", name)}, n, per.Milliseconds(), cost).Int()
	return ok == 1, err
}

// Nonce remembers a nonce with the digest of what it came with: fresh is true
// the first time; same tells whether it came with the same body before.
func (d *Drive) Nonce(ctx context.Context, community, nonce, digest string, ttl time.Duration) (fresh, same bool, err error) {
	had, err := d.c.SetArgs(ctx, key(community, "nonce", nonce), digest, redis.SetArgs{Mode: "NX", Get: true, TTL: ttl}).Result()
	if errors.Is(err, redis.Nil) {
		return true, false, nil
	}
	return false, err == nil && had == digest, err
}

// Lock is a lease on a name for one of many replicas.
func (d *Drive) Lock(ctx context.Context, community, name string, ttl time.Duration) (unlock func(), ok bool, err error) {
	return d.lock(ctx, key(community, "lock", name), ttl)
}

func (d *Drive) lock(ctx context.Context, name string, ttl time.Duration) (unlock func(), ok bool, err error) {
	mine := rand.Text()
	err = d.c.SetArgs(ctx, name, mine, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return func() {}, false, nil
	}
	if err != nil {
		return func() {}, false, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		_ = dropScript.Run(ctx, d.c, []string{name}, mine).Err() // else the lease runs out
	}, true, nil
}

func tokenKey(appID string) string { return "wd:token:{" + appID + "}" }

// Tokens keeps the accounts' access tokens for all replicas.
type Tokens struct{ d *Drive }

// Tokens is the part of the drive that replicas share tokens by.
func (d *Drive) Tokens() Tokens { return Tokens{d} }

// Get is an account's access token, "" where none is kept.
func (t Tokens) Get(ctx context.Context, appID string) (string, error) {
	token, err := t.d.c.Get(ctx, tokenKey(appID)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return token, err
}

// Set keeps an account's access token.
func (t Tokens) Set(ctx context.Context, appID, token string, ttl time.Duration) error {
	return t.d.c.Set(ctx, tokenKey(appID), token, ttl).Err()
}

// Drop forgets a token that proved bad, unless it was replaced already.
func (t Tokens) Drop(ctx context.Context, appID, token string) error {
	return dropScript.Run(ctx, t.d.c, []string{tokenKey(appID)}, token).Err()
}

// Lock lets one replica at a time fetch a token.
func (t Tokens) Lock(ctx context.Context, appID string, ttl time.Duration) (unlock func(), ok bool, err error) {
	return t.d.lock(ctx, tokenKey(appID)+":lock", ttl)
}

// Spend takes one of the customer-service messages that WeChat allows a
// person now; load gives the record's window where the drive has none.
func (d *Drive) Spend(ctx context.Context, community string, person workflow.PersonID, now time.Time, load func() (desk.Contact, error)) (bool, error) {
	keys := []string{personKey(community, "window", person)}
	taken, err := spendScript.Run(ctx, d.c, keys, now.UnixMilli(), "", windowKept.Milliseconds()).Int()
	if err != nil {
		return false, err
	}
	if taken != 1 { // not known, or none left as far as the drive knows: the record may have later news
		c, err := load()
		if err != nil {
			return false, err
		}
		window := fmt.Sprintf("%d,%d,%d,%d", millis(c.LastMessageAt), millis(c.LastClickAt), c.SinceMessage, c.SinceClick)
		taken, err = spendScript.Run(ctx, d.c, keys, now.UnixMilli(), window, windowKept.Milliseconds()).Int()
		if err != nil {
			return false, err
		}
	}
	return taken == 1, nil
}

// Unspend gives one back that never left.
func (d *Drive) Unspend(ctx context.Context, community string, person workflow.PersonID, now time.Time) error {
	return unspendScript.Run(ctx, d.c, []string{personKey(community, "window", person)}, now.UnixMilli()).Err()
}
