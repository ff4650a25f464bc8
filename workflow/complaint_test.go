package workflow

import "testing"

// What users of other desks complain of, each told as a scenario.
func TestComplaints(t *testing.T) {
	const resolved = `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: resolve 灯已换 => resolved; li=resolved
			`
	for name, story := range map[string]string{
		"closed only after the time to rate, with one reminder": resolved + `
			+71h59m => rating_reminded; li=rate_reminder
			is resolved with chen level 1: rating 1m
			chen: cancel 就这样 !! wrong_state
			duty: cancel 就这样 !! wrong_state
			+1m => closed_by_time
			is closed level 1`,
		"a supplement gives the time to rate anew": resolved + `
			+71h => rating_reminded; li=rate_reminder
			chen: supplement 已完工 => supplemented; li=progress
			is resolved with chen level 1: rating 1h
			li: supplement 又闪了 => supplemented; chen=supplemented
			is resolved with chen level 1: rating 72h, rating_reminder 24h
			+72h => rating_reminded, closed_by_time; li=rate_reminder`,
		"unsatisfied reopens one level higher, and is asked again": resolved + `
			+1h
			li: rate unsatisfied => reopened, assigned; chen=reopened, duty=assigned
			is assigned with duty level 2: resolve 48h, response 1h
			chen: accept !! not_allowed
			duty: accept => accepted; li=accepted
			duty: resolve 换了新灯 => resolved; li=resolved
			is resolved with duty level 2: rating 72h, rating_reminder 24h
			li: rate unsatisfied => reopened, assigned; duty=reopened, head=assigned
			is assigned with head level 3: resolve 48h, response 1h
			head: accept => accepted; li=accepted
			head: resolve 换了整套 => resolved; li=resolved
			# everybody of the committee has had it: not the same hands alone
			li: rate unsatisfied => reopened, assigned, called; head=reopened, duty=assigned, head=called
			duty: accept => accepted; li=accepted
			head: finish 电工来过了 => part_done; duty=part
			duty: resolve 电工重新拉了线 => resolved; li=resolved
			li: rate fair => rated; duty=rated
			is closed level 3`,
		"a reopened big matter is reported back again": `
			li: file major@G1 没暖气 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: resolve 已修 => resolved; li=resolved
			li: reopen 又凉了 => reopened, assigned; chen=reopened, duty=assigned
			is assigned with duty level 2: feedback 24h, resolve 168h, response 1h
			duty: classify minor@G1 => reclassified
			is assigned with duty level 2: resolve 48h, response 1h
			duty: classify major@G2 => reclassified
			is assigned with duty level 2: resolve 168h, response 1h`,
		"what was missed before a reopening does not count after it": `
			li: file minor@G1 没水 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			+49h => overdue resolve; chen=overdue, duty=overdue
			chen: classify major@G1 => reclassified
			is accepted with chen level 2: again 23h, feedback -25h
			chen: resolve 通了 => resolved; li=resolved
			li: rate unsatisfied => reopened, assigned; chen=reopened, duty=assigned
			+1m
			duty: classify minor@G1 => reclassified
			is assigned with duty level 3: resolve 47h59m, response 59m`,
		"a late rating": resolved + `
			+72h => rating_reminded, closed_by_time; li=rate_reminder
			+167h
			wang: rate satisfied !! not_allowed
			li: rate satisfied => rated; chen=rated
			li: rate unsatisfied !! already_done`,
		"a late rating of unsatisfied": resolved + `
			+72h => rating_reminded, closed_by_time; li=rate_reminder
			+1h
			li: rate unsatisfied => reopened, assigned; chen=reopened, duty=assigned`,
		"too late to rate": resolved + `
			+72h => rating_reminded, closed_by_time; li=rate_reminder
			+168h
			li: rate satisfied !! too_late
			li: rate unsatisfied !! too_late`,
		"a late rating after a reopening that was rated badly": resolved + `
			li: rate unsatisfied => reopened, assigned; chen=reopened, duty=assigned
			duty: accept => accepted; li=accepted
			duty: resolve 换了新灯 => resolved; li=resolved
			+72h => rating_reminded, closed_by_time; li=rate_reminder
			li: rate satisfied => rated; duty=rated`,
		"reopened within the window": resolved + `
			li: rate satisfied => rated; chen=rated
			+719h
			wang: reopen !! not_allowed
			li: reopen 又坏了 => reopened, assigned; chen=reopened, duty=assigned
			li: reopen 又坏了 !! wrong_state`,
		"reopened too late": resolved + `
			li: rate satisfied => rated; chen=rated
			+720h
			li: reopen 又坏了 !! too_late`,
		"advice ends a doubt, and asks only where": `
			li: file ?@G1 那个东西 => filed, asked
			chen: advise minor@? !! not_allowed
			desk: advise ?@? !! invalid
			desk: advise minor@? => advised, classified, assigned; chen=assigned
			is assigned with chen level 1: resolve 48h, response 1h
			desk: advise wish@? !! wrong_state`,
		"advice takes a ticket out of the tray": `
			li: file ?@G1! 那个东西 => filed, trayed; chen=tray
			+10m
			desk: advise wish@? => advised, classified, published`,
		"advice without a place is no end of the question": `
			li: file ?@? 那个东西 => filed, asked
			desk: advise major@? => advised, asked
			desk: advise minor@? !! already_done
			li: answer minor@G1 => answered, classified, assigned; chen=assigned`,
		"advice finds an emergency that nobody saw": `
			li: file ?@G1 那个东西 => filed, asked
			desk: advise emergency@? => advised, classified, assigned; chen=danger, duty=danger`,
		"advice comes before no worker's question": `
			li: file ?@G1! 那个东西 => filed, trayed; chen=tray
			chen: ask 什么东西 => asked; li=question
			desk: advise minor@? !! already_done
			li: answer 灯 => answered, trayed; chen=tray`,
		"a merged ticket is silent for ever": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			li: merge 7 !! not_allowed
			chen: merge 1024 !! needs_target
			chen: merge 0 !! needs_target
			chen: ask 几楼 => asked; li=question
			chen: merge 7 => merged; li=merged
			is merged level 1
			+2000h
			li: urge !! wrong_state
			li: answer 三楼 !! wrong_state
			duty: escalate !! wrong_state
			desk: escalate !! wrong_state
			desk: tick response !! wrong_state
			chen: merge 7 !! already_done`,
		"a merge that was a mistake is undone": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: merge 7 => merged; li=merged
			+2h
			wang: split !! not_allowed
			he: split !! not_allowed
			li: split 不是一回事 => split, assigned; chen=assigned
			is assigned with chen level 1: resolve 48h, response 1h
			li: split !! wrong_state
			desk: absorb 9 wang => absorbed; chen=also
			desk: release 9 sun wang => released
			desk: release 9 wang !! needs_target
			chen: accept => accepted; li=accepted`,
		"who was merged in follows, and has a say": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: absorb 7 wang !! not_allowed
			desk: absorb 0 wang !! needs_target
			desk: absorb 1024 wang !! needs_target
			desk: absorb 7 wang li sun => absorbed; chen=also
			desk: absorb 7 wang !! needs_target
			chen: merge 7 !! needs_target
			wang: supplement 我家也是 => supplemented; chen=supplemented
			chen: accept => accepted; li=accepted, wang=accepted, sun=accepted
			wang: urge => urged; chen=urged
			chen: resolve 灯已换 => resolved; li=resolved, wang=resolved_also, sun=resolved_also
			wang: rate satisfied !! not_allowed
			+71h => rating_reminded; li=rate_reminder
			wang: supplement 还没亮 => supplemented; chen=supplemented
			is resolved with chen level 1: rating 72h, rating_reminder 24h
			sun: reopen 没修好 => reopened, assigned; chen=reopened, duty=assigned`,
		"who becomes staff keeps their matters": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			desk: absorb 7 wang sun => absorbed; chen=also
			li: adopt wang li !! not_allowed
			desk: adopt wang duty !! needs_target
			desk: adopt wang wang !! needs_target
			desk: adopt sun wang => adopted
			desk: adopt zhou li => adopted
			chen: accept => accepted; zhou=accepted, sun=accepted
			chen: resolve 灯已换 => resolved; zhou=resolved, sun=resolved_also
			li: rate satisfied !! not_allowed
			zhou: rate satisfied => rated; chen=rated
			desk: adopt li zhou => adopted
			is closed level 1`,
		"who takes a matter back leaves it to the others, with their words": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			li: leave wang 灯坏了 !! needs_target
			desk: absorb 7 wang sun => absorbed; chen=also
			wang: leave sun 灯坏了 !! not_allowed
			li: leave li 灯坏了 !! needs_target
			chen: ask 哪一层 => asked; li=question
			li: leave wang 我家门口灯坏了 => left; chen=left
			is assigned with chen level 1: resolve 48h, response 1h
			li: supplement 还有 !! not_allowed
			chen: accept => accepted; wang=accepted, sun=accepted
			chen: resolve 灯已换 => resolved; wang=resolved, sun=resolved_also
			li: rate satisfied !! not_allowed
			wang: leave sun 灯坏了 !! wrong_state
			wang: rate satisfied => rated; chen=rated`,
		"the end of a ticket reaches its followers": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			desk: absorb 7 wang => absorbed; chen=also
			li: cancel => cancelled; wang=cancelled, chen=withdrawn`,
		"merged on, followers are told too": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			desk: absorb 7 wang => absorbed; chen=also
			duty: merge 9 => merged; li=merged, wang=merged, chen=merged`,
		"a stopped clock never fires": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			+50m
			zhou: ask 几楼 => asked; li=question
			is assigned with chen level 1: question 48h, *resolve 47h10m, *response 10m
			+47h
			desk: tick response !! not_due
			desk: tick resolve !! not_due
			wang: answer 三楼 !! not_allowed
			li: answer 三楼 => answered; chen=answered
			is assigned with chen level 1: resolve 47h10m, response 10m
			+9m
			desk: tick response !! not_due
			+1m => overdue response; chen=overdue, duty=overdue
			is assigned with chen level 2: again 24h, resolve 47h`,
		"an answer that does not come starts the clocks again": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: ask 几楼 => asked; li=question
			+48h => question_lapsed; chen=question_lapsed
			is accepted with chen level 1: resolve 48h`,
		"what starts during a pause is not cut short or stretched by it": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			+10m
			chen: ask 几楼 => asked; li=question
			+5h
			chen: return 不归我 => returned; duty=tray
			+5h
			zhou: assign zhou => assigned; li=handler
			is assigned with zhou level 1: question 38h, *resolve 47h50m, *response 1h
			+5h
			li: answer 三楼 => answered; zhou=answered
			is assigned with zhou level 1: resolve 47h50m, response 1h
			zhou: classify major@G1 => reclassified
			is assigned with zhou level 1: feedback 23h50m, resolve 167h50m, response 50m`,
		"an emergency does not pause": `
			li: file emergency@G1 煤气味 => filed, classified, assigned; chen=danger, duty=danger
			is assigned with chen level 1: resolve 24h, response 5m
			chen: ask 几楼 => asked; li=question
			is assigned with chen level 1: question 48h, resolve 24h, response 5m
			+5m => overdue response; chen=overdue, duty=overdue
			+10m => brought_up again, brought_up again; chen=brought_up, duty=brought_up, chen=brought_up, duty=brought_up
			chen: accept => accepted; li=accepted
			is accepted with chen level 2: question 47h45m, resolve 23h45m
			+1h`,
		"an emergency without a place has an owner at once": `
			li: file emergency@? 着火了 => filed, classified, assigned; duty=danger
			is assigned with duty level 1: resolve 24h, response 5m
			desk: ask place => asked
			duty: accept => accepted; li=accepted
			li: answer @G2 => answered; duty=answered, he=danger`,
		"it turns out to be an emergency while a question is open": `
			li: file minor@G1 有味道 => filed, classified, assigned; chen=assigned
			chen: ask 什么味道 => asked; li=question
			+2m
			zhou: classify emergency@G1 => reclassified; chen=danger, duty=danger
			is assigned with chen level 1: question 47h58m, resolve 24h, response 5m
			+5m => overdue response; chen=overdue, duty=overdue
			li: answer 煤气 => answered; chen=answered`,
		"an emergency handed back or on": `
			li: file emergency@G1 煤气味 => filed, classified, assigned; chen=danger, duty=danger
			chen: transfer zhou 他近 => transferred; zhou=danger
			zhou: return 不在家 => returned; chen=tray
			is classified tray level 1: resolve 24h, tray 5m`,
		"a new severity changes the clocks, counted from the start": `
			li: file minor@G1 没水 => filed, classified, assigned; chen=assigned
			+30m
			chen: accept => accepted; li=accepted
			li: classify major@G1 !! not_allowed
			chen: classify major@G1 => reclassified
			is accepted with chen level 1: feedback 23h30m, resolve 167h30m
			chen: classify minor@G1 => reclassified
			is accepted with chen level 1: resolve 47h30m`,
		"urging has a pause and reaches somebody": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			wang: urge !! not_allowed
			li: urge => urged; chen=urged
			+1h59m => overdue response; chen=overdue, duty=overdue
			li: urge !! too_soon
			+1m
			li: urge => urged; chen=urged
			chen: return 不归我 => returned; duty=tray
			+2h => overdue tray; chen=overdue, duty=overdue
			li: urge => urged; chen=urged`,
		"handed on in a circle": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: transfer zhou => transferred; zhou=assigned
			is assigned with zhou level 1: resolve 48h, response 1h
			zhou: transfer chen !! circle
			+30m
			zhou: transfer ma => transferred; ma=assigned
			is assigned with ma level 1: resolve 47h30m, response 30m
			ma: transfer chen !! circle
			ma: transfer zhou !! circle
			ma: transfer ma !! needs_target
			ma: transfer he => transferred; he=assigned
			he: transfer duty => transferred; duty=assigned
			duty: transfer head => transferred; head=assigned
			head: transfer dang !! too_many_transfer
			head: return 都不归我们 => returned; chen=tray
			chen: assign zhou 你来 => assigned; zhou=assigned, li=handler
			zhou: transfer chen => transferred; chen=assigned`,
		"escalated to the subdistrict, and no further": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			li: escalate !! not_allowed
			chen: escalate => escalated; duty=escalated
			duty: escalate => escalated; chen=escalated
			is assigned with chen level 3: resolve 48h, response 1h
			duty: escalate !! already_done
			desk: escalate !! already_done`,
		"left alone it is brought up every day": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			+1h => overdue response; chen=overdue, duty=overdue
			+24h => brought_up again; chen=brought_up, duty=brought_up
			+23h => overdue resolve; chen=overdue, duty=overdue
			+24h => brought_up again; chen=brought_up, duty=brought_up
			chen: accept => accepted; li=accepted
			is accepted with chen level 2: again 24h
			+24h => brought_up again; chen=brought_up, duty=brought_up`,
		"a clock that is none": `
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			desk: tick rating !! not_due
			desk: tick never !! not_due
			chen: tick response !! not_allowed`,
	} {
		t.Run(name, func(t *testing.T) { scenario(t, smallCommunity, story) })
	}
}

