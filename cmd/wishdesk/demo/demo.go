// Package demo is the demo's community: its document, its people, whom its workers
// visit, and the past with which it begins. What they are stands in configs/demo; here
// it is loaded, and the past is lived through by the machine itself.
//
// What must never come in: servers, the stand-in for WeChat, words for people.
package demo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/jonboulle/clockwork"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Community is the code of the demo's community.
const Community = "bjw-xiqu"

// author is who applied the demo's own document.
const author = "wishdesk demo"

// Person is one of configs/demo/people.yaml.
type Person struct {
	Key    string          `yaml:"key"`
	Name   string          `yaml:"name"`
	Phone  string          `yaml:"phone"`
	OpenID string          `yaml:"openid"`
	Group  string          `yaml:"group"`
	Home   string          `yaml:"home"`
	Roles  []workflow.Role `yaml:"roles"`
}

// Prepare gives the demo a past before it starts for the first time.
func Prepare(ctx context.Context, s *settings.Settings, clock clockwork.Clock, log *slog.Logger) error {
	if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
		return err
	}
	if _, err := Load(ctx, s, clock, log); err != nil {
		return err
	}
	return seedPast(ctx, s, clock, log)
}

// Load applies the demo's community and people. It may run again at every
// start: a document that somebody applied meanwhile stays, and so does what was
// bound by code; the demo's own people are as configs says.
func Load(ctx context.Context, s *settings.Settings, clock clockwork.Clock, log *slog.Logger) ([]Person, error) {
	store, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{Logger: log, Clock: clock})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	document := Document()
	community, err := workflow.ParseCommunity(bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	versions, err := store.CommunityVersions(ctx, community.Code, 0, 1)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 || versions[0].Author == author { // else a person has changed it since
		now := clock
		if len(versions) == 0 { // it is older than the past that the demo begins with
			now = clockwork.NewFakeClockAt(clock.Now().AddDate(0, -3, 0))
		}
		registry, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{Logger: log, Clock: now})
		if err != nil {
			return nil, err
		}
		defer registry.Close()
		if _, err := registry.ApplyCommunity(ctx, community, document, author); err != nil {
			return nil, err
		}
	}
	all, err := readRolls()
	if err != nil {
		return nil, err
	}
	for _, p := range all.People {
		_, err := store.UpsertPerson(ctx, p.Key, workflow.Person{
			Community: community.Code, Name: p.Name, Phone: p.Phone, OpenID: p.OpenID, Roles: p.Roles, Following: p.OpenID != "",
			Home: homeOf(community, p.Home),
		})
		if err != nil {
			return nil, fmt.Errorf("demo person %s: %w", p.Key, err)
		}
	}
	known, err := store.CareList(ctx, community.Code)
	if err != nil || len(known) > 0 { // else somebody has been visited since
		return all.People, err
	}
	for _, c := range all.Care {
		if _, err := store.PutCare(ctx, workflow.Care{
			Community: community.Code, Name: c.Name, Phone: c.Phone, Kind: c.Kind, Place: homeOf(community, c.Home), Note: c.Note, Every: c.Every,
			NextVisit: clock.Now().UTC(),
		}); err != nil {
			return nil, fmt.Errorf("demo care list: %s: %w", c.Name, err)
		}
	}
	return all.People, nil
}

// Shape is the demo's community and staff as the configs have them, in
// which nobody has anything to do yet.
func Shape() (desk.Shape, error) {
	community, err := workflow.ParseCommunity(bytes.NewReader(Document()))
	if err != nil {
		return desk.Shape{}, err
	}
	people, err := People()
	if err != nil {
		return desk.Shape{}, err
	}
	shape := desk.Shape{Community: community}
	for i, p := range people {
		if len(p.Roles) > 0 {
			shape.Roster = append(shape.Roster, workflow.Person{ID: workflow.PersonID(i + 1), Name: p.Name, OpenID: p.OpenID, Roles: p.Roles})
		}
	}
	return shape, nil
}

// Document is the demo community's document.
func Document() []byte { return configs.Read("demo/community.yaml") }

// entry is one entry of the demo's care list.
type entry struct {
	Name  string            `yaml:"name"`
	Phone string            `yaml:"phone"`
	Home  string            `yaml:"home"`
	Kind  workflow.CareKind `yaml:"kind"`
	Note  string            `yaml:"note"`
	Every int               `yaml:"every"`
}

// rolls is configs/demo/people.yaml.
type rolls struct {
	People []Person `yaml:"people"`
	Care   []entry  `yaml:"care"`
}

func readRolls() (doc rolls, err error) {
	if err := yaml.Unmarshal(configs.Read("demo/people.yaml"), &doc); err != nil {
		return doc, fmt.Errorf("demo people: %w", err)
	}
	return doc, nil
}

// People are those of the demo, with their keys and telephones.
func People() ([]Person, error) {
	doc, err := readRolls()
	return doc.People, err
}

// homeOf reads 「毕家洼西区 12-3-402」.
func homeOf(c *workflow.Community, home string) workflow.Place {
	name, rest, _ := strings.Cut(home, " ")
	estate, ok := c.Estate(name)
	if !ok {
		return workflow.Place{}
	}
	p := workflow.Place{Estate: estate.Name}
	parts := strings.Split(rest, "-")
	for i, into := range []*int{&p.Building, &p.Unit} {
		if i < len(parts) {
			*into, _ = strconv.Atoi(parts[i])
		}
	}
	if len(parts) > 2 {
		p.Room = parts[2]
	}
	p.Grid = c.GridOf(p.Estate, p.Building)
	return p
}
