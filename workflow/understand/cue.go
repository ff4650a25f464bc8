package understand

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A cue is a phrase that says something: words in order with "…" between them
// where up to reach runes of the same sentence may stand, and "/" between
// words that may stand for each other: 「电梯…坏/停/不动」.
type cue struct {
	group  int
	weight float64
	parts  [][]int // of word numbers
	name   string  // as a feature of the models
}

// reach is how many runes "…" may stand for.
const reach = 8

// book holds the cues of all groups, so that one pass over a text finds all.
type book struct {
	words         [][]rune
	byFirst       map[rune][]int // word numbers by first rune
	number        map[string]int
	cues          []cue
	begins        [][]int // by word number: the cues whose first part has it
	behindDangers int     // the dangers' groups are those from groupRest to this
}

// match is a cue found in a text, from its first rune to behind its last.
type match struct {
	cue      int
	from, to int
	last     int // where its last part begins
}

// hit is a word found in a text.
type hit struct{ word, from, to int }

func newBook() *book {
	return &book{byFirst: map[rune][]int{}, number: map[string]int{}}
}

// add takes phrases into a group.
func (b *book) add(group int, weight float64, phrases []string) error {
	var errs []error
	for _, p := range phrases {
		c := cue{group: group, weight: weight, name: fmt.Sprintf("%d:%g", group, weight)}
		for part := range strings.SplitSeq(p, "…") {
			var words []int
			for w := range strings.SplitSeq(part, "/") {
				if strings.TrimSpace(w) != w || w == "" {
					errs = append(errs, fmt.Errorf("%q: has an empty part", p))
					continue
				}
				words = append(words, b.word(w))
			}
			c.parts = append(c.parts, words)
		}
		if len(c.parts[0]) == 0 {
			continue
		}
		for _, w := range c.parts[0] {
			b.begins[w] = append(b.begins[w], len(b.cues))
		}
		b.cues = append(b.cues, c)
	}
	return errors.Join(errs...)
}

func (b *book) word(s string) int {
	if n, ok := b.number[s]; ok {
		return n
	}
	n, runes := len(b.words), []rune(s)
	b.number[s] = n
	b.words = append(b.words, runes)
	b.begins = append(b.begins, nil)
	// The longest first, so that of several words in one spot a gap leads to it.
	same := append(b.byFirst[runes[0]], n)
	slices.SortStableFunc(same, func(x, y int) int { return cmp.Compare(len(b.words[y]), len(b.words[x])) })
	b.byFirst[runes[0]] = same
	return n
}

// find gives all cues in a text. What stands within a set phrase is not
// looked at, what stands within the last part of a figure of speech is not
// taken for a danger: the fire of 「上火」 is none.
func (b *book) find(t *text) []match {
	hits := make([]hit, 0, len(t.runes))
	for i, r := range t.runes {
		for _, w := range b.byFirst[r] {
			if t.has(i, b.words[w]) {
				hits = append(hits, hit{w, i, i + len(b.words[w])})
			}
		}
	}
	hits = without(hits, b.match(t, hits, func(group int) bool { return group == groupSetPhrase }))
	found := b.match(t, hits, func(group int) bool { return group > groupFigure && !b.dangerous(group) })
	figures := b.match(t, hits, func(group int) bool { return group == groupFigure })
	found = append(found, figures...)
	return append(found, b.match(t, without(hits, figures), b.dangerous)...)
}

// dangerous tells the groups for which figures of speech count: the dangers
// and what is feared.
func (b *book) dangerous(group int) bool {
	return group == groupSupposed || group >= groupRest && group < b.behindDangers
}

// without leaves out the hits within the last part of a phrase, save the
// phrase itself.
func without(hits []hit, phrases []match) []hit {
	if len(phrases) == 0 {
		return hits
	}
	var out []hit
	for _, h := range hits {
		if !slices.ContainsFunc(phrases, func(m match) bool {
			itself := h.from == m.from && h.to == m.to
			return !itself && h.from >= m.last && h.to <= m.to
		}) {
			out = append(out, h)
		}
	}
	return out
}

func (b *book) match(t *text, hits []hit, wanted func(group int) bool) []match {
	var out []match
	for i, h := range hits {
		for _, c := range b.begins[h.word] {
			if !wanted(b.cues[c].group) {
				continue
			}
			if m, ok := b.follow(t, hits[i:], c); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

// follow finds the rest of a cue that begins with the first hit.
func (b *book) follow(t *text, hits []hit, c int) (match, bool) {
	m := match{cue: c, from: hits[0].from, to: hits[0].to, last: hits[0].from}
	for _, part := range b.cues[c].parts[1:] {
		next := slices.IndexFunc(hits, func(h hit) bool {
			return h.from > m.to+reach || h.from >= m.to && slices.Contains(part, h.word)
		})
		if next < 0 || hits[next].from > m.to+reach || t.sentence[hits[next].from] != t.sentence[m.from] {
			return match{}, false
		}
		m.last, m.to = hits[next].from, hits[next].to
	}
	return m, true
}
