package console

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
)

// Models are what the record has of a community's models and corrections.
type Models interface {
	// Models are without their bodies, newest first, those before a version.
	Models(ctx context.Context, community string, before int64, limit int) ([]learn.Model, error)
	// CorrectionCounts are how many corrections there are of each category, and
	// Corrections those themselves, newest first.
	CorrectionCounts(ctx context.Context, community string) ([]learn.Count, error)
	Corrections(ctx context.Context, community string, before time.Time, number int64, limit int) ([]desk.Sample, error)
}

// Teacher trains models of corrections; *learn.Teacher is one.
type Teacher interface {
	Train(ctx context.Context, community string, progress func(percent int)) (learn.Lesson, error)
	Keep(ctx context.Context, community string, l learn.Lesson, author string) (version int64, err error)
	Use(ctx context.Context, community string, version int64) error
	End(ctx context.Context, community string) error
}

// training is what this process trains, or trained last, of each community. Another
// replica does not know of it; what came of it stands in the record.
type training struct {
	mu   sync.Mutex
	jobs map[string]job
	work sync.WaitGroup
}

// job is one training.
type job struct {
	Running bool
	Percent int
	Said    string // what came of it: a key of the wording below page.model, "" while it runs
	Scores  learn.Scores
}

func (t *training) of(community string) job {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.jobs[community]
}

func (t *training) change(community string, f func(*job)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.jobs[community]
	f(&j)
	t.jobs[community] = j
}

// modelPage is how well messages are understood, and what could be learnt.
type modelPage struct {
	Models      []learn.Model
	Used        *learn.Model // nil where the shipped one is in use
	Counts      []learn.Count
	All, Agreed int // corrections, and those that the desk had guessed right
	Latest      []correction
	Job         job
	Shipped     shippedScores
}

// shippedScores are how the shipped model understood messages that nobody taught it,
// in per cent.
type shippedScores struct{ Messages, Kind, Category, Severity, Place, Emergency int }

// scoresOf reads configs/understand.scores.yaml; a test holds it to what is counted.
func scoresOf(data []byte) (s shippedScores, err error) { return s, yaml.Unmarshal(data, &s) }

// correction is a message with what a worker said it is about.
type correction struct {
	desk.Sample
	Who, When string
}

// model shows the models, their scores and the corrections.
func (c *Console) model(q *request) error {
	page := modelPage{Job: c.training.of(q.community())}
	if page.Job.Running && q.Header.Get("HX-Request") == "true" { // how far it is, every two seconds
		return q.show("model", page)
	}
	var err error
	if page.Shipped, err = scoresOf(configs.Read("understand.scores.yaml")); err != nil {
		return err
	}
	if page.Models, err = c.o.Record.Models(q.Context(), q.community(), 0, listed); err != nil {
		return err
	}
	for i, m := range page.Models {
		if m.InUse() {
			page.Used = &page.Models[i]
		}
	}
	if page.Counts, err = c.o.Record.CorrectionCounts(q.Context(), q.community()); err != nil {
		return err
	}
	for _, n := range page.Counts {
		page.All, page.Agreed = page.All+n.N, page.Agreed+n.Agreed
	}
	latest, err := c.o.Record.Corrections(q.Context(), q.community(), time.Time{}, 0, 20)
	if err != nil {
		return err
	}
	numbers := make([]int64, len(latest))
	for i, s := range latest {
		numbers[i] = s.Number
	}
	veil, err := q.voice().Veil(q.Context(), c.o.Desk.Journal(), numbers...)
	if err != nil {
		return err
	}
	for _, s := range latest {
		s.Text = veil.Anonymous(s.Number, s.Text)
		page.Latest = append(page.Latest, correction{s, q.nameOf(s.By), q.voice().When(s.At, q.now)})
	}
	return q.show("model", page)
}

// trainModel begins a training, which goes on when the request has its answer.
func (c *Console) trainModel(q *request) error {
	busy := false
	c.training.change(q.community(), func(j *job) {
		busy = j.Running
		if !busy {
			*j = job{Running: true}
		}
	})
	if busy {
		return q.to("", "admin/model")
	}
	community, author := q.community(), q.me.Name
	ctx, cancel := context.WithCancel(context.WithoutCancel(q.Context()))
	c.training.work.Go(func() {
		defer cancel()
		go func() { // a server that stops does not wait for it
			select {
			case <-c.closing:
				cancel()
			case <-ctx.Done():
			}
		}()
		said, scores := c.trainNow(ctx, community, author)
		c.training.change(community, func(j *job) { *j = job{Said: said, Scores: scores} })
	})
	return q.to("", "admin/model")
}

// trainNow trains and keeps a model, and tells what came of it.
func (c *Console) trainNow(ctx context.Context, community, author string) (said string, scores learn.Scores) {
	lesson, err := c.o.Teacher.Train(ctx, community, func(percent int) {
		c.training.change(community, func(j *job) { j.Percent = percent })
	})
	if err == nil {
		_, err = c.o.Teacher.Keep(ctx, community, lesson, author)
	}
	switch {
	case err == nil:
		return "kept", lesson.Scores
	case errors.Is(err, learn.ErrTooFew):
		return "too_few", lesson.Scores
	case errors.Is(err, learn.ErrNoBetter):
		return "no_better", lesson.Scores
	case errors.Is(err, learn.ErrBusy):
		return "busy", lesson.Scores
	}
	c.o.Logger.Error("training failed", "community", community, "cause", err)
	return "failed", lesson.Scores
}

// useModel puts a model in use, or the shipped one where none is named.
func (c *Console) useModel(q *request) error {
	if q.PostFormValue("version") == "" {
		if err := c.o.Teacher.End(q.Context(), q.community()); err != nil {
			return err
		}
		return q.staffChanged("model_ended", "admin/model")
	}
	version, err := strconv.ParseInt(q.PostFormValue("version"), 10, 64)
	if err != nil {
		return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("no version")}
	}
	if err := c.o.Teacher.Use(q.Context(), q.community(), version); err != nil {
		return err
	}
	return q.staffChanged("model_used", "admin/model")
}
