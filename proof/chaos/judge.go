package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/wechatsim"
)

// verdict is what follows from what people saw and what the stores hold.
type verdict struct {
	acknowledged   int // messages that were said to be done or taken
	lost           []string
	duplicated     []string
	stuck          []string
	owed           int // pushes in the outbox
	waiting        int // of them, those whose time has not come, such as by tomorrow's quota
	missing        []string
	twice          int
	tickets        int
	events         int
	pushesToPhones int
}

func (v *verdict) String() string {
	return fmt.Sprintf("acknowledged=%d lost=%d duplicated=%d stuck=%d pushes_owed=%d pushes_missing=%d pushes_twice=%d",
		v.acknowledged, len(v.lost), len(v.duplicated), len(v.stuck), v.owed, len(v.missing), v.twice)
}

// clean tells whether nothing is wrong.
func (v *verdict) clean() bool {
	return len(v.lost)+len(v.duplicated)+len(v.stuck)+len(v.missing) == 0
}

// record is what the stores hold after the run.
type record struct {
	messages map[saying]int // how many deliveries each is
	filed    map[saying][]int64
	deeds    map[doing]int // events that a person made on a ticket
	tickets  []ticketRow
	events   []eventRow
	pushes   []pushRow
	dead     []string
	queued   map[string]int64 // tasks by queue
	openids  map[int64]string
}

type saying struct{ who, text string }

type doing struct {
	who    string
	number int64
	event  string
}

type ticketRow struct {
	Number    int64
	State     string
	Stand     string
	Owner     int64
	Reporter  int64
	NextDue   *time.Time
	EndedAt   *time.Time
	Followers []int64
}

type eventRow struct {
	Number   int64
	Seq      int64
	Type     string
	By       int64
	Owner    int64
	Reporter int64
	Into     int64
	Text     string
}

type pushRow struct {
	Person  int64
	Number  int64
	Purpose string
	Status  string
	NextTry time.Time
	Key     string
}

// readRecord reads all of a community out of both stores, in SQL of its own.
func readRecord(ctx context.Context, postgresURL, redisURL, community string) (*record, error) {
	conn, err := pgx.Connect(ctx, postgresURL)
	if err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	defer conn.Close(context.Background())
	r := &record{messages: map[saying]int{}, filed: map[saying][]int64{}, deeds: map[doing]int{}, queued: map[string]int64{}, openids: map[int64]string{}}
	people, err := rows[struct {
		ID     int64
		OpenID string `db:"openid"`
	}](ctx, conn, "SELECT id, openid FROM person WHERE community = $1 AND openid IS NOT NULL", community)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		r.openids[p.ID] = p.OpenID
	}
	messages, err := rows[struct {
		Person int64
		Body   string
		N      int
	}](ctx, conn, "SELECT person, body, count(*)::int AS n FROM message WHERE community = $1 GROUP BY person, body", community)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		r.messages[saying{r.openids[m.Person], m.Body}] = m.N
	}
	if r.tickets, err = rows[ticketRow](ctx, conn, `SELECT number, state, stand, owner, reporter, next_due, ended_at,
		ARRAY(SELECT jsonb_array_elements_text(coalesce(body->'followers', '[]'))::bigint) AS followers FROM ticket WHERE community = $1 ORDER BY number`, community); err != nil {
		return nil, err
	}
	if r.events, err = rows[eventRow](ctx, conn, `SELECT number, seq, type, coalesce((body->>'by')::bigint, 0) AS by, coalesce((body->>'owner')::bigint, 0) AS owner,
		coalesce((body->>'reporter')::bigint, 0) AS reporter, coalesce((body->>'into')::bigint, 0) AS into, coalesce(body->>'text', '') AS text
		FROM event WHERE community = $1 ORDER BY number, seq`, community); err != nil {
		return nil, err
	}
	for _, e := range r.events {
		if e.Type == "filed" {
			s := saying{r.openids[e.Reporter], e.Text}
			r.filed[s] = append(r.filed[s], e.Number)
		}
		r.deeds[doing{r.openids[e.By], e.Number, e.Type}]++
	}
	if r.pushes, err = rows[pushRow](ctx, conn, "SELECT person, number, purpose, status, next_try, key FROM push WHERE community = $1", community); err != nil {
		return nil, err
	}
	dead, err := rows[struct{ Reason string }](ctx, conn, "SELECT reason FROM dead_letter WHERE community = $1", community)
	if err != nil {
		return nil, err
	}
	for _, d := range dead {
		r.dead = append(r.dead, d.Reason)
	}
	return r, r.readQueues(ctx, redisURL, community)
}

