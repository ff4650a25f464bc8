package open311

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// discovery tells where the endpoint is, of one community or of all.
func (s *Server) discovery(q *request) (any, error) {
	base := s.o.PublicURL
	if base == "" {
		base = "http://" + q.Host
	}
	var version int64 // rises with every change of a community's document
	for _, code := range s.o.Desk.Communities() {
		if shape, ok := s.o.Desk.Shape(code); ok && (q.shape.Community == nil || q.community() == code) {
			version = max(version, shape.Version)
		}
	}
	changeset := strconv.FormatInt(1e9+version, 10) // sorts as a text too
	contact := "open311.contact_all"
	if q.shape.Community != nil {
		contact = "open311.contact"
	}
	return discovery{
		Changeset: changeset, Contact: q.say(contact, nil), KeyService: q.say("open311.key_service", nil),
		Endpoints: []endpoint{{
			Specification: "http://wiki.open311.org/GeoReport_v2", URL: base + strings.TrimSuffix(Prefix, "/"), Changeset: changeset, Type: "production",
			Formats: []string{"text/xml", "application/json"},
		}},
	}, nil
}

// services are the categories that the community offers.
func (s *Server) services(q *request) (any, error) {
	var all []service
	for _, kind := range []workflow.Kind{workflow.Incident, workflow.Wish} {
		for _, c := range q.voice.Taxonomy.Offered(kind) {
			all = append(all, service{
				Code: string(c), Name: q.voice.Taxonomy.Label(c), Metadata: true, Type: "realtime", Group: maybe(q.voice.Taxonomy.Kinds[kind]),
				Description: maybe(q.say("open311.service", wording.Values{"Kind": string(kind), "What": q.voice.Taxonomy.Label(c)})),
			})
		}
	}
	return listOf("services", "service", all...), nil
}

// The attributes that a filing may have: none must.
const (
	attrUnit = "UNIT"
	attrRoom = "ROOM"
)

// definition says what a filing may tell besides.
func (s *Server) definition(q *request) (any, error) {
	if _, err := q.offered(q.id); err != nil {
		return nil, err
	}
	return definition{Code: q.id, Attributes: []attribute{
		{Variable: true, Code: attrUnit, Datatype: "number", Order: 1, Description: q.say("open311.attribute.unit", nil)},
		{Variable: true, Code: attrRoom, Datatype: "string", Order: 2, Description: q.say("open311.attribute.room", nil)},
	}}, nil
}

// offered is the kind of a service that the community offers.
func (q *request) offered(code string) (workflow.Kind, error) {
	for _, kind := range []workflow.Kind{workflow.Incident, workflow.Wish} {
		if slices.Contains(q.voice.Taxonomy.Offered(kind), workflow.Category(code)) {
			return kind, nil
		}
	}
	return "", refuse(http.StatusNotFound, "service", nil)
}

// request is one ticket.
func (s *Server) request(q *request) (any, error) {
	t, err := s.ticket(q, q.id)
	if err != nil {
		return nil, err
	}
	return s.requestsOf(q, t)
}

func (s *Server) requestsOf(q *request, all ...workflow.Ticket) (any, error) {
	shown, err := s.publish(q, all...)
	if err != nil {
		return nil, err
	}
	return listOf("service_requests", "request", shown...), nil
}

func (s *Server) ticket(q *request, id string) (workflow.Ticket, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return workflow.Ticket{}, refuse(http.StatusNotFound, "request", nil)
	}
	t, err := s.o.Desk.Journal().Ticket(q.Context(), q.community(), n)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		err = refuse(http.StatusNotFound, "request", nil)
	}
	return t, err
}

// Bounds of a list.
const (
	longestSpan = 90 * 24 * time.Hour
	mostIDs     = 100
	mostListed  = 1000  // of one page, and where no page is asked for
	mostPaged   = 10000 // beyond that a narrower time must be asked for
	atOnce      = 200   // of one search
)

