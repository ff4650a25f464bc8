package understand

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/workflow"
)

// lexicon is the file configs/understand.yaml; what each list means is said
// there.
type lexicon struct {
	Simplified string   `yaml:"simplified"`
	Figures    []string `yaml:"figures"`
	SetPhrases []string `yaml:"set_phrases"`
	Danger     []struct {
		Name     string            `yaml:"name"`
		Category workflow.Category `yaml:"category"`
		Words    []string          `yaml:"words"`
	} `yaml:"danger"`
	Unless struct {
		Supposed []string `yaml:"supposed"`
		Denied   []string `yaml:"denied"`
		Past     []string `yaml:"past"`
		Talk     []string `yaml:"talk"`
		Risk     []string `yaml:"risk"`
		Now      []string `yaml:"now"`
		Help     []string `yaml:"help"`
	} `yaml:"unless"`
	Incident        map[workflow.Category]weighed `yaml:"incident"`
	Problem         weighed                       `yaml:"problem"`
	Wanted          weighed                       `yaml:"wanted"`
	Unwanted        []string                      `yaml:"unwanted"`
	Wish            map[workflow.Category]weighed `yaml:"wish"`
	Question        weighed                       `yaml:"question"`
	Praise          weighed                       `yaml:"praise"`
	Courtesy        []string                      `yaml:"courtesy"`
	Major           []string                      `yaml:"major"`
	MajorCategories []workflow.Category           `yaml:"major_categories"`
	Things          []string                      `yaml:"things"`
	Joins           []string                      `yaml:"joins"`
	Urgent          []string                      `yaml:"urgent"`
	Concepts        map[string]string             `yaml:"concepts"`
	Names           struct {
		Surnames string `yaml:"surnames"`
		Double   string `yaml:"double"`
		Familiar string `yaml:"familiar"`
		Titles   string `yaml:"titles"`
		Calls    string `yaml:"calls"`
		Leads    string `yaml:"leads"`
		Ends     string `yaml:"ends"`
	} `yaml:"names"`
	Place struct {
		Own       []string `yaml:"own"`
		Speaker   []string `yaml:"speaker"`
		Spots     []string `yaml:"spots"`
		Public    []string `yaml:"public"`
		NotPlaces []string `yaml:"not_places"`
	} `yaml:"place"`
}

// weighed are phrases by how much they say.
type weighed struct {
	Certain []string `yaml:"certain"`
	Strong  []string `yaml:"strong"`
	Plain   []string `yaml:"plain"`
	Weak    []string `yaml:"weak"`
}

// The weights of phrases.
const (
	certain = 8.0
	strong  = 4.0
	plainly = 2.0
	weak    = 1.0
)

// The groups of phrases. Behind groupRest come one for each danger and one for
// each category.
const (
	groupSetPhrase = iota
	groupFigure
	groupSupposed
	groupDenied
	groupPast
	groupTalk
	groupRisk
	groupNow
	groupHelp
	groupProblem
	groupWanted
	groupUnwanted
	groupQuestion
	groupPraise
	groupCourtesy
	groupMajor
	groupOwn
	groupSpeaker
	groupSpot
	groupPublic
	groupNoPlace
	groupRest
)

// danger is one emergency, see configs/understand.yaml.
type danger struct {
	name     string
	category workflow.Category
}

// Rules understands messages by the words of a lexicon. It holds no state
// between messages and is safe for concurrent use.
type Rules struct {
	book       *book
	simplified map[rune]rune
	dangers    []danger            // of groupRest onwards
	incidents  []workflow.Category // of the groups behind the dangers
	wishes     []workflow.Category // of the groups behind the incidents
	major      []workflow.Category
	things     [][][]rune // by thing: its names
	joins      [][]rune
	urgent     [][]rune
	names      marked
	thesaurus  *thesaurus
	says       map[workflow.Kind]map[workflow.Category][2]string // the names of what the rules say as features
	learned    *learned                                          // nil where the rules are alone
}

var _ workflow.Understander = (*Rules)(nil)

