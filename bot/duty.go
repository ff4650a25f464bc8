package bot

import (
	"context"
	"regexp"
	"slices"
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
	c := s.shape.Community
	return s.say("did.leave", Values{"From": s.b.when(c, l.From, s.now), "Until": s.b.when(c, l.Until, s.now)}), nil
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

// unanswered is a call that reached nobody: it stays to be made.
var unanswered = regexp.MustCompile(`没人接|无人接|打不通|关机|停机|没接|空号`)

// phoned takes the verdict of somebody without WeChat, asked on the telephone
// by who did not do the work: 「回访 1024 满意」.
func (s *session) phoned(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		return s.work(ctx)
	}
	t, err := s.visible(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if unanswered.MatchString(sp.Rest) {
		return s.say("phoned_nobody", s.about(&t)), nil
	}
	word, why, _ := strings.Cut(strings.TrimSpace(sp.Rest), " ")
	verdict, ok := ratings[strings.Trim(word, "。.!,")]
	if !ok {
		n := "回访 " + strconv.FormatInt(t.Number, 10) + " "
		s.talk.Pending = pending{Verb: verbPhoned, Number: t.Number}
		return s.offer(s.say("words.phoned", s.about(&t)),
			choice{s.say("choice.satisfied", nil), n + "满意"}, choice{s.say("choice.fair", nil), n + "基本满意"}, choice{s.say("choice.unsatisfied", nil), n + "不满意"}), nil
	}
	r, err := s.b.desk.Journal().Person(ctx, s.in.Community, t.Reporter)
	if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
		return "", err
	}
	if r.OpenID != "" && r.Following {
		return s.say("phoned_has_wechat", s.about(&t)), nil // their own word counts
	}
	if t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdRate, Actor: s.by(), Rating: verdict, Text: why, Phoned: true}); err != nil {
		return "", err
	}
	manual, err := s.b.desk.Journal().ManualPushes(ctx, s.in.Community, desk.Manual{Numbers: []int64{t.Number}, Not: s.me.ID}, 100)
	if err != nil {
		return "", err
	}
	for _, p := range manual {
		if p.Person == t.Reporter {
			s.w.Change.Ended = append(s.w.Change.Ended, desk.PushEnd{Key: p.Key, PushOutcome: desk.PushOutcome{Status: desk.PushDone, At: s.now}})
		}
	}
	return s.say("did.phoned", s.about(&t)), nil
}

