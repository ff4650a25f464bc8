package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/endpoint/standin"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// A model that writes well is heard; one that makes up a number or names somebody
// is not, and neither what it was shown nor what is logged has a name.
func TestSentencesOfAModel(t *testing.T) {
	s := standin.New(t)
	rules, words, taxonomy, err := readConfigs()
	if err != nil {
		t.Fatal(err)
	}
	community, err := workflow.ParseCommunity(bytes.NewReader(configs.Read("demo/community.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	shape := desk.Shape{Community: community, Roster: workflow.Roster{{ID: 1, Name: "张建国"}}}
	var log bytes.Buffer
	set := &settings.Settings{}
	mask := func() func(*workflow.Community, string, []string) string { return rules.Mask }
	if sentences(set, words, taxonomy, mask, slog.Default()) != nil {
		t.Error("a model is asked that nobody has set")
	}
	set.Advisor = settings.Outside{URL: s.URL, Model: "m", Timeout: 5 * time.Second, Schema: true}
	write := sentences(set, words, taxonomy, mask, slog.New(slog.NewTextHandler(&log, nil)))
	estate := community.Estates[0].Name
	d := &digest.Digest{Community: community.Code, Name: community.Name, Week: digest.Week{Year: 2026, Number: 47}, Floor: 85}
	d.From, d.Until = d.Week.Range(community.Location())
	d.Now.Incidents, d.Now.Resolution = 61, digest.Rate{Of: 62, Good: 51}
	d.HotSpots = []digest.Hot{{Spot: digest.Spot{Estate: estate, Building: 3, Category: "drainage"}, Times: 5, Days: 28}}
	d.Findings = []digest.Finding{
		{Key: "below", Values: map[string]any{"rate": "resolution", "is": 82.3, "of": 62, "good": 51, "floor": 85}},
		{Key: "late", Values: map[string]any{"count": 2, "oldest": 1024, "days": 2, "hours": 55, "owner": "张建国", "has": 1}},
		{Key: "hot_spot", Values: map[string]any{"place": d.HotSpots[0].Place(), "category": "drainage", "times": 5, "days": 28, "count": 1}},
	}
	good := []string{"62 件里办成 51 件,解决率 82.3%,没到 85%。", d.HotSpots[0].Place() + "的管道排水 28 天里反映了 5 次。", "收到诉求 61 件。"}
	s.Write(good...)
	if got := write(t.Context(), shape, d); !slices.Equal(got, good) {
		t.Errorf("what holds is refused: %q\n%s", got, &log)
	}
	for _, bad := range []string{"解决率 90%。", "张建国手上 1 件。", "王大爷很满意。", "有三成没办好。", "电话 13800001111。"} {
		log.Reset()
		s.Write(good[0], bad)
		if got := write(t.Context(), shape, d); got != nil {
			t.Errorf("%q is let through", bad)
		}
		if !strings.Contains(log.String(), "unfit") || strings.Contains(log.String(), strings.TrimSuffix(bad, "。")) {
			t.Errorf("%q: the log says %s", bad, &log)
		}
	}
	s.Behave(standin.Failing)
	if got := write(t.Context(), shape, d); got != nil {
		t.Errorf("without an answer: %q", got)
	}
	for _, q := range s.Asked() {
		if strings.Contains(q.User, "张建国") || !strings.Contains(q.User, "82.3%") || !strings.Contains(q.System, "周报") {
			t.Errorf("it was shown %s", q.User)
		}
	}

	// What the rules say themselves, without the names, holds as well.
	told := wording.New(words, taxonomy, shape, nil).Told(d)
	if err := told.Check(told.Findings, nil, func(s string) bool { return strings.Contains(rules.Mask(community, s, nil), "【") }); err != nil {
		data, _ := json.Marshal(told)
		t.Errorf("the rules' own sentences: %v\n%s", err, data)
	}
}
