package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/workflow"
)

// describe is configs/openapi.yaml as JSON.
func describe() ([]byte, error) {
	var document map[string]any
	if err := yaml.Unmarshal(configs.Read("openapi.yaml"), &document); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return json.Marshal(document)
}

// description gives the description of the API.
func (q *request) description() error {
	return q.answer(http.StatusOK, json.RawMessage(q.api.document))
}

// communityShape is a community as other software needs to know it.
type communityShape struct {
	Code        string             `json:"code"`
	Name        string             `json:"name"`
	Subdistrict string             `json:"subdistrict"`
	Timezone    string             `json:"timezone"`
	Hotline     string             `json:"hotline"`
	Households  int                `json:"households"`
	Residents   int                `json:"residents"`
	Buildings   int                `json:"buildings"`
	Estates     []estateShape      `json:"estates"`
	Grids       []gridShape        `json:"grids"`
	Landmarks   []landmarkShape    `json:"landmarks"`
	Promises    map[string]promise `json:"promises"`
}

type estateShape struct {
	Name       string   `json:"name"`
	Aliases    []string `json:"aliases"`
	Buildings  int      `json:"buildings"`
	Households int      `json:"households"`
	Property   bool     `json:"property"`
}

type gridShape struct {
	Code      string `json:"code"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Buildings string `json:"buildings"`
}

type landmarkShape struct {
	Name   string `json:"name"`
	Estate string `json:"estate,omitempty"`
	Grid   string `json:"grid"`
}

// promise is what a kind of matter is promised, in seconds; none = no such promise.
type promise struct {
	Response int64 `json:"response_s,omitempty"`
	Feedback int64 `json:"feedback_s,omitempty"`
	Resolve  int64 `json:"resolve_s,omitempty"`
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// community tells of the community.
func (q *request) community() error {
	if _, err := q.asked(); err != nil {
		return err
	}
	c := q.shape.Community
	out := communityShape{
		Code: c.Code, Name: c.Name, Subdistrict: c.Subdistrict, Timezone: c.Timezone, Hotline: c.Hotline, Households: c.Households, Residents: c.Residents,
		Buildings: c.Buildings(), Estates: []estateShape{}, Grids: []gridShape{}, Landmarks: []landmarkShape{}, Promises: map[string]promise{},
	}
	for _, e := range c.Estates {
		out.Estates = append(out.Estates, estateShape{e.Name, append([]string{}, e.Aliases...), e.Buildings, e.Households, e.PropertyContract})
	}
	for _, g := range c.Grids {
		out.Grids = append(out.Grids, gridShape{g.Code, g.Name, g.Kind, g.Buildings})
	}
	for _, l := range c.Landmarks {
		out.Landmarks = append(out.Landmarks, landmarkShape{l.Name, l.Estate, l.Grid})
	}
	for _, s := range severities {
		p := c.Clocks.For(s)
		out.Promises[string(s)] = promise{seconds(p.Response), seconds(p.Feedback), seconds(p.Resolve)}
	}
	out.Promises[string(workflow.Wish)] = promise{Response: seconds(c.Clocks.WishClaimed), Resolve: seconds(c.Clocks.WishResolve)}
	return q.answer(http.StatusOK, out)
}

// categoryShape is one category. Offered is false for one that people are not
// given to choose any more; it is still taken.
type categoryShape struct {
	Code    workflow.Category `json:"code"`
	Label   string            `json:"label"`
	Kind    workflow.Kind     `json:"kind"`
	Line    string            `json:"line,omitempty"` // wishes: one of the four lines
	Offered bool              `json:"offered"`
}

// categories tells what tickets may be about.
func (q *request) categories() error {
	if _, err := q.asked(); err != nil {
		return err
	}
	taxonomy := q.api.o.Taxonomy.For(q.shape.Community)
	out := struct {
		Categories []categoryShape `json:"categories"`
	}{[]categoryShape{}}
	for _, of := range []map[workflow.Category]string{taxonomy.IncidentCategories, taxonomy.WishCategories} {
		for _, c := range slices.Sorted(maps.Keys(of)) {
			out.Categories = append(out.Categories, categoryShape{c, of[c], taxonomy.KindOf(c), taxonomy.Line(c), !taxonomy.Off(c)})
		}
	}
	return q.answer(http.StatusOK, out)
}
