package postgres

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestManyMigrateAtOnce(t *testing.T) {
	url := storetest.Postgres(t)
	pending, err := Pending(ctx(t), url)
	must(t, err)
	if len(pending) == 0 || pending[0] != "00001_init.sql" {
		t.Fatalf("pending before: %v", pending)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := Migrate(ctx(t), url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	pending, err = Pending(ctx(t), url)
	must(t, err)
	same(t, "pending after", []string(nil), pending)
}

func TestOpenSaysThatNobodyAnswers(t *testing.T) {
	_, err := Open(ctx(t), "postgres://wishdesk:verysecret@127.0.0.1:1/wishdesk", Options{})
	if err == nil || strings.Contains(err.Error(), "verysecret") {
		t.Fatalf("got %v", err)
	}
	if _, err := Open(ctx(t), "postgres://u:verysecret@host:notaport/", Options{}); err == nil || strings.Contains(err.Error(), "verysecret") {
		t.Fatalf("got %v", err)
	}
}

func TestNumbersNeverRepeat(t *testing.T) {
	url := freshURL(t)
	stores := []*Store{openStore(t, url, nil), openStore(t, url, nil)}
	var mu sync.Mutex
	numbers, people := map[int64]bool{}, map[workflow.PersonID]bool{}
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			for range 55 {
				n, err1 := stores[i%2].NextNumber(ctx(t), here)
				p, err2 := stores[i%2].NextPerson(ctx(t))
				if err := errors.Join(err1, err2); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if numbers[n] || people[p] || n < 1001 || p < 1 {
					t.Errorf("number %d or person %d was given before", n, p)
				}
				numbers[n], people[p] = true, true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if n, err := stores[0].NextNumber(ctx(t), there); err != nil || n != 1001 {
		t.Errorf("the other community's first number is %d, %v", n, err)
	}
	if _, err := stores[0].NextNumber(ctx(t), "nowhere"); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("nowhere: %v", err)
	}
}

func TestListsOfTickets(t *testing.T) {
	s := newStore(t)
	at := func(h int) map[workflow.Clock]time.Time {
		return map[workflow.Clock]time.Time{workflow.ClockResolve: noon.Add(time.Duration(h) * time.Hour)}
	}
	var changes []desk.TicketChange
	add := func(n int64, f func(*workflow.Ticket)) { changes = append(changes, opened(here, n, f)) }
	add(1001, func(t *workflow.Ticket) {
		t.State, t.Stand, t.Owner, t.Due = workflow.Accepted, workflow.WithOwner, 5, at(9)
	})
	add(1002, func(t *workflow.Ticket) {
		t.State, t.Stand, t.Owner, t.Due, t.Level = workflow.Assigned, workflow.WithOwner, 5, at(2), 3
	})
	add(1003, func(t *workflow.Ticket) {
		t.State, t.Owner, t.Due, t.EndedAt, t.Level = workflow.Closed, 5, nil, noon, 2
	})
	add(1004, func(t *workflow.Ticket) {
		t.Kind, t.State, t.Stand, t.Due = workflow.Wish, workflow.Classified, workflow.OnWall, at(3)
	})
	add(1005, func(t *workflow.Ticket) {
		t.Kind, t.State, t.Stand, t.Due = workflow.Wish, workflow.Classified, workflow.OnWall, at(1)
	})
	add(1006, func(t *workflow.Ticket) { t.Stand, t.Due = workflow.InTray, at(5) })
	add(1007, func(t *workflow.Ticket) { t.Stand, t.Due, t.Place.Grid, t.Level = workflow.InTray, at(4), "", 2 })
	add(1008, func(t *workflow.Ticket) { // a question stops the other clocks: nothing presses
		t.Due, t.Reporter = at(0), 8
		t.Question = &workflow.Question{At: noon, Until: noon.Add(8 * time.Hour), Pauses: true}
	})
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: changes}))
	must(t, s.Commit(ctx(t), desk.Change{Community: there, Tickets: []desk.TicketChange{
		opened(there, 1001, func(t *workflow.Ticket) { t.Owner, t.Level, t.Stand = 5, 3, workflow.OnWall })}}))

	list := func(name string, want []int64, read func() ([]workflow.Ticket, error)) {
		t.Helper()
		got, err := read()
		must(t, err)
		numbers := column(got, func(t workflow.Ticket) int64 { return t.Number })
		same(t, name, want, numbers)
	}
	list("owned", []int64{1002, 1001}, func() ([]workflow.Ticket, error) { return s.Owned(ctx(t), here, 5, 9) })
	list("owned, one", []int64{1002}, func() ([]workflow.Ticket, error) { return s.Owned(ctx(t), here, 5, 1) })
	list("reported", []int64{1007, 1006, 1005, 1004, 1003, 1002, 1001}, func() ([]workflow.Ticket, error) { return s.Reported(ctx(t), here, 7, true, 9) })
	list("reported, open", []int64{1007, 1006, 1005, 1004, 1002, 1001}, func() ([]workflow.Ticket, error) { return s.Reported(ctx(t), here, 7, false, 9) })
	list("wall", []int64{1004, 1005}, func() ([]workflow.Ticket, error) { return s.Wall(ctx(t), here, 0, 9) })
	list("wall, on", []int64{1005}, func() ([]workflow.Ticket, error) { return s.Wall(ctx(t), here, 1004, 9) })
	list("tray", []int64{1006}, func() ([]workflow.Ticket, error) { return s.Tray(ctx(t), here, "G1", 9) })
	list("tray without grid", []int64{1007}, func() ([]workflow.Ticket, error) { return s.Tray(ctx(t), here, "", 9) })
	list("risen", []int64{1002}, func() ([]workflow.Ticket, error) { return s.Risen(ctx(t), here, 2, 0, 9) })
	list("risen to 3", []int64{1002}, func() ([]workflow.Ticket, error) { return s.Risen(ctx(t), here, 3, 0, 9) })
	list("from level 1", []int64{1005, 1002, 1004, 1001, 1008}, func() ([]workflow.Ticket, error) { return s.Risen(ctx(t), here, 1, 0, 9) })
	due, err := s.DueTickets(ctx(t), here, noon.Add(3*time.Hour), 9)
	must(t, err)
	same(t, "due", []int64{1005, 1002, 1004}, due)
	loads, err := s.Loads(ctx(t), here)
	must(t, err)
	same(t, "loads", map[workflow.PersonID]int{5: 2}, loads)
	var open []int64
	must(t, s.OpenTickets(ctx(t), here, func(t workflow.Ticket) error { open = append(open, t.Number); return nil }))
	same(t, "open", []int64{1001, 1002, 1004, 1005, 1006, 1007, 1008}, open)
	stop := errors.New("stop")
	if err := s.OpenTickets(ctx(t), here, func(workflow.Ticket) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a caller cannot stop: %v", err)
	}
}

