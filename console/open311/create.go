package open311

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// sameWithin is how long the same filing of the same key is the one before, sent
// again.
const sameWithin = 10 * time.Minute

// tokenLife is how long a token is known that is not redeemed yet.
const tokenLife = 14 * 24 * time.Hour

// create files a request. Where the record does not answer in time it is kept, and
// a token is given for it.
func (s *Server) create(q *request) (any, error) {
	e, err := s.entry(q)
	if err != nil {
		return nil, err
	}
	token, before := q.tokens()
	e.ID = idOf(token)
	ctx, cancel := context.WithTimeout(q.Context(), s.o.Budget)
	defer cancel()
	if before != "" {
		was, ok, err := s.o.Desk.Journal().Delivered(ctx, q.community(), idOf(before))
		if err == nil && ok && q.now.Sub(was.At) < sameWithin {
			e.ID, token = idOf(before), before
		}
	}
	number, fresh, err := s.o.Desk.Enter(ctx, q.community(), e)
	switch {
	case err == nil:
	case workflow.CodeOf(err) != workflow.CodeBusy:
		return nil, err
	default:
		return s.keep(q, e, token, err)
	}
	if fresh {
		if err := s.o.Record.Audit(q.Context(), q.community(), access.Entry{
			At: q.now, Action: "open311.file", Number: number, Object: "key " + strconv.FormatInt(q.key.ID, 10),
		}); err != nil {
			s.o.Logger.Error("audit log not written", "ticket", number, "cause", err)
		}
	}
	t, err := s.o.Desk.Journal().Ticket(q.Context(), q.community(), number)
	if err != nil {
		return nil, err
	}
	f := desk.FactsOf(&t)
	f.Anonymous = true
	return listOf("service_requests", "request", created{
		ID: strconv.FormatInt(number, 10), Notice: maybe(q.voice.Say("open311.notice", q.voice.Facts(&f, q.now))),
	}), nil
}

// keep has a filing entered later.
func (s *Server) keep(q *request, e desk.Entry, token string, why error) (any, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), time.Second)
	defer cancel()
	drive := s.o.Desk.Drive()
	if err := errors.Join(drive.Done(ctx, q.community(), e.ID, "kept", tokenLife), s.o.Desk.EnterLater(ctx, q.community(), e)); err != nil {
		return nil, errors.Join(why, err) // nothing was taken
	}
	s.o.Logger.Warn("open311 filing kept for later", "community", q.community(), "cause", why)
	return listOf("service_requests", "request", created{Token: token, Notice: maybe(q.say("open311.later", nil))}), nil
}

// idOf is under which a filing stands in the record.
func idOf(token string) string { return "open311:" + token }

// tokens name a filing, so that sent twice it is one: by the client's own name for
// it, or by what it says within a time; before is its name of the time before, ""
// where the client named it.
func (q *request) tokens() (token, before string) {
	name := func(parts ...string) string {
		sum := sha256.Sum256([]byte(strings.Join(append([]string{q.community(), strconv.FormatInt(q.key.ID, 10)}, parts...), "\x00")))
		return hex.EncodeToString(sum[:16])
	}
	if own := q.Header.Get("Idempotency-Key"); own != "" {
		return name("named", own), ""
	}
	said := q.Form.Encode()
	slot := q.now.Unix() / int64(sameWithin.Seconds())
	return name(said, strconv.FormatInt(slot, 10)), name(said, strconv.FormatInt(slot-1, 10))
}

// tokenForm is what a token is like.
var tokenForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// token tells the ID that a token stands for.
func (s *Server) token(q *request) (any, error) {
	if !tokenForm.MatchString(q.id) {
		return nil, refuse(http.StatusNotFound, "token", nil)
	}
	answer := redeemed{Token: q.id}
	number, ok, err := s.o.Desk.Entered(q.Context(), q.community(), idOf(q.id))
	switch {
	case err == nil && ok:
		answer.ID = strconv.FormatInt(number, 10)
	case !s.kept(q, idOf(q.id)):
		if err != nil {
			return nil, err
		}
		return nil, refuse(http.StatusNotFound, "token", nil)
	}
	return listOf("service_requests", "request", answer), nil
}

