package ngram

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
)

// A file of models is magic, the CRC-32 (IEEE) of the rest, the length of the
// header, the header (JSON), then for each model its hashes (4 bytes each),
// idf (4) and weights (1 for each label); all little-endian.
const magic = "wdngram1"

// maxFile bounds what is read, in bytes.
const maxFile = 256 << 20

// maxModels bounds how many models a file may hold.
const maxModels = 16

// ErrFile is a file that holds no models, or is damaged.
var ErrFile = errors.New("ngram: no file of models, or damaged")

type header struct {
	Name     string    `json:"name"`
	Labels   []string  `json:"labels"`
	Scale    float64   `json:"scale"`
	Step     []float32 `json:"step"`
	Bias     []float32 `json:"bias"`
	Features int       `json:"features"`
}

// Save writes models by their names.
func Save(w io.Writer, models map[string]*Model) error {
	var heads []header
	var body bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(models)) {
		m := models[name]
		heads = append(heads, header{name, m.labels, m.scale, m.step, m.bias, len(m.hashes)})
		for _, part := range []any{m.hashes, m.idf, m.weight} {
			if err := binary.Write(&body, binary.LittleEndian, part); err != nil {
				return fmt.Errorf("ngram: save: %w", err)
			}
		}
	}
	head, err := json.Marshal(heads)
	if err != nil {
		return fmt.Errorf("ngram: save: %w", err)
	}
	rest := binary.LittleEndian.AppendUint32(nil, uint32(len(head)))
	rest = append(append(rest, head...), body.Bytes()...)
	out := binary.LittleEndian.AppendUint32([]byte(magic), crc32.ChecksumIEEE(rest))
	_, err = w.Write(append(out, rest...))
	return err
}

// Load reads models as Save wrote them. Whatever is no such file is ErrFile.
func Load(r io.Reader) (map[string]*Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("ngram: load: %w", err)
	}
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 8 || len(data) > maxFile {
		return nil, ErrFile
	}
	sum, rest := binary.LittleEndian.Uint32(rest), rest[4:]
	if crc32.ChecksumIEEE(rest) != sum {
		return nil, fmt.Errorf("%w: its checksum differs", ErrFile)
	}
	size, rest := int64(binary.LittleEndian.Uint32(rest)), rest[4:]
	if size > int64(len(rest)) {
		return nil, ErrFile
	}
	var heads []header
	if err := json.Unmarshal(rest[:size], &heads); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	rest = rest[size:]
	if len(heads) > maxModels {
		return nil, ErrFile
	}
	models := map[string]*Model{}
	for _, h := range heads {
		m, left, err := h.read(rest)
		if err != nil {
			return nil, err
		}
		rest = left
		models[h.Name] = m
	}
	if len(rest) > 0 || len(models) == 0 || len(models) != len(heads) {
		return nil, ErrFile
	}
	return models, nil
}

func (h header) read(data []byte) (*Model, []byte, error) {
	k := len(h.Labels)
	if k < 2 || k > maxLabels || len(h.Step) != k || len(h.Bias) != k || h.Features < 0 || h.Features > len(data)/(8+k) ||
		!rising(h.Labels) || !(h.Scale > 0 && h.Scale < 1e6) || wild(h.Step) || wild(h.Bias) {
		return nil, nil, ErrFile
	}
	m := &Model{
		labels: h.Labels, scale: h.Scale, step: h.Step, bias: h.Bias,
		hashes: make([]uint32, h.Features), idf: make([]float32, h.Features), weight: make([]int8, h.Features*k),
	}
	for i := range m.hashes {
		m.hashes[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	data = data[4*h.Features:]
	for i := range m.idf {
		m.idf[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if x := float64(m.idf[i]); math.IsNaN(x) || math.IsInf(x, 0) || x < 0 || x > 1e3 {
			return nil, nil, ErrFile
		}
	}
	data = data[4*h.Features:]
	for i := range m.weight {
		m.weight[i] = int8(data[i])
	}
	if !rising(m.hashes) {
		return nil, nil, ErrFile
	}
	m.index()
	return m, data[h.Features*k:], nil
}

// rising tells whether each is greater than the one before it.
func rising[T cmp.Ordered](xs []T) bool {
	for i := 1; i < len(xs); i++ {
		if xs[i] <= xs[i-1] {
			return false
		}
	}
	return true
}

// wild tells of numbers that no training makes.
func wild(xs []float32) bool {
	return slices.ContainsFunc(xs, func(x float32) bool { return !(x > -1e6 && x < 1e6) })
}
