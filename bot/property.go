package bot

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// mostDue is how many buildings a reply names that are still to be inspected.
const mostDue = 40

// buildingFirst is how an inspection begins that says where it was: 「西区12号楼 …」.
var buildingFirst = regexp.MustCompile(`^[^0-9]{0,12}[0-9]{1,4}\s*(?:号楼|栋楼|[栋幢座楼号])?[ ,,。:：、]*`)

// inspect records that the property company went through a building by its checklist
// (巡检): all well, or what was not. Without words it offers the checklist, without a
// building it tells which are due.
func (s *session) inspect(ctx context.Context, sp spoken) (string, error) {
	c := s.shape.Community
	if c.Property.Patrol == nil || !s.me.OfCompany(c) {
		return "", &workflow.Error{Code: workflow.CodeNotAllowed}
	}
	u, err := s.b.o.Understander.Understand(ctx, c, workflow.Words{Text: sp.Rest, Scene: s.talk.Scene.Place, Near: s.talk.Near.Place})
	if err != nil {
		return "", err
	}
	if u.Place.Building == 0 {
		return s.inspections(ctx)
	}
	if u.Place.Estate == "" {
		u.Place = s.onlyCovered(u.Place)
	}
	if !c.Covered(u.Place) {
		return s.say("inspect.not_ours", Values{"Place": u.Place.String()}), nil
	}
	u.Place.Unit, u.Place.Room = 0, ""
	at := u.Place.String()
	said := s.beyondPlace(sp.Rest, u.Place)
	s.talk.Ticket = 0 // photos are of the building now
	if said == "" {
		choices := []choice{{s.say("inspect.well", nil), suggested(verbInspect) + " " + at + " " + s.say("inspect.well", nil)}}
		for _, item := range c.Property.Patrol.Items {
			choices = append(choices, choice{s.say("inspect.wrong", Values{"Name": item}), suggested(verbInspect) + " " + at + " " + item + ":"})
		}
		return s.offer(s.say("inspect.which", Values{"Place": at}), choices...), nil
	}
	r := workflow.Round{ID: s.in.Delivery, Kind: workflow.Inspection, By: s.me.ID, Place: u.Place, Text: said, At: s.now}
	parts, well := s.notWell(said)
	for _, item := range c.Property.Patrol.Items {
		r.Checks = append(r.Checks, workflow.Check{Item: item, Wrong: strings.Contains(strings.Join(parts, "\n"), item)})
	}
	wrong := r.Wrongs()
	if item, only := strings.CutSuffix(strings.TrimRight(said, " "), ":"); only && len(wrong) > 0 { // tapped: what about it?
		s.talk.Pending = pending{Verb: verbInspect, Draft: at + " " + item + ":"}
		return s.say("inspect.what", Values{"Place": at, "Name": item}), nil
	}
	// Whatever does not say that all is well is found; beside such words 「二楼灯不亮」 is.
	found, solved := u.Severity == workflow.Emergency || len(wrong) > 0 || !well, onSpot.MatchString(said)
	if !found {
		if found, err = s.amiss(ctx, parts, &u); err != nil {
			return "", err
		}
	}
	media := s.take()
	v := Values{"Place": at, "Count": len(r.Checks), "Wrong": strings.Join(wrong, "、"), "Photos": len(media)}
	var t workflow.Ticket
	if found {
		if t, err = s.fileFound(ctx, &r, u, media, solved, v); err != nil {
			return "", err
		}
	}
	for _, m := range media {
		r.Media = append(r.Media, m.ID)
	}
	s.w.Change.Rounds = append(s.w.Change.Rounds, r)
	standing, ok, err := s.b.desk.Inspecting(ctx, s.in.Community)
	if err != nil {
		return "", err
	}
	if ok {
		left := 0
		for _, p := range standing.Due {
			if p.Estate != r.Place.Estate || p.Building != r.Place.Building {
				left++
			}
		}
		v["Left"], v["Until"] = left, s.lastDay(standing.Turn)
	}
	return s.warned(&t, v, s.say("did.inspect", v)), nil
}

// onlyCovered is a building without its estate's name in the only estate under contract
// that has it; as it is where there are several.
func (s *session) onlyCovered(p workflow.Place) workflow.Place {
	found := p
	for _, e := range s.shape.Community.Estates {
		if at := (workflow.Place{Estate: e.Name, Building: p.Building, Grid: s.shape.Community.GridOf(e.Name, p.Building)}); s.shape.Community.Covered(at) {
			if found.Estate != "" {
				return p
			}
			found = at
		}
	}
	return found
}

// beyondPlace is what is said after the building.
func (s *session) beyondPlace(text string, p workflow.Place) string {
	e, _ := s.shape.Community.Estate(p.Estate)
	for _, name := range append([]string{e.Name}, e.Aliases...) { // its name may have figures: 960医院家属院
		if rest, ok := strings.CutPrefix(text, name); ok {
			text = rest
			break
		}
	}
	return buildingFirst.ReplaceAllString(text, "")
}

// lastDay is the last day of a turn, as it is said.
func (s *session) lastDay(t property.Turn) string {
	last := t.Until.AddDate(0, 0, -1).In(s.shape.Community.Location())
	return s.say("inspect.day", Values{"Month": int(last.Month()), "Day": last.Day()})
}

// inspections tells which buildings are still to be inspected, and which were missed.
func (s *session) inspections(ctx context.Context) (string, error) {
	standing, ok, err := s.b.desk.Inspecting(ctx, s.in.Community)
	if err != nil || !ok {
		return s.say("inspect.how", nil), err
	}
	return s.say("inspect.due", Values{
		"Until": s.lastDay(standing.Turn), "All": standing.All, "Left": len(standing.Due), "Lines": s.buildings(standing.Due),
		"Missed": len(standing.Missed), "MissedLines": s.buildings(standing.Missed),
	}), nil
}

// buildings are some buildings in a line, by estate.
func (s *session) buildings(all []workflow.Place) string {
	rows, more := property.Rows(all, mostDue)
	var out []string
	for _, r := range rows {
		out = append(out, s.say("inspect.row", Values{"Lines": r.String()}))
	}
	if more {
		out = append(out, "……")
	}
	return strings.Join(out, "\n")
}

// score tells how the property company's month stands (考核赋分).
func (s *session) score(ctx context.Context) (string, error) {
	c := s.shape.Community
	if !s.me.OfCompany(c) && !s.me.Has(workflow.RoleCommittee) {
		return "", &workflow.Error{Code: workflow.CodeNotAllowed}
	}
	if c.Property.Score == nil {
		return s.say("score.none", nil), nil
	}
	sheet, err := s.b.desk.Sheet(ctx, s.in.Community, property.MonthOf(s.now, c.Location()))
	if err != nil {
		return "", err
	}
	var lines []string
	for _, sum := range sheet.Sums() {
		lines = append(lines, s.say("score.line", Values{"Name": s.say("score.cause."+string(sum.Cause), nil), "Count": sum.Count, "Points": fmt.Sprintf("%+d", sum.Points)}))
	}
	return s.say("score.month", Values{"Name": sheet.Terms.Company, "Month": int(sheet.Month.Month), "Total": sheet.Total(), "Lines": strings.Join(lines, "\n")}), nil
}
