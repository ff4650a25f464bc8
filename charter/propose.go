package charter

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Record keeps documents; the PostgreSQL store is one.
type Record interface {
	// CommunityDocument is a version, 0 = the one that stands; a *workflow.Error
	// with CodeNotFound where there is none.
	CommunityDocument(ctx context.Context, community string, version int64) (workflow.Document, error)
	// ReplaceCommunity puts a document in place of version was, 0 = none;
	// desk.ErrStale where another stands by now.
	ReplaceCommunity(ctx context.Context, was int64, c *workflow.Community, yaml []byte, author string) (version int64, err error)
}

// Registry applies documents. It is safe for concurrent use.
type Registry struct {
	Record   Record
	Wording  *wording.Wording
	Taxonomy *workflow.Taxonomy
}

// Refused is why a document may not be applied. Nothing was changed.
type Refused struct{ Cause error }

// Error names every part that is wrong, and why.
func (e *Refused) Error() string { return e.Cause.Error() }

// Unwrap gives the cause, and a *workflow.Error with CodeInvalid for those who
// tell people. The faults of texts are found by wording.FaultsOf.
func (e *Refused) Unwrap() []error {
	return []error{&workflow.Error{Code: workflow.CodeInvalid}, e.Cause}
}

// Reasons are what an error says, one thing a line.
func (e *Refused) Reasons() []string { return strings.Split(e.Cause.Error(), "\n") }

// ErrRenumbered is the cause of refusing a document whose estates stand in another
// order: the codes on their doors name an estate by its place in the list, and
// would lead astray.
var ErrRenumbered = errors.New("has another place in the list of estates: the codes on its doors name it by its place")

// Change is what applying a document would do.
type Change struct {
	Was       workflow.Document   // what stands; Version 0 where nothing does
	Community *workflow.Community // as it would be
	YAML      []byte
	Lines     []Line // that go, come and move, in the order of the documents
	// Renumbered is the first estate that has another place in the list than
	// before; "" for none. Such a change is applied only where that is meant.
	Renumbered string
}

// Line is a line that goes, comes or only stands elsewhere.
type Line struct {
	Comes, Moves bool // at most one
	Text         string
}

// String is the line with a sign before it: "+", "-", or "~" where it moves.
func (l Line) String() string {
	switch {
	case l.Comes:
		return "+ " + l.Text
	case l.Moves:
		return "~ " + l.Text
	}
	return "- " + l.Text
}

// Nothing tells whether the document is the one that stands.
func (c *Change) Nothing() bool { return c.Was.Version > 0 && c.Was.YAML == string(c.YAML) }

// Allowed is a *Refused with ErrRenumbered where estates have other places in the
// list and renumber does not say that this is meant: all codes are printed anew.
func (c *Change) Allowed(renumber bool) error {
	if c.Renumbered != "" && !renumber {
		return &Refused{fmt.Errorf("estate %q %w", c.Renumbered, ErrRenumbered)}
	}
	return nil
}

// Any stands for whatever version stands.
const Any = -1

// Propose checks a document and tells what applying it would change. community is
// whose document it must be, "" = anybody's; on is the version that whoever
// proposes it has seen, or Any. A *Refused where it may not be applied,
// desk.ErrStale where another version stands by now.
func (r *Registry) Propose(ctx context.Context, community string, on int64, yaml []byte) (Change, error) {
	c, err := workflow.ParseCommunity(strings.NewReader(string(yaml)))
	if err != nil {
		return Change{}, &Refused{err}
	}
	if community != "" && c.Code != community {
		return Change{}, &Refused{fmt.Errorf("code: this is the document of %q, not of %q", c.Code, community)}
	}
	if err := errors.Join(r.Wording.CheckOwn(c), r.Taxonomy.Check(c)); err != nil {
		return Change{}, &Refused{err}
	}
	ch := Change{Community: c, YAML: yaml}
	ch.Was, err = r.Record.CommunityDocument(ctx, c.Code, 0)
	if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
		return Change{}, err
	}
	if on != Any && on != ch.Was.Version {
		return Change{}, desk.ErrStale
	}
	ch.Lines = Differences(strings.Split(ch.Was.YAML, "\n"), strings.Split(string(yaml), "\n"))
	ch.Renumbered = renumbered(ch.Was.YAML, c)
	return ch, nil
}

// Apply makes a proposed document the one that stands and gives its version; see
// Change.Allowed for renumber. Running processes follow within a second.
// desk.ErrStale where another document was applied since it was proposed.
func (r *Registry) Apply(ctx context.Context, ch Change, author string, renumber bool) (version int64, err error) {
	if err := ch.Allowed(renumber); err != nil {
		return 0, err
	}
	if ch.Nothing() {
		return ch.Was.Version, nil
	}
	return r.Record.ReplaceCommunity(ctx, ch.Was.Version, ch.Community, ch.YAML, author)
}

// renumbered is the first estate that stands elsewhere in the list than before.
func renumbered(before string, after *workflow.Community) string {
	was, err := workflow.ParseCommunity(strings.NewReader(before))
	if err != nil {
		return "" // none before, or one of an older release
	}
	for i, e := range was.Estates {
		if i >= len(after.Estates) || after.Estates[i].Name != e.Name {
			return e.Name
		}
	}
	return ""
}

// Differences are the lines that went, came, and stand elsewhere now, empty ones left
// out. Of lines that changed their order as few as can be are the ones that moved.
func Differences(before, after []string) []Line {
	stood := map[string][]int{}
	for i, l := range before {
		stood[l] = append(stood[l], i)
	}
	var out, came []Line
	had, was := make([]bool, len(before)), make([]int, len(after)) // was: where a line stood, -1 for nowhere
	for i, l := range after {
		was[i] = -1
		if at := stood[l]; len(at) > 0 {
			was[i], stood[l], had[at[0]] = at[0], at[1:], true
		}
	}
	stays := longestRise(was)
	for i, l := range before {
		if !had[i] && strings.TrimSpace(l) != "" {
			out = append(out, Line{Text: l})
		}
	}
	for i, l := range after {
		if !stays[i] && strings.TrimSpace(l) != "" {
			came = append(came, Line{Comes: was[i] < 0, Moves: was[i] >= 0, Text: l})
		}
	}
	return append(out, came...)
}

// longestRise tells which of the numbers from 0 on make the longest row that rises.
func longestRise(all []int) []bool {
	var ends []int // ends[n] is where the row of n+1 numbers ends whose last is the least
	before := make([]int, len(all))
	for i, n := range all {
		if n < 0 {
			continue
		}
		at := sort.Search(len(ends), func(k int) bool { return all[ends[k]] > n })
		if before[i] = -1; at > 0 {
			before[i] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, i)
		} else {
			ends[at] = i
		}
	}
	in := make([]bool, len(all))
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = before[i] {
			in[i] = true
		}
	}
	return in
}
