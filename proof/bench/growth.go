package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// few is how many tickets the smaller of the two records has.
const few = 10_000

// askers are workers whose list of work is asked for in a round.
const askers = 60

// record is one of the two desks that are compared, with what was measured of it.
type record struct {
	*ground.Field
	tickets      int64
	intake, list []float64
}

// growth measures the same intake, and a worker's list of work, with few tickets stored
// and with many, in turn, on two desks that otherwise had the same happen to them; and
// how long the committee's week takes.
func (b *bench) growth(ctx context.Context) (err error) {
	root, err := ground.Root()
	if err != nil {
		return err
	}
	many, err := ground.Lay(ctx, root, ground.Options{Replicas: 1, Crew: crew})
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, many.Close()); err == nil {
			err = os.RemoveAll(many.Dir)
		}
	}()
	both := []*record{{Field: b.Field, tickets: few}, {Field: many, tickets: b.many()}}
	mine := b.Field
	defer func() { b.Field = mine }()
	for _, r := range both {
		if err := b.age(ctx, r); err != nil {
			return err
		}
	}
	for range b.rounds {
		for _, r := range both {
			if err := b.measure(ctx, r); err != nil {
				return err
			}
		}
	}
	small, large := both[0], both[1]
	b.note("growth_tickets", float64(large.tickets), "", fmt.Sprintf("against %d", small.tickets))
	b.note("growth_intake_small_rps", median(small.intake), "/s", "")
	b.note("growth_intake_large_rps", median(large.intake), "/s", "")
	b.note("growth_ratio", median(small.intake)/median(large.intake), "", "how many times longer a message takes with many stored")
	b.note("worker_list_small_ms", median(small.list), "ms", "待办 of a worker, one at a time, to the encrypted answer")
	b.note("worker_list_large_ms", median(large.list), "ms", "")
	b.note("growth_list_ratio", median(large.list)/median(small.list), "", "")
	b.Field = many
	return b.digest(ctx)
}

// many is how many tickets the larger record has.
func (b *bench) many() int64 {
	switch {
	case b.tickets > 0:
		return b.tickets
	case b.short:
		return 50_000
	}
	return 5_000_000
}

// age has some loops played and makes a past of them.
func (b *bench) age(ctx context.Context, r *record) error {
	b.Field = r.Field
	if p := b.play(ctx, 300, 0, time.Minute); p.completed.Load() < 100 {
		return fmt.Errorf("bench: only %d loops to make a past of: %w", p.completed.Load(), p.failed)
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	replica := r.Replicas[0]
	if err := replica.End(15); err != nil {
		return err
	}
	began := time.Now()
	if err := r.Stores.Past(ctx, r.tickets); err != nil {
		return err
	}
	fmt.Printf("%d tickets made in %s\n", r.tickets, time.Since(began).Round(time.Second))
	if err := replica.Start(); err != nil {
		return err
	}
	if err := r.Ready(ctx); err != nil {
		return err
	}
	return b.warm(ctx)
}

// measure takes one round of each of a record.
func (b *bench) measure(ctx context.Context, r *record) error {
	b.Field = r.Field
	l, err := b.write(ctx, b.addresses(), b.enough(), 0, b.each)
	if err != nil {
		return err
	}
	if l.proper < 0.99 {
		fmt.Printf("only %.1f%% got a number: %s\n", 100*l.proper, l.example)
	}
	r.intake = append(r.intake, l.rate)
	if err := b.drained(ctx); err != nil {
		return err
	}
	var calls []ground.Call
	for i := range askers {
		c, err := ground.Message(fmt.Sprintf("proof-worker-%d", i*crew/askers), "待办", time.Now())
		if err != nil {
			return err
		}
		calls = append(calls, c)
	}
	answers, _ := ground.Hammer(ctx, b.addresses(), calls, 1, 0, time.Minute)
	var took []float64
	for i := range answers {
		a := &answers[i]
		if a.Text() == "" {
			return fmt.Errorf("bench: a worker's list: %q %w", a.Text(), a.Err)
		}
		took = append(took, float64(a.Took)/float64(time.Millisecond))
	}
	r.list = append(r.list, median(took))
	return nil
}

// digest has the committee's last week counted, of a community with a year's tickets.
func (b *bench) digest(ctx context.Context) error {
	var took []float64
	for range max(3, b.rounds) {
		began := time.Now()
		if _, err := b.Run(ctx, "digest", "--community", ground.Community, "--format", "json", "--out", os.DevNull); err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds())
	}
	b.note("digest_year_tickets", float64(min(b.many(), 1_000_000)), "", "filed within the last year")
	b.note("digest_s", median(took), "s", "a week of it, with the week before and that of a year ago, by a program started for it")
	return nil
}
