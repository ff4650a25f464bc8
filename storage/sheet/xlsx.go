package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	maxPart    = 32 << 20   // bytes of a part that is held in memory
	maxRow     = 16 << 20   // bytes of a row or a shared string, unpacked
	maxStrings = 10_000_000 // shared strings; excelize holds 40 bytes for each
	maxDepth   = 64         // elements within elements
)

// compound tells what a file of Microsoft's older kind is: an encrypted .xlsx
// is a container with an entry of that name, in the first sectors of its
// directory.
func compound(file io.ReaderAt) error {
	head := make([]byte, 64)
	if _, err := file.ReadAt(head, 0); err != nil {
		return ErrOld
	}
	sector := int64(1) << (head[30] & 15)
	first := int64(head[48]) | int64(head[49])<<8 | int64(head[50])<<16 | int64(head[51])<<24
	directory := make([]byte, 4096)
	n, _ := file.ReadAt(directory, (first+1)*sector)
	var name []byte
	for _, letter := range []byte("EncryptedPackage") {
		name = append(name, letter, 0)
	}
	if bytes.Contains(directory[:n], name) {
		return ErrEncrypted
	}
	return ErrOld
}

// xlsxSource reads one sheet of a workbook by excelize. Excelize holds all that
// is not a sheet in memory, takes damage for the end and has no limits within a
// sheet; so it is given a workbook of our own making that has the one sheet,
// its strings and styles, and that was gone through before.
type xlsxSource struct {
	dir    string
	book   *excelize.File
	rows   *excelize.Rows
	number int // of the row that was read
	last   int
}

// openXLSX gives what is to be closed also where it fails.
func openXLSX(file io.ReaderAt, size int64, most uint64) (s *xlsxSource, err error) {
	s = &xlsxSource{}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrBroken, p)
		}
	}()
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return s, broken(err)
	}
	w, err := read(archive, most)
	if err != nil {
		return s, err
	}
	s.last = w.last
	if s.dir, err = os.MkdirTemp("", "sheet-"); err != nil {
		return s, fmt.Errorf("sheet: %w", err)
	}
	name := filepath.Join(s.dir, "book.xlsx")
	if err := w.write(name); err != nil {
		return s, fmt.Errorf("sheet: %w", err)
	}
	s.book, err = excelize.OpenFile(name, excelize.Options{
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: 1 << 20, TmpDir: s.dir, // above 1 MB a part is read from disk
	})
	if err != nil {
		return s, broken(err)
	}
	if err := showDates(s.book); err != nil {
		return s, broken(err)
	}
	if s.rows, err = s.book.Rows("Sheet1"); err != nil {
		return s, broken(err)
	}
	return s, nil
}

func broken(err error) error { return fmt.Errorf("%w: %w", ErrBroken, err) }

func (s *xlsxSource) next() (number int, cells []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: row %d: %v", ErrBroken, s.number, p)
		}
	}()
	for s.number < s.last {
		if !s.rows.Next() {
			return 0, nil, fmt.Errorf("%w: breaks off after row %d of %d", ErrBroken, s.number, s.last)
		}
		s.number++
		cells, err := s.rows.Columns()
		if err != nil {
			return 0, nil, fmt.Errorf("%w: row %d: %w", ErrBroken, s.number, err)
		}
		if !blank(cells) {
			return s.number, cells, nil
		}
	}
	return 0, nil, io.EOF
}

func (s *xlsxSource) progress() (done, total int64) { return int64(s.number), int64(s.last) }

func (s *xlsxSource) close() error {
	if s.rows != nil {
		_ = s.rows.Close()
	}
	if s.book != nil {
		_ = s.book.Close() // what it cannot remove goes with the directory
	}
	return os.RemoveAll(s.dir)
}

// workbook is what is used of an .xlsx.
type workbook struct {
	sheet, strings, styles *zip.File
	date1904               bool
	last                   int // number of the sheet's last row
}

// relation is how one part of an .xlsx refers to another.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"` // an address, of which the end counts
	Target string `xml:"Target,attr"`
}

