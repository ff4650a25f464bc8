package workflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the static binary runs in an empty root directory
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Community is the shape of one community as a document: estates, buildings,
// grids, clocks. It is read from YAML by ParseCommunity, kept in PostgreSQL
// with every version, and never changed in place.
type Community struct {
	Code        string     `yaml:"code" json:"code"`               // stable, also the path of its webhook: a-z, 0-9, "-"
	Name        string     `yaml:"name" json:"name"`               // as residents read it
	Subdistrict string     `yaml:"subdistrict" json:"subdistrict"` // 街道
	Households  int        `yaml:"households" json:"households"`
	Residents   int        `yaml:"residents" json:"residents"`
	Hotline     string     `yaml:"hotline" json:"hotline"` // the community office's telephone
	Timezone    string     `yaml:"timezone" json:"timezone"`
	Estates     []Estate   `yaml:"estates" json:"estates"`
	Grids       []Grid     `yaml:"grids" json:"grids"`
	Landmarks   []Landmark `yaml:"landmarks" json:"landmarks"`
	Property    Property   `yaml:"property" json:"property"`
	Alliance    Alliance   `yaml:"alliance" json:"alliance"`
	Clocks      Clocks     `yaml:"clocks" json:"clocks"`
	Working     Working    `yaml:"working" json:"working"`
	Quiet       Quiet      `yaml:"quiet" json:"quiet"`
	Assignment  []Rule     `yaml:"assignment" json:"assignment"` // read in order; none = DefaultRules
	Ladder      Ladder     `yaml:"ladder" json:"ladder"`
	Points      Points     `yaml:"points" json:"points"`
	Rewards     Rewards    `yaml:"rewards" json:"rewards"`
	Digest      Weekly     `yaml:"digest" json:"digest"`

	// Courtyards are buildings that decide together what is theirs; see package topic.
	Courtyards []Courtyard `yaml:"courtyards" json:"courtyards,omitempty"`

	// Open311 says who may read tickets by Open311 (they hold nothing that leads to
	// a person): OpenToAll, OpenToKeys, or nobody (NotOpen).
	Open311 Openness `yaml:"open311" json:"open311,omitempty"`

	// Wording are texts in place of the shipped ones, by key; package wording
	// reads and checks them.
	Wording map[string]string `yaml:"wording" json:"wording,omitempty"`
	// Categories are what the community calls its categories; see Taxonomy.For.
	Categories map[Category]OwnCategory `yaml:"categories" json:"categories,omitempty"`

	location *time.Location
	gridOf   map[buildingKey]string
}

// Openness says to whom a community's tickets are open.
type Openness string

// The degrees of openness.
const (
	OpenToAll  Openness = ""       // anybody
	OpenToKeys Openness = "keys"   // who has a key that reads
	NotOpen    Openness = "closed" // nobody, and nothing can be filed
)

// Document is a version of a community's document as somebody wrote it.
type Document struct {
	Version   int64
	Author    string
	AppliedAt time.Time
	YAML      string // what ParseCommunity read; "" where only the history is told
}

type buildingKey struct {
	estate   string
	building int
}

// Estate is a housing estate 小区 with buildings numbered 1 to Buildings.
type Estate struct {
	Name             string   `yaml:"name" json:"name"`
	Aliases          []string `yaml:"aliases" json:"aliases"` // what residents call it
	Buildings        int      `yaml:"buildings" json:"buildings"`
	Households       int      `yaml:"households" json:"households"`
	PropertyContract bool     `yaml:"property_contract" json:"property_contract"`
	Layout           Layout   `yaml:"layout" json:"layout"`

	// PatrolsSince is when its inspections by the standard that holds began, zero for
	// long ago; the record knows it, the document does not.
	PatrolsSince time.Time `yaml:"-" json:"-"`
}

// Layout says roughly where the numbered buildings stand, row by row from
// building 1, so that a shared location finds the nearest one. Degrees, GCJ-02
// as WeChat sends them. A zero layout means that it is not known.
type Layout struct {
	Lat     float64 `yaml:"lat" json:"lat"`           // of building 1
	Lng     float64 `yaml:"lng" json:"lng"`           // of building 1
	Columns int     `yaml:"columns" json:"columns"`   // buildings in a row, going east
	StepLat float64 `yaml:"step_lat" json:"step_lat"` // from a row to the next, usually negative (south)
	StepLng float64 `yaml:"step_lng" json:"step_lng"` // from a building to its neighbour
}

