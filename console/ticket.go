package console

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Tickets are what the record has of a ticket besides the journal.
type Tickets interface {
	// PushesOf are all pushes of a ticket, oldest first.
	PushesOf(ctx context.Context, community string, number int64) ([]desk.Push, error)
	// PeopleOf are people by their IDs; who is not known is not among them.
	PeopleOf(ctx context.Context, community string, ids []workflow.PersonID) (map[workflow.PersonID]workflow.Person, error)
}

// wholePage is a ticket as those who work on it see it.
type wholePage struct {
	matter
	Story    []wording.Step
	Reporter person
	Hands    []hand
	Missed   []string // promises, in words
	WasLate  []string // those that were missed and are made good
	LateFor  string
	Points   string
	Because  string  // why it went to who has it
	Groups   []group // whom it can be given to
	Guesses  []guess
	Guess    workflow.Category // the one that was tapped, of which the place is missing
	Kinds    []kind
	Absorbed []int64
	Pushes   []sent
	Looked   []look
	Asks     bool // they may take the verdict on the telephone
}

// person is a resident as staff see them: the telephone hidden until it is asked
// for, which is written down.
type person struct {
	Known  bool
	Name   string
	Hidden string // 138****1234; "" for none
	Phone  string // only where it was asked for
	WeChat bool   // can be reached there
}

// guess is what a ticket in the tray may be about. One tap files it where all else is
// known, and asks for the place where it is not.
type guess struct {
	workflow.Category
	Files bool
}

// hand is somebody who does a part of a ticket.
type hand struct {
	Name, Title, Part, Result string
	State                     workflow.HandState
}

// group is some people whom a ticket can be given to.
type group struct {
	Name   string
	People []workflow.Person
}

// kind is a kind of ticket with its categories, for choosing.
type kind struct {
	Kind       workflow.Kind
	Name       string
	Categories []workflow.Category
}

// sent is a push of a ticket.
type sent struct {
	To, What, When, Fate string
	Bad                  bool
}

// look is a line of the audit log.
type look struct{ When, Who, What, Outcome string }

// ticketWhole shows a ticket to somebody who works on it.
func (c *Console) ticketWhole(q *request) error { return q.showTicket("") }

// contact shows a resident's telephone number; the audit log has it by then.
func (c *Console) contact(q *request) error {
	t, err := q.readable()
	if err != nil {
		return err
	}
	if !t.TellsWho(q.me) {
		return &workflow.Error{Code: workflow.CodeNotAllowed, Number: t.Number, Cause: errors.New("who reported it is not theirs to know")}
	}
	return q.showTicket("contact")
}

// readable is the ticket that the path names, for somebody who may read it, or claim or
// join it.
func (q *request) readable() (workflow.Ticket, error) {
	t, err := q.ticket(q.Context())
	if err == nil && !t.ReadBy(q.me) && !t.OpenTo(q.me) {
		err = &workflow.Error{Code: workflow.CodeNotFound, Number: t.Number}
	}
	return t, err
}

