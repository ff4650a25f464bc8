package redis

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/workflow/desk"
)

// group is the consumer group of every stream: each task goes to one of the
// replicas.
const group = "wishdesk"

// streams are a community's queues, the most urgent first.
func streams(community string) []string {
	return []string{key(community, "q", "urgent"), key(community, "q", "push"), key(community, "q", "stage")}
}

// Add puts a task on its queue.
func (d *Drive) Add(ctx context.Context, community string, t desk.Task, urgent bool) error {
	all := streams(community)
	stream := all[2]
	if t.Kind == desk.TaskPush {
		stream = all[1]
		if urgent {
			stream = all[0]
		}
	}
	return d.c.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"kind", string(t.Kind), "key", t.Key, "body", string(t.Body), "lane", t.Lane}}).Err()
}

// Read waits up to block for tasks that nobody has; 0 does not wait. It gives
// up to n of each queue. Where Redis hangs it ends soon after block; tasks
// whose delivery was lost that way are claimed later.
func (d *Drive) Read(ctx context.Context, community, consumer string, n int, block time.Duration) ([]desk.Task, error) {
	return d.read(ctx, community, consumer, ">", n, block)
}

// Mine gives the tasks that this consumer was given and has not finished.
func (d *Drive) Mine(ctx context.Context, community, consumer string, n int) ([]desk.Task, error) {
	return d.read(ctx, community, consumer, "0", n, 0)
}

func (d *Drive) read(ctx context.Context, community, consumer, from string, n int, block time.Duration) ([]desk.Task, error) {
	ctx, cancel := context.WithTimeout(ctx, max(block, 0)+callTimeout)
	defer cancel()
	if block <= 0 {
		block = -1 // go-redis: no BLOCK at all
	}
	all := streams(community)
	args := &redis.XReadGroupArgs{Group: group, Consumer: consumer, Streams: append(all, from, from, from), Count: int64(n), Block: block}
	got, err := d.c.XReadGroup(ctx, args).Result()
	if isNoGroup(err) {
		if err := d.groups(ctx, community); err != nil {
			return nil, err
		}
		got, err = d.c.XReadGroup(ctx, args).Result()
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []desk.Task
	for _, s := range got {
		for _, m := range s.Messages {
			out = append(out, task(s.Stream, m, 1))
		}
	}
	return out, nil
}

// Claim takes over up to n tasks of each queue that another consumer left for
// idle, and tells how often each was handed out.
func (d *Drive) Claim(ctx context.Context, community, consumer string, idle time.Duration, n int) ([]desk.Task, error) {
	var out []desk.Task
	for _, stream := range streams(community) {
		tasks, err := d.claim(ctx, stream, consumer, idle, n)
		if isNoGroup(err) {
			err = d.groups(ctx, community)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, tasks...)
	}
	return out, nil
}

// claim looks through all that is pending in one queue: what others are at
// work on may stand before what was abandoned.
func (d *Drive) claim(ctx context.Context, stream, consumer string, idle time.Duration, n int) ([]desk.Task, error) {
	var messages []redis.XMessage
	for from := "0-0"; len(messages) < n; {
		some, next, err := d.c.XAutoClaim(ctx, &redis.XAutoClaimArgs{
			Stream: stream, Group: group, Consumer: consumer, MinIdle: idle, Start: from, Count: int64(n - len(messages)),
		}).Result()
		if err != nil {
			return nil, err
		}
		messages = append(messages, some...)
		if from = next; from == "0-0" {
			break
		}
	}
	if len(messages) == 0 {
		return nil, nil
	}
	pending := make([]*redis.XPendingExtCmd, len(messages))
	if _, err := d.c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, m := range messages {
			pending[i] = p.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: stream, Group: group, Start: m.ID, End: m.ID, Count: 1})
		}
		return nil
	}); err != nil {
		return nil, err
	}
	tasks := make([]desk.Task, len(messages))
	for i, m := range messages {
		deliveries := int64(2)
		if p := pending[i].Val(); len(p) == 1 {
			deliveries = p[0].RetryCount
		}
		tasks[i] = task(stream, m, deliveries)
	}
	return tasks, nil
}

// Finish acknowledges a task and removes it, so that streams stay short.
func (d *Drive) Finish(ctx context.Context, _ string, t desk.Task) error {
	_, err := d.c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.XAck(ctx, t.Stream, group, t.ID)
		p.XDel(ctx, t.Stream, t.ID)
		return nil
	})
	return err
}

// FireDue queues ticks for the deadlines that are due.
func (d *Drive) FireDue(ctx context.Context, community string, now time.Time, lease time.Duration, limit int) (int, error) {
	return fireDueScript.Run(ctx, d.c, []string{key(community, "due"), key(community, "q", "stage")},
		now.UnixMilli(), now.Add(lease).UnixMilli(), limit).Int()
}

// Waiting is how many tasks each queue holds, by the queue's name.
func (d *Drive) Waiting(ctx context.Context, community string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, s := range streams(community) {
		n, err := d.c.XLen(ctx, s).Result()
		if err != nil {
			return nil, err
		}
		out[s[strings.LastIndexByte(s, ':')+1:]] = n
	}
	return out, nil
}

// groups makes the consumer group of each queue where it is missing: at the
// first use, and after a loss.
func (d *Drive) groups(ctx context.Context, community string) error {
	for _, s := range streams(community) {
		if err := d.c.XGroupCreateMkStream(ctx, s, group, "0").Err(); err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return err
		}
	}
	return nil
}

func isNoGroup(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOGROUP") }

func task(stream string, m redis.XMessage, deliveries int64) desk.Task {
	text := func(name string) string { s, _ := m.Values[name].(string); return s }
	t := desk.Task{
		Kind: desk.TaskKind(text("kind")), Key: text("key"), Lane: text("lane"), Urgent: strings.HasSuffix(stream, ":urgent"),
		ID: m.ID, Stream: stream, Deliveries: deliveries,
	}
	if body := text("body"); body != "" {
		t.Body = []byte(body)
	}
	return t
}
