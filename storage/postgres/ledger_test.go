package postgres

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// earns books points for a deed.
func earns(t testing.TB, s *Store, cause string, person workflow.PersonID, points int, at time.Time) {
	t.Helper()
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Earned: []ledger.Entry{{Cause: cause, Person: person, Why: ledger.ForWish, Points: points, At: at}}}))
}

// quietly tells nobody.
func quietly([]ledger.Order) []desk.Push { return nil }

func has(t testing.TB, s *Store, person workflow.PersonID) ledger.Holding {
	t.Helper()
	p, err := s.Purse(ctx(t), here, person, 1000)
	must(t, err)
	return p
}

// balanced checks the whole record: every purse is what its entries make by the rules,
// and all accounts together are zero.
func balanced(t testing.TB, s *Store, people ...workflow.PersonID) {
	t.Helper()
	for _, person := range people {
		p := has(t, s, person)
		var made ledger.Balance
		sum := map[ledger.Account]int{}
		for i := len(p.Entries) - 1; i >= 0; i-- { // not in the order of booking, where the times are alike
			e := p.Entries[i]
			sum[e.Gives()] -= e.Points
			sum[e.Takes()] += e.Points
		}
		made.Points, made.Held = sum[ledger.Purse], sum[ledger.Held]
		if made != p.Balance || made.Points < 0 || made.Held < 0 {
			t.Errorf("%d has %+v, the entries make %+v", person, p.Balance, made)
		}
	}
	var sum, odd int
	must(t, s.pool.QueryRow(ctx(t), `SELECT coalesce(sum(n), 0), count(*) FILTER (WHERE a IN ('purse', 'held', 'spent', 'lapsed') AND n < 0) FROM (
		SELECT a, sum(n) AS n FROM (SELECT gives AS a, -points AS n FROM ledger UNION ALL SELECT takes, points FROM ledger) moves GROUP BY a) accounts`).Scan(&sum, &odd))
	if sum != 0 || odd != 0 {
		t.Errorf("all accounts together are %d, %d are below zero", sum, odd)
	}
}

func TestADeedIsBookedOnce(t *testing.T) {
	s := newStore(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			earns(t, s, "wish:1:7", 7, 20, noon)
			earns(t, s, fmt.Sprint("wish:", 2+i%4, ":7"), 7, 5, noon)
		})
	}
	all.Wait()
	if p := has(t, s, 7); p.Points != 40 || len(p.Entries) != 5 {
		t.Errorf("%+v", p)
	}
	balanced(t, s, 7)
	for _, sql := range []string{`UPDATE ledger SET points = 1`, `DELETE FROM ledger`, `TRUNCATE ledger`, `UPDATE fund SET fen = 1`, `DELETE FROM fund`} {
		if _, err := s.pool.Exec(ctx(t), sql); err == nil || !strings.Contains(err.Error(), "only grows") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := s.pool.Exec(ctx(t), `INSERT INTO ledger (community, cause, person, why, gives, takes, points, at) VALUES ('east', 'x', 7, 'yearend', 'purse', 'lapsed', 41, now())`); err == nil || !strings.Contains(err.Error(), "purse_covers") {
		t.Errorf("more is taken than is there: %v", err)
	}
}

