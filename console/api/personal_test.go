package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

type workflowCommand = workflow.Command

func by(p workflow.Person) workflow.Actor { return workflow.By(p) }

func system() workflow.Actor { return workflow.System() }

// secrets stand in the tickets of crowded, and lead to people.
var secrets = []string{
	"孙桂兰", "秦霞霞", "唐小娟", "曹一鸣", "王大锤", "李小红", "19900001111", "19900002222", "19900004444", "13712345678", "4022", "4033", "o-secret", "张大爷", "水龙头", "肉饼",
	"老伴走了", "已经换了新灯泡", "哪个开关", "左边那个", "太慢", "下午去",
}

// crowded opens tickets full of names, telephones, doors and words, in all ways, and
// gives their numbers: an incident with a whole story, a hidden wish, one that was
// merged, one that is late and has risen.
func (h *house) crowded() (story, wish, merged, late int64) {
	h.t.Helper()
	s := h.opened("水龙头漏水,我是孙桂兰,电话19900004444,东园1号楼3单元4022,隔壁李小红也知道")
	do := func(cmds ...workflow.Command) { h.tell(s.Number, cmds...) }
	do(workflow.Command{Name: workflow.CmdAccept, Actor: by(h.worker)})
	do(workflow.Command{Name: workflow.CmdAsk, Actor: by(h.worker), Topic: workflow.TopicWorker, Text: "孙桂兰您好,哪个开关?"})
	do(workflow.Command{Name: workflow.CmdAnswer, Actor: by(h.resident), Text: "左边那个,打13712345678"})
	do(workflow.Command{Name: workflow.CmdNote, Actor: by(h.worker), Text: "下午去孙桂兰家"})
	do(workflow.Command{Name: workflow.CmdSupplement, Actor: by(h.resident), Text: "王大锤知道地方", Media: []workflow.Media{{ID: "secretphoto", Type: "image"}}})
	do(workflow.Command{Name: workflow.CmdResolve, Actor: by(h.worker), Text: "已经换了新灯泡,孙桂兰签字"})
	do(workflow.Command{Name: workflow.CmdRate, Actor: by(h.resident), Rating: workflow.Unsatisfied, Text: "太慢"})

	w := h.opened("老伴走了,想有人陪我做肉饼,孙桂兰 4033室 13712345678", func(c *workflow.Command) {
		c.Kind, c.Category, c.Place.Room = workflow.Wish, "elderly", "4033"
	})
	known := h.opened("路灯坏了,孙桂兰说的")
	m := h.opened("路灯又坏了,李小红")
	work, err := h.desk.Begin(east, true)
	h.must(err)
	_, err = work.Merge(h.t.Context(), m.Number, known.Number, by(h.worker), "和李小红说的一样")
	h.must(err)
	h.must(work.Commit(h.t.Context()))

	l := h.opened("井盖坏了,孙桂兰")
	h.clock.Advance(2 * time.Hour)
	h.tell(l.Number, workflow.Command{Name: workflow.CmdTick, Actor: system(), Clock: workflow.ClockResponse})
	h.tell(l.Number, workflow.Command{Name: workflow.CmdEscalate, Actor: by(h.worker), Text: "孙桂兰家太难办"})
	return s.Number, w.Number, m.Number, l.Number
}

// No answer of any route leads to a person unless the key may.
func TestNothingLeadsToAPerson(t *testing.T) {
	h := newHouse(t)
	story, wish, merged, late := h.crowded()
	before := len(h.logged())
	var bodies []string
	for _, number := range []int64{story, wish, merged, late} {
		for route, call := range h.calls(number) {
			for _, key := range []string{"", "wrong", "ended", "read", "file", "other"} {
				a := call(key)
				bodies = append(bodies, a.body)
				for _, s := range secrets {
					if strings.Contains(a.body, s) {
						t.Errorf("%s of %d with key %q tells %q: %.1500s", route, number, key, s, a.body)
					}
				}
				if strings.Contains(a.body, "secretphoto") || key != "" && strings.Contains(a.body, h.keys[key]) {
					t.Errorf("%s of %d with key %q tells what it must not: %.1500s", route, number, key, a.body)
				}
			}
		}
	}
	if all := strings.Join(bodies, ""); !strings.Contains(all, `"type":"noted"`) || !strings.Contains(all, `"late":[{`) || !strings.Contains(all, `"merged_into":`) {
		t.Error("the test looked at too little")
	}
	// Where a place would point at people it ends at the estate.
	quarrel := h.opened("两家吵起来了", func(c *workflow.Command) { c.Category = "dispute" })
	danger := h.opened("着火了", func(c *workflow.Command) { c.Category, c.Severity, c.Danger = "safety", workflow.Emergency, "fire" })
	for _, number := range []int64{wish, quarrel.Number, danger.Number} {
		if a := h.get(fmt.Sprintf("tickets/%d", number), "read"); a.of("place", "estate") != "东园" || a.of("place", "building") != nil {
			t.Errorf("a place that points at people: %s", a.body)
		}
		if a := h.get(fmt.Sprintf("tickets/%d/events", number), "read"); strings.Contains(a.body, "building") {
			t.Errorf("a story whose places point at people: %s", a.body)
		}
	}
	if a := h.get(fmt.Sprintf("tickets/%d", story), "read"); a.of("place", "building") != 1.0 || a.of("photos") != 1.0 || a.of("reopened") != 1.0 {
		t.Errorf("an incident: %s", a.body)
	}
	for _, line := range h.logged()[before:] {
		if !strings.HasPrefix(line, "api.ticket.file ") {
			t.Errorf("the audit log says %s of somebody who was shown nothing", line)
		}
	}
}

