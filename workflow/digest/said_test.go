package digest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// week47 is what a model is shown in the tests.
var week47 = Told{
	Week: "11月16日至22日",
	Figures: []Figure{
		{"受理诉求", "61", "50", "0"}, {"解决率", "82.3%", "94%", "—"}, {"12345 热线", "3", "没有录入", "11"},
	},
	Findings: []string{"解决率 82.3%(62 件里 51 件),低于 85% 的要求。", "满意率 97.5%,比上周的 92.3% 提高 5.2 个百分点。", "东园 3号楼的管道排水问题 28 天里反映了 5 次,请从根上解决。"},
	Labels:   []string{"第二网格", "东园 3号楼"},
}

func TestSentencesAreHeldToTheFigures(t *testing.T) {
	leads := func(s string) bool { return strings.Contains(s, "李大妈") }
	names := []string{"唐娟", "秦"}
	for s, fit := range map[string]bool{
		"这周解决率 82.3%,没到 85% 的要求。":      true,
		"解决率 82%,比上周的 94% 低。":          true, // rounded
		"62 件里办成 51 件,还要加把劲。":          true,
		"满意率提高 5.2 个百分点,居民更满意了。":       true,
		"满意率提高 5 个百分点。":                true,
		"第二网格和东园 3号楼要多去看看。":            true, // digits of names are no figures
		"12345 热线 3 件,去年同周 11 件。":      true,
		"11月16日至22日这一周,受理诉求 61 件。":     true,
		"秦皇岛路一带很安静。":                   true, // one sign is no name
		"大家辛苦了。":                       true,
		"解决率 83%。":                     false,
		"解决率 82.4%。":                   false,
		"解决率 82.34%。":                  false,
		"受理 61%。":                      false, // a count is no percentage
		"82.3 件没有办好。":                  false,
		"5 天里反映了 28 次。":                false, // the figures are exchanged
		"受理 12345 件。":                  false,
		"受理 1,061 件。":                  false,
		"受理 61000000000000000000 件。":   false,
		"有三成没有办好。":                     false,
		"一半以上没有办好。":                    false,
		"投诉翻番了。":                       false,
		"受理 \uff16\uff11 件。":           false, // full width
		"办成率百分之82.3。":                  false,
		"唐娟办得最好。":                      false,
		"李大妈很满意。":                      false,
		"":                             false,
		"  ":                           false,
		"第一句。\n第二句。":                   false,
		"请看 https://evil.example/":     false,
		"<a href=x>点这里</a>":            false,
		strings.Repeat("好", longest+1): false,
		"坏的编码 \xff":                    false,
	} {
		err := week47.Check([]string{s}, names, leads)
		if (err == nil) != fit || err != nil && !errors.Is(err, ErrUnfit) {
			t.Errorf("%q: %v, want fit: %t", s, err, fit)
		}
		if err != nil && s != "" && strings.Contains(err.Error(), strings.TrimSpace(s)) && strings.TrimSpace(s) != "" {
			t.Errorf("the error repeats the sentence: %v", err)
		}
	}
	for name, all := range map[string][]string{
		"none": nil, "four": {"大家好。", "辛苦了。", "再见。", "好的。"}, "twice": {"辛苦了。", "辛苦了。"}, "one bad of three": {"辛苦了。", "解决率 1%。", "再见。"},
	} {
		if err := week47.Check(all, nil, nil); !errors.Is(err, ErrUnfit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever number a sentence has: it is let through just where the week has it.
func TestNoNumberComesFromElsewhere(t *testing.T) {
	counts := []int{61, 50, 0, 3, 11, 62, 51, 5}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 120).Draw(t, "n")
		label := rapid.SampledFrom([]string{"", "第二网格", "东园 3号楼", "12345 热线", "这周"}).Draw(t, "label")
		s := fmt.Sprintf("%s还有 %d 件。", label, n)
		if err := week47.Check([]string{s}, nil, nil); (err == nil) != slices.Contains(counts, n) {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
