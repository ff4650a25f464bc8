package ngram

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// made are samples of three labels, each with its words and some of all.
func made() []Sample {
	words := map[string][]string{
		"light": {"楼道灯不亮", "路灯坏了", "灯泡不亮", "黑灯瞎火", "声控灯失灵"},
		"water": {"下水道堵了", "污水冒出来", "地漏返水", "水管漏水", "积水很深"},
		"noise": {"广场舞太吵", "装修噪音", "半夜唱歌", "音响太响", "狗叫一夜"},
	}
	var out []Sample
	for _, label := range []string{"light", "noise", "water"} {
		for i, w := range words[label] {
			for j, tail := range []string{"麻烦来看看", "好几天了", "没人管", "谢谢"} {
				out = append(out, Sample{Text: fmt.Sprintf("%d号楼%s,%s", i*4+j, w, tail), Label: label})
			}
		}
	}
	return out
}

func trained(t testing.TB) *Model {
	t.Helper()
	m, err := Train(made())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLearnsAndGeneralises(t *testing.T) {
	m := trained(t)
	for text, want := range map[string]string{"三单元灯不亮了": "light", "厨房地漏往上返水": "water", "楼下又跳广场舞": "noise"} {
		if got, p := m.Predict(text, nil); got != want || p < 0.4 {
			t.Errorf("%s: %s %.2f, want %s", text, got, p, want)
		}
	}
	r, err := CrossValidate(made(), 5)
	if err != nil || r.Accuracy() < 0.9 {
		t.Errorf("held back in turn: %.2f %v", r.Accuracy(), err)
	}
}

// The probabilities of any text are none below 0 and 1 together; of no text at
// all too.
func TestProbabilities(t *testing.T) {
	m := trained(t)
	for _, text := range []string{"", " ", "灯", "\x00\xff", strings.Repeat("灯", 100_000), "hello"} {
		p := m.Probabilities(text, nil, nil)
		sum := 0.0
		for _, x := range p {
			sum += x
			if x < 0 {
				t.Errorf("%.20q: %v", text, p)
			}
		}
		if math.Abs(sum-1) > 1e-9 || len(p) != len(m.Labels()) {
			t.Errorf("%.20q: together %f", text, sum)
		}
	}
}

func TestNamedFeatures(t *testing.T) {
	var samples []Sample
	for i, s := range made() {
		s.Text = fmt.Sprint("某楼", i%7)
		s.Names = []string{"about:" + s.Label}
		samples = append(samples, s)
	}
	m, err := Train(samples)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range m.Labels() {
		if got, _ := m.Predict("某楼", []string{"about:" + want}); got != want {
			t.Errorf("named %s: %s", want, got)
		}
	}
}

func TestSameSamplesSameFile(t *testing.T) {
	var a, b bytes.Buffer
	if err := errors.Join(Save(&a, map[string]*Model{"x": trained(t)}), Save(&b, map[string]*Model{"x": trained(t)})); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("trained twice, two models")
	}
}

func TestSaveAndLoad(t *testing.T) {
	m := trained(t)
	var file bytes.Buffer
	if err := Save(&file, map[string]*Model{"what": m, "again": m}); err != nil {
		t.Fatal(err)
	}
	got, err := Load(bytes.NewReader(file.Bytes()))
	if err != nil || len(got) != 2 {
		t.Fatal(len(got), err)
	}
	for _, s := range made() {
		if a, b := m.Probabilities(s.Text, nil, nil), got["what"].Probabilities(s.Text, nil, nil); !slices.Equal(a, b) {
			t.Fatalf("%s: %v, loaded %v", s.Text, a, b)
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("text\tlabel\n"), "magic alone": []byte(magic), "cut": file.Bytes()[:file.Len()-1],
		"more": append(slices.Clone(file.Bytes()), 0),
	} {
		if _, err := Load(bytes.NewReader(data)); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := 0; i < file.Len(); i += 97 {
		bad := slices.Clone(file.Bytes())
		bad[i] ^= 0x40
		if _, err := Load(bytes.NewReader(bad)); !errors.Is(err, ErrFile) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	many := make([]Sample, maxLabels+1)
	for i := range many {
		many[i] = Sample{Text: "x", Label: fmt.Sprint(i)}
	}
	for name, samples := range map[string][]Sample{
		"nothing": nil, "one label": {{Text: "a", Label: "x"}, {Text: "b", Label: "x"}}, "no label": {{Text: "a", Label: "x"}, {Text: "b"}}, "too many": many,
	} {
		if _, err := Train(samples); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := CrossValidate(made(), 1); err == nil {
		t.Error("one fold: no error")
	}
}

func TestReport(t *testing.T) {
	r := NewReport()
	for _, x := range [][2]string{{"a", "a"}, {"a", "a"}, {"a", "b"}, {"b", "b"}} {
		r.Add(x[0], x[1])
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	// a: precision 1, recall 2/3, F1 0.8; b: 1/2, 1, 2/3.
	if !strings.HasSuffix(b.String(), "\naccuracy=0.7500 macro_f1=0.7333\n") {
		t.Errorf("report:\n%s", b.String())
	}
}

func TestTable(t *testing.T) {
	read := func(text string, columns ...string) (string, error) {
		var out []string
		err := Table(strings.NewReader(text), columns, func(line int, v []string) error {
			if v[0] == "stop" {
				return errors.New("no")
			}
			out = append(out, fmt.Sprint(line, v))
			return nil
		})
		return strings.Join(out, " "), err
	}
	if got, err := read("\ufefflabel\ttext\tmore\r\nx\t你好\t1\r\n\r\ny\tb\t2\n", "text", "label", "?none"); err != nil || got != "2 [你好 x ] 4 [b y ]" {
		t.Errorf("%q %v", got, err)
	}
	for text, want := range map[string]string{
		"": "line 1", "text\n": "label", "text\tlabel\na\n": "line 2", "text\tlabel\na\tb\nstop\tb\n": "line 3: no",
		"text\tlabel\n" + strings.Repeat("a", maxLine+1): "too long",
	} {
		if _, err := read(text, "text", "label"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
	if got, err := read("text\tlabel\n"+strings.Repeat("长", 50_000)+"\tx\n", "label"); err != nil || got != "2 [x]" {
		t.Errorf("a long line: %q %v", got, err)
	}
}

// The pool behind Probabilities forgets at random under the race detector, so
// what is in it is looked at by itself.
func TestPredictAllocatesNothing(t *testing.T) {
	m := trained(t)
	names := []string{"a", "b"}
	into := make([]float64, len(m.Labels()))
	text := strings.Repeat("西区十二号楼三单元的楼道灯不亮了,", 4)
	var b scratch
	b.counts(text, names)
	if n := testing.AllocsPerRun(200, func() { m.margins(b.counts(text, names), into) }); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func FuzzLoad(f *testing.F) {
	var file bytes.Buffer
	if err := Save(&file, map[string]*Model{"x": trained(f)}); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		models, err := Load(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, m := range models {
			m.Predict("灯不亮", nil)
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	m := trained(b)
	text := strings.Repeat("西区十二号楼三单元的楼道灯不亮了,", 4)
	b.ReportAllocs()
	for b.Loop() {
		m.Predict(text, nil)
	}
}
