package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// noticePath is the call by which workers are told who have not written.
const noticePath = "/cgi-bin/message/template/send"

// A minute's calls that the stand-in takes in this proof; beyond them it answers 45011
// until the next minute of the wall. The platform's own numbers are secret; these are
// well below what the desk can send, so that the limit is what is met.
const (
	minuteShort = 3600
	minuteLong  = 12_000
)

// limited is a stand-in with a limit of the minute.
func limited(perMinute int) wechatsim.Limits {
	return wechatsim.Limits{PerMinute: map[string]int{noticePath: perMinute}, Daily: map[string]int{noticePath: 1 << 30}}
}

// sent is how many notices the stand-in took, and how often it was asked.
func (b *bench) sent() (took, asked int) {
	s := b.Platform.Stats()
	asked = s.Calls[noticePath]
	took = asked
	for _, n := range s.PathErrors[noticePath] {
		took -= n
	}
	return took, asked
}

// owe makes n pushes to workers like the one that the record has of a message, and gives
// what is to be queued.
func (b *bench) owe(ctx context.Context, n int) ([]desk.Task, error) {
	conn, err := pgx.Connect(ctx, b.Stores.Postgres)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := conn.Query(ctx, `INSERT INTO push (community, key, person, number, purpose, facts, status, next_try, created_at)
		SELECT p.community, 'proof-' || p.person || ':' || p.key || ':' || g, w.id, p.number, p.purpose, p.facts, 'owed', now(), now()
		FROM (SELECT * FROM push WHERE community = $1 AND status = 'sent' AND purpose = 'assigned' LIMIT 1) p,
			generate_series(1, $2) g JOIN (SELECT id, row_number() OVER (ORDER BY id) AS i, count(*) OVER () AS n FROM person WHERE community = $1 AND openid LIKE 'proof-worker-%') w ON w.i = g % w.n + 1
		RETURNING key, person, purpose`, ground.Community, n)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	var tasks []desk.Task
	var p desk.Push
	if _, err := pgx.ForEachRow(found, []any{&p.Key, &p.Person, &p.Purpose}, func() error {
		tasks = append(tasks, desk.Task{Kind: desk.TaskPush, Key: p.Key, Lane: desk.PushLane(p)})
		return nil
	}); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if len(tasks) != n {
		return nil, fmt.Errorf("bench: %d pushes were owed, not %d", len(tasks), n)
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE push"); err != nil { // as for what was warmed up
		return nil, fmt.Errorf("bench: %w", err)
	}
	return tasks, nil
}

// queue queues them as a commit does.
func (b *bench) queue(ctx context.Context, tasks []desk.Task) error {
	drive, err := redis.Open(b.Stores.Redis, redis.Options{})
	if err != nil {
		return err
	}
	defer drive.Close()
	for _, t := range tasks {
		if err := drive.Add(ctx, ground.Community, t, false); err != nil {
			return err
		}
	}
	return nil
}

// pushes measures how fast what is owed leaves: at first as fast as the desk can, until
// the stand-in's minute is used up, then how much of each whole minute's limit is used.
func (b *bench) pushes(ctx context.Context) error {
	if _, err := b.write(ctx, b.addresses(), 500, 0, b.each); err != nil {
		return err
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	limit, minutes := b.perMinute(), 3
	if b.short {
		minutes = 1
	}
	tasks, err := b.owe(ctx, (minutes+2)*limit)
	if err != nil {
		return err
	}
	wait(ctx, time.Until(nextMinute())+time.Second) // nothing of this minute is used up
	queued := make(chan error, 1)
	was, _ := b.sent()
	began, boundary, got := time.Now(), nextMinute(), 0
	go func() { queued <- b.queue(ctx, tasks) }()
	for time.Now().Before(boundary) && ctx.Err() == nil {
		if got, _ = b.sent(); got-was >= limit {
			break
		}
		wait(ctx, 20*time.Millisecond)
	}
	burst := time.Since(began)
	if err := <-queued; err != nil {
		return err
	}
	wait(ctx, time.Until(boundary))
	b.note("pushes_per_s", float64(got-was)/burst.Seconds(), "/s", "template messages that leave while the limit lets them, queued, leased, sent, ended")
	var share, refused []float64
	for range minutes {
		from, asked := b.sent()
		boundary = nextMinute()
		for time.Now().Before(boundary) && ctx.Err() == nil {
			if n, _ := b.sent(); n-from >= limit {
				break
			}
			wait(ctx, 50*time.Millisecond)
		}
		n, all := b.sent()
		share, refused = append(share, float64(n-from)/float64(limit)), append(refused, float64(all-asked-(n-from)))
		wait(ctx, time.Until(boundary))
	}
	if ctx.Err() != nil {
		return errors.New("bench: interrupted")
	}
	b.note("pushes_limit_per_min", float64(limit), "", "calls a minute that the stand-in takes before it answers 45011")
	b.note("pushes_vs_limit", median(share), "", "of a whole minute's limit, while more is owed")
	b.note("pushes_refused_per_min", median(refused), "", "calls beyond it until then")
	return nil
}

func (b *bench) perMinute() int {
	if b.short {
		return minuteShort
	}
	return minuteLong
}

func nextMinute() time.Time { return time.Now().Truncate(time.Minute).Add(time.Minute) }

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