// read goes through a workbook's parts.
func read(archive *zip.Reader, most uint64) (*workbook, error) {
	parts, size := map[string]*zip.File{}, uint64(0)
	for _, part := range archive.File {
		parts["/"+strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(part.Name), `\`, "/"), "/")] = part
		if size += part.UncompressedSize64; part.UncompressedSize64 > most || size > most {
			return nil, ErrSize
		}
	}
	related := func(of string) []relation {
		var list struct {
			Relations []relation `xml:"Relationship"`
		}
		dir, base := path.Split(of)
		decode(parts[path.Join(dir, "_rels", base+".rels")], &list)
		for i, r := range list.Relations {
			list.Relations[i].Type = path.Base(r.Type)
			if list.Relations[i].Target = strings.ToLower(r.Target); !path.IsAbs(r.Target) {
				list.Relations[i].Target = path.Join(dir, strings.ToLower(r.Target))
			}
		}
		return list.Relations
	}
	main := "/xl/workbook.xml"
	for _, r := range related("/") {
		if r.Type == "officeDocument" {
			main = r.Target
		}
	}
	var book struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	decode(parts[main], &book)
	if len(book.Sheets) == 0 {
		return nil, ErrTable // a document, a presentation, any other archive
	}
	w := &workbook{date1904: book.Properties.Date1904 == "1" || book.Properties.Date1904 == "true"}
	sheets := map[string]*zip.File{}
	for _, r := range related(main) {
		switch part := parts[r.Target]; r.Type {
		case "sharedStrings":
			w.strings = part
		case "styles":
			w.styles = part
		case "worksheet":
			sheets[r.ID] = part
		}
	}
	if w.styles != nil && w.styles.UncompressedSize64 > maxPart {
		return nil, ErrSize
	}
	if w.strings != nil {
		if n, _, err := scan(w.strings, "si"); err != nil {
			return nil, err
		} else if n > maxStrings {
			return nil, ErrSize
		}
	}
	for _, sheet := range book.Sheets {
		part := sheets[sheet.ID]
		if part == nil || sheet.State == "hidden" || sheet.State == "veryHidden" {
			continue
		}
		last, filled, err := scan(part, "row")
		if err != nil {
			return nil, err
		}
		if filled {
			w.sheet, w.last = part, last
			return w, nil
		}
	}
	return nil, ErrEmpty
}

// decode takes what can be read of a small part; what cannot is found missing.
func decode(part *zip.File, into any) {
	if part == nil || part.UncompressedSize64 > maxPart {
		return
	}
	r, err := part.Open()
	if err != nil {
		return
	}
	defer r.Close()
	_ = xml.NewDecoder(r).Decode(into)
}

// declaration is how a part may begin: in UTF-8, so that excelize reads the same
// letters as scan.
var declaration = regexp.MustCompile(`^\?xml\s+version\s*=\s*["']1\.[01]["'](\s+encoding\s*=\s*["'](?i:utf-8)["'])?(\s+standalone\s*=\s*["'](yes|no)["'])?\s*\?>$`)

var rowNumber = regexp.MustCompile(`\sr="(\d{1,7})"`)

// scan goes through a part to its end, which checks its sum, and refuses what
// could take much memory when it is read: a unit ("row", "si") that is very
// long, elements within elements, comments and the like. It gives the number
// of the last unit and whether there is any value.
func scan(part *zip.File, unit string) (last int, filled bool, err error) {
	r, err := part.Open()
	if err != nil {
		return 0, false, broken(err)
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 1<<16)
	for depth, length := 0, 0; ; {
		text, err := in.ReadSlice('<')
		if length += len(text); length > maxRow || depth > maxDepth {
			return 0, false, ErrBroken
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && depth == 0:
			return last, filled, nil
		case err != nil:
			return 0, false, broken(err)
		}
		tag, err := in.ReadSlice('>')
		length += len(tag)
		switch {
		case err != nil:
			return 0, false, broken(err)
		case len(tag) < 2, tag[0] == '!', tag[0] == '?' && !declaration.Match(tag):
			return 0, false, ErrBroken
		case tag[0] == '?':
			continue
		case bytes.HasSuffix(tag, []byte("sheetData>")) && tag[0] == '/':
			if _, err := io.Copy(io.Discard, in); err != nil {
				return 0, false, broken(err)
			}
			return last, filled, nil
		case tag[0] == '/':
			depth--
			continue
		case tag[len(tag)-2] != '/':
			depth++
		}
		name := tag[:bytes.IndexAny(tag, " \t\r\n/>")]
		switch string(name[bytes.IndexByte(name, ':')+1:]) {
		case "v", "is":
			filled = true
		case unit:
			number := last + 1
			if m := rowNumber.FindSubmatch(tag); m != nil {
				number, _ = strconv.Atoi(string(m[1]))
			}
			if number <= last {
				return 0, false, ErrBroken // excelize would join them
			}
			last, length = number, 0
		}
	}
}

// write makes the workbook that excelize reads, without unpacking its parts.
func (w *workbook) write(name string) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a directory of ours
	if err != nil {
		return err
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	const kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	const relations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="r1" Type="` + kinds + `/%s" Target="%s"/></Relationships>`
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels":                fmt.Sprintf(relations, "officeDocument", "xl/workbook.xml"),
		"xl/_rels/workbook.xml.rels": fmt.Sprintf(relations, "worksheet", "worksheets/sheet1.xml"),
		"xl/workbook.xml": fmt.Sprintf(`<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="`+kinds+`">`+
			`<workbookPr date1904="%t"/><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>`, w.date1904),
	} {
		part, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(part, text)
		}
		if err != nil {
			return err
		}
	}
	for name, part := range map[string]*zip.File{
		"xl/worksheets/sheet1.xml": w.sheet, "xl/sharedStrings.xml": w.strings, "xl/styles.xml": w.styles,
	} {
		if part == nil {
			continue
		}
		header := part.FileHeader
		header.Name = name
		to, err := archive.CreateRaw(&header)
		if err != nil {
			return err
		}
		from, err := part.OpenRaw()
		if err == nil {
			_, err = io.Copy(to, from)
		}
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

// noise is what stands in a number format and is no sign of a date: quoted,
// escaped and spacing letters, colours and conditions.
var noise = regexp.MustCompile(`"[^"]*"|[\\_*].|\[[^\]]*\]`)

// builtIn is what the built-in formats from 14 to 58 show (ECMA-376, 18.8.30,
// and those of China): d a date, h a time, b both, - neither.
const builtIn = "ddddhhhhb----dddddhhhhd--------h-h--dddddhhdd"

// showDates makes every format that shows a date or a time show it alike: for
// built-in formats the reader's country tells the order of day and month.
func showDates(book *excelize.File) error {
	if book.Styles == nil || book.Styles.CellXfs == nil {
		return nil
	}
	formats := map[int]string{}
	for i, shows := range builtIn {
		formats[14+i] = map[rune]string{'d': "d", 'h': "h", 'b': "d h"}[shows]
	}
	if book.Styles.NumFmts != nil {
		for _, format := range book.Styles.NumFmts.NumFmt {
			formats[format.NumFmtID] = format.FormatCode
		}
	}
	count := len(book.Styles.CellXfs.Xf)
	var ours [3]int
	for i, code := range []string{"yyyy-mm-dd", "hh:mm", "yyyy-mm-dd hh:mm"} {
		style, err := book.NewStyle(&excelize.Style{CustomNumFmt: &code})
		if err != nil {
			return err
		}
		ours[i] = *book.Styles.CellXfs.Xf[style].NumFmtID
	}
	for _, xf := range book.Styles.CellXfs.Xf[:count] {
		if xf.NumFmtID == nil {
			continue
		}
		format := strings.ToLower(noise.ReplaceAllString(formats[*xf.NumFmtID], ""))
		time := strings.ContainsAny(format, "hs")
		date := strings.ContainsAny(format, "yd") || !time && strings.Contains(format, "m")
		switch {
		case date && time:
			*xf.NumFmtID = ours[2]
		case time:
			*xf.NumFmtID = ours[1]
		case date:
			*xf.NumFmtID = ours[0]
		case *xf.NumFmtID == 0:
			*xf.NumFmtID = -1 // none: excelize's General cuts numbers of more than 11 digits
		}
	}
	return nil
}
