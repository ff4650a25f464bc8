package understand

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// The models of a file, by what they tell.
const (
	// ModelWhat tells kind and category, as "incident:noise", "wish:elderly",
	// "consult", "praise", "chat".
	ModelWhat = "what"
	// ModelSeverity tells emergency, major or minor.
	ModelSeverity = "severity"
)

// Labelled is a message with what it is about. Category is "" where the kind
// has none.
type Labelled struct {
	Text     string
	Kind     workflow.Kind
	Category workflow.Category
	Severity workflow.Severity
}

// ReadLabelled reads samples: tab-separated columns text, kind, category ("-"
// for none) and severity under a header. Errors name the line.
func ReadLabelled(r io.Reader) ([]Labelled, error) {
	var out []Labelled
	err := ngram.Table(r, []string{"text", "kind", "category", "severity"}, func(_ int, v []string) error {
		l := Labelled{strings.Clone(v[0]), workflow.Kind(v[1]), workflow.Category(strings.TrimPrefix(v[2], "-")), workflow.Severity(v[3])}
		ticket := l.Kind == workflow.Incident || l.Kind == workflow.Wish
		switch {
		case l.Text == "":
			return errors.New("no text")
		case !ticket && l.Kind != workflow.Consult && l.Kind != workflow.Praise && l.Kind != workflow.Chat:
			return fmt.Errorf("unknown kind %q", l.Kind)
		case ticket != (l.Category != ""):
			return fmt.Errorf("kind %s with category %q", l.Kind, v[2])
		case l.Severity != workflow.Emergency && l.Severity != workflow.Major && l.Severity != workflow.Minor:
			return fmt.Errorf("unknown severity %q", l.Severity)
		}
		out = append(out, l)
		return nil
	})
	return out, err
}

// what is the label of ModelWhat.
func (l *Labelled) what() string {
	if l.Category == "" {
		return string(l.Kind)
	}
	return string(l.Kind) + ":" + string(l.Category)
}

// Samples are messages as the models read them, each with the label that of
// gives: the characters, and the lexicon's findings as named features.
func (r *Rules) Samples(c *workflow.Community, all []Labelled, of func(l *Labelled) string) []ngram.Sample {
	out := make([]ngram.Sample, len(all))
	for i := range all {
		t := newText(all[i].Text, r.simplified)
		found := r.book.find(t)
		place := r.locate(c, workflow.Words{}, t, found)
		out[i] = ngram.Sample{Text: t.placeless(place), Names: r.features(t, found, r.judge(t, found, false)), Label: of(&all[i])}
	}
	return out
}

// placeless is the text as the models read it: without the places and numbers,
// which tell nothing of what is the matter.
func (t *text) placeless(l located) string {
	out := make([]rune, 0, len(t.runes))
	inside := func(i int) bool {
		return slices.ContainsFunc(l.names, func(n name) bool { return i >= n.from && i < n.to }) ||
			slices.ContainsFunc(l.houses, func(h house) bool { return i >= h.from && i < h.to })
	}
	for i, c := range t.runes {
		switch {
		case isDigit(c):
		case l.named && inside(i):
			if n := len(out); n == 0 || out[n-1] != '@' {
				out = append(out, '@')
			}
		default:
			out = append(out, c)
		}
	}
	return strings.Trim(string(out), "@")
}

// Train makes the models of samples, whose places are those of a community.
// The same samples and lexicon give the same models.
func (r *Rules) Train(c *workflow.Community, all []Labelled) (map[string]*ngram.Model, error) {
	return r.TrainWith(context.Background(), c, all, nil)
}

// TrainWith is Train that ends early with ctx, and tells how much of it is done, in
// percent; progress may be nil, and is called from several goroutines at once.
func (r *Rules) TrainWith(ctx context.Context, c *workflow.Community, all []Labelled, progress func(percent int)) (map[string]*ngram.Model, error) {
	if progress == nil {
		progress = func(int) {}
	}
	const most = 90 // the model of kind and category has ten times as many labels
	what, err := ngram.TrainWith(ctx, r.Samples(c, all, (*Labelled).what), func(done, of int) { progress(done * most / of) })
	if err != nil {
		return nil, err
	}
	severity, err := ngram.TrainWith(ctx, r.Samples(c, all, func(l *Labelled) string { return string(l.Severity) }),
		func(done, of int) { progress(most + done*(100-most)/of) })
	if err != nil {
		return nil, err
	}
	return map[string]*ngram.Model{ModelWhat: what, ModelSeverity: severity}, nil
}

