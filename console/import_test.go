package console

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

const importPath = "/c/east/admin/import"

// send sends a file with a form.
func (b *browser) send(path, field, name string, data []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	b.must(w.WriteField("csrf", b.sign(path)))
	b.must(w.WriteField("once", newToken()))
	part, err := w.CreateFormFile(field, name)
	b.must(err)
	_, err = part.Write(data)
	b.must(errors.Join(err, w.Close()))
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, &body)
	b.must(err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Origin", b.url)
	return b.do(req)
}

func tableOf(rows ...[]string) []byte {
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes()
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// kept is the token of the table that a page offers to enter.
func (a answer) kept(t *testing.T) url.Values {
	t.Helper()
	m := tokenField.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("nothing is offered to enter: %d %.2000s", a.status, a.body)
	}
	return url.Values{"token": {m[1]}}
}

func (h *house) wished(code string) []workflow.Ticket {
	h.t.Helper()
	all, err := h.store.Wall(h.t.Context(), code, 0, 100)
	h.must(err)
	return all
}

// A table is checked, then that very table is entered, once, by who checked it.
func TestImportOfAMailbox(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	head := []string{"编号", "类型", "姓名", "联系电话", "地址", "内容", "喜好"}
	path := importPath + "/mailbox"
	bad := b.send(path, "table", "坏表.csv", tableOf(head, []string{"1", "心愿", "王桂英", "13800138000", "东园1号楼3单元402", "想学用智能手机"}, []string{"2", "投诉", "", "138", "东园99号楼", ""}))
	bad.mustSay(t, http.StatusUnprocessableEntity, "什么都没有登记:有 5 处要改", "坏表.csv", "请改成 心愿 或 诉求", "没有这栋楼", "没有写内容", "but not", `name="token"`)
	if len(h.wished(east)) != 0 {
		t.Fatal("a table at fault was entered")
	}
	good := tableOf(head, []string{"1", "心愿", "王桂英", "13800138000", "东园1号楼3单元402", "想学用智能手机", "茶"}, []string{"2", "心愿", "李满仓", "", "", "想要一排长椅", ""})
	checked := b.send(path, "table", "王桂英13800138000.csv", good)
	checked.mustSay(t, http.StatusOK, "检查好了", "一共 2 行", "喜好")
	token := checked.kept(t).Get("token")
	form := func() url.Values { return url.Values{"token": {token}} } // each post signs its own
	if len(h.wished(east)) != 0 {
		t.Fatal("looking at a table enters it")
	}
	for who, p := range map[string]string{"another session": "east", "another community": "west"} {
		if a := h.as(p+"/admin").post("/c/"+p+"/admin/import/mailbox/enter", form()); a.status != http.StatusConflict {
			t.Errorf("%s enters it: %d", who, a.status)
		}
	}
	if a := b.post(importPath+"/care/enter", form()); a.status != http.StatusConflict {
		t.Errorf("it is entered as another kind: %d", a.status)
	}
	if a := b.post(path+"/enter", url.Values{"token": {newToken()}}); a.status != http.StatusConflict {
		t.Errorf("nothing is entered: %d", a.status)
	}
	a := b.post(path+"/enter", form())
	if a.status != http.StatusSeeOther {
		t.Fatalf("entering: %d %s", a.status, a.body)
	}
	b.get(a.to()).mustSay(t, http.StatusOK, "登记了 2 行")
	wishes := h.wished(east)
	if len(wishes) != 2 || wishes[0].Source != workflow.SourceMailbox || wishes[0].FiledBy != h.people["east/admin"].ID {
		t.Fatalf("on the wall: %+v", wishes)
	}
	if twice := b.post(path+"/enter", form()); twice.to() != a.to() {
		t.Errorf("entered twice: %d to %q, the first to %q", twice.status, twice.to(), a.to())
	}
	again := b.send(path, "table", "again.csv", good)
	a = b.post(path+"/enter", again.kept(t))
	b.get(a.to()).mustSay(t, http.StatusOK, "登记了 0 行;2 行以前登记过")
	if len(h.wished(east)) != 2 || len(h.wished(west)) != 0 {
		t.Error("the same table makes something twice, or elsewhere")
	}
	all, err := h.store.AuditLog(t.Context(), east, accessEntries)
	h.must(err)
	var said []string
	for _, e := range all {
		said = append(said, e.Action+" "+e.Object)
	}
	log := strings.Join(said, "\n")
	if !strings.Contains(log, "import.entered mailbox again.csv, 0 new, 2 before") || !strings.Contains(log, ", 2 new, 0 before") || strings.Contains(log, "13800138000") {
		t.Errorf("the audit log says:\n%s", log)
	}
}

