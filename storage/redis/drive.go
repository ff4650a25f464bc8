// Package redis is the room of the drive: live state of open tickets,
// conversations, claimed deliveries, queues, deadlines, loads, rate limits,
// send windows, the access token that replicas share. It implements
// desk.Drive over go-redis; live.go tells other processes of changes.
//
// All keys of a community begin with "wd:{<community>}:", so that they share a
// slot of a Redis Cluster. All of it can be lost and is rebuilt from the
// journal, except message tasks, which the append-only file keeps.
//
// What must never come in: decisions, and the only copy of anything that was
// acknowledged.
package redis

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
	"golang.org/x/sync/singleflight"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

//go:embed lua/*.lua
var luaFiles embed.FS

var (
	committedScript = script("committed")
	fireDueScript   = script("fire_due")
	allowScript     = script("allow")
	dropScript      = script("compare_delete")
	spendScript     = script("spend")
	unspendScript   = script("unspend")
)

func script(name string) *redis.Script {
	src, err := fs.ReadFile(luaFiles, "lua/"+name+".lua")
	if err != nil {
		panic("redis: the binary lacks script " + name) // an embedded file: only a broken build lacks it
	}
	return redis.NewScript(string(src))
}

// Drive is a connection to one Redis or one Redis Cluster. It connects when
// it is first used and is safe for concurrent use.
type Drive struct {
	c     redis.UniversalClient
	self  string             // by which a process knows what it told itself
	loads singleflight.Group // by community: who asks while another does gets the same answer
}

var _ desk.Drive = (*Drive)(nil)

// Options are optional.
type Options struct{ Logger *slog.Logger }

// Times after which Redis counts as away; a resident waits for the answer. A
// call is tried twice, because a connection may be dead since a restart, and
// ends within a second all the same. In a cluster it may be sent on twice.
const (
	dialTimeout = 300 * time.Millisecond
	callTimeout = 400 * time.Millisecond

	nodeTimeout = 200 * time.Millisecond
	redirects   = 2
)

// mostCalls bounds how many calls of a process to one server (of a cluster, to each node)
// are under way at once, each on a connection of its own. Each community has one that
// waits for its tasks, and each message in hand (256, see bot.Options) and each task that
// is done has one now and then, so that this is enough for a thousand communities, while
// five such processes stay within what Redis takes by default (maxclients 10000).
// Connections are made when all that are there are busy, so a small process has few
// whatever stands here; who comes beyond it waits for callTimeout, where go-redis'
// MaxActiveConns would refuse at once.
//
// mostIdle is how many of them are kept when a crowd has gone. bufferSize is what each
// reads into and writes from, in bytes: the calls are small, and go-redis' own 32 KiB
// for each way were a third of what a crowded process held.
const (
	mostCalls  = 2000
	mostIdle   = 128
	bufferSize = 8 << 10
)

// How long things are kept that nobody deletes.
const (
	endedKept  = 10 * time.Minute // the version of an ended ticket, against late news of it
	talkKept   = 48 * time.Hour
	windowKept = 49 * time.Hour
)

// Open gives a drive for URLs as go-redis reads them (redis://, rediss://,
// unix://); several, separated by commas, are a cluster. Redis may be away.
func Open(urls string, o Options) (*Drive, error) {
	var nodes []*redis.Options
	for _, u := range strings.Split(urls, ",") {
		opt, err := redis.ParseURL(strings.TrimSpace(u))
		if err != nil {
			return nil, errors.New("redis: the address cannot be read: want redis://host:6379/0 or unix:///path.sock") // the URL may hold a password
		}
		nodes = append(nodes, opt)
		if opt.DB != 0 && strings.Contains(urls, ",") {
			return nil, errors.New("redis: a cluster has database 0 alone: leave the number out of the addresses")
		}
	}
	logging.Disable() // its own lines on the standard error: every failed call is told by its error
	first := nodes[0]
	u := &redis.UniversalOptions{
		DB: first.DB, Username: first.Username, Password: first.Password, TLSConfig: first.TLSConfig,
		DialTimeout: dialTimeout, ReadTimeout: callTimeout, WriteTimeout: callTimeout, PoolTimeout: callTimeout,
		PoolSize: mostCalls, MaxIdleConns: mostIdle, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize, MaxRetries: 1, DialerRetries: 1, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if len(nodes) > 1 {
		u.ReadTimeout, u.WriteTimeout, u.PoolTimeout = nodeTimeout, nodeTimeout, nodeTimeout
		u.MaxRetries, u.MaxRedirects = -1, redirects
	}
	for _, n := range nodes {
		u.Addrs = append(u.Addrs, n.Addr)
	}
	if first.Network == "unix" {
		u.Dialer = redis.NewDialer(first)
	}
	return &Drive{c: redis.NewUniversalClient(u), self: rand.Text()}, nil
}

// Close gives the connections back.
func (d *Drive) Close() error { return d.c.Close() }

// Ping tells whether Redis answers.
func (d *Drive) Ping(ctx context.Context) error { return d.c.Ping(ctx).Err() }

// Info is a section of Redis's INFO, for those who look after it: of the one
// server, or of every node of a cluster.
func (d *Drive) Info(ctx context.Context, section string) ([]string, error) {
	cluster, ok := d.c.(*redis.ClusterClient)
	if !ok {
		info, err := d.c.Info(ctx, section).Result()
		return []string{info}, err
	}
	var mu sync.Mutex
	var all []string
	err := cluster.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error {
		info, err := node.Info(ctx, section).Result()
		mu.Lock()
		defer mu.Unlock()
		all = append(all, info)
		return err
	})
	return all, err
}

