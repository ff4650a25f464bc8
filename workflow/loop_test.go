package workflow

import (
	"testing"
	"time"
)

// The ordinary ways through the table; scenario_test.go tells how to read them.
func TestLoop(t *testing.T) {
	for name, story := range map[string]string{
		"a small matter, rated": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			is assigned with chen level 1: resolve 48h, response 1h
			+30m
			li: accept !! not_allowed
			he: accept !! not_allowed
			chen: accept => accepted; li=accepted
			chen: accept !! already_done
			is accepted with chen level 1: resolve 47h30m
			chen: note !! needs_text
			chen: note 明天来 => noted; li=progress
			chen: resolve !! needs_text
			li: resolve 好了 !! not_allowed
			chen: resolve 灯已换 => resolved; li=resolved
			chen: resolve 灯已换 !! already_done
			is resolved with chen level 1: rating 72h, rating_reminder 24h
			chen: rate satisfied !! not_allowed
			wang: rate satisfied !! not_allowed
			li: rate five !! invalid
			li: rate satisfied => rated; chen=rated
			is closed level 1
			li: rate satisfied !! already_done
			li: rate unsatisfied !! already_done
			li: urge !! wrong_state
			li: cancel !! wrong_state
			chen: note 再说 !! wrong_state`,
		"a big matter is reported back within a day": `
			li: file major@G1 没暖气 => filed, classified, assigned; chen=assigned
			is assigned with chen level 1: feedback 24h, resolve 168h, response 1h
			chen: accept => accepted; li=accepted
			+23h
			chen: note 在修 => noted; li=progress
			is accepted with chen level 1: resolve 145h
			+144h`,
		"a big matter that nobody reports back": `
			li: file major@G1 没暖气 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			+25h => overdue feedback; chen=overdue, duty=overdue
			is accepted with chen level 2: again 23h, resolve 143h
			chen: note 在修 => noted; li=progress
			is accepted with chen level 2: resolve 143h
			+100h`,
		"asked where, answered": `
			li: file minor@? 灯不亮 => filed, asked
			is received level 1: question 30m, *tray 1h
			+20m
			li: answer !! needs_text
			li: answer @G9 !! invalid
			li: answer @G1 => answered, classified, assigned; chen=assigned
			is assigned with chen level 1: resolve 48h, response 1h`,
		"asked where, silent: filed by hand": `
			li: file minor@? 灯不亮 => filed, asked
			+30m => question_lapsed; duty=tray
			is received tray level 1: tray 1h
			li: answer 在门口 !! no_question
			chen: classify minor@G1 !! not_allowed
			duty: classify minor@? !! invalid
			duty: classify minor@G9 !! invalid
			duty: classify ?@G1 !! invalid
			duty: classify minor@G1 => classified, assigned; chen=assigned`,
		"asked what, and the answer says it": `
			li: file ?@G1 那个东西 => filed, asked
			li: answer minor@G1 => answered, classified, assigned; chen=assigned`,
		"nobody understands: the tray": `
			li: file ?@G1! 那个东西 => filed, trayed; chen=tray
			is received tray level 1: tray 1h
			+1h => overdue tray; chen=overdue, duty=overdue
			+24h => brought_up again; chen=brought_up, duty=brought_up
			chen: classify minor@G1 => classified, assigned; duty=assigned`,
		"the tray's keeper asks, and is told the answer": `
			li: file ?@G1! 那个东西 => filed, trayed; chen=tray
			chen: ask 什么东西坏了 => asked; li=question
			chen: ask 什么东西坏了 !! question_open
			is received tray level 1: question 48h, *tray 1h
			li: answer 是灯 => answered, trayed; chen=tray
			chen: cancel !! needs_text
			chen: cancel 看错了 => cancelled; li=cancelled
			chen: cancel 看错了 !! already_done`,
		"classified by hand while asked": `
			li: file minor@? 灯不亮 => filed, asked
			+10m
			duty: classify minor@G1 => classified, assigned; chen=assigned
			is assigned with chen level 1: resolve 48h, response 1h`,
		"a worker's question stays open while somebody is found": `
			li: file ?@G1! 那个东西 => filed, trayed; chen=tray
			chen: ask 几楼 => asked; li=question
			+10m
			duty: classify minor@G1 => classified, assigned; chen=assigned
			is assigned with chen level 1: question 47h50m, *resolve 48h, *response 1h
			+50m
			li: answer 三楼 => answered; chen=answered
			is assigned with chen level 1: resolve 48h, response 1h`,
		"a wish": `
			li: file wish@? 想有人陪我下棋 => filed, classified, published
			is classified wall level 1: unclaimed 72h
			li: claim !! not_allowed
			wang: claim !! not_allowed
			+71h
			dang: claim 第三支部 => claimed; li=claimed
			unit: claim 供电所 !! claimed
			dang: claim 第三支部 !! already_done
			is accepted with dang level 1: resolve 336h
			dang: resolve 下了三盘 => resolved; li=resolved
			li: rate satisfied => rated; dang=rated`,
		"nobody claims their own wish": `
			zhou: file wish@G1 想学书法 => filed, classified, published
			zhou: claim !! not_allowed
			duty: claim 社区党委 => claimed; zhou=claimed`,
		"a wish returned to the wall": `
			li: file wish@G1 想有人陪我下棋 => filed, classified, published
			dang: claim 第三支部 => claimed; li=claimed
			dang: return !! needs_text
			dang: return 出差了 => returned; li=on_wall
			is classified wall level 1: unclaimed 72h
			unit: claim 供电所 => claimed; li=claimed`,
		"a wish that nobody claims goes to the committee": `
			li: file wish@G1 想有人陪我下棋 => filed, classified, published
			+72h => overdue unclaimed; duty=unclaimed
			is classified wall level 2: again 24h
			+24h => brought_up again; duty=brought_up
			head: assign he => assigned; he=assigned, li=handler
			is assigned with he level 2: resolve 336h, response 1h`,
		"a wish on the wall corrected stays there": `
			li: file wish@G1 想有人陪我下棋 => filed, classified, published
			+10h
			chen: classify wish@G2 => reclassified
			is classified wall level 1: unclaimed 62h
			he: classify minor@G2 => reclassified, assigned; he=assigned
			is assigned with he level 1: resolve 38h, response 1h`,
		"an incident turns out to be a wish": `
			li: file ?@G1! 想要个棋盘 => filed, trayed; chen=tray
			chen: classify wish@G1 => classified, published
			is classified wall level 1: unclaimed 72h`,
		"returned, assigned by hand": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: return 不归我 => returned; duty=tray
			is classified tray level 1: resolve 48h, tray 1h
			chen: note 再看看 !! wrong_state
			zhou: assign zhou => assigned; li=handler
			is assigned with zhou level 1: resolve 48h, response 1h
			zhou: transfer zhou !! needs_target
			zhou: transfer ma 他懂电 => transferred; ma=assigned
			he: accept !! not_allowed
			ma: accept => accepted; li=accepted`,
		"the committee takes it from one and gives it to another": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: assign zhou !! not_allowed
			duty: assign chen !! needs_target
			duty: assign zhou => assigned; chen=handed_on, zhou=assigned, li=handler
			chen: resolve 好了 !! wrong_state`,
		"withdrawn by the resident": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			wang: cancel !! not_allowed
			chen: cancel 不想办 !! not_allowed
			duty: cancel !! needs_text
			li: cancel => cancelled; chen=withdrawn
			is cancelled level 1
			+1000h`,
		"filed on behalf": `
			wang: file minor@G1 for li !! not_allowed
			chen: file minor@G1 for li => filed, classified, assigned; chen=assigned
			li: cancel => cancelled; chen=withdrawn`,
	} {
		t.Run(name, func(t *testing.T) { scenario(t, smallCommunity, story) })
	}
}

