package postgres

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// insertEntry moves points: a trigger has the purse follow.
const insertEntry = `INSERT INTO ledger (community, cause, person, why, gives, takes, points, number, at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (community, cause) DO NOTHING`

func queueEntry(b *pgx.Batch, community string, e ledger.Entry) {
	b.Queue(insertEntry, community, e.Cause, e.Person, string(e.Why), string(e.Gives()), string(e.Takes()), e.Points, e.Number, e.At)
}

const (
	insertLine = `INSERT INTO fund (community, id, cause, day, item, words, fen, paper, by, at)
		SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM fund WHERE community = $1), $2, $3::text::date, $4, $5, $6, $7, $8, $9
		ON CONFLICT (community, cause) DO NOTHING`
	// strikeLine takes back exactly what the line said, under its item, once.
	strikeLine = `INSERT INTO fund (community, id, cause, day, item, words, fen, paper, strikes, by, at)
		SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM fund WHERE community = $1), $2, $3::text::date, f.item, $4, -f.fen, $5, f.id, $6, $7
		FROM fund f WHERE f.community = $1 AND f.id = $8 AND f.strikes = 0
		ON CONFLICT (community, strikes) WHERE strikes > 0 DO NOTHING`
)

// writeLedger books what was earned, the purses in the order of their people, and
// enters lines of the fund.
func writeLedger(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type booking struct {
		community string
		ledger.Entry
	}
	var all []booking
	for _, ch := range fit {
		for _, e := range ch.Earned {
			all = append(all, booking{ch.Community, e})
		}
	}
	slices.SortStableFunc(all, func(a, b booking) int {
		return cmp.Or(cmp.Compare(a.community, b.community), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Cause, b.Cause))
	})
	for _, e := range all {
		queueEntry(b, e.community, e.Entry)
	}
	for _, ch := range fit {
		for _, l := range ch.Fund {
			if l.Strikes != 0 {
				b.Queue(strikeLine, ch.Community, l.Cause, l.On, text(l.Words), l.Paper, l.By, l.At, l.Strikes)
			} else {
				b.Queue(insertLine, ch.Community, l.Cause, l.On, text(l.Item), text(l.Words), l.Fen, l.Paper, l.By, l.At)
			}
		}
	}
	return nil
}

// Purse is what somebody has, with their last entries, the newest first.
func (s *Store) Purse(ctx context.Context, community string, person workflow.PersonID, entries int) (p ledger.Holding, err error) {
	p, _, err = row(ctx, s, "purse", func(r pgx.CollectableRow) (p ledger.Holding, err error) {
		return p, r.Scan(&p.Points, &p.Held, &p.Ranked)
	}, `SELECT points, held, ranked FROM purse WHERE community = $1 AND person = $2`, community, person)
	if err != nil || entries == 0 {
		return p, err
	}
	p.Entries, err = rows(ctx, s, "ledger", func(r pgx.CollectableRow) (e ledger.Entry, err error) {
		return e, r.Scan(&e.Cause, &e.Person, &e.Why, &e.Points, &e.Number, &e.At)
	}, `SELECT cause, person, why, points, number, at FROM ledger WHERE community = $1 AND person = $2 ORDER BY at DESC, cause LIMIT $3`, community, person, entries)
	return p, err
}

