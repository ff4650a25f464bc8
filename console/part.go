package console

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// registry applies documents.
func (c *Console) registry() *charter.Registry {
	return &charter.Registry{Record: c.o.Record, Wording: c.o.Wording, Taxonomy: c.o.Taxonomy}
}

// shapePage is the community's document, part by part.
type shapePage struct {
	Version  int64
	Sections []section
}

// section is a part of the document with what it is called.
type section struct{ Key, Name, Help, Is string }

func (q *request) sections() []section {
	var out []section
	for _, key := range charter.Sections {
		out = append(out, q.section(key))
	}
	return out
}

func (q *request) section(key string) section {
	return section{Key: key, Name: q.voice().Say("page.section."+key+".name", nil), Help: q.voice().Say("page.section."+key+".help", nil)}
}

// communityShape lists the parts of the community's document.
func (c *Console) communityShape(q *request) error {
	doc, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	now, err := workflow.ParseCommunity(strings.NewReader(doc.YAML))
	if err != nil {
		return err
	}
	page := shapePage{Version: doc.Version, Sections: q.sections()}
	for i := range page.Sections {
		page.Sections[i].Is = q.stands(now, page.Sections[i].Key)
	}
	return q.show("community", page)
}

// stands is how a part of the document is now, in a few words; "" where it has no
// short ones.
func (q *request) stands(c *workflow.Community, key string) string {
	values := map[string]any{
		"name": c.Name, "subdistrict": c.Subdistrict, "households": c.Households, "residents": c.Residents, "hotline": c.Hotline, "timezone": c.Location().String(),
		"estates": len(c.Estates), "grids": len(c.Grids), "landmarks": len(c.Landmarks), "courtyards": len(c.Courtyards), "assignment": len(c.Assignment), "wording": len(c.Wording), "categories": len(c.Categories),
		"open311": q.voice().Say("page.option.open311."+cmp.Or(string(c.Open311), "all"), nil),
	}
	switch v := values[key].(type) {
	case string:
		return cmp.Or(v, q.voice().Say("page.shape.none", nil))
	case int:
		if v == 0 {
			return q.voice().Say("page.shape.none", nil)
		}
		if text := "page.shape." + key; q.console.o.Wording.Has(text) {
			return q.voice().Say(text, wording.Values{"Count": v})
		}
		return strconv.Itoa(v)
	}
	return ""
}

// partPage is one part in change.
type partPage struct {
	section
	On      int64 // the version that is being changed
	Text    string
	Form    *partForm // nil where the part has none
	Checked bool      // it may be applied as it stands here
	preview
}

// preview is what a change of the document would do.
type preview struct {
	Words   []charter.Line // what changes, as a person says it; none where the part has no such words
	Lines   []charter.Line // the lines of the document that go, come and move
	Changes bool           // it is another document; without lines only in what is empty
	Nobody  []string       // rules, in words, that find nobody as the staff is now and that did not stand before
	Moves   int            // open tickets that would go with their building to another grid
	Numbers []int64        // the first of them
}

// Preview is for templates.
func (p partPage) Preview() preview { return p.preview }

// mostMoves is how many tickets a preview names.
const mostMoves = 10

// previewed tells what a change would do.
func (q *request) previewed(ch *charter.Change) (preview, error) {
	out := preview{Lines: ch.Lines, Changes: !ch.Nothing()}
	if was, err := workflow.ParseCommunity(strings.NewReader(ch.Was.YAML)); err == nil {
		out.Words = charter.Differences(q.sentences(was), q.sentences(ch.Community))
		before := q.unplayed(was)
		out.Nobody = slices.DeleteFunc(q.unplayed(ch.Community), func(rule string) bool { return slices.Contains(before, rule) })
	}
	err := q.console.o.Desk.Journal().OpenTickets(q.Context(), q.community(), func(t workflow.Ticket) error {
		if t.MovesTo(ch.Community) != "" {
			if out.Moves++; len(out.Numbers) < mostMoves {
				out.Numbers = append(out.Numbers, t.Number)
			}
		}
		return nil
	})
	return out, err
}

