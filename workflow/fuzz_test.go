package workflow

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// FuzzDecide gives the machine any sequence of commands, written as JSON, a
// minute apart: each is refused with a code or makes an event that keeps every
// rule; nothing panics.
func FuzzDecide(f *testing.F) {
	for _, seed := range []string{
		`[{"Name":"file","Actor":{"Kind":"person","Person":1},"Text":"灯不亮","Kind":"incident","Category":"lighting","Severity":"minor","Place":{"grid":"G1"}},
		  {"Name":"accept","Actor":{"Kind":"person","Person":4}},
		  {"Name":"ask","Actor":{"Kind":"person","Person":4},"Topic":"worker","Text":"?"},
		  {"Name":"answer","Actor":{"Kind":"person","Person":1},"Place":{"grid":"G2"}},
		  {"Name":"resolve","Actor":{"Kind":"person","Person":4},"Text":"好了","Media":[{}]},
		  {"Name":"rate","Actor":{"Kind":"person","Person":1},"Rating":"unsatisfied"}]`,
		`[{"Name":"file","Actor":{"Kind":"system"},"Text":"x","Reporter":1,"Kind":"wish","Category":"company","Severity":"minor"},
		  {"Name":"claim","Actor":{"Kind":"person","Person":10,"Roles":[{"kind":"party_member"}]}},
		  {"Name":"return","Actor":{"Kind":"person","Person":10},"Text":"x"},
		  {"Name":"merge","Actor":{"Kind":"system"},"Into":-9}]`,
		`[{"Name":"file","Actor":{"Kind":"","Person":-1},"Text":"x","Kind":"incident","Category":"c","Severity":"emergency"},
		  {"Name":"absorb","Actor":{"Kind":"system"},"Into":7,"Follow":[0,-1,2,2]},
		  {"Name":"tick","Actor":{"Kind":"system"},"Clock":"response"}]`,
		`[{"Name":"tick"},{"Name":""},{"Name":"file"}]`,
	} {
		f.Add([]byte(seed))
	}
	c := community(f, smallCommunity)
	f.Fuzz(func(t *testing.T, data []byte) {
		var cmds []Command
		if json.Unmarshal(data, &cmds) != nil || len(cmds) > 50 {
			return
		}
		d := newDesk(c, start)
		for _, cmd := range cmds {
			var ask Topic
			if cmd.Topic == TopicWhat || cmd.Topic == TopicPlace {
				ask = cmd.Topic
			}
			err := d.do(cmd, ask)
			if errors.As(err, new(unsettled)) {
				t.Fatal(err)
			}
			if err != nil && (CodeOf(err) == CodeBusy || CodeOf(err) == "") {
				t.Fatalf("refused without a code: %v", err)
			}
			if len(d.events) > 0 {
				if err := broken(d); err != nil {
					t.Fatal(err)
				}
			}
			d.now = d.now.Add(time.Minute)
		}
	})
}