// With the scope personal it is told, of one ticket or week, and each look stands in
// the audit log, which tells nothing of it.
func TestAPersonalLookIsNoted(t *testing.T) {
	h := newHouse(t)
	story, wish, _, _ := h.crowded()
	before := len(h.logged())
	one := h.get(fmt.Sprintf("tickets/%d", story), "personal")
	for path, want := range map[string]any{"room": "4022", "unit": 3.0, "building": 1.0, "spot": "张大爷家门口"} {
		if got := one.of("personal", "place", path); got != want {
			t.Errorf("personal.place.%s is %v, want %v", path, got, want)
		}
	}
	if one.of("personal", "reporter", "name") != "孙桂兰" || one.of("personal", "reporter", "phone") != "19900004444" || one.of("personal", "owner", "name") == nil || one.of("personal", "owner", "phone") != nil {
		t.Errorf("people: %s", one.body)
	}
	events := h.get(fmt.Sprintf("tickets/%d/events", story), "personal")
	for _, s := range []string{"左边那个", "下午去孙桂兰家", "已经换了新灯泡", "秦霞霞"} {
		if !strings.Contains(events.body, s) {
			t.Errorf("the story lacks %q: %s", s, events.body)
		}
	}
	week := h.get("digests/2026-W48", "personal")
	if !strings.Contains(week.body, `"owner":"曹一鸣"`) && !strings.Contains(week.body, `"owner":"秦霞霞"`) {
		t.Errorf("the week names nobody: %s", week.body)
	}
	if list := h.get("tickets", "personal"); strings.Contains(list.body, "孙桂兰") || strings.Contains(list.body, "personal") {
		t.Errorf("a list tells who: %s", list.body)
	}
	// Of a wish that hides who asks it tells neither them nor their door.
	for _, path := range []string{"tickets/%d", "tickets/%d/events"} {
		a := h.get(fmt.Sprintf(path, wish), "personal")
		for _, s := range []string{"孙桂兰", "4033", "13712345678", "19900004444", `"room"`, "张大爷"} {
			if strings.Contains(a.body, s) {
				t.Errorf("%s of a hidden wish tells %q: %s", path, s, a.body)
			}
		}
		if !strings.Contains(a.body, "肉饼") {
			t.Errorf("%s of a hidden wish does not tell what it is: %s", path, a.body)
		}
	}
	for _, path := range []string{"", "categories", fmt.Sprintf("tickets/%d", story), fmt.Sprintf("tickets/%d/events", story), "digests/2026-W48"} {
		if a := h.get(path, "personal"); strings.Contains(a.body, "o-secret") {
			t.Errorf("%s tells an account: %s", path, a.body)
		}
	}
	key := fmt.Sprintf("key %d", h.ids["personal"])
	want := []string{
		fmt.Sprintf("api.ticket.look %d %s", story, key), fmt.Sprintf("api.ticket.look %d %s, events", story, key), "api.week.look 0 " + key + ", week 2026-W48",
		fmt.Sprintf("api.ticket.look %d %s", wish, key), fmt.Sprintf("api.ticket.look %d %s, events", wish, key),
	}
	if got := h.logged()[before:]; !slices.Equal(got[:min(len(got), len(want))], want) {
		t.Errorf("the audit log says %q, want %q", got, want)
	}
}

