package workflow

import (
	"slices"
	"strings"
	"testing"
)

func TestWhoReadsATicket(t *testing.T) {
	ticket := Ticket{Community: "c", State: Accepted, Kind: Incident, Reporter: 1, Owner: 2, Handlers: []PersonID{2, 3}, FiledBy: 4, Followers: []PersonID{5}, Supporters: []PersonID{6},
		Hands: []Hand{{Person: 7, State: HandCalled}, {Person: 8, State: HandDone}}, Place: Place{Grid: "G1"}}
	staff := func(id PersonID, roles ...Role) Person { return Person{ID: id, Community: "c", Roles: roles} }
	property := Role{Kind: RoleProperty}
	for name, c := range map[string]struct {
		who  Person
		want bool
	}{
		"whose matter it is":          {Person{ID: 1, Community: "c"}, true},
		"a neighbour":                 {Person{ID: 9, Community: "c"}, false},
		"nobody":                      {Person{}, false},
		"who has it":                  {staff(2, property), true},
		"who had it":                  {staff(3, property), true},
		"who had it and left":         {staff(3), false},
		"who filed it":                {staff(4, property), true},
		"whose ticket was merged":     {Person{ID: 5, Community: "c"}, false},
		"who wishes the same":         {Person{ID: 6, Community: "c"}, false},
		"who is called to it":         {staff(7, property), true},
		"whose part is done":          {staff(8, property), false},
		"its grid's worker":           {staff(10, Role{Kind: RoleWorker, Grid: "G1"}), true},
		"another grid's worker":       {staff(10, Role{Kind: RoleWorker, Grid: "G2"}), false},
		"its grid's leader":           {staff(10, Role{Kind: RoleLeader, Grid: "G1"}), true},
		"an officer":                  {staff(10, Role{Kind: RoleOfficer}), false},
		"the committee":               {staff(10, Role{Kind: RoleCommittee}), true},
		"an administrator":            {staff(10, Role{Kind: RoleAdmin}), false},
		"another community's members": {Person{ID: 10, Community: "d", Roles: []Role{{Kind: RoleCommittee}}}, false},
		"another community's first":   {Person{ID: 1, Community: "d"}, false},
	} {
		if got := ticket.ReadBy(c.who); got != c.want {
			t.Errorf("%s: reads it: %v, want %v", name, got, c.want)
		}
	}
}

// What is not offered is refused whatever else the command says; what is
// offered stands in the table for the state and the part.
func TestOffersAreTheTablesRows(t *testing.T) {
	owner := By(Person{ID: 2, Roles: []Role{{Kind: RoleWorker, Grid: "G1", FullTime: true}}})
	ticket := Ticket{State: Assigned, Kind: Incident, Reporter: 1, Owner: 2, Place: Place{Grid: "G1"}}
	got := Offers(&ticket, owner)
	for _, want := range []CommandName{CmdAccept, CmdTransfer, CmdReturn, CmdCall, CmdAsk} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not offered to the owner: %v", want, got)
		}
	}
	for _, other := range []CommandName{CmdRate, CmdResolve, CmdTick, CmdFile, CmdAssign} {
		if slices.Contains(got, other) {
			t.Errorf("%s is offered to the owner of an assigned ticket", other)
		}
	}
	if got := Offers(&ticket, Actor{Kind: ActorPerson, Person: 1}); !slices.Contains(got, CmdUrge) || !slices.Contains(got, CmdCancel) || slices.Contains(got, CmdAccept) {
		t.Errorf("to whose matter it is: %v", got)
	}
	if got := Offers(&ticket, Actor{Kind: ActorPerson}); len(got) != 0 {
		t.Errorf("to nobody: %v", got)
	}
}

// Of a wish nobody but its owner agreed to be known; who handles it is known to all.
func TestWhomAWishHides(t *testing.T) {
	wish := Ticket{Kind: Wish, Reporter: 1, Followers: []PersonID{2}, Supporters: []PersonID{3, 7}, Owner: 4, Place: Place{Grid: "G1"}}
	named, incident := wish, wish
	named.Named, incident.Kind = true, Incident
	claimer := Person{ID: 4, Roles: []Role{{Kind: RolePartner}}}
	member := Person{ID: 7, Roles: []Role{{Kind: RolePartyMember}}}
	for name, c := range map[string]struct {
		ticket    Ticket
		who, from Person
		want      bool
	}{
		"its owner":                          {wish, Person{ID: 1}, claimer, true},
		"its owner who agreed":               {named, Person{ID: 1}, claimer, false},
		"its owner from themselves":          {wish, Person{ID: 1}, Person{ID: 1}, false},
		"who follows it":                     {named, Person{ID: 2}, claimer, true},
		"who wishes the same":                {named, Person{ID: 3}, claimer, true},
		"staff who wish the same":            {named, member, claimer, true},
		"who took it back":                   {named, Person{ID: 9}, claimer, true},
		"who has it":                         {wish, claimer, Person{ID: 1}, false},
		"from its grid's worker":             {wish, Person{ID: 3}, Person{ID: 5, Roles: []Role{{Kind: RoleWorker, Grid: "G1"}}}, false},
		"from the committee":                 {wish, Person{ID: 1}, Person{ID: 5, Roles: []Role{{Kind: RoleCommittee}}}, false},
		"who follows an incident":            {incident, Person{ID: 2}, claimer, false},
		"its owner from who wishes it too":   {named, Person{ID: 2}, Person{ID: 3}, true},
		"its owner from another's volunteer": {wish, Person{ID: 1}, Person{ID: 6, Roles: []Role{{Kind: RoleVolunteer}}}, true},
	} {
		if got := c.ticket.Hides(c.who, c.from); got != c.want {
			t.Errorf("%s: hidden: %v, want %v", name, got, c.want)
		}
	}
}

