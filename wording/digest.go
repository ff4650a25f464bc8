package wording

import (
	"maps"
	"slices"
	"strconv"

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

// Told is what a language model is shown of a week: what the report has, in the
// same words, without the names of those who are responsible.
func (o Voice) Told(d *digest.Digest) digest.Told {
	t := digest.Told{Week: o.WeekDays(d), Labels: []string{d.Name, o.Say("digest.figure.hotline", nil)}}
	figure := func(name string, get func(f *digest.Figures) string) {
		t.Figures = append(t.Figures, digest.Figure{Name: name, Now: get(&d.Now), Before: get(&d.Before), YearAgo: get(&d.YearAgo)})
	}
	for _, c := range []struct {
		name string
		get  func(f *digest.Figures) int
	}{
		{"incidents", func(f *digest.Figures) int { return f.Incidents }}, {"wishes", func(f *digest.Figures) int { return f.Wishes }},
		{"resolved", func(f *digest.Figures) int { return f.Resolved }}, {"missed", func(f *digest.Figures) int { return f.Missed }},
		{"reopened", func(f *digest.Figures) int { return f.Reopened }}, {"repeats", func(f *digest.Figures) int { return f.Repeats }},
		{"fulfilled", func(f *digest.Figures) int { return f.Fulfilled }}, {"hotline", func(f *digest.Figures) int { return f.Hotline }},
	} {
		figure(o.Say("digest.figure."+c.name, nil), func(f *digest.Figures) string { return o.count(c.get(f)) })
	}
	for i, r := range d.Now.Named() {
		figure(o.Say("digest.rate."+r.Name, nil), func(f *digest.Figures) string { return o.Rate(f.Named()[i].Rate) })
	}
	for _, u := range d.Now.Units {
		if name := o.Unit(u.By, u.Code); u.By == digest.ByGrid {
			t.Labels = append(t.Labels, name)
			was := func(f *digest.Figures) digest.Rate {
				for _, x := range f.Units {
					if x.By == u.By && x.Code == u.Code {
						return x.Resolution
					}
				}
				return digest.Rate{}
			}
			figure(name+" "+o.Say("digest.rate.resolution", nil), func(f *digest.Figures) string { return o.Rate(was(f)) })
		}
	}
	for _, h := range d.HotSpots {
		t.Labels = append(t.Labels, h.Place())
	}
	for _, f := range d.Findings {
		nameless := f
		if nameless.Values = maps.Clone(f.Values); nameless.Values != nil {
			delete(nameless.Values, "owner")
		}
		t.Findings = append(t.Findings, o.Finding(nameless))
	}
	return t
}

// Rate is a rate as it is written: 「82.3%」; 「—」 of nothing.
func (o Voice) Rate(r digest.Rate) string {
	if !r.Known() {
		return o.Say("digest.nothing", nil)
	}
	return strconv.FormatFloat(r.Percent(), 'f', -1, 64) + "%"
}

// count is a count as it is written; less than 0 is not known.
func (o Voice) count(n int) string {
	if n < 0 {
		return o.Say("digest.unknown", nil)
	}
	return strconv.Itoa(n)
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
