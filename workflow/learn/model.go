package learn

import (
	"context"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// Model is what is known of a model beside its body. A model is never changed.
type Model struct {
	Version  int64 // 1, 2, … in a community
	Scores   Scores
	Samples  int // corrections that it learnt, beside the shipped samples
	Author   string
	MadeAt   time.Time
	UsedFrom time.Time // put in use the last time; zero if never
	EndedAt  time.Time // taken out of use after that; zero while it is in use
}

// InUse tells whether the community's messages are understood by it.
func (m Model) InUse() bool { return !m.UsedFrom.IsZero() && m.EndedAt.IsZero() }

// Scores tell how a new model did beside the one in use, on corrections that it
// had not seen.
type Scores struct {
	Held    int   `json:"held"`    // corrections held back
	Against int64 `json:"against"` // the version in use then, 0 = no model of the community's own
	Before  Score `json:"before"`
	After   Score `json:"after"`
}

// Score is how many of the corrections held back were understood right.
type Score struct {
	Right    int `json:"right"`    // kind and category
	Severity int `json:"severity"` // severity
}

// Better tells whether a model may take another's place.
func (s Scores) Better() bool { return s.After.Right > s.Before.Right }

// Count is how many corrections there are of one category, and how many of them
// agreed with what the desk had taken the message for.
type Count struct {
	Kind     workflow.Kind
	Category workflow.Category
	N        int
	Agreed   int
}

// Record keeps models and corrections; the PostgreSQL store is one.
type Record interface {
	// Samples calls f with every correction, in the order of the tickets.
	Samples(ctx context.Context, community string, f func(desk.Sample) error) error
	CommunityDocument(ctx context.Context, community string, version int64) (workflow.Document, error)
	// KeepModel keeps a model as the next version.
	KeepModel(ctx context.Context, community string, m Model, body []byte) (version int64, err error)
	// ModelBody is a *workflow.Error with CodeNotFound where there is none.
	ModelBody(ctx context.Context, community string, version int64) ([]byte, error)
	// ModelInUse is the version in use, 0 for none.
	ModelInUse(ctx context.Context, community string) (int64, error)
	// UseModel puts a version in use in place of any other, EndModel leaves none in
	// use; running processes follow within a second.
	UseModel(ctx context.Context, community string, version int64, now time.Time) error
	EndModel(ctx context.Context, community string, now time.Time) error
	// Alone gives a name to whoever asks first.
	Alone(ctx context.Context, name string) (release func(), ok bool, err error)
}

// bodies is where models are read.
type bodies interface {
	ModelBody(ctx context.Context, community string, version int64) ([]byte, error)
}

// Load gives rules that decide by a model of a community, 0 = the rules as they
// are. ErrBroken where the model cannot be read.
func Load(ctx context.Context, from bodies, rules *understand.Rules, community string, version int64) (*understand.Rules, error) {
	if version == 0 {
		return rules, nil
	}
	body, err := from.ModelBody(ctx, community, version)
	if err != nil {
		return nil, err
	}
	models, err := ngram.Open(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: version %d of %s: %w", ErrBroken, version, community, err)
	}
	out, err := rules.With(models)
	if err != nil {
		return nil, fmt.Errorf("%w: version %d of %s: %w", ErrBroken, version, community, err)
	}
	return out, nil
}
