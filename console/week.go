package console

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/wishdesk/wishdesk/console/weekly"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// weekPage is a week's report and the way to others.
type weekPage struct {
	weekly.Report
	Sent    bool   // it is shown as it was sent
	WasSent bool   // there is one as it was sent
	Earlier string // "" where there can be none
	Later   string // "" where it has not ended
}

// recounted is how long a week that was counted is shown as it is: somebody who
// loads it again does not have a million tickets counted again.
const recounted = 30 * time.Second

// weeks are those that this process counted a moment ago.
type weeks struct {
	counting singleflight.Group
	mu       sync.Mutex
	counted  map[string]digest.Digest
}

// of is a week as it was counted within the last moment, or as count counts it
// now: once for all who ask for it at the same time.
func (w *weeks) of(key string, now time.Time, count func() (digest.Digest, error)) (digest.Digest, error) {
	w.mu.Lock()
	maps.DeleteFunc(w.counted, func(_ string, d digest.Digest) bool { return now.Sub(d.MadeAt) >= recounted })
	d, ok := w.counted[key]
	w.mu.Unlock()
	if ok {
		return d, nil
	}
	made, err, _ := w.counting.Do(key, func() (any, error) {
		d, err := count()
		if err == nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.counted == nil {
				w.counted = map[string]digest.Digest{}
			}
			w.counted[key] = d
		}
		return d, err
	})
	d, _ = made.(digest.Digest)
	return d, err
}

// firstYear is when there were Official Accounts: nothing is older.
const firstYear = 2012

// thisWeek leads to the last week that has ended.
func (c *Console) thisWeek(q *request) error {
	week := digest.WeekOf(q.now, q.shape.Community.Location()).Before()
	http.Redirect(q.w, q.Request, q.path("week", week), http.StatusSeeOther)
	return nil
}

// digest is the week that the path names as it was sent, or, where it was not and
// with ?now, as the record is now.
func (q *request) digest() (d digest.Digest, page weekPage, err error) {
	week, err := digest.ParseWeek(q.PathValue("week"))
	now := digest.WeekOf(q.now, q.shape.Community.Location())
	from, _ := week.Range(q.shape.Community.Location())
	if err != nil || week.Year < firstYear || from.After(q.now) {
		return d, page, &workflow.Error{Code: "no_week", Cause: err}
	}
	if before := week.Before(); before.Year >= firstYear {
		page.Earlier = before.String()
	}
	if week != now {
		page.Later = week.After().String()
	}
	desk := q.console.o.Desk
	if d, page.WasSent, err = desk.Journal().SentDigest(q.Context(), q.community(), week); err != nil {
		return d, page, err
	}
	page.Sent = page.WasSent && !q.URL.Query().Has("now")
	if !page.Sent {
		ctx := context.WithoutCancel(q.Context()) // others may wait for the same
		d, err = q.console.weeks.of(q.community()+" "+week.String(), q.now, func() (digest.Digest, error) { return desk.Digest(ctx, q.community(), week) })
	}
	return d, page, err
}

// week shows a week.
func (c *Console) week(q *request) error {
	d, page, err := q.digest()
	if err != nil {
		return err
	}
	page.Report = weekly.Compose(q.voice(), &d)
	return q.show("week", page)
}

// weekBook gives a week as a spreadsheet.
func (c *Console) weekBook(q *request) error {
	d, _, err := q.digest()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := weekly.Book(&b, weekly.Compose(q.voice(), &d)); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	h.Set("Content-Disposition", `attachment; filename="`+q.community()+"-"+d.Week.String()+`.xlsx"`)
	_, _ = q.w.Write(b.Bytes())
	return nil
}
