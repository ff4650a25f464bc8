package workflow

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is what a message is about. Codes are those of the taxonomy and never
// renamed.
type Kind string

// The five kinds. Only incidents and wishes open tickets.
const (
	Incident Kind = "incident" // 诉求: something is wrong and somebody must fix or settle it
	Wish     Kind = "wish"     // 心愿: something a resident would like, nothing is broken
	Consult  Kind = "consult"  // 咨询: a question that wants an answer, no work order
	Praise   Kind = "praise"   // 表扬: thanks, recorded and passed on
	Chat     Kind = "chat"     // 闲聊: never opens a ticket
)

// Severity grades an incident; it chooses the clocks.
type Severity string

// The three grades.
const (
	Emergency Severity = "emergency" // 紧急: life or property in danger now
	Major     Severity = "major"     // 大事: many households, or health, heat, water, power, safety
	Minor     Severity = "minor"     // 小事: everything else
)

// Category is the code of an incident's or wish's subject, such as
// "drainage". A community may add codes, never rename one.
type Category string

// The categories that stand for "none of the others".
const (
	OtherIncident Category = "other_incident"
	OtherWish     Category = "other_wish"
)

// Taxonomy holds the labels that people read, by code, and which categories
// belong to which kind. It is read from configs/taxonomy.yaml.
type Taxonomy struct {
	Kinds              map[Kind]string     `yaml:"kinds" json:"kinds"`
	Severities         map[Severity]string `yaml:"severities" json:"severities"`
	IncidentCategories map[Category]string `yaml:"incident_categories" json:"incident_categories"`
	WishCategories     map[Category]string `yaml:"wish_categories" json:"wish_categories"`
	WishLines          []WishLine          `yaml:"wish_lines" json:"wish_lines"`
	// SharedCategories are those of wishes that neighbours may have in common:
	// they gather support (我也想要).
	SharedCategories []Category `yaml:"shared_categories" json:"shared_categories"`
	// DiscreetCategories are those where a place would point at people: outside the
	// staff nothing nearer than the estate is told.
	DiscreetCategories []Category `yaml:"discreet_categories" json:"discreet_categories"`

	shipped *Taxonomy // of a community's: the one that it was made of
	off     []Category
}

// WishLine is one of the four lines of the micro wish, such as 一老一小, with
// the groups of people that it is for.
type WishLine struct {
	Name       string     `yaml:"name" json:"name"`
	Categories []Category `yaml:"categories" json:"categories"`
}

// Line is the line that a category of wishes belongs to, "" for none.
func (t *Taxonomy) Line(c Category) string {
	for _, l := range t.WishLines {
		if slices.Contains(l.Categories, c) {
			return l.Name
		}
	}
	return ""
}

// Shared tells whether wishes of a category gather support.
func (t *Taxonomy) Shared(c Category) bool { return slices.Contains(t.SharedCategories, c) }

// Discreet tells whether a category's place would point at people.
func (t *Taxonomy) Discreet(c Category) bool { return slices.Contains(t.DiscreetCategories, c) }

// Label is the category's label, or the code itself where it is unknown.
func (t *Taxonomy) Label(c Category) string {
	if l, ok := t.IncidentCategories[c]; ok {
		return l
	}
	if l, ok := t.WishCategories[c]; ok {
		return l
	}
	return string(c)
}

// Find gives the category and its kind for a code or a label; what a category is
// called elsewhere finds it too.
func (t *Taxonomy) Find(word string) (Category, Kind, bool) {
	for c, l := range t.IncidentCategories {
		if word == string(c) || word == l {
			return c, Incident, true
		}
	}
	for c, l := range t.WishCategories {
		if word == string(c) || word == l {
			return c, Wish, true
		}
	}
	if t.shipped != nil {
		return t.shipped.Find(word)
	}
	return "", "", false
}

// Offered are the categories of a kind that somebody may be given to choose
// from, by label; those that stand for none of the others come last.
func (t *Taxonomy) Offered(k Kind) []Category {
	of := t.of(k)
	out := slices.DeleteFunc(slices.Collect(maps.Keys(of)), t.Off)
	slices.SortFunc(out, func(a, b Category) int {
		if x, y := a.none(), b.none(); x != y {
			return strings.Compare(string(x), string(y))
		}
		return cmp.Compare(of[a], of[b])
	})
	return out
}