// A kept table runs out, is sealed, and does not outlive a change of what it was
// checked against.
func TestAKeptTable(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	good := tableOf([]string{"姓名", "地址"}, []string{"王桂英", "东园4号楼1单元101"})
	form := b.send(importPath+"/care", "table", "care.csv", good).kept(t)
	kept, ok, err := h.console.o.Shelf.Kept(t.Context(), east, shelf(form.Get("token")))
	if err != nil || !ok || bytes.Contains(kept, []byte("王桂英")) {
		t.Errorf("kept %v %v, readable: %v", ok, err, bytes.Contains(kept, []byte("王桂英")))
	}
	doc := strings.NewReplacer("buildings: 4", "buildings: 3", "东园:3-4", "东园:3-3").Replace(fmt.Sprintf(document, east, "东社区"))
	smaller, err := workflow.ParseCommunity(strings.NewReader(doc))
	h.must(err)
	_, err = h.store.ApplyCommunity(t.Context(), smaller, []byte(doc), "test")
	h.must(err)
	h.must(h.desk.Refresh(t.Context()))
	b.post(importPath+"/care/enter", form).mustSay(t, http.StatusUnprocessableEntity, "什么都没有登记:有 1 处要改")
	if all, err := h.store.CareList(t.Context(), east); err != nil || len(all) != 0 {
		t.Errorf("on the list: %v %v", all, err)
	}
	h.must(h.console.o.Shelf.Discard(t.Context(), east, shelf(form.Get("token")))) // as its time does
	b.post(importPath+"/care/enter", form).mustSay(t, http.StatusConflict, "超过 15 分钟")
}

// The hotline's complaints and the care list go the same way.
func TestImportOfTheOthers(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	for kind, rows := range map[string][]byte{
		"care":    tableOf([]string{"姓名", "地址", "类型"}, []string{"王桂英", "东园1号楼1单元101", "独居"}),
		"hotline": tableOf([]string{"工单号", "受理时间"}, []string{"A1", "2026-11-18 09:30"}),
	} {
		for _, want := range []string{"登记了 1 行", "登记了 0 行;1 行以前就有"} {
			a := b.post(importPath+"/"+kind+"/enter", b.send(importPath+"/"+kind, "table", kind+".csv", rows).kept(t))
			b.get(a.to()).mustSay(t, http.StatusOK, want)
		}
	}
	if all, err := h.store.CareList(t.Context(), east); err != nil || len(all) != 1 || all[0].Kind != workflow.LivingAlone {
		t.Errorf("the care list: %+v %v", all, err)
	}
	from, until := (digest.Week{Year: 2026, Number: 47}).Range(h.shape(east).Community.Location())
	if n, _, err := h.store.Hotline(t.Context(), east, from, until); err != nil || n != 1 {
		t.Errorf("the hotline: %d %v", n, err)
	}
	if a := b.get(importPath + "/people/template"); a.status != http.StatusNotFound {
		t.Errorf("a table of no kind: %d", a.status)
	}
}

