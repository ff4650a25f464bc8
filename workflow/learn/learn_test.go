package learn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

const document = `
code: %s
name: 东院社区
estates: [{name: 东院, buildings: 40}]
grids: [{code: G01, name: 第一网格, buildings: "东院:1-40"}]
`

// bench is a record with two communities, and a teacher with few samples, so that
// a training takes a moment.
type bench struct {
	*testing.T
	store   *postgres.Store
	desk    *desk.Desk
	teacher *learn.Teacher
	url     string
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	url := storetest.Postgres(t)
	must(t, postgres.Migrate(t.Context(), url))
	store, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	t.Cleanup(store.Close)
	drive, err := redis.Open(storetest.Redis(t), redis.Options{})
	must(t, err)
	t.Cleanup(func() { _ = drive.Close() })
	for _, code := range []string{"dong", "xi"} {
		yaml := fmt.Sprintf(document, code)
		c, err := workflow.ParseCommunity(strings.NewReader(yaml))
		must(t, err)
		_, err = store.ApplyCommunity(t.Context(), c, []byte(yaml), "test")
		must(t, err)
	}
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC))
	b := &bench{T: t, store: store, url: url, desk: desk.New(desk.Options{Journal: store, Drive: drive, Clock: clock})}
	must(t, b.desk.Refresh(t.Context()))
	lexicon, err := os.ReadFile("../../configs/understand.yaml")
	must(t, err)
	bare, err := understand.New(lexicon)
	must(t, err)
	models, err := bare.Train(b.shape("dong").Community, shipped)
	must(t, err)
	rules, err := bare.With(models)
	must(t, err)
	b.teacher = &learn.Teacher{Record: store, Rules: rules, Shipped: func() ([]understand.Labelled, error) { return shipped, nil }, Clock: clock}
	return b
}

// shipped are samples enough for a model that knows lamps, drains and noise.
var shipped = func() (out []understand.Labelled) {
	texts := map[workflow.Category][]string{
		"facilities": {"楼道灯坏了", "路灯不亮", "声控灯失灵", "门禁坏了", "电梯不动了"},
		"drainage":   {"下水道堵了", "污水冒出来", "地漏返水", "管道漏水", "积水很深"},
		"noise":      {"广场舞太吵", "装修噪音", "半夜唱歌", "音响太响", "狗叫一夜"},
	}
	for _, category := range []workflow.Category{"drainage", "facilities", "noise"} {
		for _, text := range texts[category] {
			for i, tail := range []string{"", ",麻烦来看看", ",好几天了", ",没人管"} {
				severity := []workflow.Severity{workflow.Minor, workflow.Minor, workflow.Major, workflow.Minor}[i]
				out = append(out, understand.Labelled{Text: text + tail, Kind: workflow.Incident, Category: category, Severity: severity})
			}
		}
	}
	for range 4 {
		out = append(out, understand.Labelled{Text: "着火了救命", Kind: workflow.Incident, Category: "safety", Severity: workflow.Emergency},
			understand.Labelled{Text: "想学用智能手机", Kind: workflow.Wish, Category: "elderly", Severity: workflow.Minor})
	}
	return out
}()

func (b *bench) shape(community string) desk.Shape {
	b.Helper()
	s, ok := b.desk.Shape(community)
	if !ok {
		b.Fatalf("no community %s", community)
	}
	return s
}

// corrected keeps corrections of a community.
func (b *bench) corrected(community string, from int64, n int, text string, category workflow.Category) {
	b.Helper()
	ch := desk.Change{Community: community}
	for i := range int64(n) {
		ch.Samples = append(ch.Samples, desk.Sample{
			Number: from + i, Text: fmt.Sprintf("%s,%d号楼", text, i+1), Kind: workflow.Incident, Category: category, Severity: workflow.Minor, By: 1, At: time.Now(),
		})
	}
	must(b, b.store.Commit(b.Context(), ch))
}

func (b *bench) understands(u workflow.Understander, community, text string) workflow.Category {
	b.Helper()
	got, err := u.Understand(b.Context(), b.shape(community).Community, workflow.Words{Text: text})
	must(b, err)
	return got.Category
}

