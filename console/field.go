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
	Group     string   // what it is a value of with others: score of score.base
}

// fieldGroup are fields of a part that stand or are left out together.
type fieldGroup struct {
	Name, Help string
	Fields     []field
}

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
var several = []string{"services", "categories", "patrol.items", "hours", "days", "holidays", "extra"}

// partValue is such a part of a community; where whole is set with what it may leave out.
func partValue(c *workflow.Community, key string, whole bool) any {
	if property := c.Property; key == "property" && whole {
		property.Score, property.Patrol = &workflow.ServiceScore{}, &workflow.Patrolling{}
		return property
	}
	return map[string]any{"property": c.Property, "alliance": c.Alliance, "working": c.Working, "quiet": c.Quiet, "points": c.Points, "rewards": c.Rewards, "digest": c.Digest}[key]
}

// holding is such a part as it holds, written or not.
func holding(c *workflow.Community, key string, whole bool) (have map[string]any, err error) {
	text, err := yaml.Marshal(partValue(c, key, whole))
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
	have, err := holding(c, key, false)
	if err != nil {
		return nil, err
	}
	whole, err := holding(c, key, true)
	if err != nil {
		return nil, err
	}
	var out []field
	for _, name := range fieldsOf[key] {
		f := field{Key: name, Name: q.voice().Say("page.field."+key+"."+name, nil)}
		in, all, below := have, whole, name
		if part, rest, nested := strings.Cut(name, "."); nested {
			f.Group, below = part, rest
			in, _ = have[part].(map[string]any)
			all, _ = whole[part].(map[string]any)
		}
		_, f.Number = all[below].(int)
		switch v := in[below].(type) {
		case []any:
			var all []string
			for _, one := range v {
				all = append(all, fmt.Sprint(one))
			}
			f.Value = strings.Join(all, " ")
		case int:
			f.Value = strconv.Itoa(v)
		case string:
			f.Value = v
		}
		f.Options = q.optionsOf(c, name, strings.Fields(f.Value))
		out = append(out, f)
	}
	return out, nil
}

// groupsOf takes those fields that stand in groups out of the others.
func (q *request) groupsOf(key string, all []field) (alone []field, groups []fieldGroup) {
	last := ""
	for _, f := range all {
		if f.Group == "" {
			alone = append(alone, f)
			continue
		}
		if f.Group != last {
			last = f.Group
			say := func(what string) string { return q.voice().Say("page.field_group."+key+"."+f.Group+"."+what, nil) }
			groups = append(groups, fieldGroup{Name: say("name"), Help: say("help")})
		}
		g := &groups[len(groups)-1]
		g.Fields = append(g.Fields, f)
	}
	return alone, groups
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
// form does not have stays as it is. A group of which everything is empty is left out
// as a whole; of another, numbers that are empty are 0.
func (q *request) filledFields(c *workflow.Community, key string) (any, error) {
	all, err := q.fields(c, key)
	if err != nil {
		return nil, err
	}
	part, err := holding(c, key, false)
	if err != nil {
		return nil, err
	}
	groups := map[string]map[string]any{}
	for _, f := range all {
		if _, begun := groups[f.Group]; f.Group != "" && !begun && q.PostForm.Has(f.Key) {
			groups[f.Group] = map[string]any{}
			delete(part, f.Group)
		}
	}
	for _, f := range all {
		out, key := part, f.Key
		if f.Group != "" {
			out, key = groups[f.Group], strings.TrimPrefix(f.Key, f.Group+".")
		}
		if out == nil {
			continue // of a group that the form does not have
		}
		delete(out, key)
		switch text := q.words(f.Key); {
		case f.lists():
			list := chosen[string](q, f.Key)
			if f.Options == nil {
				list = namesIn(strings.NewReplacer("\n", " ", "—", "-", "～", "-", "~", "-", "：", ":").Replace(text))
			}
			if f.Key == "days" {
				out[key] = numbersIn(list)
			} else if len(list) > 0 {
				out[key] = list
			}
		case f.Group != "" && text == "":
		case f.Number:
			n, err := strconv.Atoi(text)
			if err != nil {
				return nil, &fault{Field: f.Key, Key: "whole_number"}
			}
			out[key] = n
		default:
			out[key] = strings.ReplaceAll(text, "：", ":")
		}
	}
	for name, of := range groups {
		if len(of) > 0 {
			part[name] = of
		}
	}
	return part, nil
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