// Rank notes whether somebody stands on the board.
func (s *Store) Rank(ctx context.Context, community string, person workflow.PersonID, yes bool) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO purse (community, person, ranked) VALUES ($1, $2, $3)
		ON CONFLICT (community, person) DO UPDATE SET ranked = excluded.ranked`, community, person, yes)
	return fault("rank", err)
}

// Ranked are those who stand on the board, with what they earned since a moment.
func (s *Store) Ranked(ctx context.Context, community string, since time.Time, limit int) ([]ledger.Rank, error) {
	return rows(ctx, s, "ranked", pgx.RowToStructByPos[ledger.Rank], `SELECT p.person, n.name, e.points
		FROM purse p JOIN person n ON n.community = p.community AND n.id = p.person
		CROSS JOIN LATERAL (SELECT coalesce(sum(l.points), 0)::int AS points FROM ledger l
			WHERE l.community = p.community AND l.person = p.person AND l.at >= $2 AND l.gives = 'mint') e
		WHERE p.community = $1 AND p.ranked AND e.points > 0 ORDER BY e.points DESC, p.person LIMIT $3`, community, since, limit)
}

// Rewards are what can be ordered, by number; all also those that ended.
func (s *Store) Rewards(ctx context.Context, community string, all bool) ([]ledger.Reward, error) {
	return rows(ctx, s, "rewards", pgx.RowToStructByPos[ledger.Reward], `SELECT id, name, price, stock, ended_at IS NOT NULL FROM reward
		WHERE community = $1 AND ($2 OR ended_at IS NULL) ORDER BY id`, community, all)
}

// AddReward gives a new reward its number; the same cause is one reward.
func (s *Store) AddReward(ctx context.Context, community, cause string, r ledger.Reward) (id int, err error) {
	err = s.again(ctx, "add reward", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO reward (community, id, cause, name, price, stock)
			SELECT $1, (SELECT coalesce(max(id), 0) + 1 FROM reward WHERE community = $1), $2, $3, $4, $5
			ON CONFLICT (community, cause) DO NOTHING`, community, cause, text(r.Name), r.Price, r.Stock); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT id FROM reward WHERE community = $1 AND cause = $2`, community, cause).Scan(&id)
	})
	return id, err
}

// ChangeReward sets stock and end of a reward whose stock is still as it was seen.
func (s *Store) ChangeReward(ctx context.Context, community string, seen, now ledger.Reward, at time.Time) error {
	tag, err := s.pool.Exec(ctx, `UPDATE reward SET stock = $4, ended_at = CASE WHEN $5 THEN coalesce(ended_at, $6) END
		WHERE community = $1 AND id = $2 AND stock = $3`, community, seen.ID, seen.Stock, now.Stock, now.Ended, at)
	if err == nil && tag.RowsAffected() == 0 {
		return desk.ErrStale
	}
	return fault("change reward", err)
}

// again does a transaction, once more where another came between.
func (s *Store) again(ctx context.Context, op string, do func(pgx.Tx) error) (err error) {
	for range maxTries {
		if err = pgx.BeginFunc(ctx, s.pool, do); err == nil || !raced(err) {
			break
		}
	}
	return fault(op, err)
}

const orderColumns = `SELECT o.id, o.cause, o.person, o.reward, r.name, o.points, o.hash, o.state, o.made_at, o.until, o.ended_at, o.by
	FROM reward_order o JOIN reward r ON r.community = o.community AND r.id = o.reward `

func scanOrder(r pgx.CollectableRow) (o ledger.Order, err error) {
	var ended *time.Time
	err = r.Scan(&o.ID, &o.Cause, &o.Person, &o.Reward.ID, &o.Reward.Name, &o.Points, &o.Hash, &o.State, &o.MadeAt, &o.Until, &ended, &o.By)
	if ended != nil {
		o.EndAt = *ended
	}
	return o, err
}

// Order holds the points and one of the stock. Locks are taken in one order by all:
// orders, rewards, purses.
func (s *Store) Order(ctx context.Context, community string, o ledger.Order) (ledger.Order, error) {
	var out ledger.Order
	for range maxTries {
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
			out, err = s.order(ctx, tx, community, o)
			return err
		})
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.ConstraintName == "reward_order_code" {
			return out, desk.ErrCodeTaken
		}
		if err == nil || !raced(err) && !errors.Is(err, desk.ErrStale) {
			return out, fault("order", err)
		}
	}
	return out, fault("order", errors.New("others keep coming between"))
}

func (s *Store) order(ctx context.Context, tx pgx.Tx, community string, o ledger.Order) (ledger.Order, error) {
	was, err := tx.Query(ctx, orderColumns+`WHERE o.community = $1 AND o.cause = $2 FOR UPDATE OF o`, community, o.Cause)
	if err != nil {
		return o, err
	}
	before, err := pgx.CollectRows(was, scanOrder)
	if err != nil {
		return o, err
	}
	if len(before) > 0 { // the same message again: what was told of the code is lost
		before[0].Hash = o.Hash
		_, err := tx.Exec(ctx, `UPDATE reward_order SET hash = $3 WHERE community = $1 AND cause = $2 AND state = 'waits'`, community, o.Cause, o.Hash)
		return before[0], err
	}
	r := &o.Reward
	err = tx.QueryRow(ctx, `SELECT name, price, stock, ended_at IS NOT NULL FROM reward WHERE community = $1 AND id = $2 FOR UPDATE`, community, r.ID).
		Scan(&r.Name, &r.Price, &r.Stock, &r.Ended)
	if errors.Is(err, pgx.ErrNoRows) {
		r.ID, err = 0, nil
	}
	if err != nil {
		return o, err
	}
	var waiting, same int // the lock on the reward has two taps come one after the other
	if err := tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE cause = $4) FROM reward_order WHERE community = $1 AND person = $2 AND reward = $3 AND state = 'waits'`,
		community, o.Person, r.ID, o.Cause).Scan(&waiting, &same); err != nil {
		return o, err
	}
	if same > 0 { // the same message came between: it is found now
		return o, desk.ErrStale
	}
	if o.Nth != 0 && o.Nth != waiting+1 {
		return o, &workflow.Error{Code: ledger.CodeWaits}
	}
	var have ledger.Balance
	err = tx.QueryRow(ctx, `SELECT points, held FROM purse WHERE community = $1 AND person = $2 FOR UPDATE`, community, o.Person).Scan(&have.Points, &have.Held)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return o, err
	}
	if err := r.May(have); err != nil {
		return o, err
	}
	o.Points = r.Price
	r.Stock--
	if _, err := tx.Exec(ctx, `UPDATE reward SET stock = stock - 1 WHERE community = $1 AND id = $2`, community, r.ID); err != nil {
		return o, err
	}
	if err := tx.QueryRow(ctx, `INSERT INTO reward_order (community, cause, person, reward, points, hash, state, made_at, until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		community, o.Cause, o.Person, r.ID, o.Points, o.Hash, string(ledger.Waits), o.MadeAt, o.Until).Scan(&o.ID); err != nil {
		return o, err
	}
	return o, book(ctx, tx, community, o.Entry(ledger.Ordered, o.MadeAt))
}

// book adds entries in a transaction; each must be new.
func book(ctx context.Context, tx pgx.Tx, community string, entries ...ledger.Entry) error {
	slices.SortStableFunc(entries, func(a, b ledger.Entry) int { return cmp.Compare(a.Person, b.Person) })
	b := &pgx.Batch{}
	for _, e := range entries {
		queueEntry(b, community, e)
	}
	return tx.SendBatch(ctx, b).Close()
}

// become gives what somebody has, and what they ordered, to who they became by a
// binding code. Whether they stand on the board they are asked anew.
func become(ctx context.Context, tx pgx.Tx, community string, was, id workflow.PersonID, code []byte, at time.Time) error {
	if _, err := tx.Exec(ctx, `UPDATE reward_order o SET person = $3 FROM (
			SELECT id FROM reward_order WHERE community = $1 AND person = $2 AND state = 'waits' ORDER BY id FOR UPDATE) AS mine
		WHERE o.community = $1 AND o.id = mine.id`, community, was, id); err != nil {
		return err
	}
	found, err := tx.Query(ctx, `SELECT person, points, held FROM purse WHERE community = $1 AND person IN ($2, $3) ORDER BY person FOR UPDATE`, community, was, id)
	if err != nil {
		return err
	}
	var have ledger.Balance
	var person workflow.PersonID
	var b ledger.Balance
	if _, err := pgx.ForEachRow(found, []any{&person, &b.Points, &b.Held}, func() error {
		if person == was {
			have = b
		}
		return nil
	}); err != nil {
		return err
	}
	entries := ledger.Become(was, id, have, hex.EncodeToString(code), at)
	if len(entries) == 0 {
		return nil
	}
	return book(ctx, tx, community, entries...)
}

// OrdersOf are somebody's orders that wait, the newest first.
func (s *Store) OrdersOf(ctx context.Context, community string, person workflow.PersonID) ([]ledger.Order, error) {
	return rows(ctx, s, "orders", scanOrder, orderColumns+`WHERE o.community = $1 AND o.person = $2 AND o.state = 'waits' ORDER BY o.id DESC LIMIT 99`, community, person)
}

// OrderOf is the order that waits under a code.
func (s *Store) OrderOf(ctx context.Context, community string, hash []byte, now time.Time) (ledger.Order, error) {
	o, ok, err := row(ctx, s, "order", scanOrder, orderColumns+`WHERE o.community = $1 AND o.hash = $2 AND o.state = 'waits' AND o.until > $3`, community, hash, now)
	if err == nil && !ok {
		err = &workflow.Error{Code: ledger.CodeNoOrder}
	}
	return o, err
}

// HandOver ends an order that waits: its points are spent.
func (s *Store) HandOver(ctx context.Context, community string, id int64, by workflow.PersonID, now time.Time) error {
	return s.again(ctx, "hand over", func(tx pgx.Tx) error {
		o := ledger.Order{ID: id}
		err := tx.QueryRow(ctx, `UPDATE reward_order SET state = 'handed', ended_at = $4, by = $3
			WHERE community = $1 AND id = $2 AND state = 'waits' AND until > $4 RETURNING person, points`, community, id, by, now).Scan(&o.Person, &o.Points)
		if errors.Is(err, pgx.ErrNoRows) {
			return &workflow.Error{Code: ledger.CodeNoOrder}
		}
		if err != nil {
			return err
		}
		return book(ctx, tx, community, o.Entry(ledger.Handed, now))
	})
}

// Cancel ends somebody's order that waits, and gives back what it held.
func (s *Store) Cancel(ctx context.Context, community string, id int64, person workflow.PersonID, now time.Time) error {
	return s.again(ctx, "cancel order", func(tx pgx.Tx) error {
		o := ledger.Order{ID: id, Person: person}
		err := tx.QueryRow(ctx, `UPDATE reward_order SET state = 'back', ended_at = $4, by = $3
			WHERE community = $1 AND id = $2 AND person = $3 AND state = 'waits' AND until > $4 RETURNING reward, points`, community, id, person, now).Scan(&o.Reward.ID, &o.Points)
		if errors.Is(err, pgx.ErrNoRows) {
			return &workflow.Error{Code: ledger.CodeNoOrder}
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE reward SET stock = stock + 1 WHERE community = $1 AND id = $2`, community, o.Reward.ID); err != nil {
			return err
		}
		return book(ctx, tx, community, o.Entry(ledger.Cancelled, now))
	})
}

