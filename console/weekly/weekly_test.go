package weekly

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const document = `
code: east
name: 东社区
estates:
  - {name: 东园, buildings: 4}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-2"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "东园:3-4"}
`

func voice(t *testing.T) wording.Voice {
	t.Helper()
	c, err := workflow.ParseCommunity(strings.NewReader(document))
	must(t, err)
	w, err := wording.Parse(configs.Read("wording.yaml"))
	must(t, err)
	taxonomy := &workflow.Taxonomy{}
	must(t, yaml.Unmarshal(configs.Read("taxonomy.yaml"), taxonomy))
	return wording.Voice{W: w, Taxonomy: taxonomy, Shape: desk.Shape{Community: c}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// week is a digest with something in every part.
func week(t *testing.T) *digest.Digest {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	must(t, err)
	d := &digest.Digest{Community: "east", Name: "东社区", Week: digest.Week{Year: 2026, Number: 47}, MadeAt: time.Date(2026, 11, 23, 8, 0, 0, 0, zone), Floor: 85}
	d.From, d.Until = d.Week.Range(zone)
	d.Now = digest.Figures{Messages: 240, Incidents: 61, Wishes: 9, Merged: 4, Cancelled: 2, Resolved: 55, Missed: 6, Reopened: 3, Undone: 2, Escalated: 1, Unrated: 8, Claimed: 5, Fulfilled: 4, Hotline: 3,
		Rates:   digest.Rates{Response: digest.Rate{Of: 60, Good: 57}, Resolution: digest.Rate{Of: 62, Good: 51}, OnTime: digest.Rate{Of: 62, Good: 49}, Satisfaction: digest.Rate{Of: 40, Good: 39}, Satisfied: digest.Rate{Of: 40, Good: 33}},
		Inside:  digest.Rate{Of: 55, Good: 50},
		Repeats: 7, ResponseTimes: []digest.Spread{{Of: "minor", Times: digest.Times{N: 50, Median: 1260, P90: 4000}, Promise: 3600}}, HandlingTimes: []digest.Spread{{Of: "minor", Times: digest.Times{N: 48, Median: 14400, P90: 100_000}, Promise: 172_800}},
		Units: []digest.Unit{
			{By: digest.ByCategory, Code: "facilities", Taken: 30, Rates: digest.Rates{Response: digest.Rate{Of: 30, Good: 30}}},
			{By: digest.ByGrid, Code: "G1", Taken: 40, Rates: digest.Rates{Resolution: digest.Rate{Of: 40, Good: 38}}, ResponseTimes: digest.Times{N: 40, Median: 1260, P90: 4000}, HandlingTimes: digest.Times{N: 38, Median: 14400, P90: 100_000}}, {By: digest.ByGrid, Code: "G2", Taken: 30, Rates: digest.Rates{Resolution: digest.Rate{Of: 22, Good: 13}}},
			{By: digest.ByGroup, Code: "worker", Taken: 60}, {By: digest.ByProperty, Code: "=红色物业", Taken: 3},
		}}
	d.Before = digest.Figures{Incidents: 50, Hotline: -1, Rates: digest.Rates{Resolution: digest.Rate{Of: 50, Good: 47}},
		ResponseTimes: []digest.Spread{{Of: "minor", Times: digest.Times{N: 40, Median: 1500, P90: 3000}, Promise: 3600}},
		Units:         []digest.Unit{{By: digest.ByGrid, Code: "G1", Taken: 25, Rates: digest.Rates{Resolution: digest.Rate{Of: 20, Good: 19}}, ResponseTimes: digest.Times{N: 20, Median: 1500, P90: 3000}}}}
	d.YearAgo = digest.Figures{Hotline: 11, Units: []digest.Unit{{By: digest.ByGrid, Code: "G1", Taken: 38, Rates: digest.Rates{Resolution: digest.Rate{Of: 30, Good: 24}}, ResponseTimes: digest.Times{N: 30, Median: 1800, P90: 3600}}}}
	d.Below = []digest.Below{{By: digest.ByGrid, Code: "G2", Rate: "resolution", Is: digest.Rate{Of: 22, Good: 13}}}
	d.Late = []digest.Item{{Number: 1024, Kind: workflow.Incident, Category: "drainage", Grid: "G2", Owner: "唐娟", Group: "worker", Missed: workflow.ClockResolve, Late: 200_000, FiledAt: d.From}, {Number: 1025, Category: "noise", Missed: workflow.ClockResponse, Late: 3700, FiledAt: d.From}}
	d.HotSpots = []digest.Hot{{Spot: digest.Spot{Estate: "东园", Building: 3, Grid: "G2", Category: "drainage"}, Times: 5, Days: 28}}
	d.HotSpots[0].Before, d.HotSpots[0].YearAgo = 4, 1
	d.LateCount, d.HotCount, d.Unclaimed, d.Pairs = 2, 1, 3, 1
	d.Now.AtEnd = &digest.AtEnd{Late: 2, HotSpots: 1, Unclaimed: 3, Pairs: 1}
	d.Before.AtEnd, d.YearAgo.AtEnd = &digest.AtEnd{Late: 5, Risen: 6, HotSpots: 7, Unclaimed: 8, Pairs: 9}, &digest.AtEnd{Late: 15, Risen: 16, HotSpots: 17, Unclaimed: 18, Pairs: 19}
	d.Before.Units = append(d.Before.Units, digest.Unit{By: digest.ByCategory, Code: "parking", Taken: 4})
	d.YearAgo.Units = append(d.YearAgo.Units, digest.Unit{By: digest.ByCategory, Code: "noise", Taken: 2})
	d.YearAgo.ResponseTimes = []digest.Spread{{Of: "major", Times: digest.Times{N: 3, Median: 600, P90: 900}, Promise: 3600}}
	d.Changes = []digest.Change{{Week: digest.Week{Year: 2026, Number: 46}, Part: digest.Part{Figure: "resolution"}, Was: 96, Is: 94}, {Week: digest.Week{Year: 2026, Number: 46}, Part: digest.Part{Figure: "hotline"}, Was: -1, Is: 5},
		{Week: digest.Week{Year: 2026, Number: 45}, Part: digest.Part{Figure: "satisfaction", By: digest.ByGrid, Code: "G2"}, Was: -1, Is: 50}}
	d.Findings = []digest.Finding{
		{Key: "below", Values: map[string]any{"rate": "resolution", "is": 82.3, "of": 62, "good": 51, "floor": 85}},
		{Key: "late", Values: map[string]any{"count": 2, "ended": true, "oldest": 1024, "days": 2, "hours": 55, "owner": "唐娟", "has": 0}},
		{Key: "hot_spot", Values: map[string]any{"place": "东园 3号楼", "category": "drainage", "times": 5, "days": 28, "count": 1}},
	}
	return d
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}

func TestTheTextIsAsAgreed(t *testing.T) {
	var b bytes.Buffer
	must(t, Text(&b, Compose(voice(t), week(t))))
	golden(t, "week.txt", b.Bytes())
}

// A digest that went through the record, as JSON, says the same.
func TestAKeptDigestSaysTheSame(t *testing.T) {
	data, err := json.Marshal(week(t))
	must(t, err)
	var kept digest.Digest
	must(t, json.Unmarshal(data, &kept))
	var b bytes.Buffer
	must(t, Text(&b, Compose(voice(t), &kept)))
	want, err := os.ReadFile(filepath.Join("testdata", "week.txt"))
	must(t, err)
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("a kept digest says\n%s", b.Bytes())
	}
}

// The JSON is what other programs read: its names stay.
func TestTheJSONIsAsAgreed(t *testing.T) {
	data, err := json.MarshalIndent(week(t), "", "  ")
	must(t, err)
	golden(t, "week.json", append(data, '\n'))
}

// What a language model wrote says so, in every form.
func TestWhoWroteTheSentencesIsSaid(t *testing.T) {
	d := week(t)
	d.Sentences = []string{"解决率 82.3%。"}
	r := Compose(voice(t), d)
	var text, page, table bytes.Buffer
	must(t, Text(&text, r))
	must(t, Page(&page, r, Alone{}))
	must(t, Book(&table, r))
	book, err := excelize.OpenReader(&table)
	must(t, err)
	defer book.Close()
	said, err := book.GetCellValue("总览", "A3")
	must(t, err)
	for form, got := range map[string]string{"text": text.String(), "page": page.String(), "table": said} {
		if !strings.Contains(got, "人工智能") {
			t.Errorf("the %s does not say who wrote it", form)
		}
	}
	if strings.Contains(text.String(), "东园 3号楼的管道排水问题") {
		t.Error("the rules' sentences stand beside them")
	}
}

// A week that is not over says so, in every form.
func TestARunningWeekSaysSo(t *testing.T) {
	d := week(t)
	for _, running := range []bool{false, true} {
		if running {
			d.MadeAt = d.Until.Add(-time.Minute)
		}
		r := Compose(voice(t), d)
		var text, page, table bytes.Buffer
		must(t, Text(&text, r))
		must(t, Page(&page, r, Alone{}))
		must(t, Book(&table, r))
		book, err := excelize.OpenReader(&table)
		must(t, err)
		said, err := book.GetCellValue("总览", "A2")
		must(t, err)
		must(t, book.Close())
		for form, got := range map[string]string{"text": text.String(), "page": page.String(), "table": said} {
			if strings.Contains(got, "这一周还没有过完") != running {
				t.Errorf("running: %v, and the %s says %.200s", running, form, got)
			}
		}
	}
}

// Where more are late than a table lists, it says how many there are.
func TestAMountainIsCounted(t *testing.T) {
	d := week(t)
	d.LateCount = 120
	r := Compose(voice(t), d)
	if late := r.Tiles[len(r.Tiles)-1]; late.Is != "120" || !late.Bad {
		t.Errorf("on top stands %+v", late)
	}
	var b bytes.Buffer
	must(t, Text(&b, r))
	if !strings.Contains(b.String(), "一共 120 件,这里列出最要紧的 2 件") {
		t.Errorf("the table of late ones hides how many there are: %s", b.String())
	}
}

// Beside each figure stands that of the week before and of a year ago, also where
// this week has none.
func TestEveryFigureHasItsPast(t *testing.T) {
	r := Compose(voice(t), week(t))
	rows := map[string][]string{}
	for _, table := range r.Tables {
		for _, row := range table.Rows {
			var texts []string
			for _, c := range row[1:] {
				texts = append(texts, c.Text)
				for _, p := range c.Past {
					texts = append(texts, p.Text)
				}
			}
			rows[table.Name+" "+row[0].Text] = texts
		}
	}
	for name, want := range map[string]string{
		"总览 到周日仍超时": "2 5 15", "总览 到周日由党委督办": "0 6 16", "总览 热点(处)": "1 7 17", "心愿 到周日墙上待认领": "3 8 18", "心愿 到周日结对帮扶中": "1 9 19",
		"类别 停车管理": "0 4 0", "类别 噪音扰民": "0 0 2", "快慢 大事": "多久有人接 0 0 3 — — 10 分 — — 15 分 1 小时 0 分",
		"热点 东园 3号楼": "管道排水 第二网格 5 4 1 28", "低于要求的 网格": "第二网格 解决率 59.1% — — 13 0 0 22 0 0",
	} {
		if got := strings.Join(rows[name], " "); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, tile := range r.Tiles {
		if tile.Past[0] == "" || tile.Past[1] == "" {
			t.Errorf("%s stands alone: %+v", tile.Name, tile)
		}
	}
	if got := strings.Count(r.Charts[0].Option, `"type":"bar"`); got != 3 {
		t.Errorf("the chart of the rates shows %d weeks", got)
	}
	d := week(t)
	d.MadeAt = d.Until.Add(-time.Hour)
	var b bytes.Buffer
	must(t, Text(&b, Compose(voice(t), d)))
	if s := b.String(); !strings.Contains(s, "现在超时") || !strings.Contains(s, "现在由党委督办") || !strings.Contains(s, "现在墙上待认领") || strings.Contains(s, "到周日由党委") {
		t.Errorf("a week that runs does not say now: %s", s)
	}
	d = week(t)
	d.Now.AtEnd, d.Before.AtEnd, d.YearAgo.AtEnd = nil, nil, nil // of an older build
	b.Reset()
	must(t, Text(&b, Compose(voice(t), d)))
	if s := b.String(); !strings.Contains(s, "到周日仍超时            2        —         —") {
		t.Errorf("an older build's digest: %s", s)
	}
}

// Every finding, note and name has words; none is left with a hole.
func TestNothingIsLeftUnsaid(t *testing.T) {
	o := voice(t)
	fallback := o.Say("fallback", nil)
	var b bytes.Buffer
	must(t, Text(&b, Compose(o, week(t))))
	for _, bad := range []string{fallback, "{{", "<no value>", "digest."} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the text holds %q", bad)
		}
	}
	for _, key := range []string{"nothing", "below", "rose", "fell", "unit_below", "well", "late", "unclaimed", "fulfilled", "hot_spot", "repeat", "taken", "more", "fewer", "inside", "hotline_more", "hotline_fewer"} {
		if !o.W.Has("digest.finding." + key) {
			t.Errorf("finding %s has no words", key)
		}
	}
	empty := &digest.Digest{Name: "东社区", Week: digest.Week{Year: 2026, Number: 1}, Findings: []digest.Finding{{Key: "nothing"}}}
	b.Reset()
	must(t, Text(&b, Compose(o, empty)))
	if !strings.Contains(b.String(), "没有收到新的诉求和心愿") {
		t.Errorf("an empty week: %s", b.String())
	}
}

