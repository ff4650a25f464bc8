package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// restore takes a copy while people write, follows their changes, loses PostgreSQL's
// directory and everything in Redis, goes back to a moment in between, and looks: what
// was acknowledged before it is there, what came after is not, and the desk goes on.
func restore(ctx context.Context, root string, p plan, say func(string, ...any)) (err error) {
	f, err := ground.Lay(ctx, root, ground.Options{Replicas: 1, Crew: 20})
	if err != nil {
		return err
	}
	defer func() {
		dir := f.Dir
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.RemoveAll(dir)
		}
	}()
	reader, err := newReader(root)
	if err != nil {
		return err
	}
	o := &flood{Field: f, reader: reader, history: &history{}}
	kept := filepath.Join(f.Dir, "backup")
	backup := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", "backup.sh"), args...) //nolint:gosec // our own script
		cmd.Env = append(os.Environ(), "WISHDESK_POSTGRES="+f.Stores.Postgres)
		return cmd
	}
	follower := backup("follow", kept)
	if err := follower.Start(); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	defer func() { _ = follower.Process.Kill(); _ = follower.Wait() }()
	copied := make(chan error, 1)
	go func() {
		out, err := backup("base", kept).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("chaos: a copy: %w: %s", err, out)
		}
		copied <- err
	}()
	if _, err := o.write(ctx, "while it is copied", 200, 8, 50, p.settle); err != nil {
		return err
	}
	if err := <-copied; err != nil {
		return err
	}
	if _, err := o.write(ctx, "before the moment", 100, 8, 50, p.settle); err != nil {
		return err
	}
	wait(ctx, 1500*time.Millisecond)
	moment := time.Now()
	wait(ctx, 1500*time.Millisecond)
	if _, err := o.write(ctx, "after the moment", 100, 8, 50, p.settle); err != nil {
		return err
	}
	wait(ctx, time.Second) // the follower has it

	if err := f.Replicas[0].End(syscall.SIGTERM); err != nil {
		return err
	}
	if err := errors.Join(f.Stores.LosePostgres(), f.Stores.KillRedis(true)); err != nil {
		return err
	}
	_ = follower.Process.Signal(syscall.SIGINT)
	_ = follower.Wait()
	began := time.Now()
	if out, err := backup("restore", kept, f.Stores.PostgresData(), moment.UTC().Format("2006-01-02 15:04:05.000000+00")).CombinedOutput(); err != nil {
		return fmt.Errorf("chaos: the way back: %w: %s", err, out)
	}
	if err := f.Stores.Start(ctx); err != nil {
		return err
	}
	if err := f.Replicas[0].Start(); err != nil {
		return err
	}
	if err := f.Ready(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	r, err := readRecord(ctx, f.Stores.Postgres, f.Stores.Redis, ground.Community)
	if err != nil {
		return err
	}
	there := map[string]int{}
	numbers := map[int64]bool{}
	for _, s := range o.history.list() {
		if s.Class != told {
			return fmt.Errorf("chaos: %s got no number (%s): %q", s.Who, s.Class, s.Reply)
		}
		if len(r.filed[saying{s.Who, s.Text}]) == 1 {
			there[s.Phase]++
		}
	}
	for _, t := range r.tickets {
		numbers[t.Number] = true
	}
	after, err := o.write(ctx, "on the restored record", 50, 8, 50, p.settle)
	if err != nil {
		return err
	}
	for _, s := range o.history.list() {
		if s.Phase == "on the restored record" && numbers[s.Number] {
			return fmt.Errorf("chaos: the number %d was given out twice", s.Number)
		}
	}
	say("restore: back at a moment in %s: of the messages before it %d of 300 are there, of those after it %d of 100; new ones are answered (%.0f%%)",
		took.Round(100*time.Millisecond), there["while it is copied"]+there["before the moment"], there["after the moment"], 100*after.answered)
	if there["while it is copied"]+there["before the moment"] != 300 || there["after the moment"] != 0 || after.taken == 0 || after.answered < 1 {
		return errors.New("restore: the record is not as it was at that moment: " + after.example)
	}
	return nil
}
