package workflow

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Who hears of what is not done, step by step.
func TestLadder(t *testing.T) {
	for name, story := range map[string]string{
		"from the worker to the committee": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			is assigned with chen level 1: reminder 30m, resolve 48h, response 1h
			+30m => reminded response; chen=reminder
			+30m => overdue response; chen=overdue, zhou=overdue, ma=overdue
			is assigned with chen level 1: again 30m, reminder 43h, resolve 47h
			+30m => brought_up again; chen=brought_up, lead=brought_up
			+30m => brought_up again; chen=brought_up, lead=brought_up, duty=brought_up
			is assigned with chen level 2: again 24h, reminder 42h, resolve 46h
			+24h => brought_up again; chen=brought_up, lead=brought_up, duty=brought_up`,
		"a colleague steps in": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			+1h => reminded response, overdue response; chen=reminder, chen=overdue, zhou=overdue, ma=overdue
			he: accept !! not_allowed
			zhou: accept => accepted; chen=handed_on, li=accepted
			is accepted with zhou level 1: reminder 43h, resolve 47h
			chen: accept !! taken
			ma: accept !! taken
			he: accept !! wrong_state
			zhou: accept !! already_done`,
		"who accepts in time is not reminded of it": `
			li: file major@G1 没水 => filed, classified, assigned; chen=assigned
			+10m
			chen: accept => accepted; li=accepted
			is accepted with chen level 1: feedback 23h50m, reminder 19h50m, resolve 167h50m
			chen: note 在抢修 => noted; li=progress
			is accepted with chen level 1: reminder 163h50m, resolve 167h50m
			+163h50m => reminded resolve; chen=reminder
			+4h => overdue resolve; chen=overdue, zhou=overdue, ma=overdue
			+4h => brought_up again; chen=brought_up, lead=brought_up
			+20h => brought_up again; chen=brought_up, lead=brought_up, duty=brought_up
			is accepted with chen level 2: again 24h`,
		"an emergency that goes to another is told to who had it as no longer theirs": `
			li: file emergency@G1 煤气味 => filed, classified, assigned; chen=danger, duty=danger
			head: assign zhou 他就在旁边 => assigned; chen=handed_on, zhou=danger, duty=danger, li=handler
			head: assign chen => assigned; zhou=handed_on, chen=danger, duty=danger, li=handler
		`,
		"an emergency: all at once, often, and then by the day": `
			li: file emergency@G1 煤气味 => filed, classified, assigned; chen=danger, duty=danger
			+5m => overdue response; chen=overdue, zhou=overdue, ma=overdue, lead=overdue, duty=overdue
			+5m => brought_up again; chen=brought_up, zhou=brought_up, ma=brought_up, lead=brought_up, duty=brought_up
			+5m => brought_up again; chen=brought_up, zhou=brought_up, ma=brought_up, lead=brought_up, duty=brought_up
			+20m => brought_up again; chen=brought_up, lead=brought_up, duty=brought_up
			is assigned with chen level 2: again 24h, resolve 23h25m`,
		"a question stops the ladder and the reminder with it": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			+20m
			chen: ask 几楼 => asked; li=question
			is assigned with chen level 1: question 48h, *reminder 10m, *resolve 47h40m, *response 40m
			+5h
			li: answer 三楼 => answered; chen=answered
			is assigned with chen level 1: reminder 10m, resolve 47h40m, response 40m`,
		"a server that was down takes the steps that it missed at once": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			late 30h
			desk: tick reminder => reminded response; chen=reminder
			desk: tick response => overdue response; chen=overdue, zhou=overdue, ma=overdue, lead=overdue, duty=overdue
			is assigned with chen level 2: again 24h, reminder 14h, resolve 18h`,
	} {
		t.Run(name, func(t *testing.T) { scenario(t, remindingCommunity, story) })
	}
}

// In office hours the reminder comes in office hours, with as much of them left.
func TestReminderInWorkingTime(t *testing.T) {
	scenario(t, strings.Replace(officeHours, shortLadder, "", 1), `
		at 2026-04-27 17:10
		li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
		# Monday 17:30 to Tuesday 08:30 are off: 20 minutes today, 40 tomorrow
		is assigned with chen level 1: reminder 15h30m, resolve 330h, response 16h
		+15h29m
		+1m => reminded response; chen=reminder
		+30m => overdue response; chen=overdue, zhou=overdue, ma=overdue`)
	scenario(t, strings.Replace(officeHours, shortLadder, "", 1), `
		at 2026-04-27 17:30
		li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
		+15h30m => reminded response; chen=reminder`)
	c := community(t, officeHours)
	for _, d := range []time.Duration{0, time.Minute, 4 * time.Hour, 30 * time.Hour, 200 * time.Hour} {
		for _, start := range []time.Time{start, start.Add(7 * time.Hour), start.AddDate(0, 0, 20)} {
			end := c.Working.Add(start, d, c.Location())
			back := c.Working.Before(end, d, c.Location())
			if left := c.Working.Between(back, end, c.Location()); left != d {
				t.Errorf("%v before %v: %v, with %v left", d, end, back, left)
			}
		}
	}
}

