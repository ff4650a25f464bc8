package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
)

// Entry is a matter that came on paper (the mailbox, the wall) or was told to
// somebody, and is entered for the resident whose it is.
type Entry struct {
	ID    string // unique within the community: the same one twice is entered once
	Name  string // of the resident
	Phone string // "" where none was given
	// Command is the CmdFile, without the reporter: who, in what words, and what
	// was understood of it.
	Command workflow.Command
	Media   []MediaFile // photos that are in the media store
}

// Enter files an entry, for the resident of that name and number if the desk
// knows them, else for a new one without WeChat. fresh is false where the
// entry was entered before: then nothing changes and number is 0.
func (d *Desk) Enter(ctx context.Context, community string, e Entry) (number int64, fresh bool, err error) {
	if _, seen, err := d.journal.Delivered(ctx, community, e.ID); err != nil || seen {
		return 0, false, err
	}
	for range 6 {
		number, err = d.enter(ctx, community, e)
		switch {
		case err == nil:
			return number, true, nil
		case errors.Is(err, ErrSeen):
			return 0, false, nil
		case !errors.Is(err, ErrStale):
			return 0, false, err
		}
	}
	return 0, false, fmt.Errorf("desk: entry: %w", err)
}

func (d *Desk) enter(ctx context.Context, community string, e Entry) (int64, error) {
	w, err := d.Begin(community, true)
	if err != nil {
		return 0, err
	}
	found, err := d.journal.Residents(ctx, community, e.Name, e.Phone)
	if err != nil {
		return 0, err
	}
	place := e.Command.Place
	who, known := workflow.SameResident(found, e.Name, e.Phone, place)
	if !known {
		id, err := d.journal.NextPerson(ctx)
		if err != nil {
			return 0, err
		}
		who = workflow.Person{ID: id, Community: community, Name: e.Name, Phone: e.Phone}
		if place.Unit != 0 || place.Room != "" {
			who.Home = place
			who.Home.Detail, who.Home.Landmark = "", ""
		}
		w.Change.NewPerson = &who
	}
	if known && who.Phone == "" && e.Phone != "" {
		w.Change.Contact = &Contacted{Person: who.ID, Phone: e.Phone}
	}
	cmd := e.Command
	cmd.Reporter = who.ID
	for _, m := range e.Media {
		cmd.Media = append(slices.Clip(cmd.Media), workflow.Media{ID: m.ID, Type: m.Type, By: m.Person})
	}
	t, err := w.File(ctx, cmd)
	if err != nil {
		return 0, err
	}
	for _, m := range e.Media {
		m.Number = t.Number
		w.Change.Media = append(w.Change.Media, m)
	}
	w.Change.Delivery = &Delivery{ID: e.ID, Person: who.ID, Type: "entry", Text: cmd.Text, At: w.Now}
	return t.Number, w.Commit(ctx)
}