// Grid is a micro grid 网格. Kind is "residential" or "special" (hospital,
// retired officers' home, school).
type Grid struct {
	Code      string `yaml:"code" json:"code"`
	Name      string `yaml:"name" json:"name"`
	Kind      string `yaml:"kind" json:"kind"`
	Buildings string `yaml:"buildings" json:"buildings"` // "estate:from-to, estate:from-to"
}

// Landmark is a place that residents name and that is no building, such as
// 「怡园大门口」.
type Landmark struct {
	Name    string   `yaml:"name" json:"name"`
	Aliases []string `yaml:"aliases" json:"aliases"`
	Estate  string   `yaml:"estate" json:"estate"`
	Grid    string   `yaml:"grid" json:"grid"`
}

// Courtyard 院 is some buildings of one estate that decide together what is theirs.
type Courtyard struct {
	Name      string `yaml:"name" json:"name"`
	Estate    string `yaml:"estate" json:"estate"`
	Buildings string `yaml:"buildings" json:"buildings"` // "1-9, 12"

	numbers []int
}

// Numbers are the numbers of its buildings, in order.
func (y Courtyard) Numbers() []int { return y.numbers }

// prepare reads the buildings, of which the estate has so many; the code says what is
// wrong with them, "" for nothing.
func (y *Courtyard) prepare(count int) WrongCode {
	if strings.TrimSpace(y.Buildings) == "" {
		return WrongMissing
	}
	ranges, _, ok := parseRanges(y.Estate + ":" + strings.ReplaceAll(y.Buildings, ",", ","+y.Estate+":"))
	if !ok {
		return WrongForm
	}
	y.numbers = nil
	for _, r := range ranges {
		if r.from < 1 || r.to < r.from || r.to > count {
			return WrongRange
		}
		for b := r.from; b <= r.to; b++ {
			y.numbers = append(y.numbers, b)
		}
	}
	slices.Sort(y.numbers)
	y.numbers = slices.Compact(y.numbers)
	return ""
}

// OwnCategory is a category as a community has it.
type OwnCategory struct {
	Label string `yaml:"label" json:"label,omitempty"` // "" = the shipped one
	Kind  Kind   `yaml:"kind" json:"kind,omitempty"`   // of a category of the community's own: incident or wish
	Off   bool   `yaml:"off" json:"off,omitempty"`     // not offered to choose
}

// Alliance is who may claim wishes, in figures for the digest.
type Alliance struct {
	PartyBranches int `yaml:"party_branches" json:"party_branches"`
	PartyMembers  int `yaml:"party_members" json:"party_members"`
	PartnerUnits  int `yaml:"partner_units" json:"partner_units"`
}

// Weekly says what the weekly digest points at. What a document leaves out has
// the values of DefaultWeekly.
type Weekly struct {
	Floor    int `yaml:"floor" json:"floor"`         // percent; units with a rate below it are named
	Least    int `yaml:"least" json:"least"`         // cases that a rate needs to be judged
	HotDays  int `yaml:"hot_days" json:"hot_days"`   // days in which a spot is looked at
	HotTimes int `yaml:"hot_times" json:"hot_times"` // times that make a spot hot
}

// DefaultWeekly is that of the reference community.
func DefaultWeekly() Weekly { return Weekly{Floor: 85, Least: 5, HotDays: 28, HotTimes: 3} }

