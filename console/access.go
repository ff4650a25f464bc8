package console

import (
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
)

// who is a group of people of one community, by the parts that they play now.
type who string

// The groups. A route that names several lets in each of them.
const (
	anybody   who = "anybody"   // also who is not logged in
	resident  who = "resident"  // whoever is logged in
	claimer   who = "claimer"   // party members, volunteers, partner units, workers
	handler   who = "handler"   // who has work: any part but the administrator's alone
	keeper    who = "keeper"    // grid workers and leaders: they file by hand, visit, file for others
	learner   who = "learner"   // party members without another part
	secretary who = "secretary" // secretaries of party branches, and the committee
	rounder   who = "rounder"   // who goes on patrol: the staff in office, and volunteers
	committee who = "committee" // the party committee
	company   who = "company"   // property companies; which is under contract is asked by the handler
	duty      who = "duty"      // the committee's on duty
	admin     who = "admin"     // administrators
)

// holds tells whether somebody belongs to a group; the zero Person is nobody.
func (w who) holds(p workflow.Person) bool {
	if w == anybody {
		return true
	}
	if p.ID == 0 {
		return false
	}
	switch w {
	case resident:
		return true
	case claimer:
		return p.MayClaim() || p.Has(workflow.RoleCommittee)
	case handler:
		return slices.ContainsFunc(p.Roles, func(r workflow.Role) bool { return r.Kind != workflow.RoleAdmin })
	case keeper:
		return p.Has(workflow.RoleWorker) || p.Has(workflow.RoleLeader)
	case learner:
		return p.Has(workflow.RolePartyMember) && len(p.Leads()) == 0 && !slices.ContainsFunc(p.Roles, func(r workflow.Role) bool { return r.Kind != workflow.RolePartyMember })
	case secretary:
		return len(p.Leads()) > 0 || p.Has(workflow.RoleCommittee)
	case rounder:
		return p.MayRound()
	case committee:
		return p.Has(workflow.RoleCommittee)
	case company:
		return p.Has(workflow.RoleProperty)
	case duty:
		return slices.ContainsFunc(p.Roles, func(r workflow.Role) bool { return r.Kind == workflow.RoleCommittee && r.Duty })
	case admin:
		return p.Has(workflow.RoleAdmin)
	}
	return false
}

// limit says what a request of a route may bring and how long it may last.
type limit int

const (
	plain     limit = iota // a small form, a short time
	uploads                // photos or tables
	unlimited              // stays open
)

// route is one row of the table: who may ask for what, and under which name it
// stands in the audit log, "" where nothing of anybody's is shown or changed.
// Which tickets somebody may read is asked by the handler, of the ticket.
type route struct {
	pattern string // of net/http's mux
	who     []who
	log     string
	whom    func(*Console, *request) (string, error) // what the log says besides of whom it is about, nil for nothing
	do      func(*Console, *request) error
	limit   limit
	most    int  // how often an hour one person may, 0 = as often as they like
	live    bool // an open page reads itself anew when something changed
	bare    bool // a change without a session: its form cannot carry the session's sign
}

func (r *route) lets(p workflow.Person) bool {
	return slices.ContainsFunc(r.who, func(w who) bool { return w.holds(p) })
}

func of(groups ...who) []who { return groups }

