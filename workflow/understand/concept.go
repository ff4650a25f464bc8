package understand

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// thesaurus finds the concepts of a text: words that speak of the same have
// one, so that what is learnt of one word is known of the others.
type thesaurus struct {
	byFirst map[rune][]term
	names   []string   // by concept, as a feature
	pairs   [][]string // by two concepts, the smaller first, as a feature
}

// term is a word with its concept.
type term struct {
	word    []rune
	concept int
}

// near is how many runes may lie between two concepts that are said together.
const near = 12

// newThesaurus reads concepts, each with its words between blanks.
func newThesaurus(concepts map[string]string, simplified map[rune]rune) (*thesaurus, error) {
	th := &thesaurus{byFirst: map[rune][]term{}}
	for i, name := range slices.Sorted(maps.Keys(concepts)) {
		th.names = append(th.names, "c:"+name)
		seen := map[string]bool{}
		for w := range strings.FieldsSeq(concepts[name]) {
			runes := newText(w, simplified).runes
			if string(runes) != w {
				return nil, fmt.Errorf("concepts.%s: %q is never found, write %q", name, w, string(runes))
			}
			if seen[w] {
				return nil, fmt.Errorf("concepts.%s: %q stands twice", name, w)
			}
			seen[w] = true
			th.byFirst[runes[0]] = append(th.byFirst[runes[0]], term{runes, i})
		}
	}
	for _, terms := range th.byFirst {
		slices.SortStableFunc(terms, func(a, b term) int { return cmp.Compare(len(b.word), len(a.word)) })
	}
	th.pairs = make([][]string, len(th.names))
	for i := range th.pairs {
		th.pairs[i] = make([]string, len(th.names))
		for j := i + 1; j < len(th.names); j++ {
			th.pairs[i][j] = th.names[i] + "+" + th.names[j][2:]
		}
	}
	return th, nil
}

// said is a concept in a text.
type said struct{ concept, from, to int }

// features adds the concepts of a text, and pairs of them that stand close, to
// out. Of words within each other the longest counts; one word may have
// several concepts.
func (th *thesaurus) features(t *text, out []string) []string {
	var room [64]said
	all := room[:0]
	for i := 0; i < len(t.runes) && len(all) < cap(all); {
		length := 0
		for _, w := range th.byFirst[t.runes[i]] {
			if len(w.word) < length || !t.has(i, w.word) {
				continue
			}
			length = len(w.word)
			all = append(all, said{w.concept, i, i + length})
			if len(all) == cap(all) {
				break
			}
		}
		i += max(length, 1)
	}
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for i, a := range all {
		add(th.names[a.concept])
		for _, b := range all[i+1:] {
			if b.from > a.to+near {
				break
			}
			if x, y := min(a.concept, b.concept), max(a.concept, b.concept); x != y {
				add(th.pairs[x][y])
			}
		}
	}
	return out
}
