package understand

import (
	"context"
	"unicode"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

// The bounds of what counts as a matter of its own.
const (
	mostParts   = 4
	shortest    = 4   // characters
	partIsClear = 0.5 // confidence
)

// Parts are the several matters of a message. A new one begins only where a
// word joins it (「还有」, 「另外」), a number counts it (「2、」, 「第二」), or a
// sentence begins; it counts only where it is clear by itself and about
// another thing than the one before it: a long story is one matter.
func (r *Rules) Parts(ctx context.Context, c *workflow.Community, w workflow.Words) []workflow.Part {
	t := newText(w.Text, r.simplified)
	var parts []workflow.Part
	pending := ""
	for _, piece := range r.pieces(t) {
		words := w
		words.Text = pending + piece.text
		u, _ := r.Understand(ctx, c, words)
		clear := (u.Kind == workflow.Incident || u.Kind == workflow.Wish) && u.Confidence >= partIsClear &&
			u.Category != workflow.OtherIncident && u.Category != workflow.OtherWish && utf8.RuneCountInString(words.Text) >= shortest
		last := len(parts) - 1
		switch {
		case !clear && last < 0:
			pending = words.Text // a greeting, an address: it goes with what follows
		case !clear, last >= 0 && (!piece.joined || parts[last].Kind == u.Kind) && parts[last].Category == u.Category && !another(parts[last].Place, u.Place):
			parts[last].Text += piece.text
		case last >= 0 && !piece.joined && u.Kind != workflow.Incident:
			parts[last].Text += piece.text
		default:
			if last >= 0 && u.Place == (workflow.Place{}) {
				u.Place = parts[last].Place // said once, meant for all
			}
			parts = append(parts, workflow.Part{Text: words.Text, Understanding: u})
			pending = ""
		}
	}
	if len(parts) < 2 {
		return nil
	}
	return parts[:min(len(parts), mostParts)]
}

// another tells whether two places are two buildings or estates.
func another(a, b workflow.Place) bool {
	return a.Building != 0 && b.Building != 0 && a.Building != b.Building || a.Estate != "" && b.Estate != "" && a.Estate != b.Estate
}

// piece is some words of a message; joined says that a word or number sets it
// off from what stands before.
type piece struct {
	text   string
	joined bool
}

// pieces cuts a text where another matter may begin.
func (r *Rules) pieces(t *text) []piece {
	var out []piece
	from, joined := 0, false
	cut := func(at int, as bool) {
		if s := t.written(from, at); s != "" {
			out = append(out, piece{s, joined})
		}
		from, joined = at, as
	}
	for i := range t.runes {
		begins := i == 0 || !unicode.Is(unicode.Han, t.rune(i-1)) && !isDigit(t.rune(i-1))
		switch {
		case i > 0 && (begins || t.listedAt(i)) && r.counted(t, i):
			cut(i, true)
		case i > 0 && r.joinedAt(t, i) && (begins || i-from >= shortest):
			cut(i, true)
		case i > 0 && t.sentence[i] != t.sentence[i-1]:
			cut(i, false)
		}
	}
	cut(len(t.runes), false)
	return out
}

// counted tells 「1、」 「2.」 「第二」 「(3)」 「③」 at i.
func (r *Rules) counted(t *text, i int) bool {
	switch c := t.rune(i); {
	case c >= '①' && c <= '⑨':
		return true
	case c == '第' && numeral(t.rune(i+1)) > 0 && numeral(t.rune(i+1)) < 10:
		next := t.rune(i + 2)
		return next == ',' || next == ':' || next == '、' || next == '件' || next == '个' || next == '是'
	case c == '(':
		return isDigit(t.rune(i+1)) && t.rune(i+2) == ')'
	case isDigit(c) || numeral(c) > 0 && numeral(c) < 10:
		next := t.rune(i + 1)
		return next == '、' || next == '.' && !isDigit(t.rune(i+2)) || next == ')' && t.rune(i-1) != '('
	}
	return false
}

// listedAt tells 「…坏了2、垃圾…」, where a blank stood: not 「3、5号楼」.
func (t *text) listedAt(i int) bool {
	return isDigit(t.rune(i)) && t.rune(i+1) == '、' && !isNumeral(t.rune(i+2)) && !isDigit(t.rune(i+2)) && !isDigit(t.rune(i-1))
}

func (r *Rules) joinedAt(t *text, i int) bool {
	for _, j := range r.joins {
		if t.has(i, j) {
			return true
		}
	}
	return false
}
