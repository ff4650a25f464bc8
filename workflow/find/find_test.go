package find

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

func TestWords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"路灯坏了", "了 坏了 灯坏 路灯"},
		{"3号楼B座，灯", "3 b 号楼 座 楼 灯"},
		{"ＷＩＦＩ 断了 wifi", "wifi 断了 了"},
		{"路 灯", "灯 路灯"},
		{"路,灯", "灯 路"},
		{"电话139 1234 5678，王", "王 电话 话"},
		{"身份证11010119900307761X。", "份证 证 身份"},
		{"写信a.b@example.com吧", "信 写信 吧"},
		{"12345 说的", "12345 的 说的"},
		{"①号😀门", "1 号 门"},
		{"", ""},
		{"？！ …", ""},
	} {
		want := strings.Fields(c.want)
		slices.Sort(want)
		if got := Words(c.text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", c.text, got, want)
		}
	}
}

func TestInIsExact(t *testing.T) {
	for _, c := range []struct {
		query, text string
		want        bool
	}{
		{"路灯", "小区路灯不亮", true},
		{"路灯 不亮", "不亮的是路灯", true},
		{"路灯 不亮", "路灯很亮", false},
		{"灯", "路灯", true},
		{"灯", "灯", true},
		{"灯路灯", "路灯 灯路", false}, // both pairs stand there, not the three together
		{"3号楼", "东园3 号楼", true},
		{"3号楼", "13号楼", false},
		{"号楼漏", "3号楼\n漏水", false}, // another line
		{"WiFi", "ｗｉｆｉ断了", true},
		{"13912345678", "打13912345678", false}, // numbers are not looked at
	} {
		q, err := Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.In(c.text); got != c.want {
			t.Errorf("%q in %q: %v", c.query, c.text, got)
		}
	}
	for _, bad := range []string{"", "  ", "？，", "😀", strings.Repeat("a ", 11)} {
		if _, err := Parse(bad); workflow.CodeOf(err) != workflow.CodeInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

var anyText = rapid.StringOfN(rapid.SampledFrom([]rune("路灯坏了漏水3号楼园a1Bé ，\n٣ﬁ한글①１Ａ")), 0, 40, -1)

// Whatever In accepts the index finds: no key is asked for that such a text
// lacks.
func TestTheIndexMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyText.Draw(t, "text")
		q, err := Parse(anyText.Filter(func(s string) bool { _, err := Parse(s); return err == nil }).Draw(t, "query"))
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "of the text") {
			r := []rune(text)
			from := rapid.IntRange(0, len(r)).Draw(t, "from")
			part := string(r[from:rapid.IntRange(from, len(r)).Draw(t, "to")])
			if of, err := Parse(part); err == nil {
				q = of
			}
		}
		if !q.In(text) {
			return
		}
		words := Words(text)
		for _, k := range q.Keys() {
			if !slices.ContainsFunc(words, func(w string) bool { return w == k.Word || k.Prefix && strings.HasPrefix(w, k.Word) }) {
				t.Fatalf("%q is asked for, the text has %q", k.Word, words)
			}
		}
	})
}

// What stands in a text is found by any stretch of its Chinese.
func TestAnyStretchIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SliceOfN(rapid.SampledFrom([]rune("路灯坏了漏水号楼园")), 1, 40).Draw(t, "text")
		from := rapid.IntRange(0, len(r)-1).Draw(t, "from")
		q, err := Parse(string(r[from:rapid.IntRange(from+1, len(r)).Draw(t, "to")]))
		if err != nil || !q.In(string(r)) {
			t.Fatalf("not found: %v", err)
		}
	})
}

func TestManyKeysAreSpread(t *testing.T) {
	q, err := Parse("东园三号楼二单元的路灯坏了好几天没有人来修理大家都很着急")
	if err != nil {
		t.Fatal(err)
	}
	keys := q.Keys()
	if len(keys) != mostKeys || keys[0].Word != "东园" || !strings.Contains("都很着急", keys[mostKeys-1].Word) {
		t.Errorf("%d keys: %v", len(keys), keys)
	}
}

func BenchmarkWords(b *testing.B) {
	for b.Loop() {
		Words("怡园小区3号楼2单元楼道里的灯坏了三天了，晚上老人上下楼很不方便，麻烦尽快安排人来修，谢谢")
	}
}
