package endpoint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/endpoint"
	"github.com/wishdesk/wishdesk/endpoint/standin"
)

func TestWrite(t *testing.T) {
	s := standin.New(t)
	s.Write(" 解决率 82.3%。\n", "辛苦了。")
	for _, object := range []bool{false, true} {
		w := endpoint.NewWriter(options(s), "Write three sentences.", object)
		got, err := w.Write(t.Context(), map[string]string{"resolution": "82.3%"})
		if err != nil || !slices.Equal(got, []string{"解决率 82.3%。", "辛苦了。"}) {
			t.Errorf("%q, %v", got, err)
		}
	}
	all := s.Asked()
	if q := all[0]; q.User != `{"resolution":"82.3%"}` || !strings.Contains(q.System, "Write three sentences.") || !strings.Contains(q.System, `"sentences"`) || q.Format != "json_schema" || all[1].Format != "json_object" {
		t.Errorf("asked %+v", q)
	}
}

func TestWriteWithoutAnAnswer(t *testing.T) {
	s := standin.New(t)
	for manner, want := range map[standin.Manner]endpoint.Reason{
		standin.Well:  endpoint.Unusable, // no sentence at all
		standin.Prose: endpoint.Unusable, standin.Wrong: endpoint.Unusable, standin.Obedient: endpoint.Unusable, standin.Empty: endpoint.Unusable,
		standin.Failing: endpoint.Refused, standin.Cut: endpoint.Unreachable,
	} {
		s.Behave(manner)
		if got, err := endpoint.NewWriter(options(s), "Write.", false).Write(t.Context(), "figures"); reason(err) != want || got != nil {
			t.Errorf("manner %d: %q, %v, want %s", manner, got, err, want)
		}
	}
}
