package workflow

import (
	"slices"
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
