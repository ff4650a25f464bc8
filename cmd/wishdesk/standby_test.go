package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
)

// The primary of a synchronous pair dies under load and its standby takes over. The
// processes, which were told of both, follow by themselves, and the standby has all
// that anybody was answered.
func TestTheStandbyTakesOver(t *testing.T) {
	const residents, later = 160, 20 // write while the primary dies, and after
	pair := storetest.PostgresPair(t)
	var replicas []*process
	var turn atomic.Int64
	sim, api := productionOn(t, pair.URL(), residents+later, func() string {
		return replicas[int(turn.Add(1))%len(replicas)].addr
	})
	redisURL := storetest.Redis(t)
	for range 2 {
		p := newProcess(t, pair.URL(), redisURL, api.URL)
		p.start()
		replicas = append(replicas, p)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	if r, err := sim.SendText(ctx, "o-worker", "待办"); err != nil || r.Unavailable {
		t.Fatalf("%+v %v", r, err)
	}

	// Residents write eight at a time, each once. After a quarter the primary dies,
	// after half the standby takes over.
	var answered atomic.Int64
	quarter, half := make(chan struct{}), make(chan struct{})
	replies := make([]wechatsim.Reply, residents)
	waiting := make(chan int, residents)
	for i := range residents {
		waiting <- i
	}
	close(waiting)
	var sending sync.WaitGroup
	for range 8 {
		sending.Go(func() {
			for i := range waiting {
				var err error
				replies[i], err = sim.SendText(ctx, fmt.Sprintf("o-resident-%d", i), fmt.Sprintf("西区%d号楼%d单元楼道灯不亮了", i%60+1, i/60+1))
				if err != nil {
					t.Errorf("resident %d: %v", i, err)
				}
				switch answered.Add(1) {
				case residents / 4:
					close(quarter)
				case residents / 2:
					close(half)
				}
			}
		})
	}
	<-quarter
	pair.KillPrimary()
	<-half
	pair.Promote()
	sending.Wait()

	store, err := postgres.Open(ctx, pair.Standby(), postgres.Options{})
	must(t, err)
	defer store.Close()
	numbers, kept, refused := 0, 0, 0
	var last string
	for i, r := range replies {
		openid := fmt.Sprintf("o-resident-%d", i)
		number := ""
		switch m := numberIn.FindStringSubmatch(r.Text); {
		case m != nil:
			number, last = m[1], m[1]
			numbers++
		case strings.Contains(r.Text, "正在"): // kept, and the number follows
			e, err := sim.Await(ctx, openid, func(e wechatsim.Entry) bool { return e.Channel == wechatsim.ByCustom && numberIn.MatchString(e.Text) })
			if err != nil {
				t.Errorf("resident %d was promised a number: %v", i, err)
				continue
			}
			number = numberIn.FindStringSubmatch(e.Text)[1]
			kept++
		default:
			refused++
			t.Logf("resident %d read: %q", i, r.Text)
			continue
		}
		who, known, err := store.PersonByOpenID(ctx, demo.Community, openid)
		must(t, err)
		mine, err := store.Reported(ctx, demo.Community, who.ID, true, 10)
		must(t, err)
		if !known || len(mine) != 1 || fmt.Sprint(mine[0].Number) != number {
			t.Errorf("resident %d read %q, and the promoted server has %d of theirs", i, r.Text, len(mine))
		}
	}
	t.Logf("numbers=%d kept=%d refused=%d", numbers, kept, refused)
	if numbers < residents/4 || kept == 0 || refused > 0 {
		t.Errorf("%d were told a number at once, %d later, %d neither", numbers, kept, refused)
	}

	// Each process goes on as before: who writes now has the number in the answer.
	next := residents
	for _, p := range slices.Clone(replicas) {
		replicas = []*process{p}
		var r wechatsim.Reply
		for atOnce := false; !atOnce && next < residents+later; next++ {
			r, err = sim.SendText(ctx, fmt.Sprintf("o-resident-%d", next), fmt.Sprintf("西区%d号楼4单元楼道灯不亮了", next%60+1))
			must(t, err)
			atOnce = numberIn.MatchString(r.Text)
		}
		if !numberIn.MatchString(r.Text) {
			t.Errorf("a process does not follow: %+v", r)
		}
		r, err = sim.SendText(ctx, "o-worker", "经过 "+last)
		if err != nil || !strings.Contains(r.Text, last) {
			t.Errorf("the story of %s: %+v %v", last, r, err)
		}
		if err := p.end(syscall.SIGTERM); err != nil {
			t.Errorf("SIGTERM: %v", err)
		}
	}
}
