package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/find"
)

// Bounds of a search.
const (
	usualPage   = 50
	longestPage = 200
	mostPeople  = 100
	mostLooked  = 20000 // tickets looked at for one page
	mostAtOnce  = 5000  // by one query
	mostWeeks   = 64    // looked through by one query
	nearWeeks   = 8     // by one tsquery: each reads the index's list of what is pending
)

// week is the length of the time whose tickets' words lie together.
const week = 7 * 24 * time.Hour

// Search finds tickets, newest first. It looks through them in that order, by
// the index that leaves the fewest: somebody's, the late ones, those that
// changed, those with the words and qualities asked for, the open ones, else all;
// and stops where the page is full or much was looked through in vain. A *workflow.Error with
// CodeInvalid where the query contradicts itself or its words hold no letter.
func (s *Store) Search(ctx context.Context, community string, q desk.Query) (desk.Found, error) {
	search, err := s.newSearch(ctx, community, q)
	if err != nil {
		return desk.Found{}, err
	}
	return search.page(ctx)
}

// search is one search at work.
type search struct {
	s         *Store
	community string
	q         desk.Query
	words     *find.Query // nil where none are asked for
	sought    []lexeme
	unsought  bool // the candidates come by something else than what is sought

	// What is left: filed not before oldest, and before newest or then with a
	// lower number.
	oldest, newest time.Time
	number         int64
}

// lexeme is a word of the index, or several of which one will do.
type lexeme struct {
	anyOf  []string
	prefix bool
}

func (s *Store) newSearch(ctx context.Context, community string, q desk.Query) (*search, error) {
	invalid := func(why string) (*search, error) {
		return nil, &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("search: " + why)}
	}
	if q.Limit == 0 {
		q.Limit = usualPage
	}
	switch {
	case q.Limit < 0 || q.Limit > longestPage:
		return invalid("a page has 1 to 200 tickets")
	case len(q.Reporters)+len(q.Owners) > mostPeople:
		return invalid("too many people")
	case q.Number < 0 || q.Before < 0:
		return invalid("a number below 0")
	case !q.Until.IsZero() && !q.From.Before(q.Until):
		return invalid("the time ends before it begins")
	}
	f := &search{s: s, community: community, q: q, oldest: q.From, newest: q.Until}
	if strings.TrimSpace(q.Words) != "" {
		words, err := find.Parse(q.Words)
		if err != nil {
			return nil, err
		}
		f.words = &words
		for _, k := range words.Keys() {
			f.sought = append(f.sought, lexeme{[]string{k.Word}, k.Prefix})
		}
	}
	for _, l := range qualities("", q.Estate, q.Building, q.Landmark) {
		f.sought = append(f.sought, lexeme{anyOf: []string{l}})
	}
	if len(q.Categories) > 0 {
		f.sought = append(f.sought, lexeme{anyOf: column(q.Categories, categoryWord)})
	}
	if len(q.Grids) > 0 {
		f.sought = append(f.sought, lexeme{anyOf: column(q.Grids, gridWord)})
	}
	if q.Before != 0 {
		at, ok, err := row(ctx, s, "search", pgx.RowTo[time.Time], `SELECT filed_at FROM ticket WHERE community = $1 AND number = $2`, community, q.Before)
		if err != nil {
			return nil, err
		}
		if !ok {
			return invalid("no ticket has the number before which the page begins")
		}
		if f.newest.IsZero() || at.Before(f.newest) {
			f.newest, f.number = at, q.Before
		}
	}
	if f.newest.IsZero() {
		f.newest = always
	}
	return f, nil
}

// always is a time after all.
var always = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// candidate is a ticket that may be meant.
type candidate struct {
	Number  int64
	FiledAt time.Time
}

