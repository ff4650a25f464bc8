package console

import (
	"bytes"
	"net/http"

	"github.com/wishdesk/wishdesk/console/weekly"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// weekPage is a week's report and the way to others.
type weekPage struct {
	weekly.Report
	Sent     bool   // it is shown as it was sent
	WasSent  bool   // there is one as it was sent
	Earlier  string // "" where there can be none
	Later    string // "" where it has not ended
	Complete bool   // the week has ended
}

// firstYear is when there were Official Accounts: nothing is older.
const firstYear = 2012

// thisWeek leads to the last week that has ended.
func (c *Console) thisWeek(q *request) error {
	week := digest.WeekOf(q.now, q.shape.Community.Location()).Before()
	http.Redirect(q.w, q.Request, q.path("week", week), http.StatusSeeOther)
	return nil
}

// digest is the week that the path names, as the record is now, or with ?sent as
// it was sent.
func (q *request) digest() (d digest.Digest, page weekPage, err error) {
	week, err := digest.ParseWeek(q.PathValue("week"))
	now := digest.WeekOf(q.now, q.shape.Community.Location())
	from, _ := week.Range(q.shape.Community.Location())
	if err != nil || week.Year < firstYear || from.After(q.now) {
		return d, page, &workflow.Error{Code: "no_week", Cause: err}
	}
	page = weekPage{Complete: week != now}
	if before := week.Before(); before.Year >= firstYear {
		page.Earlier = before.String()
	}
	if page.Complete {
		page.Later = week.After().String()
	}
	desk := q.console.o.Desk
	if d, page.WasSent, err = desk.Journal().SentDigest(q.Context(), q.community(), week); err != nil {
		return d, page, err
	}
	page.Sent = page.WasSent && q.URL.Query().Has("sent")
	if !page.Sent {
		d, err = desk.Digest(q.Context(), q.community(), week)
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
