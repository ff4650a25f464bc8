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
	maxStrings = 10_000_000 // shared strings; excelize holds 60 bytes for each
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
	number int
	last   int
	file   *os.File
}

func openXLSX(file *os.File, size int64) (s *xlsxSource, err error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	w, err := read(archive)
	if err != nil {
		return nil, err
	}
	s = &xlsxSource{last: w.last, file: file}
	if s.dir, err = os.MkdirTemp("", "sheet-"); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrBroken, p)
		}
		if err != nil {
			s.file = nil // the caller's, until it worked
			_ = s.close()
		}
	}()
	name := filepath.Join(s.dir, "book.xlsx")
	if err := w.write(name); err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	s.book, err = excelize.OpenFile(name, excelize.Options{
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: 1 << 20, TmpDir: s.dir,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if err := showDates(s.book); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if s.rows, err = s.book.Rows("Sheet1"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return s, nil
}

func (s *xlsxSource) next() (number int, cells []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: row %d: %v", ErrBroken, s.number, p)
		}
	}()
	for s.rows.Next() {
		s.number++
		cells, err := s.rows.Columns()
		if err != nil {
			return 0, nil, fmt.Errorf("%w: row %d: %w", ErrBroken, s.number, err)
		}
		if !blank(cells) {
			return s.number, cells, nil
		}
	}
	if s.number < s.last {
		return 0, nil, fmt.Errorf("%w: breaks off after row %d of %d", ErrBroken, s.number, s.last)
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
	if s.file != nil {
		_ = s.file.Close()
	}
	return os.RemoveAll(s.dir)
}

// workbook is what is used of an .xlsx.
type workbook struct {
	sheet, strings, styles *zip.File
	date1904               bool
	last                   int // number of the sheet's last row
}

type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

// read goes through a workbook's parts.
func read(archive *zip.Reader) (*workbook, error) {
	parts := map[string]*zip.File{}
	for _, part := range archive.File {
		name := strings.ReplaceAll(strings.ToLower(part.Name), `\`, "/")
		parts[strings.TrimPrefix(name, "/")] = part
	}
	// related gives the parts that a part refers to, by the relation.
	related := func(of string) map[relation]string {
		var list struct {
			Relations []relation `xml:"Relationship"`
		}
		dir, base := path.Split(of)
		decode(parts[path.Join(dir, "_rels", base+".rels")], &list)
		found := map[relation]string{}
		for _, r := range list.Relations {
			target := strings.ToLower(r.Target)
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/", dir, target)
			}
			r.Type, r.Target = path.Base(r.Type), ""
			found[r] = strings.TrimPrefix(target, "/")
		}
		return found
	}
	main := "xl/workbook.xml"
	for r, target := range related("") {
		if r.Type == "officeDocument" {
			main = target
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
	relations := related(main)
	for r, target := range relations {
		switch r.Type {
		case "sharedStrings":
			w.strings = parts[target]
		case "styles":
			w.styles = parts[target]
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
		part := parts[relations[relation{ID: sheet.ID, Type: "worksheet"}]]
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

var rowNumber = regexp.MustCompile(`\sr="(\d{1,7})"`)

// scan goes through a part to its end, which checks its sum, and refuses what
// could take much memory when it is read: a unit ("row", "si") that is very
// long, elements within elements, comments and the like. It gives the number
// of the last unit and whether there is any value.
func scan(part *zip.File, unit string) (last int, filled bool, err error) {
	if part.UncompressedSize64 > maxUnzipped {
		return 0, false, ErrSize
	}
	r, err := part.Open()
	if err != nil {
		return 0, false, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 1<<16)
	depth, length := 0, 0
	for {
		text, err := in.ReadSlice('<')
		length += len(text)
		if length > maxRow {
			return 0, false, ErrBroken
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, false, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		tag, err := in.ReadSlice('>')
		length += len(tag)
		if err != nil || tag[0] == '!' || tag[0] == '?' && last+depth > 0 {
			return 0, false, ErrBroken
		}
		switch {
		case tag[0] == '?':
			continue
		case tag[0] == '/':
			depth--
			if strings.HasSuffix(string(tag), "sheetData>") {
				if _, err := io.Copy(io.Discard, in); err != nil {
					return 0, false, fmt.Errorf("%w: %w", ErrBroken, err)
				}
				return last, filled, nil
			}
			continue
		case tag[len(tag)-2] != '/':
			depth++
		}
		if depth > maxDepth {
			return 0, false, ErrBroken
		}
		name := tag[:bytes.IndexAny(tag, " \t\r\n/>")]
		name = name[bytes.IndexByte(name, ':')+1:]
		switch string(name) {
		case "v", "is":
			filled = true
		case unit:
			length = 0
			number := last + 1
			if m := rowNumber.FindSubmatch(tag); m != nil {
				number, _ = strconv.Atoi(string(m[1]))
			}
			if number <= last {
				return 0, false, ErrBroken // excelize would join them
			}
			last = number
		}
	}
	if depth != 0 {
		return 0, false, ErrBroken
	}
	return last, filled, nil
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

// showDates makes every format that shows a date or a time show it alike: of
// built-in formats only the machine's settings tell the order of day and month.
func showDates(book *excelize.File) error {
	if book.Styles == nil || book.Styles.CellXfs == nil {
		return nil
	}
	ours := map[string]int{}
	formats := map[int]string{}
	for id := range 59 {
		switch {
		case id == 22:
			formats[id] = "y h"
		case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 58:
			formats[id] = "y"
		case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47:
			formats[id] = "h"
		}
	}
	if book.Styles.NumFmts != nil {
		for _, format := range book.Styles.NumFmts.NumFmt {
			formats[format.NumFmtID] = format.FormatCode
		}
	}
	count := len(book.Styles.CellXfs.Xf)
	for _, code := range []string{"yyyy-mm-dd", "hh:mm", "yyyy-mm-dd hh:mm"} {
		style, err := book.NewStyle(&excelize.Style{CustomNumFmt: &code})
		if err != nil {
			return err
		}
		ours[code] = *book.Styles.CellXfs.Xf[style].NumFmtID
	}
	for i := range book.Styles.CellXfs.Xf[:count] {
		id := book.Styles.CellXfs.Xf[i].NumFmtID
		if id == nil {
			continue
		}
		format := strings.ToLower(noise.ReplaceAllString(formats[*id], ""))
		time := strings.ContainsAny(format, "hs")
		date := strings.ContainsAny(format, "yd") || !time && strings.Contains(format, "m")
		switch {
		case date && time:
			*id = ours["yyyy-mm-dd hh:mm"]
		case date:
			*id = ours["yyyy-mm-dd"]
		case time:
			*id = ours["hh:mm"]
		}
	}
	return nil
}
