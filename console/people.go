package console

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// peoplePage is the staff.
type peoplePage struct {
	Groups []group
	Q      string
}

// people lists the staff by their first part.
func (c *Console) people(q *request) error {
	page := peoplePage{Q: strings.TrimSpace(q.URL.Query().Get("q"))}
	for _, kind := range workflow.RoleKinds() {
		g := group{Name: q.voice().Say("page.role."+string(kind), nil)}
		for _, p := range q.shape.Roster {
			if p.Roles[0].Kind == kind && (page.Q == "" || strings.Contains(p.Name, page.Q)) {
				g.People = append(g.People, p)
			}
		}
		if len(g.People) > 0 {
			page.Groups = append(page.Groups, g)
		}
	}
	return q.show("people", page)
}

// memberPage is one of the staff.
type memberPage struct {
	Person workflow.Person
	Hidden string
	Phone  string // only where it was asked for
	Code   string // a bind code just made
	Roles  []workflow.RoleKind
	Part   int           // which of their parts is in the form; as many as they have for another
	Role   workflow.Role // that part
	New    bool
}

// On names what somebody was when the page was made, so that nobody overwrites what
// another changed meanwhile.
func (p memberPage) On() string { return stateOf(p.Person) }

func stateOf(p workflow.Person) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %+v", p.Name, p.Phone, p.Roles))
	return hex.EncodeToString(sum[:8])
}

func (q *request) member() (workflow.Person, error) {
	id, err := strconv.ParseInt(q.PathValue("person"), 10, 64)
	p := q.shape.Roster.ByID(workflow.PersonID(id))
	if err != nil || p.ID == 0 {
		return p, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("not one of the staff")}
	}
	return p, nil
}

func (q *request) showMember(p workflow.Person, change func(*memberPage)) error {
	page := memberPage{Person: p, Hidden: workflow.HidePhone(p.Phone), Roles: workflow.RoleKinds(), Part: q.part(p)}
	if page.Part < len(p.Roles) {
		page.Role = p.Roles[page.Part]
	}
	if change != nil {
		change(&page)
	}
	return q.show("member", page)
}

// part is which of somebody's parts a request is about: the first where it says
// nothing, one more than they have for a new one.
func (q *request) part(p workflow.Person) int {
	n, err := strconv.Atoi(q.FormValue("part"))
	if err != nil || n < 0 || n > len(p.Roles) {
		return 0
	}
	return n
}

// memberOf shows one of the staff.
func (c *Console) memberOf(q *request) error {
	p, err := q.member()
	if err != nil {
		return err
	}
	return q.showMember(p, nil)
}

// memberPhone shows their telephone number; the audit log has it by then.
func (c *Console) memberPhone(q *request) error {
	p, err := q.member()
	if err != nil {
		return err
	}
	return q.showMember(p, func(page *memberPage) { page.Phone = p.Phone })
}

// filled reads name, telephone and the part of a form into a person.
func (q *request) filled(p *workflow.Person) error {
	p.Name = q.words("name")
	if !workflow.Callable(p.Name) {
		return &fault{Field: "name", Key: "name"}
	}
	if phone := q.words("phone"); phone != "" {
		if !workflow.IsPhone(phone) {
			return &fault{Field: "phone", Key: "phone"}
		}
		p.Phone = phone
	}
	if err := q.double(p); err != nil {
		return err
	}
	role := workflow.Role{
		Kind: workflow.RoleKind(q.PostFormValue("kind")), FullTime: q.PostFormValue("full_time") == "yes", Secretary: q.PostFormValue("secretary") == "yes", Duty: q.PostFormValue("duty") == "yes",
		Department: q.words("department"), Team: q.words("team"), Unit: q.words("unit"), Branch: q.words("branch"),
	}
	if slices.Contains(ofGrids, role.Kind) {
		switch grid := q.PostFormValue("grid"); grid {
		case "":
			return &fault{Field: "grid", Key: "grid"}
		case allGrids:
		default:
			role.Grid = grid
		}
	}
	if role.Kind == workflow.RoleOfficer && role.Department == "" {
		return &fault{Field: "department", Key: "department"}
	}
	for skill := range strings.FieldsFuncSeq(q.words("skills"), func(r rune) bool { return strings.ContainsRune(" ,，、;；", r) }) {
		role.Skills = append(role.Skills, skill)
	}
	if hours := q.words("hours"); hours != "" {
		role.Hours = strings.FieldsFunc(hours, func(r rune) bool { return strings.ContainsRune(" ,，、", r) })
	}
	if role.Check(q.shape.Community) != nil {
		return &fault{Field: "kind", Key: "role"}
	}
	n := q.part(*p)
	p.Roles = slices.Clone(p.Roles)
	if n == len(p.Roles) {
		p.Roles = append(p.Roles, role)
		return nil
	}
	role.Days = p.Roles[n].Days
	p.Roles[n] = role
	return nil
}

// ofGrids are the parts that serve a grid, or all of them where that is said.
var ofGrids = []workflow.RoleKind{workflow.RoleWorker, workflow.RoleLeader, workflow.RoleOfficer, workflow.RoleProperty}

