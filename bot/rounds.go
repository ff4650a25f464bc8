package bot

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// round does what a worker says of being out: a patrol (每日巡), a visit (经常访),
// something fixed on the spot (随手做), and who is to be visited.
func (s *session) round(ctx context.Context, sp spoken) (string, error) {
	if sp.Verb == verbCare {
		return s.careList(ctx)
	}
	if (sp.Verb != verbVisit || sp.Number == 0) && !s.mayRound(sp.Verb) {
		return "", &workflow.Error{Code: workflow.CodeNotAllowed}
	}
	if sp.Verb == verbVisit && sp.Number != 0 {
		return s.visitOf(ctx, sp)
	}
	if sp.Rest == "" {
		s.talk.Pending = pending{Verb: sp.Verb}
		return s.say("words."+string(sp.Verb), nil), nil
	}
	u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: sp.Rest, Scene: s.talk.Scene.Place, Near: s.talk.Near.Place})
	if err != nil {
		return "", err
	}
	place := u.Place
	if place.Grid == "" {
		place.Grid = s.me.OwnGrid()
	}
	if sp.Verb == verbFixed {
		return s.fixed(ctx, sp.Rest, u, place)
	}
	r := workflow.Round{ID: s.in.Delivery, Kind: workflow.Patrol, By: s.me.ID, Place: place, Text: sp.Rest, At: s.now}
	v := Values{"Place": place.String()}
	if sp.Verb == verbVisit {
		r.Kind = workflow.HomeVisit
		c, ok, err := s.cared(ctx, sp.Rest, place)
		if err != nil {
			return "", err
		}
		if ok {
			c = c.Visited(s.now)
			r.Care, r.Place = c.ID, c.Place
			v["Name"], v["Next"], v["Every"] = c.Name, s.voice().When(c.NextVisit, s.now), c.Every
		}
	}
	media := s.take()
	found, solved, err := s.foundOut(ctx, &r, &u)
	if err != nil {
		return "", err
	}
	if solved && place.Grid == "" {
		s.talk.Pending = pending{Verb: sp.Verb, Draft: sp.Rest}
		return s.say("fixed_where", nil), nil
	}
	var t workflow.Ticket
	if found {
		if t, err = s.fileFound(ctx, &r, u, media, solved, v); err != nil {
			return "", err
		}
	}
	for _, m := range media {
		r.Media = append(r.Media, m.ID)
	}
	today := s.now.In(s.shape.Community.Location())
	n, err := s.b.desk.Journal().RoundsOf(ctx, s.in.Community, s.me.ID, r.Kind, time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, today.Location()).UTC())
	if err != nil {
		return "", err
	}
	v["Count"], v["Photos"] = n+1, len(media)
	s.w.Change.Rounds = append(s.w.Change.Rounds, r)
	return s.warned(&t, v, s.say("did."+string(r.Kind), v)), nil
}

// mayRound tells whether patrols and visits, or what was settled on the spot, are
// the writer's business.
func (s *session) mayRound(v verb) bool {
	if v == verbFixed {
		return s.me.MayFix()
	}
	return s.me.MayRound()
}

// What says that nothing was found, and what says the contrary with the same words;
// what somebody did on their way, without a word of trouble: 「扫了楼道」; what says that
// something is done already, and that something was found.
var (
	allWell = regexp.MustCompile(`正常|没问题|没有问题|无异常|没有异常|(?:没有?|未)发现|一切都好|都挺好|挺好的?|良好|平安|没啥|没事|无事`)
	butNot  = regexp.MustCompile(`不(?:太|大|怎么|够)?(?:正常|平安|良好|好)|(?:^|[^没])有异常|除了`)
	gone    = regexp.MustCompile(`^\s*(?:都|已经?|全|刚|也)*(?:打扫|清扫|清理|检查|整理|扫|清|查|看|擦|拖|捡|巡)(?:过|了|完|干净)[^坏漏堵断裂松掉缺黑破满堆乱脏臭不没]*$`)
	onSpot  = regexp.MustCompile(`当场|随手|顺手|已经?(?:清|处理|修|解决|劝|换|移|搬|扶|关|补|挪|扫|捡)|(?:清走|清理|修好|扶起来|关上|劝走|挪开|捡走)了`)
	foundIt = regexp.MustCompile(`发现|看到|看见|反映`)
)