func (f *search) page(ctx context.Context) (desk.Found, error) {
	var out desk.Found
	next, err := f.source(ctx)
	if err != nil {
		return out, err
	}
	looked := 0
	for chunk := 2 * f.q.Limit; ; chunk = min(4*chunk, mostAtOnce) {
		some, more, err := next(ctx, chunk)
		if err != nil {
			return desk.Found{}, err
		}
		fit, err := f.fit(ctx, some)
		if err != nil {
			return desk.Found{}, err
		}
		if room := f.q.Limit - len(out.Tickets); len(fit) > room || len(fit) == room && more {
			out.Tickets = append(out.Tickets, fit[:room]...)
			out.Next = out.Tickets[len(out.Tickets)-1].Number
			return out, nil
		}
		out.Tickets = append(out.Tickets, fit...)
		if !more {
			return out, nil
		}
		if looked += len(some); looked >= mostLooked {
			out.Next = f.number
			return out, nil
		}
	}
}

// step gives the next candidates, at most n, and tells whether there may be
// more. There may be none and more.
type step func(ctx context.Context, n int) (some []candidate, more bool, err error)

// The words of a community and week begin with both, so they are asked for alone.
//
// The limits inside make PostgreSQL ask for each person and each week by
// itself: it cannot guess how much a tsquery finds, and would join otherwise.
//
// left is the condition on what is left to look through, in which $1 is the
// community, $2 to $4 the bounds and $5 how many.
const (
	left     = `community = $1 AND ` + leftThen
	leftThen = `filed_at >= $2 AND filed_at <= $3 AND (filed_at < $3 OR number < $4)`
)

const (
	newestFirst   = ` ORDER BY filed_at DESC, number DESC LIMIT $5`
	searchAll     = `SELECT number, filed_at FROM ticket WHERE ` + left + newestFirst
	searchOpen    = `SELECT number, filed_at FROM ticket WHERE ended_at IS NULL AND ` + left + newestFirst
	searchLate    = `WITH late AS MATERIALIZED (SELECT community, number, filed_at FROM ticket WHERE community = $1 AND late_since IS NOT NULL) SELECT number, filed_at FROM late WHERE ` + left + newestFirst
	searchChanged = `WITH changed AS MATERIALIZED (SELECT community, number, filed_at FROM ticket WHERE community = $1 AND changed_at >= $6) SELECT number, filed_at FROM changed WHERE ` + left + newestFirst
	searchPeople  = `SELECT number, filed_at FROM (` + searchReports + ` UNION ` + searchOwned + `) AS c` + newestFirst
	searchReports = `SELECT c.* FROM unnest($6::bigint[]) AS p(id) CROSS JOIN LATERAL (SELECT number, filed_at FROM ticket WHERE reporter = p.id AND ` + left + newestFirst + `) AS c`
	searchOwned   = `SELECT c.* FROM unnest($7::bigint[]) AS p(id) CROSS JOIN LATERAL (SELECT number, filed_at FROM ticket WHERE owner = p.id AND owner > 0 AND ` + left + newestFirst + `) AS c`
	searchWords   = `SELECT c.* FROM unnest($6::text[]) AS w(sought) CROSS JOIN LATERAL (SELECT number, filed_at FROM ticket_words WHERE words @@ w.sought::tsquery AND ` + leftThen + newestFirst + `) AS c WHERE $1::text <> ''` + newestFirst
)

// source chooses where candidates come from.
func (f *search) source(ctx context.Context) (step, error) {
	by := func(sql string, more ...any) step {
		return func(ctx context.Context, n int) ([]candidate, bool, error) {
			some, err := f.candidates(ctx, sql, n, more...)
			return some, len(some) == n, err
		}
	}
	open := len(f.q.States) > 0 && !slices.ContainsFunc(f.q.States, func(s workflow.State) bool { return !s.Open() })
	switch {
	case f.q.Number != 0:
		return func(context.Context, int) ([]candidate, bool, error) {
			return []candidate{{Number: f.q.Number}}, false, nil
		}, nil
	case len(f.q.Reporters)+len(f.q.Owners) > 0:
		f.unsought = true
		return by(searchPeople, people(f.q.Reporters), people(f.q.Owners)), nil
	case f.q.Late:
		f.unsought = true
		return by(searchLate), nil
	case !f.q.Changed.IsZero():
		f.unsought = true
		return by(searchChanged, f.q.Changed), nil
	case len(f.sought) > 0 && (f.words != nil || !open):
		return f.byWords(ctx, open)
	case open:
		return by(searchOpen), nil
	}
	return by(searchAll), nil
}

