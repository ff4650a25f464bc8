package workflow

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Wrong is one thing that is wrong in a community's document. Its words for
// people are found by its code; Error is for logs and for who reads the document
// itself.
type Wrong struct {
	At   string // the part and what in it, such as grids[1].buildings; it counts from 0
	Code WrongCode
	Have string // what stands there, or whom it is about; "" where nothing needs naming
	says string
}

// WrongCode says in what way a document is wrong.
type WrongCode string

// The ways of being wrong.
const (
	WrongMissing  WrongCode = "missing"  // something that it needs is left out
	WrongTwice    WrongCode = "twice"    // Have stands twice
	WrongForm     WrongCode = "form"     // Have cannot be read
	WrongChoice   WrongCode = "choice"   // Have is none of what it may be
	WrongSpan     WrongCode = "span"     // Have are no buildings: want estate:from-to
	WrongEstate   WrongCode = "estate"   // there is no estate Have
	WrongRange    WrongCode = "range"    // Have are no buildings of an estate
	WrongTaken    WrongCode = "taken"    // building Have is in another grid
	WrongGridless WrongCode = "gridless" // building Have is in no grid
	WrongUnknown  WrongCode = "unknown"  // there is no Have
	WrongHours    WrongCode = "hours"    // times of day Have end before they begin, or before others
	WrongTime     WrongCode = "time"     // Have is no time of day
	WrongDate     WrongCode = "date"     // Have is no date
	WrongNumber   WrongCode = "number"   // Have is a number that cannot be
	WrongShort    WrongCode = "short"    // a time that must be longer than it is
	WrongReminder WrongCode = "reminder" // a reminder after what it reminds of
	WrongOrder    WrongCode = "order"    // a step of a ladder before the one before it
	WrongGap      WrongCode = "gap"      // a step of a ladder too long after the one before it
	WrongBefore   WrongCode = "before"   // a step of a ladder before its time that may not be one
	WrongNobody   WrongCode = "nobody"   // a step of a ladder that tells nobody
	WrongRise     WrongCode = "rise"     // a ladder that never rises to the committee
	WrongLabel    WrongCode = "label"    // Have is no name for a category
	WrongKind     WrongCode = "kind"     // a shipped category of another kind
	WrongNeeded   WrongCode = "needed"   // a category that cannot be put away
	WrongNamesake WrongCode = "namesake" // Have is the name of another category
	WrongLong     WrongCode = "long"     // a text of more than Have signs
	WrongPhone    WrongCode = "phone"    // Have is no telephone number
)

// Error names the part and the reason.
func (w *Wrong) Error() string { return w.At + ": " + w.says }

// wrong is a *Wrong, what it says in the manner of fmt.Sprintf.
func wrong(at string, code WrongCode, have any, format string, a ...any) error {
	return &Wrong{At: at, Code: code, Have: fmt.Sprint(have), says: fmt.Sprintf(format, a...)}
}

// within puts what a wrong part stands in before where it is wrong.
func within(part string, err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, within(part, one))
		}
		return errors.Join(all...)
	}
	var w *Wrong
	if errors.As(err, &w) {
		deeper := *w
		deeper.At = part + w.At
		return &deeper
	}
	return err
}

// How the library says that a value does not fit its field, and that there is no such
// field; each begins with a line, counted from 1.
var (
	noValue = regexp.MustCompile("^line ([0-9]+): cannot unmarshal \\S+(?: `(.*)`)? into ")
	noField = regexp.MustCompile(`^line ([0-9]+): field (.*) not found in type `)
)

// mistyped has each value of a document that does not fit its field as a *Wrong, in
// the part on whose lines it stands; an error of another kind as it is.
func mistyped(document []byte, err error) error {
	var all *yaml.TypeError
	var n yaml.Node
	if !errors.As(err, &all) || yaml.Unmarshal(document, &n) != nil || len(n.Content) != 1 {
		return err
	}
	part := func(line string) string {
		at := ""
		l, _ := strconv.Atoi(line) // digits, by its form
		for i := 0; i+1 < len(n.Content[0].Content); i += 2 {
			if key := n.Content[0].Content[i]; key.Line <= l {
				at = key.Value
			}
		}
		return at
	}
	var out []error
	for _, says := range all.Errors {
		if m := noValue.FindStringSubmatch(says); m != nil {
			out = append(out, wrong(part(m[1]), WrongForm, m[2], "%s", says))
		} else if m := noField.FindStringSubmatch(says); m != nil {
			out = append(out, wrong(part(m[1]), WrongUnknown, m[2], "%s", says))
		} else {
			return err
		}
	}
	return errors.Join(out...)
}