// What waits is not hidden by what is done, lies in the tray or is one's own, however
// much more pressing that is.
func TestRisenAreThoseThatWait(t *testing.T) {
	s := newStore(t)
	var changes []desk.TicketChange
	for n := range int64(12) {
		tc := opened(here, 1001+n)
		tc.Ticket.Level, tc.Ticket.Owner, tc.Ticket.State, tc.Ticket.Stand = workflow.LevelCommittee, 5, workflow.Resolved, workflow.WithOwner
		tc.Ticket.Due = map[workflow.Clock]time.Time{workflow.ClockResolve: noon.Add(time.Duration(n) * time.Hour)}
		switch {
		case n >= 10:
			tc.Ticket.State, tc.Ticket.Owner = workflow.Assigned, 6
		case n >= 6:
			tc.Ticket.State = workflow.Assigned
		case n >= 3:
			tc.Ticket.State, tc.Ticket.Stand, tc.Ticket.Owner = workflow.Classified, workflow.InTray, 0
		}
		changes = append(changes, tc)
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: changes}))
	for but, want := range map[workflow.PersonID][]int64{0: {1007, 1008, 1009}, 5: {1011, 1012}, 6: {1007, 1008, 1009}} {
		got, err := s.Risen(ctx(t), here, workflow.LevelCommittee, but, 3)
		must(t, err)
		same(t, fmt.Sprint("risen but of ", but), want, column(got, func(t workflow.Ticket) int64 { return t.Number }))
	}
}

func TestOpenTicketsOverManyPages(t *testing.T) {
	s := newStore(t)
	var tickets []desk.TicketChange
	for n := range int64(2*openPage + 3) { // from 1
		tickets = append(tickets, opened(here, n+1))
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: tickets}))
	next := int64(1)
	must(t, s.OpenTickets(ctx(t), here, func(t workflow.Ticket) error {
		if t.Number != next {
			return fmt.Errorf("ticket %d instead of %d", t.Number, next)
		}
		next++
		return nil
	}))
	if next != 2*openPage+4 {
		t.Errorf("%d tickets", next)
	}
}

