package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/wechatsim"
)

// fault is one thing that goes wrong while people write. begin breaks, end mends;
// what end starts may still be starting when the next phase begins.
type fault struct {
	name  string
	begin func(context.Context, *ground.Field) error
	end   func(context.Context, *ground.Field) error
	// least is the share of messages that must get a proper answer within 5 s; 0
	// where the phase promises nothing.
	least float64
	load  bool // at the load of an outage, not the ordinary one
	// carried has the next phase wait until all that was kept meanwhile is in the
	// record, and promises that it takes no longer than carryOver.
	carried bool
}

// carryOver is how long what was kept in Redis may take after PostgreSQL is back, where
// PostgreSQL was away no longer: the number was said to follow at once. After a longer
// outage it is what that lasted: the desk catches up faster than people write.
const carryOver = 15 * time.Second

// replica kills one outright and starts it again.
func replica(i int) fault {
	return fault{
		name: fmt.Sprintf("kill -9 of replica %d", i), least: 0.99,
		begin: func(_ context.Context, f *ground.Field) error { return f.Replicas[i].End(syscall.SIGKILL) },
		end:   func(_ context.Context, f *ground.Field) error { return f.Replicas[i].Start() },
	}
}

func stopPostgres(_ context.Context, f *ground.Field) error { return f.Stores.StopPostgres() }

func startStores(ctx context.Context, f *ground.Field) error { return f.Stores.Start(ctx) }

// script is every fault in turn.
func script() []fault {
	return []fault{
		{name: "calm", least: 0.999},
		{name: "requests twice and out of order", least: 0.99,
			begin: func(_ context.Context, f *ground.Field) error {
				f.Door.Twice.Store(300)
				f.Door.Late.Store(300)
				return nil
			},
			end: func(_ context.Context, f *ground.Field) error {
				f.Door.Twice.Store(50)
				f.Door.Late.Store(50)
				return nil
			},
		},
		replica(0),
		replica(1),
		{name: "both replicas upgraded, one after the other", least: 0.999,
			begin: func(ctx context.Context, f *ground.Field) error {
				for _, r := range f.Replicas {
					if err := r.End(syscall.SIGTERM); err != nil {
						return fmt.Errorf("chaos: a replica did not end well: %w", err)
					}
					if err := r.Start(); err != nil {
						return err
					}
					if err := r.Ready(ctx); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{name: "Redis killed", least: 0.99, load: true,
			begin: func(_ context.Context, f *ground.Field) error { return f.Stores.KillRedis(false) }, end: startStores},
		{name: "PostgreSQL stopped", least: 0.99, load: true, carried: true, begin: stopPostgres, end: startStores},
		{name: "Redis killed, its file lost", least: 0.99,
			begin: func(_ context.Context, f *ground.Field) error { return f.Stores.KillRedis(true) }, end: startStores},
		{name: "FLUSHALL", least: 0.99, begin: flushAll},
		{name: "PostgreSQL stopped, then Redis killed", carried: true,
			begin: func(ctx context.Context, f *ground.Field) error {
				if err := f.Stores.StopPostgres(); err != nil {
					return err
				}
				wait(ctx, 500*time.Millisecond)
				return f.Stores.KillRedis(false)
			},
			end: startStores},
		{name: "both replicas killed while PostgreSQL is away",
			begin: func(ctx context.Context, f *ground.Field) error {
				if err := f.Stores.StopPostgres(); err != nil {
					return err
				}
				wait(ctx, time.Second)
				for _, r := range f.Replicas {
					if err := r.End(syscall.SIGKILL); err != nil {
						return err
					}
				}
				return nil
			},
			end: func(ctx context.Context, f *ground.Field) error {
				if err := f.Stores.Start(ctx); err != nil {
					return err
				}
				for _, r := range f.Replicas {
					if err := r.Start(); err != nil {
						return err
					}
				}
				return nil
			}},
		{name: "the disk of both stores is full",
			begin: func(_ context.Context, f *ground.Field) error { return f.Stores.Fill() },
			end: func(ctx context.Context, f *ground.Field) error {
				if err := f.Stores.Free(); err != nil {
					return err
				}
				return f.Stores.Start(ctx) // whichever gave up
			}},
		{name: "PostgreSQL is slow by 2 s", least: 0.95,
			begin: func(_ context.Context, f *ground.Field) error { f.Postgres.Slow(time.Second); return nil }, // each way
			end:   func(_ context.Context, f *ground.Field) error { f.Postgres.Heal(); return nil }},
		{name: "Redis is slow by 2 s", least: 0.95,
			begin: func(_ context.Context, f *ground.Field) error { f.Redis.Slow(time.Second); return nil },
			end:   func(_ context.Context, f *ground.Field) error { f.Redis.Heal(); return nil }},
		{name: "answers of commits are lost",
			begin: func(ctx context.Context, f *ground.Field) error {
				for range 5 {
					f.Postgres.StallAnswers()
					wait(ctx, 150*time.Millisecond)
					f.Postgres.Cut()
					wait(ctx, 150*time.Millisecond)
					f.Postgres.Heal()
					wait(ctx, 300*time.Millisecond)
				}
				return nil
			}},
		{name: "connections to both stores break",
			begin: func(ctx context.Context, f *ground.Field) error {
				for range 5 {
					f.Postgres.Cut()
					f.Redis.Cut()
					wait(ctx, 50*time.Millisecond)
					f.Postgres.Heal()
					f.Redis.Heal()
					wait(ctx, 300*time.Millisecond)
				}
				return nil
			}},
		{name: "WeChat refuses with each code", least: 0.99,
			begin: func(_ context.Context, f *ground.Field) error {
				for _, code := range []int{-1, 40001, 40003, 40014, 42001, 43004, 43101, 43117, 45011, 45015, 45047, 47001, 48001} {
					f.Platform.Fail(wechatsim.Failure{Path: "/cgi-bin/message/custom/send", ErrCode: code, Times: 2})
				}
				return nil
			},
			end: reset},
		{name: "WeChat is slow, answers by half, with an error page, or never", least: 0.99,
			begin: func(_ context.Context, f *ground.Field) error {
				f.Platform.Fail(wechatsim.Failure{Delay: 3 * time.Second, Times: 5})
				f.Platform.Fail(wechatsim.Failure{HalfBody: true, Times: 5})
				f.Platform.Fail(wechatsim.Failure{HTTPStatus: 502, Times: 5})
				f.Platform.Fail(wechatsim.Failure{Hang: true, Times: 5})
				return nil
			},
			end: reset},
		{name: "the clocks are two minutes ahead", least: 0.99,
			begin: func(_ context.Context, f *ground.Field) error { return setClocks(f, 2*time.Minute) },
			end:   func(_ context.Context, f *ground.Field) error { return setClocks(f, 0) }},
		{name: "the clocks are two minutes behind", least: 0.99,
			begin: func(_ context.Context, f *ground.Field) error { return setClocks(f, -2*time.Minute) },
			end:   func(_ context.Context, f *ground.Field) error { return setClocks(f, 0) }},
	}
}

func reset(_ context.Context, f *ground.Field) error {
	f.Platform.Reset()
	return nil
}

func flushAll(ctx context.Context, f *ground.Field) error {
	options, err := redis.ParseURL(f.Stores.Redis)
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	return errors.Join(c.FlushAll(ctx).Err())
}

// wait waits, or less where ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