func (r *record) readQueues(ctx context.Context, redisURL, community string) error {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	for _, q := range []string{"urgent", "push", "stage"} {
		n, err := c.XLen(ctx, "wd:{"+community+"}:q:"+q).Result()
		if err != nil {
			return fmt.Errorf("judge: %w", err)
		}
		r.queued[q] = n
	}
	return nil
}

func rows[T any](ctx context.Context, conn *pgx.Conn, sql, community string) ([]T, error) {
	found, err := conn.Query(ctx, sql, community)
	if err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	out, err := pgx.CollectRows(found, pgx.RowToStructByName[T])
	if err != nil {
		return nil, fmt.Errorf("judge: %w", err)
	}
	return out, nil
}

// phones are what everybody read that was not the answer to a message.
type phones map[string][]string

func phonesOf(p *wechatsim.Platform) phones {
	all, _ := p.Since(0)
	out := phones{}
	for _, s := range all {
		if s.Dir == wechatsim.Out && s.Channel != wechatsim.ByPassive {
			text := readable(s.Entry)
			for _, f := range s.Fields {
				text += "\n" + f.Value
			}
			out[s.OpenID] = append(out[s.OpenID], text)
		}
	}
	return out
}

// read tells whether somebody read all of some words in one message.
func (p phones) read(openid string, words ...string) bool {
	return slices.ContainsFunc(p[openid], func(text string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
}

// judge holds what people saw against what the stores hold. now is when the record
// was read.
func judge(all []said, r *record, phones phones, reader *reader, now time.Time) *verdict {
	v := &verdict{tickets: len(r.tickets), events: len(r.events), owed: len(r.pushes)}
	for _, s := range all {
		if s.Class == told || s.Class == later {
			v.acknowledged++
			v.judgeAcknowledged(s, r)
		}
	}
	for s, numbers := range r.filed {
		if len(numbers) > 1 && strings.HasPrefix(s.who, "proof-resident-") {
			v.duplicated = append(v.duplicated, fmt.Sprintf("%s wrote once and has the tickets %v", s.who, numbers))
		}
	}
	for s, n := range r.messages {
		if n > 1 && strings.HasPrefix(s.who, "proof-resident-") && len(r.filed[s]) > 0 {
			v.duplicated = append(v.duplicated, fmt.Sprintf("%s wrote once and %d messages are kept", s.who, n))
		}
	}
	for d, n := range r.deeds {
		if n > 1 && (d.event == "accepted" || d.event == "resolved") && !r.reopened(d.number) {
			v.duplicated = append(v.duplicated, fmt.Sprintf("%s did %q on %d %d times", d.who, d.event, d.number, n))
		}
	}
	v.judgeStuck(r, now)
	v.judgePushes(all, r, phones, reader, now)
	return v
}

// judgeAcknowledged looks for what somebody was told is there.
func (v *verdict) judgeAcknowledged(s said, r *record) {
	if r.messages[saying{s.Who, s.Text}] == 0 {
		v.lost = append(v.lost, fmt.Sprintf("%s was told (%s, in %s) and no message is kept: %s", s.Who, s.Class, s.Phase, s.Text))
		return
	}
	switch s.Deed {
	case report:
		numbers := r.filed[saying{s.Who, s.Text}]
		switch {
		case len(numbers) == 0:
			v.lost = append(v.lost, fmt.Sprintf("%s was told (%s, in %s) and no ticket is filed: %s", s.Who, s.Class, s.Phase, s.Text))
		case s.Class == told && !slices.Contains(numbers, s.Number):
			v.lost = append(v.lost, fmt.Sprintf("%s was told the number %d in %s and has %v", s.Who, s.Number, s.Phase, numbers))
		}
	case accept, resolve:
		event := map[deed]string{accept: "accepted", resolve: "resolved"}[s.Deed]
		if s.Class == told && r.deeds[doing{s.Who, s.Number, event}] == 0 {
			v.lost = append(v.lost, fmt.Sprintf("%s was told in %s that %d is %s, and it is not", s.Who, s.Phase, s.Number, event))
		}
	}
}

func (r *record) reopened(number int64) bool {
	return slices.ContainsFunc(r.events, func(e eventRow) bool {
		return e.Number == number && (e.Type == "reopened" || e.Type == "rated" || e.Type == "returned" || e.Type == "transferred")
	})
}

// judgeStuck looks for what nobody would ever touch again.
func (v *verdict) judgeStuck(r *record, now time.Time) {
	const patience = 90 * time.Second // of a clock that should have been heard
	for _, t := range r.tickets {
		if t.EndedAt != nil {
			continue
		}
		switch {
		case t.Owner == 0 && t.Stand != "wall" && t.Stand != "tray":
			v.stuck = append(v.stuck, fmt.Sprintf("%d (%s) has nobody and stands nowhere", t.Number, t.State))
		case t.NextDue == nil:
			v.stuck = append(v.stuck, fmt.Sprintf("%d (%s) has no deadline", t.Number, t.State))
		case now.Sub(*t.NextDue) > patience:
			v.stuck = append(v.stuck, fmt.Sprintf("%d (%s) was due %s ago and nobody heard it", t.Number, t.State, now.Sub(*t.NextDue).Round(time.Second)))
		}
	}
	for _, p := range r.pushes {
		if (p.Status == "owed" || p.Status == "sending") && now.Sub(p.NextTry) > patience {
			v.stuck = append(v.stuck, fmt.Sprintf("the push %s is %s since %s", p.Key, p.Status, now.Sub(p.NextTry).Round(time.Second)))
		}
	}
	for queue, n := range r.queued {
		if n > 0 {
			v.stuck = append(v.stuck, fmt.Sprintf("%d tasks are left in the queue %s", n, queue))
		}
	}
	for _, reason := range r.dead {
		v.stuck = append(v.stuck, "a task was given up: "+reason)
	}
}

// judgePushes derives who should have read what, and looks on their phones. Who
// cannot be reached shows in the record: a telephone call, an end, a time that has
// not come.
func (v *verdict) judgePushes(all []said, r *record, phones phones, reader *reader, now time.Time) {
	type about struct{ person, number int64 }
	ended := map[about]bool{}
	for _, p := range r.pushes {
		switch {
		case p.Status == "manual", p.Status == "done", p.Status == "dropped", p.Status == "unknown":
			ended[about{p.Person, p.Number}] = true
		case p.Status == "owed" && p.NextTry.After(now):
			v.waiting++
			ended[about{p.Person, p.Number}] = true
		}
	}
	miss := func(person, number int64, what string, words ...string) {
		openid := r.openids[person]
		if openid == "" || ended[about{person, number}] || phones.read(openid, words...) {
			return
		}
		v.missing = append(v.missing, fmt.Sprintf("%s never read that %d %s", openid, number, what))
	}
	reporters, followers := map[int64]int64{}, map[int64][]int64{}
	for _, t := range r.tickets {
		reporters[t.Number], followers[t.Number] = t.Reporter, t.Followers
	}
	for i, e := range r.events {
		number := fmt.Sprint(e.Number)
		switch e.Type {
		case "assigned":
			if next := r.after(i); next != "" && next != "accepted" && next != "resolved" {
				continue // it went on at once to somebody else
			}
			miss(e.Owner, e.Number, "is theirs", number)
		case "resolved":
			if reporters[e.Number] != 0 {
				miss(reporters[e.Number], e.Number, "is done", number+" 号", "办好了")
			}
			for _, f := range followers[e.Number] {
				miss(f, e.Number, "is done, too", "办好了")
			}
		}
	}
	ids := map[string]int64{}
	for id, openid := range r.openids {
		ids[openid] = id
	}
	for _, s := range all {
		if s.Deed != report || s.Class != later {
			continue
		}
		for _, n := range r.filed[saying{s.Who, s.Text}] {
			if !slices.ContainsFunc(phones[s.Who], func(text string) bool { return reader.number(report, text) == n }) {
				miss(ids[s.Who], n, "is their number, though it was promised")
			}
		}
	}
	for _, texts := range phones {
		v.pushesToPhones += len(texts)
		seen := map[string]bool{}
		for _, t := range texts {
			if seen[t] {
				v.twice++
			}
			seen[t] = true
		}
	}
}

// after is the type of the next event of the same ticket that is not a reminder, ""
// where there is none.
func (r *record) after(i int) string {
	for _, e := range r.events[i+1:] {
		if e.Number != r.events[i].Number {
			return ""
		}
		switch e.Type {
		case "reminded", "overdue", "absorbed", "urged", "supplemented":
		default:
			return e.Type
		}
	}
	return ""
}