// What cannot be noted is not shown, and not done.
func TestNothingIsShownThatIsNotNoted(t *testing.T) {
	h := newHouse(t)
	story, _, _, _ := h.crowded()
	n := h.count()
	h.record.fail = errors.New("孙桂兰's line cannot be written")
	for _, path := range []string{fmt.Sprintf("tickets/%d", story), fmt.Sprintf("tickets/%d/events", story), "digests/2026-W48"} {
		a := h.get(path, "personal")
		a.refused(t, path, codeUnavailable)
		if strings.Contains(a.body, "孙桂兰") {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	h.file(`{"text": "东园2号楼楼道灯不亮了"}`).refused(t, "filing", codeUnavailable)
	if h.count() != n {
		t.Error("a ticket was filed that the audit log does not know")
	}
}

// The week is the desk's; as it was sent it stays.
func TestTheWeek(t *testing.T) {
	h := newHouse(t)
	h.crowded()
	a := h.get("digests/2026-W48", "read")
	if a.of("now", "incidents") != 4.0 || a.of("now", "merged") != 1.0 || a.of("late_count") == 0.0 {
		t.Errorf("the week: %s", a.body)
	}
	sentences, _ := a.of("sentences").([]any)
	if len(sentences) == 0 {
		t.Error("it says nothing in words")
	}
	made, err := h.desk.Digest(t.Context(), east, digest.Week{Year: 2026, Number: 48})
	h.must(err)
	made.Sentences = []string{"秦霞霞手上 1 件。"}
	if _, err := h.store.KeepDigest(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	sent := h.get("digests/2026-W48?sent=true", "read")
	if sent.status != http.StatusOK || strings.Contains(sent.body, "秦霞霞") {
		t.Errorf("as it was sent: %d %s", sent.status, sent.body)
	}
	if told := h.get("digests/2026-W48?sent=true", "personal"); !strings.Contains(told.body, "秦霞霞手上") {
		t.Errorf("as it was sent, with names: %s", told.body)
	}
	if a := h.get("digests/2026-W48", "read"); !strings.Contains(a.body, `"owner":""`) {
		t.Errorf("the week without names: %s", a.body)
	}
}

// While who wishes is hidden, nobody else who is no staff is told either; and who took
// it back stays hidden after it.
func TestAHiddenWishHidesItsNeighbours(t *testing.T) {
	h := newHouse(t)
	neighbour := func(key, name, phone string) workflow.Person {
		id, err := h.store.UpsertPerson(t.Context(), key, workflow.Person{Community: east, Name: name, Phone: phone, OpenID: "o-" + key, Following: true})
		h.must(err)
		p, err := h.store.Person(t.Context(), east, id)
		h.must(err)
		return p
	}
	zhou := neighbour("zhou", "周小红", "19900005555")
	w := h.opened("孙桂兰和周小红想有人陪", func(c *workflow.Command) { c.Kind, c.Category, c.Place.Room = workflow.Wish, "elderly", "4033" })
	h.tell(w.Number, workflow.Command{Name: workflow.CmdSupport, Actor: by(zhou)})
	path := fmt.Sprintf("tickets/%d", w.Number)
	told := func(when string, not ...string) {
		t.Helper()
		for _, route := range []string{path, path + "/events"} {
			a := h.get(route, "personal")
			if a.status != http.StatusOK || !strings.Contains(a.body, "想有人陪") {
				t.Errorf("%s, %s: %d %s", when, route, a.status, a.body)
			}
			for _, s := range not {
				if strings.Contains(a.body, s) {
					t.Errorf("%s, %s tells %q: %s", when, route, s, a.body)
				}
			}
		}
	}
	told("hidden", "周小红", "19900005555", "孙桂兰", "19900004444", "4033")
	h.tell(w.Number, workflow.Command{Name: workflow.CmdConsent, Actor: by(h.resident), Yes: true})
	told("named", "19900005555")
	work, err := h.desk.Begin(east, true)
	h.must(err)
	_, _, err = work.Withdraw(t.Context(), w.Number, by(h.resident), "", func(context.Context, *workflow.Ticket) (string, error) { return "想有人陪", nil })
	h.must(err)
	h.must(work.Commit(t.Context()))
	told("left", "周小红", "19900005555", "孙桂兰", "19900004444", "4033")
	h.tell(w.Number, workflow.Command{Name: workflow.CmdConsent, Actor: by(zhou), Yes: true})
	told("named by who wishes it now", "孙桂兰", "19900004444", "4033")
}