// Several hands, wishes that take longer, and feedback.
func TestHands(t *testing.T) {
	for name, story := range map[string]string{
		"called, done, handed back, released": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			he: call zhou 扶梯子 !! not_allowed
			chen: call chen !! needs_target
			chen: call li !! needs_target
			chen: call zhou 扶梯子 => called; zhou=called
			chen: call zhou 再来 !! already_done
			chen: call dang 买灯泡 => called; dang=called
			chen: call ma 望风 => called; ma=called
			ma: finish !! needs_text
			he: finish 好了 !! not_allowed
			zhou: finish 扶好了 => part_done; chen=part
			dang: decline 店关门了 => part_declined; chen=part
			chen: accept => accepted; li=accepted
			chen: resolve 灯已换 => resolved; li=resolved, ma=released
			li: rate satisfied => rated; chen=rated
			points chen 2, zhou 2`,
		"a helper who left": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: call dang 买灯泡 => called; dang=called
			desk: decline zhou left !! needs_target
			desk: decline dang left => part_declined; chen=part`,
		"found by a worker: nobody to rate it": `
			chen: file minor@G1 found => filed, classified, assigned; chen=assigned
			chen: accept => accepted
			chen: resolve 扫干净了 => resolved, closed_alone
			is closed level 1`,
		"a wish of one, claimed by several, by a rhythm": `
			li: file wish@? 想有人陪 => filed, classified, published
			dang: join 第三支部 !! wrong_state
			unit: claim 供电所 => claimed; li=claimed
			li: join 我自己 !! not_allowed
			dang: join 第三支部 送饭 => joined; unit=part, li=claimed
			dang: join 第三支部 !! already_done
			dang: pair 7 !! not_allowed
			unit: pair 0 !! invalid
			unit: pair 7 => paired; li=paired
			is accepted with unit level 1: visit 168h
			unit: visit !! needs_text
			dang: visit 聊了天 => visited; li=visited
			+168h => overdue visit; unit=visit_due
			+24h => brought_up again; unit=brought_up
			unit: visit 理了发 => visited; li=visited
			is accepted with unit level 1: visit 168h
			unit: resolve 住进养老院了 => resolved; li=resolved, dang=released`,
		"an urgent wish goes straight to somebody": `
			li: file urgent-wish@G1 药断了 => filed, classified, assigned; chen=assigned
			is assigned with chen level 1: resolve 336h, response 1h
			chen: return 我不会开车 => returned; duty=tray`,
		"wished by many": `
			li: file wish@? 想有食堂 => filed, classified, published
			li: support !! already_done
			wang: support => supported
			wang: support !! already_done
			sun: support => supported
			dang: support => supported
			chen: support => supported
			he: support => supported; duty=support
			unit: claim 供电所 => claimed; li=claimed, wang=wish_progress, sun=wish_progress, dang=wish_progress, chen=wish_progress, he=wish_progress
			unit: resolve 开张了 => resolved; li=resolved, wang=wish_progress, sun=wish_progress, dang=wish_progress, chen=wish_progress, he=wish_progress`,
		"who asks is named when they say so": `
			li: file wish@? 想有人陪 => filed, classified, published
			wang: consent yes !! not_allowed
			li: consent no !! already_done
			li: consent yes => consented
			li: consent yes !! already_done
			li: consent no => consented`,
		"asked on the telephone": `
			chen: file minor@G1 for li => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: resolve 灯已换 => resolved; li=resolved
			chen: rate satisfied by telephone !! not_allowed
			zhou: rate satisfied !! not_allowed
			zhou: rate unsatisfied by telephone => reopened, assigned; chen=reopened, duty=assigned`,
		"thanked once": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			li: thank 辛苦 !! wrong_state
			chen: resolve 灯已换 => resolved; li=resolved
			wang: thank 辛苦 !! not_allowed
			li: thank !! needs_text
			li: thank 辛苦了 => thanked; chen=thanked
			li: thank 辛苦了 !! already_done
			points chen 3`,
		"its building goes to another grid": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: move G2 !! not_allowed
			desk: move G9 !! invalid
			desk: move G1 !! already_done
			desk: move G2 => moved
			desk: assign he => assigned; chen=handed_on, he=assigned, li=handler
			chen: accept !! not_allowed`,
	} {
		t.Run(name, func(t *testing.T) { scenario(t, smallCommunity, story) })
	}
}

