package understand

import (
	"context"

	"github.com/wishdesk/wishdesk/workflow"
)

// Understand tells what a message is about. It looks at the first 1,500 signs,
// never fails and never keeps the text.
func (r *Rules) Understand(_ context.Context, c *workflow.Community, w workflow.Words) (workflow.Understanding, error) {
	t := newText(w.Text, r.simplified)
	found := r.book.find(t)
	place := r.locate(c, w, t, found)
	u := workflow.Understanding{Place: place.place, PlaceProblem: place.problem, Estates: place.estates}
	if d, ok := r.danger(t, found); ok {
		u.Kind, u.Category, u.Severity, u.Danger, u.Confidence = workflow.Incident, d.category, workflow.Emergency, d.name, sure
		return u, nil
	}
	v := r.judge(t, found, place.named)
	u.Kind, u.Category, u.Severity, u.Confidence = v.kind, v.category, workflow.Minor, v.confidence
	switch {
	case v.kind == workflow.Incident && r.grave(found, v.category):
		u.Severity = workflow.Major
	case v.kind == workflow.Wish && u.Place == (workflow.Place{}):
		u.Place = w.Home // a wish is its writer's
	}
	return u, nil
}
