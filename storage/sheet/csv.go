package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// codingOf tells how a text is encoded, by its mark or by going through it:
// UTF-8 unless it is not for many of the letters beyond ASCII, so that a letter
// cut in half does not make a whole file unreadable (of GB18030 most are not).
func codingOf(file io.ReaderAt, begin []byte) (encoding.Encoding, error) {
	switch {
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		return unicode.UTF8BOM, notText(begin[3:])
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM), nil
	}
	if err := notText(begin); err != nil {
		return nil, err
	}
	good, bad := 0, 0
	in := bufio.NewReaderSize(io.NewSectionReader(file, 0, maxFile), 1<<16)
	for {
		b, err := in.Peek(utf8.UTFMax)
		if len(b) == 0 {
			if errors.Is(err, io.EOF) {
				break
			}
			return nil, fmt.Errorf("sheet: %w", err)
		}
		n := 1
		if b[0] >= utf8.RuneSelf {
			var r rune
			if r, n = utf8.DecodeRune(b); r == utf8.RuneError && n == 1 {
				bad++
			} else {
				good++
			}
		}
		_, _ = in.Discard(n)
	}
	if bad*5 > good {
		return simplifiedchinese.GB18030, nil
	}
	return unicode.UTF8, nil
}

// notText refuses what is certainly no text with separators: binary files, web
// pages (which some systems name .xls) and PDF.
func notText(begin []byte) error {
	text := bytes.TrimSpace(begin)
	if bytes.IndexByte(begin, 0) >= 0 || bytes.HasPrefix(text, []byte("<")) || bytes.HasPrefix(text, []byte("%PDF")) {
		return ErrTable
	}
	return nil
}

// csvSource reads text with separators as Excel does: a quotation mark counts
// only where a cell begins. No cell takes more memory than a cell may have.
type csvSource struct {
	file      *io.SectionReader
	in        *bufio.Reader // decoded
	separator byte
	number    int
}

func openCSV(file io.ReaderAt, size int64, coding encoding.Encoding, separator byte) *csvSource {
	section := io.NewSectionReader(file, 0, size)
	return &csvSource{file: section, in: bufio.NewReader(coding.NewDecoder().Reader(section)), separator: separator}
}

func (c *csvSource) next() (int, []string, error) {
	for {
		c.number++
		cells, err := c.record()
		if err != nil || !blank(cells) {
			return c.number, cells, err
		}
	}
}

func (c *csvSource) record() (cells []string, err error) {
	var cell []byte
	first, quoted := true, false // at the first letter of a cell; between quotation marks
	end := func() {
		text := string(cell)
		if strings.HasPrefix(text, `="`) && strings.HasSuffix(text, `"`) && len(text) > 2 {
			text = text[2 : len(text)-1] // a number that was to stay text
		}
		if len(cells) <= maxColumns {
			cells = append(cells, text)
		}
		cell, first = cell[:0], true
	}
	for n := 0; ; n++ {
		b, err := c.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF) && quoted:
			column, _ := excelize.ColumnNumberToName(len(cells) + 1)
			return nil, &CellError{Row: c.number, Column: column, Err: ErrQuote}
		case errors.Is(err, io.EOF):
			end()
			return cells, nil
		case err != nil:
			return nil, fmt.Errorf("sheet: %w", err)
		case first && b == '"':
			first, quoted = false, true
			continue
		case quoted && b == '"':
			if c.peek() != '"' {
				quoted = false
				continue
			}
			_, _ = c.in.Discard(1)
		case quoted:
		case b == c.separator:
			end()
			continue
		case b == '\n' || b == '\r':
			if b == '\r' && c.peek() == '\n' {
				_, _ = c.in.Discard(1)
			}
			end()
			return cells, nil
		}
		first = false
		if len(cell) <= maxCell*utf8.UTFMax { // one more tells that it was longer
			cell = append(cell, b)
		}
	}
}

func (c *csvSource) peek() byte {
	b, err := c.in.Peek(1)
	if err != nil {
		return 0
	}
	return b[0]
}

func (c *csvSource) progress() (done, total int64) {
	done, _ = c.file.Seek(0, io.SeekCurrent)
	return done, c.file.Size()
}

func (c *csvSource) close() error { return nil }

func blank(cells []string) bool {
	for _, cell := range cells {
		if clean(cell) != "" {
			return false
		}
	}
	return true
}