// Clocks are the community's promises. Zero means that no such clock runs.
type Clocks struct {
	Emergency      Promise       `yaml:"emergency" json:"emergency"`
	Major          Promise       `yaml:"major" json:"major"`
	Minor          Promise       `yaml:"minor" json:"minor"`
	WishClaimed    time.Duration `yaml:"wish_unclaimed" json:"wish_unclaimed"`   // on the wall until the committee gets it
	WishResolve    time.Duration `yaml:"wish_resolve" json:"wish_resolve"`       // from the claim to the fulfilment
	Rating         time.Duration `yaml:"feedback_window" json:"feedback_window"` // a rating is awaited this long
	RatingReminder time.Duration `yaml:"rating_reminder" json:"rating_reminder"` // one reminder after this
	Question       time.Duration `yaml:"question" json:"question"`               // a worker's question waits this long
	PlaceQuestion  time.Duration `yaml:"place_question" json:"place_question"`   // the bot's own question waits this long
	Tray           time.Duration `yaml:"tray" json:"tray"`                       // a matter may stand in the by-hand tray
	Again          time.Duration `yaml:"again" json:"again"`                     // overdue matters are brought up again
	Reopen         time.Duration `yaml:"reopen_window" json:"reopen_window"`     // a closed matter may be reopened
	LateRating     time.Duration `yaml:"late_rating" json:"late_rating"`         // a matter closed by time may still be rated
	UrgePause      time.Duration `yaml:"urge_pause" json:"urge_pause"`           // between two urges of one ticket
	MaxTransfers   int           `yaml:"max_transfers" json:"max_transfers"`     // then it must be returned
	LooseMedia     time.Duration `yaml:"loose_media" json:"loose_media"`         // photos before or after join the same ticket
}

// Promise is what one severity is promised, each counted from the start of
// the matter (or its reopening).
type Promise struct {
	Response time.Duration `yaml:"response" json:"response"` // until somebody accepts
	Feedback time.Duration `yaml:"feedback" json:"feedback"` // until the resident hears how it stands; 0 = none
	Resolve  time.Duration `yaml:"resolve" json:"resolve"`   // until it is resolved
}

// For is the promise of a severity.
func (c *Clocks) For(s Severity) Promise {
	switch s {
	case Emergency:
		return c.Emergency
	case Major:
		return c.Major
	default:
		return c.Minor
	}
}

// ParseCommunity reads a community's document. It refuses unknown fields,
// grids that overlap or leave buildings out, and clocks that make no sense;
// the error names the field. Missing clocks get the reference community's.
func ParseCommunity(r io.Reader) (*Community, error) {
	c, wrong, err := readCommunity(r, true)
	if err == nil {
		err = wrong
	}
	if err != nil {
		return nil, fmt.Errorf("community document: %w", err)
	}
	return c, nil
}

// ReadCommunity reads a document that was applied, perhaps by another release, as far as
// it can be: what this one does not know says nothing, and what it would refuse today
// stands and is told as wrong. err is for what cannot be read at all.
func ReadCommunity(r io.Reader) (c *Community, wrong, err error) { return readCommunity(r, false) }

func readCommunity(r io.Reader, known bool) (c *Community, wrong, err error) {
	const limit = 4 << 20
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > limit {
		return nil, nil, errors.New("is longer than 4 MB")
	}
	c = &Community{Timezone: "Asia/Shanghai", Clocks: DefaultClocks(), Quiet: Quiet{From: "21:00", To: "08:00"}, Ladder: DefaultLadder(), Points: DefaultPoints(), Rewards: DefaultRewards(), Digest: DefaultWeekly()}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(known)
	if err := dec.Decode(c); errors.Is(err, io.EOF) {
		return nil, nil, errors.New("is empty")
	} else if err != nil {
		return nil, nil, mistyped(data, err)
	}
	return c, c.prepare(), nil
}

// DefaultClocks are those of the reference community.
func DefaultClocks() Clocks {
	const h = time.Hour
	return Clocks{
		Emergency:      Promise{Response: 5 * time.Minute, Resolve: 24 * h},
		Major:          Promise{Response: h, Feedback: 24 * h, Resolve: 168 * h},
		Minor:          Promise{Response: h, Resolve: 48 * h},
		WishClaimed:    72 * h,
		WishResolve:    336 * h,
		Rating:         72 * h,
		RatingReminder: 24 * h,
		Question:       48 * h,
		PlaceQuestion:  30 * time.Minute,
		Tray:           h,
		Again:          24 * h,
		Reopen:         720 * h,
		LateRating:     168 * h,
		UrgePause:      2 * h,
		MaxTransfers:   5,
		LooseMedia:     15 * time.Minute,
	}
}

// What a community's own figures and names may be.
const (
	mostTitle   = 50        // signs of a name
	mostCounted = 1_000_000 // households, residents, members
)