// What a person reads as by when is a promise, never a reminder of it.
func TestPromiseIsWhatWasPromised(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 5, 4, h, 0, 0, 0, time.UTC) }
	due := map[Clock]time.Time{ClockReminder: at(1), ClockAgain: at(2), ClockResponse: at(4), ClockResolve: at(8)}
	for name, c := range map[string]struct {
		ticket   Ticket
		promise  Clock
		pressing time.Time
	}{
		"the next promise":         {Ticket{State: Assigned, Due: due}, ClockResponse, at(4)},
		"late: since when":         {Ticket{State: Accepted, Due: map[Clock]time.Time{ClockAgain: at(9)}, Overdue: []Clock{ClockResolve}, LateSince: at(3)}, "", at(3)},
		"late, and more to come":   {Ticket{State: Assigned, Due: map[Clock]time.Time{ClockResolve: at(8)}, Overdue: []Clock{ClockResponse}, LateSince: at(3)}, ClockResolve, at(3)},
		"a question stops them":    {Ticket{State: Assigned, Due: due, Question: &Question{Until: at(1), Pauses: true}}, "", time.Time{}},
		"a question stops nothing": {Ticket{State: Assigned, Due: due, Question: &Question{Until: at(1)}}, ClockResponse, at(4)},
		"the resident's turn":      {Ticket{State: Resolved, Due: map[Clock]time.Time{ClockRemind: at(1), ClockRating: at(2)}}, "", time.Time{}},
		"over":                     {Ticket{State: Closed}, "", time.Time{}},
	} {
		clock, by, ok := c.ticket.Promise()
		if clock != c.promise || ok != (c.promise != "") || by != c.ticket.Due[c.promise] {
			t.Errorf("%s: promised %q at %v (%v)", name, clock, by, ok)
		}
		if got := c.ticket.Pressing(); !got.Equal(c.pressing) {
			t.Errorf("%s: pressing %v, want %v", name, got, c.pressing)
		}
	}
}