const (
	theirWord = "嘎啦棚又响了" // a word of theirs: nobody else knows what it is
	asked     = "嘎啦棚响"
)

func TestACommunityIsUnderstoodByWhatItTaught(t *testing.T) {
	b := newBench(t)
	b.corrected("dong", 2000, 30, theirWord, "parking")
	own := learn.New(b.teacher.Rules, b.store, b.desk, nil)
	if b.understands(own, "dong", asked) == "parking" {
		t.Fatal("it is understood without having been learnt")
	}
	var told []int
	lesson, err := b.teacher.Train(t.Context(), "dong", func(percent int) { told = append(told, percent) })
	must(t, err)
	if s := lesson.Scores; s.Held != 6 || lesson.Samples != 24 || s.After.Right != 6 || !s.Better() || s.Against != 0 {
		t.Errorf("%+v of %d", s, lesson.Samples)
	}
	for i, p := range told {
		if i > 0 && p <= told[i-1] {
			t.Errorf("progress goes from %d to %d", told[i-1], p)
		}
	}
	if len(told) < 5 || told[len(told)-1] != 100 {
		t.Errorf("progress: %v", told)
	}
	version, err := b.teacher.Keep(t.Context(), "dong", lesson, "王")
	must(t, err)
	follow := func(want int64) {
		t.Helper()
		must(t, b.desk.Refresh(t.Context()))
		must(t, own.Follow(t.Context()))
		if have := own.Version("dong"); have != want {
			t.Errorf("understood by version %d, want %d", have, want)
		}
	}
	follow(0)
	must(t, b.teacher.Use(t.Context(), "dong", version))
	follow(version)
	if have := b.understands(own, "dong", asked); have != "parking" {
		t.Errorf("in use, it is understood as %q", have)
	}
	if have := b.understands(own, "xi", asked); have == "parking" {
		t.Error("another community learnt it too")
	}
	// A second training is judged beside what is in use now, and is no better.
	again, err := b.teacher.Train(t.Context(), "dong", nil)
	if !errors.Is(err, learn.ErrNoBetter) || again.Scores.Against != version || again.Scores.Before.Right != 6 {
		t.Errorf("again: %+v, %v", again.Scores, err)
	}
	if _, err := b.teacher.Keep(t.Context(), "dong", again, "王"); !errors.Is(err, learn.ErrNoBetter) {
		t.Errorf("kept though no better: %v", err)
	}
	must(t, b.teacher.End(t.Context(), "dong"))
	follow(0)
	if b.understands(own, "dong", asked) == "parking" {
		t.Error("out of use it still understands")
	}
	if err := b.teacher.Use(t.Context(), "dong", 9); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("none such: %v", err)
	}
	if err := b.teacher.Use(t.Context(), "dong", 0); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("none such: %v", err)
	}
}

func TestABrokenModelLeavesWhatWasThere(t *testing.T) {
	b := newBench(t)
	b.corrected("dong", 2000, 30, theirWord, "parking")
	lesson, err := b.teacher.Train(t.Context(), "dong", nil)
	must(t, err)
	good, err := b.teacher.Keep(t.Context(), "dong", lesson, "王")
	must(t, err)
	must(t, b.teacher.Use(t.Context(), "dong", good))
	var log bytes.Buffer
	own := learn.New(b.teacher.Rules, b.store, b.desk, slog.New(slog.NewTextHandler(&log, nil)))
	must(t, b.desk.Refresh(t.Context()))
	must(t, own.Follow(t.Context()))

	broken, err := b.store.KeepModel(t.Context(), "dong", learn.Model{MadeAt: time.Now()}, []byte("no model"))
	must(t, err)
	if err := b.teacher.Use(t.Context(), "dong", broken); !errors.Is(err, learn.ErrBroken) || workflow.CodeOf(err) != workflow.CodeInvalid {
		t.Errorf("a broken model is put in use: %v", err)
	}
	must(t, b.store.UseModel(t.Context(), "dong", broken, time.Now())) // past the check
	must(t, b.desk.Refresh(t.Context()))
	log.Reset()
	if err := own.Follow(t.Context()); !errors.Is(err, learn.ErrBroken) {
		t.Errorf("followed: %v", err)
	}
	must(t, own.Follow(t.Context())) // said once
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
	if have := b.understands(own, "dong", asked); have != "parking" || own.Version("dong") != good {
		t.Errorf("understood as %q by version %d", have, own.Version("dong"))
	}
	fresh := learn.New(b.teacher.Rules, b.store, b.desk, nil) // a process that starts now
	if err := fresh.Follow(t.Context()); !errors.Is(err, learn.ErrBroken) || b.understands(fresh, "dong", "下水道堵了") != "drainage" {
		t.Errorf("a new process understands nothing: %v", err)
	}
	// A training judges beside the shipped one then, and what is better may follow.
	lesson, err = b.teacher.Train(t.Context(), "dong", nil)
	must(t, err)
	if lesson.Scores.Against != 0 {
		t.Errorf("judged beside version %d", lesson.Scores.Against)
	}
	must(t, b.teacher.Use(t.Context(), "dong", good))
	must(t, b.desk.Refresh(t.Context()))
	must(t, own.Follow(t.Context()))
	must(t, fresh.Follow(t.Context()))
	if b.understands(fresh, "dong", asked) != "parking" {
		t.Error("a process that met a broken one never follows again")
	}
}