func (q *request) showTicket(ask string) error {
	t, err := q.readable()
	if err != nil {
		return err
	}
	page := wholePage{Absorbed: t.Absorbed, Points: q.voice().Points(&t), Kinds: q.kinds()}
	if page.matter, err = q.matter(&t); err != nil {
		return err
	}
	if page.Story, err = q.story(&t, &page.matter); err != nil {
		return err
	}
	slices.Reverse(page.Story) // what was last comes first
	for _, clock := range t.Overdue {
		words := q.voice().Say("digest.clock."+string(clock), nil)
		if t.IsLate() && !t.MadeGood(clock) {
			page.Missed = append(page.Missed, words)
		} else {
			page.WasLate = append(page.WasLate, words)
		}
	}
	if t.IsLate() {
		page.LateFor = q.voice().Span(q.now.Sub(t.LateSince))
	}
	if t.Why != "" {
		f := desk.FactsOf(&t)
		page.Because, _ = q.voice().Facts(&f, q.now)["Because"].(string)
	}
	if t.TellsWho(q.me) && t.Reporter != 0 {
		if page.Reporter, err = q.reporter(&t, ask == "contact"); err != nil {
			return err
		}
	}
	if page.Asks, err = q.asks(&t); err != nil {
		return err
	}
	for _, h := range t.Hands {
		p := q.shape.Roster.ByID(h.Person)
		page.Hands = append(page.Hands, hand{p.Name, q.voice().Title(p), h.Part, h.Result, h.State})
	}
	page.Groups = q.groups(&t)
	if page.Sees && !t.HidesWho(q.me) && t.Place.Landmark == "" && q.shape.Community.GridOf(t.Place.Estate, t.Place.Building) != "" {
		q.door = t.Place // what is known need not be written again
	}
	if t.InDoubt() && q.console.o.Understander != nil {
		u, err := q.console.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: t.Text})
		if err != nil {
			return err
		}
		for _, c := range u.Guesses {
			kind := q.voice().Taxonomy.KindOf(c)
			page.Guesses = append(page.Guesses, guess{c, kind == workflow.Wish || t.Place.Known() || t.Severity == workflow.Emergency})
		}
		if c := workflow.Category(q.URL.Query().Get("guess")); q.voice().Taxonomy.KindOf(c) != "" {
			page.Guess = c
		}
	}
	if committee.holds(q.me) {
		if err := q.oversight(&page, t.Number); err != nil {
			return err
		}
	}
	return q.show("ticket", page)
}

// reporter is whose matter a ticket is.
func (q *request) reporter(t *workflow.Ticket, ask bool) (person, error) {
	p, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), t.Reporter)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return person{}, nil
	}
	if err != nil {
		return person{}, err
	}
	out := person{Known: true, Name: p.Name, Hidden: workflow.HidePhone(p.Phone), WeChat: p.OpenID != "" && p.Following}
	if ask {
		out.Phone = p.Phone
	}
	return out, nil
}

// asks tells whether who is logged in may ask the reporter on the telephone how it
// was: of somebody without WeChat, and not of their own work.
func (q *request) asks(t *workflow.Ticket) (bool, error) {
	by := q.by()
	if t.State != workflow.Resolved || t.Reporter == 0 || t.Owner == q.me.ID || !workflow.WhoGridWorker.Holds(t, by) && !workflow.WhoCommittee.Holds(t, by) {
		return false, nil
	}
	p, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), t.Reporter)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return true, nil
	}
	return p.OpenID == "" || !p.Following, err
}

// groups are whom a ticket can be given to, those nearest first; the rest of the
// staff can be named in the chat.
func (q *request) groups(t *workflow.Ticket) []group {
	var out []group
	seen := map[workflow.PersonID]bool{q.me.ID: true, t.Owner: true}
	add := func(name string, people []workflow.Person) {
		g := group{Name: q.voice().Say("page.group."+name, nil)}
		for _, p := range people {
			if !seen[p.ID] && !p.Away.Covers(q.now) {
				seen[p.ID] = true
				g.People = append(g.People, p)
			}
		}
		if len(g.People) > 0 {
			out = append(out, g)
		}
	}
	r := q.shape.Roster
	add("grid", r.Workers(t.Place.Grid))
	add("leader", r.Playing(workflow.RoleLeader, t.Place.Grid))
	add("property", r.Playing(workflow.RoleProperty, t.Place.Grid))
	add("officer", r.Playing(workflow.RoleOfficer, t.Place.Grid))
	if t.Kind == workflow.Wish {
		add("volunteer", r.Playing(workflow.RoleVolunteer, ""))
		add("partner", r.Playing(workflow.RolePartner, ""))
	}
	add("committee", r.Playing(workflow.RoleCommittee, ""))
	var others []workflow.Person
	for _, p := range r {
		if p.Has(workflow.RoleWorker) {
			others = append(others, p)
		}
	}
	add("others", others)
	return out
}

func (q *request) kinds() []kind {
	taxonomy := q.voice().Taxonomy
	var out []kind
	for _, k := range []workflow.Kind{workflow.Incident, workflow.Wish} {
		out = append(out, kind{k, taxonomy.Kinds[k], taxonomy.Offered(k)})
	}
	return out
}

