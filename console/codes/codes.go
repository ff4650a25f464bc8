// Package codes is the room of codes that telephones read: how one is drawn, and
// the sheets of building codes that are printed on A4 and hung in doorways. The
// pages and the command line both make their sheets here.
//
// What must never come in: what a scanned code does (the bot reads its scene), HTTP,
// and the platform's wire format: who makes sheets brings the account.
//
// Read it in this order: draw.go (one code), this file (which codes, and the sheet).
package codes

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/workflow"
)

// Platform is a community's account, as far as it makes codes.
type Platform interface {
	// ID names the account: another one's codes are others.
	ID() string
	// Scene is what a place's code says when it is scanned, the same for ever.
	Scene(c *workflow.Community, p workflow.Place) string
	// Code asks for the lasting code of a scene and gives what it holds.
	Code(ctx context.Context, scene string) (address string, err error)
}

// Memory remembers which codes were made, so that the platform is not asked again;
// it may forget.
type Memory interface {
	Keep(ctx context.Context, community, name string, data []byte, ttl time.Duration) error
	Kept(ctx context.Context, community, name string) (data []byte, ok bool, err error)
}

// Maker makes codes of one community.
type Maker struct {
	Platform  Platform
	Memory    Memory // nil for none
	Community *workflow.Community
	// Progress is told how many are made, of how many; nil for nobody.
	Progress func(made, of int64)
}

// Label is one code of a sheet.
type Label struct {
	Place, Grid string
	Code        Code
}

// Bounds of what is asked for.
const (
	MostUnits = 20      // units of a building
	Most      = 100_000 // lasting codes of one account; WeChat's bound
	PerSheet  = 9       // codes on a page of A4: see configs/qr.html
)

const (
	remembered = 400 * 24 * time.Hour
	sideBySide = 4 // questions to the platform
)

// ErrNoPlace means that nothing is left to make a code for.
var ErrNoPlace = errors.New("codes: no such estate or building")

// Places are what gets a code, in the order of the document: of one estate, "" for
// all, the buildings that are named, nil for all; of each one code, or one for each
// of its units, 0 for none.
func Places(c *workflow.Community, estate string, buildings []int, units int) ([]workflow.Place, error) {
	var out []workflow.Place
	for _, e := range c.Estates {
		if estate != "" && estate != e.Name {
			continue
		}
		for b := 1; b <= e.Buildings; b++ {
			if buildings != nil && !slices.Contains(buildings, b) {
				continue
			}
			p := workflow.Place{Estate: e.Name, Building: b, Grid: c.GridOf(e.Name, b)}
			if units == 0 {
				out = append(out, p)
			}
			for u := 1; u <= units; u++ {
				p.Unit = u
				out = append(out, p)
			}
		}
	}
	switch {
	case len(out) == 0:
		return nil, ErrNoPlace
	case len(out) > Most:
		return nil, fmt.Errorf("codes: %d codes are more than WeChat allows an account (%d)", len(out), Most)
	}
	return out, nil
}

// Sheets is how many pages of A4 so many codes take.
func Sheets(n int) int { return (n + PerSheet - 1) / PerSheet }

// Made tells of each place whether its code was made before, as far as that is
// remembered.
func (m Maker) Made(ctx context.Context, places []workflow.Place) ([]bool, error) {
	made := make([]bool, len(places))
	if m.Memory == nil {
		return made, nil
	}
	for i, p := range places {
		_, ok, err := m.Memory.Kept(ctx, m.Community.Code, m.name(m.Platform.Scene(m.Community, p)))
		if err != nil {
			return nil, fmt.Errorf("codes: %w", err)
		}
		made[i] = ok
	}
	return made, nil
}

// Labels are the codes of places, in their order; none where the platform refuses
// one.
func (m Maker) Labels(ctx context.Context, places []workflow.Place) ([]Label, error) {
	out := make([]Label, len(places))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	var made atomic.Int64
	var told sync.Mutex
	for i, p := range places {
		g.Go(func() error {
			code, err := m.Code(ctx, m.Platform.Scene(m.Community, p))
			if err != nil {
				return fmt.Errorf("codes: %s: %w", p, err)
			}
			grid, _ := m.Community.Grid(p.Grid)
			out[i] = Label{Place: p.String(), Grid: grid.Name, Code: code}
			if m.Progress != nil {
				told.Lock()
				defer told.Unlock()
				m.Progress(made.Add(1), int64(len(places)))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// Code is the code of a scene. Where nothing can be remembered the platform is asked
// each time.
func (m Maker) Code(ctx context.Context, scene string) (Code, error) {
	if m.Memory != nil {
		if known, ok, err := m.Memory.Kept(ctx, m.Community.Code, m.name(scene)); err == nil && ok {
			return Draw(string(known))
		}
	}
	address, err := m.Platform.Code(ctx, scene)
	if err != nil {
		return Code{}, err
	}
	if m.Memory != nil {
		_ = m.Memory.Keep(ctx, m.Community.Code, m.name(scene), []byte(address), remembered)
	}
	return Draw(address)
}

// name is under which the code of a scene is remembered.
func (m Maker) name(scene string) string { return "code:" + m.Platform.ID() + ":" + scene }

// Sheet writes a page to print, nine codes on each A4.
func Sheet(w io.Writer, community string, labels []Label) error {
	t, err := template.New("sheet").Parse(string(configs.Read("qr.html")))
	if err != nil {
		return fmt.Errorf("codes: %w", err)
	}
	return t.Execute(w, map[string]any{"Community": community, "Labels": labels, "Sheets": Sheets(len(labels))})
}
