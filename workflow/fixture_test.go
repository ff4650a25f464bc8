package workflow

import (
	"strings"
	"testing"
	"time"
)

// smallCommunity has two grids, the reference clocks, and a short ladder.
const smallCommunity = remindingCommunity + shortLadder

// remindingCommunity is the same with the ladder of a document without one.
const remindingCommunity = `
code: small
name: 小社区
estates:
  - {name: 东园, aliases: [东], buildings: 4, layout: {lat: 36.70, lng: 117.00, columns: 2, step_lat: -0.001, step_lng: 0.001}}
  - {name: 西园, buildings: 2}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-4"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "西园:1-2"}
landmarks:
  - {name: 东门, estate: 东园, grid: G1}
`

// shortLadder has one step, to all: most scenarios are about something else.
const shortLadder = `ladder:
  response: [{after: 0s, tell: [worker, full_time, committee], rise: true}]
  feedback: [{after: 0s, tell: [worker, full_time, committee], rise: true}]
  resolve: [{after: 0s, tell: [worker, full_time, committee], rise: true}]
  tray: [{after: 0s, tell: [worker, full_time, committee], rise: true}]
  emergency: [{after: 0s, tell: [worker, full_time, committee], rise: true}, {after: 5m, tell: [worker, committee], rise: true}, {after: 10m, tell: [worker, committee], rise: true}]
`

// officeHours is the same with working time, a week's holiday from 1 May and
// an extra working Sunday before it.
const officeHours = smallCommunity + `
working:
  hours: ["08:30-12:00", "13:30-17:30"]
  days: [1, 2, 3, 4, 5]
  holidays: ["2026-05-01", "2026-05-04", "2026-05-05"]
  extra: ["2026-04-26"]
`

// The cast. Residents first, then staff.
const (
	li PersonID = iota + 1
	wang
	sun
	chen // full-time, G1
	zhou // part-time, G1
	ma   // part-time, G1
	he   // full-time, G2
	lead // leader of all grids
	duty // committee, on duty
	head // committee
	dang // party member
	unit // partner unit
)

var cast = map[string]PersonID{
	"li": li, "wang": wang, "sun": sun, "chen": chen, "zhou": zhou, "ma": ma, "he": he, "lead": lead,
	"duty": duty, "head": head, "dang": dang, "unit": unit,
}

func nameOf(p PersonID) string {
	for name, id := range cast {
		if id == p {
			return name
		}
	}
	return "nobody"
}

var smallRoster = Roster{
	{ID: chen, Roles: []Role{{Kind: RoleWorker, Grid: "G1", FullTime: true}}},
	{ID: zhou, Roles: []Role{{Kind: RoleWorker, Grid: "G1"}}},
	{ID: ma, Roles: []Role{{Kind: RoleWorker, Grid: "G1"}}},
	{ID: he, Roles: []Role{{Kind: RoleWorker, Grid: "G2", FullTime: true}}},
	{ID: lead, Roles: []Role{{Kind: RoleLeader}}},
	{ID: duty, Roles: []Role{{Kind: RoleCommittee, Duty: true}}},
	{ID: head, Roles: []Role{{Kind: RoleCommittee}}},
	{ID: dang, Roles: []Role{{Kind: RolePartyMember}}},
	{ID: unit, Roles: []Role{{Kind: RolePartner, Unit: "供电所"}}},
}

func actor(p PersonID) Actor {
	if p == 0 {
		return System()
	}
	person := smallRoster.ByID(p)
	person.ID = p
	return By(person)
}

func community(t testing.TB, doc string) *Community {
	t.Helper()
	c, err := ParseCommunity(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// desk is what the rooms around the machine do with it: it gives a command,
// runs Next until the ticket waits for somebody, and notes events and notices.
type desk struct {
	c      *Community
	r      Roster
	now    time.Time
	ticket Ticket
	events []Event
	owed   []Notice
}

func newDesk(c *Community, now time.Time) *desk {
	return &desk{c: c, r: smallRoster, now: now.UTC(), ticket: Ticket{Community: c.Code, Number: 1024}}
}

// copy is a desk that goes another way from here.
func (d *desk) copy() *desk {
	other := *d
	other.events = append([]Event(nil), d.events...)
	other.owed = nil
	return &other
}

func (d *desk) decide(cmd Command) error {
	ev, err := Decide(d.c, d.ticket, cmd, d.now)
	if err != nil {
		return err
	}
	d.ticket = Apply(d.ticket, ev)
	d.events = append(d.events, ev)
	d.owed = append(d.owed, Owed(d.r, &d.ticket, &ev)...)
	return nil
}

// do gives a command; ask is what the resident is asked where the report
// cannot be classified, "" for nothing.
func (d *desk) do(cmd Command, ask Topic) error {
	if err := d.decide(cmd); err != nil {
		return err
	}
	var with []PersonID
	for range 10 {
		t := &d.ticket
		step := Command{Name: Next(t), Actor: System()}
		switch step.Name {
		case "":
			if len(with) == 0 {
				return nil
			}
			step.Name, step.To, with = CmdCall, with[0], nil
		case CmdClassify:
			step.Kind, step.Category, step.Severity, step.Danger, step.Place = t.Kind, t.Category, t.Severity, t.Danger, t.Place
			if err := d.decide(step); CodeOf(err) != CodeInvalid {
				if err != nil {
					return err
				}
				continue
			}
			step = Command{Name: CmdToTray, Actor: System()}
			if ask != "" {
				step.Name, step.Topic, ask = CmdAsk, ask, ""
			}
		case CmdAssign:
			if a, ok := Assign(d.c, d.r, t, func(PersonID) int { return 0 }, d.now); ok {
				step.To, step.Why = a.To, a.Why
				if a.With != 0 {
					with = append(with, a.With)
				}
			} else {
				step.Name = CmdToTray
			}
		}
		if err := d.decide(step); err != nil {
			return unsettled{step.Name, err}
		}
	}
	return unsettled{"without an end", nil}
}

// unsettled is a fault of the machine, never a refusal.
type unsettled struct {
	step  CommandName
	cause error
}

func (u unsettled) Error() string {
	s := "the desk's own step " + string(u.step) + " was refused"
	if u.cause != nil {
		s += ": " + u.cause.Error()
	}
	return s
}