// oversight is what the committee sees besides: what was sent to whom, and who
// looked.
func (q *request) oversight(page *wholePage, number int64) error {
	pushes, err := q.console.o.Record.PushesOf(q.Context(), q.community(), number)
	if err != nil {
		return err
	}
	for _, p := range pushes {
		to := q.shape.Roster.ByID(p.Person).Name
		if to == "" {
			to = q.voice().Say("page.resident", nil)
		}
		page.Pushes = append(page.Pushes, sent{
			To: to, What: q.voice().Say("purpose."+string(p.Purpose), wording.Values{"Number": number}), When: q.voice().When(p.CreatedAt, q.now),
			Fate: q.voice().Say("page.fate."+string(p.Status), nil), Bad: slices.Contains([]desk.PushStatus{desk.PushManual, desk.PushUnknown}, p.Status),
		})
	}
	lines, err := q.console.o.Record.AuditLog(q.Context(), q.community(), access.Entries{Number: number, Limit: 20})
	if err != nil {
		return err
	}
	for _, e := range lines {
		page.Looked = append(page.Looked, look{q.voice().When(e.At, q.now), q.nameOf(e.Person), q.action(e), q.outcome(e)})
	}
	return nil
}

// nameOf is a member of the staff by name, anybody else as a resident.
func (q *request) nameOf(id workflow.PersonID) string {
	if name := q.shape.Roster.ByID(id).Name; name != "" {
		return name
	}
	return q.voice().Say("page.resident", nil)
}

// told are the commands that a page's form may give, and what each needs: the
// machine's table says who may.
var told = map[workflow.CommandName]func(q *request, cmd *workflow.Command) error{
	workflow.CmdAccept:     nothing,
	workflow.CmdTransfer:   toSomebody,
	workflow.CmdAssign:     toSomebody,
	workflow.CmdCall:       toSomebody,
	workflow.CmdReturn:     nothing,
	workflow.CmdAsk:        func(_ *request, cmd *workflow.Command) error { cmd.Topic = workflow.TopicWorker; return nil },
	workflow.CmdNote:       nothing,
	workflow.CmdResolve:    nothing,
	workflow.CmdFinish:     nothing,
	workflow.CmdDecline:    nothing,
	workflow.CmdEscalate:   nothing,
	workflow.CmdCancel:     nothing,
	workflow.CmdReopen:     nothing,
	workflow.CmdClaim:      func(q *request, cmd *workflow.Command) error { cmd.Unit = q.me.Unit(); return nil },
	workflow.CmdJoin:       func(q *request, cmd *workflow.Command) error { cmd.Unit = q.me.Unit(); return nil },
	workflow.CmdSupplement: nothing,
	workflow.CmdClassify:   whatAndWhere,
	workflow.CmdMerge:      intoAnother,
	workflow.CmdSplit:      nothing,
	workflow.CmdPair:       inRhythm,
	workflow.CmdVisit:      nothing,
}

func nothing(*request, *workflow.Command) error { return nil }

func toSomebody(q *request, cmd *workflow.Command) error {
	id, err := strconv.ParseInt(q.PostFormValue("to"), 10, 64)
	p := q.shape.Roster.ByID(workflow.PersonID(id))
	if err != nil || p.ID == 0 {
		return &workflow.Error{Code: workflow.CodeNeedsTarget, Cause: errors.New("nobody of the staff was chosen")}
	}
	cmd.To, cmd.Why = p.ID, workflow.WhyByHand
	if cmd.Name == workflow.CmdCall {
		cmd.Why = ""
	}
	return nil
}

// inRhythm reads every how many days a pair meets.
func inRhythm(q *request, cmd *workflow.Command) error {
	days, err := strconv.Atoi(q.PostFormValue("days"))
	if err != nil || days < 1 || days > 31 {
		return &fault{Field: "days", Key: "choose"}
	}
	cmd.Every = time.Duration(days) * 24 * time.Hour
	return nil
}

func intoAnother(q *request, cmd *workflow.Command) error {
	n, err := strconv.ParseInt(strings.TrimSpace(q.PostFormValue("into")), 10, 64)
	if err != nil || n <= 0 {
		return &fault{Field: "into", Key: "into"}
	}
	other, err := q.console.o.Desk.Journal().Ticket(q.Context(), q.community(), n)
	if workflow.CodeOf(err) == workflow.CodeNotFound || err == nil && !other.ReadBy(q.me) {
		err = &fault{Field: "into", Key: "into_nothing", Have: wording.Values{"Number": n}}
	}
	cmd.Into = n
	if err != nil || q.PostFormValue("same") == "yes" {
		return err
	}
	t, err := q.ticket(q.Context())
	if err != nil || !unlike(&t, &other) {
		return err
	}
	m, err := q.matter(&other)
	if err != nil {
		return err
	}
	return &fault{Field: "into", Key: "into_other", Have: wording.Values{"Number": n, "What": m.What, "Place": m.Place, "Text": wording.Shorten(m.Text, 60)}}
}

