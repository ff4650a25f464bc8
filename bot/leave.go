package bot

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// How people say when they are away: a number of days or weeks, and days by
// date, by the day of the week, or counted from today.
var (
	leaveSpan = regexp.MustCompile(`(\d{1,3})\s*(?:个)?(天|日假|周|星期|月)`)
	leaveDay  = regexp.MustCompile(`(\d{1,2})月(\d{1,2})[日号]?|(\d{1,2})[.．/](\d{1,2})|(\d{1,2})[日号]|(下)?(?:周|星期|礼拜)([1-7一二三四五六日天])|大后天|后天|明天|今天`)
	leaveUnto = regexp.MustCompile(`^\s*(?:号|日)?\s*(?:到|至|-|—|~)`)
)

// leave notes that the writer is away, or back: the rules pass them over
// meanwhile. Open work stays theirs; the ladder tells the colleagues.
func (s *session) leave(sp spoken) (string, error) {
	if sp.Verb == verbBack {
		if !s.me.Away.Until.After(s.now) {
			return s.say("not_away", nil), nil
		}
		s.w.Change.Away = &desk.Away{Person: s.me.ID}
		return s.say("did.back", nil), nil
	}
	l, ok := s.leaveOf(tidy(sp.Rest))
	if !ok {
		s.talk.Pending = pending{Verb: verbLeave}
		return s.say("words.leave", nil), nil
	}
	s.w.Change.Away = &desk.Away{Person: s.me.ID, Leave: l}
	return s.say("did.leave", Values{"Instead": s.me.Away.Until.After(s.now), "From": s.voice().When(l.From, s.now), "Until": s.voice().When(l.Until, s.now)}), nil
}

// leaveOf reads from when until when somebody is away, in the community's
// days: dates begin in the morning of the first and end with the last, a
// number of days alone begins now.
func (s *session) leaveOf(text string) (workflow.Leave, bool) {
	loc := s.shape.Community.Location()
	now := s.now.In(loc)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, loc)
	text = chineseDays.Replace(text)
	var from, until time.Time // days
	if found := leaveDay.FindAllStringSubmatchIndex(text, 2); len(found) > 0 {
		var ok bool
		if from, ok = leaveDate(text, found[0], today, today); !ok {
			return workflow.Leave{}, false
		}
		until = from
		if len(found) == 2 && leaveUnto.MatchString(text[found[0][1]:]) {
			if until, ok = leaveDate(text, found[1], today, from); !ok {
				return workflow.Leave{}, false
			}
		} else if strings.HasPrefix(strings.TrimSpace(text[:found[0][0]]), "到") || strings.Contains(text[:found[0][0]], "假到") {
			from, until = today, from
		} else if m := leaveSpan.FindStringSubmatch(text[found[0][1]:]); m != nil {
			until = from.AddDate(0, 0, spanDays(m)-1)
		}
	} else if m := leaveSpan.FindStringSubmatch(text); m != nil {
		from, until = today, today.AddDate(0, 0, spanDays(m)-1)
	} else {
		return workflow.Leave{}, false
	}
	l := workflow.Leave{From: from.UTC(), Until: until.AddDate(0, 0, 1).UTC()}
	if from.Equal(today) {
		l.From = s.now
	}
	return l, l.Until.After(l.From) && l.Until.Sub(l.From) <= 366*24*time.Hour
}

// chineseDays writes the numbers of days as digits.
var chineseDays = strings.NewReplacer("一天", "1天", "两天", "2天", "二天", "2天", "三天", "3天", "四天", "4天", "五天", "5天", "七天", "7天", "十天", "10天",
	"半天", "1天", "一周", "1周", "两周", "2周", "一个星期", "1周", "一个月", "1月", "半个月", "15天")

// spanDays is how many days 「3天」「1周」「1个月」 are.
func spanDays(m []string) int {
	n, _ := strconv.Atoi(m[1])
	switch m[2] {
	case "周", "星期":
		n *= 7
	case "月":
		n *= 30
	}
	return n
}

// leaveDate is the day that a match of leaveDay means: the next such day from
// base on. A day of the week without 下 is that of this week, or of the next
// one where it is over.
func leaveDate(text string, m []int, today, base time.Time) (time.Time, bool) {
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return text[m[2*i]:m[2*i+1]]
	}
	number := func(i int) int { n, _ := strconv.Atoi(group(i)); return n }
	date := func(month, day int) (time.Time, bool) {
		d := time.Date(base.Year(), time.Month(month), day, 0, 0, 0, 0, base.Location())
		if d.Before(base) {
			d = d.AddDate(1, 0, 0)
		}
		return d, int(d.Month()) == month && d.Day() == day
	}
	switch {
	case group(1) != "":
		return date(number(1), number(2))
	case group(3) != "":
		return date(number(3), number(4))
	case group(5) != "":
		d := time.Date(base.Year(), base.Month(), number(5), 0, 0, 0, 0, base.Location())
		if d.Before(base) {
			d = time.Date(base.Year(), base.Month()+1, number(5), 0, 0, 0, 0, base.Location())
		}
		return d, d.Day() == number(5)
	case group(7) != "":
		weekday := map[string]int{"1": 1, "一": 1, "2": 2, "二": 2, "3": 3, "三": 3, "4": 4, "四": 4, "5": 5, "五": 5, "6": 6, "六": 6, "7": 7, "日": 7, "天": 7}[group(7)]
		monday := today.AddDate(0, 0, -((int(today.Weekday()) + 6) % 7))
		if group(6) != "" {
			monday = monday.AddDate(0, 0, 7)
		}
		d := monday.AddDate(0, 0, weekday-1)
		if d.Before(base) {
			d = d.AddDate(0, 0, 7)
		}
		return d, true
	}
	days := map[string]int{"今天": 0, "明天": 1, "后天": 2, "大后天": 3}[text[m[0]:m[1]]]
	return today.AddDate(0, 0, days), true
}
