package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/media"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// pastDocument is configs/demo/past.yaml.
type pastDocument struct {
	Neighbours []Person     `yaml:"neighbours"`
	Incidents  []pastMatter `yaml:"incidents"`
	Wishes     []pastMatter `yaml:"wishes"`
	Topics     []pastTopic  `yaml:"topics"`
	Rewards    []struct {
		Name  string `yaml:"name"`
		Price int    `yaml:"price"`
		Stock int    `yaml:"stock"`
	} `yaml:"rewards"`
	Fund []struct {
		Days int     `yaml:"days"`
		Item string  `yaml:"item"`
		Text string  `yaml:"text"`
		Yuan float64 `yaml:"yuan"`
	} `yaml:"fund"`
	Again     string   `yaml:"again"`
	Withdrawn string   `yaml:"withdrawn"`
	Asked     []string `yaml:"asked"`
	Inspected string   `yaml:"inspected"`
	Objected  string   `yaml:"objected"`
	Hotline   struct {
		YearAgo int   `yaml:"year_ago"`
		Weeks   []int `yaml:"weeks"`
	} `yaml:"hotline"`
}

type pastMatter struct {
	Text     string            `yaml:"text"`
	Category workflow.Category `yaml:"category"`
	Severity workflow.Severity `yaml:"severity"`
	Note     string            `yaml:"note"`
	Done     string            `yaml:"done"`
	Hot      bool              `yaml:"hot"` // it comes back every week
	By       string            `yaml:"by"`  // whose it is, "" for anybody's
}

// The weeks before this one that have a past, the oldest first: how many incidents
// and wishes were filed in each; then the same week of last year, and this week.
var pastWeeks = [][2]int{{12, 4}, {14, 4}, {17, 5}, {18, 5}, {21, 6}}

var (
	pastYearAgo  = [2]int{15, 3}
	pastThisWeek = [2]int{18, 6}
)

// unclaimedSince is since when wishes on the wall wait for somebody: older ones have
// been claimed.
const unclaimedSince = 12 * 24 * time.Hour

// What marks that the past was begun, and at which moment, and that it is whole.
const (
	pastBegun = "past"
	pastWhole = "past:whole"
)

// pastNewcomer holds the page's first phone, and begins without a past: what
// newcomers are told to write there must be news.
const pastNewcomer = "demo-resident-01"

// quietPast: nothing was filed so shortly before the demo began.
const quietPast = 2 * time.Hour

// seedPast gives the demo's community a past, once: by the machine itself, told at
// each step what time it was. Nobody is pushed anything for it. Where it was cut off
// it goes on with the same moment; a community in which something has happened
// already keeps its own past.
func seedPast(ctx context.Context, s *settings.Settings, clock clockwork.Clock, log *slog.Logger) (err error) {
	store, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{Logger: log, Clock: clock})
	if err != nil {
		return err
	}
	defer store.Close()
	if _, whole, err := store.Delivered(ctx, Community, pastWhole); err != nil || whole {
		return err
	}
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{Logger: log})
	if err != nil {
		return err
	}
	defer drive.Close()
	p := &past{store: store, desk: desk.New(desk.Options{Journal: store, Drive: drive, Clock: clock, Logger: log})}
	p.now = p.desk.Now()
	if begun, ok, err := store.Delivered(ctx, Community, pastBegun); err != nil {
		return err
	} else if ok {
		p.now, p.goesOn = begun.At.UTC(), true
	} else if found, err := store.Search(ctx, Community, desk.Query{Limit: 1}); err != nil || len(found.Tickets) > 0 {
		return err
	}
	if err := yaml.Unmarshal(configs.Read("demo/past.yaml"), &p.of); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	if err := p.people(ctx); err != nil {
		return err
	}
	if err := p.mark(ctx, pastBegun); err != nil {
		return err
	}
	if err := p.live(ctx); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	if err := p.months(ctx); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	if err := p.weeks(ctx); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	if err := p.topics(ctx); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	if err := p.lessons(ctx); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	if err := p.books(ctx, s); err != nil {
		return fmt.Errorf("demo past: %w", err)
	}
	return p.mark(ctx, pastWhole)
}

