package desk

import (
	"slices"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

// Of one lane each waits for the one before it; a message that failed is done
// before those behind it, which are left to come again.
func TestLanes(t *testing.T) {
	l := lanes{waiting: map[string][]Task{}}
	a, b, c := Task{Kind: TaskMessage, Lane: "x", ID: "1"}, Task{Kind: TaskMessage, Lane: "x", ID: "2"}, Task{Kind: TaskMessage, Lane: "y", ID: "3"}
	if !l.begin(a) || l.begin(b) || !l.begin(c) || !l.begin(Task{ID: "4"}) {
		t.Fatal("not those that may begin began")
	}
	if l.begin(a) || l.begin(b) {
		t.Fatal("what is in hand or waits began again")
	}
	if next, more := l.next(a, true); !more || next.ID != "2" {
		t.Fatalf("after the first: %v %v", next, more)
	}
	if _, more := l.next(b, true); more {
		t.Fatal("nothing waits any more")
	}

	if !l.begin(a) || l.begin(b) {
		t.Fatal("the lane is open though it is busy")
	}
	if _, more := l.next(a, false); more {
		t.Fatal("what stood behind the failed one was done before it")
	}
	if l.begin(b) {
		t.Fatal("what came again was done before the failed one")
	}
	if !l.begin(a) || l.begin(b) {
		t.Fatal("the failed one may not begin again")
	}
	if next, more := l.next(a, true); !more || next.ID != "2" {
		t.Fatalf("after the failed one: %v %v", next, more)
	}
}

// An urgent push waits for no other.
func TestPushLane(t *testing.T) {
	lanes := []string{PushLane(Push{Person: 7, Purpose: workflow.TellDanger}), PushLane(Push{Person: 7, Purpose: workflow.TellProgress})}
	if !slices.Equal(lanes, []string{"", "to:7"}) {
		t.Errorf("lanes %q", lanes)
	}
}