// Many order, fetch and let lapse at once, on two processes: no stock is sold twice, no
// purse is below zero, every point is somewhere.
func TestManyOrderAtOnce(t *testing.T) {
	url := freshURL(t)
	stores := []*Store{openStore(t, url, nil), openStore(t, url, nil)}
	s, c := stores[0], ctx(t)
	const people, each, stock = 6, 30, 25
	var everybody []workflow.PersonID
	for p := range workflow.PersonID(people) {
		everybody = append(everybody, p+1)
		earns(t, s, fmt.Sprint("wish:0:", p+1), p+1, 50, noon)
	}
	for i := range 2 {
		_, err := s.AddReward(c, here, fmt.Sprint("r", i), ledger.Reward{Name: "洗衣液", Price: 7, Stock: stock})
		must(t, err)
	}
	var ordered [2]atomic.Int64
	var short, sold, handed, back, cancelled atomic.Int64
	var all sync.WaitGroup
	for _, p := range everybody {
		for worker := range 3 {
			all.Go(func() {
				s := stores[worker%2]
				for i := range each {
					code := fmt.Sprintf("%d-%d-%d", p, worker, i)
					reward := 1 + (i+worker)%2
					o, err := s.Order(c, here, ledger.Order{Cause: code, Person: p, Reward: ledger.Reward{ID: reward}, Hash: access.Hash(code), MadeAt: noon, Until: noon.AddDate(0, 0, 7)})
					switch workflow.CodeOf(err) {
					case "":
						ordered[reward-1].Add(1)
						if again, err := s.Order(c, here, ledger.Order{Cause: code, Person: p, Reward: ledger.Reward{ID: reward}, Hash: access.Hash(code + "again")}); err != nil || again.ID != o.ID {
							t.Errorf("the same message again: %+v, %v", again, err)
						}
					case ledger.CodeShort:
						short.Add(1)
					case ledger.CodeSoldOut:
						sold.Add(1)
					default:
						t.Error(err)
					}
					switch {
					case err == nil && i%3 == 0:
						if err := s.HandOver(c, here, o.ID, 99, noon.AddDate(0, 0, 1)); err == nil {
							handed.Add(1)
						} else if workflow.CodeOf(err) != ledger.CodeNoOrder { // it went back before
							t.Error(err)
						}
						if err := s.HandOver(c, here, o.ID, 99, noon.AddDate(0, 0, 1)); workflow.CodeOf(err) != ledger.CodeNoOrder {
							t.Errorf("handed over twice: %v", err)
						}
					case err == nil && i%3 == 1: // fetched, cancelled twice and over, all at once
						var gone atomic.Int64
						var ends sync.WaitGroup
						for end, do := range []func(*Store) error{
							func(s *Store) error { return s.HandOver(c, here, o.ID, 99, noon.AddDate(0, 0, 1)) },
							func(s *Store) error { return s.Cancel(c, here, o.ID, p, noon.AddDate(0, 0, 1)) },
							func(s *Store) error { return s.Cancel(c, here, o.ID, p, noon.AddDate(0, 0, 1)) },
						} {
							ends.Go(func() {
								switch err := do(stores[end%2]); {
								case err == nil && end == 0:
									handed.Add(1)
									gone.Add(1)
								case err == nil:
									cancelled.Add(1)
									gone.Add(1)
								case workflow.CodeOf(err) != ledger.CodeNoOrder:
									t.Error(err)
								}
							})
						}
						if ends.Wait(); gone.Load() > 1 {
							t.Errorf("order %d ended %d times", o.ID, gone.Load())
						}
					case i%7 == 0:
						earns(t, s, "wish:"+code, p, 3, noon)
					}
				}
			})
		}
		all.Go(func() { // what nobody fetched, as if its time was over
			for range each {
				n, err := stores[1].GiveBack(c, here, noon.AddDate(0, 0, 8), 2, quietly)
				must(t, err)
				back.Add(int64(n))
			}
		})
	}
	all.Wait()
	balanced(t, s, everybody...)
	rewards, err := s.Rewards(c, here, true)
	must(t, err)
	var open, given int64
	must(t, s.pool.QueryRow(c, `SELECT count(*) FILTER (WHERE state = 'waits'), count(*) FILTER (WHERE state = 'back') FROM reward_order`).Scan(&open, &given))
	if given != back.Load()+cancelled.Load() {
		t.Errorf("%d orders went back, %d were told", given, back.Load())
	}
	var left int64
	for _, r := range rewards {
		if left += int64(r.Stock); r.Stock < 0 {
			t.Errorf("oversold: %+v", r)
		}
	}
	if total := ordered[0].Load() + ordered[1].Load(); left+open+handed.Load() != 2*stock || total != open+given+handed.Load() {
		t.Errorf("%d left, %d wait, %d handed over, %d back; %d ordered", left, open, handed.Load(), given, total)
	}
	if short.Load()+sold.Load() == 0 || handed.Load() == 0 || back.Load() == 0 || cancelled.Load() == 0 {
		t.Errorf("the race was none: short %d, sold out %d, handed %d, back %d, cancelled %d", short.Load(), sold.Load(), handed.Load(), back.Load(), cancelled.Load())
	}
}