// past is the demo's past in the making.
type past struct {
	store     *postgres.Store
	desk      *desk.Desk
	shape     desk.Shape
	of        pastDocument
	now       time.Time // the past ends here
	goesOn    bool      // some of it is in the record
	residents []workflow.Person
	claimers  []workflow.Person
	works     []*desk.Work
}

// people lets the residents of the past in, beside the demo's own.
func (p *past) people(ctx context.Context) error {
	if err := p.desk.Refresh(ctx); err != nil {
		return err
	}
	community := func() *workflow.Community { shape, _ := p.desk.Shape(Community); return shape.Community }()
	own, err := People()
	if err != nil {
		return err
	}
	for i, n := range slices.Concat(p.of.Neighbours, own) {
		if len(n.Roles) > 0 || n.OpenID == pastNewcomer {
			continue
		}
		who := workflow.Person{Community: Community, Name: n.Name, Phone: n.Phone, OpenID: n.OpenID, Following: n.OpenID != "", Home: homeOf(community, n.Home)}
		if n.Key == "" {
			n.Key = "neighbour-" + strconv.Itoa(i+1)
		}
		if who.ID, err = p.store.UpsertPerson(ctx, n.Key, who); err != nil {
			return fmt.Errorf("demo past: %s: %w", n.Name, err)
		}
		p.residents = append(p.residents, who)
	}
	if err := p.desk.Refresh(ctx); err != nil {
		return err
	}
	p.shape, _ = p.desk.Shape(Community)
	for _, one := range p.shape.Roster {
		if one.OpenID != "" && (one.Has(workflow.RolePartner) || one.Has(workflow.RoleVolunteer) || one.Has(workflow.RolePartyMember)) {
			p.claimers = append(p.claimers, one)
		}
	}
	return nil
}

// mark notes how far the past has come. It is no message of anybody's.
func (p *past) mark(ctx context.Context, id string) error {
	err := p.store.Commit(ctx, desk.Change{Community: Community, Delivery: &desk.Delivery{ID: id, Type: "event:past", At: p.now}})
	if errors.Is(err, desk.ErrSeen) {
		return nil
	}
	return err
}

// filing is a matter that comes in at a moment.
type filing struct {
	at     time.Time
	kind   workflow.Kind
	matter pastMatter
}

