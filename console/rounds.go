package console

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Outdoors is what the record has of patrols and visits besides the journal.
type Outdoors interface {
	// RoundsBy are somebody's patrols and visits, newest first; RoundsSince those in
	// some grids since a moment.
	RoundsBy(ctx context.Context, community string, by workflow.PersonID, limit int) ([]workflow.Round, error)
	RoundsSince(ctx context.Context, community string, grids []string, since time.Time, limit int) ([]workflow.Round, error)
}

// How a round ended.
const (
	foundNothing = "well"
	foundMatter  = "found"
	foundFixed   = "fixed"
)

// visit is somebody of the care list as those see them who visit.
type visit struct {
	ID                  int64
	Name, Hidden, Phone string // Phone only where it was asked for
	Kind, Place, Note   string
	Last, Next          time.Time // Last is zero for never
	Every               int       // days
	Overdue             bool
}

// walked is a patrol or a visit that was recorded.
type walked struct {
	workflow.Round
	Who   string // "" for who is logged in
	Where string
	To    string // whom of the care list it was to
}

// roundsPage is where patrols and visits are recorded.
type roundsPage struct {
	Visits []visit // the longest due first
	To     int64   // who is to be visited now
	Own    []walked
	More   int      // how much more of the visits there is to ask for, 0 for none
	Grids  []walked // of their grids, for those who lead
}

// The longest lists of the page.
const (
	mostVisits = 100
	mostCared  = 5000 // whom somebody may name a visit's
	mostRounds = 30
)

// rounds shows whom to visit, and takes what was seen.
func (c *Console) rounds(q *request) error { return q.showRounds(0) }

// carePhone shows the telephone number of somebody on the care list; the audit log
// has it by then.
func (c *Console) carePhone(q *request) error {
	care, err := q.cared(q.PathValue("care"))
	if err != nil {
		return err
	}
	return q.showRounds(care.ID)
}

// showRounds shows the page, with the telephone number of one of the care list.
func (q *request) showRounds(phone int64) error {
	var page roundsPage
	page.To, _ = strconv.ParseInt(q.URL.Query().Get("to"), 10, 64)
	list, err := q.careList()
	if err != nil {
		return err
	}
	most, times := q.longer(mostVisits)
	if len(list) > most && times < mostMore {
		page.More = times + 1
	}
	names := map[int64]string{}
	for i, c := range list {
		if names[c.ID] = c.Name; i >= most && c.ID != phone && c.ID != page.To {
			continue
		}
		v := visit{
			ID: c.ID, Name: c.Name, Hidden: workflow.HidePhone(c.Phone), Kind: q.voice().Say("page.care."+string(c.Kind), nil), Place: c.Place.String(), Note: c.Note,
			Last: c.LastVisit, Next: c.NextVisit, Every: c.Every, Overdue: c.NextVisit.Before(q.now),
		}
		if c.ID == phone {
			v.Phone = c.Phone
		}
		page.Visits = append(page.Visits, v)
	}
	own, err := q.console.o.Record.RoundsBy(q.Context(), q.community(), q.me.ID, mostRounds)
	if err != nil {
		return err
	}
	page.Own = q.walked(own, names)
	if q.me.Has(workflow.RoleLeader) || q.me.Has(workflow.RoleCommittee) {
		all, err := q.console.o.Record.RoundsSince(q.Context(), q.community(), q.careGrids(), q.now.AddDate(0, 0, -7), mostRounds)
		if err != nil {
			return err
		}
		page.Grids = q.walked(all, names)
	}
	return q.show("rounds", page)
}

func (q *request) walked(all []workflow.Round, names map[int64]string) []walked {
	var out []walked
	for _, r := range all {
		w := walked{Round: r, Where: r.Place.String(), To: names[r.Care]}
		if w.Where == "" {
			g, _ := q.shape.Community.Grid(r.Place.Grid)
			w.Where = g.Name
		}
		if r.By != q.me.ID {
			w.Who = q.nameOf(r.By)
		}
		out = append(out, w)
	}
	return out
}

// careGrids are the grids whose care lists who is logged in may see.
func (q *request) careGrids() []string {
	return q.me.CareGrids(q.shape.Community)
}

// careList is whom they visit, the longest due first.
func (q *request) careList() ([]workflow.Care, error) {
	grids := q.careGrids()
	if len(grids) == 0 {
		return nil, nil
	}
	return q.console.o.Desk.Journal().CareDue(q.Context(), q.community(), grids, q.now.AddDate(2, 0, 0), mostCared)
}

// cared is one of the care list that they may see.
func (q *request) cared(id string) (workflow.Care, error) {
	list, err := q.careList()
	if err != nil {
		return workflow.Care{}, err
	}
	for _, c := range list {
		if strconv.FormatInt(c.ID, 10) == id {
			return c, nil
		}
	}
	return workflow.Care{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("nobody of their care list")}
}

// goRound records a patrol or a visit. What was found becomes a ticket of its own.
func (c *Console) goRound(q *request) error {
	once, err := q.once()
	if err != nil {
		return err
	}
	r := workflow.Round{ID: once, Kind: workflow.RoundKind(q.PostFormValue("kind")), By: q.me.ID, Text: q.words("words"), At: q.now}
	if r.Place, _, err = q.place(); err != nil {
		return err
	}
	if id := q.PostFormValue("care"); id != "" && r.Kind == workflow.HomeVisit {
		care, err := q.cared(id)
		if err != nil {
			return err
		}
		r.Care, r.Place = care.ID, care.Place
	}
	if r.Place.Grid == "" {
		r.Place.Grid = q.me.OwnGrid()
	}
	outcome := q.PostFormValue("outcome")
	var u workflow.Understanding
	if r.Text != "" {
		if u, err = c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: r.Text}); err != nil {
			return err
		}
		if u.Severity == workflow.Emergency { // whatever was ticked, as in the chat
			outcome = foundMatter
		}
	}
	switch {
	case r.Kind != workflow.Patrol && r.Kind != workflow.HomeVisit:
		return &fault{Field: "kind", Key: "choose"}
	case outcome == foundNothing && r.Text == "":
		r.Text = q.voice().Say("page.round.well", nil)
	case outcome == foundNothing:
	case outcome != foundMatter && (outcome != foundFixed || !q.me.MayFix()):
		return &fault{Field: "outcome", Key: "choose"}
	case r.Text == "":
		return &workflow.Error{Code: workflow.CodeNeedsText}
	case !r.Place.Known() && u.Severity != workflow.Emergency:
		return &workflow.Error{Code: "needs_place", Cause: errors.New("found nobody knows where")}
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		r := r
		if outcome != foundNothing {
			cmd := u.Found(r.Text, q.by())
			cmd.Place, cmd.Media = r.Place, q.pictures(photos)
			t, err := w.FileFound(q.Context(), cmd, outcome == foundFixed, c.o.Understander.Same)
			if err != nil {
				return "", err
			}
			r.Number = t.Number
		}
		for _, m := range q.attach(w, r.Number, photos) {
			r.Media = append(r.Media, m.ID)
		}
		w.Change.Rounds = append(w.Change.Rounds, r)
		return warned(q.address("round."+outcome, "rounds"), u.Danger), nil
	})
}
