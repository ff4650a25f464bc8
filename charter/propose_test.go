package charter

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func registry(t *testing.T) *Registry {
	t.Helper()
	url := storetest.Postgres(t)
	must(t, postgres.Migrate(t.Context(), url))
	store, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	t.Cleanup(store.Close)
	data, err := os.ReadFile("../configs/wording.yaml")
	must(t, err)
	words, err := wording.Parse(data)
	must(t, err)
	data, err = os.ReadFile("../configs/taxonomy.yaml")
	must(t, err)
	taxonomy := &workflow.Taxonomy{}
	must(t, yaml.Unmarshal(data, taxonomy))
	return &Registry{Record: store, Wording: words, Taxonomy: taxonomy}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const small = `code: dong
name: 东院社区
estates: [{name: 东院, buildings: 4}, {name: 西院, buildings: 2}]
grids: [{code: G1, name: 第一网格, buildings: "东院:1-4, 西院:1-2"}]
`

func TestProposeAndApply(t *testing.T) {
	r := registry(t)
	first, err := r.Propose(t.Context(), "dong", 0, []byte(small))
	must(t, err)
	if first.Was.Version != 0 || len(first.Lines) != 4 || !first.Lines[0].Comes || first.Nothing() {
		t.Errorf("the first: %+v", first)
	}
	version, err := r.Apply(t.Context(), first, "王", false)
	if err != nil || version != 1 {
		t.Fatalf("applied as %d: %v", version, err)
	}
	again, err := r.Propose(t.Context(), "dong", Any, []byte(small))
	must(t, err)
	if version, err = r.Apply(t.Context(), again, "王", false); err != nil || version != 1 || !again.Nothing() {
		t.Errorf("the same again: %d, %v, %v", version, again.Nothing(), err)
	}
	ch, err := r.Propose(t.Context(), "", 1, []byte(strings.Replace(small, "东院社区", "东苑社区", 1)))
	must(t, err)
	if lines := ch.Lines; len(lines) != 2 || lines[0].String() != "- name: 东院社区" || lines[1].String() != "+ name: 东苑社区" {
		t.Errorf("what changes: %v", lines)
	}
	version, err = r.Apply(t.Context(), ch, "李", false)
	if err != nil || version != 2 {
		t.Errorf("applied as %d: %v", version, err)
	}
	stands, err := r.Record.CommunityDocument(t.Context(), "dong", 0)
	if err != nil || stands.Author != "李" || stands.YAML != string(ch.YAML) {
		t.Errorf("what stands: %+v, %v", stands, err)
	}
}

func TestDifferences(t *testing.T) {
	for _, tt := range []struct{ before, after, want string }{
		{"a b c", "a b c", ""},
		{"a b c", "b a c", "~ b"},
		{"a b c d", "d a b c", "~ d"},
		{"a b c d", "b c d a", "~ a"},
		{"a b c", "c x a", "- b, ~ c, + x"},
		{"a a b", "a b a", "~ b"},
		{"a a b", "b a", "- a, ~ b"},
		{"a  b", "b  a", "~ b"}, // what is empty is told of by nobody
		{"", "a b", "+ a, + b"},
	} {
		var got []string
		for _, l := range Differences(strings.Split(tt.before, " "), strings.Split(tt.after, " ")) {
			got = append(got, l.String())
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%q to %q: %q, want %q", tt.before, tt.after, s, tt.want)
		}
	}
}

func TestBadDocumentChangesNothing(t *testing.T) {
	r := registry(t)
	ch, err := r.Propose(t.Context(), "", Any, []byte(small))
	must(t, err)
	_, err = r.Apply(t.Context(), ch, "王", false)
	must(t, err)
	for _, tt := range []struct {
		yaml string
		want []string
	}{
		{"", []string{"is empty"}},
		{small + "nonsense: 1\n", []string{"nonsense"}},
		{strings.Replace(small, "1-4", "1-3", 1), []string{"东院 4"}},
		{strings.Replace(small, "dong", "xi", 1), []string{"code"}},
		{small + "wording: {push.resovled: x, filed: 编号, building: \"{{.X}}\"}\ncategories: {pets: {label: 猫}}\n",
			[]string{"wording.push.resovled: there is no such text", "wording.filed: leaves out the emergency number 119", "wording.building: is never given .X", "categories.pets: is not shipped"}},
	} {
		_, err := r.Propose(t.Context(), "dong", Any, []byte(tt.yaml))
		var refused *Refused
		if !errors.As(err, &refused) || workflow.CodeOf(err) != workflow.CodeInvalid {
			t.Errorf("%q: %v, want it refused", tt.yaml, err)
			continue
		}
		for _, want := range tt.want {
			if !slices.ContainsFunc(refused.Reasons(), func(s string) bool { return strings.Contains(s, want) }) {
				t.Errorf("%q: %q, want %q among the reasons", tt.yaml, refused.Reasons(), want)
			}
		}
		if n := len(wording.FaultsOf(err)); (n == 3) != strings.Contains(tt.yaml, "wording") {
			t.Errorf("%q: %d faults of texts", tt.yaml, n)
		}
	}
	if stands, err := r.Record.CommunityDocument(t.Context(), "dong", 0); err != nil || stands.Version != 1 || stands.YAML != small {
		t.Errorf("what stands: %+v, %v", stands, err)
	}
}

func TestEstatesInAnotherOrder(t *testing.T) {
	r := registry(t)
	ch, err := r.Propose(t.Context(), "", Any, []byte(small))
	must(t, err)
	_, err = r.Apply(t.Context(), ch, "王", false)
	must(t, err)
	swapped := strings.Replace(small, "{name: 东院, buildings: 4}, {name: 西院, buildings: 2}", "{name: 西院, buildings: 2}, {name: 东院, buildings: 4}", 1)
	ch, err = r.Propose(t.Context(), "", Any, []byte(swapped))
	must(t, err)
	if ch.Renumbered != "东院" {
		t.Errorf("has another place: %q", ch.Renumbered)
	}
	if _, err := r.Apply(t.Context(), ch, "王", false); !errors.Is(err, ErrRenumbered) || workflow.CodeOf(err) != workflow.CodeInvalid {
		t.Errorf("not asked for: %v", err)
	}
	if version, err := r.Apply(t.Context(), ch, "王", true); err != nil || version != 2 {
		t.Errorf("asked for: %d, %v", version, err)
	}
}

// Of many who change the same document at once one is first; the others are told,
// and nothing of theirs is lost in silence.
func TestNobodyOverwritesAnother(t *testing.T) {
	r := registry(t)
	ch, err := r.Propose(t.Context(), "", Any, []byte(small))
	must(t, err)
	_, err = r.Apply(t.Context(), ch, "王", false)
	must(t, err)
	changes, errs := make([]Change, 8), make([]error, 8)
	for i := range changes {
		changes[i], err = r.Propose(t.Context(), "", 1, []byte(small+"# "+strings.Repeat("x", i+1)+"\n"))
		must(t, err)
	}
	var all sync.WaitGroup
	for i, ch := range changes {
		all.Go(func() { _, errs[i] = r.Apply(t.Context(), ch, "x", false) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, desk.ErrStale) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d were first", won, len(errs))
	}
	if _, err := r.Propose(t.Context(), "", 1, []byte(small)); !errors.Is(err, desk.ErrStale) {
		t.Errorf("proposed on what stands no more: %v", err)
	}
}
