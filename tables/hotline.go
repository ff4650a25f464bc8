package tables

import (
	"context"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/storage/sheet"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const (
	colTicket = "工单号"
	colTaken  = "受理时间"
)

var hotlineColumns = []sheet.Column{
	{Name: colTicket, Also: []string{"工单编号", "热线工单号", "编号"}, Required: true, Example: "2026111800123", Help: "热线自己的编号;同一个编号只算一次"},
	{Name: colTaken, Also: []string{"来电时间", "受理日期", "时间"}, Required: true, Example: "2026-11-18 09:30", Help: "年-月-日,可以带时分"},
	{Name: colCategory, Also: []string{"诉求类别", "分类"}, Example: "噪音扰民", Help: "热线的分类;可以不填"},
	{Name: colText, Also: []string{"诉求内容", "来电内容"}, Example: "楼下广场舞声音大", Help: "只用来看是哪个网格,不保存"},
	{Name: colPlace, Also: []string{"地址", "诉求地点"}, Example: "毕家洼西区12号楼", Help: "可以不填"},
}

// together is how many complaints are kept at once.
const together = 1000

// hotline reads the hotline's complaints; of each only number, time, category and
// grid are kept.
type hotline struct {
	im   *Importer
	seen map[string]bool // numbers in this table
	last *desk.Complaint // nil where the row repeats a number
	some []desk.Complaint
	n    Entered
}

func (h *hotline) row(ctx context.Context, row sheet.Row, fail fail) error {
	h.last = nil
	bad := func(column, key string) { fail(column, key, wording.Values{"Have": row.Get(column)}) }
	number := row.Get(colTicket)
	if number == "" {
		bad(colTicket, "no_ticket")
	}
	at, ok := readTime(row.Get(colTaken), h.im.Shape.Community.Location())
	if !ok {
		bad(colTaken, "no_time")
	}
	if number == "" || !ok || h.seen[number] {
		return nil
	}
	h.seen[number] = true
	u, err := h.im.Understander.Understand(ctx, h.im.Shape.Community, workflow.Words{Text: strings.TrimSpace(row.Get(colPlace) + " " + row.Get(colText))})
	if err != nil {
		return err
	}
	h.last = &desk.Complaint{Number: number, At: at.UTC(), Category: row.Get(colCategory), Grid: u.Place.Grid}
	return nil
}

func (h *hotline) put(ctx context.Context) error {
	if h.last == nil {
		h.n.Before++
		return nil
	}
	if h.some = append(h.some, *h.last); len(h.some) < together {
		return nil
	}
	return h.flush(ctx)
}

func (h *hotline) flush(ctx context.Context) error {
	if len(h.some) == 0 {
		return nil
	}
	fresh, err := h.im.Record.PutHotline(ctx, h.im.Shape.Community.Code, h.some)
	if err != nil {
		return err
	}
	h.n.Fresh, h.n.Before, h.some = h.n.Fresh+fresh, h.n.Before+len(h.some)-fresh, nil
	return nil
}

func (h *hotline) done(ctx context.Context) (Entered, error) {
	err := h.flush(ctx)
	return h.n, err
}

// readTime reads the ways in which a hotline's table writes a time.
func readTime(s string, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(strings.NewReplacer("/", "-", "年", "-", "月", "-", "日", " ", "T", " ").Replace(s))
	for _, layout := range []string{"2006-1-2 15:04:05", "2006-1-2 15:04", "2006-1-2"} {
		if t, err := time.ParseInLocation(layout, strings.Join(strings.Fields(s), " "), zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