// foundOut tells whether the words of a round tell of a matter, and whether it
// was settled on the spot. u is what they were understood as; what is found beside
// words that all is well (「灯坏了,其他正常」) is understood by itself. Those of a visit
// are of a person (「身体挺好,就是屋里有点冷」): what else was found there has to be said.
func (s *session) foundOut(ctx context.Context, r *workflow.Round, u *workflow.Understanding) (found, solved bool, err error) {
	text := r.Text
	parts, well := s.notWell(text)
	switch {
	case u.Severity == workflow.Emergency:
		return true, false, nil
	case well && r.Kind == workflow.HomeVisit && !foundIt.MatchString(text):
	case well:
		if found, err = s.amiss(ctx, parts, u); err != nil {
			return false, false, err
		}
	default:
		found = matterIn(text, *u)
	}
	return found, found && onSpot.MatchString(text) && s.me.MayFix(), nil
}

// notWell are the parts of what somebody says of a round that do not say that all is
// well; well tells whether any does.
func (s *session) notWell(said string) (parts []string, well bool) {
	for _, part := range strings.FieldsFunc(said, func(r rune) bool { return strings.ContainsRune(",,。;;!!\n", r) }) {
		good := allWell.MatchString(part) || strings.Contains(part, s.say("inspect.well", nil))
		switch {
		case strings.TrimSpace(part) == "":
		case good && !butNot.MatchString(part):
			well = true
		case gone.MatchString(part):
		default:
			parts, well = append(parts, part), well || good
		}
	}
	return parts, well
}

// amiss tells whether one of the parts beside which all is well tells of a matter. Where
// the whole is understood as none, the part's understanding is u's, at the same place.
func (s *session) amiss(ctx context.Context, parts []string, u *workflow.Understanding) (bool, error) {
	for _, part := range parts {
		of, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: part})
		if err != nil {
			return false, err
		}
		if matterIn(part, of) || butNot.MatchString(part) {
			if !u.Matter() && of.Matter() {
				of.Place = u.Place
				*u = of
			}
			return true, nil
		}
	}
	return false, nil
}

// matterIn tells whether words tell of a matter: less has to be understood of them
// where they say that it was found.
func matterIn(text string, u workflow.Understanding) bool {
	return u.Matter() || foundIt.MatchString(text) && u.Kind == workflow.Incident && u.Confidence >= workflow.Unclear
}

// foundTicket files what a worker found.
func (s *session) foundTicket(ctx context.Context, text string, u workflow.Understanding, place workflow.Place, media []workflow.Media, solved bool) (int64, error) {
	cmd := u.Found(text, s.by())
	cmd.Media, cmd.Place = media, place
	t, err := s.w.FileFound(ctx, cmd, solved, s.b.o.Understander.Same)
	return t.Number, err
}

// fileFound files what a round found, beside its photos, and adds the ticket to what is
// said of the round.
func (s *session) fileFound(ctx context.Context, r *workflow.Round, u workflow.Understanding, media []workflow.Media, solved bool, v Values) (t workflow.Ticket, err error) {
	if r.Number, err = s.foundTicket(ctx, r.Text, u, r.Place, media, solved); err != nil {
		return t, err
	}
	if t, err = s.w.Ticket(ctx, r.Number); err != nil {
		return t, err
	}
	s.talk.Ticket = t.Number
	for key, value := range s.about(&t) {
		if _, known := v[key]; !known {
			v[key] = value
		}
	}
	v["Found"] = true
	return t, nil
}