// table is every route of the pages, and whose it is: who may see what. It is
// tested route by route for every part that somebody can play.
func table() []route {
	return []route{
		// in and out
		{pattern: "GET /c/{community}/{$}", who: of(resident), do: (*Console).start},
		{pattern: "GET /c/{community}/menu", who: of(resident), do: (*Console).everything},
		{pattern: "GET /c/{community}/login", who: of(anybody), do: (*Console).login},
		{pattern: "GET /c/{community}/login/wechat", who: of(anybody), do: (*Console).fromWeChat},
		{pattern: "GET /c/{community}/login/scan/{token}", who: of(resident), do: (*Console).scanned},
		{pattern: "POST /c/{community}/login/scan/{token}", who: of(resident), log: "login.agree", do: (*Console).agree},
		{pattern: "GET /c/{community}/login/scan/{token}/state", who: of(anybody), do: (*Console).scanState},
		{pattern: "GET /c/{community}/login/link/{token}", who: of(anybody), do: (*Console).linked},
		{pattern: "POST /c/{community}/login/link/{token}", who: of(anybody), do: (*Console).enter, bare: true},
		{pattern: "POST /c/{community}/logout", who: of(resident), log: "logout", do: (*Console).logout},
		{pattern: "GET /c/{community}/live", who: of(resident), do: (*Console).live, limit: unlimited},

		// everybody's own
		{pattern: "GET /c/{community}/my", who: of(resident), do: (*Console).my},
		{pattern: "GET /c/{community}/my/{number}", who: of(resident), do: (*Console).myTicket},
		{pattern: "POST /c/{community}/my/{number}/rate", who: of(resident), log: "ticket.rate", do: (*Console).rate},
		{pattern: "POST /c/{community}/my/{number}/add", who: of(resident), log: "ticket.add", do: (*Console).add, limit: uploads, most: 30},
		{pattern: "POST /c/{community}/my/{number}/urge", who: of(resident), log: "ticket.urge", do: (*Console).urge, most: 30},
		{pattern: "POST /c/{community}/my/{number}/reopen", who: of(resident), log: "ticket.reopen", do: (*Console).reopen},
		{pattern: "POST /c/{community}/my/{number}/consent", who: of(resident), log: "ticket.consent", do: (*Console).consent},
		{pattern: "GET /c/{community}/my/{number}/withdraw", who: of(resident), do: (*Console).withdrawAsk},
		{pattern: "POST /c/{community}/my/{number}/withdraw", who: of(resident), log: "ticket.withdraw", do: (*Console).withdraw},
		{pattern: "GET /c/{community}/me", who: of(resident), do: (*Console).me},
		{pattern: "POST /c/{community}/me", who: of(resident), log: "me.change", do: (*Console).changeMe},
		{pattern: "GET /c/{community}/points", who: of(resident), do: (*Console).points},
		{pattern: "POST /c/{community}/points/order/{reward}", who: of(resident), log: "points.order", do: (*Console).orderReward, most: 30},
		{pattern: "POST /c/{community}/points/cancel/{number}", who: of(resident), log: "points.cancel", do: (*Console).cancelOrder},
		{pattern: "POST /c/{community}/points/rank", who: of(resident), log: "points.rank", do: (*Console).rank},
		{pattern: "GET /c/{community}/fund", who: of(resident), do: (*Console).fund},
		{pattern: "POST /c/{community}/fund", who: of(committee, admin), log: "fund.add", do: (*Console).addLine, limit: uploads},
		{pattern: "POST /c/{community}/fund/{number}/strike", who: of(committee, admin), log: "fund.strike", do: (*Console).strikeLine, limit: uploads},
		{pattern: "GET /c/{community}/fund/{number}/paper", who: of(resident), do: (*Console).paper},
		{pattern: "GET /c/{community}/rewards", who: of(committee, keeper, admin), do: (*Console).rewards},
		{pattern: "POST /c/{community}/rewards/look", who: of(committee, keeper, admin), log: "rewards.look", do: (*Console).lookOrder, most: 60},
		{pattern: "POST /c/{community}/rewards/hand", who: of(committee, keeper, admin), log: "rewards.hand", do: (*Console).handOver, most: 60},
		{pattern: "POST /c/{community}/rewards", who: of(admin), log: "rewards.add", do: (*Console).addReward},
		{pattern: "POST /c/{community}/rewards/{reward}", who: of(admin), log: "rewards.change", do: (*Console).changeReward},
		{pattern: "GET /c/{community}/wall", who: of(resident), do: (*Console).wall},
		{pattern: "POST /c/{community}/wall/{number}/support", who: of(resident), log: "ticket.support", do: (*Console).support},
		{pattern: "GET /c/{community}/topics", who: of(resident), do: (*Console).topics},
		{pattern: "POST /c/{community}/topics", who: of(resident), log: "topic.propose", do: (*Console).propose, most: 20},
		{pattern: "GET /c/{community}/topics/{number}", who: of(resident), log: "topic.look", do: (*Console).topic, live: true},
		{pattern: "POST /c/{community}/topics/{number}/vote", who: of(resident), log: "topic.vote", do: (*Console).vote, most: 60},
		{pattern: "POST /c/{community}/topics/{number}/do/{command}", who: of(committee), log: "topic.tell", do: (*Console).tellTopic, limit: uploads, most: 100},
		{pattern: "GET /c/{community}/agreed", who: of(resident), do: (*Console).agreed},
		{pattern: "GET /c/{community}/media/{media}", who: of(resident), log: "media.look", do: (*Console).media},

		// who has work
		{pattern: "GET /c/{community}/work", who: of(handler), log: "work.look", do: (*Console).duty, live: true},
		{pattern: "POST /c/{community}/work/calls/{number}", who: of(handler), log: "phone.look", do: (*Console).callPhone},
		{pattern: "GET /c/{community}/work/done", who: of(handler), log: "work.look", do: (*Console).done, live: true},
		{pattern: "GET /c/{community}/t/{number}", who: of(handler), log: "ticket.look", do: (*Console).ticketWhole, live: true},
		{pattern: "POST /c/{community}/t/{number}/contact", who: of(handler), log: "phone.look", do: (*Console).contact},
		{pattern: "POST /c/{community}/t/{number}/do/{command}", who: of(handler), log: "ticket.tell", do: (*Console).tell, limit: uploads, most: 300},
		{pattern: "POST /c/{community}/t/{number}/phoned", who: of(committee, keeper), log: "ticket.phoned", do: (*Console).phoned},
		{pattern: "POST /c/{community}/t/{number}/called", who: of(handler), log: "ticket.called", do: (*Console).called},
		{pattern: "GET /c/{community}/rounds", who: of(rounder), log: "care.look", do: (*Console).rounds, live: true},
		{pattern: "POST /c/{community}/rounds", who: of(rounder), log: "round.go", do: (*Console).goRound, limit: uploads, most: 100},
		{pattern: "POST /c/{community}/rounds/{care}/phone", who: of(committee, keeper), log: "phone.look", do: (*Console).carePhone},
		// the party class
		{pattern: "GET /c/{community}/lessons", who: of(resident), do: (*Console).lessons},
		{pattern: "POST /c/{community}/lessons/hour", who: of(resident), log: "lesson.hour", do: (*Console).studyHour},
		{pattern: "GET /c/{community}/lessons/{lesson}", who: of(resident), do: (*Console).lesson},
		{pattern: "GET /c/{community}/lessons/{lesson}/voice", who: of(resident), do: (*Console).lessonVoice, limit: uploads},
		{pattern: "POST /c/{community}/lessons/{lesson}/learnt", who: of(resident), log: "lesson.learn", do: (*Console).learnt},
		{pattern: "POST /c/{community}/lessons/{lesson}/ask", who: of(resident), log: "lesson.ask", do: (*Console).askTeacher, most: 30},
		{pattern: "POST /c/{community}/answers/{question}", who: of(handler), log: "lesson.answer", do: (*Console).answerQuestion},
		{pattern: "POST /c/{community}/answers/{question}/phone", who: of(handler), log: "phone.look", do: (*Console).speakerPhone},
		{pattern: "GET /c/{community}/branch", who: of(secretary), log: "lesson.reach", do: (*Console).branch},
		{pattern: "POST /c/{community}/branch/plan", who: of(secretary), log: "lesson.plan", do: (*Console).planLesson},
		{pattern: "GET /c/{community}/branch/lessons/{lesson}", who: of(secretary), do: (*Console).lessonForm},
		{pattern: "POST /c/{community}/branch/lessons/{lesson}", who: of(secretary), log: "lesson.make", do: (*Console).putLesson, limit: uploads},
		{pattern: "GET /c/{community}/branch/lessons/{lesson}/code", who: of(secretary), log: "lesson.code", do: (*Console).classCode},
		{pattern: "POST /c/{community}/branch/people/{person}/phone", who: of(secretary), log: "phone.look", do: (*Console).memberOfBranchPhone},
		{pattern: "POST /c/{community}/branch/people/{person}/visit", who: of(secretary), log: "lesson.visit", do: (*Console).visitMember},
		{pattern: "GET /c/{community}/property", who: of(committee, company), do: (*Console).thisMonth},
		{pattern: "GET /c/{community}/property/{month}", who: of(committee, company), log: "property.look", do: (*Console).property, live: true},
		{pattern: "GET /c/{community}/property/{month}/book", who: of(committee, company), log: "property.export", do: (*Console).propertyBook},
		{pattern: "POST /c/{community}/property/inspect", who: of(company), log: "round.go", do: (*Console).inspect, limit: uploads, most: 200},
		{pattern: "POST /c/{community}/property/{month}/object", who: of(company), log: "property.object", do: (*Console).object, most: 100},
		{pattern: "POST /c/{community}/property/{month}/settle", who: of(committee), log: "property.settle", do: (*Console).settle},
		{pattern: "POST /c/{community}/property/{month}/close", who: of(committee), log: "property.close", do: (*Console).closeMonth},
		{pattern: "GET /c/{community}/behalf", who: of(committee, keeper), do: (*Console).behalf},
		{pattern: "POST /c/{community}/behalf", who: of(committee, keeper), log: "ticket.behalf", do: (*Console).fileBehalf, limit: uploads, most: 100},

		// who oversees: the committee, and grid workers and leaders their own grids
		{pattern: "GET /c/{community}/overdue", who: of(committee, keeper), log: "overdue.look", do: (*Console).overdue, live: true},
		{pattern: "GET /c/{community}/today", who: of(committee), log: "today.look", do: (*Console).today, live: true},
		{pattern: "GET /c/{community}/search", who: of(committee), log: "search", do: (*Console).search},
		{pattern: "POST /c/{community}/search/book", who: of(committee), log: "search.export", do: (*Console).searchBook, limit: uploads},
		{pattern: "POST /c/{community}/search/names", who: of(duty), log: "search.export.names", do: (*Console).searchBookNames, limit: uploads},

		// the administration
		{pattern: "GET /c/{community}/admin/community", who: of(admin), log: "community.look", do: (*Console).communityShape},
		{pattern: "GET /c/{community}/admin/community/{section}", who: of(admin), log: "community.look", do: (*Console).part},
		{pattern: "POST /c/{community}/admin/community/{section}", who: of(admin), log: "community.change", do: (*Console).changePart, limit: uploads},
		{pattern: "POST /c/{community}/admin/community/{section}/form", who: of(admin), log: "community.change", do: (*Console).fillPart},
		{pattern: "GET /c/{community}/admin/versions", who: of(admin), log: "community.look", do: (*Console).versions},
		{pattern: "GET /c/{community}/admin/versions/{version}", who: of(admin), log: "community.look", do: (*Console).version},
		{pattern: "POST /c/{community}/admin/versions/{version}", who: of(admin), log: "community.change", do: (*Console).putBack},
		{pattern: "GET /c/{community}/admin/try", who: of(admin), do: (*Console).tryRules},
		{pattern: "POST /c/{community}/admin/try", who: of(admin), log: "rules.try", do: (*Console).tryRules},
		{pattern: "GET /c/{community}/admin/words", who: of(admin), do: (*Console).wordsBook},
		{pattern: "GET /c/{community}/admin/words/{key}", who: of(admin), do: (*Console).word},
		{pattern: "POST /c/{community}/admin/words/{key}", who: of(admin), log: "words.change", do: (*Console).changeWord},
		{pattern: "GET /c/{community}/admin/people", who: of(admin), log: "people.look", do: (*Console).people},
		{pattern: "GET /c/{community}/admin/people/new", who: of(admin), do: (*Console).newMember},
		{pattern: "POST /c/{community}/admin/people/new", who: of(admin), log: "people.add", do: (*Console).addMember},
		{pattern: "GET /c/{community}/admin/people/{person}", who: of(admin), log: "people.look", do: (*Console).memberOf},
		{pattern: "POST /c/{community}/admin/people/{person}", who: of(admin), log: "people.change", do: (*Console).changeMember},
		{pattern: "POST /c/{community}/admin/people/{person}/phone", who: of(admin), log: "phone.look", do: (*Console).memberPhone},
		{pattern: "POST /c/{community}/admin/people/{person}/code", who: of(admin), log: "people.code", do: (*Console).bindCode},
		{pattern: "POST /c/{community}/admin/people/{person}/logout", who: of(admin), log: "people.logout", do: (*Console).logOut},
		{pattern: "POST /c/{community}/admin/people/{person}/leave", who: of(admin), log: "people.leave", do: (*Console).leaves},
		{pattern: "GET /c/{community}/admin/model", who: of(admin), log: "model.look", do: (*Console).model},
		{pattern: "POST /c/{community}/admin/model/train", who: of(admin), log: "model.train", do: (*Console).trainModel},
		{pattern: "POST /c/{community}/admin/model/use", who: of(admin), log: "model.use", do: (*Console).useModel},
		{pattern: "GET /c/{community}/admin/failures", who: of(admin, committee), log: "failures.look", do: (*Console).failures, live: true},
		{pattern: "POST /c/{community}/admin/failures/calls/{number}/phone", who: of(admin, committee), log: "phone.look", do: (*Console).failedPhone},
		{pattern: "POST /c/{community}/admin/failures/calls/{number}/called", who: of(admin, committee), log: "ticket.called", do: (*Console).failedCalled},
		{pattern: "POST /c/{community}/admin/failures/retry", who: of(admin), log: "failures.retry", do: (*Console).retryLetters},
		{pattern: "POST /c/{community}/admin/failures/drop", who: of(admin), log: "failures.drop", do: (*Console).dropLetters},
		{pattern: "POST /c/{community}/admin/failures/{letter}/words", who: of(admin), log: "words.look", whom: (*Console).letterWhom, do: (*Console).letterWords},
		{pattern: "POST /c/{community}/admin/failures/{letter}/retry", who: of(admin), log: "failures.retry", do: (*Console).retryLetter},
		{pattern: "POST /c/{community}/admin/failures/{letter}/drop", who: of(admin), log: "failures.drop", do: (*Console).dropLetter},
		{pattern: "GET /c/{community}/admin/codes", who: of(admin), do: (*Console).codes},
		{pattern: "POST /c/{community}/admin/codes/{estate}", who: of(admin), log: "codes.make", do: (*Console).makeCodes, limit: uploads},
		{pattern: "GET /c/{community}/admin/import", who: of(admin), do: (*Console).imports},
		{pattern: "GET /c/{community}/admin/import/{table}/template", who: of(admin), do: (*Console).importForm},
		{pattern: "POST /c/{community}/admin/import/{table}", who: of(admin), log: "import.check", do: (*Console).checkImport, limit: uploads},
		{pattern: "POST /c/{community}/admin/import/{table}/enter", who: of(admin), log: "import.enter", do: (*Console).enterImport, limit: uploads},
		{pattern: "GET /c/{community}/admin/audit", who: of(admin), log: "audit.look", do: (*Console).audit},

		// the committee's
		{pattern: "GET /c/{community}/week", who: of(committee), do: (*Console).thisWeek},
		{pattern: "GET /c/{community}/week/{week}", who: of(committee), log: "week.look", do: (*Console).week},
		{pattern: "GET /c/{community}/week/{week}/book", who: of(committee), log: "week.export", do: (*Console).weekBook},
	}
}
