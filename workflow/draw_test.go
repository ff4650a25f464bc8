package workflow

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/machine.md anew from the table")

func TestDiagram(t *testing.T) {
	const file, begin, end = "../docs/machine.md", "<!-- machine: begin -->\n", "<!-- machine: end -->\n"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(doc), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has lost its markers", file)
	}
	drawn := "\n" + Diagram() + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(head+begin+drawn+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != drawn {
		t.Errorf("%s differs from the table: run go generate ./workflow", file)
	}
}

// declared are the values of this package's string constants of a type.
func declared(t *testing.T, typeName string) []string {
	t.Helper()
	var out []string
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typeName {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
					s, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, s)
				}
			}
			return true
		})
	}
	if len(out) == 0 {
		t.Fatalf("no constants of type %s found", typeName)
	}
	return out
}

func TestTableIsWhole(t *testing.T) {
	reached := map[State]bool{None: true}
	for range Table {
		for _, row := range Table {
			for _, from := range row.From {
				if reached[from] && row.To != Same {
					reached[row.To] = true
				}
			}
		}
	}
	for _, s := range declared(t, "State") {
		s := State(s)
		if s == Same {
			continue
		}
		if !reached[s] {
			t.Errorf("state %q is never reached", s)
		}
		if s != None && !slices.Contains(states(), s) {
			t.Errorf("state %q is not drawn", s)
		}
		out := slices.ContainsFunc(Table, func(r Row) bool {
			return slices.Contains(r.From, s) && r.To != Same && r.To != s
		})
		if s.Open() && !out {
			t.Errorf("no way out of state %q", s)
		}
	}
	makes, gives, fires := map[EventType]bool{}, map[CommandName]bool{}, map[Clock]bool{}
	for i, row := range Table {
		makes[row.Makes], gives[row.Command] = true, true
		if slices.Contains(row.Guard.codes(), "") && row.Guard.Name != "" || row.Guard.Name == "" && row.Guard.Code != "" {
			t.Errorf("row %d (%s): guard %q has a part without a code", i, row.Makes, row.Guard.Name)
		}
		if row.Command == CmdTick {
			for _, word := range strings.Fields(row.Guard.Name) {
				fires[Clock(word)] = true
			}
		}
	}
	for _, e := range declared(t, "EventType") {
		if !makes[EventType(e)] {
			t.Errorf("no row makes the event %q", e)
		}
	}
	for _, c := range declared(t, "CommandName") {
		if !gives[CommandName(c)] {
			t.Errorf("no row has the command %q", c)
		}
	}
	clocks := declared(t, "Clock")
	if len(clocks) != len(allClocks) || len(clocks) != len(clockStarts) {
		t.Errorf("%d clocks are declared, %d are drawn, %d are tested", len(clocks), len(clockStarts), len(allClocks))
	}
	for _, c := range clocks {
		if !fires[Clock(c)] {
			t.Errorf("no row fires the clock %q", c)
		}
	}
}

func TestNoticesAreWhole(t *testing.T) {
	purposes, events := declared(t, "Purpose"), declared(t, "EventType")
	used := map[Purpose]bool{TellPhoto: true, TellLate: true, TellPraise: true, TellCare: true, TellInspect: true, TellObjected: true, TellSettled: true, TellLapse: true, TellBack: true, TellDigest: true} // made by the rooms around, not by events
	for _, p := range []Purpose{TellProposed, TellTopic, TellVoting, TellVoted, TellLesson, TellLessonAsked, TellLessonAnswer} {
		used[p] = true // of topics and lessons
	}
	for i, n := range Notices {
		used[n.Purpose] = true
		if !slices.Contains(purposes, string(n.Purpose)) || !slices.Contains(events, string(n.Event)) {
			t.Errorf("notice %d: %+v names what does not exist", i, n)
		}
		if (n.If.Holds == nil) != (n.If.Name == "") {
			t.Errorf("notice %d: condition without a name, or a name without a condition", i)
		}
		for _, earlier := range Notices[:i] {
			if earlier.Event == n.Event && earlier.To == n.To && earlier.If.Holds == nil {
				t.Errorf("notice %d (%s to %s) can never be told: an earlier row tells them anyway", i, n.Event, n.To)
			}
		}
	}
	for _, p := range purposes {
		if !used[Purpose(p)] {
			t.Errorf("nobody is ever told %q", p)
		}
	}
	for _, a := range declared(t, "Audience") {
		onLadder := slices.Contains(slices.Collect(maps.Values(hearers)), Audience(a))
		if !onLadder && !slices.ContainsFunc(Notices, func(n NoticeRow) bool { return n.To == Audience(a) }) {
			t.Errorf("no notice is for %q", a)
		}
	}
}