func key(community string, parts ...string) string {
	return "wd:{" + community + "}:" + strings.Join(parts, ":")
}

func ticketKey(community string, number int64) string {
	return key(community, "ticket", strconv.FormatInt(number, 10))
}

func personKey(community, what string, p workflow.PersonID) string {
	return key(community, what, strconv.FormatInt(int64(p), 10))
}

// The shapes of committed.lua's argument.
type (
	news struct {
		Tickets []ticketNews `json:"tickets"`
		Talk    *talkNews    `json:"talk,omitempty"`
		Opened  *openedNews  `json:"opened,omitempty"`
		Pushes  []pushNews   `json:"pushes"`
		Tasks   []taskNews   `json:"tasks"`
		Notice  string       `json:"notice,omitempty"`
	}
	ticketNews struct {
		Number  string `json:"n"`
		Version int64  `json:"v"`
		Owner   string `json:"owner"`
		Due     int64  `json:"due"`
		Body    string `json:"body"`
	}
	talkNews struct {
		Version int64  `json:"v"`
		State   string `json:"s"`
	}
	openedNews struct {
		Message int64 `json:"m"`
		Click   int64 `json:"c"`
	}
	taskNews struct {
		Kind string `json:"kind"`
		Key  string `json:"key"`
		Lane string `json:"lane"`
	}
	pushNews struct {
		Key    string `json:"key"`
		Urgent bool   `json:"urgent"`
		Lane   string `json:"lane"`
	}
)

// Committed follows a change, in one round trip.
func (d *Drive) Committed(ctx context.Context, ch desk.Change) error {
	n := news{Tickets: []ticketNews{}, Pushes: []pushNews{}, Tasks: []taskNews{}}
	var person workflow.PersonID
	if t := ch.Talk; t != nil {
		person = t.Person
		n.Talk = &talkNews{Version: t.Was + 1, State: string(t.State)}
		if !t.LastMessageAt.IsZero() || !t.LastClickAt.IsZero() {
			n.Opened = &openedNews{Message: millis(t.LastMessageAt), Click: millis(t.LastClickAt)}
		}
	}
	for _, p := range ch.Pushes {
		n.Pushes = append(n.Pushes, pushNews{p.Key, p.Urgent(), desk.PushLane(p)})
	}
	addTask := func(t desk.Task) { n.Tasks = append(n.Tasks, taskNews{string(t.Kind), t.Key, t.Lane}) }
	for _, m := range ch.Media {
		addTask(desk.MediaTask(m))
	}
	for _, t := range ch.Tasks {
		addTask(t)
	}
	if notice, ok := desk.NoticeOf(&ch); ok {
		text, err := d.line(notice)
		if err != nil {
			return err
		}
		n.Notice = text
	}
	tickets := make([]workflow.Ticket, len(ch.Tickets))
	for i, tc := range ch.Tickets {
		tickets[i] = tc.Ticket
	}
	return d.tell(ctx, ch.Community, person, tickets, n)
}

// Restore sets live state, deadline and owner of tickets; loads are set by
// RestoreLoads afterwards.
func (d *Drive) Restore(ctx context.Context, community string, tickets []workflow.Ticket) error {
	return d.tell(ctx, community, 0, tickets, news{Pushes: []pushNews{}, Tasks: []taskNews{}})
}

