package lesson

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

// Theme says what a lesson is about; the first three are the 三讲.
type Theme string

// The themes.
const (
	History Theme = "history" // 老党员讲党史
	War     Theme = "war"     // 老兵讲抗战
	Policy  Theme = "policy"  // 网格长讲政策
	Other   Theme = "other"
)

// Themes are all of them, in the order in which they are listed.
func Themes() []Theme { return []Theme{History, War, Policy, Other} }

// Form says how a lesson is told.
type Form string

// The forms.
const (
	Text  Form = "text"
	Voice Form = "voice" // a recording in the media store
	Video Form = "video" // a link
)

// Forms are all of them.
func Forms() []Form { return []Form{Text, Voice, Video} }

// What a lesson may be.
const (
	MostMinutes = 10
	MostTitle   = 40   // signs
	MostSpeaker = 20   // signs
	MostText    = 3000 // signs: what somebody reads in ten minutes
	MostLink    = 500
	MostPlace   = 40

	Shown = 300 // signs of the text that a message shows; the page has all
)

// Lesson is one short lesson.
type Lesson struct {
	Community string            `json:"-"`
	ID        int64             `json:"-"`
	Branch    string            `json:"branch,omitempty"` // whose it is; "" = the committee's, for all branches
	Theme     Theme             `json:"theme"`
	Form      Form              `json:"form"`
	Title     string            `json:"title"`
	Speaker   string            `json:"speaker"`           // as it is shown
	Teacher   workflow.PersonID `json:"teacher,omitempty"` // who answers questions; 0 = the secretary of the branch of who asks
	Minutes   int               `json:"minutes"`
	Text      string            `json:"text,omitempty"`
	Voice     string            `json:"voice,omitempty"` // the media store's key
	MIME      string            `json:"mime,omitempty"`  // of the recording
	Video     string            `json:"video,omitempty"` // https://…
	Class     Class             `json:"class,omitzero"`
	By        workflow.PersonID `json:"by"`
	At        time.Time         `json:"at"`
}

