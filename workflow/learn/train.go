package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// Why there is no new model. Each comes within a *workflow.Error whose code says
// what to tell people.
var (
	// ErrTooFew corrections make a judgement of two models worth nothing.
	ErrTooFew = errors.New("learn: too few corrections")
	// ErrNoBetter is a new model that does no better on what was held back.
	ErrNoBetter = errors.New("learn: the new model is no better: nothing was replaced")
	// ErrBusy is a training under way, in this process or another.
	ErrBusy = errors.New("learn: another training is under way: wait for its end")
	// ErrBroken is a model that cannot be read.
	ErrBroken = errors.New("learn: the model cannot be read")
)

// fewest corrections make a judgement of two models worth anything.
const fewest = 10

// heldBack is which part of the corrections a model is judged by: each fifth
// ticket's.
const heldBack = 5

// loud is how often a correction counts beside a shipped sample: it is in the
// community's own words.
const loud = 3

// alone is the name that one training at a time has. It is one for all
// communities: training takes every core for a minute.
const alone = "train"

// Teacher trains models from what a community's workers corrected.
type Teacher struct {
	Record Record
	// Rules are those without a community's own model: the model that is in use
	// where there is none.
	Rules *understand.Rules
	// Shipped are the samples that every model learns.
	Shipped func() ([]understand.Labelled, error)
	Clock   clockwork.Clock
}

// Lesson is a new model that is not kept yet.
type Lesson struct {
	Models  map[string]*ngram.Model
	Scores  Scores
	Samples int // corrections learnt
}

// Train makes a model of the shipped samples and the community's corrections, of
// which every fifth is held back, and judges it by those beside the one in use. It
// takes a minute, ends early with ctx, and tells how much is done, in percent that
// only rise, one call at a time; progress may be nil. Only one training runs at a time over all processes. A model that is no better comes with
// ErrNoBetter and its scores, and must not be kept.
func (t *Teacher) Train(ctx context.Context, community string, progress func(percent int)) (Lesson, error) {
	release, ok, err := t.Record.Alone(ctx, alone)
	if err != nil {
		return Lesson{}, err
	}
	if !ok {
		return Lesson{}, &workflow.Error{Code: workflow.CodeBusy, Cause: ErrBusy}
	}
	defer release()
	doc, err := t.Record.CommunityDocument(ctx, community, 0)
	if err != nil {
		return Lesson{}, err
	}
	c, err := workflow.ParseCommunity(strings.NewReader(doc.YAML))
	if err != nil {
		return Lesson{}, err
	}
	learnt, held, err := t.corrections(ctx, community)
	if err != nil {
		return Lesson{}, err
	}
	if len(held) == 0 || len(held)+len(learnt) < fewest {
		return Lesson{}, &workflow.Error{Code: workflow.CodeInvalid, Cause: fmt.Errorf("%w: %d corrections of %s, %d of them to be held back: want %d or more",
			ErrTooFew, len(held)+len(learnt), community, len(held), fewest)}
	}
	l := Lesson{Samples: len(learnt), Scores: Scores{Held: len(held)}}
	used, err := t.inUse(ctx, community, &l.Scores)
	if err != nil {
		return Lesson{}, err
	}
	all, err := t.Shipped()
	if err != nil {
		return Lesson{}, err
	}
	all = slices.Concat(all, slices.Repeat(learnt, loud))
	if l.Models, err = t.Rules.TrainWith(ctx, c, all, rising(progress)); err != nil {
		return Lesson{}, err
	}
	fresh, err := t.Rules.With(l.Models)
	if err != nil {
		return Lesson{}, err
	}
	l.Scores.Before, l.Scores.After = score(ctx, used, c, held), score(ctx, fresh, c, held)
	if err := ctx.Err(); err != nil {
		return Lesson{}, err
	}
	if !l.Scores.Better() {
		return l, &workflow.Error{Code: workflow.CodeInvalid, Cause: ErrNoBetter}
	}
	return l, nil
}

// rising passes on percents that rise, one at a time.
func rising(progress func(percent int)) func(percent int) {
	if progress == nil {
		return nil
	}
	var mu sync.Mutex
	last := -1
	return func(percent int) {
		mu.Lock()
		defer mu.Unlock()
		if percent > last {
			last = percent
			progress(percent)
		}
	}
}

// inUse are the rules that understand the community now. A model that cannot be
// read is no reason to have none any more: then it is the shipped one.
func (t *Teacher) inUse(ctx context.Context, community string, s *Scores) (*understand.Rules, error) {
	version, err := t.Record.ModelInUse(ctx, community)
	if err != nil {
		return nil, err
	}
	used, err := Load(ctx, t.Record, t.Rules, community, version)
	if errors.Is(err, ErrBroken) {
		return t.Rules, nil
	}
	s.Against = version
	return used, err
}

func (t *Teacher) corrections(ctx context.Context, community string) (learnt, held []understand.Labelled, err error) {
	err = t.Record.Samples(ctx, community, func(s desk.Sample) error {
		l := understand.Labelled{Text: s.Text, Kind: s.Kind, Category: s.Category, Severity: s.Severity}
		if s.Number%heldBack == 0 {
			held = append(held, l)
		} else {
			learnt = append(learnt, l)
		}
		return ctx.Err()
	})
	return learnt, held, err
}

// score is how many messages are understood as they should be.
func score(ctx context.Context, rules *understand.Rules, c *workflow.Community, held []understand.Labelled) (s Score) {
	for _, l := range held {
		u, err := rules.Understand(ctx, c, workflow.Words{Text: l.Text})
		if err != nil {
			continue
		}
		if u.Kind == l.Kind && u.Category == l.Category {
			s.Right++
		}
		if u.Severity == l.Severity {
			s.Severity++
		}
	}
	return s
}

// Keep puts a model into the record, as the community's next version. It is not in
// use by that.
func (t *Teacher) Keep(ctx context.Context, community string, l Lesson, author string) (version int64, err error) {
	if !l.Scores.Better() {
		return 0, &workflow.Error{Code: workflow.CodeInvalid, Cause: ErrNoBetter}
	}
	var body bytes.Buffer
	if err := ngram.Save(&body, l.Models); err != nil {
		return 0, err
	}
	m := Model{Scores: l.Scores, Samples: l.Samples, Author: author, MadeAt: t.Clock.Now().UTC()}
	return t.Record.KeepModel(ctx, community, m, body.Bytes())
}

// Use puts a version in use; every running process follows within a second. One
// that cannot be read is refused with ErrBroken.
func (t *Teacher) Use(ctx context.Context, community string, version int64) error {
	if version < 1 {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such model")}
	}
	if _, err := Load(ctx, t.Record, t.Rules, community, version); err != nil {
		if errors.Is(err, ErrBroken) {
			return &workflow.Error{Code: workflow.CodeInvalid, Cause: err}
		}
		return err
	}
	return t.Record.UseModel(ctx, community, version, t.Clock.Now().UTC())
}

// End takes the community's model out of use: it is understood by the shipped one
// again, or that of the settings.
func (t *Teacher) End(ctx context.Context, community string) error {
	return t.Record.EndModel(ctx, community, t.Clock.Now().UTC())
}
