package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

// Line is one line of the fund's board: what came in or went out, with its paper. A
// line is never changed; a wrong one is struck out by a line that takes it back.
type Line struct {
	ID      int64  // counted from 1 within the community
	Cause   string // of the form that entered it: entered once
	On      string // the day it happened, 2026-11-28
	Item    string // what it is counted under: 共建单位捐款
	Words   string
	Fen     int64  // more than 0 came in, less went out
	Paper   string // the media file's ID, "" only where it takes another back
	Strikes int64  // the line that it takes back, 0 for none
	By      workflow.PersonID
	At      time.Time

	Struck int64 // the line by which it was taken back, 0 while it stands
}

// Sum is what came in and went out under one item.
type Sum struct {
	Item    string
	In, Out int64 // fen, both 0 or more
}

// Bounds of a line.
const (
	MostItem  = 20  // signs
	MostWords = 200 // signs
	MostFen   = 1_000_000_000_00
)

// Fits tells whether a line can be entered as it is.
func (l Line) Fits() bool {
	if n := utf8.RuneCountInString(l.Item); n == 0 || n > MostItem {
		return false
	}
	if n := utf8.RuneCountInString(l.Words); n == 0 || n > MostWords {
		return false
	}
	_, err := time.Parse(time.DateOnly, l.On)
	return err == nil && l.Fen != 0 && l.Fen <= MostFen && l.Fen >= -MostFen && (l.Paper != "" || l.Strikes != 0)
}

// Total is the sum of some items.
func Total(sums []Sum) Sum {
	var all Sum
	for _, s := range sums {
		all.In, all.Out = all.In+s.In, all.Out+s.Out
	}
	return all
}

// Sums are lines by item, in the order in which items first stand there. What was
// struck out and what strikes it count on the same side, so that they leave nothing.
func Sums(lines []Line) []Sum {
	var out []Sum
	at := map[string]int{}
	for _, l := range lines {
		i, known := at[l.Item]
		if !known {
			i = len(out)
			at[l.Item] = i
			out = append(out, Sum{Item: l.Item})
		}
		if in := l.Fen > 0; in != (l.Strikes != 0) {
			out[i].In += l.Fen
		} else {
			out[i].Out -= l.Fen
		}
	}
	return out
}

// ErrMoney is what is no sum of money.
var ErrMoney = errors.New("ledger: no sum of money")

// ParseFen reads a sum of money in yuan, with at most two places behind the point, as
// people write it: 1,200.5, ¥3元. It is more than 0.
func ParseFen(s string) (int64, error) {
	s = strings.NewReplacer(",", "", "，", "", " ", "", "¥", "", "￥", "", "元", "", "。", ".").Replace(s)
	yuan, part, point := strings.Cut(s, ".")
	if yuan == "" || point && part == "" || len(part) > 2 || strings.Trim(yuan+part, "0123456789") != "" || len(yuan) > 10 {
		return 0, ErrMoney
	}
	n, err := strconv.ParseInt(yuan+(part + "00")[:2], 10, 64)
	if err != nil || n <= 0 || n > MostFen {
		return 0, ErrMoney
	}
	return n, nil
}

// Yuan is a sum of fen in yuan: -1,200.50.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	yuan := strconv.FormatInt(fen/100, 10)
	for i := len(yuan) - 3; i > 0; i -= 3 {
		yuan = yuan[:i] + "," + yuan[i:]
	}
	return fmt.Sprintf("%s%s.%02d", sign, yuan, fen%100)
}
