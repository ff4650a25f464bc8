package console

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// partForm is a part of the document as a form shows it: one of these is set.
type partForm struct {
	Community  *workflow.Community // the document as it stands
	Text       *string             // a single value
	Options    []string            // from which it is chosen, none for any text
	Estates    bool
	Grids      bool
	Landmarks  bool
	Clocks     []clock
	Categories []ownCategory
	Rules      []ruleLine
	Courtyards bool
	Fields     []field
	Groups     []fieldGroup
	Ladders    []ladderForm
	Rule       *ruleForm // one rule to be changed, or a new one
}

// clock is one promise or delay, with what it is called.
type clock struct {
	Key, Name, Value string
}

// ownCategory is a category with what the community calls it.
type ownCategory struct {
	Code          workflow.Category
	Kind          workflow.Kind
	Label, Own    string // as shipped ("" for one of the community's own); in its place
	Off, MayBeOff bool
	Filed         int // lately
}

// lately is how far back categories are counted.
const lately = 30 * 24 * time.Hour

// single are the parts that are one value, and what it may be.
var single = map[string][]string{
	"name": nil, "subdistrict": nil, "households": nil, "residents": nil, "hotline": nil, "timezone": nil,
	"open311": {string(workflow.OpenToAll), string(workflow.OpenToKeys), string(workflow.NotOpen)},
}

// partForm is the form for a part of a document, nil where there is none.
func (q *request) partForm(key, document string) (*partForm, error) {
	c, err := workflow.ParseCommunity(strings.NewReader(document))
	if err != nil {
		return nil, err
	}
	form := &partForm{Community: c}
	if options, ok := single[key]; ok {
		text, err := charter.Section([]byte(document), key)
		text = strings.Trim(strings.TrimSpace(text), `"'`)
		form.Text, form.Options = &text, options
		return form, err
	}
	switch key {
	case "estates":
		form.Estates = true
	case "grids":
		form.Grids = true
	case "landmarks":
		form.Landmarks = true
	case "courtyards":
		form.Courtyards = true
	case "clocks":
		for _, f := range clockFields(&c.Clocks) {
			form.Clocks = append(form.Clocks, clock{f.key, q.voice().Say("page.clock."+f.key, nil), q.timeInWords(*f.at)})
		}
	case "categories":
		form.Categories, err = q.categories(c)
	case "assignment":
		err = q.ruleForms(form)
	case "ladder":
		form.Ladders = q.ladders(c)
	default:
		if fieldsOf[key] == nil {
			return nil, nil
		}
		var all []field
		all, err = q.fields(c, key)
		form.Fields, form.Groups = q.groupsOf(key, all)
	}
	return form, err
}

// filledPart is the value of a part by its form.
func (q *request) filledPart(key, document string) (any, error) {
	c, err := workflow.ParseCommunity(strings.NewReader(document))
	if err != nil {
		return nil, err
	}
	if _, ok := single[key]; ok {
		text := q.words("value")
		if text == "" {
			return nil, nil
		}
		if key == "households" || key == "residents" {
			return q.wholeNumber("value")
		}
		return text, nil
	}
	switch key {
	case "estates":
		return q.filledEstates(c)
	case "grids":
		return q.filledGrids(), nil
	case "landmarks":
		return q.filledLandmarks(), nil
	case "courtyards":
		return q.filledCourtyards()
	case "clocks":
		return q.filledClocks(c, document)
	case "categories":
		return q.filledCategories(c), nil
	case "assignment":
		return q.filledRules(c)
	case "ladder":
		return q.filledLadder(c, document)
	}
	if fieldsOf[key] != nil {
		return q.filledFields(c, key)
	}
	return nil, &workflow.Error{Code: workflow.CodeNotFound, Cause: errNoForm}
}

// wholeNumber reads a field of the form, 0 where it is empty.
func (q *request) wholeNumber(name string) (int, error) {
	text := q.words(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, &fault{Field: name, Key: "whole_number"}
	}
	return n, nil
}