func TestPeople(t *testing.T) {
	s := newStore(t)
	shape := func() int64 {
		versions, err := s.Communities(ctx(t))
		must(t, err)
		return versions[here]
	}
	before := shape()
	worker := workflow.Person{
		Community: here, Name: "陈", Phone: "13800000000", Home: workflow.Place{Estate: "东园"},
		Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}},
	}
	id, err := s.UpsertPerson(ctx(t), "chen", worker)
	must(t, err)
	if shape() <= before {
		t.Error("running processes do not see the new worker")
	}
	must(t, s.NewBindCode(ctx(t), here, id, "123456", noon.Add(time.Hour)))
	for code, now := range map[string]time.Time{"123457": noon, "123456": noon.Add(time.Hour)} {
		if _, _, err := s.Bind(ctx(t), here, code, "o1", now); workflow.CodeOf(err) != workflow.CodeNotFound {
			t.Errorf("code %s at %v: %v", code, now, err)
		}
	}
	if _, _, err := s.Bind(ctx(t), there, "123456", "o1", noon); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("the code works in the other community: %v", err)
	}
	// The worker wrote as a resident before.
	must(t, s.Commit(ctx(t), desk.Change{Community: here, NewPerson: &workflow.Person{ID: 900, Community: here, OpenID: "o1", Following: true}, Pushes: []desk.Push{owed("late", 900)}}))
	before = shape()
	bound, former, err := s.Bind(ctx(t), here, "123456", "o1", noon)
	must(t, err)
	worker.ID, worker.OpenID, worker.Following = id, "o1", true
	same(t, "bound", worker, bound)
	same(t, "who wrote with it before", workflow.PersonID(900), former)
	if shape() <= before {
		t.Error("running processes do not see the binding")
	}
	resident, err := s.Person(ctx(t), here, 900)
	must(t, err)
	same(t, "the resident", workflow.Person{ID: 900, Community: here}, resident)
	if _, _, err := s.Bind(ctx(t), here, "123456", "o2", noon); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("the code works twice: %v", err)
	}
	again, former, err := s.Bind(ctx(t), here, "123456", "o1", noon) // the same message, handled again
	must(t, err)
	same(t, "bound again", worker, again)
	same(t, "who wrote with it before, again", workflow.PersonID(900), former)
	moved, err := s.OwedPushes(ctx(t), here, noon, 9)
	must(t, err)
	if len(moved) != 1 || moved[0].Person != id {
		t.Errorf("what the resident was owed: %+v", moved)
	}
	// Another import does not undo the binding.
	worker.Name, worker.OpenID = "老陈", ""
	sameID, err := s.UpsertPerson(ctx(t), "chen", worker)
	must(t, err)
	same(t, "ID", id, sameID)
	// Nor does an import of the resident whose WeChat it was.
	_, err = s.UpsertPerson(ctx(t), "wang", workflow.Person{Community: here, Name: "王", OpenID: "o1", Following: true})
	must(t, err)
	_, err = s.UpsertPerson(ctx(t), "wang", workflow.Person{Community: here, Name: "王", OpenID: "o1", Following: true})
	must(t, err)
	found, err := s.FindPerson(ctx(t), here, "老陈")
	must(t, err)
	worker.OpenID = "o1"
	same(t, "by name", []workflow.Person{worker}, found)
	found, err = s.FindPerson(ctx(t), here, "chen")
	must(t, err)
	same(t, "by key", []workflow.Person{worker}, found)
	roster, err := s.People(ctx(t), here)
	must(t, err)
	same(t, "roster", workflow.Roster{worker}, roster)
	// Nobody takes the WeChat of another member of the staff.
	other, err := s.UpsertPerson(ctx(t), "zhou", workflow.Person{Community: here, Roles: []workflow.Role{{Kind: workflow.RoleCommittee}}})
	must(t, err)
	must(t, s.NewBindCode(ctx(t), here, other, "777777", noon.Add(time.Hour)))
	if _, _, err := s.Bind(ctx(t), here, "777777", "o1", noon); workflow.CodeOf(err) != workflow.CodeNotAllowed || !errors.Is(err, ErrOpenIDTaken) {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.Bind(ctx(t), here, "777777", "o7", noon); err != nil {
		t.Errorf("the code is no longer good: %v", err)
	}
	if n := count(t, s, "SELECT count(*) FROM bind_code WHERE position('777777' IN encode(hash, 'escape')) > 0"); n != 0 {
		t.Error("a code is kept readable")
	}
	if err := s.NewBindCode(ctx(t), here, 4711, "1", noon); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("a code for nobody: %v", err)
	}
	// Staff who leave the account are seen; residents change no shape.
	before = shape()
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Following: &desk.Following{Person: 900}}))
	if shape() != before {
		t.Error("a resident changed the shape")
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Following: &desk.Following{Person: id}}))
	if shape() <= before {
		t.Error("staff left and nobody sees it")
	}
}