func (d *Drive) tell(ctx context.Context, community string, person workflow.PersonID, tickets []workflow.Ticket, n news) error {
	keys := []string{
		key(community, "due"), key(community, "load"), key(community, "q", "urgent"), key(community, "q", "push"),
		key(community, "q", "stage"), personKey(community, "talk", person), personKey(community, "window", person),
		liveChannel(community),
	}
	n.Tickets = make([]ticketNews, 0, len(tickets))
	for _, t := range tickets {
		tn := ticketNews{Number: strconv.FormatInt(t.Number, 10), Version: t.Version}
		if t.State.Open() {
			body, err := json.Marshal(t)
			if err != nil {
				return fmt.Errorf("redis: ticket %d: %w", t.Number, err)
			}
			tn.Body = string(body)
			if _, at, ok := t.NextDue(); ok {
				tn.Due = millis(at)
			}
			if t.Owner != 0 {
				tn.Owner = strconv.FormatInt(int64(t.Owner), 10)
			}
		}
		n.Tickets = append(n.Tickets, tn)
		keys = append(keys, ticketKey(community, t.Number))
	}
	arg, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return committedScript.Run(ctx, d.c, keys, string(arg), endedKept.Milliseconds(), talkKept.Milliseconds(), windowKept.Milliseconds()).Err()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Live is an open ticket's state if the drive has it.
func (d *Drive) Live(ctx context.Context, community string, number int64) (t workflow.Ticket, ok bool, err error) {
	body, err := d.c.HGet(ctx, ticketKey(community, number), "b").Result()
	if errors.Is(err, redis.Nil) || err == nil && body == "" {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	if err := json.Unmarshal([]byte(body), &t); err != nil {
		return workflow.Ticket{}, false, nil // an older release's: the journal has it
	}
	return t, true, nil
}

// Forget drops the body that proved stale; the version stays, so that the
// load is still counted right.
func (d *Drive) Forget(ctx context.Context, community string, number int64) error {
	return d.c.HDel(ctx, ticketKey(community, number), "b").Err()
}

// Talk is a conversation if the drive has it.
func (d *Drive) Talk(ctx context.Context, community string, person workflow.PersonID) (json.RawMessage, int64, bool, error) {
	got, err := d.c.HMGet(ctx, personKey(community, "talk", person), "v", "s").Result()
	if err != nil || got[0] == nil || got[1] == nil {
		return nil, 0, false, err
	}
	version, err := strconv.ParseInt(got[0].(string), 10, 64)
	if err != nil {
		return nil, 0, false, nil
	}
	return json.RawMessage(got[1].(string)), version, true, nil
}

// ForgetTalk drops a conversation that proved stale.
func (d *Drive) ForgetTalk(ctx context.Context, community string, person workflow.PersonID) error {
	return d.c.Del(ctx, personKey(community, "talk", person)).Err()
}

// Loads is how many open tickets each owner has, as the journal counts them;
// ok is false while the drive is not rebuilt. Many who ask at once share the answer,
// which they must not change.
func (d *Drive) Loads(ctx context.Context, community string) (map[workflow.PersonID]int, bool, error) {
	all, err, _ := d.loads.Do(community, func() (any, error) {
		loads, ok, err := d.readLoads(context.WithoutCancel(ctx), community)
		if !ok {
			return nil, err
		}
		return loads, err
	})
	loads, ok := all.(map[workflow.PersonID]int)
	return loads, ok, err
}

func (d *Drive) readLoads(ctx context.Context, community string) (map[workflow.PersonID]int, bool, error) {
	var ready *redis.IntCmd
	var all *redis.MapStringStringCmd
	_, err := d.c.Pipelined(ctx, func(p redis.Pipeliner) error {
		ready = p.Exists(ctx, key(community, "ready"))
		all = p.HGetAll(ctx, key(community, "load"))
		return nil
	})
	if err != nil || ready.Val() == 0 {
		return nil, false, err
	}
	out := make(map[workflow.PersonID]int, len(all.Val()))
	for person, n := range all.Val() {
		id, err1 := strconv.ParseInt(person, 10, 64)
		count, err2 := strconv.Atoi(n)
		if errors.Join(err1, err2) == nil {
			out[workflow.PersonID(id)] = count
		}
	}
	return out, true, nil
}

// RestoreLoads sets all loads, in one step.
func (d *Drive) RestoreLoads(ctx context.Context, community string, loads map[workflow.PersonID]int) error {
	_, err := d.c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, key(community, "load"))
		for person, n := range loads {
			p.HSet(ctx, key(community, "load"), strconv.FormatInt(int64(person), 10), n)
		}
		return nil
	})
	return err
}

// Ready tells whether the drive holds the community's state.
func (d *Drive) Ready(ctx context.Context, community string) (bool, error) {
	n, err := d.c.Exists(ctx, key(community, "ready")).Result()
	return n == 1, err
}

// MarkReady ends a rebuild.
func (d *Drive) MarkReady(ctx context.Context, community string) error {
	return d.c.Set(ctx, key(community, "ready"), 1, 0).Err()
}
