package ngram

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// Model tells how likely each label of a text is. It is safe for concurrent
// use and keeps no text.
type Model struct {
	labels []string
	scale  float64 // margins times this are log-odds

	features
	first []int32 // by the top bits of a hash: where its features begin
	step  []float32
	bias  []float32
}

// features are what a model knows of each feature, as they stand in a file: a model
// is looked through where it lies, and takes no room beside it.
type features struct {
	hashes string // sorted; 4 bytes each, little-endian
	idf    string // 4 bytes each
	weight string // by feature, then label: a signed byte each
}

func (f features) len() int { return len(f.hashes) / 4 }

func (f features) hash(i int) uint32 { return word(f.hashes, i) }

func (f features) idfOf(i int) float32 { return math.Float32frombits(word(f.idf, i)) }

// word is the i-th of the little-endian words of s.
func word(s string, i int) uint32 {
	s = s[4*i : 4*i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// topBits of a hash choose where to look for it.
const topBits = 14

// newModel keeps a weight in 8 bits: for each label the steps are as fine as
// its greatest weight allows.
func newModel(labels []string, hashes []uint32, idf []float32, weights [][]float32, bias []float32) *Model {
	k := len(labels)
	m := &Model{labels: labels, scale: 1, bias: bias, step: make([]float32, k)}
	weight := make([]byte, len(hashes)*k)
	for l, ws := range weights {
		top := float32(0)
		for _, w := range ws {
			top = max(top, float32(math.Abs(float64(w))))
		}
		m.step[l] = max(top, 1e-9) / 127
		for f, w := range ws {
			weight[f*k+l] = byte(int8(math.Round(float64(w / m.step[l]))))
		}
	}
	words := make([]byte, 0, 8*len(hashes))
	for _, h := range hashes {
		words = binary.LittleEndian.AppendUint32(words, h)
	}
	for _, x := range idf {
		words = binary.LittleEndian.AppendUint32(words, math.Float32bits(x))
	}
	m.features = features{string(words[:4*len(hashes)]), string(words[4*len(hashes):]), string(weight)}
	m.index()
	return m
}

func (m *Model) index() {
	m.first = make([]int32, 1<<topBits+1)
	for i := range m.len() {
		m.first[m.hash(i)>>(32-topBits)+1]++
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
		v := dampened(c.n) * m.idfOf(f)
		sum += float64(v) * float64(v)
		weight := m.weight[f*k : f*k+k]
		for l := range acc {
			acc[l] += v * float32(int8(weight[l]))
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
		if m.hash(int(f)) == hash {
			return int(f), true
		}
	}
	return 0, false
}

// String tells the model's size.
func (m *Model) String() string {
	return fmt.Sprintf("%d labels, %d features", len(m.labels), m.len())
}
