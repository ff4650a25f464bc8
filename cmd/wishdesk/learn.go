package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

// modelLabel is the model of a file that was trained from texts and labels
// alone, of whatever taxonomy.
const modelLabel = "label"

type trainCommand struct {
	Files           []string `arg:"" optional:"" type:"existingfile" help:"Tab-separated samples under a header: text and label, or text, kind, category and severity."`
	Out             string   `help:"The file of the model."`
	Keep            bool     `help:"With --from-corrections: keep the model in the record, for the community alone."`
	FromCorrections bool     `help:"Train on the shipped samples and on what the community's workers said; keep the old model where the new one is no better on what was held back."`
	Community       string   `help:"With --from-corrections: the community's code."`
}

// Run trains a model of files of samples.
func (c trainCommand) Run(ctx context.Context, p *program) error {
	if c.FromCorrections == (len(c.Files) > 0) || c.FromCorrections != (c.Community != "") {
		return usage(errors.New("give files of samples, or --from-corrections with --community"))
	}
	if c.Out == "" && !c.Keep || c.Keep && !c.FromCorrections {
		return usage(errors.New("give --out with a file, or --from-corrections with --keep"))
	}
	if c.FromCorrections {
		return p.withStore(ctx, func(store *postgres.Store) error { return c.fromCorrections(ctx, p, store) })
	}
	rules, err := lexicon()
	if err != nil {
		return err
	}
	models, n, err := c.train(rules)
	if err != nil {
		return usage(err)
	}
	if err := saveModels(c.Out, models); err != nil {
		return err
	}
	for name, m := range models {
		_, _ = fmt.Fprintf(p.out, "%s: %s of %d samples\n", name, m, n)
	}
	return nil
}

// fromCorrections trains on what workers said messages are about, beside the
// shipped samples; a model that is no better than the one in use is refused.
func (c trainCommand) fromCorrections(ctx context.Context, p *program, store *postgres.Store) error {
	teacher, err := p.teacher(store)
	if err != nil {
		return err
	}
	bar := newBar(p.err, "training")
	lesson, err := teacher.Train(ctx, c.Community, func(percent int) { bar.show(int64(percent), 100) })
	bar.done()
	if lesson.Scores.Held > 0 {
		_, _ = fmt.Fprintf(p.out, "%d corrections learnt, %d held back: the model in use has %d of them right, the new one %d\n",
			lesson.Samples, lesson.Scores.Held, lesson.Scores.Before.Right, lesson.Scores.After.Right)
	}
	switch {
	case errors.Is(err, learn.ErrTooFew), errors.Is(err, learn.ErrBusy):
		return usage(causeOf(err))
	case err != nil:
		return noCommunity(c.Community, causeOf(err))
	}
	if c.Out != "" {
		if err := saveModels(c.Out, lesson.Models); err != nil {
			return err
		}
	}
	if c.Keep {
		return p.audited(ctx, store, c.Community, "model.train", "", func() (string, error) {
			version, err := teacher.Keep(ctx, c.Community, lesson, author(p.environ))
			if err != nil {
				return "", err
			}
			_, _ = fmt.Fprintf(p.out, "kept as version %d; `wishdesk model use %d --community %s` puts it in use\n", version, version, c.Community)
			return fmt.Sprintf("version %d", version), nil
		})
	}
	return nil
}

// teacher trains the models of communities kept in a store.
func (p *program) teacher(store *postgres.Store) (*learn.Teacher, error) {
	s, err := p.settings(false)
	if err != nil {
		return nil, err
	}
	rules, err := understander(s.Model)
	if err != nil {
		return nil, err
	}
	return &learn.Teacher{Record: store, Rules: rules, Shipped: shippedSamples, Clock: clockwork.NewRealClock()}, nil
}

// causeOf is what is behind a refusal, for those who read the command line.
func causeOf(err error) error {
	var refusal *workflow.Error
	if errors.As(err, &refusal) && refusal.Cause != nil && refusal.Code != workflow.CodeNotFound {
		return refusal.Cause
	}
	return err
}

type modelCommand struct {
	List modelList `cmd:"" help:"List a community's own models and how they did."`
	Use  modelUse  `cmd:"" help:"Have a community's messages understood by one of its models."`
	End  modelEnd  `cmd:"" help:"Take a community's model out of use."`
}

type modelList struct {
	Community string `required:"" help:"The community's code."`
}

// Run lists a community's models, newest first.
func (c modelList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		models, err := store.Models(ctx, c.Community, 0, 100)
		if err != nil {
			return err
		}
		for _, m := range models {
			use := "not in use"
			if m.InUse() {
				use = "in use since " + m.UsedFrom.Format(time.RFC3339)
			}
			_, _ = fmt.Fprintf(p.out, "%d\t%s\tby %s\t%d corrections\t%d of %d right, before it %d\t%s\n",
				m.Version, m.MadeAt.Format(time.RFC3339), m.Author, m.Samples, m.Scores.After.Right, m.Scores.Held, m.Scores.Before.Right, use)
		}
		if len(models) == 0 {
			_, _ = fmt.Fprintln(p.out, "none: `wishdesk train --from-corrections --keep` makes one")
		}
		return nil
	})
}