// What is no table is refused by what it holds, in words.
func TestWhatIsNoTable(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	path := importPath + "/mailbox"
	many := [][]string{{"姓名", "内容"}}
	for i := range tableRows + 1 {
		many = append(many, []string{"王桂英", fmt.Sprint("想要第", i, "本书")})
	}
	var bomb bytes.Buffer
	w := zip.NewWriter(&bomb)
	part, err := w.Create("xl/workbook.xml")
	h.must(err)
	for range 110 {
		_, err = part.Write(make([]byte, 1<<20))
		h.must(err)
	}
	h.must(w.Close())
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"a.xlsx": {[]byte("<html><script>alert(1)</script>"), "这不是表格"},
		"b.csv":  {[]byte("姓,名\n1,2\n"), "没有找到标题「姓名、内容」"},
		"c.xlsx": {[]byte("PK\x03\x04broken"), "打不开"},
		"d.csv":  {tableOf([]string{"姓名", "内容"}), "标题行下面没有内容"},
		"e.csv":  {bytes.Repeat([]byte("姓名,内容\n"), 1<<19), "太大了"},
		"f.csv":  {tableOf(many...), "一次最多 5000 行"},
		"g.xlsx": {bomb.Bytes(), "太大了"},
		"h.csv":  {nil, "标题行下面没有内容"},
	} {
		a := b.send(path, "table", name, c.data)
		a.mustSay(t, http.StatusUnprocessableEntity, c.says, "but not", `name="token"`, "<script>alert")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	b.post(path, nil).mustSay(t, http.StatusUnprocessableEntity, "请先选一张")
	if len(h.wished(east)) != 0 {
		t.Error("something was entered")
	}
}

// table is the empty table of the wish mailbox with some rows filled in, on disk.
func (h *house) table(name string, rows ...[]any) string {
	h.t.Helper()
	book, err := excelize.OpenReader(strings.NewReader(h.as("east/admin").get(importPath + "/mailbox/template").body))
	h.must(err)
	defer book.Close()
	sheet := book.GetSheetName(0)
	for i, row := range rows {
		h.must(book.SetSheetRow(sheet, fmt.Sprint("A", i+3), &row))
	}
	file := filepath.Join(h.t.TempDir(), name)
	var b bytes.Buffer
	h.must(book.Write(&b))
	h.must(os.WriteFile(file, b.Bytes(), 0o600))
	return file
}

// From the empty table to what is entered, in a browser.
func TestATableIsFilledInAndImported(t *testing.T) {
	h := newHouse(t)
	bad := h.table("心愿信箱.xlsx", []any{"2026-001", "心愿", "王桂英", "1380013", "东园9号楼3单元402", "想学用智能手机", "助老", "心愿信箱"})
	good := h.table("心愿信箱.xlsx", []any{"2026-001", "心愿", "王桂英", "13800138000", "东园1号楼3单元402", "想学用智能手机", "助老", "心愿信箱"}, []any{"2026-002", "", "李满仓", "", "", "楼前想要一排长椅"})

	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		b := h.tab("east/admin", size[0], size[1])
		b.Go(h.url + importPath)
		b.FitsItsWidth()
		b.Whole("import-" + name)
		b.Do("choose", chromedp.SetUploadFiles(chromedp.CSS(`input[name=table]`), []string{bad}), browsertest.Presses("检查这张表"), browsertest.Says("什么都没有登记:有 2 处要改"))
		b.FitsItsWidth()
		b.Whole("import-faults-" + name)
		b.Do("again", chromedp.SetUploadFiles(chromedp.CSS(`input[name=table]`), []string{good}), browsertest.Presses("检查这张表"), browsertest.Says("检查好了,没有要改的"))
		b.Whole("import-checked-" + name)
		b.Do("enter", browsertest.Presses("登记这 2 行"), browsertest.Says("先下载空表填好"), browsertest.Says("登记了"))
		b.Whole("import-entered-" + name)
	}
	if n := len(h.wished(east)); n != 2 {
		t.Errorf("%d wishes on the wall, want 2", n)
	}
}
