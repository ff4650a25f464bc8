package understand

import (
	"context"
	"slices"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// alarming is how likely an emergency must be for the models to raise the
// alarm where the rules did not: a false alarm costs a telephone call, a missed
// one may cost a life.
const alarming = 0.3

// glaring is how likely it must be where the rules saw words of danger and took
// the danger out of them, 「上火」, 「打不着火」, 「怕着火」, and in a long letter.
const glaring = 0.8

// A letter longer than this, in signs, that nowhere cries for help and of which
// the models see no emergency, tells of a danger rather than being in one: it is
// a big matter. Who is in danger does not write so much. Of 2,000 letters to an
// office, none of them an emergency, the words alone made 112 one, with this 24 are.
const (
	letterLength = 120
	unlikely     = 0.2
)

// onlyTold tells whether the danger of a long letter is only told of.
func (r *Rules) onlyTold(t *text, found []match, place located) bool {
	if r.learned == nil || len(t.runes) <= letterLength || r.first(found, groupHelp) >= 0 {
		return false
	}
	o := r.learned.judge(ngram.Read(t.placeless(place), r.features(t, found, r.judge(t, found, false))))
	return o.emergency < unlikely
}

// hardly is how unlikely an emergency must be for the models to take words of
// danger for something else. Of 7,100 samples, each judged by models that had
// not seen it, this costs none of 603 emergencies and spares 27 false alarms
// of 174; 0.05 would cost 5 and spare 44.
const hardly = 0.02

// without tells whether the models see nothing of the danger that words speak
// of, and nobody cries for help.
func (r *Rules) without(t *text, found []match, place located) bool {
	if r.learned == nil || r.first(found, groupHelp) >= 0 {
		return false
	}
	o := r.learned.judge(ngram.Read(t.placeless(place), r.features(t, found, r.judge(t, found, false))))
	return o.emergency < hardly
}

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

// untaught tells where the rules are rather sure of a wish that nobody taught the
// models: these could only take it for another.
func (r *Rules) untaught(v verdict) bool {
	return v.kind == workflow.Wish && v.confidence >= workflow.Doubtful && !slices.Contains(r.learned.categories, v.category)
}

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
	d, dangerous := r.danger(t, found)
	told := dangerous && r.onlyTold(t, found, place)
	if dangerous && !told && !r.without(t, found, place) {
		u.Kind, u.Category, u.Severity, u.Danger, u.Confidence = workflow.Incident, d.category, workflow.Emergency, d.name, sure
		return u, nil
	}
	v := r.judge(t, found, place.named)
	u.Kind, u.Category, u.Severity, u.Confidence = v.kind, v.category, workflow.Minor, v.confidence
	grave := v.kind == workflow.Incident && (told || r.grave(found, v.category))
	if r.learned != nil && !r.plain(t, found, v, place) {
		o := r.learned.judge(ngram.Read(t.placeless(place), r.features(t, found, r.judge(t, found, false))))
		if o.emergency >= alarming && !(o.emergency < glaring && (len(t.runes) > letterLength || r.disarmed(t, found))) {
			u.Kind, u.Category, u.Severity, u.Danger, u.Confidence = workflow.Incident, workflow.Category("safety"), workflow.Emergency, unnamed, o.emergency
			if o.kind == workflow.Incident {
				u.Category = o.category
			}
			return u, nil
		}
		if r.untaught(v) {
			o.kind, o.category, o.confidence, o.guesses = v.kind, v.category, v.confidence, nil
		}
		if o.kind == workflow.Chat && o.confidence < idle && v.kind != workflow.Chat && len(t.runes) >= short {
			return u, nil // perhaps a matter after all: better asked than passed over
		}
		u.Kind, u.Category, u.Confidence, u.Guesses = o.kind, o.category, o.confidence, o.guesses
		grave = o.kind == workflow.Incident && (told || o.major >= 0.5 || grave && o.major >= 0.1)
		v.kind = o.kind
	}
	switch {
	case grave:
		u.Severity = workflow.Major
	case v.kind == workflow.Wish:
		if u.Place == (workflow.Place{}) {
			u.Place = w.Home // a wish is its writer's
		}
		if t.says(r.urgent) {
			u.Severity = workflow.Major // it cannot wait on a wall
		}
	}
	return u, nil
}