func people(ids []workflow.PersonID) []int64 {
	return column(ids, func(p workflow.PersonID) int64 { return int64(p) })
}

// candidates asks for those that are left, and leaves what comes after them.
func (f *search) candidates(ctx context.Context, sql string, n int, more ...any) ([]candidate, error) {
	some, err := rows(ctx, f.s, "search", pgx.RowToStructByPos[candidate], sql,
		append([]any{f.community, f.oldest, f.newest, f.number, n}, more...)...)
	if len(some) > 0 {
		last := some[len(some)-1]
		f.newest, f.number = last.FiledAt, last.Number
	}
	return some, err
}

const (
	filedFrom  = `SELECT min(filed_at), max(filed_at) FROM ticket WHERE community = $1`
	openedFrom = `SELECT min(filed_at), max(filed_at) FROM ticket WHERE community = $1 AND ended_at IS NULL`
)

// byWords goes back week by week, then by more weeks at once: what is asked
// for often is found in the first, what is rare costs one look-up a week.
func (f *search) byWords(ctx context.Context, open bool) (step, error) {
	sql := filedFrom
	if open {
		sql = openedFrom
	}
	type span struct{ First, Last *time.Time }
	all, _, err := row(ctx, f.s, "search", pgx.RowToStructByPos[span], sql, f.community)
	if err != nil {
		return nil, err
	}
	if all.First == nil {
		return func(context.Context, int) ([]candidate, bool, error) { return nil, false, nil }, nil
	}
	if f.oldest.Before(*all.First) {
		f.oldest = *all.First
	}
	if f.newest.After(*all.Last) {
		f.newest, f.number = all.Last.Add(time.Microsecond), 0
	}
	last, at, weeks := weekOf(f.oldest), weekOf(f.newest), 1
	return func(ctx context.Context, n int) ([]candidate, bool, error) {
		for at >= last {
			var sought []string
			for w := at; w >= last && w > at-weeks; w -= nearWeeks {
				var near []string
				for v := w; v >= last && v > max(at-weeks, w-nearWeeks); v-- {
					near = append(near, f.lexemes(v))
				}
				sought = append(sought, strings.Join(near, "|"))
			}
			some, err := f.candidates(ctx, searchWords, n, sought)
			if err != nil {
				return nil, false, err
			}
			if len(some) < n {
				at -= weeks
				weeks = min(4*weeks, mostWeeks)
			}
			if len(some) > 0 {
				return some, at >= last, nil
			}
		}
		return nil, false, nil
	}, nil
}

// lexemes are what is sought of a week, as a tsquery.
func (f *search) lexemes(week int) string {
	prefix := wordsOf(f.community, week)
	return "(" + strings.Join(column(f.sought, func(l lexeme) string {
		end := ""
		if l.prefix {
			end = ":*"
		}
		return "(" + strings.Join(column(l.anyOf, func(w string) string { return quoted(prefix+w) + end }), "|") + ")"
	}), "&") + ")"
}

// quoted is a lexeme as the input of a tsquery takes it.
func quoted(word string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(word) + "'"
}

