package understand_test

import (
	"os"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

func TestSeverity(t *testing.T) {
	r, c := whole(t), demo(t)
	for text, want := range map[string]workflow.Severity{
		"整栋楼都没水了":      workflow.Major,
		"暖气不热":         workflow.Major,
		"消防通道让车堵了":     workflow.Major,
		"飞线充电":         workflow.Major,
		"楼上老有人往下扔垃圾":   workflow.Major,
		"污水井冒粪水,院里全淹了": workflow.Major,
		"楼道灯不亮了":       workflow.Minor,
		"车位让人占了":       workflow.Minor,
		"我想学书法":        workflow.Minor,
		"煤气费怎么交":       workflow.Minor,
		"谢谢":           workflow.Minor,
		"着火了":          workflow.Emergency,
	} {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil || u.Severity != want {
			t.Errorf("%s: %s %v, want %s", text, u.Severity, err, want)
		}
	}
}

// Confidence is what the dialogue goes by: below 0.2 a short text says
// nothing, from 0.6 on a text is clear.
func TestConfidence(t *testing.T) {
	r, c := whole(t), demo(t)
	for _, x := range []struct {
		text     string
		min, max float64
	}{
		{"怡园3号楼2单元着火了", 0.9, 1},
		{"西区3号楼电梯坏了,停了三天没人修", 0.6, 1},
		{"下水道堵了,污水都漫出来了", 0.6, 1},
		{"门禁坏了", 0.6, 1},
		{"你好", 0.9, 1},
		{"怡园5号楼", 0, 0.19},
		{"7号楼", 0, 0.19},
		{"昨天说的那件事您给记着点", 0, 0.19},
	} {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: x.text})
		if err != nil || u.Confidence < x.min || u.Confidence > x.max {
			t.Errorf("%s: %s %s %.2f %v, want %.2f to %.2f", x.text, u.Kind, u.Category, u.Confidence, err, x.min, x.max)
		}
	}
}

// What cannot be made out still is a matter for a person, unless it is very
// short; a place alone is a matter too, so that the desk asks what is wrong.
func TestUnclear(t *testing.T) {
	r, c := whole(t), demo(t)
	for text, want := range map[string]workflow.Kind{
		"昨天说的那件事您给记着点": workflow.Incident,
		"怡园5号楼":        workflow.Incident,
		"":             workflow.Chat,
		"嗯呐":           workflow.Chat,
		"asdf":         workflow.Chat,
	} {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil || u.Kind != want {
			t.Errorf("%q: %s %v, want %s", text, u.Kind, err, want)
		}
		if u.Kind == workflow.Incident && u.Category != workflow.OtherIncident {
			t.Errorf("%q: %s, want %s", text, u.Category, workflow.OtherIncident)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	data, err := os.ReadFile("../../configs/understand.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	for name, x := range map[string]struct{ lexicon, says string }{
		"nothing":       {"", "EOF"},
		"no yaml":       {"\t", "lexicon"},
		"unknown field": {good + "\nmore: 1\n", "more"},
		"twice":         {strings.Replace(good, "major_categories:", "place: {}\nmajor_categories:", 1), "already defined"},
		"no dangers":    {good[:strings.Index(good, "\ndanger:")] + good[strings.Index(good, "\nunless:"):], "danger"},
		"no questions":  {good[:strings.Index(good, "\nquestion:")] + good[strings.Index(good, "\npraise:"):], "question"},
	} {
		_, err := understand.New([]byte(x.lexicon))
		if err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v, want %q", name, err, x.says)
		}
	}
	for phrase, says := range map[string]string{
		"停電": "停电", "OK": "ok", "停，水": "停,水", "停//水": "empty part", "…水": "empty part",
	} {
		_, err := understand.New([]byte(strings.Replace(good, "\nmajor:\n", "\nmajor:\n  - "+phrase+"\n", 1)))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "major") {
			t.Errorf("%s: %v, want %q", phrase, err, says)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	r, c := whole(t), demo(t)
	all := samples(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, s := range all {
				w := workflow.Words{Text: s.text}
				a, _ := r.Understand(t.Context(), c, w)
				b, _ := r.Understand(t.Context(), c, w)
				if a.Kind != b.Kind || a.Category != b.Category || a.Place != b.Place || a.Confidence != b.Confidence {
					t.Errorf("%s: %+v and %+v", s.text, a, b)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzUnderstand(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.text)
	}
	for _, s := range []string{
		"", " ", "\x00\xff\xfe", "十百十百十号楼", "0号楼", "99999999999999999999号楼", "----", "12-", "12-3-", "#-#", "号楼", "单元",
		"西区", "960", "960960号楼", "怡园怡园大门口", "\u200b\u200d1\u200b2号楼", "三三三三三三三三单元", strings.Repeat("着火", 3000), strings.Repeat("12-3-", 900),
	} {
		f.Add(s)
	}
	r, c := whole(f), demo(f)
	kinds := map[workflow.Kind]bool{workflow.Incident: true, workflow.Wish: true, workflow.Consult: true, workflow.Praise: true, workflow.Chat: true}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if !kinds[u.Kind] || u.Severity == "" || u.Confidence < 0 || u.Confidence > 1 {
			t.Fatalf("%q: %+v", text, u)
		}
		if (u.Kind == workflow.Incident || u.Kind == workflow.Wish) && u.Category == "" {
			t.Fatalf("%q: %s without a category", text, u.Kind)
		}
		if p := u.Place; p.Building != 0 && p.Grid != c.GridOf(p.Estate, p.Building) {
			t.Fatalf("%q: %+v", text, p)
		}
		if utf8.ValidString(text) && !strings.Contains(text, u.Place.Detail) && !strings.Contains(u.Place.Detail, "号") {
			t.Fatalf("%q: detail %q was not written", text, u.Place.Detail)
		}
	})
}

func BenchmarkUnderstand(b *testing.B) {
	r, c := whole(b), demo(b)
	w := workflow.Words{Text: "我是西区12号楼3单元402的住户,楼上卫生间漏水淌到俺家天花板上了,找了他好几回都不认账,物业也不管,麻烦社区来人给看看吧,谢谢您了"}
	if n := utf8.RuneCountInString(w.Text); n < 60 {
		b.Fatalf("%d characters, want 60", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Understand(b.Context(), c, w); err != nil {
			b.Fatal(err)
		}
	}
}
