package console

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// field is one value of a part that is a few values side by side: a number, a
// name, a few names, or some of a list.
type field struct {
	Key, Name string
	Value     string
	Number    bool
	Options   []option // those to choose some from
	Group     string   // what it is a value of with others (score.base): left empty all, there is none of it
}

// First tells whether it is the first of its group.
func (f field) First() bool { return f.Group != "" && f.Key == firstOf[f.Group] }

// option is one thing to choose.
type option struct {
	Value, Name string
	Chosen      bool
}

// lists tells whether it holds several values.
func (f field) lists() bool { return slices.Contains(several, f.Key) }

// fieldsOf are the values of each part that is a few values, in the order of its form.
var fieldsOf = map[string][]string{
	"property": {
		"company", "services", "categories",
		"score.base", "score.most", "score.answered_late", "score.overdue", "score.unsatisfied", "score.reopened",
		"score.repeat", "score.repeat_days", "score.praised", "score.patrol_done", "score.patrol_missed",
		"patrol.every", "patrol.items",
	},
	"alliance": {"party_branches", "party_members", "partner_units"},
	"working":  {"hours", "days", "holidays", "extra"},
	"quiet":    {"from", "to"},
	"points":   {"satisfied", "fair", "unsatisfied", "thanks"},
	"rewards":  {"wish", "help", "patrol", "report", "code_days"},
	"digest":   {"floor", "least", "hot_days", "hot_times"},
}

// several are the values that are several.
var several = []string{"services", "categories", "hours", "days", "holidays", "extra"}

// partValue is such a part of a community.
func partValue(c *workflow.Community, key string) any {
	return map[string]any{"property": c.Property, "alliance": c.Alliance, "working": c.Working, "quiet": c.Quiet, "points": c.Points, "rewards": c.Rewards, "digest": c.Digest}[key]
}

// holding is such a part as it holds, written or not.
func holding(c *workflow.Community, key string) (have map[string]any, err error) {
	text, err := yaml.Marshal(partValue(c, key))
	if err == nil {
		err = yaml.Unmarshal(text, &have)
	}
	if err != nil {
		return nil, fmt.Errorf("console: part %s: %w", key, err)
	}
	return have, nil
}

// fields are the values of a part as they hold, written or not.
func (q *request) fields(c *workflow.Community, key string) ([]field, error) {
	have, err := holding(c, key)
	if err != nil {
		return nil, err
	}
	var out []field
	for _, name := range fieldsOf[key] {
		f := field{Key: name, Name: q.voice().Say("page.field."+key+"."+name, nil)}
		switch v := have[name].(type) {
		case []any:
			var all []string
			for _, one := range v {
				all = append(all, fmt.Sprint(one))
			}
			f.Value = strings.Join(all, " ")
		case int:
			f.Value, f.Number = strconv.Itoa(v), true
		case string:
			f.Value = v
		}
		f.Options = q.optionsOf(c, name, strings.Fields(f.Value))
		out = append(out, f)
	}
	return out, nil
}

// optionsOf are what a value may be some of; none where it is written freely.
func (q *request) optionsOf(c *workflow.Community, name string, chosen []string) []option {
	var out []option
	add := func(value, name string) {
		out = append(out, option{value, name, slices.Contains(chosen, value)})
	}
	switch name {
	case "days":
		for d := 1; d <= 7; d++ {
			add(strconv.Itoa(d), q.voice().Say(fmt.Sprintf("page.weekday.d%d", d), nil))
		}
	case "categories":
		own := q.console.o.Taxonomy.For(c)
		for _, code := range slices.SortedFunc(maps.Keys(own.IncidentCategories), func(a, b workflow.Category) int {
			return strings.Compare(own.Label(a), own.Label(b))
		}) {
			add(string(code), own.Label(code))
		}
	}
	return out
}

// filledFields is a part by its form; what is left empty is left out, and what the
// form does not have stays as it is.
func (q *request) filledFields(c *workflow.Community, key string) (any, error) {
	all, err := q.fields(c, key)
	if err != nil {
		return nil, err
	}
	out, err := holding(c, key)
	if err != nil {
		return nil, err
	}
	for _, name := range fieldsOf[key] {
		delete(out, name)
	}
	for _, f := range all {
		switch text := q.words(f.Key); {
		case f.lists():
			list := chosen[string](q, f.Key)
			if f.Options == nil {
				list = namesIn(strings.NewReplacer("\n", " ", "—", "-", "～", "-", "~", "-", "：", ":").Replace(text))
			}
			if f.Key == "days" {
				out[f.Key] = numbersIn(list)
			} else if len(list) > 0 {
				out[f.Key] = list
			}
		case f.Number:
			n, err := strconv.Atoi(text)
			if err != nil {
				return nil, &fault{Field: f.Key, Key: "whole_number"}
			}
			out[f.Key] = n
		default:
			out[f.Key] = strings.ReplaceAll(text, "：", ":")
		}
	}
	return out, nil
}

// numbersIn are the numbers among some texts.
func numbersIn(texts []string) []int {
	out := []int{}
	for _, s := range texts {
		if n, err := strconv.Atoi(s); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// fieldSentences say what such parts say, a line for each value.
func (q *request) fieldSentences(c *workflow.Community) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(fieldsOf)) {
		all, err := q.fields(c, key)
		if err != nil {
			continue // the preview shows the lines of the document besides
		}
		for _, f := range all {
			value := f.Value
			if f.Options != nil {
				var names []string
				for _, o := range f.Options {
					if o.Chosen {
						names = append(names, o.Name)
					}
				}
				value = strings.Join(names, "、")
			}
			out = append(out, q.voice().Say("page.sentence.value", wording.Values{"Title": q.section(key).Name, "Name": f.Name, "Text": value}))
		}
	}
	return out
}

// wrongs say each thing that is wrong in a document.
func (q *request) wrongs(err error) []string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		if w, ok := err.(*workflow.Wrong); ok { //nolint:errorlint // each branch is walked down to it
			out = append(out, q.wrong(w))
			return
		}
		switch e := err.(type) { //nolint:errorlint // the same
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return out
}

// wrong says what is wrong in a document: in which part, at which of its rows.
func (q *request) wrong(w *workflow.Wrong) string {
	part, rest, _ := strings.Cut(w.At, "[")
	index := 0
	if n, _, ok := strings.Cut(rest, "]"); ok {
		if i, err := strconv.Atoi(n); err == nil {
			index = i + 1
		}
	}
	part, below, _ := strings.Cut(part, ".")
	title := part
	if slices.ContainsFunc(q.sections(), func(s section) bool { return s.Key == part }) {
		title = q.section(part).Name
	}
	var name string
	for _, key := range []string{"page.clock." + below, "page.rung." + below, "page.field." + part + "." + below} {
		if below != "" && q.console.o.Wording.Has(key) {
			name = q.voice().Say(key, nil)
		}
	}
	return q.voice().Say("page.wrong.in", wording.Values{"Title": title, "Name": name, "Index": index, "Says": q.voice().Say("page.wrong."+string(w.Code), wording.Values{"Have": w.Have})})
}

var errNoForm = errors.New("this part has no form")