// Many taps at once, on two processes, are one order; a second one is asked for as such.
// Another person cannot cancel it, and what is cancelled can be ordered again.
func TestTwoTapsAreOneOrder(t *testing.T) {
	url := freshURL(t)
	stores := []*Store{openStore(t, url, nil), openStore(t, url, nil)}
	s, c := stores[0], ctx(t)
	earns(t, s, "wish:1:7", 7, 50, noon)
	_, err := s.AddReward(c, here, "r", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 9})
	must(t, err)
	taps := func(nth int) (last ledger.Order) {
		t.Helper()
		var all sync.WaitGroup
		var mu sync.Mutex
		n := 0
		for i := range 6 {
			all.Go(func() {
				cause := fmt.Sprint("tap ", nth, i, noon)
				o, err := stores[i%2].Order(c, here, ledger.Order{Cause: cause, Person: 7, Reward: ledger.Reward{ID: 1}, Nth: nth, Hash: access.Hash(cause), MadeAt: noon, Until: noon.AddDate(0, 0, 7)})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					n++
					last = o
				case workflow.CodeOf(err) != ledger.CodeWaits:
					t.Error(err)
				}
			})
		}
		if all.Wait(); n != 1 {
			t.Fatalf("%d orders of six taps", n)
		}
		return last
	}
	taps(1)
	second := taps(2)
	if p := has(t, s, 7); p.Points != 30 || p.Held != 20 {
		t.Errorf("%+v", p.Balance)
	}
	if err := s.Cancel(c, here, second.ID, 8, noon); workflow.CodeOf(err) != ledger.CodeNoOrder {
		t.Errorf("somebody else's: %v", err)
	}
	if err := s.Cancel(c, there, second.ID, 7, noon); workflow.CodeOf(err) != ledger.CodeNoOrder {
		t.Errorf("of elsewhere: %v", err)
	}
	must(t, s.Cancel(c, here, second.ID, 7, noon))
	if err := s.Cancel(c, here, second.ID, 7, noon); workflow.CodeOf(err) != ledger.CodeNoOrder {
		t.Errorf("cancelled twice: %v", err)
	}
	if all, err := s.Rewards(c, here, true); err != nil || all[0].Stock != 8 {
		t.Errorf("%+v %v", all, err)
	}
	if p := has(t, s, 7); p.Points != 40 || p.Held != 10 || p.Entries[0].Why != ledger.Cancelled && p.Entries[1].Why != ledger.Cancelled {
		t.Errorf("%+v", p)
	}
	balanced(t, s, 7)
}

// One tap that comes many times at once is one order for all of them, also where the
// points are enough for that one alone.
func TestOneTapThatComesTwiceAtOnceIsOneOrder(t *testing.T) {
	url := freshURL(t)
	stores := []*Store{openStore(t, url, nil), openStore(t, url, nil)}
	s, c := stores[0], ctx(t)
	_, err := s.AddReward(c, here, "r", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 99})
	must(t, err)
	for i := range 20 {
		person := workflow.PersonID(i + 1)
		earns(t, s, fmt.Sprint("wish:1:", person), person, 10, noon)
		var all sync.WaitGroup
		for j := range 4 {
			all.Go(func() {
				cause := fmt.Sprint("tap ", person)
				_, err := stores[j%2].Order(c, here, ledger.Order{Cause: cause, Person: person, Reward: ledger.Reward{ID: 1}, Nth: i % 2, Hash: access.Hash(fmt.Sprint(cause, j)), MadeAt: noon, Until: noon.AddDate(0, 0, 7)})
				if err != nil {
					t.Errorf("the %d. of them: %v", i%2, err)
				}
			})
		}
		if all.Wait(); has(t, s, person).Held != 10 {
			t.Errorf("%+v", has(t, s, person).Balance)
		}
	}
}

