package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
)

var columns = []Column{
	{Name: "时间", Also: []string{"日期", "Date"}, Required: true, Example: "2024-03-05 09:07", Help: "什么时候说的。"},
	{Name: "内容", Also: []string{"诉求内容"}, Required: true, Example: "三号楼的灯坏了", Help: "原话，不超过一千字。"},
	{Name: "手机号", Example: "13800000000", Help: "十一位。"},
}

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rows reads a file to its end, each row as "number: cell|cell|cell".
func rows(t testing.TB, data []byte) (got []string, unknown []string, err error) {
	t.Helper()
	r, err := Open(save(t, data), columns)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			if done, total := r.Progress(); done != total {
				t.Errorf("progress at the end: %d of %d", done, total)
			}
			return got, r.Unknown(), nil
		}
		if fault := (*CellError)(nil); errors.As(err, &fault) {
			got = append(got, fmt.Sprintf("%d: %v", row.Number, err))
			continue
		}
		if err != nil {
			return got, r.Unknown(), err
		}
		got = append(got, fmt.Sprintf("%d: %s|%s|%s", row.Number, row.Get("时间"), row.Get("内容"), row.Get("手机号")))
	}
}

func utf16With(order binary.AppendByteOrder, s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + s)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

func gb18030(t testing.TB, s string) []byte {
	t.Helper()
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCSV(t *testing.T) {
	const plain = "时间,内容,手机号\r\n2024-03-05,灯坏了,138\r\n2024-03-06,\"水管,\r\n漏了\",139\r\n"
	want := []string{"2: 2024-03-05|灯坏了|138", "3: 2024-03-06|水管,\n漏了|139"}
	for _, test := range []struct {
		name    string
		data    []byte
		want    []string
		unknown []string
	}{
		{"utf-8", []byte(plain), want, nil},
		{"utf-8 with mark", []byte("\ufeff" + plain), want, nil},
		{"utf-16 little", utf16With(binary.LittleEndian, plain), want, nil},
		{"utf-16 big", utf16With(binary.BigEndian, plain), want, nil},
		{"gb18030", gb18030(t, plain), want, nil},
		{"gb18030, four bytes a letter", gb18030(t, "时间,内容\n1,㐂老师𠮷\n"), []string{"2: 1|㐂老师𠮷|"}, nil},
		{"gb18030 only at the end", append([]byte("Date,内容\n"[:5]), gb18030(t, strings.Repeat("x", 100_000)+",内容\n1,2,灯\n")...),
			[]string{"2: 1|灯|"}, []string{strings.Repeat("x", 40) + "…"}},
		{"utf-8 with a letter cut in half", []byte(strings.Repeat("标题\n", 9) + "时间,内容\n1,楼道的灯坏\xe4\xba\n"),
			[]string{"11: 1|楼道的灯坏\uFFFD|"}, nil},
		{"semicolons", []byte("时间;内容;手机号\n1;a,b;2\n"), []string{"2: 1|a,b|2"}, nil},
		{"tabs", []byte("时间\t内容\t手机号\n1\ta,b;c\t2\n"), []string{"2: 1|a,b;c|2"}, nil},
		{"old Mac's line ends", []byte("时间,内容\r1,2\r\r3,4"), []string{"2: 1|2|", "4: 3|4|"}, nil},
		{"Excel's sep line", []byte("sep=;\n时间;内容\n1;2\n"), []string{"3: 1|2|"}, nil},
		{"titles above", []byte("某某街道 2024 年台账,,\n\n\"填表说明：\n每行一条\",,\n时间,内容,手机号\n1,2,3\n"), []string{"5: 1|2|3"}, nil},
		{"aliases, order, unknown", []byte("序号, DATE ,＊诉求内容：,备注,内容\n1,2,3,4,5\n"), []string{"2: 2|5|"}, []string{"序号", "＊诉求内容：", "备注"}},
		{"spaces and case in headings", []byte("\u200b时　间*,“,内 容:\n1,2,3\n"), []string{"2: 1|3|"}, []string{"“"}},
		{"the same heading twice", []byte("时间,内容,内容\n1,2,3\n"), []string{"2: 1|2|"}, []string{"内容"}},
		{"blank rows", []byte("\n时间,内容,序号\n,,1\n,,\n\n \t,\u3000,3\n4,5,\n\n"), []string{"7: 4|5|"}, []string{"序号"}},
		{"short and long rows", []byte("时间,内容,手机号\n1\n1,2,3,4,5\n"), []string{"2: 1||", "3: 1|2|3"}, nil},
		{"spaces, invisible letters", []byte("时间,内容,手机号\n\u00a0\u30001\u2003\t,a\u200b b👨\u200d👩\u200d👧❤️\u200d,\u202d138 0000\u202c\n"),
			[]string{"2: 1|a b👨\u200d👩\u200d👧❤️|138 0000"}, nil},
		{"control letters", []byte("时间,内容\n1\x01,a\x1fb\x7f\n"), []string{"2: 1|ab|"}, nil},
		{"quotation marks", []byte("时间,内容,手机号\n\"a\"\"b\",5\" 管,\"c\"d\n1,他说\"好\",\"\"\n"), []string{"2: a\"b|5\" 管|cd", "3: 1|他说\"好\"|"}, nil},
		{"numbers kept as text", []byte("时间,内容,手机号\n1,2,=\"0138\"\n"), []string{"2: 1|2|0138"}, nil},
		{"example row", []byte("时间,内容\n,示例：x\n示例: 1,2\n示例小区,3\n"), []string{"4: 示例小区|3|"}, nil},
		{"nothing below the heading", []byte("时间,内容"), nil, nil},
		{"10,000 characters and one more", []byte("时间,内容\n1," + strings.Repeat("长", 10_000) + "  \n2," + strings.Repeat("长", 10_001) + "\n3,x\n4," + strings.Repeat("y", 1<<20) + "\n5,z\n"),
			[]string{"2: 1|" + strings.Repeat("长", 10_000) + "|",
				"3: sheet: row 3, column 内容: longer than 10,000 characters: shorten it", "4: 3|x|",
				"5: sheet: row 5, column 内容: longer than 10,000 characters: shorten it", "6: 5|z|"}, nil},
		{"long in a column that nobody asked for", []byte("时间,内容,备注\n1,2," + strings.Repeat("长", 10_001) + "\n"), []string{"2: 1|2|"}, []string{"备注"}},
		{"a quotation mark never closed", []byte("时间,内容\n1,2\n3,\"4\n5,6\n"), []string{"2: 1|2|",
			"3: sheet: row 3, column B: begins with a quotation mark that is never closed, so that all rows below belong to it: close it"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, unknown, err := rows(t, test.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.unknown, unknown); diff != "" {
				t.Error("unknown:", diff)
			}
		})
	}
}

func TestANameGoesBeforeAnAlias(t *testing.T) {
	r, err := Open(save(t, []byte("电话,手机号,日期\n1,2,3\n")), []Column{
		{Name: "登记时间", Also: []string{"日期"}}, {Name: "日期"}, {Name: "手机号", Also: []string{"电话"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	row, err := r.Next()
	if err != nil || row.Get("登记时间") != "" || row.Get("日期") != "3" || row.Get("手机号") != "2" || row.Get("没有") != "" {
		t.Errorf("%+v, %v", row, err)
	}
	if unknown := r.Unknown(); !slices.Equal(unknown, []string{"电话"}) {
		t.Errorf("unknown %q", unknown)
	}
}

// book is a workbook as Excel writes it, of sheets made by a function.
func book(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func set(t testing.TB, f *excelize.File, sheet string, row int, values ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", row), &values); err != nil {
		t.Fatal(err)
	}
}

func TestXLSX(t *testing.T) {
	const s = "Sheet1"
	for _, test := range []struct {
		name    string
		fill    func(f *excelize.File)
		want    []string
		unknown []string
	}{
		{"plain", func(f *excelize.File) {
			set(t, f, s, 1, "时间", "内容", "手机号", "备注")
			set(t, f, s, 2, "1", "a\r\nb", 13800000000, "x")
			set(t, f, s, 3, nil, nil, nil, "y")
			set(t, f, s, 6, " 2\u3000", "\u202dc\u202c", "0138")
			set(t, f, s, 7, "示例：2", "c", "0138")
		}, []string{"2: 1|a\nb|13800000000", "6: 2|c|0138"}, []string{"备注"}},
		{"titles above, aliases", func(f *excelize.File) {
			set(t, f, s, 3, "某某街道台账")
			if err := f.MergeCell(s, "A3", "C3"); err != nil {
				t.Fatal(err)
			}
			set(t, f, s, 5, "序号", "诉求内容", "日期")
			set(t, f, s, 6, 1, "a", "b")
		}, []string{"6: b|a|"}, []string{"序号"}},
		{"long", func(f *excelize.File) {
			set(t, f, s, 1, "时间", "内容")
			set(t, f, s, 2, "1", strings.Repeat("长", 10_001))
			set(t, f, s, 3, "2", strings.Repeat("长", 10_000))
		}, []string{"2: sheet: row 2, column 内容: longer than 10,000 characters: shorten it", "3: 2|" + strings.Repeat("长", 10_000) + "|"}, nil},
		{"a formula's value, an error, a truth", func(f *excelize.File) {
			set(t, f, s, 1, "时间", "内容", "手机号")
			set(t, f, s, 2, nil, "x", true)
			if err := f.SetCellFormula(s, "A2", "1+1"); err != nil {
				t.Fatal(err)
			}
		}, []string{"2: |x|TRUE"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, unknown, err := rows(t, book(t, test.fill))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.unknown, unknown); diff != "" {
				t.Error("unknown:", diff)
			}
		})
	}
}

func TestXLSXReadsTheFirstVisibleSheetThatHasRows(t *testing.T) {
	got, _, err := rows(t, book(t, func(f *excelize.File) {
		for i, name := range []string{"藏", "空", "台账", "后"} {
			if _, err := f.NewSheet(name); err != nil {
				t.Fatal(err)
			}
			if name != "空" {
				set(t, f, name, 1, "时间", "内容")
				set(t, f, name, 2, i, name)
			}
		}
		f.SetActiveSheet(4)
		if err := f.SetSheetVisible("藏", false); err != nil {
			t.Fatal(err)
		}
	}))
	if want := []string{"2: 2|台账|"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestXLSXShowsCellsAsAPersonSeesThem(t *testing.T) {
	at := time.Date(2024, 3, 5, 9, 7, 59, 0, time.UTC)
	code := func(s string) *excelize.Style { return &excelize.Style{CustomNumFmt: &s} }
	for _, test := range []struct {
		value any
		style *excelize.Style
		want  string
	}{
		{at, &excelize.Style{NumFmt: 22}, "2024-03-05 09:07"},
		{at, &excelize.Style{NumFmt: 14}, "2024-03-05"},
		{at, &excelize.Style{NumFmt: 31}, "2024-03-05"},
		{at, &excelize.Style{NumFmt: 58}, "2024-03-05"},
		{at, code(`yyyy"年"m"月"d"日" h"时"mm"分"`), "2024-03-05 09:07"},
		{at, code(`[$-804]yyyy/m/d\ h:mm:ss;@`), "2024-03-05 09:07"},
		{at, code(`m"月"d"日";@`), "2024-03-05"},
		{0.5, &excelize.Style{NumFmt: 20}, "12:00"},
		{"2024.3.5", code("yyyy/m/d"), "2024.3.5"},
		{13800000000, nil, "13800000000"},
		{202403050001, &excelize.Style{Font: &excelize.Font{Bold: true}}, "202403050001"},
		{0.1 + 0.2, nil, "0.3"},
		{1234.5, &excelize.Style{NumFmt: 4}, "1,234.50"},
		{0.5, &excelize.Style{NumFmt: 9}, "50%"},
		{"00012", &excelize.Style{NumFmt: 49}, "00012"},
	} {
		got, _, err := rows(t, book(t, func(f *excelize.File) {
			set(t, f, "Sheet1", 1, "时间", "内容")
			set(t, f, "Sheet1", 2, test.value)
			if test.style == nil {
				return
			}
			id, err := f.NewStyle(test.style)
			if err == nil {
				err = f.SetCellStyle("Sheet1", "A2", "A2", id)
			}
			if err != nil {
				t.Fatal(err)
			}
		}))
		if want := []string{"2: " + test.want + "||"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%v in %+v is %q, %v, want %q", test.value, test.style, got, err, want)
		}
	}
}

// parts makes an .xlsx of what stands in its sheet, and of further parts.
func parts(t testing.TB, sheet string, more map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	const relations = `<Relationships><Relationship Id="r1" Type="x/%s" Target="%s"/><Relationship Id="r2" Type="x/sharedStrings" Target="/XL/strings.xml"/><Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>`
	files := map[string]string{
		"_rels/.rels":             fmt.Sprintf(relations, "officeDocument", "odd/book.xml"),
		"odd/_rels/book.xml.rels": fmt.Sprintf(relations, "worksheet", "../data/one.xml"),
		"odd/book.xml":            `<x:workbook xmlns:x="m" xmlns:r="r"><x:workbookPr date1904="1"/><x:sheets><x:sheet name="它的[名字]很长很长很长很长很长很长很长很长很长很长" sheetId="1" r:id="r1"/></x:sheets></x:workbook>`,
		"data/one.xml":            sheet,
	}
	for name, text := range more {
		files[name] = text
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(w, files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const head = `<?xml version="1.0" encoding="UTF-8"?><worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>时间</t></is></c><c t="inlineStr"><is><t>内容</t></is></c></row>`

func TestXLSXOfOtherMakers(t *testing.T) {
	strings := map[string]string{"xl/strings.xml": `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>时间</t></si><si><t>内容</t></si><si><r><t>灯</t></r><r><t>坏了</t></r></si></sst>`}
	for _, test := range []struct {
		name, sheet string
		more        map[string]string
		want        string
	}{
		{"no numbers of rows, no styles", head + `<row><c><v>1</v></c></row></sheetData></worksheet>`, nil, `["2: 1||"]`},
		{"a prefix, shared strings", `<x:worksheet xmlns:x="m"><x:sheetData><x:row r="2"><x:c r="A2" t="s"><x:v>0</x:v></x:c><x:c r="B2" t="s"><x:v>1</x:v></x:c></x:row>` +
			`<x:row r="5"><x:c r="B5" t="s"><x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>`, strings, `["5: |灯坏了|"]`},
		{"days from 1904", head + `<row r="9"><c s="1"><v>43894</v></c></row></sheetData></worksheet>`,
			map[string]string{"odd/styles.xml": `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`}, `["9: 2024-03-05||"]`},
		{"rows after the rows", head + `<row r="2"><c><v>1</v></c></row></sheetData><controls><anchor><row>6</row></anchor></controls></worksheet>`, nil, `["2: 1||"]`},
		{"pictures", head + `<row r="2"><c><v>1</v></c></row></sheetData></worksheet>`, map[string]string{"xl/media/image1.png": "\x89PNG"}, `["2: 1||"]`},
	} {
		got, _, err := rows(t, parts(t, test.sheet, test.more))
		if err != nil || fmt.Sprintf("%q", got) != test.want {
			t.Errorf("%s: %q, %v, want %s", test.name, got, err, test.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	good := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", 1, "时间", "内容")
		set(t, f, "Sheet1", 2, "1", "2")
	})
	var locked bytes.Buffer
	f, err := excelize.OpenReader(bytes.NewReader(good))
	if err == nil {
		err = f.Write(&locked, excelize.Options{Password: "secret"})
	}
	if err != nil {
		t.Fatal(err)
	}
	flipped := parts(t, head+`</sheetData></worksheet>`, nil)
	flipped[bytes.LastIndex(flipped, []byte("data/one.xml"))-46+16] ^= 0xff // in the directory
	row := `<row><c><v>1</v></c></row>`
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrEmpty},
		{"only blanks", []byte("\ufeff\n ,,\n\u3000"), ErrEmpty},
		{"an empty workbook", book(t, func(*excelize.File) {}), ErrEmpty},
		{"no zip", []byte("PK\x03\x04 and no more"), ErrBroken},
		{"half a workbook", good[:len(good)/2], ErrBroken},
		{"a wrong sum", flipped, ErrBroken},
		{"another archive", parts(t, "", map[string]string{"odd/book.xml": "<document/>"}), ErrTable},
		{"old .xls", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 2000)...), ErrOld},
		{"encrypted", locked.Bytes(), ErrEncrypted},
		{"binary", []byte("\x89PNG\r\n\x00\x00\x00"), ErrTable},
		{"pdf", []byte("%PDF-1.7\n"), ErrTable},
		{"a web page named .xls", []byte("\ufeff\n<html><table>"), ErrTable},
		{"201 columns of .csv", []byte(strings.Repeat("x,", 201) + "时间,内容\n"), ErrWide},
		{"201 columns of .xlsx", book(t, func(f *excelize.File) {
			set(t, f, "Sheet1", 1, append(make([]any, 201), "时间", "内容")...)
		}), ErrWide},
		{"a sheet that breaks off", parts(t, head+row, nil), ErrBroken},
		{"rows out of order", parts(t, head+`<row r="5"/><row r="4"/></sheetData></worksheet>`, nil), ErrBroken},
		{"a comment", parts(t, head+"<!-- "+row+" --></sheetData></worksheet>", nil), ErrBroken},
		{"other letters than UTF-8", parts(t, strings.Replace(head, "UTF-8", "gbk", 1)+row+"</sheetData></worksheet>", nil), ErrBroken},
		{"elements within elements", parts(t, head+strings.Repeat("<row>", 100)+"</sheetData></worksheet>", nil), ErrBroken},
		{"a bomb: one cell", parts(t, head+"<row><c><v>"+strings.Repeat("1", maxRow+1)+"</v></c></row></sheetData></worksheet>", nil), ErrBroken},
		{"a bomb: shared strings", parts(t, head+row+"</sheetData></worksheet>", map[string]string{"xl/strings.xml": "<sst><si><t>" + strings.Repeat("1", maxRow+1)}), ErrBroken},
		{"a bomb: styles", parts(t, head+row+"</sheetData></worksheet>", map[string]string{"odd/styles.xml": strings.Repeat(" ", maxPart+1)}), ErrSize},
		{"a bomb: its size told", grown(good), ErrSize},
	} {
		if _, _, err := rows(t, test.data); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	path := filepath.Join(t.TempDir(), "huge.csv")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, maxFile+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, columns); !errors.Is(err, ErrSize) {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := Open(filepath.Dir(path), columns); err == nil {
		t.Error("a directory is opened")
	}
	if _, err := Open(path+".none", columns); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// grown is an archive whose directory tells that its first part is 4 GB large.
func grown(archive []byte) []byte {
	archive = slices.Clone(archive)
	binary.LittleEndian.PutUint32(archive[bytes.Index(archive, []byte("PK\x01\x02"))+24:], 0xfffffff0)
	return archive
}

func TestMissingHeadingsAreAllNamed(t *testing.T) {
	for name, data := range map[string][]byte{
		"csv":  []byte("台账\n\n序号,日期,电话\n1,2,3\n"),
		"xlsx": book(t, func(f *excelize.File) { set(t, f, "Sheet1", 4, "序号", "日期", "电话") }),
	} {
		_, err := Open(save(t, data), append(slices.Clone(columns), Column{Name: "地址", Required: true}))
		var missing *HeadingError
		if !errors.As(err, &missing) {
			t.Fatalf("%s: %v", name, err)
		}
		want := &HeadingError{Missing: []string{"内容", "地址"}, Found: []string{"序号", "日期", "电话"}}
		if diff := cmp.Diff(want, missing); diff != "" {
			t.Error(name, diff)
		}
	}
	late := strings.Repeat("标题\n", 10) + "时间,内容\n"
	if _, err := Open(save(t, []byte(late)), columns); err == nil {
		t.Error("a heading in the eleventh row is found")
	}
}

func TestTemplateIsReadBack(t *testing.T) {
	for _, title := range []string{"", "说明", "历史诉求/2024", strings.Repeat("很长的标题", 20), "'引号'"} {
		var out bytes.Buffer
		if err := WriteTemplate(&out, title, columns); err != nil {
			t.Fatalf("%q: %v", title, err)
		}
		if got, unknown, err := rows(t, out.Bytes()); err != nil || got != nil || unknown != nil {
			t.Errorf("%q: %q, %q, %v: the example must be skipped", title, got, unknown, err)
		}
		f, err := excelize.OpenReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		sheets := f.GetSheetList()
		if len(sheets) != 2 || sheets[1] != "说明" {
			t.Errorf("%q: sheets %q", title, sheets)
		}
		if panes, err := f.GetPanes(sheets[0]); err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("panes %+v, %v", panes, err)
		}
		if example, err := f.GetCellValue(sheets[0], "A2"); err != nil || example != "示例：2024-03-05 09:07" {
			t.Errorf("example %q, %v", example, err)
		}
		help, err := f.GetRows("说明")
		want := [][]string{
			{"时间", "必填", "什么时候说的。", "2024-03-05 09:07", "日期、Date"},
			{"内容", "必填", "原话，不超过一千字。", "三号楼的灯坏了", "诉求内容"},
			{"手机号", "选填", "十一位。", "13800000000"},
		}
		if err != nil || len(help) != 6 {
			t.Fatalf("help %q, %v", help, err)
		}
		if diff := cmp.Diff(want, help[3:]); diff != "" {
			t.Error(diff)
		}
		set(t, f, sheets[0], 3, "2024-03-06", "水管漏了", "0138")
		if err := f.Write(&out); err != nil {
			t.Fatal(err)
		}
		if got, _, err := rows(t, out.Bytes()); err != nil || !slices.Equal(got, []string{"3: 2024-03-06|水管漏了|0138"}) {
			t.Errorf("filled in: %q, %v", got, err)
		}
	}
}

func TestCloseRemovesTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	left := func() int {
		entries, err := os.ReadDir(os.Getenv("TMPDIR"))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	good := largeXLSX(t, 3_000)
	r, err := Open(good, largeColumns)
	if err != nil || left() == 0 {
		t.Fatalf("%v; %d temporary files, want some", err, left())
	}
	if _, err := r.Next(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil || left() != 0 {
		t.Errorf("%v; %d temporary files left", err, left())
	}
	if _, err := Open(good, []Column{{Name: "没有", Required: true}}); err == nil || left() != 0 {
		t.Errorf("%v; %d temporary files left of a table that is refused", err, left())
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("时间,内容,手机号\r\n1,\"2\n3\",4\r\n"))
	f.Add([]byte("\ufeff标题\n时间;内容\n\"1;\n"))
	f.Add(utf16With(binary.LittleEndian, "时间\t内容\n1\t2\n"))
	f.Add(gb18030(f, "时间,内容\n1,灯坏了\n"))
	f.Add(book(f, func(b *excelize.File) {
		set(f, b, "Sheet1", 1, "时间", "内容")
		set(f, b, "Sheet1", 2, time.Now(), "灯")
	}))
	f.Add(parts(f, head+`<row r="3"><c t="s" s="1"><v>0</v></c></row></sheetData></worksheet>`, nil))
	f.Add(append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, _ = rows(t, data)
		// Of an .xlsx most that is changed is refused by its sums; so also what
		// stands in one.
		_, _, _ = rows(t, parts(t, string(data), nil))
		_, _, _ = rows(t, parts(t, head+string(data)+`</sheetData></worksheet>`, map[string]string{"odd/styles.xml": string(data), "xl/strings.xml": string(data)}))
	})
}
