package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Notices go over plain channels: in a Redis Cluster every node has all of
// them, so that one connection hears any number of communities.

func liveChannel(community string) string { return key(community, "live") }

// told is a notice on its way.
type told struct {
	From string `json:"from"`
	desk.Notice
}

func (d *Drive) line(n desk.Notice) (string, error) {
	text, err := json.Marshal(told{d.self, n})
	if err != nil {
		return "", fmt.Errorf("redis: notice: %w", err)
	}
	return string(text), nil
}

// Tell tells other processes a notice.
func (d *Drive) Tell(ctx context.Context, community string, n desk.Notice) error {
	text, err := d.line(n)
	if err != nil {
		return err
	}
	return d.c.Publish(ctx, liveChannel(community), text).Err()
}

// A line that hears nothing asks whether Redis is still there.
const (
	quietFor   = time.Second
	mostUnsure = 2 // times in a row without an answer
)

// Listen opens a line on which this process hears what others tell, until it is
// closed or ctx ends.
func (d *Drive) Listen(ctx context.Context) (desk.Line, error) {
	if err := d.Ping(ctx); err != nil {
		return nil, err
	}
	l := &line{d: d, sub: d.c.Subscribe(ctx)}
	l.unhook = context.AfterFunc(ctx, func() { _ = l.sub.Close() }) // a read does not see that ctx ends
	return l, nil
}

// line is a subscription. Hear may be called while Next waits.
type line struct {
	d      *Drive
	sub    *redis.PubSub
	unhook func() bool

	mu    sync.Mutex
	heard []string // channels
}

// Hear says of which communities, from now on.
func (l *line) Hear(ctx context.Context, communities []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var want, fresh, gone []string
	for _, c := range communities {
		want = append(want, liveChannel(c))
	}
	for _, c := range want {
		if !slices.Contains(l.heard, c) {
			fresh = append(fresh, c)
		}
	}
	for _, c := range l.heard {
		if !slices.Contains(want, c) {
			gone = append(gone, c)
		}
	}
	if len(fresh) > 0 {
		if err := l.sub.Subscribe(ctx, fresh...); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		if err := l.sub.Unsubscribe(ctx, gone...); err != nil {
			return err
		}
	}
	l.heard = want
	return nil
}

// Next waits for a notice.
func (l *line) Next(ctx context.Context) (string, desk.Notice, error) {
	unsure := 0
	for {
		got, err := l.sub.ReceiveTimeout(ctx, quietFor)
		var timeout net.Error
		switch {
		case ctx.Err() != nil:
			return "", desk.Notice{}, ctx.Err()
		case errors.As(err, &timeout) && timeout.Timeout() && unsure < mostUnsure:
			unsure++
			if err := l.sub.Ping(ctx); err != nil {
				return "", desk.Notice{}, err
			}
			continue
		case err != nil:
			return "", desk.Notice{}, err
		}
		unsure = 0
		switch m := got.(type) {
		case *redis.Subscription:
			if m.Kind == "subscribe" { // what came before may have been missed
				return communityOf(m.Channel), desk.Notice{All: true}, nil
			}
		case *redis.Message:
			var n told
			if err := json.Unmarshal([]byte(m.Payload), &n); err != nil {
				n.Notice = desk.Notice{All: true} // another release's
			}
			if n.From != l.d.self {
				return communityOf(m.Channel), n.Notice, nil
			}
		}
	}
}

// Close ends the line.
func (l *line) Close() error {
	l.unhook()
	return l.sub.Close()
}

func communityOf(channel string) string {
	code, _, _ := strings.Cut(strings.TrimPrefix(channel, "wd:{"), "}")
	return code
}
