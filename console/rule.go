package console

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// ruleLine is one rule of assignment, in words.
type ruleLine struct {
	Index       int // from 0
	Words       string
	First, Last bool
}

// ruleForm is one rule in its fields.
type ruleForm struct {
	Index int // -1 for a new one
	workflow.Rule
	Roles      []workflow.RoleKind
	Severities []workflow.Severity
	Kinds      []kind
}

// rulesOf are the rules that a community goes by.
func rulesOf(c *workflow.Community) []workflow.Rule {
	if len(c.Assignment) > 0 {
		return c.Assignment
	}
	return workflow.DefaultRules()
}

// ruleForms are the rules in words, and the one that the address names in fields.
func (q *request) ruleForms(form *partForm) error {
	rules := rulesOf(form.Community)
	for i := range rules {
		form.Rules = append(form.Rules, ruleLine{i, q.ruleInWords(form.Community, &rules[i]), i == 0, i == len(rules)-1})
	}
	which := q.URL.Query().Get("rule")
	if which == "" {
		return nil
	}
	one := &ruleForm{Index: -1, Roles: workflow.RoleKinds(), Severities: []workflow.Severity{workflow.Emergency, workflow.Major, workflow.Minor}, Kinds: q.kinds()}
	if which != "new" {
		i, err := strconv.Atoi(which)
		if err != nil || i < 0 || i >= len(rules) {
			return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such rule")}
		}
		one.Index, one.Rule = i, rules[i]
	}
	form.Rule = one
	return nil
}

// ruleInWords is a rule as a person says it: for what, to whom, and why.
func (q *request) ruleInWords(c *workflow.Community, r *workflow.Rule) string {
	taxonomy := q.console.o.Taxonomy.For(c)
	say := func(key string, v wording.Values) string { return q.voice().Say("page.rule."+key, v) }
	var when []string
	add := func(what string) {
		if what != "" {
			when = append(when, what)
		}
	}
	add(joined(r.If.Kind, func(k workflow.Kind) string { return taxonomy.Kinds[k] }))
	add(joined(r.If.Category, taxonomy.Label))
	add(joined(r.If.Severity, func(s workflow.Severity) string { return taxonomy.Severities[s] }))
	add(joined(r.If.Danger, func(d string) string { return d }))
	add(joined(r.If.Grid, func(code string) string { g, _ := c.Grid(code); return g.Name }))
	if r.If.GridKind != "" {
		add(say("grid_kind."+r.If.GridKind, nil))
	}
	if r.If.Contract {
		add(say("contract", nil))
	}
	if r.If.Level > 0 {
		add(say("level", wording.Values{"Level": r.If.Level}))
	}
	if len(when) == 0 {
		add(say("always", nil))
	}
	why := r.Name
	if q.console.o.Wording.Has("why." + why) {
		why = q.voice().Say("why."+why, nil)
	}
	to := []string{r.To.Department + r.To.Team + r.To.Unit + q.voice().Say("page.role."+string(r.To.Role), nil)}
	switch {
	case r.To.FullTime != nil && *r.To.FullTime:
		to = append(to, say("full_time", nil))
	case r.To.FullTime != nil:
		to = append(to, say("part_time", nil))
	}
	switch {
	case r.To.Skill == "category":
		to = append(to, say("skilled", nil))
	case r.To.Skill != "":
		to = append(to, say("skill", wording.Values{"What": r.To.Skill}))
	}
	if r.To.MaxLoad > 0 {
		to = append(to, say("max_load", wording.Values{"Count": r.To.MaxLoad}))
	}
	if r.To.MaxLead > 0 {
		to = append(to, say("max_lead", wording.Values{"Count": r.To.MaxLead}))
	}
	if r.To.OffDuty {
		to = append(to, say("off_duty", nil))
	}
	return say("sentence", wording.Values{"Full": strings.Join(when, "、"), "Who": strings.Join(to, "、"), "Why": why})
}

// joined are values in words, one or the other.
func joined[T any](all []T, say func(T) string) string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = say(v)
	}
	return strings.Join(out, "/")
}

// ruleRow is a rule as a document has it, without what is empty.
type ruleRow struct {
	Name string  `yaml:"name"`
	If   *ifRow  `yaml:"if,omitempty,flow"`
	To   pickRow `yaml:"to,flow"`
}

type ifRow struct {
	Kind     []workflow.Kind     `yaml:"kind,omitempty,flow"`
	Category []workflow.Category `yaml:"category,omitempty,flow"`
	Severity []workflow.Severity `yaml:"severity,omitempty,flow"`
	Danger   []string            `yaml:"danger,omitempty,flow"`
	Grid     []string            `yaml:"grid,omitempty,flow"`
	GridKind string              `yaml:"grid_kind,omitempty"`
	Contract bool                `yaml:"contract,omitempty"`
	Level    int                 `yaml:"level,omitempty"`
}