// Who is a member of the staff by a binding code from now on keeps their points, and
// fetches what they ordered; on the board they stand only by their word.
func TestPointsComeAlongWithABinding(t *testing.T) {
	s, c := newStore(t), ctx(t)
	code, openid, staff := binding(t, s, "a")
	was, _, err := s.PersonByOpenID(c, here, openid)
	must(t, err)
	earns(t, s, "wish:1:was", was.ID, 50, noon)
	earns(t, s, "wish:2:staff", staff, 3, noon)
	must(t, s.Rank(c, here, was.ID, true))
	id, err := s.AddReward(c, here, "r", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 5})
	must(t, err)
	order := func(cause string) ledger.Order {
		o, err := s.Order(c, here, ledger.Order{Cause: cause, Person: was.ID, Reward: ledger.Reward{ID: id}, Hash: access.Hash(cause), MadeAt: noon, Until: noon.AddDate(0, 0, 7)})
		must(t, err)
		return o
	}
	fetched, waiting, back := order("1"), order("2"), order("3")
	must(t, s.HandOver(c, here, fetched.ID, 99, noon))
	for range 2 { // the same message, handled again
		_, _, err = s.Bind(c, here, code, openid, noon)
		must(t, err)
	}
	if p := has(t, s, staff); p.Points != 23 || p.Held != 20 || p.Ranked {
		t.Errorf("they have %+v", p)
	}
	if p := has(t, s, was.ID); p.Points != 0 || p.Held != 0 {
		t.Errorf("they had %+v", p.Balance)
	}
	if all, err := s.OrdersOf(c, here, staff); err != nil || len(all) != 2 {
		t.Errorf("what waits for them: %+v %v", all, err)
	}
	must(t, s.HandOver(c, here, waiting.ID, 99, noon))
	if n, err := s.GiveBack(c, here, back.Until, 9, quietly); err != nil || n != 1 {
		t.Errorf("%d went back: %v", n, err)
	}
	if p := has(t, s, staff); p.Points != 33 || p.Held != 0 {
		t.Errorf("at last they have %+v", p.Balance)
	}
	balanced(t, s, staff, was.ID)
	if n := count(t, s, `SELECT coalesce(sum(CASE takes WHEN 'moved' THEN points ELSE -points END), 0) FROM ledger WHERE 'moved' IN (gives, takes)`); n != 0 {
		t.Errorf("%d points are on the way", n)
	}
}

func TestOrdersAreFetchedByTheirCode(t *testing.T) {
	s, c := newStore(t), ctx(t)
	earns(t, s, "wish:1:7", 7, 20, noon)
	id, err := s.AddReward(c, here, "form", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 1})
	must(t, err)
	if again, err := s.AddReward(c, here, "form", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 1}); err != nil || again != id || id != 1 {
		t.Errorf("the same form again is %d: %v", again, err)
	}
	order := ledger.Order{Cause: "m1", Person: 7, Reward: ledger.Reward{ID: id}, Hash: access.Hash("123456"), MadeAt: noon, Until: noon.AddDate(0, 0, 7)}
	o, err := s.Order(c, here, order)
	must(t, err)
	must(t, s.ChangeReward(c, here, ledger.Reward{ID: id, Stock: 0}, ledger.Reward{Stock: 5}, noon))
	if err := s.ChangeReward(c, here, ledger.Reward{ID: id, Stock: 0}, ledger.Reward{Stock: 9}, noon); !errors.Is(err, desk.ErrStale) {
		t.Errorf("a stock that changed meanwhile: %v", err)
	}
	order.Cause = "m2"
	if _, err := s.Order(c, here, order); !errors.Is(err, desk.ErrCodeTaken) {
		t.Errorf("a code that waits: %v", err)
	}
	if p := has(t, s, 7); p.Points != 10 || p.Held != 10 {
		t.Errorf("a refused order moved points: %+v", p.Balance)
	}
	found, err := s.OrderOf(c, here, access.Hash("123456"), noon)
	must(t, err)
	if found.ID != o.ID || found.Reward.Name != "鸡蛋" || found.Person != 7 {
		t.Errorf("%+v", found)
	}
	if _, err := s.OrderOf(c, there, access.Hash("123456"), noon); workflow.CodeOf(err) != ledger.CodeNoOrder {
		t.Errorf("another community finds it: %v", err)
	}
	late := noon.AddDate(0, 0, 7)
	if err := s.HandOver(c, here, o.ID, 9, late); workflow.CodeOf(err) != ledger.CodeNoOrder {
		t.Errorf("after its time: %v", err)
	}
	n, err := s.GiveBack(c, here, late, 100, quietly)
	must(t, err)
	if p := has(t, s, 7); n != 1 || p.Points != 20 || p.Held != 0 {
		t.Errorf("%d went back: %+v", n, p.Balance)
	}
	balanced(t, s, 7)
}

