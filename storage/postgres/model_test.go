package postgres

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
)

func TestModels(t *testing.T) {
	s := newStore(t)
	scores := learn.Scores{Held: 9, Against: 0, Before: learn.Score{Right: 4, Severity: 8}, After: learn.Score{Right: 7, Severity: 8}}
	body := bytes.Repeat([]byte{0, 1, 2, 255}, 1_500_000) // as large as they are
	version, err := s.KeepModel(ctx(t), here, learn.Model{Scores: scores, Samples: 40, Author: "王", MadeAt: noon}, body)
	must(t, err)
	same(t, "the first version", int64(1), version)
	kept, err := s.ModelBody(ctx(t), here, 1)
	must(t, err)
	if !bytes.Equal(kept, body) {
		t.Error("a model is not what was kept")
	}
	version, err = s.KeepModel(ctx(t), here, learn.Model{Author: "李", MadeAt: noon.Add(time.Hour)}, []byte("second"))
	must(t, err)
	same(t, "the second version", int64(2), version)
	version, err = s.KeepModel(ctx(t), there, learn.Model{MadeAt: noon}, []byte("theirs"))
	must(t, err)
	same(t, "another community counts for itself", int64(1), version)

	inUse := func(want int64) int64 {
		t.Helper()
		have, err := s.ModelInUse(ctx(t), here)
		must(t, err)
		shape, err := s.Shape(ctx(t), here)
		must(t, err)
		if have != want || shape.Model != want {
			t.Errorf("in use: %d, in the shape %d, want %d", have, shape.Model, want)
		}
		return shape.Version
	}
	none := inUse(0)
	must(t, s.UseModel(ctx(t), here, 1, noon))
	first := inUse(1)
	must(t, s.UseModel(ctx(t), here, 1, noon.Add(time.Minute)))
	again := inUse(1)
	must(t, s.UseModel(ctx(t), here, 2, noon.Add(2*time.Minute)))
	second := inUse(2)
	if err := s.UseModel(ctx(t), here, 3, noon); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("none such: %v", err)
	}
	inUse(2)
	if none >= first || first != again || again >= second {
		t.Errorf("shapes %d, %d, %d, %d: want a new one for each change alone", none, first, again, second)
	}
	all, err := s.Models(ctx(t), here, 0, 10)
	must(t, err)
	same(t, "models", []learn.Model{
		{Version: 2, Author: "李", MadeAt: noon.Add(time.Hour), UsedFrom: noon.Add(2 * time.Minute)},
		{Version: 1, Scores: scores, Samples: 40, Author: "王", MadeAt: noon, UsedFrom: noon, EndedAt: noon.Add(2 * time.Minute)},
	}, all)
	if !all[0].InUse() || all[1].InUse() {
		t.Error("which one is in use?")
	}
	older, err := s.Models(ctx(t), here, 2, 10)
	must(t, err)
	if len(older) != 1 || older[0].Version != 1 {
		t.Errorf("older than the second: %v", older)
	}
	must(t, s.EndModel(ctx(t), here, noon.Add(3*time.Minute)))
	ended := inUse(0)
	must(t, s.EndModel(ctx(t), here, noon.Add(4*time.Minute)))
	if ended <= second || inUse(0) != ended {
		t.Error("ending one twice counts twice")
	}
	must(t, s.UseModel(ctx(t), here, 1, noon.Add(5*time.Minute))) // back to what was good
	inUse(1)

	_, err1 := s.ModelBody(ctx(t), here, 9)
	_, err2 := s.ModelBody(ctx(t), there, 2)
	_, err3 := s.KeepModel(ctx(t), "nowhere", learn.Model{MadeAt: noon}, nil)
	for _, err := range []error{err1, err2, err3} {
		if workflow.CodeOf(err) != workflow.CodeNotFound {
			t.Errorf("not there: %v", err)
		}
	}
	for _, sql := range []string{`UPDATE model SET body = ''`, `UPDATE model SET scores = '{}'`, `UPDATE model SET author = ''`} {
		if _, err := s.pool.Exec(ctx(t), sql); err == nil || !strings.Contains(err.Error(), "never changed") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// Versions are counted and one is in use, whoever else is at it.
func TestModelsAtOnce(t *testing.T) {
	s := newStore(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			version, err := s.KeepModel(ctx(t), here, learn.Model{MadeAt: noon}, []byte("x"))
			if err == nil {
				err = s.UseModel(ctx(t), here, version, noon)
			}
			if err == nil && i%4 == 0 {
				err = s.EndModel(ctx(t), here, noon)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	models, err := s.Models(ctx(t), here, 0, 100)
	must(t, err)
	used := 0
	for i, m := range models {
		if m.Version != int64(8-i) {
			t.Errorf("version %d at place %d", m.Version, i)
		}
		if m.InUse() {
			used++
		}
	}
	if len(models) != 8 || used > 1 {
		t.Errorf("%d models, %d in use", len(models), used)
	}
}

func TestCorrections(t *testing.T) {
	s := newStore(t)
	sample := func(number int64, guess, category workflow.Category, at time.Time) desk.Sample {
		return desk.Sample{Number: number, Text: "灯坏了", Guess: guess, Kind: workflow.Incident, Category: category, Severity: workflow.Minor, By: 7, At: at}
	}
	var all []desk.Sample
	for i := range int64(10) {
		all = append(all, sample(1000+i, "noise", []workflow.Category{"noise", "parking", "parking"}[i%3], noon.Add(time.Duration(i/2)*time.Minute)))
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Samples: all}))
	must(t, s.Commit(ctx(t), desk.Change{Community: there, Samples: []desk.Sample{sample(1, "", "noise", noon)}}))

	var have []int64
	var before time.Time
	var number int64
	for {
		page, err := s.Corrections(ctx(t), here, before, number, 3)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			have = append(have, c.Number)
		}
		before, number = page[len(page)-1].At, page[len(page)-1].Number
	}
	same(t, "newest first, page by page", []int64{1009, 1008, 1007, 1006, 1005, 1004, 1003, 1002, 1001, 1000}, have)
	counts, err := s.CorrectionCounts(ctx(t), here)
	must(t, err)
	same(t, "counts", []learn.Count{{Kind: workflow.Incident, Category: "parking", N: 6}, {Kind: workflow.Incident, Category: "noise", N: 4, Agreed: 4}}, counts)
}
