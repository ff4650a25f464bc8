package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

type evalCommand struct {
	File      string `arg:"" type:"existingfile" help:"Tab-separated samples: text and label, or text, kind, category, severity and, if there, the place."`
	Model     string `help:"The model's file; the shipped one if empty." type:"existingfile"`
	Folds     int    `help:"Train on all but one part of the file and test on that part, so many times; no model is read."`
	Community string `help:"A community's document, for places; the demo's if empty." type:"existingfile"`
}

// Run tells how well samples are understood.
func (c evalCommand) Run(ctx context.Context, p *program) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	header, _, _ := strings.Cut(string(data), "\n")
	if !hasColumn(header, "label") {
		return c.whole(ctx, p, data)
	}
	samples, err := readLabels(c.File)
	if err != nil {
		return usage(err)
	}
	if c.Folds > 0 {
		report, err := ngram.CrossValidate(samples, c.Folds)
		if err != nil {
			return usage(err)
		}
		return report.Write(p.out)
	}
	models, err := loadModels(c.Model)
	if err != nil {
		return err
	}
	m := models[modelLabel]
	if m == nil {
		return usage(errors.New("the model was not trained from text and label: give --model with one that was"))
	}
	report := ngram.NewReport()
	for _, s := range samples {
		label, _ := m.Predict(s.Text, nil)
		report.Add(s.Label, label)
	}
	return report.Write(p.out)
}

// whole measures the whole understanding: kind, category, severity, and the
// place where the file has its columns.
func (c evalCommand) whole(ctx context.Context, p *program, data []byte) error {
	samples, err := understand.ReadLabelled(bytes.NewReader(data))
	if err != nil {
		return usage(err)
	}
	community, err := readCommunity(c.Community)
	if err != nil {
		return err
	}
	understanders, err := c.understanders(community, samples)
	if err != nil {
		return err
	}
	var places [][]string
	_ = ngram.Table(bytes.NewReader(data), []string{"estate", "building", "unit", "floor", "room", "grid"}, func(_ int, v []string) error {
		places = append(places, append([]string(nil), v...))
		return nil
	})
	kinds, categories, severities := ngram.NewReport(), ngram.NewReport(), ngram.NewReport()
	var asked, exact int
	for i, s := range samples {
		u, err := understanders[i%len(understanders)].Understand(ctx, community, workflow.Words{Text: s.Text})
		if err != nil {
			return err
		}
		kinds.Add(string(s.Kind), string(u.Kind))
		if s.Category != "" {
			categories.Add(string(s.Category), string(u.Category))
		}
		severities.Add(string(s.Severity), string(u.Severity))
		if i < len(places) && len(places) == len(samples) {
			asked++
			if have := written(u.Place); have == strings.ReplaceAll(strings.Join(places[i], " "), "-", "") {
				exact++
			}
		}
	}
	if err := categories.Write(p.out); err != nil {
		return err
	}
	precision, recall, _, _ := severities.Label(string(workflow.Emergency))
	_, _ = fmt.Fprintf(p.out, "kind=%.4f severity=%.4f emergency_recall=%.4f emergency_precision=%.4f", kinds.Accuracy(), severities.Accuracy(), recall, precision)
	if asked > 0 {
		_, _ = fmt.Fprintf(p.out, " place=%.4f", float64(exact)/float64(asked))
	}
	_, _ = fmt.Fprintf(p.out, "\naccuracy=%.4f macro_f1=%.4f\n", categories.Accuracy(), categories.MacroF1())
	return nil
}

// understanders are those by whom the samples are to be understood in turn:
// one, or as many as there are folds, none of which has seen its own samples.
func (c evalCommand) understanders(community *workflow.Community, samples []understand.Labelled) ([]*understand.Rules, error) {
	if c.Folds == 0 {
		rules, err := understander(c.Model)
		return []*understand.Rules{rules}, err
	}
	var out []*understand.Rules
	for fold := range c.Folds {
		rules, err := lexicon()
		if err != nil {
			return nil, err
		}
		var others []understand.Labelled
		for i, s := range samples {
			if i%c.Folds != fold {
				others = append(others, s)
			}
		}
		models, err := rules.Train(community, others)
		if err != nil {
			return nil, usage(err)
		}
		if err := rules.Learn(models); err != nil {
			return nil, usage(err)
		}
		out = append(out, rules)
	}
	return out, nil
}

// written is a place as samples write it.
func written(p workflow.Place) string {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return strings.Join([]string{p.Estate, number(p.Building), number(p.Unit), number(p.Floor), p.Room, p.Grid}, " ")
}

func readCommunity(file string) (*workflow.Community, error) {
	document := demo.Document()
	if file != "" {
		var err error
		if document, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	community, err := workflow.ParseCommunity(bytes.NewReader(document))
	if err != nil {
		return nil, usage(err)
	}
	return community, nil
}

type classifyCommand struct {
	Community string `help:"A community's document; the demo's if empty." type:"existingfile"`
	Model     string `help:"The model's file; the shipped one if empty." type:"existingfile"`
}

// classified is one line of classify's output; what is unknown is empty.
type classified struct {
	Kind       string  `json:"kind"`
	Category   string  `json:"category"`
	Severity   string  `json:"severity"`
	Estate     string  `json:"estate"`
	Building   int     `json:"building"`
	Unit       int     `json:"unit"`
	Room       string  `json:"room"`
	Grid       string  `json:"grid"`
	Confidence float64 `json:"confidence"`
}

// Run understands standard input line by line.
func (c classifyCommand) Run(ctx context.Context, p *program) error {
	say, err := c.understands()
	if err != nil {
		return err
	}
	community, err := readCommunity(c.Community)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(p.out)
	enc.SetEscapeHTML(false)
	lines := bufio.NewScanner(p.in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		u, err := say(ctx, community, lines.Text())
		if err != nil {
			return err
		}
		err = enc.Encode(classified{
			string(u.Kind), string(u.Category), string(u.Severity), u.Place.Estate, u.Place.Building, u.Place.Unit, u.Place.Room, u.Place.Grid, u.Confidence,
		})
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

// understands is how a line is understood. A model of labels alone gives the
// category, all else is the shipped understanding's.
func (c classifyCommand) understands() (func(context.Context, *workflow.Community, string) (workflow.Understanding, error), error) {
	models, err := loadModels(c.Model)
	if err != nil {
		return nil, err
	}
	own := models[modelLabel]
	file := c.Model
	if own != nil {
		file = ""
	}
	rules, err := understander(file)
	if err != nil {
		return nil, err
	}
	_, _, taxonomy, err := readConfigs()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, community *workflow.Community, text string) (workflow.Understanding, error) {
		u, err := rules.Understand(ctx, community, workflow.Words{Text: text})
		if own == nil || err != nil || text == "" {
			return u, err
		}
		label, confidence := own.Predict(text, nil)
		u.Category, u.Confidence = workflow.Category(label), confidence
		if category, kind, ok := taxonomy.Find(label); ok {
			u.Category, u.Kind = category, kind
		}
		return u, nil
	}, nil
}
