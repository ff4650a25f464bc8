package wording

import (
	"maps"
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Finding is what matters in a week, in one sentence.
func (o Voice) Finding(f digest.Finding) string {
	v := Values(maps.Clone(f.Values))
	if v == nil {
		v = Values{}
	}
	if name, ok := v["rate"].(string); ok {
		v["Rate"] = o.Say("digest.rate."+name, nil)
	}
	if by, ok := v["by"].(string); ok {
		code, _ := v["code"].(string)
		v["Unit"] = o.Unit(digest.By(by), code)
	}
	if category, ok := v["category"].(string); ok {
		v["What"] = o.Taxonomy.Label(workflow.Category(category))
	}
	return o.Say("digest.finding."+f.Key, v)
}

// Sentences are what matters most in a week: those that a language model wrote
// and that hold, else the findings in words, without those of the keys that are
// said elsewhere already.
func (o Voice) Sentences(d *digest.Digest, elsewhere ...string) []string {
	if len(d.Sentences) > 0 {
		return d.Sentences
	}
	var out []string
	for _, f := range d.Findings {
		if !slices.Contains(elsewhere, f.Key) {
			out = append(out, o.Finding(f))
		}
	}
	return out
}

// Unit is what a unit of the digest is called.
func (o Voice) Unit(by digest.By, code string) string {
	switch by {
	case digest.ByGrid:
		if g, ok := o.Shape.Community.Grid(code); ok {
			return g.Name
		}
		return o.Say("digest.no_grid", nil)
	case digest.ByCategory:
		if code == "" {
			return o.Say("what_unknown", nil)
		}
		return o.Taxonomy.Label(workflow.Category(code))
	case digest.ByGroup:
		return o.Say("digest.group."+code, nil)
	}
	return code
}

// WeekDays is a week as people say it: 「11月16日至22日」.
func (o Voice) WeekDays(d *digest.Digest) string {
	zone := o.Shape.Community.Location()
	from, last := d.From.In(zone), d.Until.In(zone).AddDate(0, 0, -1)
	return o.Say("digest.days", Values{
		"FromMonth": int(from.Month()), "FromDay": from.Day(), "Month": int(last.Month()), "Day": last.Day(), "SameMonth": from.Month() == last.Month(),
	})
}