// No reminder between 21:00 and 08:00.
func TestQuietHours(t *testing.T) {
	for name, story := range map[string]string{
		"due at night: the next morning": `
			at 2026-03-02 22:30
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: resolve 灯已换 => resolved; li=resolved
			is resolved with chen level 1: rating 72h, rating_reminder 33h30m
			+33h29m
			+1m => rating_reminded; li=rate_reminder`,
		"due before dawn: the same morning": `
			at 2026-03-02 05:00
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: resolve 灯已换 => resolved; li=resolved
			is resolved with chen level 1: rating 72h, rating_reminder 27h`,
	} {
		t.Run(name, func(t *testing.T) { scenario(t, smallCommunity, story) })
	}
}

// 2026-04-24 is a Friday; the Sunday after it is worked, 1 to 5 May are not.
func TestWorkingTime(t *testing.T) {
	for name, story := range map[string]string{
		"over a weekend with an extra day": `
			at 2026-04-24 17:00
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			# 30 minutes on Friday, 30 on the Sunday that is worked: 40 hours off between
			is assigned with chen level 1: resolve 306h, response 40h
			+39h59m
			+1m => overdue response; chen=overdue, duty=overdue`,
		"over a holiday": `
			at 2026-04-30 17:00
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			# Thursday 17:30 to Wednesday 08:30
			is assigned with chen level 1: resolve 330h, response 136h`,
		"an emergency knows no office hours": `
			at 2026-04-30 17:28
			li: file emergency@G1 煤气味 => filed, classified, assigned; chen=danger, duty=danger
			is assigned with chen level 1: resolve 24h, response 5m`,
		"a question stops working time, and what was left is left": `
			at 2026-04-27 17:00
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			is assigned with chen level 1: resolve 330h, response 16h
			+10m
			chen: ask 几楼 => asked; li=question
			+20h
			# Tuesday 13:10 is the break; 50 minutes are left from 13:30 on
			li: answer 三楼 => answered; chen=answered
			is assigned with chen level 1: resolve 315h10m, response 1h10m`,
		"waiting for the resident is not in working time": `
			at 2026-04-30 17:00
			li: file minor@G1 灯不亮 => filed, classified, assigned; chen=assigned
			chen: accept => accepted; li=accepted
			chen: resolve 灯已换 => resolved; li=resolved
			is resolved with chen level 1: rating 72h, rating_reminder 24h`,
		"a wish's time is not working time, nor stretched by a question": `
			at 2026-04-30 17:00
			li: file wish@G1 想下棋 => filed, classified, published
			dang: claim 第三支部 => claimed; li=claimed
			+1h
			dang: ask 几点 => asked; li=question
			+10h
			li: answer 三点 => answered; dang=answered
			is accepted with dang level 1: resolve 335h`,
	} {
		t.Run(name, func(t *testing.T) { scenario(t, officeHours, story) })
	}
}