func TestTheSpreadsheetOpens(t *testing.T) {
	var b bytes.Buffer
	must(t, Book(&b, Compose(voice(t), week(t))))
	book, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	must(t, err)
	defer book.Close()
	if got := strings.Join(book.GetSheetList(), " "); got != "总览 快慢 网格 类别 处置力量 物业公司 各处快慢 低于要求的 超时未办 热点 心愿 前几期周报发出后的变化 口径" {
		t.Errorf("sheets: %s", got)
	}
	find := func(sheet, first string) []string {
		t.Helper()
		rows, err := book.GetRows(sheet)
		must(t, err)
		for _, row := range rows {
			if len(row) > 0 && row[0] == first {
				return row
			}
		}
		t.Fatalf("%s has no row %q", sheet, first)
		return nil
	}
	if got := find("总览", "解决率"); got[1] != "82.3%" || got[2] != "94.0%" {
		t.Errorf("the rates read %v", got)
	}
	if got := find("网格", "第一网格"); strings.Join(got[1:4], " ") != "40 25 38" || strings.Join(got[7:10], " ") != "95.0% 95.0% 80.0%" {
		t.Errorf("a grid beside its past reads %v", got)
	}
	if got := find("快慢", "小事"); got[2] != "50" || got[3] != "40" || got[5] != "0:21" || got[6] != "0:25" || got[7] != "—" {
		t.Errorf("times beside their past read %v", got)
	}
	if got := find("超时未办", "1024"); got[3] != "唐娟" || got[5] != "55:33" {
		t.Errorf("the late one reads %v", got)
	}
	if got := find("物业公司", "=红色物业"); got[1] != "3" {
		t.Errorf("a name that looks like a formula reads %v", got)
	}
	if f, err := book.GetCellFormula("物业公司", "A4"); err != nil || f != "" {
		t.Errorf("it became a formula: %q %v", f, err)
	}
	for _, sheet := range []string{"总览", "网格", "超时未办"} {
		panes, err := book.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit == 0 {
			t.Errorf("%s: its head is not frozen: %+v %v", sheet, panes, err)
		}
		layout, err := book.GetPageLayout(sheet)
		if err != nil || layout.Size == nil || *layout.Size != 9 {
			t.Errorf("%s is not set up for A4: %+v %v", sheet, layout, err)
		}
	}
	archive, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	charts := 0
	for _, f := range archive.File {
		if strings.HasPrefix(f.Name, "xl/charts/chart") {
			charts++
		}
	}
	if charts != 3 {
		t.Errorf("%d charts, want those of the rates, of grids and of categories", charts)
	}
	for _, f := range archive.File {
		if f.Name != "xl/charts/chart1.xml" {
			continue
		}
		r, err := f.Open()
		must(t, err)
		var chart bytes.Buffer
		_, err = chart.ReadFrom(r)
		must(t, err)
		for _, want := range []string{"$B$14:$B$16", "$C$14:$C$16", "$D$14:$D$16", "$A$14:$A$16"} {
			if !strings.Contains(chart.String(), want) {
				t.Errorf("the chart of the rates does not show %s", want)
			}
		}
	}
	for cell, want := range map[string]string{"A14": "响应率", "A16": "满意率", "B7": "本周"} {
		if got, err := book.GetCellValue("总览", cell); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", cell, got, want, err)
		}
	}
	for sheet, fixed := range map[string]int{"网格": 1, "类别": 1, "处置力量": 1, "低于要求的": 3, "各处快慢": 2, "总览": 0, "超时未办": 0} {
		if panes, err := book.GetPanes(sheet); err != nil || panes.XSplit != fixed {
			t.Errorf("%s: %d columns stay, want %d (%v)", sheet, panes.XSplit, fixed, err)
		}
	}
	day, err := book.GetCellValue("超时未办", "G4", excelize.Options{RawCellValue: true})
	if shown, _ := book.GetCellValue("超时未办", "G4"); err != nil || day != "46342" || shown != "2026-11-16" {
		t.Errorf("a day is %q, shown as %q (%v)", day, shown, err)
	}
	if got := find("各处快慢", "网格"); strings.Join(got[1:], " ") != "第一网格 0:21 0:25 0:30 1:06 0:50 1:00 4:00 — — 27:46 — —" {
		t.Errorf("a unit's times read %v", got)
	}
}

func TestThePageStandsAlone(t *testing.T) {
	var b bytes.Buffer
	must(t, Page(&b, Compose(voice(t), week(t)), Alone{Styles: []string{"body{}"}, Scripts: []string{"1;"}}))
	page := b.String()
	for _, want := range []string{"东社区周报", "82.3%", "唐娟", "data-chart=", "<style>body{}</style>", "这些数是怎么算的"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"src=\"http", "href=\"http", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}
