package understand

import (
	"context"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// alarming is how likely an emergency must be for the models to raise the
// alarm where the rules did not: a false alarm costs a telephone call, a missed
// one may cost a life.
const alarming = 0.4

// glaring is how likely it must be where the rules saw words of danger and took
// the danger out of them: 「上火」, 「打不着火」, 「怕着火」.
const glaring = 0.8

// disarmed tells whether the words of danger in a text mean none.
func (r *Rules) disarmed(t *text, found []match) bool {
	for _, m := range found {
		group := r.book.cues[m.cue].group
		if group == groupFigure || group >= groupRest && r.book.dangerous(group) && r.harmless(t, found, m) {
			return true
		}
	}
	return false
}

// idle is how likely small talk must be where the rules see a matter.
const idle = 0.75

// unnamed is the danger that the models feel and cannot name.
const unnamed = "unnamed"

// plain tells where the rules need no models: mere courtesy, and a place
// without a matter.
func (r *Rules) plain(t *text, found []match, v verdict, place located) bool {
	if v.kind == workflow.Chat && v.confidence >= sure {
		return true
	}
	left := 0
	for _, c := range t.placeless(place) {
		if unicode.Is(unicode.Han, c) {
			left++
		}
	}
	return place.named && v.confidence < 0.2 && left <= 3
}

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
	grave := v.kind == workflow.Incident && r.grave(found, v.category)
	if r.learned != nil && !r.plain(t, found, v, place) {
		o := r.learned.judge(ngram.Read(t.placeless(place), r.features(t, found, r.judge(t, found, false))))
		if o.emergency >= alarming && !(o.emergency < glaring && r.disarmed(t, found)) {
			u.Kind, u.Category, u.Severity, u.Danger, u.Confidence = workflow.Incident, workflow.Category("safety"), workflow.Emergency, unnamed, o.emergency
			if o.kind == workflow.Incident {
				u.Category = o.category
			}
			return u, nil
		}
		if o.kind == workflow.Chat && o.confidence < idle && v.kind != workflow.Chat && len(t.runes) >= short {
			return u, nil // perhaps a matter after all: better asked than passed over
		}
		u.Kind, u.Category, u.Confidence, u.Guesses = o.kind, o.category, o.confidence, o.guesses
		grave = o.kind == workflow.Incident && (o.major >= 0.5 || grave && o.major >= 0.1)
		v.kind = o.kind
	}
	switch {
	case grave:
		u.Severity = workflow.Major
	case v.kind == workflow.Wish && u.Place == (workflow.Place{}):
		u.Place = w.Home // a wish is its writer's
	}
	return u, nil
}
