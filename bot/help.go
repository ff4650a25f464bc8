package bot

import (
	"slices"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// configured are what a community may have or not, by its document and its people: what it
// does not have stands neither in the help nor in the account's menu.
var configured = map[string]func(desk.Shape) bool{
	"rewards": func(s desk.Shape) bool { return s.Community.Rewards.On() },
	"patrol": func(s desk.Shape) bool {
		return s.Community.Property.Company != "" && s.Community.Property.Patrol != nil
	},
	"score": func(s desk.Shape) bool {
		return s.Community.Property.Company != "" && s.Community.Property.Score != nil
	},
	"lessons": func(s desk.Shape) bool { return len(s.Roster.Branches()) > 0 },
}

// hint is a line of the help.
type hint struct {
	name string // of its words
	part string // of what is configured, "" for none
	whom whom
}

// hints are all lines of the help, what matters most first.
var hints = []hint{
	{"manage", "", playing(workflow.RoleAdmin)},
	{"work", "", fixing},
	{"assign", "", playing(workflow.RoleCommittee)},
	{"topics", "", playing(workflow.RoleCommittee)},
	{"inspect", "patrol", workflow.Person.OfCompany},
	{"score", "score", either(workflow.Person.OfCompany, playing(workflow.RoleCommittee))},
	{"accept", "", fixing},
	{"ask", "", fixing},
	{"fixed", "", fixing},
	{"behalf", "", keeping},
	{"care", "", caring},
	{"lessons", "lessons", learning},
	{"hour", "lessons", learning},
	{"door", "lessons", learning},
	{"wishes", "", either(claiming, playing(workflow.RoleCommittee))},
	{"claimed", "", helping},
	{"together", "", claiming},
	{"patrol", "", rounding},
	{"call", "", fixing},
	{"hand", "", either(fixing, claiming)},
	{"sort", "", keeping},
	{"phoned", "", keeping},
	{"share", "", caring},
	{"story", "", either(fixing, claiming)},
	{"leave", "", either(fixing, claiming)},

	{"progress", "", residing},
	{"urge", "", residing},
	{"rate", "", residing},
	{"wall", "", residing},
	{"own", "", staffed},
	{"topic", "", anybody},
	{"points", "rewards", anybody},
	{"home", "", residing},
	{"cancel", "", residing},
	{"who", "", residing},
	{"learn", "lessons", unless(learning)},
	{"fund", "", anybody},
	{"login", "", unless(playing(workflow.RoleAdmin))},
}

var keeping = playing(workflow.RoleWorker, workflow.RoleLeader, workflow.RoleCommittee)

// whom tells whether a line is for somebody.
type whom func(workflow.Person, *workflow.Community) bool

func anybody(workflow.Person, *workflow.Community) bool      { return true }
func residing(p workflow.Person, _ *workflow.Community) bool { return !p.Staff() }
func staffed(p workflow.Person, _ *workflow.Community) bool  { return p.Staff() }
func fixing(p workflow.Person, _ *workflow.Community) bool   { return p.MayFix() }
func claiming(p workflow.Person, _ *workflow.Community) bool { return p.MayClaim() }
func learning(p workflow.Person, _ *workflow.Community) bool { return len(p.Branches()) > 0 }
func caring(p workflow.Person, c *workflow.Community) bool   { return len(p.CareGrids(c)) > 0 }

// helping are volunteers, party members and partner units: they claim and go round, and
// hold no office.
func helping(p workflow.Person, _ *workflow.Community) bool { return p.MayClaim() && !p.MayFix() }

// rounding are those who go on patrol and settle nothing on the spot.
func rounding(p workflow.Person, _ *workflow.Community) bool { return p.MayRound() && !p.MayFix() }

func playing(kinds ...workflow.RoleKind) whom {
	return func(p workflow.Person, _ *workflow.Community) bool { return slices.ContainsFunc(kinds, p.Has) }
}

func either(all ...whom) whom {
	return func(p workflow.Person, c *workflow.Community) bool {
		return slices.ContainsFunc(all, func(w whom) bool { return w(p, c) })
	}
}

func unless(w whom) whom {
	return func(p workflow.Person, c *workflow.Community) bool { return !w(p, c) }
}

// hintsFor are the names of the lines that somebody can use.
func hintsFor(p workflow.Person, s desk.Shape) []string {
	var out []string
	for _, h := range hints {
		if has := configured[h.part]; (h.part == "" || has(s)) && h.whom(p, s.Community) {
			out = append(out, h.name)
		}
	}
	return out
}

// firstHints is how many lines the help has before 「帮助 更多」 tells the rest.
const firstHints = 6

// help says what the writer can write, what matters most first.
func (s *session) help(rest bool) string {
	lines := hintsFor(s.me, s.shape)
	more := len(lines) > firstHints
	switch {
	case rest && more:
		lines = lines[firstHints:]
	case more:
		lines = lines[:firstHints]
	}
	for i, name := range lines {
		lines[i] = s.say("help_line."+name, nil)
	}
	v := Values{"Lines": strings.Join(lines, "\n")}
	if rest || !more {
		return s.say("help", v)
	}
	return s.offer(s.say("help", v), choice{s.say("choice.more_help", nil), suggested(verbMoreHelp)})
}
