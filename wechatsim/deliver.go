package wechatsim

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// delivery is one message or event for the webhook.
type delivery struct {
	openid string
	xml    []byte // plain; every try encrypts and signs it anew
	silent bool   // nobody waits for an answer: the person never sees UnavailableText
}

var errBadAnswer = errors.New("no valid reply")

// post delivers until it is answered: each try has 5 seconds, three in all
// (WeChat, 接收普通消息). A broken or refused connection and a 5xx are tried again
// too (c); any other answer is final, be it valid or not.
func (p *Platform) post(ctx context.Context, d delivery) (Reply, Entry, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return Reply{}, Entry{}, ErrClosed
	}
	p.stats.Deliveries++
	p.mu.Unlock()

	var reply Reply
	for try := 1; try <= p.Limits.Tries; try++ {
		start := time.Now()
		body, again, err := p.tryPost(ctx, d)
		p.count(func(s *Stats) { s.Tries++; s.Slowest = max(s.Slowest, time.Since(start)) })
		if ctx.Err() != nil {
			return Reply{Tries: try}, Entry{}, ctx.Err()
		}
		reply = Reply{Raw: body}
		if err == nil {
			var e Entry
			if reply, e, err = p.readReply(body, d.openid); err == nil {
				reply.Tries = try
				return reply, e, nil
			}
			again = false
		}
		reply.Tries, reply.Cause = try, err
		if !again {
			break
		}
	}
	p.count(func(s *Stats) {
		if !d.silent {
			s.Unavailable++
		}
	})
	p.Logger.Warn("wechatsim: webhook gave no valid reply", "tries", reply.Tries, "cause", reply.Cause)
	reply.Unavailable = true
	return reply, Entry{Dir: Out, Channel: ByPassive, Type: Unavailable, Text: UnavailableText}, nil
}

func (p *Platform) count(f func(*Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.stats)
}

// tryPost makes one request; again says whether a failure is worth another.
func (p *Platform) tryPost(ctx context.Context, d delivery) (body []byte, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Limits.ReplyTimeout)
	defer cancel()
	address, content, err := p.wrap(d)
	if err != nil {
		return nil, false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(content))
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	res, err := p.client.Do(req)
	if err != nil {
		return nil, true, err
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return body, true, err
	}
	if res.StatusCode != http.StatusOK {
		return body, res.StatusCode >= 500, fmt.Errorf("%w: HTTP %d", errBadAnswer, res.StatusCode)
	}
	return body, false, nil
}

// stamp gives the signed query of a request to the webhook.
func (p *Platform) stamp() url.Values {
	timestamp := strconv.FormatInt(p.Clock.Now().Unix(), 10)
	nonce := randomDigits()
	return url.Values{
		"signature": {sign(p.Account.Token, timestamp, nonce)},
		"timestamp": {timestamp},
		"nonce":     {nonce},
	}
}

// wrap gives the address and body of a delivery in the account's mode.
func (p *Platform) wrap(d delivery) (address string, body []byte, err error) {
	query := p.stamp()
	query.Set("openid", d.openid)
	body = d.xml
	if p.Account.Mode != Plain {
		sealed, err := p.Account.seal(d.xml)
		if err != nil {
			return "", nil, err
		}
		query.Set("encrypt_type", "aes")
		query.Set("msg_signature", sign(p.Account.Token, query.Get("timestamp"), query.Get("nonce"), sealed))
		encrypt := "<Encrypt><![CDATA[" + sealed + "]]></Encrypt>\n"
		if p.Account.Mode == Safe {
			body = []byte("<xml>\n<ToUserName><![CDATA[" + p.Account.OriginalID + "]]></ToUserName>\n" + encrypt + "</xml>")
		} else {
			body = bytes.Replace(d.xml, []byte("</xml>"), []byte(encrypt+"</xml>"), 1)
		}
	}
	address, err = p.webhook(query)
	return address, body, err
}

func (p *Platform) webhook(query url.Values) (string, error) {
	u, err := url.Parse(p.Account.WebhookURL)
	if err != nil {
		return "", err
	}
	all := u.Query()
	for key, values := range query {
		all[key] = values
	}
	u.RawQuery = all.Encode()
	return u.String(), nil
}

func randomDigits() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails
	return fmt.Sprintf("%010d", uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
}

// Verify does what the platform does when the webhook's address is saved: a
// signed GET whose echostr must come back as it is (WeChat, 接入概述).
func (p *Platform) Verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.Limits.ReplyTimeout)
	defer cancel()
	query := p.stamp()
	query.Set("echostr", randomDigits()+randomDigits())
	address, err := p.webhook(query)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("wechatsim: verify: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("wechatsim: verify: %w", err)
	}
	if res.StatusCode != http.StatusOK || string(body) != query.Get("echostr") {
		return fmt.Errorf("wechatsim: verify: token check failed (HTTP %d)", res.StatusCode)
	}
	return nil
}

// Redeliver sends what a person last did once more with the same content (the same
// MsgId), signed and encrypted anew, as the platform does when an answer was
// lost. The chat is left as it is.
func (p *Platform) Redeliver(ctx context.Context) (Reply, error) {
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	if last == nil {
		return Reply{}, errors.New("wechatsim: nothing was delivered yet")
	}
	reply, _, err := p.post(ctx, *last)
	return reply, err
}