// rows are the rows of a form's table, by the names of its columns; those without
// a first column, and those to be taken away, are left out.
func (q *request) rows(columns ...string) []map[string]string {
	var out []map[string]string
	for i := range q.PostForm[columns[0]] {
		row := map[string]string{}
		for _, c := range columns {
			if all := q.PostForm[c]; i < len(all) {
				row[c] = strings.TrimSpace(strings.ToValidUTF8(all[i], ""))
			}
		}
		if row[columns[0]] != "" && !slices.Contains(q.PostForm["gone"], strconv.Itoa(i)) {
			out = append(out, row)
		}
	}
	return out
}

// formRow is where the row stands in the form that rows gives as one of its rows.
func (q *request) formRow(first string, index int) int {
	for i, value := range q.PostForm[first] {
		if strings.TrimSpace(value) == "" || slices.Contains(q.PostForm["gone"], strconv.Itoa(i)) {
			continue
		}
		if index == 0 {
			return i
		}
		index--
	}
	return 0
}

// namesIn are names with commas or spaces between them.
func namesIn(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,，、;；", r) })
}

type estateRow struct {
	Name             string           `yaml:"name"`
	Aliases          []string         `yaml:"aliases,omitempty"`
	Buildings        int              `yaml:"buildings"`
	Households       int              `yaml:"households,omitempty"`
	PropertyContract bool             `yaml:"property_contract"`
	Layout           *workflow.Layout `yaml:"layout,omitempty"`
}

// filledEstates keeps where the buildings stand, of which the form says nothing.
func (q *request) filledEstates(c *workflow.Community) ([]estateRow, error) {
	var out []estateRow
	for i, r := range q.rows("name", "aliases", "buildings", "households", "contract") {
		e := estateRow{Name: r["name"], Aliases: namesIn(r["aliases"]), PropertyContract: r["contract"] == "yes"}
		for name, to := range map[string]*int{"buildings": &e.Buildings, "households": &e.Households} {
			n, err := strconv.Atoi(r[name])
			if err != nil && r[name] != "" {
				return nil, &fault{Field: name, Row: q.formRow("name", i), Key: "whole_number"}
			}
			*to = n
		}
		if i < len(c.Estates) && c.Estates[i].Layout != (workflow.Layout{}) {
			e.Layout = &c.Estates[i].Layout
		}
		out = append(out, e)
	}
	return out, nil
}

func (q *request) filledGrids() []workflow.Grid {
	var out []workflow.Grid
	for _, r := range q.rows("code", "name", "kind", "buildings") {
		out = append(out, workflow.Grid{Code: r["code"], Name: r["name"], Kind: r["kind"], Buildings: buildingsIn(r["buildings"])})
	}
	return out
}

// How people write which buildings a grid has, besides how a document has it.
var (
	otherSigns  = strings.NewReplacer("，", ", ", "、", ", ", ";", ", ", "；", ", ", "\n", ", ", "：", ":")
	spanSigns   = regexp.MustCompile(`(\d)\s*(?:号楼|号|栋|幢)?\s*(?:[-—–~～至到]+)\s*(\d)`)
	afterNumber = regexp.MustCompile(`(\d)\s*(?:号楼|号|栋|幢)`)
	spanEnd     = regexp.MustCompile(`(:[\s\d-]*\d)\s*(?:号楼|号|栋|幢)`)
)

func buildingsIn(s string) string {
	return strings.Trim(spanEnd.ReplaceAllString(spanSigns.ReplaceAllString(otherSigns.Replace(s), "$1-$2"), "$1"), ", ")
}

type landmarkRow struct {
	Name    string   `yaml:"name"`
	Aliases []string `yaml:"aliases,omitempty"`
	Estate  string   `yaml:"estate,omitempty"`
	Grid    string   `yaml:"grid"`
}

func (q *request) filledLandmarks() []landmarkRow {
	var out []landmarkRow
	for _, r := range q.rows("name", "aliases", "estate", "grid") {
		out = append(out, landmarkRow{r["name"], namesIn(r["aliases"]), r["estate"], r["grid"]})
	}
	return out
}

func (q *request) filledCourtyards() ([]workflow.Courtyard, error) {
	var out []workflow.Courtyard
	for i, buildings := range q.PostForm["buildings"] {
		gone := slices.Contains(q.PostForm["gone"], strconv.Itoa(i))
		if names := q.PostForm["name"]; !gone && strings.TrimSpace(buildings) != "" && i < len(names) && strings.TrimSpace(names[i]) == "" {
			return nil, &fault{Field: "name", Row: i, Key: "courtyard"}
		}
	}
	for _, r := range q.rows("name", "estate", "buildings") {
		out = append(out, workflow.Courtyard{Name: r["name"], Estate: r["estate"], Buildings: buildingsIn(afterNumber.ReplaceAllString(r["buildings"], "$1"))})
	}
	return out, nil
}

