// Package find is the room of what a text is found by: the words that stand in
// it, as an index keeps them, and the words that somebody looks for. It knows
// no Chinese: of scripts written without spaces it takes every two neighbouring
// signs, of others whole words, so that nothing depends on a dictionary.
//
// What must never come in: SQL, tickets, words for people.
//
// The two ends must agree: Words gives what is indexed, Parse what an index is
// asked for, and Query.In decides whether a text that the index found is
// indeed meant.
package find

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

const (
	longestText = 8000 // runes of a text that are looked at; what comes after is not found
	longestWord = 60   // runes of a word in letters; what comes after does not count
	mostTerms   = 10   // words looked for at once
	mostKeys    = 5    // words of the index asked for at once: more sort out hardly anything
)

// Words are the words by which a text is found, sorted, each once: words in
// letters and digits whole; of Chinese and other scripts without spaces every
// two signs that follow each other, and the last sign of a stretch alone. Large
// and small letters, wide and narrow signs are the same. Telephone, identity
// and account numbers are left out.
func Words(text string) []string {
	var out []string
	for _, run := range runs(text) {
		for i, u := range run {
			switch {
			case !u.sign:
				out = append(out, u.text)
			case i+1 < len(run) && run[i+1].sign:
				out = append(out, u.text+run[i+1].text)
			default:
				out = append(out, u.text)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Query is what somebody looks for: texts in which all of its terms stand.
type Query struct{ terms [][]unit }

// Key is a word of an index. With Prefix any word that begins with it will do.
type Key struct {
	Word   string
	Prefix bool
}

// Parse reads what somebody typed: terms with spaces or punctuation between
// them. A *workflow.Error with CodeInvalid where there is no letter, digit or
// sign in it, or more than ten terms.
func Parse(typed string) (Query, error) {
	var q Query
	for _, term := range strings.FieldsFunc(fold(typed), func(r rune) bool { return !part(r) }) {
		q.terms = append(q.terms, units(term))
	}
	if len(q.terms) == 0 || len(q.terms) > mostTerms {
		return Query{}, &workflow.Error{Code: workflow.CodeInvalid}
	}
	return q, nil
}

// Keys are the words of the index that a text must have to be meant; where
// there would be many, some of them spread over the query.
func (q Query) Keys() []Key {
	var out []Key
	for _, term := range q.terms {
		for i, u := range term {
			follows := i+1 < len(term) && term[i+1].sign
			switch {
			case !u.sign:
				out = append(out, Key{Word: u.text})
			case follows:
				out = append(out, Key{Word: u.text + term[i+1].text})
			case i == 0 || !term[i-1].sign: // a sign alone begins one of the words of any text that has it
				out = append(out, Key{Word: u.text, Prefix: true})
			}
		}
	}
	if n := len(out); n > mostKeys {
		for i := range mostKeys {
			out[i] = out[i*(n-1)/(mostKeys-1)]
		}
		out = out[:mostKeys]
	}
	return out
}

// In tells whether all that is looked for stands in a text.
func (q Query) In(text string) bool {
	all := runs(text)
	return !slices.ContainsFunc(q.terms, func(term []unit) bool {
		return !slices.ContainsFunc(all, func(run []unit) bool { return within(run, term) })
	})
}

func within(run, term []unit) bool {
	for i := 0; i+len(term) <= len(run); i++ {
		if slices.Equal(run[i:i+len(term)], term) {
			return true
		}
	}
	return false
}

// unit is what a text is made of: a sign of a script without spaces, or a word
// in letters and digits.
type unit struct {
	text string
	sign bool
}

// runs are the stretches of a text that nothing but spaces interrupts.
func runs(text string) [][]unit {
	var out [][]unit
	text = understand.WithoutNumbers(fold(text))
	for _, stretch := range strings.FieldsFunc(text, func(r rune) bool { return !part(r) && (r == '\n' || !unicode.IsSpace(r)) }) {
		if run := units(stretch); len(run) > 0 {
			out = append(out, run)
		}
	}
	return out
}

// units takes a stretch apart.
func units(stretch string) []unit {
	out := make([]unit, 0, len(stretch)/3+1)
	begun := -1 // where a word began
	end := func(at int) {
		if begun >= 0 {
			out = append(out, unit{text: clip(stretch[begun:at])})
			begun = -1
		}
	}
	for i, r := range stretch {
		switch {
		case alone(r):
			end(i)
			out = append(out, unit{text: stretch[i : i+utf8.RuneLen(r)], sign: true})
		case !part(r):
			end(i)
		case begun < 0:
			begun = i
		}
	}
	end(len(stretch))
	return out
}

// clip is as much of a word as counts.
func clip(word string) string {
	if len(word) > longestWord {
		if r := []rune(word); len(r) > longestWord {
			return string(r[:longestWord])
		}
	}
	return word
}

// fold writes a text in the one way in which it is compared.
func fold(text string) string {
	if len(text) > longestText { // bytes: no text with fewer has more runes
		if r := []rune(text); len(r) > longestText {
			text = string(r[:longestText])
		}
	}
	return strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(text, "\uFFFD")))
}

// part tells whether a rune is part of a word.
func part(r rune) bool {
	return han(r) || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// han tells whether a rune is one of nearly all that are written, without
// looking it up.
func han(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }

// alone tells whether a rune is of a script that is written without spaces.
func alone(r rune) bool {
	return han(r) || r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Thai)
}