func TestCommunities(t *testing.T) {
	s := newStore(t)
	shape, err := s.Shape(ctx(t), here)
	must(t, err)
	same(t, "grid", "G1", shape.Community.GridOf("东园", 4))
	yaml := []byte(fmt.Sprintf(document1, here) + "hotline: \"0531-1\"\n")
	doc, err := workflow.ParseCommunity(strings.NewReader(string(yaml)))
	must(t, err)
	version, err := s.ApplyCommunity(ctx(t), doc, yaml, "王")
	must(t, err)
	same(t, "version", int64(2), version)
	version, err = s.ApplyCommunity(ctx(t), doc, yaml, "李")
	must(t, err)
	same(t, "the same again", int64(2), version)
	after, err := s.Shape(ctx(t), here)
	must(t, err)
	if after.Version <= shape.Version || after.Community.Hotline != "0531-1" {
		t.Errorf("shape %d after %d, hotline %q", after.Version, shape.Version, after.Community.Hotline)
	}
	out, err := s.ExportCommunity(ctx(t), here)
	must(t, err)
	same(t, "export", string(yaml), string(out))
	versions, err := s.CommunityVersions(ctx(t), here, 0, 10)
	must(t, err)
	same(t, "versions", []workflow.Document{{Version: 2, Author: "王", AppliedAt: noon}, {Version: 1, Author: "test", AppliedAt: noon}}, versions)
	first, err := s.CommunityDocument(ctx(t), here, 1)
	must(t, err)
	stands, err := s.CommunityDocument(ctx(t), here, 0)
	must(t, err)
	same(t, "what stands", workflow.Document{Version: 2, Author: "王", AppliedAt: noon, YAML: string(yaml)}, stands)
	if first.Version != 1 || first.YAML == stands.YAML {
		t.Errorf("the first version: %+v", first)
	}
	older, err := s.CommunityVersions(ctx(t), here, 2, 10)
	must(t, err)
	same(t, "older versions", []workflow.Document{{Version: 1, Author: "test", AppliedAt: noon}}, older)
	_, err0 := s.CommunityDocument(ctx(t), here, 3)
	if workflow.CodeOf(err0) != workflow.CodeNotFound {
		t.Errorf("a version that is not: %v", err0)
	}
	if _, err := s.ReplaceCommunity(ctx(t), 1, doc, []byte(first.YAML), "late"); !errors.Is(err, desk.ErrStale) {
		t.Errorf("put in place of a version that is gone: %v", err)
	}
	version, err = s.ReplaceCommunity(ctx(t), 2, doc, append(yaml, '\n'), "李")
	must(t, err)
	same(t, "in place of what stands", int64(3), version)
	_, err1 := s.Shape(ctx(t), "nowhere")
	_, err2 := s.ExportCommunity(ctx(t), "nowhere")
	if workflow.CodeOf(err1) != workflow.CodeNotFound || workflow.CodeOf(err2) != workflow.CodeNotFound {
		t.Errorf("nowhere: %v, %v", err1, err2)
	}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			yaml := []byte(fmt.Sprintf(document1, "new") + fmt.Sprintf("residents: %d\n", i))
			doc, err := workflow.ParseCommunity(strings.NewReader(string(yaml)))
			if err == nil {
				_, err = s.ApplyCommunity(ctx(t), doc, yaml, "x")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	versions, err = s.CommunityVersions(ctx(t), "new", 0, 10)
	must(t, err)
	if len(versions) != 6 || versions[0].Version != 6 {
		t.Errorf("six at once made %v", versions)
	}
}

func TestPushes(t *testing.T) {
	s := newStore(t)
	later := owed("later", 5)
	later.NextTry = noon.Add(time.Hour)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Pushes: []desk.Push{owed("a", 5), owed("b", 5), owed("c", 5), later}}))
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Pushes: []desk.Push{owed("a", 5)}})) // owed once, however often derived
	keys := func(now time.Time) []string {
		owed, err := s.OwedPushes(ctx(t), here, now, 9)
		must(t, err)
		return column(owed, func(p desk.Push) string { return p.Key })
	}
	leases := map[string]int64{}
	take := func(key string, now time.Time) (desk.Push, bool) {
		p, ok, err := s.TakePush(ctx(t), here, key, now, time.Minute)
		must(t, err)
		leases[key], p.Lease = p.Lease, 0
		return p, ok
	}
	finish := func(key string, out desk.PushOutcome) {
		t.Helper()
		out.Lease = leases[key]
		must(t, s.FinishPush(ctx(t), here, key, out))
	}
	same(t, "owed", []string{"a", "b", "c"}, keys(noon))
	if _, ok := take("later", noon); ok {
		t.Error("took a push that is not due")
	}
	// Of many senders one gets it.
	won := make(chan desk.Push, 20)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if p, ok, err := s.TakePush(ctx(t), here, "a", noon, time.Minute); err != nil {
				t.Error(err)
			} else if ok {
				p.Lease = 0
				won <- p
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d senders have the push", len(won))
	}
	p := <-won
	want := owed("a", 5)
	want.Community, want.Attempts, want.NextTry = here, 1, noon.Add(time.Minute)
	same(t, "taken", want, p)
	same(t, "owed, a leased", []string{"b", "c"}, keys(noon))
	same(t, "owed, lease over", []string{"b", "c", "a"}, keys(noon.Add(time.Minute)))
	p, ok := take("a", noon.Add(time.Minute))
	if !ok || p.Status != desk.PushSending || p.Attempts != 2 {
		t.Errorf("after the lease: %v %s %d", ok, p.Status, p.Attempts)
	}
	finish("a", desk.PushOutcome{Status: desk.PushSent, Channel: "template", MsgID: 24313134013531745, At: noon})
	// A sender that comes late does not make it owed again.
	finish("a", desk.PushOutcome{Status: desk.PushOwed, NextTry: noon, ErrCode: -1, Error: "busy", At: noon})
	same(t, "owed after the late one", []string{"b", "c"}, keys(noon.Add(time.Minute)))
	p, ok, err := s.PushByMsgID(ctx(t), here, 24313134013531745)
	must(t, err)
	if !ok || p.Key != "a" || p.Status != desk.PushSent || !p.SentAt.Equal(noon) || p.Channel != "template" {
		t.Errorf("by msgid: %v %+v", ok, p)
	}
	// Its result comes: it did not arrive.
	finish("a", desk.PushOutcome{Status: desk.PushManual, ErrCode: 43004, Error: "failed: user block", At: noon})
	take("b", noon)
	finish("b", desk.PushOutcome{Status: desk.PushOwed, NextTry: noon.Add(2 * time.Hour), ErrCode: 45011, Error: "limit", At: noon})
	same(t, "again later", []string{"c", "later"}, keys(noon.Add(time.Hour)))
	take("c", noon)
	finish("c", desk.PushOutcome{Status: desk.PushUnknown, Channel: "custom", At: noon})
	manual, err := s.ManualPushes(ctx(t), here, desk.Manual{All: true}, 9)
	must(t, err)
	failed, err := s.PushFailures(ctx(t), here, 9)
	must(t, err)
	if len(manual) != 1 || manual[0].Key != "a" || manual[0].ErrCode != 43004 || manual[0].Channel != "template" || len(failed) != 2 {
		t.Errorf("manual %+v, failed %+v", manual, failed)
	}
	finish("a", desk.PushOutcome{Status: desk.PushDone, At: noon})
	manual, err = s.ManualPushes(ctx(t), here, desk.Manual{All: true}, 9)
	must(t, err)
	same(t, "nobody is left to call", []desk.Push(nil), manual)
}