func TestAYearEnds(t *testing.T) {
	s, c := newStore(t), ctx(t)
	ended := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)
	earns(t, s, "old:7", 7, 50, ended.AddDate(0, -1, 0))
	earns(t, s, "old:8", 8, 5, ended.AddDate(0, -1, 0))
	left, err := s.Unwarned(c, here, 2026, 100)
	must(t, err)
	if len(left) != 2 || left[7] != 50 || left[8] != 5 {
		t.Errorf("not told yet: %v", left)
	}
	must(t, s.Warned(c, here, 2026, []workflow.PersonID{7, 8}))
	if left, err = s.Unwarned(c, here, 2026, 100); err != nil || len(left) != 0 {
		t.Errorf("told twice: %v, %v", left, err)
	}
	earns(t, s, "new:7", 7, 10, ended.Add(time.Hour)) // before anybody came to end the year
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := s.EndYear(c, here, 2026, ended, 100)
			must(t, err)
		})
	}
	all.Wait()
	if p, q := has(t, s, 7), has(t, s, 8); p.Points != 10 || q.Points != 0 {
		t.Errorf("left: %d and %d", p.Points, q.Points)
	}
	if left, err = s.Unwarned(c, here, 2027, 100); err != nil || len(left) != 1 {
		t.Errorf("of the next year's end: %v, %v", left, err)
	}
	balanced(t, s, 7, 8)
}

func TestTheBoardHasThoseWhoAgreed(t *testing.T) {
	s, c := newStore(t), ctx(t)
	_, err := s.UpsertPerson(c, "a", workflow.Person{Community: here, Name: "何亮"})
	must(t, err)
	who, err := s.FindPerson(c, here, "何亮")
	must(t, err)
	p := who[0].ID
	earns(t, s, "last year", p, 50, noon.AddDate(-1, 0, 0))
	earns(t, s, "this year", p, 20, noon)
	earns(t, s, "another", p+1, 90, noon)
	for _, yes := range []bool{false, true, false} {
		must(t, s.Rank(c, here, p, yes))
		ranked, err := s.Ranked(c, here, noon.AddDate(0, -1, 0), 10)
		must(t, err)
		if yes && (len(ranked) != 1 || ranked[0] != (ledger.Rank{Person: p, Name: "何亮", Points: 20})) || !yes && len(ranked) != 0 {
			t.Errorf("agreed: %v, ranked: %v", yes, ranked)
		}
	}
}

