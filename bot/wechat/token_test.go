package wechat

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/silenceper/wechat/v2/officialaccount/message"
)

const (
	pathToken  = "/cgi-bin/stable_token"
	pathCustom = "/cgi-bin/message/custom/send"
)

func hello() *message.CustomerMessage {
	return message.NewCustomerTextMessage(testOpenID, "楼道灯修好了")
}

func TestReplicasFetchOneToken(t *testing.T) {
	p := newAPI(t)
	store := newShelf()
	clock := clockwork.NewRealClock() // they do wait for one another
	one := p.client(store, func(o *ClientOptions) { o.Clock = clock })
	two := p.client(store, func(o *ClientOptions) { o.Clock = clock })
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			if err := []*Client{one, two}[i%2].SendCustom(t.Context(), hello()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := p.count(pathToken); n != 1 || p.count(pathCustom) != 40 {
		t.Errorf("%d tokens for %d messages", n, p.count(pathCustom))
	}
	if store.ttl != 7200*time.Second-5*time.Minute || store.tokens[testAccount(Safe).AppID] != firstToken {
		t.Errorf("kept for %v", store.ttl)
	}
}

func TestWaitsForTheReplicaThatFetches(t *testing.T) {
	p := newAPI(t)
	clock := clockwork.NewFakeClock()
	store := newShelf()
	store.locked, store.looked = true, make(chan struct{}, 10)
	c := p.client(store, func(o *ClientOptions) { o.Clock = clock })
	sent := make(chan error, 1)
	go func() { sent <- c.SendCustom(t.Context(), hello()) }()
	<-store.looked
	if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	store.change(func() { store.tokens[testAccount(Safe).AppID] = firstToken })
	clock.Advance(tokenPoll)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if n := p.count(pathToken); n != 0 {
		t.Errorf("fetched %d times besides the other", n)
	}
}

func TestFetchesWhenTheOtherReplicaIsGone(t *testing.T) {
	t.Run("and its lock is free", func(t *testing.T) {
		p := newAPI(t)
		clock := clockwork.NewFakeClock()
		store := newShelf()
		store.locked, store.looked = true, make(chan struct{}, 10)
		c := p.client(store, func(o *ClientOptions) { o.Clock = clock })
		sent := make(chan error, 1)
		go func() { sent <- c.SendCustom(t.Context(), hello()) }()
		<-store.looked
		if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		store.unlock()
		clock.Advance(tokenPoll)
		if err := <-sent; err != nil || p.count(pathToken) != 1 {
			t.Errorf("%v, %d tokens", err, p.count(pathToken))
		}
	})
	t.Run("and its lock stays", func(t *testing.T) {
		p := newAPI(t)
		store := newShelf()
		store.locked = true
		c := p.client(store) // its clock stands still: the wait has an end all the same
		c.tokens.wait = 50 * time.Millisecond
		if err := c.SendCustom(t.Context(), hello()); err != nil || p.count(pathToken) != 1 {
			t.Errorf("%v, %d tokens", err, p.count(pathToken))
		}
	})
	t.Run("and the caller leaves", func(t *testing.T) {
		p := newAPI(t)
		store := newShelf()
		store.locked = true
		c := p.client(store)
		c.tokens.wait = 200 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := c.SendCustom(ctx, hello())
		p.wantErr(err, ErrNotSent)
		p.wantErr(err, context.DeadlineExceeded)
	})
}

func TestTokenIsTakenFromTheStore(t *testing.T) {
	p := newAPI(t)
	clock := clockwork.NewFakeClock()
	store := newShelf()
	store.tokens[testAccount(Safe).AppID] = "TOKEN-of-another-replica"
	p.bad[firstToken] = true
	c := p.client(store, func(o *ClientOptions) { o.Clock = clock })
	for range 3 {
		if err := c.SendCustom(t.Context(), hello()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(tokenKept)
	}
	if p.count(pathToken) != 0 {
		t.Error("the platform was asked")
	}
	// A token that another replica has replaced is noticed after the few seconds.
	store.tokens[testAccount(Safe).AppID] = "TOKEN-newer"
	p.bad["TOKEN-of-another-replica"] = true
	if err := c.SendCustom(t.Context(), hello()); err != nil || p.count(pathCustom) != 4 {
		t.Errorf("%v after %d calls", err, p.count(pathCustom))
	}
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	p := newAPI(t)
	store := newShelf()
	c := p.client(store)
	if err := c.SendCustom(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	// The platform has a newer one: no forcing.
	p.bad[firstToken], p.token = true, "TOKEN-two_88-abcdefghijklmnopqrstuvwxyz"
	if err := c.SendCustom(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	if p.count(pathCustom) != 3 || p.count(pathToken) != 2 || p.forced != 0 || store.tokens[testAccount(Safe).AppID] != p.token {
		t.Errorf("%d calls, %d tokens, %d forced", p.count(pathCustom), p.count(pathToken), p.forced)
	}
	// The platform gives the refused one again: a new one is forced.
	p.bad[p.token] = true
	if err := c.SendCustom(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	if p.count(pathCustom) != 5 || p.forced != 1 || store.tokens[testAccount(Safe).AppID] != p.token {
		t.Errorf("%d calls, %d forced", p.count(pathCustom), p.forced)
	}
	// Every token is refused: one retry and no more.
	p.set(pathCustom, `{"errcode":42001,"errmsg":"access_token expired"}`)
	err := c.SendCustom(t.Context(), hello())
	var refused *APIError
	if !errors.As(err, &refused) || refused.Action() != RefreshToken || p.count(pathCustom) != 7 {
		t.Errorf("%v after %d calls", err, p.count(pathCustom))
	}
	p.sniff(err)
}

func TestManyRefusedAtOnceReplaceTheTokenOnce(t *testing.T) {
	p := newAPI(t)
	store := newShelf()
	c := p.client(store)
	if err := c.SendCustom(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	p.bad[firstToken] = true
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if err := c.SendCustom(t.Context(), hello()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if p.forced != 1 {
		t.Errorf("forced %d times", p.forced)
	}
}

func TestSendingGoesOnWithoutTheStore(t *testing.T) {
	p := newAPI(t)
	clock := clockwork.NewFakeClock()
	store := newShelf()
	c := p.client(store, func(o *ClientOptions) { o.Clock = clock })
	store.away = errors.New("connection refused")
	for range 10 {
		if err := c.SendCustom(t.Context(), hello()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	if n := p.count(pathToken); n != 1 {
		t.Errorf("%d tokens without the store", n)
	}
	p.bad[firstToken] = true
	if err := c.SendCustom(t.Context(), hello()); err != nil || p.forced != 1 {
		t.Errorf("%v, %d forced", err, p.forced)
	}
	store.away = nil
	store.hang = true
	clock.Advance(time.Minute)
	if err := c.SendCustom(t.Context(), hello()); err != nil {
		t.Error(err)
	}
	p.sniff(nil)
}

func TestTokenFailuresMeanNotSent(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"hang": hangUp, "half": halfBody,
		"page":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>busy</html>")) },
		"gateway": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"empty":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"no life": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"TOKEN-x","expires_in":0}`))
		},
		"odd life": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"TOKEN-x","expires_in":1e12}`))
		},
		"bad text": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"TOKEN x","expires_in":7200}`))
		},
	} {
		p := newAPI(t)
		p.handle(pathToken, h)
		c := p.client(newShelf(), func(o *ClientOptions) { o.HTTP.Timeout = 100 * time.Millisecond })
		err := c.SendCustom(t.Context(), hello())
		if errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: %v", name, err)
		}
		p.wantErr(err, ErrNotSent)
		if p.count(pathCustom) != 0 {
			t.Errorf("%s: sent", name)
		}
	}
	p := newAPI(t)
	p.set(pathToken, `{"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist rid: 65a1b2c3-0a1b2c3d-4e5f6071"}`)
	err := p.client(newShelf()).SendCustom(t.Context(), hello())
	var refused *APIError
	if !errors.As(err, &refused) || refused.Action() != ChannelOff || refused.Message != "invalid ip 1.2.3.4, not in whitelist rid: 65a1b2c3-0a1b2c3d-4e5f6071" {
		t.Errorf("%v", err)
	}
}

func TestShortLivedTokenIsSharedForLess(t *testing.T) {
	p := newAPI(t)
	p.life = 200
	store := newShelf()
	if err := p.client(store).SendCustom(t.Context(), hello()); err != nil || store.ttl != 100*time.Second {
		t.Errorf("%v, kept for %v", err, store.ttl)
	}
}

func messageTo(openid string) *message.CustomerMessage {
	return message.NewCustomerTextMessage(openid, "楼道灯修好了")
}
