package ngram

import (
	"fmt"
	"math"
	"sync"
)

// Model tells how likely each label of a text is. It is safe for concurrent
// use and keeps no text.
type Model struct {
	labels []string
	scale  float64 // margins times this are log-odds

	hashes []uint32 // the features, sorted
	first  []int32  // by the top bits of a hash: where its features begin
	idf    []float32
	weight []int8 // by feature, then label
	step   []float32
	bias   []float32
}

// topBits of a hash choose where to look for it.
const topBits = 14

// newModel keeps a weight in 8 bits: for each label the steps are as fine as
// its greatest weight allows.
func newModel(labels []string, hashes []uint32, idf []float32, weights [][]float32, bias []float32) *Model {
	k := len(labels)
	m := &Model{
		labels: labels, scale: 1, hashes: hashes, idf: idf, bias: bias,
		weight: make([]int8, len(hashes)*k), step: make([]float32, k),
	}
	for l, ws := range weights {
		top := float32(0)
		for _, w := range ws {
			top = max(top, float32(math.Abs(float64(w))))
		}
		m.step[l] = max(top, 1e-9) / 127
		for f, w := range ws {
			m.weight[f*k+l] = int8(math.Round(float64(w / m.step[l])))
		}
	}
	m.index()
	return m
}

func (m *Model) index() {
	m.first = make([]int32, 1<<topBits+1)
	for _, h := range m.hashes {
		m.first[h>>(32-topBits)+1]++
	}
	for i := 1; i < len(m.first); i++ {
		m.first[i] += m.first[i-1]
	}
}

// Labels are what the model tells apart, in the order of Probabilities. The
// caller must not change them.
func (m *Model) Labels() []string { return m.labels }

// Features are what models see of a text.
type Features struct {
	scratch
	counted []count
}

var pool = sync.Pool{New: func() any { return new(Features) }}

// Read makes the features of a text, with named ones beside its characters, to
// be shown to any number of models.
func Read(text string, names []string) *Features {
	f := pool.Get().(*Features)
	f.counted = f.counts(text, names)
	return f
}

// Release ends the use of features, so that their room is used again.
func (f *Features) Release() { pool.Put(f) }

// ProbabilitiesOf are how likely each label of Labels is, together 1. into is
// used where it has room for them.
func (m *Model) ProbabilitiesOf(f *Features, into []float64) []float64 {
	if cap(into) < len(m.labels) {
		into = make([]float64, len(m.labels))
	}
	into = m.margins(f.counted, into[:len(m.labels)])
	softmax(into, m.scale)
	return into
}

// Probabilities are those of a text by itself.
func (m *Model) Probabilities(text string, names []string, into []float64) []float64 {
	f := Read(text, names)
	defer f.Release()
	return m.ProbabilitiesOf(f, into)
}

// Predict is the likeliest label and how likely it is.
func (m *Model) Predict(text string, names []string) (label string, probability float64) {
	var room [maxLabels]float64
	p := m.Probabilities(text, names, room[:0])
	best := 0
	for l := range p {
		if p[l] > p[best] {
			best = l
		}
	}
	return m.labels[best], p[best]
}

func (m *Model) margins(counts []count, out []float64) []float64 {
	k := len(m.labels)
	var room [maxLabels]float32
	acc := room[:k]
	var sum float64
	for _, c := range counts {
		f, ok := m.find(c.hash)
		if !ok {
			continue
		}
		v := dampened(c.n) * m.idf[f]
		sum += float64(v) * float64(v)
		for l, w := range m.weight[f*k : f*k+k] {
			acc[l] += v * float32(w)
		}
	}
	norm := 0.0
	if sum > 0 {
		norm = 1 / math.Sqrt(sum)
	}
	for l := range out {
		out[l] = float64(acc[l]*m.step[l])*norm + float64(m.bias[l])
	}
	return out
}

func (m *Model) find(hash uint32) (int, bool) {
	top := hash >> (32 - topBits)
	for f := m.first[top]; f < m.first[top+1]; f++ {
		if m.hashes[f] == hash {
			return int(f), true
		}
	}
	return 0, false
}

// String tells the model's size.
func (m *Model) String() string {
	return fmt.Sprintf("%d labels, %d features", len(m.labels), len(m.hashes))
}