func (q *request) partOf() (section, error) {
	key := q.PathValue("section")
	if !slices.Contains(charter.Sections, key) {
		return section{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such part of a document")}
	}
	return q.section(key), nil
}

// part shows one part of the document to be changed.
func (c *Console) part(q *request) error {
	s, err := q.partOf()
	if err != nil {
		return err
	}
	doc, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	page := partPage{section: s, On: doc.Version}
	if page.Text, err = charter.Section([]byte(doc.YAML), s.Key); err != nil {
		return err
	}
	if page.Form, err = q.partForm(s.Key, doc.YAML); err != nil {
		return err
	}
	return q.show("part", page)
}

// changePart shows first what would change, and applies it when that is agreed to.
func (c *Console) changePart(q *request) error {
	s, err := q.partOf()
	if err != nil {
		return err
	}
	doc, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	page := partPage{section: s, Text: q.PostFormValue("text")}
	page.On, _ = strconv.ParseInt(q.PostFormValue("on"), 10, 64)
	yaml, err := charter.Amend([]byte(doc.YAML), s.Key, page.Text)
	return q.changeDocument(page, doc, yaml, err)
}

// fillPart is changePart with what a form says in place of a text.
func (c *Console) fillPart(q *request) error {
	s, err := q.partOf()
	if err != nil {
		return err
	}
	doc, err := c.o.Record.CommunityDocument(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	page := partPage{section: s}
	page.On, _ = strconv.ParseInt(q.PostFormValue("on"), 10, 64)
	value, err := q.filledPart(s.Key, doc.YAML)
	if err != nil {
		return err
	}
	yaml, err := charter.AmendValue([]byte(doc.YAML), s.Key, value)
	if err == nil {
		page.Text, err = charter.Section(yaml, s.Key)
	}
	return q.changeDocument(page, doc, yaml, err)
}

// changeDocument shows what a document would change, and applies it when that is
// agreed to. err is why there is none.
func (q *request) changeDocument(page partPage, doc workflow.Document, yaml []byte, err error) error {
	c, agreed := q.console, q.PostFormValue("agreed") == "yes"
	var change charter.Change
	if err == nil {
		change, err = c.registry().Propose(q.Context(), q.community(), page.On, yaml)
	}
	var refused *charter.Refused
	switch {
	case errors.As(err, &refused):
		return q.documentFault(refused)
	case errors.Is(err, desk.ErrStale):
		if text, err := charter.Section([]byte(doc.YAML), page.Key); err == nil && agreed && text == page.Text {
			return q.to("applied", "admin/community") // by the first of two taps
		}
		return &fault{Key: "stale", Stale: true}
	case err != nil:
		return err
	}
	if page.preview, err = q.previewed(&change); err != nil {
		return err
	}
	page.Checked = true
	if !agreed || change.Nothing() {
		q.tried = true
		if page.Key != "assignment" { // whose form tells rules by their place in what stands
			if page.Form, err = q.partForm(page.Key, string(yaml)); err != nil {
				return err
			}
		}
		return q.show("part", page)
	}
	if err := q.apply(change); err != nil {
		if errors.As(err, &refused) {
			return q.documentFault(refused)
		}
		return err
	}
	return q.to("applied", "admin/community")
}

// apply makes a change of the document stand, and has this process see it at once; the
// others do within a second.
func (q *request) apply(change charter.Change) error {
	if _, err := q.console.registry().Apply(q.Context(), change, q.me.Name, false); err != nil {
		return err
	}
	return q.console.o.Desk.Refresh(q.Context())
}

// documentFault is what is wrong with a document, at the field of the form by which it
// was changed where one is known.
func (q *request) documentFault(refused *charter.Refused) error {
	out := &fault{Says: append([]string{q.voice().Say("page.problem.unchanged", nil)}, q.reasons(refused)...)}
	var wrong *workflow.Wrong
	if !errors.As(refused, &wrong) || !strings.HasPrefix(wrong.At, q.PathValue("section")) {
		return out
	}
	out.Field = strings.TrimPrefix(strings.TrimPrefix(wrong.At, q.PathValue("section")), ".")
	if index, below, row := strings.Cut(out.Field, "]"); row {
		out.Row, _ = strconv.Atoi(strings.TrimPrefix(index, "["))
		out.Field = strings.TrimPrefix(below, ".")
		if q.PathValue("section") == "assignment" { // whose form is one rule's
			out.Field, out.Row = out.Field[strings.LastIndex(out.Field, ".")+1:], 0
		}
		if first := map[string]string{"estates": "name", "grids": "code", "landmarks": "name", "courtyards": "name"}[q.PathValue("section")]; first != "" {
			out.Field, out.Row = cmp.Or(out.Field, first), q.formRow(first, out.Row)
		}
	}
	return out
}

// reasons are why a document is refused, in words where there are any.
func (q *request) reasons(refused *charter.Refused) []string {
	if faults := wording.FaultsOf(refused); len(faults) > 0 {
		var out []string
		for _, f := range faults {
			out = append(out, q.voice().Fault(f))
		}
		return out
	}
	if errors.Is(refused, charter.ErrRenumbered) {
		return []string{q.voice().Say("page.renumbered", nil)}
	}
	if wrongs := q.wrongs(refused); len(wrongs) > 0 {
		return wrongs
	}
	line := 0 // of a text that is no YAML
	if m := atLine.FindStringSubmatch(refused.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	return []string{q.voice().Say("page.wrong.text", wording.Values{"Index": line})}
}

// atLine is where the YAML library stopped reading.
var atLine = regexp.MustCompile(`yaml: line ([0-9]+):`)
