package tables

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/storage/sheet"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const (
	colNumber = "编号"
	colSource = "来源"
)

var mailboxColumns = []sheet.Column{
	{Name: colNumber, Also: []string{"信箱编号", "登记号"}, Example: "2026-001", Help: "信箱里的编号;有编号的,同一个编号只登记一次。不是表格里的序号"},
	{Name: colKind, Example: "心愿", Help: "心愿 或 诉求;不填由系统判断"},
	{Name: colName, Also: []string{"居民", "居民姓名", "联系人"}, Required: true, Example: "王桂英", Help: "谁的心愿或诉求"},
	{Name: colPhone, Also: []string{"联系电话", "手机", "手机号"}, Example: "13800138000", Help: "手机或带区号的座机;没有可以不填"},
	{Name: colPlace, Also: []string{"地址", "住址"}, Example: "毕家洼西区12号楼3单元402", Help: "小区、楼号、单元、房号;诉求必须写到楼"},
	{Name: colText, Also: []string{"心愿", "心愿内容", "诉求", "诉求内容"}, Required: true, Example: "想学用智能手机", Help: "用居民自己的话写"},
	{Name: colCategory, Example: "助老", Help: "如 助老、管道排水;不填由系统判断"},
	{Name: colSource, Example: "心愿信箱", Help: "心愿信箱、心愿墙、走访;只作记录"},
}

// mailbox reads a wish mailbox: every row becomes a ticket of whose it is.
type mailbox struct {
	im    *Importer
	last  desk.Entry
	group *errgroup.Group // nil until the first row is entered
	ctx   context.Context //nolint:containedctx // the group's, which lives as long as one reading
	lanes []chan desk.Entry

	fresh, known atomic.Int64
}

// entering is how many rows are entered side by side; those of one resident
// one after the other, so that nobody is made twice.
const entering = 32

func newMailbox(im *Importer) *mailbox { return &mailbox{im: im} }

func (m *mailbox) begin(ctx context.Context) {
	m.group, m.ctx = errgroup.WithContext(ctx)
	m.lanes = make([]chan desk.Entry, entering)
	for i := range m.lanes {
		m.lanes[i] = make(chan desk.Entry, 4)
		m.group.Go(func() error {
			for e := range m.lanes[i] {
				_, ok, err := m.im.Desk.Enter(m.ctx, m.im.Shape.Community.Code, e)
				if err != nil {
					return err
				}
				if ok {
					m.fresh.Add(1)
				} else {
					m.known.Add(1)
				}
			}
			return nil
		})
	}
}

func (m *mailbox) put(ctx context.Context) error {
	if m.group == nil {
		m.begin(ctx)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.last.Name + "\x00" + m.last.Phone))
	select {
	case m.lanes[h.Sum32()%entering] <- m.last:
		return nil
	case <-m.ctx.Done():
		return m.ctx.Err()
	}
}

func (m *mailbox) done(context.Context) (Entered, error) {
	var err error
	if m.group != nil {
		for _, l := range m.lanes {
			close(l)
		}
		err = m.group.Wait()
	}
	return Entered{Fresh: int(m.fresh.Load()), Before: int(m.known.Load())}, err
}

// row judges a row and keeps it as it will be entered.
func (m *mailbox) row(ctx context.Context, row sheet.Row, fail fail) error {
	im := m.im
	e := desk.Entry{Name: row.Get(colName), Phone: phone(row.Get(colPhone))}
	text, where := row.Get(colText), row.Get(colPlace)
	switch n := utf8.RuneCountInString(e.Name); {
	case n == 0:
		fail(colName, "no_name", nil)
	case n > 20:
		fail(colName, "long_name", nil)
	}
	if e.Phone != "" && !workflow.IsPhone(e.Phone) {
		fail(colPhone, "phone", wording.Values{"Have": e.Phone})
	}
	if text == "" {
		fail(colText, "no_text", nil)
	}
	u, err := im.Understander.Understand(ctx, im.Shape.Community, workflow.Words{Text: text})
	if err != nil {
		return err
	}
	cmd := workflow.Command{Actor: im.Actor, Text: text, Source: workflow.SourceMailbox, Place: u.Place, Kind: u.Kind, Category: u.Category, Severity: u.Severity, Danger: u.Danger}
	if where != "" {
		at, err := im.Understander.Understand(ctx, im.Shape.Community, workflow.Words{Text: where})
		if err != nil {
			return err
		}
		switch cmd.Place = at.Place; {
		case at.PlaceProblem == "no_such_building":
			fail(colPlace, "no_such_building", wording.Values{"Have": where})
		case at.PlaceProblem == "which_estate":
			fail(colPlace, "which_estate", wording.Values{"Have": where, "Estates": strings.Join(at.Estates, "、")})
		case !at.Place.Known():
			fail(colPlace, "place", wording.Values{"Have": where})
		}
	}
	m.kinds(row, &cmd, u, fail)
	if cmd.Kind == workflow.Incident && !cmd.Place.Known() && cmd.Severity != workflow.Emergency && where == "" {
		fail(colPlace, "incident_place", nil)
	}
	if from := row.Get(colSource); from != "" {
		cmd.Text += "\n(" + from + ")"
	}
	e.Command, e.ID = cmd, entryID(row)
	m.last = e
	return nil
}

// kinds takes the kind and category that the row names over what was
// understood.
func (m *mailbox) kinds(row sheet.Row, cmd *workflow.Command, u workflow.Understanding, fail fail) {
	switch kind := row.Get(colKind); kind {
	case "":
		if cmd.Kind != workflow.Incident {
			cmd.Kind = workflow.Wish // who writes to the mailbox wishes something
		}
	case m.im.Taxonomy.Kinds[workflow.Wish]:
		cmd.Kind = workflow.Wish
	case m.im.Taxonomy.Kinds[workflow.Incident]:
		cmd.Kind = workflow.Incident
	default:
		fail(colKind, "kind", wording.Values{"Have": kind})
	}
	if word := row.Get(colCategory); word != "" {
		category, kind, ok := m.im.Taxonomy.Find(word)
		switch {
		case !ok:
			fail(colCategory, "category", wording.Values{"Have": word})
		case row.Get(colKind) != "" && kind != cmd.Kind:
			fail(colCategory, "category_of_other_kind", wording.Values{"Have": word, "Kind": m.im.Taxonomy.Kinds[kind]})
		default:
			cmd.Category, cmd.Kind = category, kind
		}
	} else if _, kind, ok := m.im.Taxonomy.Find(string(u.Category)); !ok || kind != cmd.Kind {
		cmd.Category = workflow.OtherIncident
		if cmd.Kind == workflow.Wish {
			cmd.Category = workflow.OtherWish
		}
	}
	if cmd.Severity == "" {
		cmd.Severity = workflow.Minor
	}
}

// entryID is the same for the same row: its own number with the name, or all
// that it says.
func entryID(row sheet.Row) string {
	key := "number\x00" + row.Get(colNumber) + "\x00" + row.Get(colName)
	if row.Get(colNumber) == "" {
		key = "row"
		for _, c := range []string{colKind, colName, colPhone, colPlace, colText} {
			key += "\x00" + row.Get(c)
		}
	}
	sum := sha256.Sum256([]byte(key))
	return "entry:" + hex.EncodeToString(sum[:16])
}