func TestContact(t *testing.T) {
	s := newStore(t)
	c, err := s.Contact(ctx(t), here, 5)
	must(t, err)
	same(t, "a stranger", desk.Contact{}, c)
	message := talked(5, 0, `{}`)
	message.LastMessageAt = noon
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Talk: message, Pushes: []desk.Push{owed("a", 5), owed("b", 5), owed("c", 5), owed("d", 6)}}))
	sent := func(key, channel string, at time.Time) {
		must(t, s.FinishPush(ctx(t), here, key, desk.PushOutcome{Status: desk.PushSent, Channel: channel, At: at}))
	}
	sent("a", "custom", noon.Add(-time.Second)) // before the window
	sent("b", "custom", noon.Add(time.Second))
	sent("c", "template", noon.Add(time.Second))
	sent("d", "custom", noon.Add(time.Second)) // somebody else
	for _, by := range []int{1, 1, -1} {
		if ok, err := s.Consent(ctx(t), here, 5, "T1", by); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	c, err = s.Contact(ctx(t), here, 5)
	must(t, err)
	same(t, "contact", desk.Contact{LastMessageAt: noon, SinceMessage: 1, Consents: map[string]int{"T1": 1}}, c)
	click := talked(5, 1, `{}`)
	click.LastClickAt = noon.Add(time.Minute)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Talk: click}))
	c, err = s.Contact(ctx(t), here, 5)
	must(t, err)
	same(t, "after a click", desk.Contact{LastMessageAt: noon, SinceMessage: 1, LastClickAt: noon.Add(time.Minute), Consents: map[string]int{"T1": 1}}, c)
	// The last consent is used once, however many ask.
	used := make(chan bool, 10)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			ok, err := s.Consent(ctx(t), here, 5, "T1", -1)
			if err != nil {
				t.Error(err)
			}
			if ok {
				used <- true
			}
		})
	}
	all.Wait()
	if len(used) != 1 {
		t.Errorf("one consent was used %d times", len(used))
	}
}

