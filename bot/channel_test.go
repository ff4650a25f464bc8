package bot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const (
	apiTemplate  = "/cgi-bin/message/template/send"
	apiSubscribe = "/cgi-bin/message/subscribe/bizsend"
)

// usedUp has WeChat refuse the calls of the minute, until Reset.
func (w *world) usedUp(paths ...string) {
	for _, path := range paths {
		w.sim.Fail(wechatsim.Failure{Path: path, ErrCode: 45011})
	}
}

// owes is what somebody is owed of a ticket for a purpose.
func (w *world) owes(number int64, person workflow.PersonID, purpose workflow.Purpose) desk.Push {
	w.t.Helper()
	all, err := w.store.PushesOf(w.ctx, community, number)
	must(w.t, err)
	for _, p := range all {
		if p.Person == person && p.Purpose == purpose {
			return p
		}
	}
	w.t.Fatalf("nobody owes %d a %s of %d", person, purpose, number)
	return desk.Push{}
}

// Where a minute's calls are used up, what else is owed waits for the next without
// asking, and leaves as soon as it comes: the sweep would find it a few at a time, and
// later.
func TestMinuteThatIsUsedUp(t *testing.T) {
	w := newWorld(t).awake()
	for i := 1; i <= 4; i++ {
		if i == 2 {
			w.sim.Fail(wechatsim.Failure{Path: apiCustom, ErrCode: 45011})
		}
		w.say(resident, fmt.Sprintf("西区%d号楼楼道灯坏了", i))
		w.pump()
	}
	if refused := w.sim.Stats().Errors[45011]; refused != 1 {
		t.Errorf("%d calls beyond the limit, want one that finds it", refused)
	}
	if n := len(w.pushes(worker)); n != 1 {
		t.Errorf("%d pushes before the limit, want 1", n)
	}
	w.sim.Reset()
	w.clock.Advance(time.Minute)
	if n := len(w.pushes(worker)); n != 3 {
		t.Errorf("%d pushes when the minute has come, want 3", n)
	}
}

// A stopped channel is waited for by those whom it may reach: who gave no consent to the
// notice becomes a call at once.
func TestWhoHasNoConsentWaitsForNoMinute(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.templates = subscribeOnly }).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.say(neighbour, "西区12号楼下水道堵了")
	w.say(worker, "接单 1001")
	w.say(worker, "接单 1002")
	w.pump()
	w.clock.Advance(49 * time.Hour) // the 48 hours of the residents' messages are over
	_, err := w.sim.Consent(w.ctx, resident, "demo-notice", true)
	must(t, err)
	w.clock.Advance(2 * time.Minute) // and the minute of the click
	w.usedUp(apiSubscribe)
	w.say(worker, "办结 1001 换好了")
	w.pump() // finds that the minute is used up
	w.say(worker, "办结 1002 通了")
	w.pump()
	if p := w.owes(1001, w.ticket(1001).Reporter, workflow.TellResolved); p.Status != desk.PushOwed || p.Channel != "subscribe" {
		t.Errorf("who consented: %s by %q", p.Status, p.Channel)
	}
	if p := w.owes(1002, w.ticket(1002).Reporter, workflow.TellResolved); p.Status != desk.PushManual {
		t.Errorf("who did not: %s by %q, %s", p.Status, p.Channel, p.Error)
	}
	w.sim.Reset()
	w.clock.Advance(time.Minute)
	w.gets(resident, "[subscribe", "{1001}")
}

// An emergency waits for no minute while another channel is open.
func TestAnEmergencyTakesAnotherChannel(t *testing.T) {
	w := newWorld(t).awake()
	w.usedUp(apiCustom)
	w.say(resident, "西区3号楼楼道灯坏了")
	w.pump()
	w.say(neighbour, "西区5号楼着火了")
	w.gets(worker, "[template", "{1002}", "!{1001}")
	if p := w.owes(1001, w.people["zhang"], workflow.TellAssigned); p.Status != desk.PushOwed || p.Channel != "custom" {
		t.Errorf("what can wait: %s by %q", p.Status, p.Channel)
	}
}

// Where the minutes of all channels are used up an emergency leaves as soon as the next
// comes; where that is no better a person must telephone.
func TestAnEmergencyWaitsForTheNextMinuteOnly(t *testing.T) {
	for better, want := range map[bool]desk.PushStatus{true: desk.PushSent, false: desk.PushManual} {
		t.Run(string(want), func(t *testing.T) {
			w := newWorld(t).awake()
			w.clock.Advance(30 * time.Second) // within a minute
			w.usedUp(apiCustom, apiTemplate)
			w.say(resident, "西区5号楼着火了")
			w.pump()
			fire := func() desk.Push { return w.owes(1001, w.people["zhang"], workflow.TellDanger) }
			next := w.clock.Now().Truncate(time.Minute).Add(time.Minute)
			if p := fire(); p.Status != desk.PushOwed || !p.NextTry.Equal(next) {
				t.Fatalf("at first: %s, until %s", p.Status, p.NextTry)
			}
			if better {
				w.sim.Reset()
			}
			w.clock.Advance(next.Sub(w.clock.Now()))
			w.pump()
			if !better {
				if p := fire(); p.Status != desk.PushOwed {
					t.Errorf("after half a minute: %s", p.Status)
				}
				for range 2 {
					w.clock.Advance(time.Minute)
					w.pump()
				}
			}
			if p := fire(); p.Status != want {
				t.Errorf("%s by %q: %s, want %s", p.Status, p.Channel, p.Error, want)
			}
		})
	}
}

// What waits for minute after minute takes the other channel after a while, and where
// that is no better, somebody must telephone at last.
func TestNoMinuteIsWaitedForForEver(t *testing.T) {
	for _, c := range []struct {
		name    string
		usedUp  []string
		status  desk.PushStatus
		channel string
	}{
		{"the other channel is open", []string{apiCustom}, desk.PushSent, "template"},
		{"none is", []string{apiCustom, apiTemplate}, desk.PushManual, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t).awake()
			w.usedUp(c.usedUp...)
			push := pushTo(t, w)
			w.pump()
			for range 29 {
				w.clock.Advance(time.Minute)
				w.pump()
			}
			if p := push(); p.Status != desk.PushOwed || p.Attempts != 0 {
				t.Fatalf("after 29 minutes: %s, %d tries", p.Status, p.Attempts)
			}
			for range 60 {
				w.clock.Advance(5 * time.Minute)
				w.pump()
			}
			if p := push(); p.Status != c.status || c.channel != "" && p.Channel != c.channel {
				t.Errorf("%s by %q after %d tries", p.Status, p.Channel, p.Attempts)
			}
		})
	}
}