// hotline is a telephone number as people print it: a mobile, a fixed one, a short one
// such as 12345, or one with an extension.
var hotline = regexp.MustCompile(`^\+?[0-9](?:[- ]?[0-9]){2,17}$`)

func (c *Community) prepare() error {
	var errs []error
	fail := func(at string, code WrongCode, have any, format string, a ...any) {
		errs = append(errs, wrong(at, code, have, format, a...))
	}
	in := func(list string, i int, field string) string { return fmt.Sprintf("%s[%d]%s", list, i, field) }
	if c.Code == "" || strings.Trim(c.Code, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		fail("code", WrongForm, c.Code, "want lower-case letters, digits and '-', have %q", c.Code)
	}
	if c.Name == "" {
		fail("name", WrongMissing, "", "is missing")
	}
	for _, text := range [][2]string{{"name", c.Name}, {"subdistrict", c.Subdistrict}, {"property.company", c.Property.Company}} {
		if n := utf8.RuneCountInString(text[1]); n > mostTitle {
			fail(text[0], WrongLong, mostTitle, "want at most %d signs, have %d", mostTitle, n)
		}
	}
	if c.Hotline != "" && !hotline.MatchString(c.Hotline) {
		fail("hotline", WrongPhone, c.Hotline, "want a telephone number, have %q", c.Hotline)
	}
	for _, n := range []struct {
		at   string
		have int
	}{
		{"households", c.Households}, {"residents", c.Residents}, {"alliance.party_branches", c.Alliance.PartyBranches},
		{"alliance.party_members", c.Alliance.PartyMembers}, {"alliance.partner_units", c.Alliance.PartnerUnits},
	} {
		if n.have < 0 || n.have > mostCounted {
			fail(n.at, WrongNumber, n.have, "want 0 to %d, have %d", mostCounted, n.have)
		}
	}
	if c.Open311 != OpenToAll && c.Open311 != OpenToKeys && c.Open311 != NotOpen {
		fail("open311", WrongChoice, c.Open311, "want keys, closed, or nothing for everybody, have %q", c.Open311)
	}
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil || c.Timezone == "" || c.Timezone == "Local" {
		fail("timezone", WrongChoice, c.Timezone, "want a name such as Asia/Shanghai, have %q", c.Timezone)
		loc = time.UTC
	}
	c.location = loc
	estates := map[string]int{}
	for i, e := range c.Estates {
		if e.Name == "" || e.Buildings < 1 || e.Buildings > 2000 {
			fail(in("estates", i, ""), WrongMissing, e.Name, "needs a name and 1 to 2000 buildings")
			continue
		}
		if e.Households < 0 || e.Households > mostCounted {
			fail(in("estates", i, ".households"), WrongNumber, e.Households, "want 0 to %d, have %d", mostCounted, e.Households)
		}
		if _, twice := estates[e.Name]; twice {
			fail(in("estates", i, ""), WrongTwice, e.Name, "%q stands twice", e.Name)
		}
		estates[e.Name] = e.Buildings
	}
	c.gridOf = map[buildingKey]string{}
	for i, g := range c.Grids {
		if g.Code == "" || g.Name == "" {
			fail(in("grids", i, ""), WrongMissing, g.Name, "needs a code and a name")
		}
		if slices.ContainsFunc(c.Grids[:i], func(other Grid) bool { return other.Code == g.Code }) {
			fail(in("grids", i, ".code"), WrongTwice, g.Code, "%q stands twice", g.Code)
		}
		at := in("grids", i, ".buildings")
		ranges, unread, ok := parseRanges(g.Buildings)
		if !ok {
			fail(at, WrongSpan, unread, "want estate:from-to, have %q", unread)
			continue
		}
		for _, r := range ranges {
			n, ok := estates[r.estate]
			if !ok {
				fail(at, WrongEstate, r.estate, "%s is no estate", r.estate)
				continue
			}
			if r.from < 1 || r.to < r.from || r.to > n {
				fail(at, WrongRange, r, "%v is not in an estate", r)
				continue
			}
			for b := r.from; b <= r.to; b++ {
				k := buildingKey{r.estate, b}
				if other, taken := c.gridOf[k]; taken {
					fail(at, WrongTaken, fmt.Sprintf("%s %d", r.estate, b), "%s %d is in %s already", r.estate, b, other)
				}
				c.gridOf[k] = g.Code
			}
		}
	}
	for _, e := range c.Estates {
		for b := 1; b <= estates[e.Name]; b++ {
			if _, ok := c.gridOf[buildingKey{e.Name, b}]; !ok {
				fail("grids", WrongGridless, fmt.Sprintf("%s %d", e.Name, b), "%s %d is in no grid", e.Name, b)
				break
			}
		}
	}
	for i, l := range c.Landmarks {
		_, inGrid := c.Grid(l.Grid)
		_, inEstate := estates[l.Estate]
		if l.Name == "" || !inGrid || l.Estate != "" && !inEstate {
			fail(in("landmarks", i, ""), WrongMissing, l.Name, "needs a name, a grid that exists, and no estate that does not")
		}
	}
	for i := range c.Courtyards {
		y := &c.Courtyards[i]
		if y.Name == "" {
			fail(in("courtyards", i, ".name"), WrongMissing, "", "needs a name")
		}
		if count, ok := estates[y.Estate]; !ok {
			fail(in("courtyards", i, ".estate"), WrongEstate, y.Estate, "there is no estate %q", y.Estate)
		} else if code := y.prepare(count); code != "" {
			fail(in("courtyards", i, ".buildings"), code, y.Buildings, "want buildings of %s such as 1-9, 12, have %q", y.Estate, y.Buildings)
		}
		if slices.ContainsFunc(c.Courtyards[:i], func(o Courtyard) bool { return o.Name == y.Name && o.Estate == y.Estate }) {
			fail(in("courtyards", i, ""), WrongTwice, y.Name, "%q stands twice", y.Name)
		}
	}
	if err := c.Clocks.check(); err != nil {
		errs = append(errs, err)
	}
	if err := c.Working.prepare(); err != nil {
		errs = append(errs, err)
	}
	if err := c.Quiet.prepare(); err != nil {
		errs = append(errs, err)
	}
	for i := range c.Assignment {
		if err := c.Assignment[i].check(c); err != nil {
			errs = append(errs, within(in("assignment", i, "."), err))
		}
	}
	if err := c.Rewards.check(); err != nil {
		errs = append(errs, err)
	}
	if err := c.Ladder.check(c.Clocks.Again); err != nil {
		errs = append(errs, err)
	}
	if err := c.Property.check(); err != nil {
		errs = append(errs, err)
	}
	for _, code := range slices.Sorted(maps.Keys(c.Categories)) {
		if err := c.Categories[code].check(code); err != nil {
			errs = append(errs, err)
		}
	}
	if d := c.Digest; d.Floor < 0 || d.Floor > 100 || d.Least < 1 || d.HotDays < 1 || d.HotDays > 366 || d.HotTimes < 2 {
		fail("digest", WrongNumber, "", "want floor 0 to 100, least at least 1, hot_days 1 to 366, hot_times at least 2")
	}
	return errors.Join(errs...)
}

