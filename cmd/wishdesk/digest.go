package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/console/assets"
	"github.com/wishdesk/wishdesk/console/weekly"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/sheet"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

type digestCommand struct {
	Community string `required:"" help:"The community's code."`
	Week      string `help:"Which week, such as 2026-W47; the last one that has ended if empty."`
	Format    string `enum:"text,html,xlsx,json" default:"text" help:"text, html, xlsx, json."`
	Out       string `help:"The file to write; standard output if empty." type:"path" placeholder:"FILE"`
	Sent      bool   `help:"The digest as it was sent to the committee, not as the record is now."`
}

// Run counts a week and writes it.
func (c digestCommand) Run(ctx context.Context, p *program) error {
	_, words, taxonomy, err := readConfigs()
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		d, closing, err := p.openDesk(ctx, store)
		if err != nil {
			return err
		}
		defer closing()
		shape, ok := d.Shape(c.Community)
		if !ok {
			return noCommunity(c.Community, &workflow.Error{Code: workflow.CodeNotFound})
		}
		made, err := c.make(ctx, d, shape)
		if err != nil {
			return err
		}
		out := p.out
		if c.Out != "" {
			f, err := os.Create(c.Out)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			out = f
		}
		return c.write(out, wording.New(words, taxonomy, shape, nil), made)
	})
}

func (c digestCommand) make(ctx context.Context, d *desk.Desk, shape desk.Shape) (digest.Digest, error) {
	week := digest.WeekOf(d.Now(), shape.Community.Location()).Before()
	if c.Week != "" {
		var err error
		if week, err = digest.ParseWeek(c.Week); err != nil {
			return digest.Digest{}, usage(fmt.Errorf("--week: %w", err))
		}
	}
	if !c.Sent {
		return d.Digest(ctx, c.Community, week)
	}
	made, ok, err := d.Journal().SentDigest(ctx, c.Community, week)
	if err == nil && !ok {
		err = usage(fmt.Errorf("the digest of %s was not sent", week))
	}
	return made, err
}

func (c digestCommand) write(out io.Writer, voice wording.Voice, made digest.Digest) error {
	r := weekly.Compose(voice, &made)
	switch c.Format {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		made.Sentences = r.Sentences
		return enc.Encode(made)
	case "html":
		files, err := assets.Load()
		if err != nil {
			return err
		}
		return weekly.Page(out, r, weekly.Alone{
			Styles:  []string{files.Text("desk.css")},
			Scripts: []string{files.Text("echarts.simple.min.js"), files.Text("charts.js")},
		})
	case "xlsx":
		return weekly.Book(out, r)
	}
	return weekly.Text(out, r)
}

type hotlineCommand struct {
	Import hotlineImport `cmd:"" help:"Enter complaints that went to the hotline 12345 from a table (.xlsx, .csv)."`
}

type hotlineImport struct {
	File      string `arg:"" optional:"" type:"existingfile" help:"The hotline's table: .xlsx or .csv."`
	Community string `help:"The community's code."`
	Template  string `help:"Write an empty table to fill in (.xlsx) and stop." type:"path" placeholder:"FILE"`
}

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

// Run checks the whole table, then stores it; of each complaint only number,
// time, category and grid are kept.
func (c hotlineImport) Run(ctx context.Context, p *program) error {
	if c.Template != "" {
		return writeForm(c.Template, "12345 热线", hotlineColumns, p)
	}
	if c.File == "" || c.Community == "" {
		return usage(errors.New("which file, into which community? wishdesk hotline import FILE --community CODE; --template FILE writes an empty one"))
	}
	rules, words, _, err := readConfigs()
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		shape, err := store.Shape(ctx, c.Community)
		if err != nil {
			return noCommunity(c.Community, err)
		}
		all, bad, err := c.read(ctx, p, shape.Community, rules, words)
		if err != nil {
			return err
		}
		if bad > 0 {
			return usage(fmt.Errorf("%d cells are at fault; nothing was entered", bad))
		}
		fresh := 0
		for len(all) > 0 {
			n := min(len(all), 1000)
			added, err := store.PutHotline(ctx, c.Community, all[:n])
			if err != nil {
				return err
			}
			fresh, all = fresh+added, all[n:]
		}
		_, _ = fmt.Fprintf(p.out, "%d complaints are new\n", fresh)
		return nil
	})
}

func (c hotlineImport) read(ctx context.Context, p *program, community *workflow.Community, rules *understand.Rules, words *wording.Wording) (all []postgres.Complaint, bad int, err error) {
	r, err := sheet.Open(c.File, hotlineColumns)
	if err != nil {
		return nil, 0, usage(fmt.Errorf("%s: %w", c.File, err))
	}
	defer r.Close()
	seen := map[string]bool{}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, bad, nil
		}
		if err != nil {
			return nil, 0, usage(fmt.Errorf("%s: %w", c.File, err))
		}
		fail := func(column, key string) {
			bad++
			_, _ = fmt.Fprintln(p.out, words.Say("import.fault", wording.Values{"Row": row.Number, "Column": column, "Says": words.Say("import."+key, wording.Values{"Have": row.Get(column)})}))
		}
		number := row.Get(colTicket)
		if number == "" {
			fail(colTicket, "no_ticket")
		}
		at, ok := readTime(row.Get(colTaken), community.Location())
		if !ok {
			fail(colTaken, "no_time")
		}
		if seen[number] {
			continue
		}
		seen[number] = true
		u, err := rules.Understand(ctx, community, workflow.Words{Text: strings.TrimSpace(row.Get(colPlace) + " " + row.Get(colText))})
		if err != nil {
			return nil, 0, err
		}
		all = append(all, postgres.Complaint{Number: number, At: at.UTC(), Category: row.Get(colCategory), Grid: u.Place.Grid})
	}
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
