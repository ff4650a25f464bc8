package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// behalf files for somebody who does not write: 「代报 王桂英 13800000000
// 12号楼3单元402 楼道灯不亮」.
func (s *session) behalf(ctx context.Context, sp spoken) (string, error) {
	if !s.me.Has(workflow.RoleWorker) && !s.me.Has(workflow.RoleLeader) && !s.me.Has(workflow.RoleCommittee) {
		return "", &workflow.Error{Code: workflow.CodeNotAllowed}
	}
	whole, err := s.understand(ctx, sp.Rest)
	if err != nil {
		return "", err
	}
	rest, phone := workflow.PhoneIn(sp.Rest)
	name, text, err := s.nameIn(ctx, rest)
	if err != nil {
		return "", err
	}
	if name == "" || text == "" {
		if whole.Severity == workflow.Emergency { // whose it is can be asked later
			return s.free(ctx, sp.Rest)
		}
		s.talk.Pending = pending{Verb: verbBehalf}
		return s.say("behalf_how", nil), nil
	}
	who, fresh, err := s.resident(ctx, name, phone, text)
	if err != nil {
		return "", err
	}
	u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: text, Home: who.Home})
	if err != nil {
		return "", err
	}
	cmd := s.filing(text, u)
	if !cmd.Place.Known() && u.PlaceProblem == "" && who.Home.Known() {
		cmd.Place = who.Home // where else
	}
	cmd.Reporter, cmd.Topic, cmd.Source = who.ID, "", workflow.SourceBehalf
	if cmd.Kind != workflow.Wish {
		cmd.Kind = workflow.Incident
	}
	if _, kind, ok := s.voice().Taxonomy.Find(string(cmd.Category)); cmd.Category != "" && (!ok || kind != cmd.Kind) {
		cmd.Category = ""
	}
	if cmd.Kind == workflow.Incident && !cmd.Place.Known() && cmd.Severity != workflow.Emergency {
		s.talk.Pending = pending{Verb: verbBehalf, Draft: strings.TrimSpace(name + " " + phone + " " + text)}
		if u.PlaceProblem == "no_such_building" { // the words with the wrong place are of no use
			s.talk.Pending.Draft = ""
		}
		return s.say("behalf_where", Values{"Name": name, "Text": text, "Problem": u.PlaceProblem, "Written": u.Place.String()}), nil
	}
	if fresh {
		if cmd.Place.Unit != 0 || cmd.Place.Room != "" {
			who.Home = cmd.Place
			who.Home.Detail, who.Home.Landmark = "", ""
		}
		s.w.Change.NewPerson = &who
	}
	if !fresh && who.Phone == "" && phone != "" {
		s.w.Change.Contact = &desk.Contacted{Person: who.ID, Phone: phone}
		who.Phone = phone
	}
	cmd.Media = s.take()
	t, err := s.w.File(ctx, cmd)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	v := s.about(&t)
	v["Name"], v["NoPhone"], v["Known"] = name, who.Phone == "" && who.OpenID == "", !fresh
	return s.warned(&t, v, s.say("behalf_filed", v)), nil
}

// nameIn takes the name out of a line: the first part that is a name by its
// form and neither a place nor a matter.
func (s *session) nameIn(ctx context.Context, line string) (name, rest string, err error) {
	parts := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" ,，、;；。:：\n", r) })
	for i, p := range parts {
		if !workflow.IsName(p) {
			continue
		}
		if i > 0 { // not where a name is expected: it must not be anything else
			u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: p})
			if err != nil {
				return "", "", err
			}
			matter := (u.Kind == workflow.Incident || u.Kind == workflow.Wish) && u.Confidence >= workflow.Doubtful
			if u.Place != (workflow.Place{}) || matter {
				continue
			}
		}
		return p, strings.Join(slices.Delete(slices.Clone(parts), i, i+1), " "), nil
	}
	return "", "", nil
}

// resident finds whom a worker names: by telephone, else by name where only
// one has it or lives there; fresh is true for somebody the desk did not know.
func (s *session) resident(ctx context.Context, name, phone, text string) (p workflow.Person, fresh bool, err error) {
	known, err := s.b.desk.Journal().Residents(ctx, s.in.Community, name, phone)
	if err != nil {
		return p, false, err
	}
	u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: text})
	if err != nil {
		return p, false, err
	}
	if p, ok := workflow.SameResident(known, name, phone, u.Place); ok {
		return p, false, nil
	}
	id, err := s.b.desk.Journal().NextPerson(ctx)
	return workflow.Person{ID: id, Community: s.in.Community, Name: name, Phone: phone}, true, err
}
