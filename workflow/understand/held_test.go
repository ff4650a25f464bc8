package understand_test

import (
	"maps"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// heldBack are samples that no model is trained of, with their places. About
// half are by another hand than those that train.
const heldBack = "testdata/held.tsv"

// What the issue of understanding asks of samples held back.
func TestHeldBack(t *testing.T) {
	f, err := os.Open(heldBack)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, c := whole(t), demo(t)
	var all, kinds, categories, withCategory, severities, places, emergencies, found, alarms float64
	err = ngram.Table(f, []string{"text", "kind", "category", "severity", "estate", "building", "unit", "floor", "room", "grid"}, func(_ int, v []string) error {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: v[0]})
		if err != nil {
			return err
		}
		count := func(to *float64, yes bool) bool {
			if yes {
				*to++
			}
			return yes
		}
		count(&all, true)
		wrong := !count(&kinds, string(u.Kind) == v[1])
		if count(&withCategory, v[2] != "-") {
			wrong = !count(&categories, string(u.Category) == v[2]) || wrong
		}
		wrong = !count(&severities, string(u.Severity) == v[3]) || wrong
		if count(&emergencies, v[3] == "emergency") {
			count(&found, u.Severity == workflow.Emergency)
		}
		count(&alarms, u.Severity == workflow.Emergency)
		wrong = !count(&places, said(u.Place) == strings.Join(v[4:], "|")) || wrong
		if wrong {
			t.Logf("%s: %s %s %s %s", v[0], u.Kind, u.Category, u.Severity, said(u.Place))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string]struct{ have, of, want float64 }{
		"kind": {kinds, all, 0.95}, "category": {categories, withCategory, 0.92}, "severity": {severities, all, 0.92}, "place": {places, all, 0.98},
		"emergencies found": {found, emergencies, 1}, "alarms that are right": {found, alarms, 0.9},
	} {
		t.Logf("%s: %.3f", what, x.have/x.of)
		if x.have < x.want*x.of {
			t.Errorf("%s: %.0f of %.0f, want %.2f", what, x.have, x.of, x.want)
		}
	}
	shown := map[string]int{}
	if err := yaml.Unmarshal(configs.Read("understand.scores.yaml"), &shown); err != nil {
		t.Fatal(err)
	}
	percent := func(have, of float64) int { return int(math.Round(100 * have / of)) }
	counted := map[string]int{
		"messages": int(all), "kind": percent(kinds, all), "category": percent(categories, withCategory), "severity": percent(severities, all),
		"place": percent(places, all), "emergency": percent(found, emergencies),
	}
	if !maps.Equal(shown, counted) {
		t.Errorf("configs/understand.scores.yaml says %v, counted are %v", shown, counted)
	}
	if all < 200 {
		t.Errorf("%.0f samples, want 200", all)
	}
}

// said is a place as the file has it.
func said(p workflow.Place) string {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return strings.Join([]string{p.Estate, number(p.Building), number(p.Unit), number(p.Floor), p.Room, p.Grid}, "|")
}