// allGrids is what a form says for all grids; to say nothing is not to say that.
const allGrids = "all"

// double refuses somebody whom the staff has already: another of the same telephone, or
// of the same name where a number does not tell the two apart.
func (q *request) double(p *workflow.Person) error {
	for _, other := range q.shape.Roster {
		have := wording.Values{"Name": other.Name, "Title": q.voice().Title(other)}
		switch {
		case other.ID == p.ID:
		case p.Phone != "" && other.Phone == p.Phone:
			return &fault{Field: "phone", Key: "phone_taken", Have: have}
		case other.Name == p.Name && p.ID == 0 && p.Phone == "":
			return &fault{Field: "phone", Key: "name_taken", Have: have}
		}
	}
	return nil
}

// changeMember changes name, telephone and one part of one of the staff, adds a
// part or takes one away. The last part goes by leaving.
func (c *Console) changeMember(q *request) error {
	p, err := q.member()
	if err != nil {
		return err
	}
	if q.PostFormValue("on") != stateOf(p) {
		return &fault{Key: "stale", Stale: true}
	}
	seen := p
	if n := q.part(p); q.PostFormValue("do") == "remove" {
		if len(p.Roles) < 2 || n >= len(p.Roles) || p.ID == q.me.ID && p.Roles[n].Kind == workflow.RoleAdmin {
			return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("the last part, or an administrator's own")}
		}
		p.Roles = slices.Delete(slices.Clone(p.Roles), n, n+1)
	} else if err := q.filled(&p); err != nil {
		return err
	}
	switch err := c.o.Record.ChangePerson(q.Context(), seen, p); {
	case errors.Is(err, desk.ErrStale):
		return &fault{Key: "stale", Stale: true}
	case err != nil:
		return err
	}
	q.notes = append(q.notes, "was "+partsOf(seen), "is "+partsOf(p))
	return q.staffChanged("changed", "admin/people", p.ID)
}

// partsOf are somebody's parts as the audit log keeps them: "worker G1+committee duty".
func partsOf(p workflow.Person) string {
	var out []string
	for _, r := range p.Roles {
		part := string(r.Kind)
		if r.Grid != "" {
			part += " " + r.Grid
		}
		if r.FullTime {
			part += " full_time"
		}
		if r.Duty {
			part += " duty"
		}
		if r.Secretary {
			part += " secretary"
		}
		out = append(out, part)
	}
	return strings.Join(out, "+")
}

// staffChanged has this process see the staff anew at once; the others do within
// a second.
func (q *request) staffChanged(said string, parts ...any) error {
	if err := q.console.o.Desk.Refresh(q.Context()); err != nil {
		return err
	}
	return q.to(said, parts...)
}

// newMember shows an empty form.
func (c *Console) newMember(q *request) error {
	return q.showMember(workflow.Person{}, func(page *memberPage) { page.New = true })
}

// addMember adds somebody to the staff.
func (c *Console) addMember(q *request) error {
	once, err := q.once() // the same form twice is one person
	if err != nil {
		return err
	}
	p := workflow.Person{Community: q.community()}
	if p.ID, err = c.o.Record.PersonOfKey(q.Context(), q.community(), once); err != nil {
		return err
	}
	if err := q.filled(&p); err != nil {
		return err
	}
	id, err := c.o.Record.UpsertPerson(q.Context(), once, p)
	if err != nil {
		return err
	}
	q.notes = append(q.notes, "person "+strconv.FormatInt(int64(id), 10), "is "+partsOf(p))
	return q.staffChanged("changed", "admin/people", id)
}

// bindCode makes a one-time code with which somebody binds their WeChat.
func (c *Console) bindCode(q *request) error {
	p, err := q.member()
	if err != nil {
		return err
	}
	code := access.NewBindCode()
	if err := c.o.Record.NewBindCode(q.Context(), q.community(), p.ID, code, q.now.Add(24*time.Hour)); err != nil {
		return err
	}
	return q.showMember(p, func(page *memberPage) { page.Code = code })
}

// logOut ends all sessions of one of the staff.
func (c *Console) logOut(q *request) error {
	p, err := q.member()
	if err != nil {
		return err
	}
	if _, err := c.o.Record.EndSessions(q.Context(), q.community(), p.ID); err != nil {
		return err
	}
	return q.to("logged_out", "admin/people", p.ID)
}

// leaves takes somebody from the staff: their open work goes to others, and they
// are logged out everywhere.
func (c *Console) leaves(q *request) error {
	p, err := q.member()
	if err != nil {
		return err
	}
	if p.ID == q.me.ID {
		return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("nobody takes themselves from the staff")}
	}
	if err := c.o.Record.Leave(q.Context(), q.community(), p.ID); err != nil {
		return err
	}
	if _, err := c.o.Record.EndSessions(q.Context(), q.community(), p.ID); err != nil {
		return err
	}
	return q.staffChanged("left", "admin/people")
}
