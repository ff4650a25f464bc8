package workflow

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Place is where a matter is. Zero fields are unknown. Grid is what counts in
// the end: a place with a grid can be assigned.
type Place struct {
	Estate   string `json:"estate,omitempty"`
	Building int    `json:"building,omitempty"`
	Unit     int    `json:"unit,omitempty"`
	Floor    int    `json:"floor,omitempty"`
	Room     string `json:"room,omitempty"`
	Landmark string `json:"landmark,omitempty"`
	Detail   string `json:"detail,omitempty"` // words about the spot, as written
	Grid     string `json:"grid,omitempty"`
}

// Known tells whether the place is enough to find a grid.
func (p Place) Known() bool { return p.Grid != "" }

// String is the place as it is said in Chinese addresses, estate, building
// with unit, room and landmark apart: 「怡园小区 3号楼2单元 501」.
func (p Place) String() string {
	var house, room string
	if p.Building != 0 {
		house = strconv.Itoa(p.Building) + "号楼"
	}
	if p.Unit != 0 {
		house += strconv.Itoa(p.Unit) + "单元"
	}
	if room = p.Room; room == "" && p.Floor != 0 {
		room = strconv.Itoa(p.Floor) + "楼"
	}
	parts := slices.DeleteFunc([]string{p.Estate, house, room, p.Landmark}, func(s string) bool { return s == "" })
	return strings.Join(parts, " ")
}

// Words is what is to be understood: a resident's text and what is known
// around it.
type Words struct {
	Text  string
	Home  Place // the resident's registered home, zero if none
	Scene Place // the building whose code was scanned lately, zero if none
	Near  Place // the building nearest to a shared location, zero if none
}

// Understanding is what was made of Words. Confidence is 0 to 1 for kind and
// category together. Danger names the emergency ("fire", "gas", "trapped",
// "violence", "medical", "electric", "collapse") or is empty. PlaceProblem
// says why a place was refused: "no_such_building" with the place as written,
// "which_estate" where several estates have that building, "which_building"
// where the grid is known and the building is not, or "".
type Understanding struct {
	Kind         Kind
	Category     Category
	Severity     Severity
	Danger       string
	Place        Place
	PlaceProblem string
	Estates      []string // the candidates for PlaceProblem "which_estate"
	Confidence   float64
	Guesses      []Category // the likeliest categories of an incident or wish, best first; at most three
}

// Doubtful is the confidence below which nobody is sent by a guess: the resident
// is asked, or a person files it by hand.
const Doubtful = 0.5

// Filing is the CmdFile for a text by what was understood of it; a category in
// doubt is left open. Reporter and Source are the caller's to say.
func (u Understanding) Filing(text string, by Actor) Command {
	cmd := Command{
		Name: CmdFile, Actor: by, Text: text, Kind: u.Kind, Category: u.Category, Severity: cmp.Or(u.Severity, Minor), Danger: u.Danger,
		Place: u.Place, Topic: TopicPlace,
	}
	if u.Confidence < Doubtful && u.Severity != Emergency {
		cmd.Category, cmd.Topic = "", TopicWhat
	}
	return cmd
}

// Unclear is the confidence below which a text says so little of what is the
// matter that it is not taken for one by itself.
const Unclear = 0.2

// Matter tells whether the words are likely to be a trouble of a known category.
func (u Understanding) Matter() bool {
	return u.Kind == Incident && u.Category != "" && u.Confidence >= Doubtful
}

// Found is the same for what a worker says they found. They are not asked again,
// and an incident it is: the likeliest category stands unless it is unclear, rather
// than none.
func (u Understanding) Found(text string, by Actor) Command {
	cmd := u.Filing(text, by)
	if u.Kind == Incident && u.Confidence >= Unclear {
		cmd.Category = u.Category
	}
	return cmd
}

// Understander makes sense of a resident's words. Implementations are safe
// for concurrent use and do not keep the text.
type Understander interface {
	Understand(ctx context.Context, c *Community, w Words) (Understanding, error)
	// Mask is a text without what tells who wrote it or whom it is about, as it
	// may leave for a language model; names are hidden wherever they stand.
	Mask(c *Community, text string, names []string) string
	// Same tells whether two incidents tell of one trouble, precision before
	// recall.
	Same(a, b Matter) bool
	// Parts are the several matters of one message, in its order, each with
	// the words that tell of it; nil where it is about one thing.
	Parts(ctx context.Context, c *Community, w Words) []Part
}

// Matter is an incident as it is compared with another.
type Matter struct {
	Category Category
	Place    Place
	Text     string
	At       time.Time
}

// Part is one of several matters of a message.
type Part struct {
	Text string
	Understanding
}
