package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// step is one step of a message, as a benchmark beside its code measures it.
type step struct {
	bench string // as go test prints it
	name  string
	means string
}

var stepsOfMessage = []step{
	{"BenchmarkStep/open", "open", "signature, decryption"},
	{"BenchmarkStep/parse", "parse", "the message's XML"},
	{"BenchmarkUnderstand", "understand", "kind, category, severity, place of 66 characters"},
	{"BenchmarkStepDecide", "decide", "filed, classified, given to one of 600 workers: three events, and who is told"},
	{"BenchmarkWords", "words", "what it is found by"},
	{"BenchmarkStep/encode", "encode", "the answer's XML"},
	{"BenchmarkStep/seal", "seal", "encryption, signature"},
	{"BenchmarkGate/safe", "edge", "all of the edge: the call read, opened, parsed, answered, encrypted"},
}

var measured = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op.*?([0-9]+) allocs/op`)

// steps runs the benchmarks that stand beside the code of each step.
func (b *bench) steps(ctx context.Context) error {
	root, err := ground.Root()
	if err != nil {
		return err
	}
	each := "500ms"
	if b.short {
		each = "100ms"
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Step|StepDecide|Understand|Words|Gate)$", "-benchmem", "-benchtime", each, "-count", strconv.Itoa(max(3, b.rounds)), //nolint:gosec // our own arguments
		"./bot/wechat", "./workflow", "./workflow/understand", "./workflow/find")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("bench: go test: %w: %s", err, out)
	}
	ns, allocs := map[string][]float64{}, map[string][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		m := measured.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		t, _ := strconv.ParseFloat(m[2], 64)
		n, _ := strconv.ParseFloat(m[3], 64)
		ns[m[1]], allocs[m[1]] = append(ns[m[1]], t), append(allocs[m[1]], n)
	}
	for _, s := range stepsOfMessage {
		if len(ns[s.bench]) == 0 {
			return fmt.Errorf("bench: no benchmark %s; there are %s", s.bench, strings.Join(slices.Sorted(maps.Keys(ns)), " "))
		}
		b.note("step_"+s.name+"_us", median(ns[s.bench])/1000, "µs", s.means)
		b.note("step_"+s.name+"_allocs", median(allocs[s.bench]), "allocations", "")
	}
	return nil
}
