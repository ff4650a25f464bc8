package ngram

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Sample is a text with its label. Names are features besides the text's own
// characters, such as words of a lexicon found in it.
type Sample struct {
	Text  string
	Label string
	Names []string
}

// How a model is trained; see the package's comment for what else was tried.
const (
	runLength = 3   // characters of the longest run
	cost      = 8.0 // of a mistake, LIBLINEAR's C
	rounds    = 40  // passes over the samples at most
	calm      = 0.01
	telling   = 0.3 // the power of what a feature says about the label
	smoothing = 1.0 // added to each label's count of a feature
	seed      = 7
)

// letters is the mean length in characters from which on texts are letters:
// then a feature must be in three of them. Short messages need every feature
// they have, weighed by how it tells a label from the rest.
const letters = 150

// maxLabels bounds what a model may tell apart.
const maxLabels = 256

// entry is one feature of one text.
type entry struct {
	col int32
	val float32
}

// set is samples made ready: their features and labels by number.
type set struct {
	counts [][]count
	y      []int
	labels []string
	short  bool // short messages rather than letters

	ctx  context.Context //nolint:containedctx // of the one training that the set is made for
	done func()          // called after each label's separator
}

// folds of the samples are held back in turn to find the scale of a model.
const folds = 3

// Train makes a model of samples. The same samples give the same model. It
// refuses fewer than two labels, more than 256, and empty ones.
func Train(samples []Sample) (*Model, error) {
	return TrainWith(context.Background(), samples, nil)
}

// TrainWith is Train that ends early with ctx, and tells how many of its steps it
// has done; progress may be nil, and is called from several goroutines at once.
func TrainWith(ctx context.Context, samples []Sample, progress func(done, of int)) (*Model, error) {
	s, err := prepare(samples)
	if err != nil {
		return nil, err
	}
	s.ctx = ctx
	if progress != nil {
		var done atomic.Int64
		s.done = func() { progress(int(done.Add(1)), (folds+1)*len(s.labels)) }
	}
	m := s.fit(s.all())
	m.scale = s.calibrate()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ngram: train: %w", err)
	}
	return m, nil
}

func prepare(samples []Sample) (*set, error) {
	seen := map[string]bool{}
	runes := 0
	for i, s := range samples {
		if s.Label == "" {
			return nil, fmt.Errorf("ngram: sample %d has no label", i+1)
		}
		seen[s.Label] = true
		runes += utf8.RuneCountInString(s.Text)
	}
	if len(seen) < 2 || len(seen) > maxLabels {
		return nil, fmt.Errorf("ngram: want samples of 2 to %d labels, have %d", maxLabels, len(seen))
	}
	s := &set{counts: make([][]count, len(samples)), y: make([]int, len(samples)), ctx: context.Background(), done: func() {}}
	for l := range seen {
		s.labels = append(s.labels, l)
	}
	slices.Sort(s.labels)
	s.short = runes <= letters*len(samples)
	each(len(samples), func(i int) {
		var b scratch
		s.counts[i] = b.counts(samples[i].Text, samples[i].Names)
		s.y[i], _ = slices.BinarySearch(s.labels, samples[i].Label)
	})
	return s, nil
}

func (s *set) all() []int {
	out := make([]int, len(s.y))
	for i := range out {
		out[i] = i
	}
	return out
}

// each does n things on all cores.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}

// learn chooses and weighs the features by the samples of use alone.
func (s *set) learn(use []int) (hashes []uint32, idf []float32) {
	k := len(s.labels)
	total := make([]float64, k)
	have := map[uint32]int32{} // by feature: its row in by
	var by []int32             // by row and label: texts
	for _, i := range use {
		total[s.y[i]]++
		for _, c := range s.counts[i] {
			row, ok := have[c.hash]
			if !ok {
				row = int32(len(have))
				have[c.hash] = row
				by = append(by, make([]int32, k)...)
			}
			by[int(row)*k+s.y[i]]++
		}
	}
	least := 3
	if s.short {
		least = 1
	}
	for h, row := range have {
		if df(by[int(row)*k:][:k]) >= least {
			hashes = append(hashes, h)
		}
	}
	slices.Sort(hashes)
	idf = make([]float32, len(hashes))
	for i, h := range hashes {
		texts := by[int(have[h])*k:][:k]
		w := math.Log(float64(1+len(use))/float64(1+df(texts))) + 1
		idf[i] = float32(w * says(texts, total))
	}
	return hashes, idf
}