func (c *Clocks) check() error {
	var errs []error
	promised := map[string]time.Duration{
		"emergency.response": c.Emergency.Response, "emergency.resolve": c.Emergency.Resolve,
		"major.response": c.Major.Response, "major.resolve": c.Major.Resolve,
		"minor.response": c.Minor.Response, "minor.resolve": c.Minor.Resolve,
		"wish_unclaimed": c.WishClaimed, "wish_resolve": c.WishResolve, "feedback_window": c.Rating,
		"question": c.Question, "place_question": c.PlaceQuestion, "tray": c.Tray, "again": c.Again,
	}
	for _, name := range slices.Sorted(maps.Keys(promised)) {
		if promised[name] <= 0 {
			errs = append(errs, wrong("clocks."+name, WrongShort, "", "must be longer than 0, every open ticket has a next deadline"))
		}
	}
	optional := map[string]time.Duration{
		"emergency.feedback": c.Emergency.Feedback, "major.feedback": c.Major.Feedback, "minor.feedback": c.Minor.Feedback,
		"rating_reminder": c.RatingReminder, "reopen_window": c.Reopen, "late_rating": c.LateRating,
		"urge_pause": c.UrgePause, "loose_media": c.LooseMedia,
	}
	for _, name := range slices.Sorted(maps.Keys(optional)) {
		if optional[name] < 0 {
			errs = append(errs, wrong("clocks."+name, WrongShort, "", "must not be less than 0"))
		}
	}
	if c.RatingReminder >= c.Rating {
		errs = append(errs, wrong("clocks.rating_reminder", WrongReminder, "", "must be shorter than clocks.feedback_window"))
	}
	if c.MaxTransfers < 1 {
		errs = append(errs, wrong("clocks.max_transfers", WrongNumber, c.MaxTransfers, "must be at least 1"))
	}
	return errors.Join(errs...)
}