// clockField is one time of the clocks, by its path in the document.
type clockField struct {
	key string
	at  *time.Duration
}

func clockFields(c *workflow.Clocks) []clockField {
	return []clockField{
		{"emergency.response", &c.Emergency.Response}, {"emergency.resolve", &c.Emergency.Resolve},
		{"major.response", &c.Major.Response}, {"major.feedback", &c.Major.Feedback}, {"major.resolve", &c.Major.Resolve},
		{"minor.response", &c.Minor.Response}, {"minor.resolve", &c.Minor.Resolve},
		{"wish_unclaimed", &c.WishClaimed}, {"wish_resolve", &c.WishResolve},
		{"feedback_window", &c.Rating}, {"rating_reminder", &c.RatingReminder}, {"question", &c.Question}, {"tray", &c.Tray},
		{"reopen_window", &c.Reopen}, {"urge_pause", &c.UrgePause},
	}
}

// timeInWords is a time as somebody writes it who fills in the form.
func (q *request) timeInWords(d time.Duration) string {
	unit, n := "minutes", int(d/time.Minute)
	switch {
	case d%(24*time.Hour) == 0 && d > 72*time.Hour:
		unit, n = "days", int(d/(24*time.Hour))
	case d%time.Hour == 0 && d > 0:
		unit, n = "hours", int(d/time.Hour)
	}
	return strconv.Itoa(n) + q.voice().Say("page.unit."+unit, nil)
}

// timeForm is a time in words: a number and what it counts.
var timeForm = regexp.MustCompile(`^(\d{1,4})\s*(\D*)$`)

// timeOf reads a time in words.
func (q *request) timeOf(s string) (time.Duration, bool) {
	m := timeForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, false
	}
	n, _ := strconv.Atoi(m[1])
	for unit, d := range map[string]time.Duration{"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour} {
		if name := q.voice().Say("page.unit."+unit, nil); m[2] != "" && strings.HasPrefix(name, strings.TrimPrefix(m[2], "个")) {
			return time.Duration(n) * d, true
		}
	}
	return 0, false
}

// filledClocks changes those times that the form has otherwise; how the others are
// written stays.
func (q *request) filledClocks(c *workflow.Community, document string) (any, error) {
	text, err := charter.Section([]byte(document), "clocks")
	if err != nil {
		return nil, err
	}
	written := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &written); err != nil {
		return nil, fmt.Errorf("console: clocks: %w", err)
	}
	for _, f := range clockFields(&c.Clocks) {
		if !q.PostForm.Has(f.key) {
			continue
		}
		d, ok := q.timeOf(q.PostFormValue(f.key))
		if !ok {
			return nil, &fault{Field: f.key, Key: "time"}
		}
		if d == *f.at {
			continue
		}
		in, key := written, f.key
		if part, below, nested := strings.Cut(f.key, "."); nested {
			deep, _ := in[part].(map[string]any)
			if deep == nil { // what was left out has its defaults only as a whole
				whole := map[string]workflow.Promise{"emergency": c.Clocks.Emergency, "major": c.Clocks.Major, "minor": c.Clocks.Minor}[part]
				deep = map[string]any{"response": short(whole.Response), "resolve": short(whole.Resolve)}
				if whole.Feedback > 0 {
					deep["feedback"] = short(whole.Feedback)
				}
			}
			in[part], in, key = deep, deep, below
		}
		in[key] = short(d)
	}
	return written, nil
}