// fixed files what was found and settled on the spot: 「随手办 …」.
func (s *session) fixed(ctx context.Context, text string, u workflow.Understanding, place workflow.Place) (string, error) {
	if place.Grid == "" {
		s.talk.Pending = pending{Verb: verbFixed, Draft: text}
		return s.say("fixed_where", nil), nil
	}
	number, err := s.foundTicket(ctx, text, u, place, s.take(), true)
	if err != nil {
		return "", err
	}
	t, err := s.w.Ticket(ctx, number)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.say("did.fixed", s.about(&t)), nil
}

// visitOf notes a visit of a pair, or progress with any other ticket.
func (s *session) visitOf(ctx context.Context, sp spoken) (string, error) {
	t, err := s.visible(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	media := s.take()
	if sp.Rest == "" && len(media) == 0 {
		s.talk.Pending = pending{Verb: verbVisit, Number: t.Number}
		return s.say("words.visit", s.about(&t)), nil
	}
	cmd := workflow.Command{Name: workflow.CmdVisit, Actor: s.by(), Text: sp.Rest, Media: media}
	if t.Pair == nil {
		cmd.Name = workflow.CmdNote
	}
	if t, err = s.w.Do(ctx, t.Number, cmd); err != nil {
		return "", err
	}
	v := s.about(&t)
	v["Next"] = s.voice().When(t.Due[workflow.ClockVisit], s.now)
	return s.say("did.pair_visit", v), nil
}

// visitsDue are the lines of those whose visit is due today, for a worker's
// list.
func (s *session) visitsDue(ctx context.Context, most int) ([]string, error) {
	if !s.me.Has(workflow.RoleWorker) && !s.me.Has(workflow.RoleLeader) {
		return nil, nil
	}
	return s.careLines(ctx, s.now.Add(12*time.Hour), most, workflow.HidePhone)
}

func (s *session) careLines(ctx context.Context, until time.Time, most int, phone func(string) string) ([]string, error) {
	grids := s.me.CareGrids(s.shape.Community)
	if len(grids) == 0 {
		return nil, nil
	}
	due, err := s.b.desk.Journal().CareDue(ctx, s.in.Community, grids, until, most)
	var lines []string
	for _, c := range due {
		lines = append(lines, s.say("care_line", Values{
			"Name": c.Name, "Phone": phone(c.Phone), "Place": c.Place.String(), "Kind": string(c.Kind), "Note": c.Note, "Every": c.Every,
			"Last": s.voice().When(c.LastVisit, s.now), "Next": s.voice().When(c.NextVisit, s.now), "Overdue": c.NextVisit.Before(s.now),
		}))
	}
	return lines, err
}

// careList shows who is to be visited in the coming week.
func (s *session) careList(ctx context.Context) (string, error) {
	if len(s.me.CareGrids(s.shape.Community)) == 0 {
		return "", &workflow.Error{Code: workflow.CodeNotAllowed}
	}
	lines, err := s.careLines(ctx, s.now.AddDate(0, 0, 7), 15, func(phone string) string { return phone })
	if err != nil {
		return "", err
	}
	if len(lines) > 0 {
		s.looks("care.look", 0)
	}
	return s.say("care", Values{"Lines": strings.Join(lines, "\n"), "Count": len(lines)}), nil
}

// cared finds whom of the care list a visit was to: by the name it begins
// with, or else by the door.
func (s *session) cared(ctx context.Context, text string, at workflow.Place) (workflow.Care, bool, error) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,,。.::、", r) }) {
		if n := len([]rune(word)); n < 2 || n > 5 {
			continue
		}
		named, err := s.b.desk.Journal().CareNamed(ctx, s.in.Community, word)
		if err != nil {
			return workflow.Care{}, false, err
		}
		var fit []workflow.Care
		for _, c := range named {
			if s.me.MayCare(c.Place.Grid) && (at.Building == 0 || at.Building == c.Place.Building) {
				fit = append(fit, c)
			}
		}
		if len(fit) == 1 {
			return fit[0], true, nil
		}
	}
	return workflow.Care{}, false, nil
}
