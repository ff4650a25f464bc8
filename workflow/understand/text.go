package understand

import (
	"slices"
	"unicode"
)

// longest is how much of a text is looked at, in runes. WeChat cuts a text
// near 2,048 bytes; a transcript of a long voice message may be longer.
const longest = 1500

// text is a message prepared once: full-width signs made ASCII, letters small,
// the known traditional characters made simplified, spaces left out. One rune
// stays one rune, so every finding leads back to the words as written.
type text struct {
	src      []rune // as written
	runes    []rune // prepared
	at       []int  // index in src of each prepared rune
	sentence []int  // number of the sentence each rune stands in
	clause   []int  // likewise, commas end a clause
}

func newText(s string, simplified map[rune]rune) *text {
	src := []rune(s)
	if len(src) > longest {
		src = src[:longest]
	}
	t := &text{
		src: src, runes: make([]rune, 0, len(src)), at: make([]int, 0, len(src)),
		sentence: make([]int, 0, len(src)), clause: make([]int, 0, len(src)),
	}
	var sentence, clause int
	for i, r := range src {
		r = plain(r, simplified)
		if r == ' ' && !betweenDigits(src, i) {
			continue
		}
		t.runes, t.at = append(t.runes, r), append(t.at, i)
		t.sentence, t.clause = append(t.sentence, sentence), append(t.clause, clause)
		switch r {
		case '。', '!', '?', ';', '\n':
			sentence++
			clause++
		case ',', ':', ' ':
			clause++
		}
	}
	return t
}

// says tells whether one of some words stands in the text.
func (t *text) says(words [][]rune) bool {
	for _, w := range words {
		for i := 0; i+len(w) <= len(t.runes); i++ {
			if slices.Equal(t.runes[i:i+len(w)], w) {
				return true
			}
		}
	}
	return false
}

// plain is the one spelling of a rune that the rules look for.
func plain(r rune, simplified map[rune]rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r + 'a' - 'A'
	case r > ' ' && r < 0x7f:
		return r
	case r >= '！' && r <= '～': // full-width ASCII
		return plain(r-'！'+'!', simplified)
	case r == '—' || r == '–' || r == '−' || r == '―':
		return '-'
	case r == '\n' || r == '\r':
		return '\n'
	case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r):
		return ' '
	}
	if s, ok := simplified[r]; ok {
		return s
	}
	return r
}

// betweenDigits tells whether the space at i keeps two numbers apart.
func betweenDigits(src []rune, i int) bool {
	return i > 0 && i+1 < len(src) && unicode.IsDigit(src[i-1]) && unicode.IsDigit(src[i+1])
}

// written gives the words from prepared rune from up to to, as they were
// written.
func (t *text) written(from, to int) string {
	if from >= to {
		return ""
	}
	return string(t.src[t.at[from] : t.at[to-1]+1])
}

// rune is the prepared rune at i, 0 outside of the text.
func (t *text) rune(i int) rune {
	if i < 0 || i >= len(t.runes) {
		return 0
	}
	return t.runes[i]
}

// has tells whether word stands at i.
func (t *text) has(i int, word []rune) bool {
	if i < 0 || i+len(word) > len(t.runes) {
		return false
	}
	for k, r := range word {
		if t.runes[i+k] != r {
			return false
		}
	}
	return true
}

// starts tells whether word stands at i.
func (t *text) starts(i int, word string) bool {
	for _, r := range word {
		if t.rune(i) != r {
			return false
		}
		i++
	}
	return true
}
