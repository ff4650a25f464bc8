package open311

import (
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// publish shows tickets as everybody may know them. Of what was written only that is
// told with which software filed a ticket by Open311, masked: nothing that was added
// to it, by whom ever, nothing where the place would point at somebody, and nothing
// once who wrote it has taken it back.
func (s *Server) publish(q *request, all ...workflow.Ticket) ([]serviceRequest, error) {
	var told []int64
	for i := range all {
		if t := &all[i]; t.Source == workflow.SourceOpen311 && !q.voice.Taxonomy.Discreetly(t) {
			told = append(told, t.Number)
		}
	}
	var filings map[int64]workflow.Event
	if len(told) > 0 {
		var err error
		if filings, err = s.o.Record.Filings(q.Context(), q.community(), told); err != nil {
			return nil, err
		}
	}
	veil, err := q.voice.Veil(q.Context(), s.o.Desk.Journal(), told...)
	out := make([]serviceRequest, len(all))
	for i := range all {
		t := &all[i]
		out[i] = q.public(t)
		if filed, ok := filings[t.Number]; ok && filed.Reporter == t.Reporter {
			out[i].Description = maybe(wording.Shorten(veil.Anonymous(t.Number, filed.Text), longest))
		}
	}
	return out, err
}

// public is a ticket as everybody may know it, without a word of what was written. It
// says what kind of matter it is, how it stands and roughly where, and nothing that
// leads to a person: no photo, no door; no building where the place would point at
// somebody.
func (q *request) public(t *workflow.Ticket) serviceRequest {
	zone := q.shape.Community.Location()
	r := serviceRequest{
		ID: strconv.FormatInt(t.Number, 10), Status: statusOpen, Notes: maybe(q.notes(t)), Code: string(codeOf(t)), Name: q.voice.Taxonomy.Label(codeOf(t)),
		Requested: w3c(t.FiledAt, zone), Updated: w3c(updated(t), zone),
	}
	if closed(t.State) {
		r.Status = statusClosed
	} else if due, ok := t.Due[workflow.ClockResolve]; ok {
		r.Expected = maybe(w3c(due, zone))
	}
	if g, ok := q.shape.Community.Grid(t.Place.Grid); ok {
		r.Agency = maybe(g.Name)
	}
	place := q.voice.Taxonomy.PlaceTold(t, t.Place)
	r.Address = maybe(place.String())
	if place.Building != 0 {
		r.AddressID = maybe(addressID(place))
		if lat, lng, ok := q.shape.Community.Position(place); ok {
			lat, lng = toWGS84(lat, lng)
			r.Lat, r.Long = degrees{lat, true}, degrees{lng, true}
		}
	}
	return r
}

// The statuses: there are no others.
const (
	statusOpen   = "open"
	statusClosed = "closed"
)

// closedStates are those in which nothing more is expected. Resolved is one: "it
// has been resolved", says the specification.
var (
	closedStates = []workflow.State{workflow.Resolved, workflow.Closed, workflow.Cancelled, workflow.Merged}
	openStates   = []workflow.State{workflow.Received, workflow.Classified, workflow.Assigned, workflow.Accepted}
)

func closed(s workflow.State) bool { return s == workflow.Resolved || !s.Open() }

// longest is how long a description may be, in characters.
const longest = 4000

// codeOf is a ticket's service: its category, or that of all others while it waits
// to be filed by hand.
func codeOf(t *workflow.Ticket) workflow.Category {
	switch {
	case t.Category != "":
		return t.Category
	case t.Kind == workflow.Wish:
		return workflow.OtherWish
	}
	return workflow.OtherIncident
}

// notes say how a ticket stands, in words.
func (q *request) notes(t *workflow.Ticket) string {
	switch t.State {
	case workflow.Merged:
		return q.say("open311.merged", wording.Values{"Into": t.Into})
	case workflow.Resolved: // that the reporter is asked how it was is theirs
		return q.say("open311.resolved", nil)
	}
	return q.voice.State(t)
}

// updated is when the ticket changed last, as far as everybody may know; of one
// that is closed, when it was.
func updated(t *workflow.Ticket) time.Time {
	switch {
	case !t.EndedAt.IsZero():
		return t.EndedAt
	case t.State == workflow.Resolved:
		return t.ResolvedAt
	}
	last := t.FiledAt
	for _, at := range []time.Time{t.ClassifiedAt, t.AssignedAt, t.AcceptedAt, t.ReportedAt} {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// w3c is a moment in the community's time, as W3C's note on date and time has it.
func w3c(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.RFC3339) }

// addressID is a building as this community numbers it: 「怡园小区#3」.
func addressID(p workflow.Place) string { return p.Estate + "#" + strconv.Itoa(p.Building) }

// addressed is the building of an addressID.
func (q *request) addressed(id string) (workflow.Place, bool) {
	estate, number, ok := strings.Cut(id, "#")
	building, err := strconv.Atoi(number)
	if !ok || err != nil {
		return workflow.Place{}, false
	}
	e, found := q.shape.Community.Estate(estate)
	p := workflow.Place{Estate: e.Name, Building: building, Grid: q.shape.Community.GridOf(e.Name, building)}
	return p, found && p.Grid != ""
}