// short is a time as a document has it.
func short(d time.Duration) string {
	s := d.String()
	if d != 0 {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// categories are the shipped ones and the community's own, counted.
func (q *request) categories(c *workflow.Community) ([]ownCategory, error) {
	filed, err := q.console.o.Record.FiledByCategory(q.Context(), q.community(), q.now.Add(-lately))
	if err != nil {
		return nil, err
	}
	shipped, own := q.console.o.Taxonomy.For(nil), q.console.o.Taxonomy.For(c)
	var out []ownCategory
	for _, kind := range []workflow.Kind{workflow.Incident, workflow.Wish} {
		codes := slices.Collect(maps.Keys(map[workflow.Kind]map[workflow.Category]string{workflow.Incident: own.IncidentCategories, workflow.Wish: own.WishCategories}[kind]))
		slices.SortFunc(codes, func(a, b workflow.Category) int {
			return strings.Compare(own.Label(a), own.Label(b))
		})
		for _, code := range codes {
			one := ownCategory{Code: code, Kind: kind, Own: c.Categories[code].Label, Off: own.Off(code), MayBeOff: code != workflow.OtherIncident && code != workflow.OtherWish, Filed: filed[code]}
			if shipped.KindOf(code) != "" {
				one.Label = shipped.Label(code)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

type categoryRow struct {
	Label string        `yaml:"label,omitempty"`
	Kind  workflow.Kind `yaml:"kind,omitempty"`
	Off   bool          `yaml:"off,omitempty"`
}

func (q *request) filledCategories(c *workflow.Community) any {
	shipped := q.console.o.Taxonomy.For(nil)
	out := map[workflow.Category]categoryRow{}
	all := q.rows("code", "label", "kind")
	if label := q.words("new_label"); label != "" && len(all) > 0 && all[len(all)-1]["label"] == "" {
		all[len(all)-1]["label"] = label // the row of the new one, which comes last
	}
	for _, r := range all {
		code := workflow.Category(r["code"])
		row := categoryRow{Label: r["label"], Off: slices.Contains(q.PostForm["off"], r["code"])}
		if shipped.KindOf(code) == "" {
			row.Kind = workflow.Kind(r["kind"])
		}
		if row.Label == shipped.Label(code) {
			row.Label = ""
		}
		if row != (categoryRow{}) {
			out[code] = row
		}
	}
	if len(out) == 0 && len(c.Categories) == 0 {
		return nil
	}
	return out
}

// sentences say what a document says, as a person says it, a line for each thing.
func (q *request) sentences(c *workflow.Community) []string {
	say := func(key string, v wording.Values) string { return q.voice().Say("page.sentence."+key, v) }
	var out []string
	for _, one := range []struct{ key, value string }{
		{"name", c.Name}, {"subdistrict", c.Subdistrict}, {"households", strconv.Itoa(c.Households)}, {"residents", strconv.Itoa(c.Residents)},
		{"hotline", c.Hotline}, {"timezone", c.Timezone}, {"open311", q.voice().Say("page.option.open311."+cmp.Or(string(c.Open311), "all"), nil)},
	} {
		out = append(out, say("single", wording.Values{"Name": q.section(one.key).Name, "Text": one.value}))
	}
	for _, e := range c.Estates {
		out = append(out, say("estate", wording.Values{"Name": e.Name, "Count": e.Buildings, "Yes": e.PropertyContract}))
	}
	for _, g := range c.Grids {
		out = append(out, say("grid", wording.Values{"Name": g.Name, "Place": g.Buildings, "Yes": g.Kind == "special"}))
	}
	for _, l := range c.Landmarks {
		g, _ := c.Grid(l.Grid)
		out = append(out, say("landmark", wording.Values{"Name": l.Name, "Place": l.Estate, "Grid": g.Name}))
	}
	for _, y := range c.Courtyards {
		out = append(out, say("courtyard", wording.Values{"Name": y.Name, "Place": y.Estate, "Text": y.Buildings}))
	}
	for _, f := range clockFields(&c.Clocks) {
		out = append(out, q.voice().Say("page.clock."+f.key, nil)+" "+q.timeInWords(*f.at))
	}
	for i, r := range rulesOf(c) {
		out = append(out, say("rule", wording.Values{"Index": i + 1, "Text": q.ruleInWords(c, &r)}))
	}
	for _, code := range slices.Sorted(maps.Keys(c.Categories)) {
		own := c.Categories[code]
		label := own.Label
		if label == "" {
			label = q.console.o.Taxonomy.Label(code)
		}
		out = append(out, say("category", wording.Values{"What": label, "Yes": own.Off}))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Wording)) {
		out = append(out, say("text", wording.Values{"Name": key, "Text": c.Wording[key]}))
	}
	return slices.Concat(out, q.fieldSentences(c), q.ladderSentences(c))
}