// Somebody is told what they said themselves and what those who handled it told them,
// while it was their matter.
func TestWhatIsTold(t *testing.T) {
	const li, wang, chen, he = 1, 2, 3, 4
	at := func(typ EventType, by PersonID, text string) Event {
		return Event{Type: typ, To: Accepted, Actor: ActorPerson, By: by, Text: text, Media: []Media{{ID: text, By: by}}}
	}
	with := func(ev Event, f func(*Event)) Event { f(&ev); return ev }
	events := []Event{
		with(at(EvFiled, he, "李的话"), func(ev *Event) { ev.Reporter, ev.Place = li, &Place{Room: "402"} }), // filed for them
		with(at(EvAssigned, he, "派单理由"), func(ev *Event) { ev.Owner = chen }),
		with(Event{Type: EvAbsorbed, To: Accepted, Text: "王的话"}, func(ev *Event) { ev.Follow = []PersonID{wang} }),
		at(EvSupplemented, li, "李补充"),
		at(EvSupplemented, wang, "王补充"),
		at(EvSupplemented, he, "同事补充"),
		at(EvSupplemented, chen, "办事的补充"),
		with(at(EvAsked, chen, "问李"), func(ev *Event) { ev.Question = &Question{Text: "问李", By: chen} }),
		at(EvAnswered, wang, "王回答"),
		at(EvNoted, chen, "进展一"),
		at(EvReturned, chen, "退单理由"),
		at(EvTransferred, chen, "转派理由"),
		at(EvEscalated, chen, "督办理由"),
		at(EvCalled, chen, "协助理由"),
		at(EvPartDeclined, he, "办不了的理由"),
		with(at(EvLeft, li, "王自己的"), func(ev *Event) { ev.Reporter, ev.Place = wang, &Place{Room: "101"} }),
		with(at(EvNoted, chen, "进展二"), func(*Event) {}),
		at(EvResolved, chen, "结果"),
	}
	events[10].To = Accepted
	for p, want := range map[PersonID]string{
		li:   "李的话 李补充 办事的补充 问李 进展一 结果",
		wang: "王补充 王回答 王自己的 进展二 结果",
		99:   "结果",
	} {
		var said []string
		for i, ev := range Told(events, p) {
			if ev.Text != "" {
				said = append(said, ev.Text)
			}
			if (ev.Text == "") != (len(ev.Media) == 0) {
				t.Errorf("%d: %s: words %q, photos %v", p, ev.Type, ev.Text, ev.Media)
			}
			if ev.Place != nil && ev.Reporter != p {
				t.Errorf("%d is told the place of event %d", p, i)
			}
			if ev.Question != nil && (ev.Question.Text == "") == (p == li) {
				t.Errorf("%d: the question is %q", p, ev.Question.Text)
			}
		}
		if got := strings.Join(said, " "); got != want {
			t.Errorf("%d is told %q, want %q", p, got, want)
		}
	}
	if events[0].Text == "" || events[7].Question.Text == "" {
		t.Error("the events themselves were changed")
	}
	text, media := WordsOf(Told(events, wang))
	if text != "王补充\n王回答\n王自己的" || len(media) != 5 {
		t.Errorf("the words are %q with %v", text, media)
	}

	for p, want := range map[PersonID]string{li: "李的话\n李补充", wang: "王补充\n王回答\n王自己的", chen: "办事的补充", 99: ""} {
		text, media, place := Said(events, p)
		if text != want || len(media) != strings.Count(want, "\n")+min(1, len(want)) || place.Room != map[PersonID]string{li: "402", wang: "101"}[p] {
			t.Errorf("%d said %q with %v of %v", p, text, media, place)
		}
	}

	// Another ID of the same human reads on; one who only waited for it does not.
	adopted := append(slices.Clone(events[:4]), Event{Type: EvAdopted, To: Accepted, Reporter: 50, Follow: []PersonID{li}})
	if text, _ := WordsOf(Told(adopted, 50)); text != "李的话\n李补充" {
		t.Errorf("who became staff reads %q", text)
	}
	if text, _, _ := Said(adopted, 50); text != "李的话\n李补充" {
		t.Errorf("who became staff said %q", text)
	}
	adopted[4].Reporter = wang
	if text, _ := WordsOf(Told(adopted, wang)); text != "" {
		t.Errorf("a neighbour who was given it reads %q", text)
	}
}