func df(texts []int32) int {
	n := 0
	for _, t := range texts {
		n += int(t)
	}
	return n
}

// says is how much a feature tells about the label: near 0 where it is spread
// as the labels are, near 1 where only one label has it.
func says(texts []int32, total []float64) float64 {
	p := make([]float64, len(texts))
	sum := 0.0
	for l, t := range texts {
		p[l] = (float64(t) + smoothing) / (total[l] + 2*smoothing)
		sum += p[l]
	}
	entropy := 0.0
	for _, x := range p {
		x /= sum
		entropy -= x * math.Log(x)
	}
	return math.Pow(max(1-entropy/math.Log(float64(len(p))), 0)+0.02, telling)
}

// fit trains one separator a label against all others, on the samples of use.
func (s *set) fit(use []int) *Model {
	hashes, idf := s.learn(use)
	rows := make([][]entry, len(use))
	each(len(use), func(k int) { rows[k] = row(s.counts[use[k]], hashes, idf) })
	weights := make([][]float32, len(s.labels))
	bias := make([]float32, len(s.labels))
	each(len(s.labels), func(l int) {
		if s.ctx.Err() != nil {
			return // the model is thrown away
		}
		defer s.done()
		target := make([]bool, len(use))
		for k, i := range use {
			target[k] = s.y[i] == l
		}
		scaled, scale := rows, []float32(nil)
		if s.short {
			scaled, scale = byRatio(rows, len(hashes), target)
		}
		weights[l], bias[l] = separate(scaled, len(hashes), target, rand.New(rand.NewPCG(seed, uint64(l)))) //nolint:gosec // the same each time, on purpose
		for c, x := range scale {
			weights[l][c] *= x
		}
	})
	return newModel(s.labels, hashes, idf, weights, bias)
}

// byRatio scales features by how much oftener they occur with the target than
// without, or the other way round: 1 plus the log of the ratio (Wang and
// Manning, ACL 2012, who begin at 0). It tells the scales too.
func byRatio(rows [][]entry, cols int, target []bool) (scaled [][]entry, scale []float32) {
	with, without := make([]float64, cols), make([]float64, cols)
	var n, m float64
	for i, row := range rows {
		of := without
		if target[i] {
			n++
			of = with
		} else {
			m++
		}
		for _, e := range row {
			of[e.col]++
		}
	}
	scale = make([]float32, cols)
	for c := range scale {
		ratio := (with[c] + smoothing) / (n + 2*smoothing) * (m + 2*smoothing) / (without[c] + smoothing)
		scale[c] = float32(1 + math.Abs(math.Log(ratio)))
	}
	scaled = make([][]entry, len(rows))
	for i, row := range rows {
		scaled[i] = make([]entry, len(row))
		for k, e := range row {
			scaled[i][k] = entry{e.col, e.val * scale[e.col]}
		}
	}
	return scaled, scale
}

// row is a text's features, of length 1 together.
func row(counts []count, hashes []uint32, idf []float32) []entry {
	out := make([]entry, 0, len(counts))
	var sum float64
	at := 0 // both are sorted
	for _, c := range counts {
		step, ok := slices.BinarySearch(hashes[at:], c.hash)
		at += step
		if !ok {
			continue
		}
		val := dampened(c.n) * idf[at]
		out = append(out, entry{int32(at), val})
		sum += float64(val) * float64(val)
	}
	if sum > 0 {
		norm := float32(1 / math.Sqrt(sum))
		for i := range out {
			out[i].val *= norm
		}
	}
	return out
}