// story tells what happened to a ticket, step by step: 「经过 1024」.
func (s *session) story(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		sp.Number = s.talk.Ticket
	}
	t, err := s.visible(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	if !s.sees(&t) {
		return "", &workflow.Error{Code: workflow.CodeNotFound, Number: sp.Number}
	}
	s.talk.Ticket = t.Number
	events, err := s.b.desk.Journal().Events(ctx, s.in.Community, t.Number)
	if err != nil {
		return "", err
	}
	const most = 25
	skipped := max(0, len(events)-most)
	var lines []string
	for _, ev := range events[skipped:] {
		line, err := s.storyLine(ctx, &t, &ev)
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	v := s.about(&t)
	v["Lines"], v["Skipped"] = strings.Join(lines, "\n"), skipped
	v["Points"] = s.points(&t)
	return s.say("story", v), nil
}

// handlerName is the name of somebody who handled a ticket, also of one who
// plays no part any more; "" for residents.
func (s *session) handlerName(ctx context.Context, t *workflow.Ticket, id workflow.PersonID) (string, error) {
	if p := s.shape.Roster.ByID(id); p.ID != 0 || id == 0 {
		return p.Name, nil
	}
	if id != t.FiledBy && !slices.Contains(t.Handlers, id) && !slices.ContainsFunc(t.Hands, func(h workflow.Hand) bool { return h.Person == id }) {
		return "", nil
	}
	p, err := s.b.desk.Journal().Person(ctx, s.in.Community, id)
	return p.Name, err
}

func (s *session) storyLine(ctx context.Context, t *workflow.Ticket, ev *workflow.Event) (string, error) {
	var names [3]string
	for i, id := range []workflow.PersonID{ev.By, ev.Owner, ev.Helper} {
		var err error
		if names[i], err = s.handlerName(ctx, t, id); err != nil {
			return "", err
		}
	}
	who := names[0]
	if who == "" && ev.Actor == workflow.ActorPerson {
		who = s.say("story_resident", Values{"Own": t.Involved(ev.By)})
	}
	grid := ""
	if ev.Place != nil {
		g, _ := s.shape.Community.Grid(ev.Place.Grid)
		grid = g.Name
	}
	var tell []string
	for _, h := range ev.Tell {
		tell = append(tell, s.say("hearer."+string(h), nil))
	}
	f := desk.Facts{Why: ev.Why, Place: t.Place, Category: t.Category}
	v := s.b.values(s.shape, &f, s.now)
	why := s.say("why_left", Values{"Why": ev.Text})
	if ev.Text != workflow.WhyLeft {
		why = shorten(firstLine(ev.Text), 30)
	}
	return s.say("story_line", Values{
		"At": ev.At.In(s.shape.Community.Location()).Format("01-02 15:04"), "Type": string(ev.Type), "Who": who, "Text": why,
		"Owner": names[1], "Helper": names[2], "Why": v["Because"],
		"Category": s.b.o.Taxonomy.Label(ev.Category), "Clock": string(ev.Clock), "Tell": strings.Join(tell, "、"), "Rating": string(ev.Rating),
		"Grid": grid, "Into": ev.Into, "Yes": ev.Yes, "Days": int(ev.Every / (24 * time.Hour)), "Phoned": ev.Phoned, "Rung": ev.Rung + 1,
	}), nil
}

// points are what a ticket earned and cost, by person.
func (s *session) points(t *workflow.Ticket) string {
	sums := map[workflow.PersonID]int{}
	var order []workflow.PersonID
	for _, p := range t.Points {
		if !slices.Contains(order, p.Person) {
			order = append(order, p.Person)
		}
		sums[p.Person] += p.N
	}
	var out []string
	for _, p := range order {
		sign := ""
		if sums[p] > 0 {
			sign = "+"
		}
		out = append(out, s.shape.Roster.ByID(p).Name+" "+sign+strconv.Itoa(sums[p]))
	}
	return strings.Join(out, "、")
}

// Explain says in words who would get a matter, and which rules were read on
// the way: for an operator who tries the rules of a community.
func (b *Bot) Explain(shape desk.Shape, u workflow.Understanding, load func(workflow.PersonID) int, now time.Time) string {
	t := workflow.Ticket{
		State: workflow.Classified, Kind: u.Kind, Category: u.Category, Severity: u.Severity, Danger: u.Danger, Place: u.Place, Level: workflow.LevelGrid,
	}
	if t.Severity == "" {
		t.Severity = workflow.Minor
	}
	f := desk.FactsOf(&t)
	v := b.values(shape, &f, now)
	v["Confidence"] = int(100*u.Confidence + 0.5)
	v["SeverityLabel"] = b.o.Taxonomy.Severities[t.Severity]
	say := func(key string, v Values) string { return b.o.Wording.Say("explain."+key, v) }
	head := say("understood", v)
	switch {
	case u.Kind != workflow.Incident && u.Kind != workflow.Wish:
		return head + "\n" + say("no_ticket", v)
	case workflow.Next(&t) == workflow.CmdPublish:
		return head + "\n" + say("wall", v)
	case u.Kind == workflow.Incident && !u.Place.Known() && u.Severity != workflow.Emergency:
		return head + "\n" + say("no_place", v)
	}
	a, ok, tried := workflow.Explain(shape.Community, shape.Roster, &t, load, now)
	lines := []string{head}
	for i, r := range tried {
		f.Why = r.Rule
		rule := b.values(shape, &f, now)
		rule["Index"], rule["Reason"] = i+1, say("reason."+string(r.Reason), nil)
		lines = append(lines, say("rule", rule))
	}
	if !ok {
		return strings.Join(append(lines, say("tray", v)), "\n")
	}
	f.Owner, f.Why = a.To, a.Why
	v = b.values(shape, &f, now)
	v["Load"] = load(a.To)
	return strings.Join(append(lines, say("chosen", v)), "\n")
}

// shareSince is how far back the share solved inside the grids is counted.
const shareSince = 30 * 24 * time.Hour

// share tells how much of what each grid resolved never left its hands
// (小事不出网格): for leaders and the committee all grids, for a worker their own.
func (s *session) share(ctx context.Context) (string, error) {
	all, err := s.b.desk.Journal().Solved(ctx, s.in.Community, s.now.Add(-shareSince), s.now.Add(time.Second))
	if err != nil {
		return "", err
	}
	var lines []string
	solved, inside := 0, 0
	for _, g := range all {
		if !s.me.MayCare(g.Grid) && !s.me.Has(workflow.RoleLeader) {
			continue
		}
		solved, inside = solved+g.Solved, inside+g.Inside
		grid, _ := s.shape.Community.Grid(g.Grid)
		lines = append(lines, s.say("share_line", Values{"Grid": grid.Name, "Solved": g.Solved, "Inside": g.Inside, "Percent": percent(g.Inside, g.Solved)}))
	}
	return s.say("share", Values{"Lines": strings.Join(lines, "\n"), "Solved": solved, "Inside": inside, "Percent": percent(inside, solved), "Days": int(shareSince / (24 * time.Hour))}), nil
}

// percent is a share of a whole, rounded; 0 of nothing.
func percent(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return (200*part + whole) / (2 * whole)
}
