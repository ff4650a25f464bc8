package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// weeklyHour is when the committee gets its week on Monday, in the community's
// zone.
const weeklyHour = 8

// Weekly sends the committee the digest of the week that has ended: on Monday
// from 08:00 on, or, where nothing ran on that day, on Tuesday. It may be called
// at any time, by any replica, again and again: what was sent is kept as it was
// sent, and each push has one key. A community's first digest is that of its first
// week with anything in it.
func (d *Desk) Weekly(ctx context.Context, community string) error {
	shape, ok := d.Shape(community)
	if !ok {
		return nil
	}
	local := d.Now().In(shape.Community.Location())
	if day := local.Weekday(); day != time.Monday && day != time.Tuesday || day == time.Monday && local.Hour() < weeklyHour {
		return nil
	}
	week := digest.WeekOf(local, local.Location()).Before()
	d.mu.Lock()
	sent := d.days[community+" week"] == week.String()
	d.mu.Unlock()
	if sent {
		return nil
	}
	made, known, err := d.journal.SentDigest(ctx, community, week)
	if err != nil {
		return fmt.Errorf("desk: weekly digest: %w", err)
	}
	if !known {
		if made, err = d.Digest(ctx, community, week); err != nil {
			return err
		}
		before, err := d.journal.LastDigests(ctx, community, week, 1)
		if err != nil {
			return fmt.Errorf("desk: weekly digest: %w", err)
		}
		if n := &made.Now; len(before) == 0 && n.Messages+n.Incidents+n.Wishes+n.Resolved+n.Missed == 0 {
			d.sentWeek(community, week) // nothing ran yet
			return nil
		}
		if d.write != nil {
			made.Sentences = d.write(ctx, shape, &made)
		}
		if _, err := d.journal.KeepDigest(ctx, made); err != nil {
			return fmt.Errorf("desk: weekly digest: %w", err)
		}
	}
	w, err := d.Begin(community, false)
	if err != nil {
		return err
	}
	for _, p := range shape.Roster {
		if p.Has(workflow.RoleCommittee) {
			w.Owe(fmt.Sprintf("digest:%s:%d", week, p.ID), p.ID, workflow.TellDigest, Facts{Said: week.String()})
		}
	}
	if len(w.Change.Pushes) > 0 {
		if err := w.Commit(ctx); err != nil {
			return err
		}
	}
	d.sentWeek(community, week)
	return nil
}

// sentWeek remembers, in this process, that a week is done with.
func (d *Desk) sentWeek(community string, week digest.Week) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.days[community+" week"] = week.String()
}

// Digest counts a week as the record is now. A *workflow.Error with CodeNotFound
// where the community is not served.
func (d *Desk) Digest(ctx context.Context, community string, week digest.Week) (digest.Digest, error) {
	shape, ok := d.Shape(community)
	if !ok {
		return digest.Digest{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: fmt.Errorf("community %q is not loaded", community)}
	}
	before, err := d.journal.LastDigests(ctx, community, week, digest.Compared)
	if err != nil {
		return digest.Digest{}, fmt.Errorf("desk: the digests before: %w", err)
	}
	return digest.Make(ctx, d.journal, shape.Community, shape.Roster, week, d.Now(), before)
}
