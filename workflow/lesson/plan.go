package lesson

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Day is a day of a plan, "2026-11-23".
type Day string

// DayOf is the day of a moment in a place.
func DayOf(t time.Time, loc *time.Location) Day { return Day(t.In(loc).Format(time.DateOnly)) }

// At is an hour of the day in a place; the zero time where the day is none.
func (d Day) At(hour int, loc *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), loc)
	if err != nil {
		return time.Time{}
	}
	return time.Date(t.Year(), t.Month(), t.Day(), hour, 0, 0, 0, loc)
}

// Planned says that a branch learns a lesson on a day. A lesson stands in the plan of
// a branch once.
type Planned struct {
	Branch string
	Lesson int64
	Day    Day
	By     workflow.PersonID
}

// Opens is the day from which a lesson is open to a member of some branches: the first on
// which one of theirs learns it, else the first on which any does; "" where none plans it:
// at once.
func Opens(plan []Planned, id int64, branches []string) Day {
	var own, all Day
	for _, p := range plan {
		if p.Lesson != id {
			continue
		}
		if all == "" || p.Day < all {
			all = p.Day
		}
		if slices.Contains(branches, p.Branch) && (own == "" || p.Day < own) {
			own = p.Day
		}
	}
	return cmp.Or(own, all)
}

// OpenFirst puts those of some lessons that are not open yet (later) behind the others,
// the next first.
func OpenFirst(all []Lesson, later map[int64]Day) []Lesson {
	slices.SortStableFunc(all, func(a, b Lesson) int { return cmp.Compare(later[a.ID], later[b.ID]) })
	return all
}

// Hours at which somebody may want their lesson.
const (
	DefaultHour = 9
	LeastHour   = 5 // also so that a number below it can mean a choice
	MostHour    = 21
)

// Hour is the hour at which somebody wants their lessons.
type Hour struct {
	Person workflow.PersonID
	Hour   int
}

// Back is how far back a lesson is still given that was not given on its day: nothing
// ran, or somebody joined the branch since.
const Back = 7 * 24 * time.Hour

// Turn is a lesson whose turn has come for somebody, and since when.
type Turn struct {
	Lesson int64
	Since  time.Time
}

// Turns are the lessons that somebody should have been given by now: planned for a
// branch of theirs, on a day whose hour of theirs has come, not given before. Asked
// again at any time, by anybody, with what was given since, it gives each lesson once.
func Turns(plan []Planned, branches []string, hour int, given func(lesson int64) bool, now time.Time, loc *time.Location) []Turn {
	var out []Turn
	for _, p := range plan {
		since := p.Day.At(hour, loc)
		switch {
		case !slices.Contains(branches, p.Branch), given(p.Lesson):
		case since.IsZero(), now.Before(since), DayOf(now.Add(-Back), loc) > p.Day:
		case slices.ContainsFunc(out, func(t Turn) bool { return t.Lesson == p.Lesson }): // of two branches
		default:
			out = append(out, Turn{p.Lesson, since.UTC()})
		}
	}
	return out
}

// clock is an hour as people say it: 「7点」「早上七点半」「晚上 8:30」「19」.
var clock = regexp.MustCompile(`^(?:每天|改到|改成|改为|就)*(凌晨|清早|清晨|早上|早晨|早|上午|中午|下午|午后|傍晚|晚上|晚|夜里)? ?([0-9]{1,2}|十[一二]?|二十[一二三]?|[一二两三四五六七八九]) ?(?:点半|点钟|点整|点一刻|点|时|:[0-9]{2})?(?:吧|学|学习|发|就行|左右|[。.!])*$`)

var digits = map[string]int{"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "十一": 11, "十二": 12, "二十": 20, "二十一": 21, "二十二": 22, "二十三": 23}

// ReadHour reads an hour as people say it; ok is false where it is none at which
// lessons are given.
func ReadHour(text string) (hour int, ok bool) {
	m := clock.FindStringSubmatch(strings.TrimSpace(strings.ReplaceAll(text, "：", ":")))
	if m == nil {
		return 0, false
	}
	if hour, ok = digits[m[2]]; !ok {
		hour, _ = strconv.Atoi(m[2])
	}
	switch m[1] {
	case "下午", "午后", "傍晚", "晚上", "晚", "夜里":
		if hour < 12 {
			hour += 12
		}
	case "中午":
		if hour < 3 {
			hour += 12
		}
	}
	return hour, hour >= LeastHour && hour <= MostHour
}