// Learn lets models decide what the rules alone cannot. The labels must be
// those of Train. It is called once, before the rules are used.
func (r *Rules) Learn(models map[string]*ngram.Model) error {
	what, severity := models[ModelWhat], models[ModelSeverity]
	if what == nil || severity == nil {
		return errors.New("understand: the file has no models of kind, category and severity: was it trained from a file with only text and label?")
	}
	m := &learned{what: what, severity: severity, emergency: -1, major: -1}
	for _, label := range what.Labels() {
		kind, category, _ := strings.Cut(label, ":")
		m.kinds = append(m.kinds, workflow.Kind(kind))
		m.categories = append(m.categories, workflow.Category(category))
	}
	m.emergency = slices.Index(severity.Labels(), string(workflow.Emergency))
	m.major = slices.Index(severity.Labels(), string(workflow.Major))
	if m.emergency < 0 || m.major < 0 {
		return errors.New("understand: the model of severity knows no emergency or no major")
	}
	r.learned = m
	return nil
}

// With are the same rules with other models; see Learn.
func (r *Rules) With(models map[string]*ngram.Model) (*Rules, error) {
	other := *r
	return &other, other.Learn(models)
}

// learned are models with their labels taken apart.
type learned struct {
	what, severity   *ngram.Model
	kinds            []workflow.Kind // by label of what
	categories       []workflow.Category
	emergency, major int // labels of severity
}

// features are what the lexicon and the rules say, as the models read it.
// Words of danger are left out: where they count the rules decide, and where
// they do not, or there are none, the models must not need them.
func (r *Rules) features(t *text, found []match, v verdict) []string {
	out := make([]string, 0, 48)
	for _, m := range found {
		c := &r.book.cues[m.cue]
		name := c.name
		if c.group >= groupRest && r.book.dangerous(c.group) {
			if !r.harmless(t, found, m) {
				continue
			}
			name = "harmless"
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	says := r.says[v.kind][v.category]
	out = append(out, says[0])
	if v.confidence >= 0.6 {
		out = append(out, says[1])
	}
	return r.thesaurus.features(t, t.ends(out))
}

// ends adds how a text begins and how it ends: questions and thanks are told by
// that.
func (t *text) ends(out []string) []string {
	han := func(r rune) bool { return unicode.Is(unicode.Han, r) }
	from := slices.IndexFunc(t.runes, han)
	if from < 0 {
		return out
	}
	to := len(t.runes)
	for !han(t.runes[to-1]) {
		to--
	}
	out = append(out, "e:"+string(t.runes[to-1:to]))
	if to-from > 2 {
		out = append(out, "b:"+string(t.runes[from:from+2]), "e:"+string(t.runes[to-2:to]))
	}
	return out
}

// opinion is what the models make of a message.
type opinion struct {
	kind       workflow.Kind
	category   workflow.Category
	confidence float64
	guesses    []workflow.Category
	emergency  float64 // how likely
	major      float64
}

func (m *learned) judge(f *ngram.Features) opinion {
	defer f.Release()
	var room [64]float64
	p := m.what.ProbabilitiesOf(f, room[:0])
	var o opinion
	sums := map[workflow.Kind]float64{}
	for l, x := range p {
		sums[m.kinds[l]] += x
	}
	for kind, sum := range sums {
		if sum > sums[o.kind] || sum == sums[o.kind] && kind < o.kind {
			o.kind = kind
		}
	}
	o.confidence = sums[o.kind]
	if m.categories[slices.Index(m.kinds, o.kind)] != "" {
		var best [3]int
		for i := range best {
			best[i] = -1
			for l, x := range p {
				if m.kinds[l] == o.kind && !slices.Contains(best[:i], l) && (best[i] < 0 || x > p[best[i]]) {
					best[i] = l
				}
			}
			if best[i] >= 0 {
				o.guesses = append(o.guesses, m.categories[best[i]])
			}
		}
		o.category, o.confidence = m.categories[best[0]], p[best[0]]
	}
	p = m.severity.ProbabilitiesOf(f, room[:0])
	o.emergency, o.major = p[m.emergency], p[m.major]
	return o
}