// fitting looks each candidate up by its number, whatever else is asked, and
// where that did not find it, its words. The time is the candidates' matter.
const fitting = `SELECT t.body FROM unnest($2::bigint[], $15::text[]) WITH ORDINALITY AS k(number, sought, place) CROSS JOIN LATERAL (SELECT body FROM ticket t
	WHERE t.community = $1 AND t.number = k.number
		AND (cardinality($3::text[]) = 0 OR t.state = ANY ($3)) AND ($4 = '' OR t.kind = $4) AND (cardinality($5::text[]) = 0 OR t.category = ANY ($5)) AND ($6 = '' OR t.severity = $6)
		AND ($7 = '' OR t.body->>'source' = $7) AND (NOT $8 OR t.late_since IS NOT NULL)
		AND (cardinality($9::text[]) = 0 OR t.grid = ANY ($9)) AND ($10 = '' OR t.body->'place'->>'estate' = $10)
		AND ($11 = 0 OR (t.body->'place'->>'building')::bigint = $11) AND ($12 = '' OR t.body->'place'->>'landmark' = $12)
		AND (cardinality($13::bigint[]) + cardinality($14::bigint[]) = 0 OR t.reporter = ANY ($13) OR t.owner = ANY ($14) AND t.owner > 0)
		AND t.level >= $16 AND ($17::timestamptz IS NULL OR t.changed_at >= $17)
		AND (k.sought IS NULL OR EXISTS (SELECT FROM ticket_words w WHERE w.community = $1 AND w.number = k.number AND w.words @@ k.sought::tsquery))
	LIMIT 1) AS t ORDER BY k.place`

// fit are the tickets among candidates that all fits that is asked for.
func (f *search) fit(ctx context.Context, some []candidate) ([]workflow.Ticket, error) {
	if len(some) == 0 {
		return nil, nil
	}
	q := f.q
	var sought []string
	if f.unsought && f.words != nil { // rather than read all of many tickets
		sought = column(some, func(c candidate) string { return f.lexemes(weekOf(c.FiledAt)) })
	}
	all, err := f.s.tickets(ctx, "search", fitting, f.community, column(some, func(c candidate) int64 { return c.Number }),
		column(q.States, func(s workflow.State) string { return text(string(s)) }), text(string(q.Kind)), column(q.Categories, func(c workflow.Category) string { return text(string(c)) }), text(string(q.Severity)),
		text(string(q.Source)), q.Late, column(q.Grids, text), text(q.Estate), q.Building, text(q.Landmark), people(q.Reporters), people(q.Owners), sought,
		q.Level, moment(q.Changed))
	return slices.DeleteFunc(all, func(t workflow.Ticket) bool {
		return t.FiledAt.Before(q.From) || !q.Until.IsZero() && !t.FiledAt.Before(q.Until) || f.words != nil && !f.words.In(searchable(t))
	}), err
}

// searchable is the text by whose words a ticket is found: what the resident
// wrote, and where it is, but for the door.
func searchable(t workflow.Ticket) string {
	spot := workflow.Place{Estate: t.Place.Estate, Building: t.Place.Building}
	return strings.Join([]string{t.Text, spot.String(), t.Place.Landmark, t.Place.Detail}, "\n")
}

// lexemesOf are all lexemes by which a ticket is found.
func lexemesOf(community string, t workflow.Ticket) []string {
	p := t.Place
	all := append(qualities(t.Category, p.Estate, p.Building, p.Landmark), gridWord(p.Grid))
	all = append(all, find.Words(searchable(t))...)
	prefix := wordsOf(community, weekOf(t.FiledAt))
	for i := range all {
		all[i] = prefix + all[i]
	}
	return all
}

// qualities are the lexemes of what is known of a ticket beside its words, where
// it has many values and never changes without them; no word has a "=". A ticket
// of no grid has a lexeme for that.
func qualities(category workflow.Category, estate string, building int, landmark string) []string {
	number := ""
	if building != 0 {
		number = strconv.Itoa(building)
	}
	var out []string
	for _, q := range [][2]string{
		{"c=", string(category)}, {"e=", estate}, {"b=", number}, {"l=", landmark},
	} {
		if q[1] != "" {
			out = append(out, q[0]+short(q[1]))
		}
	}
	return out
}

func categoryWord(c workflow.Category) string { return "c=" + short(string(c)) }

func gridWord(grid string) string { return "g=" + short(grid) }

// short is as much of a name as an index keeps; all of it is compared in the
// ticket itself.
func short(name string) string {
	r := []rune(strings.ReplaceAll(text(name), "\n", " "))
	return string(r[:min(len(r), 100)])
}

