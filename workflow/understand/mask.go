package understand

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
)

// What stands in the place of what is hidden. They are data for a language
// model, not words for people.
const (
	hiddenNumber  = "【号码】"
	hiddenName    = "【姓名】"
	hiddenAddress = "【住址】"
)

// What longNumber takes for a digit, and how many make a number.
const (
	digits         = "0123456789零〇一二三四五六七八九幺两①②③④⑤⑥⑦⑧⑨⓪"
	shortestNumber = 7
)

// The numbers that lead to a person, as written in a prepared text: seven
// digits and more, in whatever signs and with whatever between them, which
// telephones, identity cards, bank cards and accounts have; plates; addresses of
// e-mail; account names of WeChat and QQ.
const digit = `[` + digits + `]`

var (
	longNumber = regexp.MustCompile(`\+?` + digit + `(?:[^\p{Han}\p{L}\p{N}]{0,3}` + digit + `){6,}x?`)
	plate      = regexp.MustCompile(`[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][a-z][-·. ]?[a-z0-9]{5,6}`)
	mail       = regexp.MustCompile(`[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+`)
	account    = regexp.MustCompile(`(?:微信号?|wx|vx|qq|抖音号?)[号是:]{0,2}([a-z0-9][-_a-z0-9]{4,})`)
)

// Mask is a text without what tells who wrote it or whom it is about:
// telephone, identity and account numbers, names (those of known, those that
// words such as 「我叫」 or a title give away), and addresses with a room. It
// keeps what is the matter, in the words as they were written. It hides too much rather than too little; a name
// that nothing marks as one stays.
func (r *Rules) Mask(c *workflow.Community, s string, known []string) string {
	t := newText(s, r.simplified)
	prepared := string(t.runes)
	offset := offsets(t.runes)
	where := r.locate(c, workflow.Words{}, t, r.book.find(t))
	ofPlace := func(from, to int) bool {
		return slices.ContainsFunc(where.names, func(n name) bool { return offset[n.from] < to && from < offset[n.to] })
	}
	var hidden []span
	hide := func(from, to int, by string) {
		if from < to && !(by == hiddenName && ofPlace(from, to)) { // 「毕家洼」 is no family
			hidden = append(hidden, span{from, to, by})
		}
	}
	all := func(re *regexp.Regexp, group int, by string) {
		for _, m := range re.FindAllStringSubmatchIndex(prepared, -1) {
			hide(m[2*group], m[2*group+1], by)
		}
	}
	all(longNumber, 0, hiddenNumber)
	all(plate, 0, hiddenNumber)
	all(mail, 0, hiddenNumber)
	all(account, 1, hiddenNumber)
	all(r.names.called, 1, hiddenName)
	all(r.names.surname, 1, hiddenName)
	all(r.names.introduced, 1, hiddenName)
	all(r.names.titled, 1, hiddenName)
	all(r.names.familiar, 1, hiddenName)
	for _, name := range known {
		name := string(newText(name, r.simplified).runes)
		for from := 0; len([]rune(name)) > 1; {
			i := strings.Index(prepared[from:], name)
			if i < 0 {
				break
			}
			hide(from+i, from+i+len(name), hiddenName)
			from += i + len(name)
		}
	}
	for _, h := range where.houses {
		if h.room != "" {
			hide(offset[h.from], offset[h.to], hiddenAddress)
		}
	}
	return t.cover(offset, hidden)
}

// WithoutNumbers is a text in small letters and narrow signs with a line break in
// the place of every number that leads to a person, and of every e-mail address:
// what may be kept where texts are looked for.
func WithoutNumbers(prepared string) string {
	found := 0
	for _, r := range prepared {
		if strings.ContainsRune(digits, r) {
			found++
		}
	}
	if found >= shortestNumber {
		prepared = longNumber.ReplaceAllString(prepared, "\n")
	}
	if strings.ContainsRune(prepared, '@') {
		prepared = mail.ReplaceAllString(prepared, "\n")
	}
	return prepared
}

// span is a part of a prepared text, in bytes, and what stands for it.
type span struct {
	from, to int
	by       string
}

// offsets are where each rune begins, in bytes, and where the last one ends.
func offsets(runes []rune) []int {
	out := make([]int, 0, len(runes)+1)
	n := 0
	for _, r := range runes {
		out = append(out, n)
		n += len(string(r))
	}
	return append(out, n)
}

// cover puts what stands for the spans in their place; where several lie over
// each other, what stands for the first. All else stays as it was written. offset
// says where each prepared rune begins.
func (t *text) cover(offset []int, hidden []span) string {
	slices.SortFunc(hidden, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	var b strings.Builder
	at := 0
	for _, h := range hidden {
		first, _ := slices.BinarySearch(offset, h.from)
		end, _ := slices.BinarySearch(offset, h.to)
		from, to := t.at[first], t.at[end-1]+1
		if from >= at {
			b.WriteString(string(t.src[at:from]))
			b.WriteString(h.by)
		}
		at = max(at, to)
	}
	b.WriteString(string(t.src[at:]))
	return b.String()
}

// marked are the expressions that find names by what stands around them.
type marked struct{ called, surname, introduced, titled, familiar *regexp.Regexp }

// markedNames makes them of the lexicon's words.
func markedNames(l *lexicon) marked {
	words := func(lines ...string) string {
		var all []string
		for _, line := range lines {
			for _, w := range strings.Fields(line) {
				all = append(all, regexp.QuoteMeta(w))
			}
		}
		slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		return "(?:" + strings.Join(all, "|") + ")"
	}
	n := l.Names
	name := words(n.Surnames, n.Double)
	end := `(?:[^\p{Han}]|$|` + words(n.Ends) + `)`
	return marked{
		called:     regexp.MustCompile(words(n.Calls) + `[:是叫]{0,2}(` + name + `\p{Han}{1,2})`),
		surname:    regexp.MustCompile(`姓(` + name + `(?:,?[名叫]{1,2}\p{Han}{1,2})?)`),
		introduced: regexp.MustCompile(words(n.Leads) + `[:是叫]{0,2}(` + name + `\p{Han}{1,2}?)` + end),
		titled:     regexp.MustCompile(`(` + name + `\p{Han}{0,2}?)` + words(n.Titles)),
		familiar:   regexp.MustCompile(`([老小]` + words(n.Familiar) + `|` + words(n.Familiar) + `家)`),
	}
}
