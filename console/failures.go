package console

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// failuresPage is what did not go as it should: pushes that reached nobody, and
// for administrators tasks that failed for good.
type failuresPage struct {
	Calls  []failure // somebody must telephone
	Failed []failure // the rest
	Dead   []deadTask
	From   int64 // the oldest and newest of Dead
	Until  int64
	More   bool // there are older ones than those of Dead
}

// failure is a push that reached nobody for certain.
type failure struct {
	Key                   string
	Number                int64
	Who, What, When, Fate string
	About                 string // what the matter is, and roughly where
	Hidden, Phone         string // Phone only where it was asked for
	Why                   string // it was not delivered
	Verdict               bool   // about a result: they are asked how it was
	Bad                   bool   // it needs a telephone call that is others' to make
}

// deadTask is a task that failed for good.
type deadTask struct {
	ID               int64
	What, When       string
	Who, Words, Said string // of a message: whose, what they wrote and when; Words only where it was asked for
	Wrote            bool   // there are words to ask for
	Number           int64  // the ticket, 0 for none
	Reason           string
}

// How much of each the page shows.
const (
	callsShown    = 50
	failuresShown = 100
	deadShown     = 50
)

// failures shows what reached nobody, and to administrators what failed for good.
func (c *Console) failures(q *request) error { return q.showFailures("", 0) }

// failedPhone shows the telephone number of one call; the audit log has it by then.
func (c *Console) failedPhone(q *request) error { return q.showFailures(q.PostFormValue("key"), 0) }

// letterWords shows what a resident wrote in one task that failed for good; the audit
// log has it by then, with whose words they are (letterWhom).
func (c *Console) letterWords(q *request) error {
	id, err := q.letter()
	if err != nil {
		return err
	}
	_, ok, err := c.o.Desk.Journal().DeadLetterByID(q.Context(), q.community(), id)
	if err != nil {
		return err
	}
	if !ok {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such dead letter")}
	}
	return q.showFailures("", id)
}

func (c *Console) letterWhom(q *request) (string, error) {
	id, err := q.letter()
	if err != nil {
		return "", err
	}
	l, ok, err := c.o.Desk.Journal().DeadLetterByID(q.Context(), q.community(), id)
	if err != nil || !ok {
		return "", err
	}
	w, err := q.wrote(l.Task())
	switch {
	case err != nil:
		return "", err
	case w.id != 0:
		return "person " + strconv.FormatInt(int64(w.id), 10), nil
	case w.name != "":
		return "whom " + w.name, nil
	}
	return "", nil
}

// failedCalled notes that one call was made.
func (c *Console) failedCalled(q *request) error {
	open, err := c.o.Desk.AllCalls(q.Context(), q.community(), q.me, callsShown)
	if err != nil {
		return err
	}
	key := q.PostFormValue("key")
	for _, p := range open {
		if p.Key != key {
			continue
		}
		return q.work(func(w *deskWork) (string, error) {
			w.Change.Ended = append(w.Change.Ended, desk.PushEnd{Key: key, PushOutcome: desk.PushOutcome{Status: desk.PushDone, At: w.Now}})
			return q.address("did.called", "admin/failures"), nil
		})
	}
	return &workflow.Error{Code: workflow.CodeAlreadyDone, Cause: errors.New("no call of that key is open")}
}

func (q *request) showFailures(phone string, letter int64) error {
	var page failuresPage
	calls, err := q.console.o.Desk.AllCalls(q.Context(), q.community(), q.me, callsShown)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, p := range calls {
		who, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), p.Person)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return err
		}
		f := q.failure(p)
		if who.Name != "" {
			f.Who = who.Name
		}
		f.Hidden = workflow.HidePhone(who.Phone)
		if p.Key == phone {
			f.Phone = who.Phone
		}
		listed[p.Key] = true
		page.Calls = append(page.Calls, f)
	}
	all, err := q.console.o.Record.PushFailures(q.Context(), q.community(), failuresShown)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !listed[p.Key] {
			page.Failed = append(page.Failed, q.failure(p))
		}
	}
	if admin.holds(q.me) {
		if err := q.dead(&page, letter); err != nil {
			return err
		}
	}
	return q.show("failures", page)
}

func (q *request) failure(p desk.Push) failure {
	return failure{
		Key: p.Key, Number: p.Number, Who: q.nameOf(p.Person), What: q.voice().Say("purpose."+string(p.Purpose), wording.Values{"Number": p.Number}),
		When: q.voice().When(p.CreatedAt, q.now), Fate: q.voice().Say("page.fate."+string(p.Status), nil), Why: q.undelivered(p), About: q.callAbout(&p.Facts),
		Verdict: p.Purpose == workflow.TellResolved, Bad: p.Status == desk.PushManual,
	}
}

