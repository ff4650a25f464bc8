package learn

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

// Shapes tell which model a community has in use; *desk.Desk is one.
type Shapes interface {
	Communities() []string
	Shape(community string) (desk.Shape, bool)
}

// Understanders understand each community's messages by its own model where it has
// one, else by the rules that all have. They are a workflow.Understander, safe for
// concurrent use; a model is read beside them and takes its place in one moment.
type Understanders struct {
	rules  *understand.Rules
	from   bodies
	shapes Shapes
	log    *slog.Logger

	mu  sync.RWMutex
	own map[string]loaded
}

// loaded is what a community's messages are understood by.
type loaded struct {
	version int64 // of its model, 0 = none
	rules   *understand.Rules
	broken  int64 // the version that could not be read, 0 = none
}

var _ workflow.Understander = (*Understanders)(nil)

// New gives understanders by rules that all communities have; Follow and Run give
// communities theirs.
func New(rules *understand.Rules, from bodies, shapes Shapes, log *slog.Logger) *Understanders {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Understanders{rules: rules, from: from, shapes: shapes, log: log, own: map[string]loaded{}}
}

// followEvery is how soon a change is seen after the desk knows of it.
const followEvery = 200 * time.Millisecond

// Run follows changes until ctx ends.
func (u *Understanders) Run(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = u.Follow(ctx) // logged; tried again
		}
	}
}

// Follow reads the models that communities have put in use, as far as the desk
// knows. One that cannot be read is logged once and passed over: what understood
// the community before still does.
func (u *Understanders) Follow(ctx context.Context) error {
	var errs []error
	for _, community := range u.shapes.Communities() {
		shape, _ := u.shapes.Shape(community)
		have := u.of(community)
		if shape.Model == have.version || shape.Model != 0 && shape.Model == have.broken {
			continue
		}
		rules, err := Load(ctx, u.from, u.rules, community, shape.Model)
		switch {
		case err == nil:
			have = loaded{version: shape.Model, rules: rules}
			u.log.Info("a community is understood by another model", "community", community, "version", shape.Model)
		case errors.Is(err, ErrBroken) || workflow.CodeOf(err) == workflow.CodeNotFound:
			have.broken = shape.Model
			u.log.Error("a community's model cannot be read: the one before it stays", "community", community, "version", shape.Model, "cause", err)
			errs = append(errs, err)
		default:
			errs = append(errs, err) // the record is away
			continue
		}
		u.mu.Lock()
		u.own[community] = have
		u.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (u *Understanders) of(community string) loaded {
	u.mu.RLock()
	defer u.mu.RUnlock()
	if l, ok := u.own[community]; ok {
		return l
	}
	return loaded{rules: u.rules}
}

// Version is which of its own models a community is understood by, 0 = none.
func (u *Understanders) Version(community string) int64 { return u.of(community).version }

// Understand tells what a message is about; see workflow.Understander.
func (u *Understanders) Understand(ctx context.Context, c *workflow.Community, w workflow.Words) (workflow.Understanding, error) {
	return u.of(c.Code).rules.Understand(ctx, c, w)
}

// Parts are the several matters of a message; see workflow.Understander.
func (u *Understanders) Parts(ctx context.Context, c *workflow.Community, w workflow.Words) []workflow.Part {
	return u.of(c.Code).rules.Parts(ctx, c, w)
}

// Mask is a text without what tells who wrote it; see workflow.Understander. No
// model has a part in it.
func (u *Understanders) Mask(c *workflow.Community, text string, names []string) string {
	return u.rules.Mask(c, text, names)
}

// Same tells whether two incidents tell of one trouble; see
// workflow.Understander. No model has a part in it.
func (u *Understanders) Same(a, b workflow.Matter) bool { return u.rules.Same(a, b) }
