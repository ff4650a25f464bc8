package bot

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

func sprintf(format string, a ...any) string { return fmt.Sprintf(format, a...) }

func shippedWording(t testing.TB) *wording.Wording {
	t.Helper()
	data, err := os.ReadFile("../configs/wording.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := wording.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every key that the code says has its words.
func TestEveryKeyHasWords(t *testing.T) {
	w := shippedWording(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`(?:\.say|\.Say|\.photo)\((?:ctx, )?"([a-z_.]+)"(\+?)`)
	found := 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(src), -1) {
			if m[2] == "+" {
				continue // a family, looked at below
			}
			found++
			if !w.Has(m[1]) {
				t.Errorf("%s says %q, which has no words", f, m[1])
			}
		}
	}
	if found < 60 {
		t.Errorf("found only %d keys in the code: the pattern has gone blind", found)
	}
	family := func(prefix string, keys ...string) {
		for _, k := range keys {
			if !w.Has(prefix + k) {
				t.Errorf("%s%s has no words", prefix, k)
			}
		}
	}
	for _, row := range workflow.Notices {
		family("push.", string(row.Purpose))
		family("purpose.", string(row.Purpose))
		family("phrase.", string(row.Purpose))
	}
	family("push.", string(workflow.TellLate), string(workflow.TellPraise))
	for _, c := range []workflow.Code{
		workflow.CodeNotFound, workflow.CodeNotAllowed, workflow.CodeWrongState, workflow.CodeAlreadyDone, workflow.CodeTooSoon,
		workflow.CodeTooLate, workflow.CodeNeedsText, workflow.CodeNeedsTarget, workflow.CodeNoQuestion, workflow.CodeQuestionOpen,
		workflow.CodeTooManyTransfer, workflow.CodeNotDue, workflow.CodeInvalid, workflow.CodeBusy,
	} {
		family("error.", string(c))
	}
	for _, s := range []workflow.State{
		workflow.Received, workflow.Classified, workflow.Assigned, workflow.Accepted, workflow.Resolved, workflow.Closed, workflow.Cancelled, workflow.Merged,
	} {
		family("state.", string(s))
	}
	for _, why := range []string{workflow.WhyLevel, workflow.WhyDanger, workflow.WhyGrid, workflow.WhyLoad, workflow.WhyNoWorker, workflow.WhyByHand} {
		family("why.", why)
	}
	for _, r := range []workflow.RoleKind{
		workflow.RoleWorker, workflow.RoleOfficer, workflow.RoleProperty, workflow.RoleVolunteer, workflow.RolePartyMember, workflow.RolePartner, workflow.RoleCommittee, workflow.RoleAdmin,
	} {
		family("title.", string(r))
	}
	for v := range needsWords {
		family("words.", string(v))
	}
	for _, v := range []verb{verbAccept, verbReturn, verbAsk, verbNote, verbResolve, verbEscalate, verbCalled, verbTransfer, verbFile, verbMerge} {
		family("did.", string(v))
	}
}

// The platform checks phrases: at most five characters.
func TestPhrasesFitTheTemplate(t *testing.T) {
	w := shippedWording(t)
	for _, key := range w.Keys() {
		if strings.HasPrefix(key, "phrase.") {
			if p := w.Say(key, Values{}); len([]rune(p)) == 0 || len([]rune(p)) > 5 {
				t.Errorf("%s = %q: want 1 to 5 characters", key, p)
			}
		}
	}
}

// No text leaves template syntax or holes behind, whatever is missing.
func TestTextsStandWithoutValues(t *testing.T) {
	w := shippedWording(t)
	for _, key := range w.Keys() {
		text := w.Say(key, Values{})
		if strings.Contains(text, "{{") || strings.Contains(text, "<no value>") || strings.Contains(text, "%!") {
			t.Errorf("%s = %q", key, text)
		}
		if fall := w.Say("fallback", Values{}); key != "fallback" && text == fall {
			t.Errorf("%s cannot be filled without values", key)
		}
	}
}

func TestParseWordingNamesTheKey(t *testing.T) {
	for _, tt := range []struct{ doc, want string }{
		{"texts: {a: {b: '{{.X'}, fallback: x}", "a.b"},
		{"texts: {a: [1], fallback: x}", "wording: a:"},
		{"texts: {a: b}", "fallback"},
		{"texts: 3", "wording"},
	} {
		if _, err := wording.Parse([]byte(tt.doc)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("wording.Parse(%q) = %v, want an error that names %q", tt.doc, err, tt.want)
		}
	}
}
