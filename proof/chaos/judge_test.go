package main

import (
	"strings"
	"testing"
	"time"
)

// A small history without a fault, and what becomes of the verdict when one thing is
// wrong with it.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	const resident, worker = "proof-resident-1", "o-worker"
	type world struct {
		all    []said
		r      *record
		phones phones
	}
	whole := func() *world {
		due := now.Add(time.Hour)
		return &world{
			all: []said{
				{Who: resident, Deed: report, Text: "灯坏了", Class: told, Number: 1001},
				{Who: "proof-resident-2", Deed: report, Text: "门坏了", Class: later},
				{Who: "proof-resident-3", Deed: report, Text: "水坏了", Class: refused},
				{Who: worker, Deed: accept, Text: "接单 1001", Class: told, Number: 1001},
			},
			r: &record{
				messages: map[saying]int{{resident, "灯坏了"}: 1, {"proof-resident-2", "门坏了"}: 1, {worker, "接单 1001"}: 1},
				filed:    map[saying][]int64{{resident, "灯坏了"}: {1001}, {"proof-resident-2", "门坏了"}: {1002}},
				deeds:    map[doing]int{{worker, 1001, "accepted"}: 1},
				tickets:  []ticketRow{{Number: 1001, Owner: 9, Reporter: 1, NextDue: &due}, {Number: 1002, Owner: 9, Reporter: 2, NextDue: &due}},
				events: []eventRow{
					{Number: 1001, Seq: 1, Type: "filed", Reporter: 1}, {Number: 1001, Seq: 2, Type: "assigned", Owner: 9}, {Number: 1001, Seq: 3, Type: "accepted", By: 9},
					{Number: 1002, Seq: 1, Type: "filed", Reporter: 2}, {Number: 1002, Seq: 2, Type: "assigned", Owner: 9},
				},
				pushes:  []pushRow{{Person: 9, Number: 1001, Status: "sent"}},
				openids: map[int64]string{1: resident, 2: "proof-resident-2", 9: worker}, queued: map[string]int64{},
			},
			phones: phones{worker: {"新任务 1001 号", "新任务 1002 号"}, "proof-resident-2": {"收到了,编号 1002"}},
		}
	}
	reader, err := newReader("../..")
	if err != nil {
		t.Fatal(err)
	}
	verdictOf := func(w *world) *verdict { return judge(w.all, w.r, w.phones, reader, now) }
	if v := verdictOf(whole()); !v.clean() || v.acknowledged != 3 || v.owed != 1 {
		t.Fatalf("of a whole history: %s %v", v, v.missing)
	}
	late := now.Add(-2 * time.Minute)
	for name, c := range map[string]struct {
		wrong func(*world)
		in    func(*verdict) []string
		says  string
	}{
		"a message that is not kept":   {func(w *world) { delete(w.r.messages, saying{resident, "灯坏了"}) }, lostOf, "no message is kept"},
		"a promise without a ticket":   {func(w *world) { delete(w.r.filed, saying{"proof-resident-2", "门坏了"}) }, lostOf, "no ticket is filed"},
		"another number":               {func(w *world) { w.r.filed[saying{resident, "灯坏了"}] = []int64{1003} }, lostOf, "was told the number 1001"},
		"a deed that was not done":     {func(w *world) { clear(w.r.deeds) }, lostOf, "is accepted, and it is not"},
		"two tickets of one message":   {func(w *world) { w.r.filed[saying{resident, "灯坏了"}] = []int64{1001, 1002} }, doubledOf, "has the tickets"},
		"a message kept twice":         {func(w *world) { w.r.messages[saying{resident, "灯坏了"}] = 2 }, doubledOf, "2 messages are kept"},
		"a deed done twice":            {func(w *world) { w.r.deeds[doing{worker, 1001, "accepted"}] = 2 }, doubledOf, "2 times"},
		"nobody's ticket":              {func(w *world) { w.r.tickets[0].Owner = 0 }, stuckOf, "has nobody"},
		"a ticket without a clock":     {func(w *world) { w.r.tickets[0].NextDue = nil }, stuckOf, "no deadline"},
		"a clock that nobody heard":    {func(w *world) { w.r.tickets[0].NextDue = &late }, stuckOf, "nobody heard it"},
		"a push that is owed for long": {func(w *world) { w.r.pushes[0] = pushRow{Status: "owed", NextTry: late, Key: "k"} }, stuckOf, "the push k"},
		"a queue that is not empty":    {func(w *world) { w.r.queued["stage"] = 2 }, stuckOf, "2 tasks"},
		"a dead letter":                {func(w *world) { w.r.dead = []string{"boom"} }, stuckOf, "boom"},
		"an assignment never read":     {func(w *world) { w.phones[worker] = w.phones[worker][:1] }, missingOf, "1002 is theirs"},
		"a number never read":          {func(w *world) { delete(w.phones, "proof-resident-2") }, missingOf, "is their number"},
		"a result never read": {func(w *world) {
			w.r.events = append(w.r.events[:3:3], append([]eventRow{{Number: 1001, Seq: 4, Type: "resolved", By: 9}}, w.r.events[3:]...)...)
		}, missingOf, "1001 is done"},
	} {
		t.Run(name, func(t *testing.T) {
			w := whole()
			c.wrong(w)
			v := verdictOf(w)
			if got := strings.Join(c.in(v), "\n"); v.clean() || !strings.Contains(got, c.says) {
				t.Errorf("found %q in %s, want %q", got, v, c.says)
			}
		})
	}
	twice := whole()
	twice.phones[worker] = append(twice.phones[worker], "新任务 1001 号")
	if v := verdictOf(twice); !v.clean() || v.twice != 1 {
		t.Errorf("read twice: %s", v)
	}
}

func lostOf(v *verdict) []string    { return v.lost }
func doubledOf(v *verdict) []string { return v.duplicated }
func stuckOf(v *verdict) []string   { return v.stuck }
func missingOf(v *verdict) []string { return v.missing }
