package understand

import (
	"slices"
	"time"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
)

// sameWithin is how long after one report another may still tell of the same
// trouble; an older one that is still open may be, but a person should say so.
const sameWithin = 72 * time.Hour

// alike is how much of the shorter text's pairs of characters must stand in
// the longer one where neither names a thing.
const alike = 0.6

// Same tells whether two incidents tell of one trouble: the same category, not
// long apart, one place, and about the same thing. It would rather have two
// tickets of one trouble than one ticket of two: wrongly joined, a resident
// waits for what nobody does.
func (r *Rules) Same(a, b workflow.Matter) bool {
	apart := a.At.Sub(b.At).Abs()
	if a.Category == "" || a.Category != b.Category || a.Category == workflow.OtherIncident || apart > sameWithin {
		return false
	}
	if !samePlace(a.Place, b.Place) {
		return false
	}
	ta, tb := newText(a.Text, r.simplified), newText(b.Text, r.simplified)
	in, other := r.thingsOf(ta), r.thingsOf(tb)
	if len(in) > 0 || len(other) > 0 {
		// What one names and the other does not is another thing.
		return slices.ContainsFunc(in, func(t int) bool { return slices.Contains(other, t) }) && (contains(in, other) || contains(other, in))
	}
	return shared(ta, tb) >= alike
}

func contains(all, some []int) bool {
	return !slices.ContainsFunc(some, func(t int) bool { return !slices.Contains(all, t) })
}

// samePlace: nothing that both say differs, and what one says leaves no wide
// choice: a landmark, or a building in a known estate.
func samePlace(a, b workflow.Place) bool {
	if a.Estate == "" || a.Estate != b.Estate {
		return false
	}
	differs := func(x, y int) bool { return x != y && x != 0 && y != 0 }
	switch {
	case a.Building != b.Building, differs(a.Unit, b.Unit), differs(a.Floor, b.Floor):
		return false
	case a.Landmark != b.Landmark:
		return false
	case a.Room != "" && b.Room != "" && a.Room != b.Room:
		return false
	}
	return a.Building != 0 || a.Landmark != "" || a.Detail != "" && a.Detail == b.Detail
}

// thingsOf are the things of the lexicon that a text names.
func (r *Rules) thingsOf(t *text) []int {
	var out []int
	for i, names := range r.things {
		if slices.ContainsFunc(names, func(n []rune) bool {
			for at := range t.runes {
				if t.has(at, n) {
					return true
				}
			}
			return false
		}) {
			out = append(out, i)
		}
	}
	return out
}

// shared is the part of the shorter text's pairs of characters that the longer
// one has, 0 to 1.
func shared(a, b *text) float64 {
	pa, pb := pairs(a), pairs(b)
	if len(pa) > len(pb) {
		pa, pb = pb, pa
	}
	if len(pa) == 0 {
		return 0
	}
	both := 0
	for p := range pa {
		if pb[p] {
			both++
		}
	}
	return float64(both) / float64(len(pa))
}

func pairs(t *text) map[[2]rune]bool {
	out := map[[2]rune]bool{}
	for i := 1; i < len(t.runes); i++ {
		if unicode.Is(unicode.Han, t.runes[i-1]) && unicode.Is(unicode.Han, t.runes[i]) {
			out[[2]rune{t.runes[i-1], t.runes[i]}] = true
		}
	}
	return out
}
