package wording

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/wishdesk/wishdesk/workflow"
)

// value is what a text may be filled with, as the shipped wording describes it.
type value struct {
	Is   string         `yaml:"is"`
	Like any            `yaml:"like"`
	Or   []any          `yaml:"or"`
	In   map[string]any `yaml:"in"` // by text, or by the beginning of its key
}

// like is the value as it could be in a text.
func (v value) like(key string) any {
	for at := key; at != ""; at = at[:max(strings.LastIndexByte(at, '.'), 0)] {
		if x, ok := v.In[at]; ok {
			return x
		}
	}
	return v.Like
}

// Group is some texts that belong together: those whose keys begin alike, "" for
// those with keys of one part.
type Group struct {
	Name  string
	Texts []Text
}

// Text is one text as somebody sees it who may change it.
type Text struct {
	Key     string
	Shipped string  // as it is written
	Own     string  // the community's own in its place, as it is written; "" for none
	Values  []Value // what it may be filled with: {{.Name}}
	Preview string  // what stands, filled in
	Fault   *Fault  // why the community's own does not stand; nil where it does
}

// Value is one thing that a text may be filled with.
type Value struct {
	Name string
	Is   string // what it is, in the words of the wording
	Like string // what it could be
}

// Book is every text that a community may have its own of, in groups.
func (w *Wording) Book(c *workflow.Community) []Group {
	w = w.base()
	by := map[string][]Text{}
	for _, key := range w.Keys() {
		if key == never {
			continue
		}
		group, _, _ := strings.Cut(key, ".")
		if group == key {
			group = ""
		}
		t := Text{Key: key, Shipped: w.source[key], Own: c.Wording[key]}
		stands := w.texts.Lookup(key)
		if t.Own != "" {
			var own *template.Template
			if own, t.Fault = w.check(c, key, t.Own); t.Fault == nil {
				stands = own
			}
		}
		for _, name := range w.given(key) {
			v := w.values[name]
			t.Values = append(t.Values, Value{Name: name, Is: v.Is, Like: fmt.Sprint(cmp.Or(v.like(key), any("")))})
		}
		t.Preview, _ = fill(stands, w.trials(c, key)[0])
		by[group] = append(by[group], t)
	}
	var out []Group
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, Group{name, by[name]})
	}
	return out
}

// Preview is a text for a key of a community as it would read, or the *Fault that
// it would be refused for.
func (w *Wording) Preview(c *workflow.Community, key, text string) (string, error) {
	w = w.base()
	own, fault := w.check(c, key, text)
	if fault != nil {
		return "", fault
	}
	return fill(own, w.trials(c, key)[0])
}

// always are the values of every text, but those about faults of a table.
var always = []string{"Community", "Hotline"}

// facts are the values that Voice.Facts gives.
var facts = []string{
	"Also", "Because", "By", "ByTitle", "Call", "Category", "Clock", "Community", "Danger", "Days", "Event", "Full", "Grid", "Helper", "HelperTitle",
	"Hotline", "Households", "Into", "Kind", "KindLabel", "Level", "Line", "Number", "Open", "Owner", "Part", "Place", "Points", "Rating", "ResolveBy",
	"ResponseBy", "Rung", "Said", "Severity", "Source", "Stand", "State", "StateLabel", "Support", "Text", "Title", "Unasked", "Unit", "What", "Why",
}

// about are the texts, and families of texts, that are said of a ticket, with all
// its facts. Of the others only what the shipped text uses is known to be given.
var about = []string{
	"push.", "phrase.", "purpose.", "choice.claim", "choice.join", "choice.support", "choice.ticket",
	"did.accept", "did.ask", "did.call", "did.called", "did.decline", "did.file", "did.finish", "did.fixed", "did.join", "did.merge", "did.note",
	"did.pair", "did.pair_visit", "did.phoned", "did.resolve", "did.return", "did.split", "did.transfer",
	"advised", "answered", "behalf_filed", "cancel_sure", "cancelled", "card", "claimed_before", "corrected", "filed", "hand_work_line", "known",
	"known_yours", "left_to_others", "line", "photo_joined", "photo_kept", "place_corrected", "rated_already", "rated_bad", "rated_well", "reopened",
	"status", "story", "supplement_what", "supplemented", "supported", "tray_line", "urged", "wall_line", "wished_line", "work_line",
	"words.decline", "words.note", "words.phoned", "words.resolve", "words.return",
}

// tail is the one text under "push." that is about no ticket.
const tail = "push.tail"

// given are the names of the values that a text is filled with.
func (w *Wording) given(key string) []string {
	var names []string
	if !strings.HasPrefix(key, "import.") { // of a table's faults, which are many, each is told by itself
		names = append(names, always...)
	}
	if t := w.texts.Lookup(key); t != nil && t.Tree != nil {
		names = append(names, uses(t.Root)...)
	}
	if key != tail && slices.ContainsFunc(about, func(a string) bool { return key == a || strings.HasSuffix(a, ".") && strings.HasPrefix(key, a) }) {
		names = append(names, facts...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// trials are sets of values to fill a text with: first all as they usually are,
// then each of those on which texts turn with its other values, last none.
func (w *Wording) trials(c *workflow.Community, key string) []Values {
	usual := Values{}
	given := w.given(key)
	for _, name := range given {
		if v, ok := w.values[name]; ok {
			usual[name] = v.like(key)
		} else {
			usual[name] = "…"
		}
	}
	usual["Hotline"], usual["Community"] = c.Hotline, c.Name
	out := []Values{usual}
	for _, name := range given {
		v := w.values[name]
		if usual[name] != v.Like { // something else in this text
			continue
		}
		for _, other := range v.Or {
			with := maps.Clone(usual)
			with[name] = other
			out = append(out, with)
		}
	}
	return append(out, Values{"Hotline": c.Hotline, "Community": c.Name})
}