// unlike tells whether two tickets are hardly the same trouble, so that who ends one in
// the other is asked once: of other categories, or in other buildings.
func unlike(a, b *workflow.Ticket) bool {
	return a.Category != "" && b.Category != "" && a.Category != b.Category ||
		a.Place.Building != 0 && b.Place.Building != 0 && (a.Place.Building != b.Place.Building || a.Place.Estate != b.Place.Estate)
}

// whatAndWhere reads category, severity and place of a form. What is left empty
// stays as the ticket has it.
func whatAndWhere(q *request, cmd *workflow.Command) error {
	t, err := q.readable()
	if err != nil {
		return err
	}
	cmd.Kind, cmd.Category, cmd.Severity, cmd.Danger, cmd.Place = t.Kind, t.Category, t.Severity, t.Danger, t.Place
	if category := workflow.Category(q.PostFormValue("category")); category != "" {
		k := q.voice().Taxonomy.KindOf(category)
		if k == "" {
			return &fault{Field: "category", Key: "choose"}
		}
		cmd.Kind, cmd.Category = k, category
	}
	if severity := workflow.Severity(q.PostFormValue("severity")); severity != "" {
		if _, ok := q.voice().Taxonomy.Severities[severity]; !ok {
			return &fault{Field: "severity", Key: "choose"}
		}
		cmd.Severity = severity
	}
	if cmd.Severity == "" {
		cmd.Severity = workflow.Minor
	}
	if cmd.Severity != workflow.Emergency {
		cmd.Danger = ""
	}
	place, given, err := q.place()
	if err != nil {
		return err
	}
	if given && place.Estate == t.Place.Estate && place.Building == t.Place.Building {
		place.Detail = t.Place.Detail // of which the fields say nothing
	}
	if given {
		cmd.Place = place
	}
	said := given || q.PostFormValue("category") != "" || q.PostFormValue("severity") != ""
	switch {
	case cmd.Category == "", !said:
		return &fault{Field: "category", Key: "choose"}
	case cmd.Kind != workflow.Wish && cmd.Severity != workflow.Emergency && !cmd.Place.Known():
		return &workflow.Error{Code: "needs_place", Number: t.Number, Cause: errors.New("nobody knows where it is")}
	}
	return nil
}

// place reads estate, building, unit, room or landmark of a form; given is false
// where all are empty.
func (q *request) place() (p workflow.Place, given bool, err error) {
	bad := func(field string) (workflow.Place, bool, error) {
		return p, false, &fault{Field: field, Key: "place." + field, Have: wording.Values{"Name": q.words("estate"), "Limit": mostOf["room"]}}
	}
	c := q.shape.Community
	if name := q.PostFormValue("landmark"); name != "" {
		for _, l := range c.Landmarks {
			if l.Name == name {
				return workflow.Place{Estate: l.Estate, Landmark: l.Name, Grid: l.Grid}, true, nil
			}
		}
		return bad("landmark")
	}
	estate, ok := c.Estate(q.PostFormValue("estate"))
	if !ok && q.PostFormValue("building") != "" {
		return bad("estate")
	}
	building, err := strconv.Atoi(strings.TrimSpace(q.PostFormValue("building")))
	if q.PostFormValue("building") == "" {
		for _, field := range []string{"unit", "room", "estate"} {
			if q.words(field) != "" {
				return p, false, &fault{Field: "building", Key: "no_number"}
			}
		}
		return p, false, nil
	}
	grid := c.GridOf(estate.Name, building)
	if err != nil || grid == "" {
		return bad("building")
	}
	p = workflow.Place{Estate: estate.Name, Building: building, Grid: grid, Room: q.words("room")}
	if unit := strings.TrimSpace(q.PostFormValue("unit")); unit != "" {
		if p.Unit, err = strconv.Atoi(unit); err != nil || p.Unit < 1 || p.Unit > 99 {
			return bad("unit")
		}
	}
	if utf8.RuneCountInString(p.Room) > mostOf["room"] {
		return bad("room")
	}
	return p, true, nil
}

