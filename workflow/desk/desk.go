package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Desk serves any number of communities over one Journal and one Drive. It is
// safe for concurrent use; any number of replicas may share the stores.
type Desk struct {
	journal Journal
	drive   Drive
	clock   clockwork.Clock
	log     *slog.Logger

	mu      sync.RWMutex
	shapes  map[string]Shape
	follows map[string]int64     // the shapes that open tickets are known to have followed
	loaded  map[string]time.Time // when the shapes were loaded
	days    map[string]string    // the days whose morning is known to be done

	write  Write
	secret func(community string) string
	live   *Live
	later  later

	// driveDown is when the Drive last failed (Unix ns): for a moment after
	// it nobody waits for it again.
	driveDown atomic.Int64
}

// Options are what a Desk stands on; all but Logger, Write and Secret are required.
type Options struct {
	Journal Journal
	Drive   Drive
	Clock   clockwork.Clock
	Logger  *slog.Logger
	Write   Write
	// Secret is a community's, with which the codes of rewards are hashed; kept outside
	// the record.
	Secret func(community string) string
}

// Write gives the sentences of a digest that is about to be sent, checked; none
// where the rules' own stand. It may take seconds.
type Write func(ctx context.Context, shape Shape, d *digest.Digest) []string

// New gives a desk without communities; Refresh loads them.
func New(o Options) *Desk {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Secret == nil {
		o.Secret = func(string) string { return "" }
	}
	d := &Desk{journal: o.Journal, drive: o.Drive, clock: o.Clock, log: o.Logger, shapes: map[string]Shape{}, follows: map[string]int64{}, days: map[string]string{}, loaded: map[string]time.Time{}, write: o.Write, secret: o.Secret}
	d.live, d.later.all = newLive(d), map[string][]waiting{}
	return d
}

// Now is the desk's time, in UTC, as fine as the record keeps it: what was
// stored equals what was decided.
func (d *Desk) Now() time.Time { return d.clock.Now().UTC().Truncate(time.Microsecond) }

// Journal is the record behind the desk, for those who only read.
func (d *Desk) Journal() Journal { return d.journal }

// Drive is the drive behind the desk.
func (d *Desk) Drive() Drive { return d.drive }

// Refresh loads the communities whose document or staff changed since they
// were loaded last. It is cheap where nothing changed. One that cannot be read stays as
// it was, and keeps the others from nothing.
func (d *Desk) Refresh(ctx context.Context) error {
	versions, err := d.journal.Communities(ctx)
	if err != nil {
		return fmt.Errorf("desk: refresh: %w", err)
	}
	var unread []error
	for code, version := range versions {
		if have, ok := d.Shape(code); ok && have.Version == version {
			continue
		}
		shape, err := d.journal.Shape(ctx, code)
		if err != nil {
			unread = append(unread, fmt.Errorf("desk: refresh %s: %w", code, err))
			continue
		}
		d.mu.Lock()
		d.shapes[code], d.loaded[code] = shape, d.clock.Now()
		d.mu.Unlock()
		d.live.tell(code, Notice{All: true})
		d.log.Info("community loaded", "community", code, "version", shape.Version, "staff", len(shape.Roster))
	}
	return errors.Join(unread...)
}

// Shape is a community as it is now; ok is false where there is none.
func (d *Desk) Shape(community string) (Shape, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, ok := d.shapes[community]
	return s, ok
}

// Communities are the codes of the communities loaded.
func (d *Desk) Communities() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	codes := make([]string, 0, len(d.shapes))
	for code := range d.shapes {
		codes = append(codes, code)
	}
	return codes
}

// driveRest is how long a failed Drive is left alone.
const driveRest = time.Second

// errDriveDown stands for a Drive that failed a moment ago.
var errDriveDown = errors.New("desk: the drive is away")

// recordError is a failure of the Journal met while the Drive was at work.
type recordError struct{ error }

// ofRecord marks a Journal's error, so that the Drive is not blamed for it.
func ofRecord(err error) error {
	if err == nil {
		return nil
	}
	return recordError{err}
}

// withDrive calls f unless the Drive failed a moment ago, and remembers a
// failure. An error is never more than a hint to go to the Journal.
func (d *Desk) withDrive(what string, f func(Drive) error) error {
	if down := d.driveDown.Load(); down != 0 && d.clock.Now().UnixNano()-down < int64(driveRest) {
		return errDriveDown
	}
	err := f(d.drive)
	if err == nil {
		d.driveDown.Store(0)
		return nil
	}
	var record recordError
	if errors.As(err, &record) {
		return record.error // the Drive is well
	}
	if !errors.Is(err, context.Canceled) {
		d.driveDown.Store(d.clock.Now().UnixNano())
		driveErrors.WithLabelValues(what).Inc()
		d.log.Warn("drive failed", "what", what, "cause", err)
	}
	return err
}

// ticket reads a ticket, from the Drive where it may be a moment old (the
// version check of the commit makes that safe), from the Journal where fresh.
func (d *Desk) ticket(ctx context.Context, community string, number int64, fresh bool) (workflow.Ticket, error) {
	if !fresh {
		var t workflow.Ticket
		var ok bool
		err := d.withDrive("live", func(drive Drive) (err error) {
			t, ok, err = drive.Live(ctx, community, number)
			return err
		})
		if err == nil && ok {
			return t, nil
		}
	}
	return d.journal.Ticket(ctx, community, number)
}

// Talk is somebody's conversation and its version, for the next Change.
func (d *Desk) Talk(ctx context.Context, community string, person workflow.PersonID, fresh bool) (json.RawMessage, int64, error) {
	if !fresh {
		var state json.RawMessage
		var version int64
		var ok bool
		err := d.withDrive("talk", func(drive Drive) (err error) {
			state, version, ok, err = drive.Talk(ctx, community, person)
			return err
		})
		if err == nil && ok {
			return state, version, nil
		}
	}
	return d.journal.Talk(ctx, community, person)
}

// loads is how many open tickets each owner has.
func (d *Desk) loads(ctx context.Context, community string) (map[workflow.PersonID]int, error) {
	var loads map[workflow.PersonID]int
	var ok bool
	err := d.withDrive("loads", func(drive Drive) (err error) {
		loads, ok, err = drive.Loads(ctx, community)
		return err
	})
	if err == nil && ok {
		return loads, nil
	}
	return d.journal.Loads(ctx, community)
}
