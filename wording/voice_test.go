package wording

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// What a wish on the wall shows is in the words of who wrote it, and leads to no
// door, however the number is written.
func TestAWishIsToldWithoutTraces(t *testing.T) {
	var asked []int64
	o := Voice{W: shipped(t), Taxonomy: taxonomy(t), Shape: desk.Shape{Community: community(t, nil)}, Mask: func(_ *workflow.Community, s string, names []string) string {
		for _, n := range names {
			s = strings.ReplaceAll(s, n, "…")
		}
		return s
	}}
	veil, err := o.Veil(t.Context(), named{&asked}, 7, 8)
	if err != nil || !slices.Equal(asked, []int64{7, 8}) {
		t.Fatalf("looked up %v, %v", asked, err)
	}
	for text, want := range map[string]string{
		"想要一排长椅，在楼前。":        "想要一排长椅，在楼前。",
		"我家 12 号楼 3 单元，想学手机": "我家 某处，想学手机",
		"我家12號樓3單元402戶想學手機":  "我家某处想學手機",
		"１２－３－４０２的老人想学手机":    "某处的老人想学手机",
		"12 - 3 - 402 的老人":   "某处 的老人",
		"十二栋的":               "某处的",
		"孙桂兰想要个轮椅":           "…想要个轮椅",
	} {
		if got := veil.Anonymous(7, text); got != want {
			t.Errorf("%s\n have %s\n want %s", text, got, want)
		}
	}
	if got := veil.Anonymous(8, "孙桂兰"); got != "孙桂兰" {
		t.Errorf("a name of another ticket is hidden: %s", got)
	}
	if got := veil.Anonymous(9, "没有查过名字的事"); got != "" {
		t.Errorf("a ticket whose names are not known is told: %s", got)
	}
	f := desk.Facts{Number: 7, Text: "孙桂兰想要个轮椅", Said: "我是孙桂兰", Anonymous: true, Place: workflow.Place{Estate: "东园", Room: "402"}}
	if v := o.Facts(&f, time.Time{}); v["Full"] != "" || v["Said"] != "" {
		t.Errorf("told without a veil: %v, %v", v["Full"], v["Said"])
	}
	if v := veil.Facts(&f, time.Time{}); v["Full"] != "…想要个轮椅" || v["Said"] != "我是…" || strings.Contains(v["Place"].(string), "402") {
		t.Errorf("behind the veil: %v, %v, %v", v["Full"], v["Said"], v["Place"])
	}
}

// named knows the name of ticket 7.
type named struct{ asked *[]int64 }

func (n named) Names(_ context.Context, _ string, numbers []int64) (map[int64][]string, error) {
	*n.asked = append(*n.asked, numbers...)
	return map[int64][]string{7: {"孙桂兰"}}, nil
}

func (named) Person(context.Context, string, workflow.PersonID) (workflow.Person, error) {
	return workflow.Person{}, nil
}