// live lets every matter of the past be filed and lived through, in the order of
// their filing, and stores them.
func (p *past) live(ctx context.Context) error {
	dice := rand.New(rand.NewPCG(9, 23)) //nolint:gosec // the same past every time
	zone := p.shape.Community.Location()
	var all []filing
	this := digest.WeekOf(p.now, zone)
	week := this
	for i := range slices.Backward(pastWeeks) {
		week = week.Before()
		all = append(all, p.filings(dice, week, pastWeeks[i])...)
	}
	all = append(all, p.filings(dice, this.Before().YearAgo(), pastYearAgo)...)
	all = append(all, p.filings(dice, this, pastThisWeek)...)
	all = slices.DeleteFunc(all, func(f filing) bool { return f.at.After(p.now.Add(-quietPast)) })
	slices.SortStableFunc(all, func(a, b filing) int { return a.at.Compare(b.at) })
	for i, f := range all {
		l := &life{past: p, dice: rand.New(rand.NewPCG(uint64(f.at.Unix()), uint64(i)))} //nolint:gosec // the same life every time
		id := pastBegun + ":" + strconv.Itoa(i)
		if p.goesOn {
			if _, there, err := p.store.Delivered(ctx, Community, id); err != nil || there {
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := l.live(ctx, f, id); err != nil {
			return fmt.Errorf("%s: %w", f.matter.Text, err)
		}
	}
	return p.commit(ctx)
}

// commit stores all works, many at a time: they are written together.
func (p *past) commit(ctx context.Context) error {
	var all sync.WaitGroup
	turns := make(chan struct{}, 32)
	errs := make([]error, len(p.works))
	for i, w := range p.works {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if errs[i] = w.Commit(ctx); errors.Is(errs[i], desk.ErrSeen) {
				errs[i] = nil
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// filings are those of one week, by day.
func (p *past) filings(dice *rand.Rand, week digest.Week, n [2]int) []filing {
	from, _ := week.Range(p.shape.Community.Location())
	var out []filing
	add := func(kind workflow.Kind, all []pastMatter, n int) {
		order := dice.Perm(len(all))
		slices.SortStableFunc(order, func(a, b int) int { // what comes back comes every week
			switch {
			case all[a].Hot == all[b].Hot:
				return 0
			case all[a].Hot:
				return -1
			}
			return 1
		})
		for i := range n {
			day := i*7/n + dice.IntN(2)
			at := from.AddDate(0, 0, min(day, 6)).Add(7*time.Hour + time.Duration(30+dice.IntN(12*60))*time.Minute)
			out = append(out, filing{at.UTC(), kind, all[order[i%len(all)]]})
		}
	}
	add(workflow.Incident, p.of.Incidents, n[0])
	add(workflow.Wish, p.of.Wishes, n[1])
	return out
}

// life is the life of one ticket, told by dice.
type life struct {
	*past
	dice   *rand.Rand
	work   *desk.Work
	ticket workflow.Ticket
	at     time.Time
	err    error
}

// do gives a command at a moment, after the clocks that fire before it; it is false
// where that is still to come.
func (l *life) do(ctx context.Context, at time.Time, cmd workflow.Command) bool {
	if l.turn(ctx, at); l.err != nil || at.After(l.now) {
		return false
	}
	l.at, l.work.Now = at, at
	l.ticket, l.err = l.work.Do(ctx, l.ticket.Number, cmd)
	return l.err == nil
}

// turn fires the clocks that come due until a moment, or until now.
func (l *life) turn(ctx context.Context, until time.Time) {
	if until.After(l.now) {
		until = l.now
	}
	for l.err == nil {
		clock, due, ok := l.ticket.NextDue()
		if !ok || due.After(until) {
			return
		}
		l.work.Now = due
		l.ticket, l.err = l.work.Do(ctx, l.ticket.Number, workflow.Command{Name: workflow.CmdTick, Actor: workflow.System(), Clock: clock})
	}
}

// later is a moment by day, so many minutes from the last step.
func (l *life) later(least, most int) time.Time {
	at := l.at.Add(time.Duration(least+l.dice.IntN(most-least))*time.Minute + time.Duration(l.dice.IntN(60))*time.Second)
	local := at.In(l.shape.Community.Location())
	minutes := time.Duration(l.dice.IntN(90)) * time.Minute
	switch morning := time.Date(local.Year(), local.Month(), local.Day(), 8, 0, 0, 0, local.Location()); {
	case local.Hour() < 8:
		return morning.Add(minutes).UTC()
	case local.Hour() >= 20:
		return morning.AddDate(0, 0, 1).Add(minutes).UTC()
	}
	return at
}

// chance is true so many times of a hundred.
func (l *life) chance(percent int) bool { return l.dice.IntN(100) < percent }

// owner is who has the ticket, as an actor.
func (l *life) owner() workflow.Actor { return workflow.By(l.shape.Roster.ByID(l.ticket.Owner)) }

func (l *life) live(ctx context.Context, f filing, id string) (err error) {
	if l.work, err = l.desk.Begin(Community, true); err != nil {
		return err
	}
	who := l.residents[l.dice.IntN(len(l.residents))]
	for _, one := range l.residents {
		if one.Name == f.matter.By {
			who = one
		}
	}
	severity := f.matter.Severity
	if severity == "" {
		severity = workflow.Minor
	}
	l.at, l.work.Now = f.at, f.at
	if l.ticket, err = l.work.File(ctx, workflow.Command{
		Actor: workflow.By(who), Text: f.matter.Text, Kind: f.kind, Category: f.matter.Category, Severity: severity, Place: who.Home, Source: workflow.SourceChat,
	}); err != nil {
		return err
	}
	if f.kind == workflow.Wish {
		l.wish(ctx, f.matter, who)
	} else {
		l.incident(ctx, f.matter, who)
	}
	l.turn(ctx, l.now)
	if l.err != nil {
		return l.err
	}
	l.work.Change.Pushes = nil // what is over is told to nobody
	l.work.Change.Delivery = &desk.Delivery{ID: id, Person: who.ID, Type: "text", Text: f.matter.Text, At: f.at}
	l.works = append(l.works, l.work)
	if l.chance(60) { // people also ask, and thank
		w, err := l.desk.Begin(Community, true)
		if err != nil {
			return err
		}
		if at := f.at.Add(time.Duration(20+l.dice.IntN(400)) * time.Minute); !at.After(l.now) {
			w.Change.Delivery = &desk.Delivery{ID: id + ":asked", Person: who.ID, Type: "text", Text: l.of.Asked[l.dice.IntN(len(l.of.Asked))], At: at}
			l.works = append(l.works, w)
		}
	}
	return nil
}

// incident is accepted, settled and rated; some late, some twice, some withdrawn.
func (l *life) incident(ctx context.Context, m pastMatter, who workflow.Person) {
	if l.chance(4) {
		l.do(ctx, l.later(2, 40), workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(who), Text: l.of.Withdrawn})
		return
	}
	took := l.at.Add(time.Duration(3+l.dice.IntN(45)) * time.Minute)
	if l.chance(7) {
		took = l.at.Add(time.Duration(65+l.dice.IntN(30)) * time.Minute)
	}
	if !l.handle(ctx, took, m) {
		return
	}
	switch n := l.dice.IntN(100); {
	case n < 50:
		l.rate(ctx, who, workflow.Satisfied)
	case n < 63:
		l.rate(ctx, who, workflow.Fair)
	case n < 70:
		if l.rate(ctx, who, workflow.Unsatisfied) && l.handle(ctx, l.later(5, 50), pastMatter{Done: l.of.Again}) {
			l.rate(ctx, who, workflow.Satisfied)
		}
	}
}

// handle accepts and settles a ticket.
func (l *life) handle(ctx context.Context, took time.Time, m pastMatter) bool {
	l.turn(ctx, took) // the ladder may hand it on
	if !l.do(ctx, took, workflow.Command{Name: workflow.CmdAccept, Actor: l.owner()}) {
		return false
	}
	if m.Note != "" && !l.do(ctx, l.later(20, 240), workflow.Command{Name: workflow.CmdNote, Actor: l.owner(), Text: m.Note}) {
		return false
	}
	least, most := 45, 28*60
	if l.chance(8) { // longer than was promised
		least, most = 49*60, 80*60
	}
	return l.do(ctx, l.later(least, most), workflow.Command{Name: workflow.CmdResolve, Actor: l.owner(), Text: m.Done})
}

func (l *life) rate(ctx context.Context, who workflow.Person, r workflow.Rating) bool {
	return l.do(ctx, l.later(15, 20*60), workflow.Command{Name: workflow.CmdRate, Actor: workflow.By(who), Rating: r})
}

// wish hangs on the wall, is wished by others too, claimed and fulfilled.
func (l *life) wish(ctx context.Context, m pastMatter, who workflow.Person) {
	for _, i := range l.dice.Perm(len(l.residents))[:l.dice.IntN(5)] {
		if other := l.residents[i]; other.ID != who.ID && !l.do(ctx, l.later(10, 300), workflow.Command{Name: workflow.CmdSupport, Actor: workflow.By(other)}) {
			return
		}
	}
	if l.now.Sub(l.at) < unclaimedSince && l.chance(40) {
		return
	}
	by := l.claimers[l.dice.IntN(len(l.claimers))]
	if !l.do(ctx, l.later(60, 50*60), workflow.Command{Name: workflow.CmdClaim, Actor: workflow.By(by), Unit: by.Unit()}) {
		return
	}
	if l.do(ctx, l.later(20*60, 5*24*60), workflow.Command{Name: workflow.CmdResolve, Actor: l.owner(), Text: m.Done}) && l.chance(85) {
		l.rate(ctx, who, workflow.Satisfied)
	}
}

// weeks enters what went to the hotline, and keeps the last digest as sent where it
// would have been.
func (p *past) weeks(ctx context.Context) error {
	zone := p.shape.Community.Location()
	this := digest.WeekOf(p.now, zone)
	last := this.Before()
	var calls []desk.Complaint
	add := func(week digest.Week, n int) {
		from, _ := week.Range(zone)
		for i := range n {
			g := p.shape.Community.Grids[i%len(p.shape.Community.Grids)]
			calls = append(calls, desk.Complaint{
				Number: fmt.Sprintf("demo-%s-%d", week, i), Category: p.of.Incidents[i%len(p.of.Incidents)].Text, Grid: g.Code,
				At: from.AddDate(0, 0, i%7).Add(time.Duration(9+i%8) * time.Hour).UTC(),
			})
		}
	}
	add(last.YearAgo(), p.of.Hotline.YearAgo)
	week := this
	for _, n := range slices.Backward(p.of.Hotline.Weeks) {
		week = week.Before()
		add(week, n)
	}
	if _, err := p.store.PutHotline(ctx, Community, calls); err != nil {
		return err
	}
	monday, _ := this.Range(zone)
	sent := monday.Add(8 * time.Hour).UTC()
	if p.now.Before(sent) {
		return nil
	}
	made, err := p.desk.Digest(ctx, Community, last)
	if err != nil {
		return err
	}
	made.MadeAt = sent
	if _, err := p.store.KeepDigest(ctx, made); err != nil {
		return err
	}
	w, err := p.desk.Begin(Community, true)
	if err != nil {
		return err
	}
	w.Now = sent
	for _, one := range p.shape.Roster {
		if one.Has(workflow.RoleCommittee) {
			w.Owe(fmt.Sprintf("digest:%s:%d", last, one.ID), one.ID, workflow.TellDigest, desk.Facts{Said: last.String()})
		}
	}
	for i := range w.Change.Pushes {
		w.Change.Pushes[i].Status, w.Change.Pushes[i].SentAt = desk.PushSent, sent
	}
	return p.store.Commit(ctx, w.Change) // not the Work's: the Drive would have them sent
}

// books offers rewards, puts some on the board, and enters the fund's lines.
func (p *past) books(ctx context.Context, s *settings.Settings) error {
	for i, r := range p.of.Rewards {
		if _, err := p.store.AddReward(ctx, Community, fmt.Sprintf("past:%d", i), ledger.Reward{Name: r.Name, Price: r.Price, Stock: r.Stock}); err != nil {
			return err
		}
	}
	for i, one := range p.claimers {
		if err := p.store.Rank(ctx, Community, one.ID, i%2 == 0); err != nil {
			return err
		}
	}
	dir, err := media.Dir(filepath.Join(s.Data, "media"))
	if err != nil {
		return err
	}
	paper := configs.Read("demo/paper.png")
	ch := desk.Change{Community: Community, Delivery: &desk.Delivery{ID: "past:fund", Type: "event:past", At: p.now}}
	by := p.shape.Roster.Playing(workflow.RoleCommittee, "")[0]
	for i, l := range p.of.Fund {
		id := fmt.Sprintf("demo-paper-%d", i+1)
		if err := dir.Put(ctx, Community, id, paper); err != nil {
			return err
		}
		at := p.now.AddDate(0, 0, -l.Days)
		ch.Media = append(ch.Media, desk.MediaFile{Community: Community, ID: id, Person: by.ID, Type: "image", Status: desk.MediaStored, MIME: "image/png", Size: int64(len(paper)), CreatedAt: at})
		ch.Fund = append(ch.Fund, ledger.Line{
			Cause: id, On: at.In(p.shape.Community.Location()).Format(time.DateOnly), Item: l.Item, Words: l.Text, Fen: int64(math.Round(l.Yuan * 100)), Paper: id, By: by.ID, At: at,
		})
	}
	if err := p.store.Commit(ctx, ch); !errors.Is(err, desk.ErrSeen) {
		return err
	}
	return nil
}