// separate is a linear support vector machine with squared hinge loss, solved
// in the dual by coordinate descent (Hsieh et al., ICML 2008, algorithm 1; as
// in LIBLINEAR). The bias is a feature of value 1.
func separate(rows [][]entry, cols int, target []bool, rnd *rand.Rand) ([]float32, float32) {
	w := make([]float32, cols)
	var b float32
	alpha, q := make([]float64, len(rows)), make([]float64, len(rows))
	const diag = 1 / (2 * cost)
	for i, row := range rows {
		q[i] = diag + 1
		for _, e := range row {
			q[i] += float64(e.val) * float64(e.val)
		}
	}
	order := rnd.Perm(len(rows))
	for range rounds {
		rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		worst := 0.0
		for _, i := range order {
			sign := -1.0
			if target[i] {
				sign = 1
			}
			dot := b
			for _, e := range rows[i] {
				dot += w[e.col] * e.val
			}
			g := sign*float64(dot) - 1 + diag*alpha[i]
			if alpha[i] == 0 && g > 0 {
				continue
			}
			worst = max(worst, math.Abs(g))
			was := alpha[i]
			alpha[i] = max(was-g/q[i], 0)
			step := float32((alpha[i] - was) * sign)
			for _, e := range rows[i] {
				w[e.col] += step * e.val
			}
			b += step
		}
		if worst < calm {
			break
		}
	}
	return w, b
}

// split gives each sample one of k folds, label by label in turn, so that
// every fold has its part of every label.
func (s *set) split(k int) [][]int {
	rnd := rand.New(rand.NewPCG(seed, 17)) //nolint:gosec // the same each time, on purpose
	by := make([][]int, len(s.labels))
	for i, l := range s.y {
		by[l] = append(by[l], i)
	}
	folds := make([][]int, k)
	at := 0
	for _, is := range by {
		rnd.Shuffle(len(is), func(i, j int) { is[i], is[j] = is[j], is[i] })
		for _, i := range is {
			folds[at%k] = append(folds[at%k], i)
			at++
		}
	}
	return folds
}

// held calls f for every sample with a model that has not seen it.
func (s *set) held(k int, f func(m *Model, i int)) {
	folds := s.split(k)
	for n, fold := range folds {
		var use []int
		for other, is := range folds {
			if other != n {
				use = append(use, is...)
			}
		}
		slices.Sort(use)
		m := s.fit(use)
		for _, i := range fold {
			f(m, i)
		}
	}
}

// calibrate finds the scale by which margins become probabilities: the one
// with the least log loss on samples held back in turn.
func (s *set) calibrate() float64 {
	var margins [][]float64
	var truth []int
	s.held(folds, func(m *Model, i int) {
		margins = append(margins, m.margins(s.counts[i], make([]float64, len(s.labels))))
		truth = append(truth, s.y[i])
	})
	best, least := 1.0, math.Inf(1)
	p := make([]float64, len(s.labels))
	for scale := 0.5; scale < 40; scale *= 1.05 {
		loss := 0.0
		for i, ms := range margins {
			copy(p, ms)
			softmax(p, scale)
			loss -= math.Log(max(p[truth[i]], 1e-9))
		}
		if loss < least {
			best, least = scale, loss
		}
	}
	return best
}

// softmax makes probabilities of margins, in place.
func softmax(ms []float64, scale float64) {
	top := slices.Max(ms)
	sum := 0.0
	for i, m := range ms {
		ms[i] = math.Exp((m - top) * scale)
		sum += ms[i]
	}
	for i := range ms {
		ms[i] /= sum
	}
}

// CrossValidate trains k times on all but a k-th of the samples, and tells
// how well each left-out part was met.
func CrossValidate(samples []Sample, k int) (*Report, error) {
	s, err := prepare(samples)
	if err != nil {
		return nil, err
	}
	if k < 2 || k > len(samples) {
		return nil, fmt.Errorf("ngram: cannot make %d folds of %d samples", k, len(samples))
	}
	r := NewReport()
	s.held(k, func(m *Model, i int) {
		p := m.margins(s.counts[i], make([]float64, len(s.labels)))
		best := 0
		for l := range p {
			if p[l] > p[best] {
				best = l
			}
		}
		r.Add(s.labels[s.y[i]], s.labels[best])
	})
	return r, nil
}