func TestTheFundOnlyGrows(t *testing.T) {
	s, c := newStore(t), ctx(t)
	enter := func(l ledger.Line) {
		t.Helper()
		l.At, l.By = noon, 3
		must(t, s.Commit(c, desk.Change{Community: here, Fund: []ledger.Line{l}}))
	}
	enter(ledger.Line{Cause: "a", On: "2025-12-30", Item: "捐款", Words: "北村小学", Fen: 500000, Paper: "m1"})
	enter(ledger.Line{Cause: "b", On: "2026-03-01", Item: "慰问", Words: "米面", Fen: -120050, Paper: "m2"})
	enter(ledger.Line{Cause: "b", On: "2026-03-01", Item: "慰问", Words: "米面", Fen: -120050, Paper: "m2"})
	enter(ledger.Line{Cause: "c", On: "2026-03-02", Words: "多记了", Strikes: 2})
	enter(ledger.Line{Cause: "d", On: "2026-03-02", Words: "多记了", Strikes: 2})
	enter(ledger.Line{Cause: "e", On: "2026-03-02", Words: "更正不能再更正", Strikes: 3})
	enter(ledger.Line{Cause: "f", On: "2026-03-02", Item: "慰问", Words: "米面", Fen: -100000, Paper: "m3"})
	lines, err := s.Fund(c, here, 0, 10)
	must(t, err)
	if len(lines) != 4 || lines[0].ID != 4 || lines[1].Strikes != 2 || lines[1].Fen != 120050 || lines[1].Item != "慰问" || lines[2].Struck != 3 || lines[3].On != "2025-12-30" {
		t.Errorf("%+v", lines)
	}
	sums, err := s.FundSums(c, here, 0)
	must(t, err)
	for i, l := range lines[:2] {
		lines[i], lines[3-i] = lines[3-i], l
	}
	if want := ledger.Sums(lines); fmt.Sprint(sums) != fmt.Sprint(want) || fmt.Sprint(sums) != "[{捐款 500000 0} {慰问 0 100000}]" {
		t.Errorf("%v, want %v", sums, want)
	}
	if this, err := s.FundSums(c, here, 2026); err != nil || fmt.Sprint(this) != "[{慰问 0 100000}]" {
		t.Errorf("%v, %v", this, err)
	}
	var others sync.WaitGroup
	for i := range 8 { // numbers without gaps, also where many enter at once
		others.Go(func() {
			must(t, s.Commit(c, desk.Change{Community: here, Fund: []ledger.Line{{Cause: fmt.Sprint("m", i), On: "2026-03-03", Item: "捐款", Words: "x", Fen: 1, Paper: "m", At: noon}}}))
		})
	}
	others.Wait()
	if l, err := s.FundLine(c, here, 12); err != nil || l.Fen != 1 {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := s.FundLine(c, here, 13); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Error(err)
	}
	if _, err := s.pool.Exec(c, `UPDATE fund SET fen = 1`, pgx.QueryExecModeExec); err == nil {
		t.Error("a line was changed")
	}
}

func TestTheWeekTellsOfTheLedger(t *testing.T) {
	s, c := newStore(t), ctx(t)
	week := func() digest.Section {
		t.Helper()
		all, err := s.Sections(c, here, noon, noon.AddDate(0, 0, 7))
		must(t, err)
		for _, one := range all {
			if one.Name == "points" {
				return one
			}
		}
		t.Fatal("no section of points")
		return digest.Section{}
	}
	earns(t, s, "before", 7, 50, noon.Add(-time.Minute))
	if got := week(); len(got.Lines) != 0 {
		t.Errorf("nothing happened: %+v", got)
	}
	earns(t, s, "a", 7, 20, noon)
	earns(t, s, "b", 8, 3, noon.AddDate(0, 0, 6))
	earns(t, s, "after", 8, 3, noon.AddDate(0, 0, 7))
	_, err := s.AddReward(c, here, "r", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 3})
	must(t, err)
	for _, cause := range []string{"x", "y", "z"} {
		o, err := s.Order(c, here, ledger.Order{Cause: cause, Person: 7, Reward: ledger.Reward{ID: 1}, Hash: access.Hash(cause), MadeAt: noon, Until: noon.AddDate(0, 0, 7)})
		must(t, err)
		if cause != "z" {
			must(t, s.HandOver(c, here, o.ID, 1, noon.AddDate(0, 0, 1)))
		}
	}
	must(t, s.Commit(c, desk.Change{Community: here, Fund: []ledger.Line{
		{Cause: "1", On: "2026-03-01", Item: "捐款", Words: "x", Fen: 500_00, Paper: "p", At: noon}, {Cause: "2", On: "2026-03-01", Item: "慰问", Words: "x", Fen: -120_50, Paper: "p", At: noon},
	}}))
	if got := fmt.Sprint(week().Lines); got != "[{earned map[Count:2 Points:23]} {handed map[Count:2 Name:鸡蛋 2]} {fund map[Count:2 In:500.00 Out:120.50]}]" {
		t.Errorf("%s", got)
	}
}
