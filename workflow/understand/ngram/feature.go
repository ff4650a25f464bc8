package ngram

import (
	"math"
	"slices"
	"unicode"
)

// maxRunes is how much of a text counts. What is longer than any letter to an
// office is no message.
const maxRunes = 20_000

// plain brings a text to the one spelling that features are made of: small
// ASCII for full-width signs, one digit for all, one blank for all space.
func plain(s string, buf []rune) []rune {
	out := buf[:0]
	for _, r := range s {
		switch {
		case r >= '！' && r <= '～':
			r = r - '！' + '!'
		case r == '　':
			r = ' '
		}
		switch {
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= '0' && r <= '9':
			r = '0'
		case unicode.IsSpace(r):
			r = ' '
		}
		if n := len(out); n > 0 && (r == ' ' || r == '0') && out[n-1] == r {
			continue
		}
		if out = append(out, r); len(out) == maxRunes {
			break
		}
	}
	return out
}

// title is how many runes the first sentence has: letters to an office begin
// with their subject. 0 where the text is one sentence, or opens with a long
// one.
func title(rs []rune) int {
	for i, r := range rs {
		if i > 60 {
			return 0
		}
		if r == '。' || r == '\n' {
			if i == 0 {
				continue
			}
			if i+1 == len(rs) {
				return 0
			}
			return i
		}
	}
	return 0
}

// head is how many runes of a longer text count once more by themselves: who
// writes a letter says at first what it is about.
const head = 40

const (
	offset = 2166136261
	prime  = 16777619
)

// mix spreads a hash over all its bits (murmur3's last step).
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// salt keeps the features of a title, of the head and of the whole text apart,
// and named ones from all.
const (
	ofText  = 0
	ofTitle = 0x9e3779b9
	ofHead  = 0x3c6ef372
	ofName  = 0x7f4a7c15
)

// named is the hash of a feature that has a name.
func named(name string) uint32 {
	h := uint32(offset) ^ ofName
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * prime
	}
	return mix(h)
}

// count is a feature of one text with how often it occurs.
type count struct {
	hash uint32
	n    float32
}

// scratch is what making features of a text needs, to be used again.
type scratch struct {
	runes  []rune
	hashes []uint32
	out    []count
}

// counts are the features of a text, by hash. They are good until the next
// call.
func (b *scratch) counts(text string, names []string) []count {
	b.runes = plain(text, b.runes)
	b.hashes = b.hashes[:0]
	b.grams(b.runes, ofText)
	b.grams(b.runes[:title(b.runes)], ofTitle)
	if len(b.runes) > head {
		b.grams(b.runes[:head], ofHead)
	}
	for _, n := range names {
		b.hashes = append(b.hashes, named(n))
	}
	slices.Sort(b.hashes)
	b.out = b.out[:0]
	for i := 0; i < len(b.hashes); {
		j := i
		for j < len(b.hashes) && b.hashes[j] == b.hashes[i] {
			j++
		}
		b.out = append(b.out, count{b.hashes[i], float32(j - i)})
		i = j
	}
	return b.out
}

// grams adds the hash of every run of one to three runes.
func (b *scratch) grams(rs []rune, salt uint32) {
	for i := range rs {
		h := uint32(offset) ^ salt
		for n := 0; n < runLength && i+n < len(rs); n++ {
			h = (h ^ uint32(rs[i+n])) * prime
			h ^= h >> 15
			b.hashes = append(b.hashes, mix(h))
		}
	}
}

// dampened is the weight of how often a feature occurs in one text.
func dampened(n float32) float32 {
	if n == 1 {
		return 1
	}
	return 1 + float32(math.Log(float64(n)))
}
