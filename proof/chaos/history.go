package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/wechatsim"
)

// class is what somebody was told.
type class string

const (
	told        class = "told"        // it is done: a number, or 已接单
	later       class = "later"       // it is taken, the number follows: a promise
	perhaps     class = "perhaps"     // it is still being tried: no promise
	refused     class = "refused"     // nothing was taken, said kindly: no promise
	unavailable class = "unavailable" // WeChat's own words, since no answer came
	other       class = "other"       // anything else
)

// deed is what somebody wants with a message.
type deed string

const (
	report  deed = "report"
	accept  deed = "accept"
	resolve deed = "resolve"
	rate    deed = "rate"
)

// said is one message and what came back at once.
type said struct {
	Who    string
	Deed   deed
	Text   string
	Number int64 // that it is about, or that the answer gave; 0 where there is none
	Class  class
	Reply  string
	At     time.Time
	Took   time.Duration // to the answer of the last try
	Tries  int
	Phase  string
}

// history is what everybody saw. Its methods may be called from any goroutine.
type history struct {
	mu    sync.Mutex
	all   []said
	phase string
}

func (h *history) enter(phase string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.phase = phase
}

// now is the phase that runs.
func (h *history) now() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.phase
}

func (h *history) add(s said) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, s)
}

// list is a copy of it.
func (h *history) list() []said {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

// reader knows what the product's sentences mean.
type reader struct {
	begins []beginning
	did    map[deed]*regexp.Regexp
}

type beginning struct {
	words string
	is    class
}

// newReader takes the sentences from configs/wording.yaml: what stands there before
// the first value.
func newReader(root string) (*reader, error) {
	text, err := os.ReadFile(filepath.Join(root, "configs", "wording.yaml"))
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	var doc struct {
		Texts struct {
			BothGone     string `yaml:"both_gone"`
			Later        string `yaml:"later"`
			PerhapsLater string `yaml:"perhaps_later"`
			Fallback     string `yaml:"fallback"`
			SlowDown     string `yaml:"slow_down"`
			Crowded      string `yaml:"crowded"`
			Error        struct {
				Busy string `yaml:"busy"`
			} `yaml:"error"`
		} `yaml:"texts"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("chaos: wording: %w", err)
	}
	r := &reader{did: map[deed]*regexp.Regexp{
		report:  regexp.MustCompile(`编号 ?(\d+)`),
		accept:  regexp.MustCompile(`^已接单 (\d+) 号`),
		resolve: regexp.MustCompile(`^(\d+) 号已办结`),
	}}
	for _, b := range []beginning{
		{doc.Texts.Later, later}, {doc.Texts.PerhapsLater, perhaps}, {doc.Texts.BothGone, refused}, {doc.Texts.Fallback, refused},
		{doc.Texts.SlowDown, refused}, {doc.Texts.Crowded, refused}, {doc.Texts.Error.Busy, refused},
	} {
		words, _, _ := strings.Cut(b.words, "{{")
		if words = strings.TrimSpace(words); words != "" {
			r.begins = append(r.begins, beginning{words, b.is})
		}
	}
	if len(r.begins) < 5 {
		return nil, fmt.Errorf("chaos: wording: only %d of the sentences were found", len(r.begins))
	}
	return r, nil
}

// read tells what an answer to a deed means, and the number in it.
func (r *reader) read(d deed, reply wechatsim.Reply) (class, int64) {
	if reply.Unavailable {
		return unavailable, 0
	}
	for _, b := range r.begins {
		if strings.HasPrefix(reply.Text, b.words) {
			return b.is, 0
		}
	}
	if m := r.number(d, reply.Text); m > 0 {
		return told, m
	}
	return other, 0
}

// number is the number that a text gives for a deed; 0 for none.
func (r *reader) number(d deed, text string) int64 {
	pattern, ok := r.did[d]
	if !ok {
		return 0
	}
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	return n
}

// tally is how the messages of a phase were answered.
type tally struct {
	phase string
	by    map[class]int
	n     int
	late  int // answers that took more than 5 s
	took  []time.Duration
}

// proper are those that got a proper answer within 5 s: done, or promised.
func (t *tally) proper() float64 {
	if t.n == 0 {
		return 1
	}
	good := t.by[told] + t.by[later] + t.by[other]
	return float64(max(good-t.late, 0)) / float64(t.n)
}

func (t *tally) percentile(p float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	slices.Sort(t.took)
	return t.took[min(int(p*float64(len(t.took))), len(t.took)-1)]
}

// tallies counts the answers by phase, in the order of the phases.
func tallies(all []said) []*tally {
	var out []*tally
	by := map[string]*tally{}
	for _, s := range all {
		t := by[s.Phase]
		if t == nil {
			t = &tally{phase: s.Phase, by: map[class]int{}}
			by[s.Phase] = t
			out = append(out, t)
		}
		t.n++
		t.by[s.Class]++
		t.took = append(t.took, s.Took)
		if s.Took > 5*time.Second && (s.Class == told || s.Class == later || s.Class == other) {
			t.late++
		}
	}
	slices.SortStableFunc(out, func(a, b *tally) int {
		return cmp.Compare(first(all, a.phase).UnixNano(), first(all, b.phase).UnixNano())
	})
	return out
}

func first(all []said, phase string) time.Time {
	for _, s := range all {
		if s.Phase == phase {
			return s.At
		}
	}
	return time.Time{}
}
