package ngram

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxLine is the longest line of a table, in bytes.
const maxLine = 4 << 20

// Table calls f with the named columns of every line of tab-separated values
// under a header, in the order in which they are asked for; columns may stand
// in any order, others are ignored, and one that begins with "?" may be
// missing: then its value is "". Errors name the line.
func Table(r io.Reader, columns []string, f func(line int, values []string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	if !lines.Scan() {
		return errors.Join(errors.New("line 1: want a header"), lines.Err())
	}
	have := strings.Split(strings.TrimRight(strings.TrimPrefix(lines.Text(), "\ufeff"), "\r"), "\t")
	at := make([]int, len(columns))
	for i, c := range columns {
		name, may := strings.CutPrefix(c, "?")
		if at[i] = slices.Index(have, name); at[i] < 0 && !may {
			return fmt.Errorf("line 1: the header has no column %q", name)
		}
	}
	values := make([]string, len(columns))
	for n := 2; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" {
			continue
		}
		cells := strings.Split(line, "\t")
		for i := range columns {
			values[i] = ""
			if at[i] < 0 {
				continue
			}
			if at[i] >= len(cells) {
				return fmt.Errorf("line %d: want %d columns, have %d", n, len(have), len(cells))
			}
			values[i] = cells[at[i]]
		}
		if err := f(n, values); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("ngram: table: %w", err)
	}
	return nil
}