// undelivered is why a push was not delivered, in words; "" where it is not known.
func (q *request) undelivered(p desk.Push) string {
	why, _, _ := strings.Cut(p.Error, ":")
	key := "page.undelivered." + why
	switch {
	case p.ErrCode != 0:
		key = "page.undelivered.refused"
	case p.Error == "":
		return ""
	case !desk.IsWhy(why):
		key = "page.undelivered.other"
	}
	return q.voice().Say(key, wording.Values{"Count": p.ErrCode})
}

// dead reads the tasks that failed for good, with the words of one of them.
func (q *request) dead(page *failuresPage, words int64) error {
	all, err := q.console.o.Desk.Journal().DeadLetters(q.Context(), q.community(), deadShown+1)
	if err != nil {
		return err
	}
	if len(all) > deadShown {
		all, page.More = all[:deadShown], true
	}
	for _, l := range all {
		d, err := q.deadTask(l)
		if err != nil {
			return err
		}
		if d.Wrote = d.Words != ""; l.ID != words {
			d.Words = ""
		}
		page.Dead = append(page.Dead, d)
	}
	if len(all) > 0 {
		page.Until, page.From = all[0].ID, all[len(all)-1].ID
	}
	return nil
}

func (q *request) deadTask(l desk.DeadLetter) (deadTask, error) {
	t := l.Task()
	kind := "other"
	if q.console.o.Wording.Has("page.task." + l.Queue) {
		kind = l.Queue
	}
	d := deadTask{ID: l.ID, What: q.voice().Say("page.task."+kind, nil), When: q.voice().When(l.At, q.now), Reason: l.Reason}
	if t.Kind == desk.TaskTick || t.Kind == desk.TaskAdvice {
		d.Number, _ = strconv.ParseInt(t.Key, 10, 64)
	}
	w, err := q.wrote(t)
	d.Who, d.Words, d.Said = w.name, w.words, ""
	if !w.at.IsZero() {
		d.Said = q.voice().When(w.at, q.now)
	}
	return d, err
}

// written is what somebody wrote, as a task has it.
type written struct {
	id          workflow.PersonID // 0 where they are known by name alone
	name, words string
	at          time.Time
}

// wrote is what a resident wrote in a task; nothing for one without such words.
func (q *request) wrote(t desk.Task) (w written, err error) {
	switch t.Kind {
	case desk.TaskMessage:
		openid, words, at, ok := q.console.o.Message(t.Body)
		if !ok {
			return w, nil
		}
		who, _, err := q.console.o.Desk.Journal().PersonByOpenID(q.Context(), q.community(), openid)
		if err != nil {
			return w, err
		}
		w = written{who.ID, who.Name, words, at}
		if w.name == "" {
			w.name = q.voice().Say("page.resident", nil)
		}
	case desk.TaskEntry:
		var e desk.Entry
		if json.Unmarshal(t.Body, &e) == nil {
			w.name, w.words = e.Name, e.Command.Text
		}
	}
	return w, nil
}

// letter is the dead letter that the path names.
func (q *request) letter() (int64, error) {
	id, err := strconv.ParseInt(q.PathValue("letter"), 10, 64)
	if err != nil || id <= 0 {
		return 0, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no dead letter's number")}
	}
	return id, nil
}

// retryLetter queues one task again, dropLetter forgets one.
func (c *Console) retryLetter(q *request) error {
	id, err := q.letter()
	if err == nil {
		err = c.o.Desk.Retry(q.Context(), q.community(), id)
	}
	if err != nil {
		return err
	}
	return q.to("retried", "admin/failures")
}

func (c *Console) dropLetter(q *request) error {
	id, err := q.letter()
	if err == nil {
		err = c.o.Desk.GiveUp(q.Context(), q.community(), id)
	}
	if err != nil {
		return err
	}
	return q.to("dropped", "admin/failures")
}

// retryLetters and dropLetters do so with all that the page showed, not with what
// came since.
func (c *Console) retryLetters(q *request) error { return q.letters("retried", c.o.Desk.RetryAll) }

func (c *Console) dropLetters(q *request) error { return q.letters("dropped", c.o.Desk.GiveUpAll) }

func (q *request) letters(said string, do func(ctx context.Context, community string, from, until int64) (int, error)) error {
	from, err := strconv.ParseInt(q.PostFormValue("from"), 10, 64)
	if err == nil {
		var until int64
		if until, err = strconv.ParseInt(q.PostFormValue("until"), 10, 64); err == nil {
			if _, err := do(q.Context(), q.community(), from, until); err != nil {
				return err
			}
			return q.to(said, "admin/failures")
		}
	}
	return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("which letters?")}
}

// Message reads a message that waits in a task: who wrote, by their WeChat, when,
// and in what words; ok is false where it cannot be read. The bot knows its form.
type Message func(body []byte) (openid, words string, at time.Time, ok bool)
