package digest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Told is what a language model is shown of a week so that it writes what matters
// most: figures and findings in words, and nobody's name. Check holds what it
// writes to just this.
type Told struct {
	Week     string   `json:"week"`     // 「11月16日至22日」
	Figures  []Figure `json:"figures"`  // each as it is written: 「61」, 「82.3%」, 「—」 for nothing
	Findings []string `json:"findings"` // by the rules, the heaviest first
	// Labels are names of things that may have digits of their own: grids, places,
	// the hotline 12345. Digits in them are no figures.
	Labels []string `json:"-"`
}

// Figure is one figure beside those of the week before and of a year ago.
type Figure struct {
	Name    string `json:"name"`
	Now     string `json:"now"`
	Before  string `json:"before"`
	YearAgo string `json:"year_ago"`
}

// ErrUnfit is why sentences are refused. The errors of Check wrap it; they hold no
// words of the sentences.
var ErrUnfit = errors.New("digest: the sentences are unfit")

// The shape of sentences: three at most, each short enough for a push.
const (
	maxSentences = 3
	longest      = 80 // characters
)

// Check refuses sentences that say what the week does not: a number that is not
// among its figures (percentages may be rounded to whole ones), a number in
// Chinese signs, which cannot be held to anything, or somebody's name (one of
// names, or whatever leads finds to lead to a person; nil finds nothing). It cannot tell whether a figure is said
// of the right thing: see docs/digest.md.
func (t Told) Check(sentences, names []string, leads func(string) bool) error {
	if len(sentences) == 0 || len(sentences) > maxSentences {
		return fmt.Errorf("%w: %d of them", ErrUnfit, len(sentences))
	}
	known := t.numbers()
	for i, s := range sentences {
		if err := t.check(s, known, names, leads); err != nil {
			return fmt.Errorf("%w: number %d: %w", ErrUnfit, i+1, err)
		}
		if slices.Contains(sentences[:i], s) {
			return fmt.Errorf("%w: number %d is said twice", ErrUnfit, i+1)
		}
	}
	return nil
}

func (t Told) check(s string, known map[number]bool, names []string, leads func(string) bool) error {
	switch n := utf8.RuneCountInString(s); {
	case strings.TrimSpace(s) == "" || n > longest:
		return fmt.Errorf("it is %d characters long", n)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsAny(s, "<>{}【】") || strings.Contains(s, "://"):
		return errors.New("it is more than a sentence")
	case slices.ContainsFunc(names, func(name string) bool { return utf8.RuneCountInString(name) > 1 && strings.Contains(s, name) }):
		return errors.New("it names somebody")
	case leads != nil && leads(s):
		return errors.New("it seems to name somebody")
	}
	s = t.withoutLabels(s)
	if inWords.MatchString(strings.ReplaceAll(s, "百分点", "")) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsNumber(r) && (r < '0' || r > '9') }) {
		return errors.New("it has a number in words")
	}
	for _, n := range numbersIn(s) {
		if !known[n] {
			return errors.New("it has a number that is not among the figures")
		}
	}
	return nil
}

// inWords finds numbers in Chinese signs, and what stands for one: 「三成」,
// 「一半」, 「翻番」. It finds harmless words too; the rules' sentences stand then.
var inWords = regexp.MustCompile(`[〇零二三四五六七八九十百千万亿两壹贰叁]|[一半几数多][件个次天户成项倍条宗起半]|[大过近]半|翻[番倍]`)

// withoutLabels is a text without the names of things.
func (t Told) withoutLabels(s string) string {
	labels := append([]string{t.Week}, t.Labels...)
	for _, f := range t.Figures {
		labels = append(labels, f.Name)
	}
	slices.SortFunc(labels, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the longest first
	for _, l := range labels {
		if l != "" {
			s = strings.ReplaceAll(s, l, "|")
		}
	}
	return s
}

// number is a figure with what it counts, in tenths: 「82.3%」 is {823, "%"}.
type number struct {
	tenths int64
	of     string // %, points, days, hours, minutes; "" for things and times
}

// written finds numbers; measures say what they count.
var (
	written  = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*(%|\x{ff05}|个?百分点|天|小时|分)?`)
	measures = map[string]string{"": "", "%": "%", "\uff05": "%", "个百分点": "points", "百分点": "points", "天": "days", "小时": "hours", "分": "minutes"}
)

// numbersIn are the numbers of a text. One that is finer than tenths, or too
// large, is none of ours: it has a value that no figure has.
func numbersIn(s string) []number {
	var out []number
	for _, m := range written.FindAllStringSubmatch(s, -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		tenths := math.Round(10 * v)
		if err != nil || v > 1e12 || math.Abs(10*v-tenths) > 1e-6 {
			tenths = -1
		}
		out = append(out, number{int64(tenths), measures[m[2]]})
	}
	return out
}

// numbers are those that the week has, and percentages also as whole ones.
func (t Told) numbers() map[number]bool {
	known := map[number]bool{}
	add := func(s string) {
		for _, n := range numbersIn(s) {
			known[n] = true
			if n.of == "%" || n.of == "points" {
				known[number{(n.tenths + 5) / 10 * 10, n.of}] = true
			}
		}
	}
	for _, f := range t.Figures {
		add(f.Now)
		add(f.Before)
		add(f.YearAgo)
	}
	for _, f := range t.Findings {
		add(t.withoutLabels(f))
	}
	return known
}
