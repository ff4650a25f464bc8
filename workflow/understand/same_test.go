package understand_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// Whether two reports tell of one trouble, on pairs as neighbours write them.
// Precision goes before recall.
func TestSameTrouble(t *testing.T) {
	r, c := whole(t), demo(t)
	f, err := os.Open("testdata/pairs.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	at := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	matter := func(text string, at time.Time) workflow.Matter {
		u, err := r.Understand(t.Context(), c, workflow.Words{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return workflow.Matter{Category: u.Category, Place: u.Place, Text: text, At: at}
	}
	var found, wrong, missed int
	err = ngram.Table(f, []string{"first", "second", "hours", "same"}, func(line int, v []string) error {
		hours, err := strconv.ParseFloat(v[2], 64)
		a, b := matter(v[0], at), matter(v[1], at.Add(time.Duration(hours*float64(time.Hour))))
		same := r.Same(a, b)
		if same != r.Same(b, a) {
			t.Errorf("line %d: one way the same, the other not", line)
		}
		switch {
		case same && v[3] == "yes":
			found++
		case same:
			wrong++
			t.Logf("line %d: wrongly the same: %s (%s) | %s (%s)", line, v[0], a.Category, v[1], b.Category)
		case v[3] == "yes":
			missed++
			t.Logf("line %d: missed: %s (%s) | %s (%s)", line, v[0], a.Category, v[1], b.Category)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	precision, recall := float64(found)/float64(found+wrong), float64(found)/float64(found+missed)
	t.Logf("precision %.2f, recall %.2f", precision, recall)
	if precision < 0.95 || recall < 0.7 {
		t.Errorf("precision %.2f, want 0.95; recall %.2f, want 0.7", precision, recall)
	}
}

// Several matters are found where they are said apart; a story is one.
func TestParts(t *testing.T) {
	r, c := whole(t), demo(t)
	for text, want := range map[string][]workflow.Category{
		"西区3号楼灯坏了,还有5号楼下水道堵了":                      {"facilities", "drainage"},
		"1、楼道灯坏了 2、垃圾没人收 3、电动车乱停,怡园3号楼":            {"facilities", "sanitation", "parking"},
		"你好,我想反映两件事。第一,怡园3号楼楼道灯不亮。第二,楼下广场舞太吵了":     {"facilities", "noise"},
		"怡园3号楼楼道灯坏了。怡园4号楼楼道灯也坏了":                   {"facilities", "facilities"},
		"怡园3号楼下水道堵了,上个月就堵过,找物业好几回都没来,家里老人闻着恶心,快点吧": nil,
		"楼道灯坏了,还有就是希望快点修":                          nil,
		"谢谢你们,灯修好了": nil,
		"":          nil,
	} {
		var got []workflow.Category
		for _, p := range r.Parts(t.Context(), c, workflow.Words{Text: text}) {
			got = append(got, p.Category)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %v, want %v", text, got, want)
				break
			}
		}
	}
}