// New makes rules of a lexicon, the content of configs/understand.yaml. It
// refuses unknown fields, empty lists and phrases that could never be found;
// the error names them.
func New(data []byte) (*Rules, error) {
	var l lexicon
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&l); err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	r := &Rules{book: newBook(), simplified: map[rune]rune{}, major: l.MajorCategories}
	r.names = markedNames(&l)
	var errs []error
	for pair := range strings.FieldsSeq(l.Simplified) {
		rs := []rune(pair)
		if len(rs) != 2 {
			errs = append(errs, fmt.Errorf("simplified: want two characters, have %q", pair))
			continue
		}
		r.simplified[rs[0]] = rs[1]
	}
	var err error
	if r.thesaurus, err = newThesaurus(l.Concepts, r.simplified); err != nil {
		errs = append(errs, err)
	}
	add := func(what string, group int, weight float64, lines []string) {
		var phrases []string
		for _, line := range lines {
			phrases = append(phrases, strings.Fields(line)...)
		}
		for _, p := range phrases {
			if n := newText(p, r.simplified); string(n.runes) != p {
				errs = append(errs, fmt.Errorf("%s: %q is never found, write %q", what, p, string(n.runes)))
			}
		}
		if err := r.book.add(group, weight, phrases); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	list := func(what string, group int, phrases []string) {
		if len(phrases) == 0 {
			errs = append(errs, fmt.Errorf("%s: is empty", what))
		}
		add(what, group, strong, phrases)
	}
	lists := func(what string, group int, w weighed) {
		if len(w.Certain)+len(w.Strong) == 0 {
			errs = append(errs, fmt.Errorf("%s.strong: is empty", what))
		}
		add(what, group, certain, w.Certain)
		add(what, group, strong, w.Strong)
		add(what, group, plainly, w.Plain)
		add(what, group, weak, w.Weak)
	}
	list("set_phrases", groupSetPhrase, l.SetPhrases)
	list("figures", groupFigure, l.Figures)
	list("unless.supposed", groupSupposed, l.Unless.Supposed)
	list("unless.denied", groupDenied, l.Unless.Denied)
	list("unless.past", groupPast, l.Unless.Past)
	list("unless.talk", groupTalk, l.Unless.Talk)
	list("unless.risk", groupRisk, l.Unless.Risk)
	list("unless.now", groupNow, l.Unless.Now)
	list("unless.help", groupHelp, l.Unless.Help)
	lists("problem", groupProblem, l.Problem)
	lists("wanted", groupWanted, l.Wanted)
	list("unwanted", groupUnwanted, l.Unwanted)
	lists("question", groupQuestion, l.Question)
	lists("praise", groupPraise, l.Praise)
	list("courtesy", groupCourtesy, l.Courtesy)
	list("major", groupMajor, l.Major)
	list("place.own", groupOwn, l.Place.Own)
	list("place.speaker", groupSpeaker, l.Place.Speaker)
	list("place.spots", groupSpot, l.Place.Spots)
	list("place.public", groupPublic, l.Place.Public)
	list("place.not_places", groupNoPlace, l.Place.NotPlaces)
	group := groupRest
	for i, d := range l.Danger {
		if d.Name == "" || d.Category == "" {
			errs = append(errs, fmt.Errorf("danger[%d]: needs a name and a category", i))
		}
		list("danger."+d.Name, group, d.Words)
		r.dangers = append(r.dangers, danger{d.Name, d.Category})
		group++
	}
	r.book.behindDangers = group
	r.incidents = slices.Sorted(maps.Keys(l.Incident))
	for _, c := range r.incidents {
		lists("incident."+string(c), group, l.Incident[c])
		group++
	}
	r.wishes = slices.Sorted(maps.Keys(l.Wish))
	for _, c := range r.wishes {
		lists("wish."+string(c), group, l.Wish[c])
		group++
	}
	for _, line := range l.Things {
		var names [][]rune
		for n := range strings.FieldsSeq(line) {
			names = append(names, newText(n, r.simplified).runes)
		}
		r.things = append(r.things, names)
	}
	for _, line := range l.Joins {
		for j := range strings.FieldsSeq(line) {
			r.joins = append(r.joins, newText(j, r.simplified).runes)
		}
	}
	for _, word := range l.Urgent {
		r.urgent = append(r.urgent, newText(word, r.simplified).runes)
	}
	if len(r.things) == 0 || len(r.joins) == 0 || len(r.urgent) == 0 {
		errs = append(errs, errors.New("things, joins, urgent: each needs entries"))
	}
	if len(r.dangers) == 0 || len(r.incidents) == 0 || len(r.wishes) == 0 {
		errs = append(errs, errors.New("danger, incident, wish: each needs entries"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	r.says = map[workflow.Kind]map[workflow.Category][2]string{}
	for _, kind := range []workflow.Kind{workflow.Incident, workflow.Wish, workflow.Consult, workflow.Praise, workflow.Chat} {
		r.says[kind] = map[workflow.Category][2]string{}
		for _, c := range slices.Concat(r.incidents, r.wishes, []workflow.Category{"", workflow.OtherIncident, workflow.OtherWish}) {
			says := "says:" + string(kind) + ":" + string(c)
			r.says[kind][c] = [2]string{says, says + "!"}
		}
	}
	return r, nil
}

// first is the index of the first match of a group, -1 if there is none.
func (r *Rules) first(found []match, group int) int {
	return slices.IndexFunc(found, func(m match) bool { return r.book.cues[m.cue].group == group })
}
