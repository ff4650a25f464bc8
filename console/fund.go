package console

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// shownLines is how many lines of the fund one page shows.
const shownLines = 50

// fundPage is the public board of the community's fund.
type fundPage struct {
	Year  int // whose sums are shown, 0 for all
	Years []int
	Sums  []ledger.Sum
	Total ledger.Sum // of all time
	Lines []ledger.Line
	Next  int64
	Items []string // under which lines were entered before
	Keep  bool     // who looks enters lines
	Sure  bool     // they are asked whether they are sure of more than there is
}

// Left is what is there.
func (p fundPage) Left() int64 { return p.Total.In - p.Total.Out }

// fund shows the board.
func (c *Console) fund(q *request) error {
	journal := c.o.Desk.Journal()
	page := fundPage{Keep: committee.holds(q.me) || admin.holds(q.me)}
	page.Year, _ = strconv.Atoi(q.URL.Query().Get("year"))
	this := q.now.In(q.shape.Community.Location()).Year()
	page.Years = []int{this, this - 1}
	if !slices.Contains(page.Years, page.Year) {
		page.Year = 0
	}
	all, err := journal.FundSums(q.Context(), q.community(), 0)
	if err != nil {
		return err
	}
	for _, s := range all {
		page.Items = append(page.Items, s.Item)
	}
	page.Total, page.Sums = ledger.Total(all), all
	if ref := refusedOf(q.Context()); ref != nil && ref.field == "sum" {
		_, err := ledger.ParseFen(ref.typed.Get("sum"))
		page.Sure = err == nil
	}
	if page.Year != 0 {
		if page.Sums, err = journal.FundSums(q.Context(), q.community(), page.Year); err != nil {
			return err
		}
	}
	if page.Lines, err = journal.Fund(q.Context(), q.community(), q.cursor(), shownLines+1); err != nil {
		return err
	}
	if len(page.Lines) > shownLines {
		page.Lines = page.Lines[:shownLines]
		page.Next = page.Lines[shownLines-1].ID
	}
	return q.show("fund", page)
}

// addLine enters what came in or went out, with its paper.
func (c *Console) addLine(q *request) error {
	once, err := q.once()
	if err != nil {
		return err
	}
	l := ledger.Line{Cause: once, On: q.words("day"), Item: q.words("item"), Words: q.words("text"), By: q.me.ID, At: q.now, Paper: "-"}
	if l.Fen, err = ledger.ParseFen(q.words("sum")); err != nil {
		return &fault{Field: "sum", Key: "money"}
	}
	switch q.PostFormValue("side") {
	case "in":
	case "out":
		l.Fen = -l.Fen
	default:
		return &fault{Field: "side", Key: "choose"}
	}
	_, err = time.Parse(time.DateOnly, l.On)
	switch {
	case err != nil || l.On > (view{request: q}).Today():
		return &fault{Field: "day", Key: "fund"}
	case !l.Fits():
		return &fault{Field: map[bool]string{true: "item", false: "text"}[l.Item == "" || utf8.RuneCountInString(l.Item) > ledger.MostItem], Key: "fund"}
	}
	if l.Fen < 0 && q.PostFormValue("sure") != "yes" {
		all, err := c.o.Desk.Journal().FundSums(q.Context(), q.community(), 0)
		if err != nil {
			return err
		}
		if left := (fundPage{Total: ledger.Total(all)}).Left(); left+l.Fen < 0 {
			return &fault{Field: "sum", Key: "fund_short", Have: wording.Values{"Said": ledger.Yuan(left)}}
		}
	}
	return q.enterLine(l, "fund_added")
}

// strikeLine takes a line back by one that says why.
func (c *Console) strikeLine(q *request) error {
	once, err := q.once()
	if err != nil {
		return err
	}
	was, err := q.fundLine()
	if err != nil {
		return err
	}
	l := ledger.Line{Cause: once, On: (view{request: q}).Today(), Item: was.Item, Words: q.words("text"), Fen: -was.Fen, Strikes: was.ID, By: q.me.ID, At: q.now}
	switch {
	case was.Strikes != 0 || was.Struck != 0:
		return &fault{Key: "struck", Stale: true}
	case !l.Fits():
		return &fault{Field: "text", Key: "why_struck", Have: wording.Values{"Limit": ledger.MostWords}}
	}
	return q.enterLine(l, "fund_struck")
}

// enterLine commits a line with the photo of its paper.
func (q *request) enterLine(l ledger.Line, said string) error {
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	l.Paper = ""
	switch {
	case len(photos) > 0:
		l.Paper = photos[0].ID
	case l.Strikes == 0:
		return &fault{Field: "photos", Key: "paper"}
	}
	return q.work(func(w *deskWork) (string, error) {
		q.attach(w, 0, photos[:min(1, len(photos))])
		w.Change.Fund = append(w.Change.Fund, l)
		return q.address(said, "fund"), nil
	})
}

// fundLine is the line that the path names.
func (q *request) fundLine() (ledger.Line, error) {
	id, err := q.number()
	if err != nil {
		return ledger.Line{}, err
	}
	return q.console.o.Desk.Journal().FundLine(q.Context(), q.community(), id)
}

// paper gives the photo of a line's paper: it is there for everybody.
func (c *Console) paper(q *request) error {
	l, err := q.fundLine()
	if err != nil {
		return err
	}
	m, err := c.o.Desk.Journal().Media(q.Context(), q.community(), l.Paper)
	if err != nil {
		return err
	}
	if m.Status != desk.MediaStored {
		return &workflow.Error{Code: workflow.CodeNotFound, Number: l.ID}
	}
	return q.give(m)
}
