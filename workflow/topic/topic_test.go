package topic

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

const document = `
code: east
name: 东社区
estates:
  - {name: 东园, buildings: 6, households: 100}
  - {name: 西园, buildings: 3}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-6"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "西园:1-3"}
courtyards:
  - {name: 南院, estate: 东园, buildings: "1-2, 5"}
`

func community(t interface{ Fatal(...any) }) *workflow.Community {
	c, err := workflow.ParseCommunity(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScopes(t *testing.T) {
	c := community(t)
	home := workflow.Place{Estate: "东园", Building: 5, Unit: 1, Room: "101"}
	for level, want := range map[Level]struct {
		key        string
		has, not   int
		households int
	}{
		Building: {"东园:5", 5, 2, 17}, Courtyard: {"东园/南院", 2, 3, 50}, Estate: {"东园", 3, 0, 100},
	} {
		s, ok := Around(c, home, level)
		if !ok || s.Key() != want.key || s.Households(c) != want.households {
			t.Errorf("%s: %+v %v, %d households", level, s, ok, s.Households(c))
		}
		if !s.Has(workflow.Place{Estate: "东园", Building: want.has}) || s.Has(workflow.Place{Estate: "东园", Building: want.not}) ||
			s.Has(workflow.Place{Estate: "西园", Building: want.has}) || s.Has(workflow.Place{}) {
			t.Errorf("%s: who lives there", level)
		}
		if !s.Place(c).Known() {
			t.Errorf("%s is in no grid", level)
		}
	}
	if got := Keys(c, home); !slices.Equal(got, []string{"东园:5", "东园/南院", "东园"}) {
		t.Errorf("keys: %v", got)
	}
	if got := Keys(c, workflow.Place{Estate: "东园", Building: 6}); !slices.Equal(got, []string{"东园:6", "东园"}) {
		t.Errorf("keys without a courtyard: %v", got)
	}
	if got := Keys(c, workflow.Place{}); len(got) != 0 {
		t.Errorf("keys of nowhere: %v", got)
	}
	for _, bad := range []string{"0-2", "1-7", "x", "", "3-1"} {
		if _, err := workflow.ParseCommunity(strings.NewReader(strings.Replace(document, "1-2, 5", bad, 1))); err == nil {
			t.Errorf("a courtyard of buildings %q stands", bad)
		}
	}
}

// Whatever is done with a topic: it moves only as the table says, what has ended stays,
// each change is one version, and what is refused changes nothing.
func TestATopicMovesAsTheTableSays(t *testing.T) {
	c := community(t)
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		scope, _ := Around(c, workflow.Place{Estate: "东园", Building: 1}, rapid.SampledFrom(Levels).Draw(t, "level"))
		top, err := Propose(Topic{Community: "east", Number: 1001, Scope: scope, Text: "楼道装声控灯", Proposer: 5}, now)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{time.Minute, 24 * time.Hour}).Draw(t, "passes"))
			cmd := Command{
				Name: rapid.SampledFrom([]CommandName{Open, Note, Call, Decline, Close, Finish}).Draw(t, "command"),
				By:   workflow.PersonID(rapid.IntRange(0, 1).Draw(t, "by")),
				Text: rapid.SampledFrom([]string{"", "都说好"}).Draw(t, "text"),
				Rules: Rules{
					By: rapid.SampledFrom([]By{Household, Person, ""}).Draw(t, "by whom"), Quorum: rapid.IntRange(0, 2).Draw(t, "quorum"),
					Until: now.Add(time.Duration(rapid.IntRange(-1, 100).Draw(t, "days")) * 24 * time.Hour),
				},
				Result: Result{Outcome: rapid.SampledFrom([]State{Decided, Declined, Lapsed, Voting, ""}).Draw(t, "outcome")},
			}
			next, err := Decide(top, cmd, now)
			if err != nil {
				if code := workflow.CodeOf(err); code == workflow.CodeBusy {
					t.Fatalf("a fault: %v", err)
				}
				if fmt.Sprint(next) != fmt.Sprint(top) {
					t.Fatalf("refused (%v), and changed: %+v", err, next)
				}
				continue
			}
			row := slices.IndexFunc(Table, func(r Row) bool {
				return r.Command == cmd.Name && slices.Contains(r.From, top.State) && slices.Contains(r.To, next.State) && r.Desk == (cmd.By == 0)
			})
			if row < 0 || top.State.Ended() || next.Version != top.Version+1 || next.State.Ended() != !next.EndedAt.IsZero() {
				t.Fatalf("%s by %d: %s → %s (%d → %d)", cmd.Name, cmd.By, top.State, next.State, top.Version, next.Version)
			}
			if cmd.Name == Close && now.Before(top.Rules.Until) || next.State == Voting && next.Rules.Quorum < 1 {
				t.Fatalf("%s at %s: %+v", cmd.Name, now, next.Rules)
			}
			top = next
		}
	})
}