// requests are the tickets that fit, newest first.
func (s *Server) requests(q *request) (any, error) {
	if ids := named(q.FormValue("service_request_id")); len(ids) > 0 { // overrides all others
		return s.some(q, ids)
	}
	want, first, count, err := q.query()
	if err != nil {
		return nil, err
	}
	if err := s.charge(q, (first+count-1)/atOnce); err != nil { // one search is counted already
		return nil, err
	}
	var out []workflow.Ticket
	for seen := 0; seen < first+count; {
		want.Limit = min(atOnce, first+count-seen)
		found, err := s.o.Record.Search(q.Context(), q.community(), want)
		if err != nil {
			return nil, err
		}
		for _, t := range found.Tickets {
			if seen >= first {
				out = append(out, t)
			}
			seen++
		}
		if want.Before = found.Next; found.Next == 0 {
			break
		}
	}
	return s.requestsOf(q, out...)
}

// some are tickets by their numbers, in the order asked for. Those that do not
// exist are left out.
func (s *Server) some(q *request, ids []string) (any, error) {
	if len(ids) > mostIDs {
		return nil, refuse(http.StatusBadRequest, "many", wording.Values{"Limit": mostIDs})
	}
	if err := s.charge(q, len(ids)/10); err != nil {
		return nil, err
	}
	var out []workflow.Ticket
	for _, id := range ids {
		t, err := s.ticket(q, id)
		var r *refusal
		switch {
		case err == nil:
			out = append(out, t)
		case !errors.As(err, &r):
			return nil, err
		}
	}
	return s.requestsOf(q, out...)
}

// named are the parts of a list with commas.
func named(list string) []string {
	var out []string
	for _, part := range strings.Split(list, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

// query reads what is asked for: which tickets, and of these which page.
func (q *request) query() (want desk.Query, first, count int, err error) {
	bad := func(field string) (desk.Query, int, int, error) {
		return want, 0, 0, refuse(http.StatusBadRequest, "parameter", wording.Values{"Name": field})
	}
	for _, code := range named(q.FormValue("service_code")) {
		if q.voice.Taxonomy.KindOf(workflow.Category(code)) == "" {
			return want, 0, 0, refuse(http.StatusNotFound, "service", nil)
		}
		want.Categories = append(want.Categories, workflow.Category(code))
	}
	for _, status := range named(q.FormValue("status")) {
		switch status {
		case statusOpen:
			want.States = append(want.States, openStates...)
		case statusClosed:
			want.States = append(want.States, closedStates...)
		default:
			return bad("status")
		}
	}
	for name, at := range map[string]*time.Time{"start_date": &want.From, "end_date": &want.Until} {
		if written := q.FormValue(name); written != "" {
			if *at, err = time.Parse(time.RFC3339, written); err != nil || at.Year() < 1 || at.Year() > 9999 {
				return bad(name)
			}
		}
	}
	switch {
	case want.From.IsZero() && want.Until.IsZero():
		want.From = q.now.Add(-longestSpan)
	case want.Until.IsZero():
		want.Until = want.From.Add(longestSpan)
	case want.From.IsZero():
		want.From = want.Until.Add(-longestSpan)
	case want.Until.Sub(want.From) > longestSpan:
		return want, 0, 0, refuse(http.StatusBadRequest, "span", nil)
	case !want.From.Before(want.Until):
		return bad("end_date")
	}
	page := 1
	count = mostListed
	for name, n := range map[string]*int{"page": &page, "page_size": &count} {
		if written := q.FormValue(name); written != "" {
			if *n, err = strconv.Atoi(written); err != nil || *n < 1 || *n > mostPaged {
				return bad(name)
			}
		}
	}
	count = min(count, mostListed)
	if page*count > mostPaged {
		return want, 0, 0, refuse(http.StatusBadRequest, "page", wording.Values{"Limit": mostPaged})
	}
	return want, (page - 1) * count, count, nil
}
