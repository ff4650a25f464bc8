package bot

import (
	"slices"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// furnished is a community that has all that one may have or not.
func furnished() desk.Shape {
	c := &workflow.Community{Grids: []workflow.Grid{{Code: "G01"}}}
	c.Rewards.Wish = 20
	c.Property = workflow.Property{Company: "红色物业", Patrol: &workflow.Patrolling{Every: 7}, Score: &workflow.ServiceScore{}}
	return desk.Shape{Community: c, Roster: workflow.Roster{{ID: 1, Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "第一支部"}}}}}
}

// Everybody is told what they can write, what matters most first, and nothing that is
// not theirs.
func TestTheHelpIsForWhoAsks(t *testing.T) {
	role := func(kind workflow.RoleKind) workflow.Role { return workflow.Role{Kind: kind, Grid: "G01"} }
	for who, tt := range map[string]struct {
		roles            []workflow.Role
		first, more, not string
	}{
		"a resident": {nil,
			"progress urge rate wall topic points", "home cancel who learn fund login", "own"},
		"a worker": {[]workflow.Role{role(workflow.RoleWorker)},
			"work accept ask fixed behalf care", "wishes together call hand sort phoned share story leave own topic points learn fund login",
			"assign topics inspect score lessons manage"},
		"a leader": {[]workflow.Role{role(workflow.RoleLeader)},
			"work accept ask fixed behalf care", "call share", "wishes together claimed inspect topics"},
		"the committee": {[]workflow.Role{{Kind: workflow.RoleCommittee}},
			"work assign topics score accept ask", "fixed behalf care wishes sort phoned share", "inspect together claimed lessons manage"},
		"the company under contract": {[]workflow.Role{{Kind: workflow.RoleProperty, Unit: "红色物业"}},
			"work inspect score accept ask fixed", "call hand story leave", "behalf care topics wishes sort phoned share assign"},
		"another company": {[]workflow.Role{{Kind: workflow.RoleProperty, Unit: "别家物业"}},
			"work accept ask fixed", "", "inspect score"},
		"an officer": {[]workflow.Role{{Kind: workflow.RoleOfficer}},
			"work accept ask fixed call hand", "", "behalf care inspect topics wishes"},
		"a volunteer": {[]workflow.Role{{Kind: workflow.RoleVolunteer}},
			"wishes claimed together patrol hand story", "leave own points", "work accept fixed behalf care inspect call"},
		"a partner unit": {[]workflow.Role{{Kind: workflow.RolePartner, Unit: "北村小学"}},
			"wishes claimed together hand story leave", "own", "patrol fixed work accept"},
		"a party member": {[]workflow.Role{{Kind: workflow.RolePartyMember, Branch: "第一支部"}},
			"lessons hour door wishes claimed together", "own topic points fund login", "learn work accept patrol behalf progress"},
		"an administrator": {[]workflow.Role{{Kind: workflow.RoleAdmin}},
			"manage own topic points learn fund", "", "login work hand story leave wishes"},
		"a worker and party member": {[]workflow.Role{role(workflow.RoleWorker), {Kind: workflow.RolePartyMember, Branch: "第一支部"}},
			"work accept ask fixed behalf care", "lessons hour door wishes", "learn claimed"},
	} {
		have := hintsFor(workflow.Person{ID: 2, Roles: tt.roles}, furnished())
		first := have[:min(firstHints, len(have))]
		if want := strings.Fields(tt.first); !slices.Equal(first[:min(len(want), len(first))], want) {
			t.Errorf("%s is told first of %q, want %q", who, first, want)
		}
		for _, name := range strings.Fields(tt.more) {
			if !slices.Contains(have[len(first):], name) {
				t.Errorf("%s is not told of %s: %q", who, name, have)
			}
		}
		for _, name := range strings.Fields(tt.not) {
			if slices.Contains(have, name) {
				t.Errorf("%s is told of %s: %q", who, name, have)
			}
		}
	}
}

// without is what a community may lack, and what is then offered to nobody: lines of
// the help, buttons of the menu.
var without = map[string]struct {
	lacks          func(*desk.Shape)
	lines, buttons string
}{
	"rewards": {func(s *desk.Shape) { s.Community.Rewards.Wish = 0 }, "points", "积分兑换"},
	"patrol":  {func(s *desk.Shape) { s.Community.Property.Patrol = nil }, "inspect", "物业巡检"},
	"score":   {func(s *desk.Shape) { s.Community.Property.Score = nil }, "score", ""},
	"company": {func(s *desk.Shape) { s.Community.Property.Company = "" }, "inspect score", "物业巡检"},
	"lessons": {func(s *desk.Shape) { s.Roster = nil }, "learn", "微党课"},
}

// less is a list without some of it; ok is false where it did not have all of that.
func less(list []string, names string) (rest []string, ok bool) {
	gone := strings.Fields(names)
	rest = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
	return rest, len(rest) == len(list)-len(gone)
}

// What a community does not have is not in the help.
func TestTheHelpKnowsWhatThereIs(t *testing.T) {
	company := workflow.Person{ID: 2, Roles: []workflow.Role{{Kind: workflow.RoleProperty, Unit: "红色物业"}}}
	for part, tt := range without {
		lacking := furnished()
		tt.lacks(&lacking)
		want, ok := less(hintsFor(company, furnished()), tt.lines)
		if have := hintsFor(company, lacking); !ok || !slices.Equal(have, want) {
			t.Errorf("without %s the help has %q, want %q", part, have, want)
		}
	}
}

// Every line of the help is short, a resident's a line of the telephone, and somebody's.
func TestTheHelpsWords(t *testing.T) {
	w := shippedWording(t)
	for _, h := range hints {
		text := w.Say("help_line."+h.name, nil)
		if n := len([]rune(text)); !w.Has("help_line."+h.name) || n > 48 {
			t.Errorf("help_line.%s: %q has %d signs", h.name, text, n)
		}
		if n := len([]rune(text)); h.whom(workflow.Person{}, &workflow.Community{}) && n > 20 {
			t.Errorf("help_line.%s: %q has %d signs: a resident reads it on one line", h.name, text, n)
		}
		if h.part != "" && configured[h.part] == nil {
			t.Errorf("%s is about %q, which nobody knows", h.name, h.part)
		}
	}
	for _, key := range w.Keys() {
		name, ok := strings.CutPrefix(key, "help_line.")
		if ok && !slices.ContainsFunc(hints, func(h hint) bool { return h.name == name }) {
			t.Errorf("%s is told to nobody", key)
		}
	}
	for said, want := range map[string]verb{"帮助": verbHelp, "帮助 更多": verbMoreHelp, "更多用法。": verbMoreHelp, "更多老人想学手机": verbNone} {
		if have := listen(said).Verb; have != want {
			t.Errorf("%s is read as %q", said, have)
		}
	}
}