func TestTooFewCorrections(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct {
		from int64
		n    int
	}{{0, 0}, {2000, 9}, {3001, 4}} {
		if tt.n > 0 {
			b.corrected([]string{"dong", "xi"}[tt.from/3000], tt.from, tt.n, theirWord, "parking")
		}
		_, err := b.teacher.Train(t.Context(), []string{"dong", "xi"}[tt.from/3000], nil)
		if !errors.Is(err, learn.ErrTooFew) || workflow.CodeOf(err) != workflow.CodeInvalid {
			t.Errorf("%d from %d: %v", tt.n, tt.from, err)
		}
	}
	if _, err := b.teacher.Train(t.Context(), "nowhere", nil); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("nowhere: %v", err)
	}
}

// One training at a time, over all processes; and it ends when it is told to.
func TestTrainingIsAloneAndCanBeStopped(t *testing.T) {
	b := newBench(t)
	b.corrected("dong", 2000, 30, theirWord, "parking")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	begun, went := make(chan struct{}), make(chan struct{})
	var once sync.Once
	done := make(chan error, 1)
	go func() {
		_, err := b.teacher.Train(ctx, "dong", func(int) {
			once.Do(func() { close(begun); <-went })
		})
		done <- err
	}()
	<-begun
	other, err := postgres.Open(t.Context(), b.url, postgres.Options{}) // another process
	must(t, err)
	defer other.Close()
	second := *b.teacher
	second.Record = other
	if _, err := second.Train(t.Context(), "xi", nil); !errors.Is(err, learn.ErrBusy) || workflow.CodeOf(err) != workflow.CodeBusy {
		t.Errorf("two at once: %v", err)
	}
	stop()
	close(went)
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := second.Train(t.Context(), "dong", nil); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// Messages are understood while models come and go.
func TestMessagesDoNotWaitForModels(t *testing.T) {
	b := newBench(t)
	b.corrected("dong", 2000, 30, theirWord, "parking")
	lesson, err := b.teacher.Train(t.Context(), "dong", nil)
	must(t, err)
	version, err := b.teacher.Keep(t.Context(), "dong", lesson, "王")
	must(t, err)
	own := learn.New(b.teacher.Rules, b.store, b.desk, nil)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	c := b.shape("dong").Community
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				if u, err := own.Understand(ctx, c, workflow.Words{Text: "下水道堵了"}); err != nil || u.Category != "drainage" {
					t.Errorf("understood as %q: %v", u.Category, err)
					return
				}
			}
		})
	}
	for range 5 {
		must(t, b.teacher.Use(t.Context(), "dong", version))
		must(t, b.desk.Refresh(t.Context()))
		must(t, own.Follow(t.Context()))
		must(t, b.teacher.End(t.Context(), "dong"))
		must(t, b.desk.Refresh(t.Context()))
		must(t, own.Follow(t.Context()))
	}
	stop()
	all.Wait()
}
