package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

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
