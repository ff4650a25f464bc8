package charter

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

func demo(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../configs/demo/community.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Who takes a part as it is and puts it back changes nothing.
func TestPuttingBackChangesNothing(t *testing.T) {
	document := demo(t)
	seen := 0
	for _, name := range Sections {
		text, err := Section(document, name)
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			continue
		}
		seen++
		out, err := Amend(document, name, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if string(out) != string(document) {
			t.Errorf("%s: changed by being put back:\n%s", name, diff(document, out))
		}
	}
	if seen < 12 {
		t.Errorf("only %d parts of the demo's document were found", seen)
	}
}

func diff(a, b []byte) string {
	var out []string
	for _, l := range Differences(strings.Split(string(a), "\n"), strings.Split(string(b), "\n")) {
		out = append(out, l.String())
	}
	return strings.Join(out, "\n")
}

func TestAmendLeavesAllElseAsItWasWritten(t *testing.T) {
	document := demo(t)
	for _, tt := range []struct{ name, text, want string }{
		{"hotline", `"0531-1"`, "- hotline: \"0531-00000000\"\n+ hotline: \"0531-1\""},
		{"quiet", "{from: \"22:00\", to: \"07:00\"}", "- quiet: {from: \"21:00\", to: \"08:00\"}\n+ quiet: {from: \"22:00\", to: \"07:00\"}"},
		{"quiet", "# long nights\nfrom: \"22:00\"\nto: \"07:00\"\n", "- quiet: {from: \"21:00\", to: \"08:00\"}\n+ quiet:\n+   # long nights\n+   from: \"22:00\"\n+   to: \"07:00\""},
		{"points", "", "- points: {satisfied: 2, fair: 1, unsatisfied: -2, thanks: 3}"},
		{"wording", "building: \"{{.Number}}栋\"\nhelp: |-\n  一\n\n  二\n", "+ wording:\n+   building: \"{{.Number}}栋\"\n+   help: |-\n+     一\n+     二"},
		{"wording", "", ""},
	} {
		out, err := Amend(document, tt.name, tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if have := diff(document, out); have != tt.want {
			t.Errorf("%s changes\n%s\nwant\n%s", tt.name, have, tt.want)
		}
		if _, err := workflow.ParseCommunity(bytes.NewReader(out)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Of a part that a form changes, what is the same keeps its comments.
func TestAmendValueKeepsComments(t *testing.T) {
	document := []byte(`code: x
# who it is for
name: 小区

wording:
  # said often
  building: "{{.Number}}栋" # short
  help: 写 # keep
assignment:
  # first of all
  - {name: danger, to: {role: worker}}
  # then
  - {name: grid, to: {role: worker}}

# the end
`)
	out, err := AmendValue(document, "wording", map[string]string{"building": "{{.Number}}栋", "help": "说", "push.tail": ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"# said often", `building: "{{.Number}}栋" # short`, "help: 说 # keep", `push.tail: ""`, "# first of all", "# the end"} {
		if !strings.Contains(string(out), line) {
			t.Errorf("%q got lost:\n%s", line, out)
		}
	}
	rule := func(name string) map[string]any {
		return map[string]any{"name": name, "to": map[string]any{"role": "worker"}}
	}
	out, err = AmendValue(document, "assignment", []any{rule("skill"), rule("danger"), rule("grid")})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(document), "assignment:\n", "assignment:\n  - {name: skill, to: {role: worker}}\n", 1); string(out) != want {
		t.Errorf("a rule before all others:\n%s\nwant\n%s", out, want)
	}
	out, err = AmendValue(document, "assignment", []any{rule("danger"), rule("load")})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(document), "name: grid", "name: load", 1); string(out) != want {
		t.Errorf("a rule changed:\n%s\nwant\n%s", out, want)
	}
	if out, err = AmendValue(document, "assignment", nil); err != nil || strings.Contains(string(out), "assignment") || !strings.Contains(string(out), "# the end") {
		t.Errorf("taken away: %v\n%s", err, out)
	}
}

// What cannot be changed line by line is written anew, and says what it should.
func TestAmendUnusualDocuments(t *testing.T) {
	for _, document := range []string{
		"{code: x, name: 小区, quiet: {from: \"21:00\"}}",
		"{\"code\": \"x\", \"name\": \"小区\",\n\"quiet\":\n {\"from\": \"21:00\"}}",
		"code: x\r\nname: 小区\r\nquiet:\r\n  from: \"21:00\"\r\n",
		"\ufeffcode: x\nquiet: {from: \"21:00\"}",
		"---\ncode: x\nquiet:\n    from: \"21:00\"\n...\n",
		"code: x\nquiet: &q\n  from: \"21:00\"\nname: 小区\n",
		"code: x\nquiet: !!map\n  from: \"21:00\"\n",
		"code: \"x\u0085y\"\nname: \"小\u2028区\"\nquiet:\n  from: \"21:00\"\n",
		"code: x\n\"quiet\": # at night\n  from: \"21:00\"\nname: |+\n  小区\n\n\n",
		"code: x\nestates: [\n  a,\n]\nquiet:\n  {from: \"21:00\",\n   to: x}\n",
	} {
		before, err := decode([]byte(document))
		if err != nil {
			t.Fatalf("%q: %v", document, err)
		}
		for _, value := range []any{"x", map[string]any{"from": "22:00"}, []any{"a", map[string]any{"b": "c\nd\n"}}, nil} {
			out, err := AmendValue([]byte(document), "quiet", value)
			if err != nil {
				t.Errorf("%q to %v: %v", document, value, err)
				continue
			}
			want := maps.Clone(before)
			if want["quiet"] = value; value == nil {
				delete(want, "quiet")
			}
			if have, err := decode(out); err != nil || !reflect.DeepEqual(have, want) {
				t.Errorf("%q to %v: %q says %v, want %v (%v)", document, value, out, have, want, err)
			}
		}
	}
}

func TestAmendRefuses(t *testing.T) {
	document := []byte("code: x\nestates: &e [a]\ngrids: *e\n")
	for _, tt := range []struct{ document, name, text, want string }{
		{"code: x", "code", "y", "code"},
		{"code: x", "nonsense", "y", "nonsense"},
		{"code: x", "quiet", "{from: ", "quiet"},
		{"code: x", "quiet", "a: 1\n---\nb: 2", "one value"},
		{"code: x", "quiet", "a: 1\na: 2", "quiet"},
		{"code: [", "quiet", "x", "community document"},
		{"- code", "quiet", "x", "parts with names"},
		{"", "quiet", "x", "parts with names"},
		{"code: x", "quiet", "*nobody", "quiet"},
		{string(document), "estates", "[b]", "estates"}, // another part says: the same as this
	} {
		out, err := Amend([]byte(tt.document), tt.name, tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || workflow.CodeOf(err) != workflow.CodeInvalid {
			t.Errorf("%q %s to %q: %q, %v, want a refusal that names %q", tt.document, tt.name, tt.text, out, err, tt.want)
		}
	}
}

// something is a value as documents hold them.
func something(deep int) *rapid.Generator[any] {
	text := rapid.OneOf(
		rapid.StringMatching(`[a-z 小区:#\-,"'{}\[\]|>&*!%@0-9\n.]{0,12}`),
		rapid.SampledFrom([]string{"", "yes", "null", "~", "1e3", "0x1", "- a", "a: b", "# no", "---", "...", " x", "x ", "多行\n文字\n", "\n", "\t", "<<", "=", "21:00"}),
	)
	scalar := rapid.OneOf(rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.IntRange(-9, 9999), func(n int) any { return n }), rapid.Map(rapid.Bool(), func(b bool) any { return b }))
	if deep == 0 {
		return scalar
	}
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return rapid.SliceOfN(something(deep-1), 0, 4).Draw(t, "list")
		case 1, 2:
			return rapid.MapOfN(rapid.StringMatching(`[a-z_.]{1,6}`), something(deep-1), 0, 4).Draw(t, "map")
		}
		return scalar.Draw(t, "scalar")
	})
}

// kept tells whether YAML itself can write a value and read it again: the
// library cannot where a text begins with an empty line and then a sign.
func kept(v any) bool {
	var node yaml.Node
	if node.Encode(v) != nil {
		return false
	}
	for _, indent := range []int{1, 2, 5} {
		var b bytes.Buffer
		enc := yaml.NewEncoder(&b)
		enc.SetIndent(indent)
		var again map[string]any
		if enc.Encode(map[string]any{"x": v}) != nil || yaml.Unmarshal(b.Bytes(), &again) != nil || !reflect.DeepEqual(again["x"], v) {
			return false
		}
	}
	return true
}

// document is one with comments, empty lines and indentations of any kind, and
// tells which lines are of which part, where they are to stay.
func document(t *rapid.T) (text string, own map[string][]string) {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(Sections), 0, 6, rapid.ID).Draw(t, "parts")
	own = map[string][]string{}
	var b strings.Builder
	b.WriteString("# the whole\ncode: x\n")
	for _, name := range names {
		b.WriteString(rapid.SampledFrom([]string{"", "\n", "# above\n", "\n# far above\n\n# above\n"}).Draw(t, "above"))
		var node yaml.Node
		if err := node.Encode(something(2).Filter(kept).Draw(t, "value")); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "flow") {
			node.Style |= yaml.FlowStyle
		}
		var part bytes.Buffer
		enc := yaml.NewEncoder(&part)
		enc.SetIndent(rapid.IntRange(1, 5).Draw(t, "indent"))
		if err := enc.Encode(map[string]*yaml.Node{name: &node}); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(strings.TrimRight(part.String(), "\n")+"\n", "\n")
		own[name] = lines[:len(lines)-1]
		b.WriteString(strings.Join(own[name], ""))
	}
	b.WriteString(rapid.SampledFrom([]string{"", "\n# below\n", "...\n"}).Draw(t, "below"))
	text = b.String()
	if rapid.IntRange(0, 4).Draw(t, "cut") == 0 {
		text, own = strings.TrimSuffix(text, "\n"), nil // a text at its end means another then, and all is written anew
	}
	return text, own
}

