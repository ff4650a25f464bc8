package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// ladderForm is one ladder with its steps.
type ladderForm struct {
	Key, Name string
	Before    bool // a step may come before its time
	Rungs     []rungForm
}

// rungForm is one step in its fields; Row tells it from all others of the form.
type rungForm struct {
	Row     int
	Before  bool
	Time    string // "" for the row of a new one
	Hearers []option
	Rise    bool
}

// ladderPart is a ladder by its name in the document.
type ladderPart struct {
	key   string
	rungs []workflow.Rung
}

func laddersOf(l *workflow.Ladder) []ladderPart {
	return []ladderPart{
		{"emergency", l.Emergency}, {"response", l.Response}, {"feedback", l.Feedback}, {"resolve", l.Resolve},
		{"tray", l.Tray}, {"unclaimed", l.Unclaimed}, {"visit", l.Visit},
	}
}

// ladders are the ladders in fields, with an empty step each for a new one.
func (q *request) ladders(c *workflow.Community) []ladderForm {
	var out []ladderForm
	row := 0
	for _, l := range laddersOf(&c.Ladder) {
		f := ladderForm{Key: l.key, Name: q.voice().Say("page.rung."+l.key, nil), Before: slices.Contains([]string{"response", "feedback", "resolve"}, l.key)}
		for _, r := range append(slices.Clone(l.rungs), workflow.Rung{After: -1}) {
			one := rungForm{Row: row, Before: r.After < -1, Rise: r.Rise}
			if r.After != -1 {
				one.Time = q.timeInWords(r.After.Abs())
			}
			for _, h := range workflow.Hearers() {
				one.Hearers = append(one.Hearers, option{string(h), q.voice().Say("hearer."+string(h), nil), slices.Contains(r.Tell, h)})
			}
			f.Rungs = append(f.Rungs, one)
			row++
		}
		out = append(out, f)
	}
	return out
}

type rungRow struct {
	After string            `yaml:"after"`
	Tell  []workflow.Hearer `yaml:"tell,flow"`
	Rise  bool              `yaml:"rise,omitempty"`
}

// filledLadder changes those ladders that the form has otherwise; the others stay
// as they are written, or not written.
func (q *request) filledLadder(c *workflow.Community, document string) (any, error) {
	text, err := charter.Section([]byte(document), "ladder")
	if err != nil {
		return nil, err
	}
	written := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &written); err != nil {
		return nil, fmt.Errorf("console: ladder: %w", err)
	}
	said := map[string][]workflow.Rung{}
	for i, row := range q.PostForm["row"] {
		value := func(name string) string {
			if all := q.PostForm[name]; i < len(all) {
				return strings.TrimSpace(all[i])
			}
			return ""
		}
		if value("time") == "" {
			continue
		}
		after, ok := q.timeOf(value("time"))
		if !ok {
			return nil, &fault{Field: "time", Row: i, Key: "time"}
		}
		if value("side") == "before" {
			after = -after
		}
		ladder := value("ladder")
		said[ladder] = append(said[ladder], workflow.Rung{After: after, Tell: chosen[workflow.Hearer](q, "tell-"+row), Rise: q.PostFormValue("rise-"+row) != ""})
	}
	for _, l := range laddersOf(&c.Ladder) {
		slices.SortFunc(said[l.key], func(a, b workflow.Rung) int { return int((a.After - b.After) / time.Minute) })
		same := slices.EqualFunc(said[l.key], l.rungs, func(a, b workflow.Rung) bool {
			return a.After == b.After && a.Rise == b.Rise && len(a.Tell) == len(b.Tell) && !slices.ContainsFunc(a.Tell, func(h workflow.Hearer) bool { return !slices.Contains(b.Tell, h) })
		})
		if same {
			continue
		}
		rows := []rungRow{}
		for _, r := range said[l.key] {
			rows = append(rows, rungRow{short(r.After), r.Tell, r.Rise})
		}
		written[l.key] = rows
	}
	if len(written) == 0 {
		return nil, nil
	}
	return written, nil
}

// ladderSentences say what the ladders say, a line for each step.
func (q *request) ladderSentences(c *workflow.Community) []string {
	var out []string
	for _, l := range laddersOf(&c.Ladder) {
		for _, r := range l.rungs {
			var names []string
			for _, h := range r.Tell {
				names = append(names, q.voice().Say("hearer."+string(h), nil))
			}
			out = append(out, q.voice().Say("page.sentence.rung", wording.Values{
				"Name": q.voice().Say("page.rung."+l.key, nil), "Yes": r.After < 0, "Full": q.timeInWords(r.After.Abs()), "Count": strconv.Itoa(int(r.After / time.Minute)),
				"Who": strings.Join(names, "、"), "Also": r.Rise,
			}))
		}
	}
	return out
}
