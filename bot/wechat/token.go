package wechat

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/singleflight"
)

// TokenStore keeps the access token of an app id for all replicas.
type TokenStore interface {
	// Get gives the token, "" where there is none.
	Get(ctx context.Context, appID string) (token string, err error)
	Set(ctx context.Context, appID, token string, ttl time.Duration) error
	// Drop deletes the token only if it still is this one.
	Drop(ctx context.Context, appID, token string) error
	// Lock is held by one replica at a time, for ttl at most; ok is false where
	// another has it.
	Lock(ctx context.Context, appID string, ttl time.Duration) (unlock func(), ok bool, err error)
}

const (
	tokenMargin  = 5 * time.Minute        // a token is given up this long before it expires
	tokenKept    = 5 * time.Second        // the process's own copy is trusted this long
	tokenPoll    = 100 * time.Millisecond // while another replica fetches
	tokenWait    = 3 * time.Second        // for another replica
	tokenLock    = 20 * time.Second       // longer than a fetch takes
	tokenLimit   = 25 * time.Second       // for all of it, in real time
	storePatient = time.Second            // for one answer of the store
)

// tokens gives an account's access token: from this process's memory for a few
// seconds, else from the store, else from the platform, where one replica asks
// and the others wait for its answer. A store that is away only costs the
// sharing: the platform's stable token is the same for everybody who asks
// (WeChat, 获取稳定版接口调用凭据), so nothing breaks.
type tokens struct {
	appID string
	store TokenStore
	clock clockwork.Clock
	log   *slog.Logger
	wait  time.Duration // for another replica, in real time
	// ask fetches from the platform. force makes the platform end the present
	// token; it allows that 20 times a day.
	ask func(ctx context.Context, force bool) (token string, life time.Duration, err error)

	flight singleflight.Group
	mu     sync.Mutex
	last   string
	until  time.Time // last is trusted so long without asking the store
}

// get gives a token. bad is one that the platform has just refused, else "".
// Its errors are an *APIError of the token call or ErrNotSent.
func (t *tokens) get(ctx context.Context, bad string) (string, error) {
	if token := t.own(bad); token != "" {
		return token, nil
	}
	done := t.flight.DoChan(bad, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenLimit)
		defer cancel()
		return t.obtain(ctx, bad)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(string), nil
	case <-ctx.Done():
		return "", failed("stable_token", ErrNotSent, ctx.Err(), nil)
	}
}

// own gives this process's copy while it is trusted.
func (t *tokens) own(bad string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == bad || !t.clock.Now().Before(t.until) {
		return ""
	}
	return t.last
}

func (t *tokens) keep(token string, life time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.until = token, t.clock.Now().Add(min(tokenKept, life))
	return token
}

func (t *tokens) obtain(ctx context.Context, bad string) (string, error) {
	if bad != "" {
		if err := t.drop(ctx, bad); err != nil {
			return t.without(ctx, bad, err)
		}
	}
	waited := time.NewTimer(t.wait)
	defer waited.Stop()
	for {
		token, err := t.read(ctx, bad)
		if err != nil {
			return t.without(ctx, bad, err)
		}
		if token != "" {
			return token, nil
		}
		unlock, ok, err := t.lock(ctx)
		if err != nil {
			return t.without(ctx, bad, err)
		}
		if ok {
			defer unlock()
			if token, err := t.read(ctx, bad); err == nil && token != "" {
				return token, nil // fetched between the look and the lock
			}
			return t.fetch(ctx, bad)
		}
		select {
		case <-t.clock.After(tokenPoll):
		case <-waited.C: // whoever has the lock is slow or gone
			return t.fetch(ctx, bad)
		case <-ctx.Done():
			return "", failed("stable_token", ErrNotSent, ctx.Err(), nil)
		}
	}
}

// without goes on while the store is away: with the last token that is not
// known to be bad (the platform says so when it is), else with a new one.
func (t *tokens) without(ctx context.Context, bad string, cause error) (string, error) {
	t.log.Warn("the shared access token is out of reach", "appid", t.appID, "cause", cause)
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	if last != "" && last != bad {
		return t.keep(last, tokenKept), nil
	}
	return t.fetch(ctx, bad)
}

// fetch asks the platform and shares what it gives. Where it gives the refused
// token once more, only force gets a new one.
func (t *tokens) fetch(ctx context.Context, bad string) (string, error) {
	token, life, err := t.ask(ctx, false)
	if err == nil && token == bad {
		t.log.Warn("the platform gives the token that it refuses: forcing a new one", "appid", t.appID)
		token, life, err = t.ask(ctx, true)
	}
	if err != nil {
		var lost *callError
		if errors.As(err, &lost) {
			lost.kind = ErrNotSent // what the token was for
		}
		return "", err
	}
	ttl := life - tokenMargin
	if ttl <= 0 {
		ttl = life / 2
	}
	if ttl >= time.Second {
		if err := t.share(ctx, token, ttl); err != nil {
			t.log.Warn("the access token could not be shared", "appid", t.appID, "cause", err)
		}
	}
	return t.keep(token, ttl), nil
}

func (t *tokens) read(ctx context.Context, bad string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, storePatient)
	defer cancel()
	token, err := t.store.Get(ctx, t.appID)
	if err != nil || token == "" || token == bad {
		return "", err
	}
	return t.keep(token, tokenKept), nil
}

func (t *tokens) share(ctx context.Context, token string, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, storePatient)
	defer cancel()
	return t.store.Set(ctx, t.appID, token, ttl)
}

func (t *tokens) drop(ctx context.Context, bad string) error {
	t.mu.Lock()
	if t.last == bad {
		t.last = ""
	}
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storePatient)
	defer cancel()
	return t.store.Drop(ctx, t.appID, bad)
}

func (t *tokens) lock(ctx context.Context) (func(), bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storePatient)
	defer cancel()
	return t.store.Lock(ctx, t.appID, tokenLock)
}