type buildingRange struct {
	estate   string
	from, to int
}

// String is a range as a document has it.
func (r buildingRange) String() string { return fmt.Sprintf("%s:%d-%d", r.estate, r.from, r.to) }

// parseRanges reads the buildings of a grid; unread is what is not of the form
// estate:from-to.
func parseRanges(s string) (out []buildingRange, unread string, ok bool) {
	for _, part := range strings.Split(s, ",") {
		estate, span, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			return nil, strings.TrimSpace(part), false
		}
		a, b, ok := strings.Cut(span, "-")
		if !ok {
			b = a
		}
		from, err1 := strconv.Atoi(strings.TrimSpace(a))
		to, err2 := strconv.Atoi(strings.TrimSpace(b))
		if err1 != nil || err2 != nil {
			return nil, strings.TrimSpace(part), false
		}
		out = append(out, buildingRange{strings.TrimSpace(estate), from, to})
	}
	return out, "", true
}

// Rules are the rules of assignment, in the order in which they are read.
func (c *Community) Rules() []Rule {
	if len(c.Assignment) > 0 {
		return c.Assignment
	}
	return slices.Insert(DefaultRules(), 2, c.Property.rules()...)
}

// Location is the community's time zone.
func (c *Community) Location() *time.Location { return c.location }

// Grid finds a grid by its code.
func (c *Community) Grid(code string) (Grid, bool) {
	for _, g := range c.Grids {
		if g.Code == code {
			return g, true
		}
	}
	return Grid{}, false
}

// GridOf is the code of the grid that a building stands in, "" if the
// building does not exist.
func (c *Community) GridOf(estate string, building int) string {
	return c.gridOf[buildingKey{estate, building}]
}

// Estate finds an estate by its name or one of its aliases.
func (c *Community) Estate(name string) (Estate, bool) {
	for _, e := range c.Estates {
		if e.Name == name {
			return e, true
		}
		for _, a := range e.Aliases {
			if a == name {
				return e, true
			}
		}
	}
	return Estate{}, false
}

// Buildings is how many buildings the community has.
func (c *Community) Buildings() int { return len(c.gridOf) }

// Position is roughly where a place's building stands, in degrees of GCJ-02; ok is
// false where that is not known.
func (c *Community) Position(p Place) (lat, lng float64, ok bool) {
	e, found := c.Estate(p.Estate)
	if !found || e.Layout.Columns < 1 || p.Building < 1 || p.Building > e.Buildings {
		return 0, 0, false
	}
	lat, lng = e.position(p.Building)
	return lat, lng, true
}

// position is where a building stands by the layout, which must be known.
func (e *Estate) position(building int) (lat, lng float64) {
	row, col := (building-1)/e.Layout.Columns, (building-1)%e.Layout.Columns
	return e.Layout.Lat + float64(row)*e.Layout.StepLat, e.Layout.Lng + float64(col)*e.Layout.StepLng
}

// Nearest is the place of the building closest to a position in degrees, and
// its distance in metres; ok is false where no layout is known. Distances are
// flat-earth, good within a city.
func (c *Community) Nearest(lat, lng float64) (p Place, metres float64, ok bool) {
	best := math.Inf(1)
	for _, e := range c.Estates {
		if e.Layout.Columns < 1 {
			continue
		}
		for b := 1; b <= e.Buildings; b++ {
			bLat, bLng := e.position(b)
			dLat := (bLat - lat) * 111_320
			dLng := (bLng - lng) * 111_320 * math.Cos(lat*math.Pi/180)
			if d := math.Hypot(dLat, dLng); d < best {
				best = d
				p = Place{Estate: e.Name, Building: b, Grid: c.GridOf(e.Name, b)}
			}
		}
	}
	return p, best, !math.IsInf(best, 1)
}