// phoned takes the verdict of somebody without WeChat, who was asked on the
// telephone by somebody who did not do the work.
func (c *Console) phoned(q *request) error {
	t, err := q.readable()
	if err != nil {
		return err
	}
	rating := workflow.Rating(q.PostFormValue("rating"))
	if !slices.Contains(ratings, rating) {
		return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("no such verdict")}
	}
	return q.work(func(w *deskWork) (string, error) {
		_, ok, err := w.Phoned(q.Context(), t.Number, q.me, rating, q.words("words"))
		if err == nil && !ok {
			err = &workflow.Error{Code: "own_word", Number: t.Number, Cause: errors.New("they have WeChat")}
		}
		return q.address("did.phoned", "t", t.Number), err
	})
}

// called notes that everybody was telephoned who had to be about a ticket.
func (c *Console) called(q *request) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		t, err := w.Living(q.Context(), number)
		if err != nil {
			return "", err
		}
		if err = w.Called(q.Context(), &t, q.me, number); workflow.CodeOf(err) == workflow.CodeNotAllowed {
			err = &workflow.Error{Code: workflow.CodeNotFound, Number: number} // they do not learn which numbers there are
		}
		return q.address("did.called", "work"), err
	})
}

// tell gives the command that the path names to a ticket.
func (c *Console) tell(q *request) error {
	name := workflow.CommandName(q.PathValue("command"))
	fill, ok := told[name]
	if !ok {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such command")}
	}
	t, err := q.readable()
	if err != nil {
		return err
	}
	cmd := workflow.Command{Name: name, Actor: q.by(), Text: q.words("words")}
	if err := fill(q, &cmd); err != nil {
		return err
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	err = q.work(func(w *deskWork) (string, error) {
		to := q.address("did."+string(name), "t", t.Number)
		cmd.Media = q.attach(w, t.Number, photos)
		switch name {
		case workflow.CmdMerge:
			_, err := w.Merge(q.Context(), t.Number, cmd.Into, cmd.Actor, cmd.Text)
			return to, err
		case workflow.CmdSplit:
			_, err := w.Split(q.Context(), t.Number, cmd.Actor, cmd.Text)
			return to, err
		case workflow.CmdClassify:
			_, err := w.FileByHand(q.Context(), t.Number, cmd)
			return to, err
		}
		now, err := w.Ticket(q.Context(), t.Number)
		if err != nil {
			return "", err
		}
		cmds := []workflow.Command{cmd}
		if now.State == workflow.Assigned && now.Owner == q.me.ID && (name == workflow.CmdNote || name == workflow.CmdResolve) {
			// Who says how it goes, or that it is done, has accepted.
			cmds = []workflow.Command{{Name: workflow.CmdAccept, Actor: q.by()}, cmd}
		}
		_, err = w.Do(q.Context(), t.Number, cmds...)
		return to, err
	})
	switch workflow.CodeOf(err) {
	case workflow.CodeNotAllowed, workflow.CodeWrongState, workflow.CodeTaken, workflow.CodeAlreadyDone:
		t, again := q.readable()
		if again == nil && (t.Owner != q.me.ID || workflow.CodeOf(err) != workflow.CodeAlreadyDone) { // else they did it themselves
			return q.movedOn(&t)
		}
	}
	return err
}

// movedOn says how a ticket stands now that did not take what a form asked: a page
// offers what fits when it is made, so that somebody has changed it since.
func (q *request) movedOn(t *workflow.Ticket) error {
	m, err := q.matter(t)
	if err != nil {
		return err
	}
	has := wording.Values{"Number": t.Number, "StateLabel": m.StateLabel, "Owner": "", "Mine": false}
	if t.State.Open() { // what is over is with nobody
		has["Owner"], has["Mine"] = m.Owner, m.Mine
	}
	text := q.voice().Say("page.refused.moved_on", has)
	return &fault{Says: []string{text}, Stale: true}
}