func TestMediaDeadLettersAndStats(t *testing.T) {
	s := newStore(t)
	m := func(id string, at time.Time) desk.MediaFile {
		return desk.MediaFile{Community: here, ID: id, Person: 7, WeChatID: "w" + id, Type: "image", Status: desk.MediaOwed, CreatedAt: at}
	}
	must(t, s.Commit(ctx(t), desk.Change{
		Community: here, Media: []desk.MediaFile{m("b", noon.Add(time.Second)), m("a", noon)},
		Tickets: []desk.TicketChange{opened(here, 1001)}, Pushes: []desk.Push{owed("p", 1), owed("q", 1)},
	}))
	fetch, err := s.MediaToFetch(ctx(t), here, 9)
	must(t, err)
	same(t, "to fetch", []desk.MediaFile{m("a", noon), m("b", noon.Add(time.Second))}, fetch)
	must(t, s.FinishMedia(ctx(t), here, "a", desk.MediaStored, "image/jpeg", 1234))
	got, err := s.Media(ctx(t), here, "a")
	must(t, err)
	want := m("a", noon)
	want.Status, want.MIME, want.Size = desk.MediaStored, "image/jpeg", 1234
	same(t, "stored", want, got)
	_, err1 := s.Media(ctx(t), there, "a")
	err2 := s.FinishMedia(ctx(t), there, "a", desk.MediaGone, "", 0)
	if workflow.CodeOf(err1) != workflow.CodeNotFound || workflow.CodeOf(err2) != workflow.CodeNotFound {
		t.Errorf("the other community's: %v, %v", err1, err2)
	}
	must(t, s.DeadLetter(ctx(t), here, "message", []byte{0, 1, 0xff}, "panic\x00", noon))
	must(t, s.DeadLetter(ctx(t), here, "tick", []byte("1001"), "no", noon))
	letters, err := s.DeadLetters(ctx(t), here, 9)
	must(t, err)
	same(t, "dead letters", []desk.DeadLetter{{ID: 2, Queue: "tick", Body: []byte("1001"), Reason: "no", At: noon}, {ID: 1, Queue: "message", Body: []byte{0, 1, 0xff}, Reason: "panic", At: noon}}, letters)
	must(t, s.FinishPush(ctx(t), here, "q", desk.PushOutcome{Status: desk.PushManual, At: noon}))
	st, err := s.Stats(ctx(t), noon.Add(2*time.Hour))
	must(t, err)
	same(t, "stats", []Stats{{
		Community: here, Open: 1, Overdue: 1, OldestDue: noon.Add(time.Hour), OwedPushes: 1, OldestPush: noon, ManualPushes: 1, OwedMedia: 1, DeadLetters: 2,
	}, {Community: there}}, st)
}