// Voters come in any order, from anywhere, more than once: one vote a household (or a
// person), of those who live there; the count is that of a simple model.
func TestOneVoteEach(t *testing.T) {
	c := community(t)
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom([]By{Household, Person}).Draw(t, "by")
		scope, _ := Around(c, workflow.Place{Estate: "东园", Building: 1}, rapid.SampledFrom(Levels).Draw(t, "level"))
		top := Topic{State: Voting, Scope: scope, Rules: Rules{By: by, Quorum: rapid.IntRange(1, 8).Draw(t, "quorum"), Until: noon}}
		seen, model, tally := map[string]bool{}, map[string]bool{}, Tally{}
		for i := range rapid.IntRange(0, 25).Draw(t, "votes") {
			p := workflow.Person{ID: workflow.PersonID(rapid.IntRange(1, 12).Draw(t, "person")), Home: workflow.Place{
				Estate: rapid.SampledFrom([]string{"东园", "西园"}).Draw(t, "estate"), Building: rapid.IntRange(0, 3).Draw(t, "building"), Unit: rapid.IntRange(0, 2).Draw(t, "unit"),
				Room: rapid.SampledFrom([]string{"", "101", "101室", "０101", " 101 号", "102", "1-01", "101。", "一〇一户", "#101室门"}).Draw(t, "room"),
			}}
			choice := rapid.SampledFrom(Choices).Draw(t, "choice")
			voter, err := Voter(top, p, noon.Add(-time.Second))
			room := "101"
			if p.Home.Room == "102" {
				room = "102"
			}
			household := fmt.Sprint(p.Home.Building, p.Home.Unit, room)
			if by == Person {
				household = fmt.Sprint(p.ID)
			}
			may := scope.Has(p.Home) && (by == Person || p.Home.Unit != 0 && p.Home.Room != "")
			if may != (err == nil) {
				t.Fatalf("vote %d of %+v: %v", i, p.Home, err)
			}
			if err != nil || seen[voter] != model[household] {
				if err == nil {
					t.Fatalf("%q has voted: %v, its household: %v", voter, seen[voter], model[household])
				}
				continue
			}
			if !seen[voter] {
				seen[voter], model[household] = true, true
				tally[choice]++
			}
		}
		r := Count(top, tally, noon)
		if r.Votes() != len(seen) {
			t.Fatalf("%d voted, %d votes", len(seen), r.Votes())
		}
		want := Declined
		if len(seen) < top.Rules.Quorum {
			want = Lapsed
		} else if tally[For] > tally[Against] {
			want = Decided
		}
		if r.Outcome != want {
			t.Fatalf("%v with quorum %d: %s", tally, top.Rules.Quorum, r.Outcome)
		}
	})
}

func TestADoorHasOneName(t *testing.T) {
	for want, all := range map[string][]string{
		"402": {"402", "0402室", "４０２", "402 号。", "四〇二", "四零二室", "4-02", "3-402", "3 单元 402 室", "3单元402", "402室门", "#402"},
		"B12": {"b12", "Ｂ12室", "B-12"}, "402东": {"402东", "402东户", "402 东户"}, "1002": {"1002", "10-02", "2-1002"}, "": {"", "室", "-", "。"},
	} {
		for _, room := range all {
			if got := door(room); got != want {
				t.Errorf("%q is the door %q, want %q", room, got, want)
			}
		}
	}
}

func TestWhoMayNotVote(t *testing.T) {
	c := community(t)
	scope, _ := Around(c, workflow.Place{Estate: "东园", Building: 1}, Building)
	home := workflow.Place{Estate: "东园", Building: 1, Unit: 1, Room: "101"}
	at := func(change func(*workflow.Place)) workflow.Place { h := home; change(&h); return h }
	for name, try := range map[string]struct {
		state State
		home  workflow.Place
		late  time.Duration
		want  workflow.Code
	}{
		"may":         {Voting, home, -time.Second, ""},
		"not yet":     {Talked, home, -time.Second, CodeOver},
		"too late":    {Voting, home, 0, CodeOver},
		"counted":     {Counting, home, -time.Second, CodeOver},
		"no home":     {Voting, workflow.Place{}, -time.Second, CodeNoHome},
		"elsewhere":   {Voting, at(func(h *workflow.Place) { h.Building = 2 }), -time.Second, CodeElsewhere},
		"no room":     {Voting, at(func(h *workflow.Place) { h.Room = "" }), -time.Second, CodeNoRoom},
		"no entrance": {Voting, at(func(h *workflow.Place) { h.Unit = 0 }), -time.Second, CodeNoRoom},
	} {
		top := Topic{State: try.state, Scope: scope, Rules: Rules{By: Household, Quorum: 1, Until: noon}}
		_, err := Voter(top, workflow.Person{ID: 1, Home: try.home}, noon.Add(try.late))
		if workflow.CodeOf(err) != try.want {
			t.Errorf("%s: %v, want %q", name, err, try.want)
		}
	}
}

func TestTheDrawing(t *testing.T) {
	text, err := os.ReadFile("../../docs/decisions/0022-a-secret-vote-is-two-tables.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "```mermaid\n"+Drawing()+"```") {
		t.Errorf("the decision's drawing is not the table's:\n%s", Drawing())
	}
}