// Whatever a document holds and whatever a part becomes: it says that then, all
// other parts say what they said, and their lines are as they were.
func TestAmendAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, own := document(t)
		before, err := decode([]byte(text))
		if err != nil {
			t.Skip(err) // made a document that is none
		}
		name := rapid.SampledFrom(Sections).Draw(t, "changed")
		value := something(3).Filter(kept).Draw(t, "becomes")
		encoded, err := yaml.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		for how, amend := range map[string]func() ([]byte, error){
			"text":  func() ([]byte, error) { return Amend([]byte(text), name, string(encoded)) },
			"value": func() ([]byte, error) { return AmendValue([]byte(text), name, value) },
		} {
			out, err := amend()
			if err != nil {
				t.Fatalf("%s: %v\n%s", how, err, text)
			}
			want := maps.Clone(before)
			want[name] = value
			have, err := decode(out)
			if err != nil || !reflect.DeepEqual(have, want) {
				t.Fatalf("%s: says %v, want %v (%v)\n%s", how, have, want, err, out)
			}
			for other, lines := range own {
				if other != name && !strings.Contains(string(out)+"\n", strings.Join(lines, "")) {
					t.Fatalf("%s: the lines of %s changed:\n%s\nto\n%s", how, other, text, out)
				}
			}
			for _, comment := range []string{"# the whole", "# far above", "# above", "# below"} {
				if strings.Count(string(out), comment+"\n") < strings.Count(text, comment+"\n") {
					t.Fatalf("%s: %q got lost:\n%s\nto\n%s", how, comment, text, out)
				}
			}
			part, err := Section(out, name)
			if err != nil {
				t.Fatal(err)
			}
			back, err := Amend(out, name, part)
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			if have, err := decode(back); err != nil || !reflect.DeepEqual(have, want) {
				t.Fatalf("%s: taken out and put back it says %v, want %v (%v)", how, have, want, err)
			}
		}
	})
}

// Sections are the parts that a community's document has.
func TestSectionsAreThePartsOfADocument(t *testing.T) {
	var parts []string
	for f := range reflect.TypeFor[workflow.Community]().Fields() {
		if name := f.Tag.Get("yaml"); name != "" && name != "code" {
			parts = append(parts, name)
		}
	}
	slices.Sort(parts)
	if have := slices.Sorted(slices.Values(Sections)); !slices.Equal(have, parts) {
		t.Errorf("%v, want %v", have, parts)
	}
}

func FuzzAmend(f *testing.F) {
	f.Add("code: x\nquiet: {from: \"21:00\"}\n# end\n", "quiet", "a: 1\n")
	f.Add("code: x\n", "wording", "help: |\n  x\n")
	f.Add("{code: x, quiet: 1}", "quiet", "'")
	f.Fuzz(func(t *testing.T, document, name, text string) {
		if before, err := decode([]byte(document)); err == nil {
			out, err := Amend([]byte(document), name, text)
			_, _ = Section([]byte(document), name)
			if err != nil {
				return
			}
			after, err := decode(out)
			delete(before, name)
			delete(after, name)
			if err != nil || fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("%q with %s %q is %q (%v)", document, name, text, out, err)
			}
		}
	})
}