// weekOf numbers the weeks since 1970.
func weekOf(at time.Time) int { return int(max(0, at.Unix()) / int64(week/time.Second)) }

// wordsOf is what a week's lexemes begin with. No community's code has a "/".
func wordsOf(community string, week int) string {
	return fmt.Sprintf("%s/%04s", community, strconv.FormatInt(int64(week), 36))
}

const keepWords = `INSERT INTO ticket_words AS w (community, number, filed_at, words)
	SELECT x.community, x.number, x.filed_at, array_to_tsvector(string_to_array(x.words, E'\n'))
	FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[]) AS x(community, number, filed_at, words)
	ON CONFLICT (community, number) DO `

const (
	writeWordsNow   = keepWords + `UPDATE SET filed_at = excluded.filed_at, words = excluded.words WHERE w.words <> excluded.words OR w.filed_at <> excluded.filed_at`
	writeWordsOfOld = keepWords + `NOTHING`
)

// writeWords keeps what tickets are found by, where that may have changed.
func writeWords(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	last := map[ref]workflow.Ticket{}
	for _, ch := range fit {
		for _, tc := range ch.Tickets {
			r := ref{ch.Community, tc.Ticket.Number}
			_, before := last[r]
			if before || slices.ContainsFunc(tc.Events, func(ev workflow.Event) bool { return ev.Type.Rewords() }) {
				last[r] = tc.Ticket
			}
		}
	}
	queueWords(b, writeWordsNow, slices.SortedFunc(maps.Keys(last), compareRefs), last)
	return nil
}

func queueWords(b *pgx.Batch, sql string, refs []ref, of map[ref]workflow.Ticket) {
	if len(refs) == 0 {
		return
	}
	b.Queue(sql, communities(refs), ids(refs), column(refs, func(r ref) time.Time { return of[r].FiledAt }),
		column(refs, func(r ref) string { return strings.Join(lexemesOf(r.community, of[r]), "\n") }))
}

const (
	unworded = `SELECT code, worded FROM community WHERE worded < 9223372036854775807`
	oldPage  = `SELECT number, body FROM ticket WHERE community = $1 AND number > $2 ORDER BY number LIMIT $3`
	worded   = `UPDATE community SET worded = $2 WHERE code = $1`
	allDone  = 1<<63 - 1
)

// wordOld writes the words of tickets from before there were any, a page a
// transaction, so that it may be stopped anywhere and goes on from there; it
// costs next to nothing where it has been done. Tickets may change meanwhile.
func (s *Store) wordOld(ctx context.Context) error {
	type progress struct {
		Community string
		After     int64
	}
	type old struct {
		Number int64
		Body   workflow.Ticket
	}
	todo, err := rows(ctx, s, "words", pgx.RowToStructByPos[progress], unworded)
	if err != nil {
		return err
	}
	for _, p := range todo {
		for p.After < allDone {
			page, err := rows(ctx, s, "words", pgx.RowToStructByPos[old], oldPage, p.Community, p.After, openPage)
			if err != nil {
				return err
			}
			p.After = allDone
			if len(page) == openPage {
				p.After = page[openPage-1].Number
			}
			refs, of := []ref{}, map[ref]workflow.Ticket{}
			for _, o := range page {
				r := ref{p.Community, o.Number}
				refs, of[r] = append(refs, r), o.Body
			}
			b := &pgx.Batch{}
			queueWords(b, writeWordsOfOld, refs, of)
			b.Queue(worded, p.Community, p.After)
			if err := fault("words", s.pool.SendBatch(ctx, b).Close()); err != nil {
				return err
			}
		}
	}
	if len(todo) == 0 {
		return nil
	}
	_, err = s.pool.Exec(ctx, `ANALYZE ticket, ticket_words`)
	if err == nil {
		_, err = s.pool.Exec(ctx, `SELECT gin_clean_pending_list('ticket_words_found')`)
	}
	return fault("words", err)
}
