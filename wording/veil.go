package wording

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Veil shows what residents wrote to those who may not know who they are. It is made
// for some tickets and knows the names of whom they are about, since a name that
// nothing marks as one is hidden only where it is known. It shows nothing of others.
type Veil struct {
	voice Voice
	names map[int64][]string
}

// Veil is one for some tickets, by their numbers; it looks up all their names at once,
// and nothing where there are no numbers.
func (o Voice) Veil(ctx context.Context, people People, numbers ...int64) (Veil, error) {
	v := Veil{voice: o, names: map[int64][]string{}}
	if len(numbers) == 0 {
		return v, nil
	}
	known, err := people.Names(ctx, o.Shape.Community.Code, numbers)
	for _, n := range numbers {
		v.names[n] = known[n]
	}
	return v, err
}

// OnWall gives what the wall says of a wish.
func (o Voice) OnWall(people People) func(context.Context, *workflow.Ticket) (string, error) {
	return func(ctx context.Context, t *workflow.Ticket) (string, error) {
		v, err := o.Veil(ctx, people, t.Number)
		return v.Anonymous(t.Number, t.Text), err
	}
}

// traces are what would tell who asked: house numbers, telephone and identity
// numbers, in narrow or wide signs, simplified or not, with spaces or without.
var traces = regexp.MustCompile(strings.NewReplacer("N", "0-9０-９", "_", `[\s\p{Cf}　]*`).Replace(
	`(?:[N零〇一二三四五六七八九十百]+_(?:[号號]_[楼樓]|[号號]_院|[栋棟]|幢|座|[单單]_元|室|[户戶])_|[N]{1,2}(?:_[-#—–−―－＃]+_[N]+)+|[N]{3,}[xXｘＸ]?)+`))

// Anonymous is a text of a ticket without the traces of who wrote it: numbers, names
// and every house.
func (v Veil) Anonymous(number int64, text string) string {
	return traces.ReplaceAllString(v.Masked(number, text), "某处")
}

// Masked is a text of a ticket without numbers, names and doors; its building stays.
func (v Veil) Masked(number int64, text string) string {
	names, ok := v.names[number]
	switch {
	case !ok:
		return ""
	case v.voice.Mask == nil:
		return text
	}
	return v.voice.Mask(v.voice.Shape.Community, text, names)
}

// Facts are the words for facts, as Voice.Facts gives them; those for somebody who may
// not know who asked say without traces what the matter is.
func (v Veil) Facts(f *desk.Facts, now time.Time) Values {
	if !f.Anonymous {
		return v.voice.Facts(f, now)
	}
	shown := *f
	shown.Text = v.Anonymous(f.Number, f.Text)
	if !v.voice.Shape.Roster.ByID(f.By).Staff() {
		shown.Said = v.Anonymous(f.Number, f.Said)
	}
	return v.voice.facts(&shown, now)
}