type pickRow struct {
	Role       workflow.RoleKind `yaml:"role"`
	FullTime   *bool             `yaml:"full_time,omitempty"`
	Department string            `yaml:"department,omitempty"`
	Team       string            `yaml:"team,omitempty"`
	Unit       string            `yaml:"unit,omitempty"`
	Skill      string            `yaml:"skill,omitempty"`
	MaxLoad    int               `yaml:"max_load,omitempty"`
	MaxLead    int               `yaml:"max_lead,omitempty"`
	OffDuty    bool              `yaml:"off_duty,omitempty"`
}

// rowOf is a rule as a document has it.
func rowOf(r workflow.Rule) ruleRow {
	row := ruleRow{Name: r.Name, To: pickRow(r.To)}
	m := ifRow(r.If)
	if len(m.Kind)+len(m.Category)+len(m.Severity)+len(m.Danger)+len(m.Grid)+m.Level > 0 || m.GridKind != "" || m.Contract {
		row.If = &m
	}
	return row
}

// filledRules are the rules after what the form asks for: one moved, taken away,
// changed or added.
func (q *request) filledRules(c *workflow.Community) (any, error) {
	rules := slices.Clone(rulesOf(c))
	bad := func(what string) (any, error) {
		return nil, &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New(what)}
	}
	i, err := strconv.Atoi(q.PostFormValue("index"))
	if err != nil || i < -1 || i >= len(rules) {
		return bad("no such rule")
	}
	what := q.PostFormValue("do")
	if i < 0 && what != "save" {
		return bad("no rule was named")
	}
	switch what {
	case "up":
		if i > 0 {
			rules[i-1], rules[i] = rules[i], rules[i-1]
		}
	case "down":
		if i < len(rules)-1 {
			rules[i+1], rules[i] = rules[i], rules[i+1]
		}
	case "remove":
		rules = slices.Delete(rules, i, i+1)
	case "save":
		r, err := q.filledRule()
		if err != nil {
			return nil, err
		}
		if i < 0 {
			rules = append(rules, r)
		} else {
			r.If.Danger, r.If.Kind = rules[i].If.Danger, rules[i].If.Kind // of which the form says nothing
			if q.PostForm.Has("kind") {
				r.If.Kind = chosen[workflow.Kind](q, "kind")
			}
			rules[i] = r
		}
	default:
		return bad("neither moved, removed nor saved")
	}
	rows := make([]ruleRow, len(rules))
	for i, r := range rules {
		rows[i] = rowOf(r)
	}
	return rows, nil
}

// filledRule is one rule by its fields. Whether it makes sense is the document's
// check to say.
func (q *request) filledRule() (workflow.Rule, error) {
	r := workflow.Rule{Name: q.words("name")}
	r.If.Kind, r.If.Category, r.If.Severity = chosen[workflow.Kind](q, "kind"), chosen[workflow.Category](q, "category"), chosen[workflow.Severity](q, "severity")
	r.If.Grid, r.If.GridKind, r.If.Contract = chosen[string](q, "grid"), q.PostFormValue("grid_kind"), q.PostFormValue("contract") == "yes"
	r.To = workflow.Pick{
		Role: workflow.RoleKind(q.PostFormValue("role")), Department: q.words("department"), Team: q.words("team"), Unit: q.words("unit"), Skill: q.words("skill"),
		OffDuty: q.PostFormValue("off_duty") == "yes",
	}
	if hours := q.PostFormValue("full_time"); hours != "" {
		yes := hours == "yes"
		r.To.FullTime = &yes
	}
	for name, to := range map[string]*int{"level": &r.If.Level, "max_load": &r.To.MaxLoad, "max_lead": &r.To.MaxLead} {
		n, err := q.wholeNumber(name)
		if err != nil {
			return r, err // a condition that cannot be read must not be dropped
		}
		*to = n
	}
	return r, nil
}

// unplayed are the rules that find nobody as the staff is now, in words: for a team
// that nobody is in, say.
func (q *request) unplayed(c *workflow.Community) []string {
	var out []string
	for _, r := range rulesOf(c) {
		if !r.To.Played(q.shape.Roster) {
			out = append(out, q.ruleInWords(c, &r))
		}
	}
	return out
}

// chosen are the values of a field that may have several.
func chosen[T ~string](q *request, field string) []T {
	var out []T
	for _, v := range q.PostForm[field] {
		if v != "" {
			out = append(out, T(v))
		}
	}
	return out
}