type modelUse struct {
	Version   int64  `arg:"" help:"Its number in the list."`
	Community string `required:"" help:"The community's code."`
}

// Run puts a model in use.
func (c modelUse) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		teacher, err := p.teacher(store)
		if err != nil {
			return err
		}
		switch err := p.audited(ctx, store, c.Community, "model.use", fmt.Sprintf("version %d", c.Version), func() (string, error) {
			return "", teacher.Use(ctx, c.Community, c.Version)
		}); {
		case workflow.CodeOf(err) == workflow.CodeNotFound:
			return usage(fmt.Errorf("%s has no model %d: `wishdesk model list --community %s` lists them", c.Community, c.Version, c.Community))
		case err != nil:
			return causeOf(err)
		}
		_, _ = fmt.Fprintf(p.out, "version %d is in use; running servers follow within a second\n", c.Version)
		return nil
	})
}

type modelEnd struct {
	Community string `required:"" help:"The community's code."`
}

// Run takes a model out of use.
func (c modelEnd) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		teacher, err := p.teacher(store)
		if err != nil {
			return err
		}
		if err := p.audited(ctx, store, c.Community, "model.use", "version 0", func() (string, error) { return "", teacher.End(ctx, c.Community) }); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(p.out, "none of its own is in use; running servers follow within a second")
		return nil
	})
}

// shippedSamples are what the shipped model was trained of.
func shippedSamples() ([]understand.Labelled, error) {
	files, err := fs.Glob(configs.Files, "samples/*.tsv")
	if err != nil {
		return nil, err
	}
	var out []understand.Labelled
	for _, file := range files {
		some, err := understand.ReadLabelled(bytes.NewReader(configs.Read(file)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, some...)
	}
	return out, nil
}

func (c trainCommand) train(rules *understand.Rules) (map[string]*ngram.Model, int, error) {
	data, err := os.ReadFile(c.Files[0])
	if err != nil {
		return nil, 0, err
	}
	if header, _, _ := strings.Cut(string(data), "\n"); hasColumn(header, "label") {
		var samples []ngram.Sample
		for _, file := range c.Files {
			some, err := readLabels(file)
			if err != nil {
				return nil, 0, err
			}
			samples = append(samples, some...)
		}
		m, err := ngram.Train(samples)
		return map[string]*ngram.Model{modelLabel: m}, len(samples), err
	}
	samples, err := readSamples(c.Files)
	if err != nil {
		return nil, 0, err
	}
	community, err := readCommunity("")
	if err != nil {
		return nil, 0, err
	}
	models, err := rules.Train(community, samples)
	return models, len(samples), err
}

func hasColumn(header, name string) bool {
	for c := range strings.SplitSeq(strings.TrimPrefix(strings.TrimRight(header, "\r"), "\ufeff"), "\t") {
		if c == name {
			return true
		}
	}
	return false
}

func readLabels(file string) ([]ngram.Sample, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []ngram.Sample
	err = ngram.Table(f, []string{"text", "label"}, func(_ int, v []string) error {
		if v[1] == "" {
			return errors.New("no label")
		}
		out = append(out, ngram.Sample{Text: strings.Clone(v[0]), Label: strings.Clone(v[1])})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return out, nil
}

func readSamples(files []string) ([]understand.Labelled, error) {
	var out []understand.Labelled
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		some, err := understand.ReadLabelled(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, some...)
	}
	return out, nil
}

// saveModels writes a file of models whole, or not at all.
func saveModels(file string, models map[string]*ngram.Model) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".model-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(ngram.Save(tmp, models), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), 0o644); err != nil { //nolint:gosec // a model holds no secrets
		return err
	}
	return os.Rename(tmp.Name(), file)
}

func loadModels(file string) (map[string]*ngram.Model, error) {
	data := configs.Model
	if file != "" {
		read, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		data = string(read)
	}
	models, err := ngram.Open(data)
	if err != nil {
		return nil, usage(fmt.Errorf("--model %s: %w", file, err))
	}
	return models, nil
}

// lexicon are the shipped rules without a model.
func lexicon() (*understand.Rules, error) { return understand.New(configs.Read("understand.yaml")) }

// understander are the shipped rules with a model, the shipped one where file
// is "".
func understander(file string) (*understand.Rules, error) {
	rules, err := lexicon()
	if err != nil {
		return nil, err
	}
	models, err := loadModels(file)
	if err != nil {
		return nil, err
	}
	if err := rules.Learn(models); err != nil {
		return nil, usage(fmt.Errorf("--model %s: %w", file, err))
	}
	return rules, nil
}

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
