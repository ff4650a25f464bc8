package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/wishdesk/wishdesk/workflow"
)

// Entry is a matter that came on paper (the mailbox, the wall), was told to
// somebody, or comes from other software, and is entered for the resident whose it
// is.
type Entry struct {
	ID    string // unique within the community: the same one twice is entered once
	Name  string // of the resident; with no Phone either it is nobody's
	Phone string // "" where none was given
	// Command is the CmdFile, without the reporter: who, in what words, and what
	// was understood of it.
	Command workflow.Command
	Media   []MediaFile // photos that are in the media store
}

// Enter files an entry, for the resident of that name and number if the desk
// knows them, else for a new one without WeChat. fresh is false where the
// entry was entered before: then nothing changes and number is the ticket's of
// then.
func (d *Desk) Enter(ctx context.Context, community string, e Entry) (number int64, fresh bool, err error) {
	if number, seen, err := d.Entered(ctx, community, e.ID); err != nil || seen {
		return number, false, err
	}
	for range 6 {
		number, err = d.enter(ctx, community, e)
		switch {
		case err == nil:
			return number, true, nil
		case errors.Is(err, ErrSeen):
			number, _, err = d.Entered(ctx, community, e.ID)
			return number, false, err
		case !errors.Is(err, ErrStale):
			return 0, false, err
		}
	}
	return 0, false, fmt.Errorf("desk: entry: %w", err)
}

// Entered is the ticket of an entry; ok is false where it is not entered. number
// is 0 for one that was entered before numbers were noted.
func (d *Desk) Entered(ctx context.Context, community, id string) (number int64, ok bool, err error) {
	was, ok, err := d.journal.Delivered(ctx, community, id)
	if err != nil || !ok {
		return 0, false, err
	}
	number, _ = strconv.ParseInt(was.Reply, 10, 64)
	return number, true, nil
}

// EnterLater keeps an entry in the Drive's append-only file, to be entered when the
// record answers again.
func (d *Desk) EnterLater(ctx context.Context, community string, e Entry) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("desk: entry: %w", err)
	}
	return d.withDrive("enter later", func(drive Drive) error {
		return drive.Add(ctx, community, Task{Kind: TaskEntry, Key: e.ID, Body: body}, false)
	})
}

// entryTask enters what was kept for later. Done twice it is entered once.
func (d *Desk) entryTask(ctx context.Context, community string, t Task) error {
	var e Entry
	if err := json.Unmarshal(t.Body, &e); err != nil {
		return fmt.Errorf("desk: entry: %w", err)
	}
	_, _, err := d.Enter(ctx, community, e)
	return err
}

func (d *Desk) enter(ctx context.Context, community string, e Entry) (int64, error) {
	w, err := d.Begin(community, true)
	if err != nil {
		return 0, err
	}
	cmd := e.Command
	if e.Name != "" || e.Phone != "" {
		if cmd.Reporter, err = w.resident(ctx, e); err != nil {
			return 0, err
		}
	}
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
	w.Change.Delivery = &Delivery{ID: e.ID, Person: cmd.Reporter, Type: "entry", Text: cmd.Text, Reply: strconv.FormatInt(t.Number, 10), At: w.Now}
	return t.Number, w.Commit(ctx)
}

// resident is whose an entry is; somebody whom the desk does not know comes in with
// the change.
func (w *Work) resident(ctx context.Context, e Entry) (workflow.PersonID, error) {
	found, err := w.desk.journal.Residents(ctx, w.Change.Community, e.Name, e.Phone)
	if err != nil {
		return 0, err
	}
	place := e.Command.Place
	who, known := workflow.SameResident(found, e.Name, e.Phone, place)
	switch {
	case known && who.Phone == "" && e.Phone != "":
		w.Change.Contact = &Contacted{Person: who.ID, Phone: e.Phone}
	case !known:
		id, err := w.desk.journal.NextPerson(ctx)
		if err != nil {
			return 0, err
		}
		who = workflow.Person{ID: id, Community: w.Change.Community, Name: e.Name, Phone: e.Phone}
		if place.Unit != 0 || place.Room != "" {
			who.Home = place
			who.Home.Detail, who.Home.Landmark = "", ""
		}
		w.Change.NewPerson = &who
	}
	return who.ID, nil
}
