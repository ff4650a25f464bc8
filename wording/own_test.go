package wording

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func shipped(t testing.TB) *Wording {
	t.Helper()
	data, err := os.ReadFile("../configs/wording.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func taxonomy(t testing.TB) *workflow.Taxonomy {
	t.Helper()
	data, err := os.ReadFile("../configs/taxonomy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := &workflow.Taxonomy{}
	if err := yaml.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// community has texts of its own.
func community(t testing.TB, texts map[string]string) *workflow.Community {
	t.Helper()
	own, err := yaml.Marshal(map[string]any{"wording": texts})
	if err != nil {
		t.Fatal(err)
	}
	c, err := workflow.ParseCommunity(strings.NewReader(`
code: x
name: 小社区
hotline: "0531-88888888"
estates: [{name: 东园, buildings: 2}]
grids: [{code: G1, name: 第一网格, buildings: "东园:1-2"}]
` + string(own)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOwnTextStandsInPlaceOfTheShippedOne(t *testing.T) {
	w := shipped(t)
	c := community(t, map[string]string{"push.resolved": "好啦!{{.Number}} 号{{if .Said}}({{.Said}}){{end}}", "no_such_key": "x", "push.accepted": "{{.Broken"})
	cannot := w.For(community(t, map[string]string{"push.resolved": "{{if gt .Said 3}}x{{end}}"}))
	if v := (Values{"Number": 7, "Said": "灯换了"}); cannot.Say("push.resolved", v) != w.Say("push.resolved", v) {
		t.Errorf("what cannot be filled in is said as %q", cannot.Say("push.resolved", v))
	}
	own := w.For(c)
	if have := own.Say("push.resolved", Values{"Number": 7, "Said": "灯换了"}); have != "好啦!7 号(灯换了)" {
		t.Error(have)
	}
	if have := w.Say("push.resolved", Values{"Number": 7, "Said": "灯换了"}); strings.Contains(have, "好啦") {
		t.Errorf("another community reads %q", have)
	}
	v := Values{"Number": 7, "Owner": "张建国"}
	if own.Say("push.accepted", v) != w.Say("push.accepted", v) {
		t.Error("a broken text took the place of the shipped one")
	}
	if own.Has("no_such_key") {
		t.Error("a text that nobody says was taken")
	}
	if own.Say("push.progress", v) != w.Say("push.progress", v) {
		t.Error("a text changed that the community has none of")
	}
}

func TestOwnWordingIsMadeOnceForADocument(t *testing.T) {
	w := shipped(t)
	c := community(t, map[string]string{"building": "{{.Number}}栋"})
	first := w.For(c)
	if w.For(c) != first || first.For(c) != first {
		t.Error("made again for the same document")
	}
	if w.For(community(t, map[string]string{"building": "{{.Number}}栋"})) != first {
		t.Error("made again though no text changed")
	}
	next := w.For(community(t, map[string]string{"building": "{{.Number}} 楼"}))
	if have := next.Say("building", Values{"Number": 3}); have != "3 楼" {
		t.Errorf("a new document is not followed: %q", have)
	}
	if w.For(community(t, nil)) != w || next.For(nil) != w {
		t.Error("without texts of its own a community has the shipped wording")
	}
}

func TestVoiceSpeaksTheCommunitysOwnWords(t *testing.T) {
	c := community(t, map[string]string{"time.today": "今儿 {{.Clock}}", "title.worker": "{{.Grid}}的{{if .FullTime}}大{{end}}管家"})
	c.Categories = map[workflow.Category]workflow.OwnCategory{"drainage": {Label: "下水道"}}
	now := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	o := New(shipped(t), taxonomy(t), desk.Shape{Community: c}, nil)
	if have := o.When(now, now); have != "今儿 12:00" {
		t.Error(have)
	}
	if have := o.Title(workflow.Person{Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}}}); have != "第一网格的大管家" {
		t.Error(have)
	}
	if have := o.Facts(&desk.Facts{Number: 7, Category: "drainage"}, now)["What"]; have != "下水道" {
		t.Error(have)
	}
}

func TestOwnTextsAreChecked(t *testing.T) {
	w := shipped(t)
	for _, tt := range []struct {
		key, text string
		want      FaultCode // "" = taken
		detail    string
	}{
		{"push.resolved", "{{.Number}} 号办好了:{{.Said}},请评价", "", ""},
		{"push.resolved", "{{.Number}} 号({{.Grid}},{{.Title}} {{.Owner}})办好了,电话 {{.Hotline}}", "", ""},
		{"push.rated", `{{if and .Points (gt .Points 0)}}加 {{.Points}} 分{{else}}谢谢{{end}}`, "", ""},
		{"push.resolved", "{{with .Said}}{{.}}{{else}}好了{{end}}", "", ""},
		{"push.resolved", "{{$n := .Number}}{{$n}} 号 {{$.Said}} 好了", "", ""},
		{"push.tail", "", "", ""},
		{"phrase.resolved", "办好啦", "", ""},
		{"call.gas", "119(先出门再打)", "", ""},
		{"own_text.value", "{{.Key}} 没有 {{.Detail}}", "", ""},
		{"filed", "{{if eq .Severity \"emergency\"}}快打 {{.Call}}!{{end}}编号 {{.Number}}", "", ""},

		{"push.done", "x", FaultUnknown, ""},
		{"push", "x", FaultUnknown, ""},
		{"no_community", "x", FaultUnknown, ""},
		{"push.resolved", "{{.Number", FaultBroken, ""},
		{"push.resolved", "{{if .Number}}x", FaultBroken, ""},
		{"push.resolved", "{{shout .Number}}", FaultBroken, ""},
		{"push.resolved", "{{.Noom}}", FaultValue, "Noom"},
		{"push.resolved", "{{.Confidence}}", FaultValue, "Confidence"},
		{"push.resolved", "{{$.Noom}}", FaultValue, "Noom"},
		{"time.today", "{{.Number}}", FaultValue, "Number"},
		{"push.tail", "{{.Number}}", FaultValue, "Number"},
		{"push.resolved", `{{printf "%1000000000d" .Number}}`, FaultForbids, "printf"},
		{"push.resolved", `{{.Said | printf "%9999999s"}}`, FaultForbids, "printf"},
		{"push.resolved", `{{range 1000000000}}x{{end}}`, FaultForbids, "range"},
		{"push.resolved", `{{if .Said}}{{range 9}}x{{end}}{{end}}`, FaultForbids, "range"},
		{"push.resolved", `{{template "filed" .}}`, FaultForbids, "template"},
		{"push.resolved", `x{{define "filed"}}gone{{end}}`, FaultForbids, "define"},
		{"push.resolved", `x{{block "filed" .}}gone{{end}}`, FaultForbids, "define"},
		{"push.resolved", "{{.Number.Of}}", FaultFails, ""},
		{"push.rated", "{{if gt .Points 0}}x{{end}}谢谢", FaultFails, ""}, // some verdicts earn nothing: then there are none
		{"push.resolved", `{{if gt .Said 3}}x{{end}}`, FaultFails, ""},
		{"push.resolved", strings.Repeat("长", 683), FaultLong, "2048"},
		{"push.resolved", strings.Repeat("{{/* x */}}", 2000), FaultLong, "16384"},
		{"push.resolved", " \n", FaultEmpty, ""},
		{"push.resolved", "", FaultEmpty, ""},
		{"filed", `{{if ne .Severity "major"}}好{{end}}`, FaultEmpty, ""},
		{"phrase.resolved", "已经办好了啊", FaultPhrase, "5"},
		{"call.fire", "请报火警", FaultNumber, "119"},
		{"call.electric", "119", FaultNumber, "120"},
		{"filed", "编号 {{.Number}},马上处理", FaultNumber, "119"},
		{"both_gone", "请打 {{.Hotline}}", FaultNumber, "110"},
	} {
		c := community(t, map[string]string{tt.key: tt.text})
		err := w.CheckOwn(c)
		faults := FaultsOf(err)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s %q is refused: %v", tt.key, tt.text, err)
		case tt.want == "":
			if _, err := w.Preview(c, tt.key, tt.text); err != nil {
				t.Errorf("%s %q has no preview: %v", tt.key, tt.text, err)
			}
		case len(faults) != 1 || faults[0].Code != tt.want || faults[0].Key != tt.key || tt.detail != "" && faults[0].Detail != tt.detail:
			t.Errorf("%s %.60q: %v, want %s %s", tt.key, tt.text, err, tt.want, tt.detail)
		case !strings.Contains(err.Error(), tt.key):
			t.Errorf("%q does not name the key", err)
		default:
			says := New(w, taxonomy(t), desk.Shape{Community: c}, nil).Fault(faults[0])
			if !strings.Contains(says, tt.key) || says == w.Say("fallback", nil) || !strings.Contains(says, faults[0].Detail) {
				t.Errorf("%s is told as %q", tt.want, says)
			}
		}
	}
}

func TestEveryFaultIsNamed(t *testing.T) {
	err := shipped(t).CheckOwn(community(t, map[string]string{"b.none": "x", "a.none": "x", "building": "{{.Number}}栋", "push.resolved": "{{.X}}"}))
	var keys []string
	for _, f := range FaultsOf(err) {
		keys = append(keys, f.Key)
	}
	if !slices.Equal(keys, []string{"a.none", "b.none", "push.resolved"}) {
		t.Errorf("%v: %v", keys, err)
	}
}

// Each shipped text passes the check that a community's own must pass.
func TestShippedTextsPassTheirOwnCheck(t *testing.T) {
	w := shipped(t)
	texts := maps.Clone(w.source)
	delete(texts, never)
	if err := w.CheckOwn(community(t, texts)); err != nil {
		t.Error(err)
	}
}

// Every value that a text is filled with is described for those who change texts.
func TestEveryValueIsDescribed(t *testing.T) {
	w := shipped(t)
	for _, g := range w.Book(community(t, nil)) {
		for _, text := range g.Texts {
			for _, v := range text.Values {
				if v.Is == "" {
					t.Errorf("%s may be filled with .%s, of which `values:` in wording.yaml says nothing", text.Key, v.Name)
				}
			}
		}
	}
}

// What is offered for texts about tickets is what the facts of tickets give.
func TestFactsAreWhatIsOffered(t *testing.T) {
	o := New(shipped(t), taxonomy(t), desk.Shape{Community: community(t, nil)}, nil)
	given := slices.Sorted(maps.Keys(o.Facts(&desk.Facts{Number: 1, Danger: "fire", Why: "grid"}, time.Now())))
	if !slices.Equal(given, facts) {
		t.Errorf("facts give\n%v, offered are\n%v", given, facts)
	}
	for _, a := range about {
		if !strings.HasSuffix(a, ".") && !o.W.Has(a) {
			t.Errorf("there is no text %q", a)
		}
	}
}

func TestBook(t *testing.T) {
	w := shipped(t)
	c := community(t, map[string]string{"push.resolved": "{{.Number}} 号好了,电话 {{.Hotline}}", "building": "{{.Noom}}"})
	n := 0
	for _, g := range w.Book(c) {
		for _, text := range g.Texts {
			n++
			if group, _, nested := strings.Cut(text.Key, "."); nested != (g.Name != "") || nested && group != g.Name {
				t.Errorf("%s stands in group %q", text.Key, g.Name)
			}
			if text.Preview == "" && strings.TrimSpace(text.Shipped) != "" && text.Key != "push.tail" {
				t.Errorf("%s has no preview", text.Key)
			}
			switch text.Key {
			case "push.resolved":
				if text.Preview != "1024 号好了,电话 0531-88888888" || text.Own == "" || text.Fault != nil || !strings.Contains(text.Shipped, "您满意吗") {
					t.Errorf("%+v", text)
				}
			case "building":
				if text.Preview != "1024号楼" || text.Fault == nil || text.Fault.Code != FaultValue {
					t.Errorf("%+v", text)
				}
			}
		}
	}
	if want := len(w.Keys()) - 1; n != want {
		t.Errorf("%d texts, want all %d", n, want)
	}
}

func FuzzOwnText(f *testing.F) {
	w := shipped(f)
	for _, text := range w.source {
		f.Add("filed", text)
	}
	f.Add("push.resolved", "{{with $x := .Said}}{{$x.Y}}{{end}}")
	f.Add("push.rated", "{{(index .Said 1).Z}}")
	f.Fuzz(func(t *testing.T, key, text string) {
		c := &workflow.Community{Code: "x", Name: "小社区", Wording: map[string]string{key: text}}
		err := w.CheckOwn(c)
		said := w.For(c).Say(key, Values{"Number": 1})
		if err == nil && len(said) > 4*longestText {
			t.Errorf("%q passes and says %d bytes", text, len(said))
		}
		if strings.Contains(said, "<no value>") {
			t.Errorf("%q leaves a hole: %q", text, said)
		}
	})
}
