package tables

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jonboulle/clockwork"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

const document = `
code: east
name: 东社区
estates: [{name: 东园, buildings: 4}, {name: 西园, buildings: 4}]
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-4"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "西园:1-4"}
`

// importer judges tables without stores: nothing is entered.
func importer(t testing.TB) *Importer {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := workflow.ParseCommunity(strings.NewReader(document))
	must(err)
	words, err := wording.Parse(configs.Read("wording.yaml"))
	must(err)
	taxonomy := &workflow.Taxonomy{}
	must(yaml.Unmarshal(configs.Read("taxonomy.yaml"), taxonomy))
	rules, err := understand.New(configs.Read("understand.yaml"))
	must(err)
	return &Importer{
		Desk:         desk.New(desk.Options{Clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))}),
		Understander: rules, Shape: desk.Shape{Community: c}, Wording: words, Taxonomy: taxonomy,
	}
}

// FuzzCells: whatever stands in the cells, a row is either told what is wrong with
// it, in words, or is fit to be entered.
func FuzzCells(f *testing.F) {
	for _, seed := range [][6]string{
		{"2026-001", "心愿", "王桂英", "13800138000", "东园2号楼3单元402", "想学用智能手机"},
		{"", "诉求", "李", "0531-5550100", "", "煤气泄漏"}, {"1", "x", "", "+86 138", "9号楼", "2号楼灯坏了"},
		{"2026111800123", "独居", "孙桂兰", "", "东园1号楼", "7天"}, {"1", "低保", "孙", "", "西园", "-1"},
		{"1", "噪音扰民", "2026年11月18日09:30", "2026/11/18", "东园", "999999999999999999999"}, {"\x00", "\u202e", "{{.X}}", "=1+1", "\xff", "\r\n\""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	im, dir := importer(f), f.TempDir()
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g string) {
		for k, head := range map[Kind][]string{
			Mailbox: {colNumber, colKind, colName, colPhone, colPlace, colText},
			Care:    {colNote, colKind, colName, colPhone, colPlace, colEvery},
			Hotline: {colTicket, colCategory, colTaken, colTaken + "2", colPlace, colText},
		} {
			file := filepath.Join(dir, string(k)+".csv")
			var table bytes.Buffer
			w := csv.NewWriter(&table)
			_ = w.WriteAll([][]string{head, {a, b, c, d, e, g}})
			if err := os.WriteFile(file, table.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			r := kinds[k].begin(im)
			var found Checked
			err := im.each(t.Context(), k, file, &found, r, nil)
			if err != nil {
				if im.Says(err) == "" {
					t.Fatalf("%s: %q is refused without a word: %v", k, table.Bytes(), err)
				}
				continue
			}
			for _, fault := range found.Faults {
				if fault.Row < 2 || fault.Says == "" || !utf8.ValidString(fault.Says) || strings.Contains(fault.Says, "<no value>") {
					t.Fatalf("%s: %q: the fault %+v", k, table.Bytes(), fault)
				}
			}
			if found.Good == 1 {
				fit(t, r)
			}
		}
	})
}

// fit fails where a row that was found good cannot be entered.
func fit(t *testing.T, r reading) {
	t.Helper()
	text := func(what, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Fatalf("the %s %q cannot be kept", what, s)
		}
	}
	switch r := r.(type) {
	case *mailbox:
		text("name", r.last.Name)
		text("text", r.last.Command.Text)
		if r.last.ID == "" || r.last.Command.Kind == "" || r.last.Command.Category == "" || r.last.Command.Severity == "" || r.last.Name == "" {
			t.Fatalf("a row that is half read: %+v", r.last)
		}
	case *care:
		text("name", r.last.Name)
		text("note", r.last.Note)
		if r.last.Every < 1 || r.last.Every > 366 || r.last.Place.Building == 0 || r.last.Kind == "" {
			t.Fatalf("a visit that never comes: %+v", r.last)
		}
	case *hotline:
		if r.last == nil {
			t.Fatal("a good row of nothing")
		}
		text("number", r.last.Number)
		text("category", r.last.Category)
		if y := r.last.At.Year(); y < 0 || y > 9999 {
			t.Fatalf("in the year %d", y)
		}
	}
}