// kept tells whether a filing waits to be entered.
func (s *Server) kept(q *request, id string) bool {
	kept, err := s.o.Desk.Drive().Replied(q.Context(), q.community(), id)
	return err == nil && kept
}

// entry reads a filing.
func (s *Server) entry(q *request) (desk.Entry, error) {
	code := q.FormValue("service_code")
	if code == "" {
		return desk.Entry{}, refuse(http.StatusBadRequest, "no_service", nil)
	}
	kind, err := q.offered(code)
	if err != nil {
		return desk.Entry{}, err
	}
	text := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(q.FormValue("description"), "\r\n", "\n"), ""))
	if utf8.RuneCountInString(text) > longest {
		return desk.Entry{}, refuse(http.StatusBadRequest, "long", wording.Values{"Limit": longest})
	}
	if text == "" {
		text = q.voice.Taxonomy.Label(workflow.Category(code))
	}
	place, err := s.place(q)
	if err != nil {
		return desk.Entry{}, err
	}
	u, err := s.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: text})
	if err != nil {
		return desk.Entry{}, err
	}
	cmd := u.Filing(text, workflow.System())
	cmd.Kind, cmd.Category, cmd.Place, cmd.Topic, cmd.Source = kind, workflow.Category(code), place, "", workflow.SourceOpen311
	e := desk.Entry{Name: cleanName(q.FormValue("last_name") + q.FormValue("first_name")), Command: cmd}
	if written := q.FormValue("phone"); written != "" {
		rest, phone := workflow.PhoneIn(written)
		if strings.TrimSpace(rest) != "" {
			return desk.Entry{}, refuse(http.StatusBadRequest, "parameter", wording.Values{"Name": "phone"})
		}
		e.Phone = phone
	}
	return e, nil
}

// cleanName is a name as it may be kept.
func cleanName(s string) string {
	const most = 20
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

func (q *request) attribute(code string) string {
	return strings.TrimSpace(q.FormValue("attribute[" + code + "]"))
}

// tooFar is from where on a position is not of this community, in metres.
const tooFar = 500

// place is where it is: a building's number, an address in words, or a position.
func (s *Server) place(q *request) (workflow.Place, error) {
	id, words, lat, long := q.FormValue("address_id"), strings.TrimSpace(q.FormValue("address_string")), q.FormValue("lat"), q.FormValue("long")
	if id+words == "" && (lat == "" || long == "") {
		return workflow.Place{}, refuse(http.StatusBadRequest, "no_place", nil)
	}
	p, found := q.addressed(id)
	if !found && words != "" {
		u, err := s.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: wording.Shorten(words, 200)})
		if err != nil {
			return p, err
		}
		p, found = u.Place, u.Place.Known() && u.PlaceProblem == ""
	}
	if !found && lat != "" && long != "" {
		y, err := strconv.ParseFloat(lat, 64)
		x, err2 := strconv.ParseFloat(long, 64)
		if err := errors.Join(err, err2); err != nil || math.Abs(y) > 90 || math.Abs(x) > 180 || math.IsNaN(x+y) {
			return p, refuse(http.StatusBadRequest, "parameter", wording.Values{"Name": "lat, long"})
		}
		var metres float64
		y, x = toGCJ02(y, x)
		p, metres, found = q.shape.Community.Nearest(y, x)
		found = found && metres <= tooFar
	}
	if !found {
		return workflow.Place{}, refuse(http.StatusBadRequest, "place", nil)
	}
	if words != "" && p.Detail == "" {
		p.Detail = wording.Shorten(words, 100)
	}
	if unit := q.attribute(attrUnit); unit != "" {
		n, err := strconv.Atoi(unit)
		if err != nil || n < 1 || n > 99 {
			return p, refuse(http.StatusBadRequest, "parameter", wording.Values{"Name": "attribute[" + attrUnit + "]"})
		}
		p.Unit = n
	}
	if room := q.attribute(attrRoom); room != "" {
		if p.Room = room; utf8.RuneCountInString(room) > 10 {
			return p, refuse(http.StatusBadRequest, "parameter", wording.Values{"Name": "attribute[" + attrRoom + "]"})
		}
	}
	return p, nil
}
