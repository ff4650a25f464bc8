package workflow

import (
	"cmp"
	"maps"
	"slices"
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

// Find gives the category and its kind for a code or a label.
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
	return "", "", false
}

// KindOf is the kind that a category belongs to; ok is false where there is no
// such category.
func (t *Taxonomy) KindOf(c Category) (k Kind, ok bool) {
	if _, ok := t.IncidentCategories[c]; ok {
		return Incident, true
	}
	_, ok = t.WishCategories[c]
	return Wish, ok
}

// CategoriesOf are the categories of incidents or of wishes, in an order that
// stays the same, those for all others last.
func (t *Taxonomy) CategoriesOf(k Kind) []Category {
	labels := t.IncidentCategories
	if k == Wish {
		labels = t.WishCategories
	}
	other := func(c Category) int {
		if c == OtherIncident || c == OtherWish {
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(labels), func(a, b Category) int {
		return cmp.Or(cmp.Compare(other(a), other(b)), cmp.Compare(a, b))
	})
}
