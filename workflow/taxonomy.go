package workflow

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
}

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
