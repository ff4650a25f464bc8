package workflow

import (
	"slices"
	"strings"
	"testing"
)

func smallTaxonomy() *Taxonomy {
	return &Taxonomy{
		Kinds:              map[Kind]string{Incident: "诉求", Wish: "心愿"},
		IncidentCategories: map[Category]string{"drainage": "管道排水", "noise": "噪音扰民", OtherIncident: "其他诉求"},
		WishCategories:     map[Category]string{"elderly": "助老", OtherWish: "其他心愿"},
		WishLines:          []WishLine{{Name: "一老一小", Categories: []Category{"elderly"}}},
	}
}

const communityHead = `
code: x
name: 小区
estates: [{name: 东园, buildings: 2}]
grids: [{code: G1, name: 第一网格, buildings: "东园:1-2"}]
`

func withCategories(t *testing.T, yaml string) *Community {
	t.Helper()
	c, err := ParseCommunity(strings.NewReader(communityHead + yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOwnCategories(t *testing.T) {
	shipped := smallTaxonomy()
	c := withCategories(t, `
categories:
  drainage: {label: 下水道}
  noise: {off: true}
  pets: {label: 宠物, kind: incident}
  bus: {label: 班车, kind: wish}
`)
	if err := shipped.Check(c); err != nil {
		t.Fatal(err)
	}
	own := shipped.For(c)
	for code, label := range map[Category]string{"drainage": "下水道", "noise": "噪音扰民", "pets": "宠物", "bus": "班车", "elderly": "助老", "unheard_of": "unheard_of"} {
		if have := own.Label(code); have != label {
			t.Errorf("%s is called %q, want %q", code, have, label)
		}
	}
	for word, want := range map[string]Category{"下水道": "drainage", "管道排水": "drainage", "宠物": "pets", "bus": "bus", "噪音扰民": "noise"} {
		if code, _, ok := own.Find(word); !ok || code != want {
			t.Errorf("%s finds %q, want %q", word, code, want)
		}
	}
	if _, kind, _ := own.Find("班车"); kind != Wish {
		t.Errorf("班车 is of kind %q", kind)
	}
	if have := own.Offered(Incident); !slices.Equal(have, []Category{"drainage", "pets", OtherIncident}) {
		t.Errorf("offered: %v", have)
	}
	if have := own.Offered(Wish); !slices.Equal(have, []Category{"elderly", "bus", OtherWish}) && !slices.Equal(have, []Category{"bus", "elderly", OtherWish}) {
		t.Errorf("offered: %v", have)
	}
	if shipped.Label("drainage") != "管道排水" || len(shipped.IncidentCategories) != 3 || shipped.Off("noise") {
		t.Error("a community's taxonomy changed the shipped one")
	}
	if again := own.For(withCategories(t, "")); again.Label("drainage") != "管道排水" {
		t.Error("one community's labels reached another's")
	}
}

func TestOwnCategoriesAreChecked(t *testing.T) {
	for _, tt := range []struct{ yaml, want string }{
		{"categories: {Pets: {label: 宠物, kind: incident}}", "categories.Pets"},
		{"categories: {pets: {label: 宠物 猫狗, kind: incident}}", "categories.pets: label"},
		{"categories: {pets: {label: 一个非常非常非常长的类别, kind: incident}}", "categories.pets: label"},
		{"categories: {pets: {label: 宠物, kind: chat}}", "categories.pets: kind"},
		{"categories: {other_incident: {off: true}}", "categories.other_incident: off"},
		{"categories: {noise: {lable: 吵}}", "lable"},
	} {
		if _, err := ParseCommunity(strings.NewReader(communityHead + tt.yaml)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.yaml, err, tt.want)
		}
	}
	for _, tt := range []struct{ yaml, want string }{
		{"categories: {pets: {label: 宠物}}", "categories.pets: is not shipped"},
		{"categories: {pets: {kind: incident}}", "categories.pets: is not shipped"},
		{"categories: {noise: {kind: wish, label: 吵}}", "categories.noise: kind"},
		{"categories: {noise: {label: 管道排水}}", "categories.noise: label"},
		{"categories: {noise: {label: 吵}, drainage: {label: 吵}}", "categories.drainage: label"},
		{"categories: {noise: {label: elderly}}", "categories.noise: label"},
	} {
		if err := smallTaxonomy().Check(withCategories(t, tt.yaml)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.yaml, err, tt.want)
		}
	}
}