// Class is where and when a lesson is also held at the gallery (廊亭微课); the zero
// Class is none.
type Class struct {
	Place string    `json:"place,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// Wrong is what is wrong with a lesson: which field, and a key of the words for it.
type Wrong struct{ Field, Why string }

// Error is for the log.
func (w *Wrong) Error() string { return "lesson: " + w.Field + ": " + w.Why }

// Check names the first thing that is wrong with a lesson.
func (l *Lesson) Check() error {
	long := func(s string, most int) bool { return utf8.RuneCountInString(s) > most }
	switch {
	case strings.TrimSpace(l.Title) == "" || long(l.Title, MostTitle):
		return &Wrong{"title", "lesson_title"}
	case strings.TrimSpace(l.Speaker) == "" || long(l.Speaker, MostSpeaker):
		return &Wrong{"speaker", "lesson_speaker"}
	case !slices.Contains(Themes(), l.Theme):
		return &Wrong{"theme", "choose"}
	case !slices.Contains(Forms(), l.Form):
		return &Wrong{"form", "choose"}
	case l.Minutes < 1 || l.Minutes > MostMinutes:
		return &Wrong{"minutes", "lesson_minutes"}
	case long(l.Text, MostText) || l.Form == Text && strings.TrimSpace(l.Text) == "":
		return &Wrong{"text", "lesson_text"}
	case l.Form == Voice && l.Voice == "":
		return &Wrong{"voice", "lesson_voice"}
	case l.Form == Video && !link(l.Video):
		return &Wrong{"video", "lesson_video"}
	case long(l.Class.Place, MostPlace) || (l.Class.Place == "") != l.Class.At.IsZero():
		return &Wrong{"place", "lesson_class"}
	}
	return nil
}

// link tells whether a text is an address that people may be sent to.
func link(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(s) <= MostLink
}

// For tells whether a lesson is for a branch's plan.
func (l *Lesson) For(branch string) bool { return l.Branch == "" || l.Branch == branch }

// OpenTo tells whether somebody may learn a lesson: it is for all, of a branch of
// theirs, or theirs to answer for.
func (l *Lesson) OpenTo(p workflow.Person) bool {
	return l.Branch == "" || slices.Contains(p.Branches(), l.Branch) || p.Has(workflow.RoleCommittee) || p.ID != 0 && p.ID == l.Teacher
}

// PreparedBy tells whether somebody may see a lesson before its day: the committee, the
// secretaries whose branches may plan it, and who answers for it.
func (l *Lesson) PreparedBy(p workflow.Person) bool {
	return p.Has(workflow.RoleCommittee) || p.ID != 0 && p.ID == l.Teacher || slices.ContainsFunc(p.Leads(), l.For)
}

// Opening is as much of the text as a message shows, and a sign more where it goes on.
func (l *Lesson) Opening() string {
	if all := []rune(l.Text); len(all) > Shown {
		return string(all[:Shown+1])
	}
	return l.Text
}

// Answers is who is told of a question of somebody about the lesson: the speaker, else a
// secretary of theirs, else somebody of the committee. Whom no push reaches others
// telephone (ByPhone); where it reaches none of them, the first. 0 for nobody.
func (l *Lesson) Answers(r workflow.Roster, asker workflow.Person, now time.Time) workflow.PersonID {
	all := []workflow.Person{r.ByID(l.Teacher)}
	branches := asker.Branches()
	if len(branches) == 0 {
		branches = []string{l.Branch}
	}
	all = append(append(all, r.Secretaries(branches)...), r.Duty()...)
	var first workflow.PersonID
	for _, p := range all {
		switch {
		case p.ID == 0 || p.ID == asker.ID || p.Away.Covers(now):
		case p.Reachable():
			return p.ID
		case first == 0:
			first = p.ID
		}
	}
	return first
}

// ByPhone is the speaker where no push reaches them: whoever else is asked (to) has to
// telephone them.
func (l *Lesson) ByPhone(r workflow.Roster, to workflow.PersonID) (speaker workflow.Person, yes bool) {
	speaker = r.ByID(l.Teacher)
	return speaker, speaker.ID != 0 && speaker.ID != to && !speaker.Reachable()
}

// Deed is something that somebody did with a lesson, or that was done for them. Each
// is recorded once.
type Deed string

// The deeds.
const (
	Given  Deed = "given"  // it was owed to them as a push
	Read   Deed = "read"   // they opened its page, or say that they are through
	Heard  Deed = "heard"  // they played the recording, or say that they are through
	Asked  Deed = "asked"  // they asked the speaker
	Signed Deed = "signed" // they scanned the code at the gallery class
)

// Learns tells whether a deed shows that a lesson arrived.
func (d Deed) Learns() bool { return d != Given }

// Done is one deed.
type Done struct {
	Lesson int64
	Person workflow.PersonID
	Deed   Deed
	At     time.Time
}

// Through are the deeds of somebody who says that they are through with a lesson.
func (l *Lesson) Through(person workflow.PersonID, at time.Time) []Done {
	out := []Done{{l.ID, person, Read, at}}
	if l.Form != Text {
		out = append(out, Done{l.ID, person, Heard, at})
	}
	return out
}

// Question is what somebody asked about a lesson, and the answer.
type Question struct {
	ID         int64
	Lesson     int64
	Person     workflow.PersonID
	To         workflow.PersonID // who should answer
	Words      string
	At         time.Time
	Answer     string // "" while there is none
	AnsweredBy workflow.PersonID
	AnsweredAt time.Time
}

// MostAsked is how long a question or an answer may be, in signs.
const MostAsked = 500

// MayAnswer tells whether somebody may answer a question of somebody else: who was
// asked, the secretary of their branch, and the committee.
func (q *Question) MayAnswer(p, asker workflow.Person) bool {
	return p.ID == q.To || p.Has(workflow.RoleCommittee) || leads(p, asker)
}

func leads(p, member workflow.Person) bool {
	return slices.ContainsFunc(p.Leads(), func(b string) bool { return slices.Contains(member.Branches(), b) })
}

// Patience is how long a question waits for who was asked before it is the committee's
// as well.
const Patience = 24 * time.Hour

// WaitsFor tells whether a question is somebody's to see to: who was asked (to), and the
// secretary of who asks; the committee where no push reaches who was asked, or after a
// while. So each stands on somebody's list.
func (q *Question) WaitsFor(p, asker, to workflow.Person, now time.Time) bool {
	return p.ID == q.To || leads(p, asker) || p.Has(workflow.RoleCommittee) && (!to.Reachable() || now.Sub(q.At) >= Patience)
}

// scene is how the code of a gallery class begins.
const scene = "class_"

// Scene is what the code of a lesson's gallery class says when it is scanned.
func (l *Lesson) Scene() string { return scene + strconv.FormatInt(l.ID, 10) }

// ReadScene is the lesson whose class a scene names, as Scene writes it.
func ReadScene(s string) (id int64, ok bool) {
	n, ok := strings.CutPrefix(s, scene)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(n, 10, 64)
	return id, err == nil && id > 0
}

// Held tells whether the gallery class is on the day of a moment in a place: a code
// that was photographed is worth nothing on another.
func (c Class) Held(now time.Time, loc *time.Location) bool {
	return !c.At.IsZero() && DayOf(now, loc) == DayOf(c.At, loc)
}
