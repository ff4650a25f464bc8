package understand

import (
	"math"
	"slices"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
)

// sure is the confidence of words that hardly mean anything else.
const sure = 0.95

// verdict is what the words say of kind and category.
type verdict struct {
	kind       workflow.Kind
	category   workflow.Category
	confidence float64 // 0 to 1
}

// tally sums what speaks for something: each phrase once.
type tally struct {
	sum    float64
	strong int // strong or certain phrases among them
}

// judge weighs kind and category. named tells that the text names a place.
func (r *Rules) judge(t *text, found []match, named bool) verdict {
	sums := r.tallies(found)
	incident, incidentOdds := best(sums, groupRest+len(r.dangers), r.incidents)
	wish, wishOdds := best(sums, groupRest+len(r.dangers)+len(r.incidents), r.wishes)
	about, wanted := sums[groupRest+len(r.dangers)+incident], sums[groupRest+len(r.dangers)+len(r.incidents)+wish]
	problem, wants, asks, praise := sums[groupProblem], sums[groupWanted], sums[groupQuestion], sums[groupPraise]
	if sums[groupUnwanted].sum > 0 {
		wants = tally{}
		problem.sum += strong
	}
	broken := problem.strong > 0 || about.strong > 0
	switch left := r.unsaid(t, found); {
	case !named && left == 0:
		return verdict{workflow.Chat, "", sure}
	case !named && left <= 3 && !broken && wants.strong == 0 && asks.strong == 0 && praise.strong == 0 && about.sum < plainly && wanted.strong == 0:
		return verdict{workflow.Chat, "", 0.5}
	}
	switch {
	case praise.strong > 0 && !broken && wants.strong == 0:
		return verdict{workflow.Praise, "", rising(praise.sum + 1)}
	case praise.strong > 1 && problem.strong == 0 && wants.strong == 0 && praise.sum >= about.sum:
		return verdict{workflow.Praise, "", rising(praise.sum - 2)}
	case asks.strong > 0 && problem.strong == 0 && asks.sum+1 >= about.sum && asks.sum >= wants.sum && !(wants.strong > 0 && wanted.strong > 0):
		v := verdict{workflow.Consult, "", rising(asks.sum)}
		if about.sum > 0 {
			v.category = r.incidents[incident]
		}
		return v
	case wants.strong > 0 && (wanted.strong > 0 || about.strong == 0) && wants.sum+wanted.sum > problem.sum+about.sum-wants.sum/4,
		wanted.strong > 0 && wants.sum > 0 && wants.sum+wanted.sum > problem.sum+about.sum,
		wanted.strong > 0 && !broken && wants.sum+asks.sum > 0 && wanted.sum >= about.sum:
		v := verdict{workflow.Wish, workflow.OtherWish, rising(wants.sum) * 0.5}
		if wanted.sum > weak {
			v.category, v.confidence = r.wishes[wish], rising((wants.sum+wanted.sum)/2)*wishOdds
		}
		return v
	case about.sum >= plainly || about.sum > 0 && problem.sum >= plainly:
		return verdict{workflow.Incident, r.incidents[incident], rising(about.sum+problem.sum/4) * incidentOdds}
	case problem.sum >= plainly:
		return verdict{workflow.Incident, workflow.OtherIncident, 0.3}
	case praise.sum >= plainly && wants.sum == 0:
		return verdict{workflow.Praise, "", rising(praise.sum)}
	case asks.sum >= plainly && !named && t.asks():
		return verdict{workflow.Consult, "", rising(asks.sum)}
	case !named && len(t.runes) < short:
		return verdict{workflow.Chat, "", 0.2}
	}
	return verdict{workflow.Incident, workflow.OtherIncident, 0.1}
}

// asks tells whether the text ends as a question does.
func (t *text) asks() bool {
	end := len(t.runes)
	for end > 0 && !unicode.Is(unicode.Han, t.runes[end-1]) && t.runes[end-1] != '?' {
		end--
	}
	return end > 0 && slices.Contains([]rune("?吗么呢不啥谁哪几啊少"), t.runes[end-1])
}

// short is how long a text without any sign of what it is about must be to be
// taken for a matter, in runes.
const short = 8

// tallies sums the phrases of each group.
func (r *Rules) tallies(found []match) []tally {
	sums := make([]tally, groupRest+len(r.dangers)+len(r.incidents)+len(r.wishes))
	seen := make([]bool, len(r.book.cues))
	for _, m := range found {
		if seen[m.cue] {
			continue
		}
		seen[m.cue] = true
		c := &r.book.cues[m.cue]
		sums[c.group].sum += c.weight
		if c.weight >= strong {
			sums[c.group].strong++
		}
	}
	return sums
}

// best is the category with most to say for it and how clearly it leads, 0.6
// to 1.
func best(sums []tally, group int, categories []workflow.Category) (i int, odds float64) {
	var first, second float64
	for k := range categories {
		switch s := sums[group+k].sum; {
		case s > first:
			i, first, second = k, s, first
		case s > second:
			second = s
		}
	}
	if first == 0 {
		return 0, 0.6
	}
	return i, 0.6 + 0.4*(first-second)/first
}

// rising makes a confidence of a sum of weights: one strong phrase gives 0.63,
// two 0.86.
func rising(sum float64) float64 { return min(1-math.Exp(-max(sum, 0)/4), sure) }

// grave tells a matter that is major: many households, health, heat, water,
// power, safety.
func (r *Rules) grave(found []match, c workflow.Category) bool {
	return slices.Contains(r.major, c) || r.first(found, groupMajor) >= 0
}

// unsaid counts the Chinese characters that are no mere courtesy.
func (r *Rules) unsaid(t *text, found []match) int {
	courtesy := make([]bool, len(t.runes))
	for _, m := range found {
		if r.book.cues[m.cue].group == groupCourtesy {
			for i := m.from; i < m.to; i++ {
				courtesy[i] = true
			}
		}
	}
	n := 0
	for i, c := range t.runes {
		if !courtesy[i] && unicode.Is(unicode.Han, c) {
			n++
		}
	}
	return n
}
