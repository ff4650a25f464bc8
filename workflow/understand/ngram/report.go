package ngram

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
)

// Report is how predictions met the truth.
type Report struct {
	labels map[string]bool
	count  map[[2]string]int // truth, prediction
	total  int
	right  int
}

// NewReport gives an empty report.
func NewReport() *Report { return &Report{labels: map[string]bool{}, count: map[[2]string]int{}} }

// Add counts one prediction.
func (r *Report) Add(truth, predicted string) {
	r.labels[truth], r.labels[predicted] = true, true
	r.count[[2]string{truth, predicted}]++
	r.total++
	if truth == predicted {
		r.right++
	}
}

// Accuracy is the part of predictions that were right, 0 to 1.
func (r *Report) Accuracy() float64 { return ratio(r.right, r.total) }

// MacroF1 is the mean of the labels' F1, each label counting the same. A label
// that was predicted and never true counts 0.
func (r *Report) MacroF1() float64 {
	sum := 0.0
	for l := range r.labels {
		_, _, f1, _ := r.Label(l)
		sum += f1
	}
	if len(r.labels) == 0 {
		return 0
	}
	return sum / float64(len(r.labels))
}

// Label is how one label was met: precision, recall, F1, and how many texts
// have it.
func (r *Report) Label(label string) (precision, recall, f1 float64, support int) {
	predicted := 0
	for pair, n := range r.count {
		if pair[0] == label {
			support += n
		}
		if pair[1] == label {
			predicted += n
		}
	}
	hit := r.count[[2]string{label, label}]
	return ratio(hit, predicted), ratio(hit, support), ratio(2*hit, predicted+support), support
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Write prints the labels' table, the confusion matrix (rows are the truth)
// and, as the last line, accuracy and macro-F1.
func (r *Report) Write(w io.Writer) error {
	labels := slices.Sorted(maps.Keys(r.labels))
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) {
		for _, c := range cells {
			_, _ = fmt.Fprint(tw, c, "\t")
		}
		_, _ = fmt.Fprintln(tw)
	}
	row("#", "precision", "recall", "f1", "texts")
	for i, l := range labels {
		p, rec, f1, n := r.Label(l)
		row(strconv.Itoa(i+1), fmt.Sprintf("%.4f", p), fmt.Sprintf("%.4f", rec), fmt.Sprintf("%.4f", f1), strconv.Itoa(n)+"  "+l)
	}
	_, _ = fmt.Fprintln(tw)
	head := []string{"truth \\ said"}
	for i := range labels {
		head = append(head, strconv.Itoa(i+1))
	}
	row(head...)
	for i, truth := range labels {
		cells := []string{strconv.Itoa(i + 1)}
		for _, said := range labels {
			cells = append(cells, strconv.Itoa(r.count[[2]string{truth, said}]))
		}
		row(cells...)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\naccuracy=%.4f macro_f1=%.4f\n", r.Accuracy(), r.MacroF1())
	return err
}