// The rules of a document, read in order.
func TestRulesOfADocument(t *testing.T) {
	const rules = `
assignment:
  - {name: level, if: {level: 2}, to: {role: committee, off_duty: true}}
  - {name: 有煤气味找燃气公司, if: {danger: [gas]}, to: {role: property, unit: 燃气公司, off_duty: true}}
  - {name: 西园的灯归物业, if: {grid: [G2], category: [lighting]}, to: {role: property, unit: 好物业}}
  - {name: 懂电的来, if: {category: [lighting]}, to: {role: worker, skill: 电工, max_load: 3}}
  - {name: grid, to: {role: worker, full_time: true}}
`
	c := community(t, smallCommunity+rules)
	monday := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC) // 10:00
	r := slices.Clone(smallRoster)
	r[slices.IndexFunc(r, func(p Person) bool { return p.ID == zhou })].Roles = []Role{{Kind: RoleWorker, Grid: "G1", Skills: []string{"电工"}, Hours: []string{"08:00-12:00", "13:00-17:00"}, Days: []int{1, 2, 3, 4, 5}}}
	r = append(r, Person{ID: 50, Roles: []Role{{Kind: RoleProperty, Unit: "好物业"}}}, Person{ID: 51, Roles: []Role{{Kind: RoleProperty, Unit: "燃气公司"}}})
	for name, tt := range map[string]struct {
		ticket Ticket
		at     time.Time
		load   map[PersonID]int
		away   PersonID
		want   Assignment
		tried  Reason // of the last rule before the one that decided
	}{
		"by skill":              {Ticket{Kind: Incident, Category: "lighting", Level: 1, Place: Place{Grid: "G1"}}, monday, nil, 0, Assignment{To: zhou, Why: "懂电的来"}, NotForThis},
		"too busy":              {Ticket{Kind: Incident, Category: "lighting", Level: 1, Place: Place{Grid: "G1"}}, monday, map[PersonID]int{zhou: 4}, 0, Assignment{To: chen, Why: "grid"}, AllBusy},
		"at lunch":              {Ticket{Kind: Incident, Category: "lighting", Level: 1, Place: Place{Grid: "G1"}}, monday.Add(2*time.Hour + 30*time.Minute), nil, 0, Assignment{To: chen, Why: "grid"}, AllAway},
		"on a Sunday":           {Ticket{Kind: Incident, Category: "lighting", Level: 1, Place: Place{Grid: "G1"}}, monday.AddDate(0, 0, -1), nil, 0, Assignment{To: chen, Why: "grid"}, AllAway},
		"on leave":              {Ticket{Kind: Incident, Category: "lighting", Level: 1, Place: Place{Grid: "G1"}}, monday, nil, zhou, Assignment{To: chen, Why: "grid"}, AllAway},
		"their own matter":      {Ticket{Kind: Incident, Category: "lighting", Level: 1, Reporter: zhou, Place: Place{Grid: "G1"}}, monday, nil, 0, Assignment{To: chen, Why: "grid"}, AllBarred},
		"the grid's own rule":   {Ticket{Kind: Incident, Category: "lighting", Level: 1, Place: Place{Grid: "G2"}}, monday, nil, 0, Assignment{To: 50, Why: "西园的灯归物业"}, NotForThis},
		"another category":      {Ticket{Kind: Incident, Category: "noise", Level: 1, Place: Place{Grid: "G2"}}, monday, nil, 0, Assignment{To: he, Why: "grid"}, NotForThis},
		"by danger":             {Ticket{Kind: Incident, Category: "safety", Severity: Emergency, Danger: "gas", Level: 1, Place: Place{Grid: "G1"}}, monday, nil, 0, Assignment{To: 51, Why: "有煤气味找燃气公司"}, NotForThis},
		"nobody: by hand":       {Ticket{Kind: Incident, Category: "noise", Level: 1, Place: Place{Grid: "G2"}}, monday, nil, he, Assignment{}, AllAway},
		"what has risen":        {Ticket{Kind: Incident, Category: "lighting", Level: 2, Place: Place{Grid: "G2"}}, monday, nil, 0, Assignment{To: duty, Why: "level"}, ""},
		"risen, all had it":     {Ticket{Kind: Incident, Category: "lighting", Level: 2, Reopened: 2, Handlers: []PersonID{duty, head}, Place: Place{Grid: "G2"}}, monday, nil, 0, Assignment{To: duty, Why: "level", With: head}, ""},
		"reopened in the grid":  {Ticket{Kind: Incident, Category: "noise", Level: 1, Reopened: 1, Handlers: []PersonID{chen}, Place: Place{Grid: "G1"}}, monday, nil, 0, Assignment{To: chen, Why: "grid", With: duty}, NotForThis},
		"risen, the duty is it": {Ticket{Kind: Incident, Level: 2, Reopened: 1, Handlers: []PersonID{chen, duty}, Place: Place{Grid: "G2"}}, monday, nil, 0, Assignment{To: head, Why: "level"}, ""},
	} {
		people := slices.Clone(r)
		for i := range people {
			if people[i].ID == tt.away {
				people[i].Away = Leave{From: tt.at.Add(-time.Hour), Until: tt.at.Add(time.Hour)}
			}
		}
		have, ok, tried := Explain(c, people, &tt.ticket, func(p PersonID) int { return tt.load[p] }, tt.at)
		if have != tt.want || ok != (tt.want.To != 0) {
			t.Errorf("%s: %+v %v, want %+v", name, have, ok, tt.want)
		}
		before := len(tried) - 2
		if !ok {
			before = len(tried) - 1
		}
		if tt.tried != "" && (before < 0 || tried[before].Reason != tt.tried) {
			t.Errorf("%s: tried %+v, want %s before the last", name, tried, tt.tried)
		}
	}
	for name, doc := range map[string]string{
		"often": "clocks: {again: 1h}", "seldom": "clocks: {again: 48h}\nladder: {resolve: [{after: 0s, tell: [worker]}, {after: 40h, tell: [committee], rise: true}]}",
	} {
		if _, err := ParseCommunity(strings.NewReader(remindingCommunity + doc)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for says, doc := range map[string]string{
		"assignment[0].name":           "assignment: [{to: {role: worker}}]",
		"assignment[0].to.role":        "assignment: [{name: x, to: {role: king}}]",
		"assignment[0].if.grid":        "assignment: [{name: x, if: {grid: [G9]}, to: {role: worker}}]",
		"assignment[0].if.kind":        "assignment: [{name: x, if: {kind: [chat]}, to: {role: worker}}]",
		"assignment[0].if.severity":    "assignment: [{name: x, if: {severity: [worst]}, to: {role: worker}}]",
		"assignment[0].to.max_load":    "assignment: [{name: x, to: {role: worker, max_load: -1}}]",
		"ladder.response[1]: must":     "ladder: {response: [{after: 1h, tell: [worker], rise: true}, {after: 1h, tell: [worker]}]}",
		"ladder.response[0]: tells":    "ladder: {response: [{after: 1h, rise: true}]}",
		"ladder.response[0]: tell:":    "ladder: {response: [{after: 1h, tell: [king], rise: true}]}",
		"ladder.response[0]: only":     "ladder: {response: [{after: -1h, tell: [worker], rise: true}]}",
		"ladder.response: no step":     "ladder: {response: [{after: 0s, tell: [worker]}]}",
		"ladder.tray[0]: only":         "ladder: {tray: [{after: -1h, tell: [worker]}, {after: 0s, tell: [worker], rise: true}]}",
		"ladder.resolve[1]: comes mor": "ladder: {resolve: [{after: 0s, tell: [worker]}, {after: 25h, tell: [committee], rise: true}]}",
	} {
		if _, err := ParseCommunity(strings.NewReader(remindingCommunity + doc)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestLeavesGrid(t *testing.T) {
	incident, wish := &Ticket{Kind: Incident, Place: Place{Grid: "G1"}}, &Ticket{Kind: Wish, Place: Place{Grid: "G1"}}
	for p, want := range map[PersonID][2]bool{
		chen: {false, false}, zhou: {false, false}, lead: {false, false}, he: {true, true}, duty: {true, true}, dang: {false, false}, unit: {false, false}, li: {true, true},
	} {
		if have := [2]bool{LeavesGrid(smallRoster, incident, p), LeavesGrid(smallRoster, wish, p)}; have != want {
			t.Errorf("%s: %v, want %v", nameOf(p), have, want)
		}
	}
}
