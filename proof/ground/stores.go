package ground

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Stores are a PostgreSQL and a Redis of their own, as scripts/stores.sh makes
// them, under one directory. Their methods are called by one goroutine.
type Stores struct {
	Postgres string // URL
	Redis    string // URL
	dir      string
	script   string
	mounted  bool
}

// Root is the directory of the module, from the directory that a program was
// started in.
func Root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ground: go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if file == "" || file == os.DevNull {
		return "", errors.New("ground: start it in the repository")
	}
	return filepath.Dir(file), nil
}

// StartStores makes and starts both under dir. With megabytes > 0 the directory is
// a small disk of its own, which Fill can fill up; that needs the right to mount.
func StartStores(ctx context.Context, root, dir string, megabytes int) (*Stores, error) {
	s := &Stores{dir: dir, script: filepath.Join(root, "scripts", "stores.sh")}
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // the user postgres passes through
		return nil, fmt.Errorf("ground: %w", err)
	}
	if megabytes > 0 {
		if err := mount(dir, megabytes); err != nil {
			return nil, fmt.Errorf("ground: mounting a small disk: %w", err)
		}
		s.mounted = true
		if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the same
			return nil, errors.Join(fmt.Errorf("ground: %w", err), s.Stop())
		}
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	out, err := exec.CommandContext(ctx, s.script, "env", dir).Output() //nolint:gosec // our own script
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ground: %w", err), s.Stop())
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "WISHDESK_POSTGRES":
			s.Postgres = value
		case "WISHDESK_REDIS":
			s.Redis = value
		}
	}
	return s, nil
}

// Start starts whichever of the two does not run.
func (s *Stores) Start(ctx context.Context) error { return s.run(ctx, "start") }

func (s *Stores) run(ctx context.Context, action string) error {
	cmd := exec.CommandContext(ctx, s.script, action, s.dir) //nolint:gosec // our own script
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ground: %s the stores: %w: %s", action, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// Stop stops both and takes their directory away.
func (s *Stores) Stop() error {
	err := s.run(context.Background(), "stop")
	if s.mounted {
		err = errors.Join(err, unmount(s.dir))
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// StopPostgres is an immediate stop (SIGQUIT): every server process ends at once,
// nothing is written down any more, and the next start recovers from the log.
func (s *Stores) StopPostgres() error {
	return signalFrom(filepath.Join(s.dir, "postgres", "postmaster.pid"), syscall.SIGQUIT)
}

// PostgresData is PostgreSQL's data directory.
func (s *Stores) PostgresData() string { return filepath.Join(s.dir, "postgres") }

// LosePostgres stops it at once and takes its data directory away.
func (s *Stores) LosePostgres() error {
	return errors.Join(s.StopPostgres(), os.RemoveAll(s.PostgresData()))
}

// KillRedis kills it outright. Where its file is lost, too, nothing that it held
// comes back.
func (s *Stores) KillRedis(withFile bool) error {
	if err := signalFrom(filepath.Join(s.dir, "redis", "redis.pid"), syscall.SIGKILL); err != nil {
		return err
	}
	if withFile {
		return os.RemoveAll(filepath.Join(s.dir, "redis", "appendonlydir"))
	}
	return nil
}

// PIDs are the processes of a store, "postgres" or "redis": its first one and those
// that it started. Linux alone tells.
func (s *Stores) PIDs(store string) ([]int, error) {
	first, err := pidFrom(map[string]string{"postgres": filepath.Join(s.dir, "postgres", "postmaster.pid"), "redis": filepath.Join(s.dir, "redis", "redis.pid")}[store])
	if err != nil {
		return nil, err
	}
	out := []int{first}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(first) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			out = append(out, pid)
		}
	}
	return out, nil
}

// signalFrom signals the process whose id is the first line of a file, and waits
// until it has ended.
func signalFrom(file string, sig syscall.Signal) error {
	pid, err := pidFrom(file)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("ground: signal to %d: %w", pid, err)
	}
	return until(func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// pidFrom is the process id in the first line of a file.
func pidFrom(file string) (int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, fmt.Errorf("ground: %w", err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	_ = f.Close()
	pid, bad := strconv.Atoi(strings.TrimSpace(line))
	if bad != nil || pid < 2 {
		return 0, fmt.Errorf("ground: %s holds no process id: %w", file, errors.Join(err, bad))
	}
	return pid, nil
}

// ErrNoDisk means that the stores have no small disk of their own.
var ErrNoDisk = errors.New("ground: filling a disk needs the right to mount one (run as root on Linux)")

// Fill leaves no room on the stores' disk; Free gives it back.
func (s *Stores) Fill() error {
	if !s.mounted {
		return ErrNoDisk
	}
	f, err := os.Create(s.ballast())
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 4096; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break // no room for so much; try less
			}
		}
	}
	return nil
}

// Free undoes Fill.
func (s *Stores) Free() error { return os.RemoveAll(s.ballast()) }

func (s *Stores) ballast() string { return filepath.Join(s.dir, "ballast") }
