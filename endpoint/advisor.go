package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
)

// Advisor asks a language model what a message is about. It is safe for
// concurrent use.
type Advisor struct {
	model
	what []string
}

// unclear is the answer of a model that does not know.
const unclear = "unclear"

// NewAdvisor gives an advisor that knows a taxonomy. instruction is what the
// model is told to do; the categories follow it. With object the endpoint is
// only asked for JSON, because it knows no schemas; what it answers is held to
// the same.
func NewAdvisor(o Options, instruction string, taxonomy *workflow.Taxonomy, object bool) *Advisor {
	a := &Advisor{}
	var lines strings.Builder
	line := func(code, label string) {
		a.what = append(a.what, code)
		fmt.Fprintf(&lines, "%s = %s\n", code, label)
	}
	all := func(kind workflow.Kind, categories map[workflow.Category]string) {
		for _, c := range slices.Sorted(maps.Keys(categories)) {
			line(string(kind)+":"+string(c), taxonomy.Kinds[kind]+"/"+categories[c])
		}
	}
	all(workflow.Incident, taxonomy.IncidentCategories)
	all(workflow.Wish, taxonomy.WishCategories)
	for _, k := range []workflow.Kind{workflow.Consult, workflow.Praise, workflow.Chat} {
		line(string(k), taxonomy.Kinds[k])
	}
	a.what = append(a.what, unclear)
	severities := []string{string(workflow.Emergency), string(workflow.Major), string(workflow.Minor)}
	a.model = newModel(o, strings.TrimSpace(instruction)+"\n\n"+lines.String(), "opinion", map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"what", "severity"},
		"properties": map[string]any{
			"what":     map[string]any{"type": "string", "enum": a.what},
			"severity": map[string]any{"type": "string", "enum": severities},
		},
	}, object)
	return a
}

// Resting tells that the endpoint failed too often and is not asked for a while.
func (a *Advisor) Resting() bool { return a.c.resting() }

// Advise tells what a masked text is about: kind, category and severity, with
// Confidence 1; the zero Understanding where the model does not know. Errors
// are *Error.
func (a *Advisor) Advise(ctx context.Context, text string) (workflow.Understanding, error) {
	var u workflow.Understanding
	err := a.ask(ctx, map[string]string{"message": text}, func(content string) (err error) {
		u, err = a.read(content)
		return err
	})
	return u, err
}

// read holds an answer to the taxonomy: one of its codes. Whatever stands beside
// it is not looked at.
func (a *Advisor) read(content string) (workflow.Understanding, error) {
	var answer struct {
		What     string            `json:"what"`
		Severity workflow.Severity `json:"severity"`
	}
	if err := json.Unmarshal([]byte(content), &answer); err != nil || !slices.Contains(a.what, answer.What) {
		return workflow.Understanding{}, &Error{Reason: Unusable}
	}
	if answer.What == unclear {
		return workflow.Understanding{}, nil
	}
	kind, category, _ := strings.Cut(answer.What, ":")
	u := workflow.Understanding{Kind: workflow.Kind(kind), Category: workflow.Category(category), Severity: workflow.Minor, Confidence: 1}
	switch {
	case !slices.Contains([]workflow.Severity{workflow.Emergency, workflow.Major, workflow.Minor}, answer.Severity):
		return workflow.Understanding{}, &Error{Reason: Unusable}
	case u.Kind == workflow.Incident:
		u.Severity = answer.Severity
	}
	return u, nil
}
