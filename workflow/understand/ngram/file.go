package ngram

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
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
		heads = append(heads, header{name, m.labels, m.scale, m.step, m.bias, m.len()})
		for _, part := range []string{m.hashes, m.idf, m.weight} {
			body.WriteString(part)
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
	return Open(string(data))
}

// Open gives the models of a file that is in memory already, as Save wrote it. They
// are looked through where they lie: data is kept, and nothing is copied.
func Open(data string) (map[string]*Model, error) {
	rest, ok := strings.CutPrefix(data, magic)
	if !ok || len(rest) < 8 || len(data) > maxFile {
		return nil, ErrFile
	}
	sum, rest := word(rest, 0), rest[4:]
	if checksum(rest) != sum {
		return nil, fmt.Errorf("%w: its checksum differs", ErrFile)
	}
	size, rest := int64(word(rest, 0)), rest[4:]
	if size > int64(len(rest)) {
		return nil, ErrFile
	}
	var heads []header
	if err := json.Unmarshal([]byte(rest[:size]), &heads); err != nil {
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

// checksum is the CRC-32 of a text, which is read piece by piece.
func checksum(text string) (sum uint32) {
	var piece [32 << 10]byte
	for len(text) > 0 {
		n := copy(piece[:], text)
		sum, text = crc32.Update(sum, crc32.IEEETable, piece[:n]), text[n:]
	}
	return sum
}

func (h header) read(data string) (*Model, string, error) {
	k := len(h.Labels)
	if k < 2 || k > maxLabels || len(h.Step) != k || len(h.Bias) != k || h.Features < 0 || h.Features > len(data)/(8+k) ||
		!rising(h.Labels) || !(h.Scale > 0 && h.Scale < 1e6) || wild(h.Step) || wild(h.Bias) {
		return nil, "", ErrFile
	}
	n := h.Features
	m := &Model{labels: h.Labels, scale: h.Scale, step: h.Step, bias: h.Bias, features: features{data[:4*n], data[4*n : 8*n], data[8*n : 8*n+n*k]}}
	for i := range n {
		if i > 0 && m.hash(i) <= m.hash(i-1) {
			return nil, "", ErrFile
		}
		if x := float64(m.idfOf(i)); math.IsNaN(x) || math.IsInf(x, 0) || x < 0 || x > 1e3 {
			return nil, "", ErrFile
		}
	}
	m.index()
	return m, data[8*n+n*k:], nil
}

// rising tells whether each is greater than the one before it.
func rising(xs []string) bool {
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