// Off tells whether a category is not to be offered. It is still understood,
// and taken where somebody names it.
func (t *Taxonomy) Off(c Category) bool { return slices.Contains(t.off, c) }

// none is c where it stands for none of the others, else "".
func (c Category) none() Category {
	if c == OtherIncident || c == OtherWish {
		return c
	}
	return ""
}

func (t *Taxonomy) of(k Kind) map[Category]string {
	if k == Wish {
		return t.WishCategories
	}
	return t.IncidentCategories
}

// KindOf is the kind that a category belongs to, "" for an unknown one.
func (t *Taxonomy) KindOf(c Category) Kind {
	for _, k := range []Kind{Incident, Wish} {
		if _, ok := t.of(k)[c]; ok {
			return k
		}
	}
	return ""
}

// For is the taxonomy of a community: its own labels and categories beside the
// shipped ones. What Check refuses is passed over. It costs a copy of the
// labels where the community has any of its own.
func (t *Taxonomy) For(c *Community) *Taxonomy {
	if t.shipped != nil {
		t = t.shipped
	}
	if c == nil || len(c.Categories) == 0 {
		return t
	}
	own := *t
	own.shipped, own.off = t, nil
	own.IncidentCategories, own.WishCategories = maps.Clone(t.IncidentCategories), maps.Clone(t.WishCategories)
	for code, o := range c.Categories {
		kind := cmp.Or(t.KindOf(code), o.Kind)
		if o.Label != "" && (kind == Incident || kind == Wish) {
			own.of(kind)[code] = o.Label
		}
		if o.Off && code.none() == "" {
			own.off = append(own.off, code)
		}
	}
	return &own
}

// longestLabel of a category, in characters: it stands among other words in
// messages whose length WeChat bounds.
const longestLabel = 10

func (o OwnCategory) check(code Category) error {
	at := "categories." + string(code)
	switch n := utf8.RuneCountInString(o.Label); {
	case code == "" || strings.Trim(string(code), "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		return wrong(at, WrongForm, code, "want a code of lower-case letters, digits and '_'")
	case n > longestLabel || len(strings.Fields(o.Label)) > 1 || strings.TrimSpace(o.Label) != o.Label:
		return wrong(at, WrongLabel, o.Label, "label: want one word of at most %d characters, have %q", longestLabel, o.Label)
	case o.Kind != "" && o.Kind != Incident && o.Kind != Wish:
		return wrong(at, WrongChoice, o.Kind, "kind: want incident or wish, have %q", o.Kind)
	case o.Off && code.none() != "":
		return wrong(at, WrongNeeded, o.Label, "off: it stands for all that nothing else fits, and must be there to choose")
	}
	return nil
}

// Check tells what of a community's own categories does not fit this taxonomy:
// a category that is neither shipped nor has a kind and a label, a shipped one
// of another kind, two of one name.
func (t *Taxonomy) Check(c *Community) error {
	var errs []error
	fail := func(code Category, why WrongCode, have any, format string, a ...any) {
		errs = append(errs, wrong("categories."+string(code), why, have, format, a...))
	}
	own := t.For(c)
	for _, code := range slices.Sorted(maps.Keys(c.Categories)) {
		o := c.Categories[code]
		switch kind := t.KindOf(code); {
		case kind == "" && (o.Kind == "" || o.Label == ""):
			fail(code, WrongMissing, o.Label, "is not shipped: one of your own needs kind (incident or wish) and label")
		case kind != "" && o.Kind != "" && o.Kind != kind:
			fail(code, WrongKind, t.Label(code), "kind: it is not of kind %s, and a category's kind cannot be changed", o.Kind)
		}
		for _, k := range []Kind{Incident, Wish} {
			for other, label := range own.of(k) {
				if other != code && o.Label != "" && (label == o.Label || string(other) == o.Label) {
					fail(code, WrongNamesake, o.Label, "label: %q is what %s is called", o.Label, other)
				}
			}
		}
	}
	return errors.Join(errs...)
}