// GiveBack ends orders that nobody came for, and gives back what they held; what tell
// makes of them is owed with it.
func (s *Store) GiveBack(ctx context.Context, community string, now time.Time, limit int, tell func([]ledger.Order) []desk.Push) (n int, err error) {
	err = s.again(ctx, "give back", func(tx pgx.Tx) error {
		found, err := tx.Query(ctx, orderColumns+`WHERE o.community = $1 AND o.state = 'waits' AND o.until <= $2
			ORDER BY o.until, o.id LIMIT $3 FOR UPDATE OF o SKIP LOCKED`, community, now, limit)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(found, scanOrder)
		if n = len(all); err != nil || n == 0 {
			return err
		}
		slices.SortStableFunc(all, func(a, b ledger.Order) int { return cmp.Compare(a.Reward.ID, b.Reward.ID) })
		b := &pgx.Batch{}
		var back []ledger.Entry
		for _, o := range all {
			b.Queue(`UPDATE reward_order SET state = 'back', ended_at = $3 WHERE community = $1 AND id = $2`, community, o.ID, now)
			b.Queue(`UPDATE reward SET stock = stock + 1 WHERE community = $1 AND id = $2`, community, o.Reward.ID)
			back = append(back, o.Entry(ledger.GaveBack, now))
		}
		told := desk.Change{Community: community, Pushes: tell(all)}
		if err := writePushes(b, []*desk.Change{&told}, nil); err != nil {
			return err
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		return book(ctx, tx, community, back...)
	})
	return n, err
}

// Unwarned are some who have points and were not told of a year's end.
func (s *Store) Unwarned(ctx context.Context, community string, year, limit int) (map[workflow.PersonID]int, error) {
	found, err := rows(ctx, s, "unwarned", pgx.RowToStructByPos[struct {
		Person workflow.PersonID
		Points int
	}], `SELECT person, points FROM purse WHERE community = $1 AND warned < $2 AND points > 0 ORDER BY warned, person LIMIT $3`, community, year, limit)
	out := map[workflow.PersonID]int{}
	for _, p := range found {
		out[p.Person] = p.Points
	}
	return out, err
}

// Warned notes that people were told of a year's end.
func (s *Store) Warned(ctx context.Context, community string, year int, people []workflow.PersonID) error {
	return s.again(ctx, "warned", func(tx pgx.Tx) error { return marked(ctx, tx, community, "warned", year, people) })
}

// marked notes a year in purses, in the order of their people.
func marked(ctx context.Context, tx pgx.Tx, community, column string, year int, people []workflow.PersonID) error {
	_, err := tx.Exec(ctx, fmt.Sprintf(`WITH mine AS (SELECT person FROM purse WHERE community = $1 AND person = ANY ($2::text::bigint[]) ORDER BY person FOR UPDATE)
		UPDATE purse p SET %s = $3 FROM mine WHERE p.community = $1 AND p.person = mine.person`, column), community, numbersOf(people), year)
	return err
}

// EndYear takes what is left of a year's points.
func (s *Store) EndYear(ctx context.Context, community string, year int, ended time.Time, limit int) (n int, err error) {
	err = s.again(ctx, "end year", func(tx pgx.Tx) error {
		var people []workflow.PersonID
		have, gained := map[workflow.PersonID]int{}, map[workflow.PersonID]int{}
		read := func(into map[workflow.PersonID]int, sql string, args ...any) error {
			found, err := tx.Query(ctx, sql, args...)
			if err != nil {
				return err
			}
			var person workflow.PersonID
			var points int
			_, err = pgx.ForEachRow(found, []any{&person, &points}, func() error {
				into[person] = points
				people = append(people, person)
				return nil
			})
			return err
		}
		if err := read(have, `SELECT person, points FROM purse WHERE community = $1 AND ended < $2 AND points > 0 ORDER BY ended, person LIMIT $3 FOR UPDATE`, community, year, limit); err != nil {
			return err
		}
		if n = len(people); n == 0 {
			return nil
		}
		all := people
		if err := read(gained, `SELECT person, sum(points)::int FROM ledger WHERE community = $1 AND person = ANY ($2::text::bigint[]) AND at >= $3 AND takes = 'purse' GROUP BY person`,
			community, numbersOf(all), ended); err != nil {
			return err
		}
		var lapse []ledger.Entry
		for _, p := range all {
			if points := ledger.Lapsing(have[p], gained[p]); points > 0 {
				lapse = append(lapse, ledger.Entry{Cause: fmt.Sprintf("%s:%d:%d", ledger.YearEnd, year, p), Person: p, Why: ledger.YearEnd, Points: points, At: ended})
			}
		}
		if err := book(ctx, tx, community, lapse...); err != nil {
			return err
		}
		return marked(ctx, tx, community, "ended", year, all)
	})
	return n, err
}

const lineColumns = `SELECT f.id, f.cause, f.day::text, f.item, f.words, f.fen, f.paper, f.strikes, f.by, f.at, coalesce(s.id, 0)
	FROM fund f LEFT JOIN fund s ON s.community = f.community AND s.strikes = f.id AND s.strikes > 0 `

func scanLine(r pgx.CollectableRow) (l ledger.Line, err error) {
	return l, r.Scan(&l.ID, &l.Cause, &l.On, &l.Item, &l.Words, &l.Fen, &l.Paper, &l.Strikes, &l.By, &l.At, &l.Struck)
}

// Fund are the lines of the fund's board, the newest first.
func (s *Store) Fund(ctx context.Context, community string, before int64, limit int) ([]ledger.Line, error) {
	return rows(ctx, s, "fund", scanLine, lineColumns+`WHERE f.community = $1 AND ($2 = 0 OR f.id < $2) ORDER BY f.id DESC LIMIT $3`, community, before, limit)
}

// FundLine is one of them; a *workflow.Error with CodeNotFound where there is none.
func (s *Store) FundLine(ctx context.Context, community string, id int64) (ledger.Line, error) {
	l, ok, err := row(ctx, s, "fund line", scanLine, lineColumns+`WHERE f.community = $1 AND f.id = $2`, community, id)
	if err == nil && !ok {
		err = notFound(id, "line of the fund")
	}
	return l, err
}

// FundSums are what came in and went out under each item, in a year or in all (0).
func (s *Store) FundSums(ctx context.Context, community string, year int) ([]ledger.Sum, error) {
	from, until := "-infinity", "infinity"
	if year != 0 {
		from, until = fmt.Sprintf("%04d-01-01", year), fmt.Sprintf("%04d-01-01", year+1)
	}
	return rows(ctx, s, "fund sums", pgx.RowToStructByPos[ledger.Sum], `SELECT item,
			coalesce(sum(fen) FILTER (WHERE (fen > 0) <> (strikes > 0)), 0)::bigint, coalesce(-sum(fen) FILTER (WHERE (fen > 0) = (strikes > 0)), 0)::bigint
		FROM fund WHERE community = $1 AND day >= $2::text::date AND day < $3::text::date GROUP BY item ORDER BY min(id)`, community, from, until)
}

// ledgerSection is what the digest says of points, rewards and the fund.
func (s *Store) ledgerSection(ctx context.Context, community string, from, until time.Time) (digest.Section, error) {
	out := digest.Section{Name: "points"}
	var people, points, lines, handed int
	var in, spent int64
	if err := s.pool.QueryRow(ctx, `SELECT count(DISTINCT person), coalesce(sum(points), 0) FROM ledger
		WHERE community = $1 AND at >= $2 AND at < $3 AND gives = 'mint'`, community, from, until).Scan(&people, &points); err != nil {
		return out, fault("points of a week", err)
	}
	say := func(say string, values map[string]string) {
		out.Lines = append(out.Lines, digest.Line{Say: say, Values: values})
	}
	if people > 0 {
		say("earned", map[string]string{"Count": strconv.Itoa(people), "Points": strconv.Itoa(points)})
	}
	type given struct {
		Name string
		N    int
	}
	rewards, err := rows(ctx, s, "rewards of a week", pgx.RowToStructByPos[given], `SELECT r.name, count(*)::int
		FROM reward_order o JOIN reward r ON r.community = o.community AND r.id = o.reward
		WHERE o.community = $1 AND o.state = 'handed' AND o.ended_at >= $2 AND o.ended_at < $3 GROUP BY r.id, r.name ORDER BY count(*) DESC, r.id`, community, from, until)
	if err != nil {
		return out, err
	}
	var names []string
	for _, g := range rewards {
		handed += g.N
		names = append(names, g.Name+" "+strconv.Itoa(g.N))
	}
	if handed > 0 {
		say("handed", map[string]string{"Count": strconv.Itoa(handed), "Name": strings.Join(names, "、")})
	}
	if err := s.pool.QueryRow(ctx, `SELECT count(*), coalesce(sum(fen) FILTER (WHERE (fen > 0) <> (strikes > 0)), 0)::bigint, coalesce(-sum(fen) FILTER (WHERE (fen > 0) = (strikes > 0)), 0)::bigint
		FROM fund WHERE community = $1 AND at >= $2 AND at < $3`, community, from, until).Scan(&lines, &in, &spent); err != nil {
		return out, fault("fund of a week", err)
	}
	if lines > 0 {
		say("fund", map[string]string{"Count": strconv.Itoa(lines), "In": ledger.Yuan(in), "Out": ledger.Yuan(spent)})
	}
	return out, nil
}
