package ground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Patch is a change of a source file of the product: each old text, which must stand
// there once, becomes the new one.
type Patch struct {
	File string // from the root of the module
	Text map[string]string
}

// Build builds the product into dir as it is, or with patches: the tree itself stays
// untouched (go build -overlay). A patch that does not fit is an error, so that a
// mutation cannot silently become none.
func Build(ctx context.Context, root, dir, name string, patches ...Patch) (binary string, err error) {
	replace := map[string]string{}
	for i, p := range patches {
		file := filepath.Join(root, p.File)
		source, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("ground: %w", err)
		}
		text := string(source)
		for was, is := range p.Text {
			if n := strings.Count(text, was); was != "" && n != 1 {
				return "", fmt.Errorf("ground: %s: the text to be changed stands there %d times: %q", p.File, n, was)
			}
			if was == "" {
				text = is // a file of its own
			} else {
				text = strings.Replace(text, was, is, 1)
			}
		}
		changed := filepath.Join(dir, fmt.Sprintf("%s-%d.go", name, i))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("ground: %w", err)
		}
		replace[file] = changed
	}
	overlay := filepath.Join(dir, name+".json")
	doc, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("ground: %w", err)
	}
	if err := os.WriteFile(overlay, doc, 0o600); err != nil {
		return "", fmt.Errorf("ground: %w", err)
	}
	binary = filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-overlay", overlay, "-o", binary, "./cmd/wishdesk") //nolint:gosec // our own tree
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("ground: building %s: %w: %s", name, err, out)
	}
	return binary, nil
}

// Replica is one process of the product. Its methods are called by one goroutine.
type Replica struct {
	Addr   string
	binary string
	args   []string
	env    []string
	log    *os.File
	cmd    *exec.Cmd
	ended  chan error
}

// NewReplica prepares a server that listens at a free port, by settings and
// environment; its log goes to a file.
func NewReplica(binary, config, logFile string, env ...string) (*Replica, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	return &Replica{Addr: addr, binary: binary, args: []string{"serve", "--config", config}, env: append(os.Environ(), append(env, "WISHDESK_ADDR="+addr)...), log: log}, nil
}

// Start starts the process without waiting for it.
func (r *Replica) Start() error {
	r.cmd = exec.Command(r.binary, r.args...) //nolint:gosec // what was just built
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = r.env, r.log, r.log
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	ended, cmd := make(chan error, 1), r.cmd
	r.ended = ended
	go func() { ended <- cmd.Wait() }()
	return nil
}

// Use makes the next Start run another binary.
func (r *Replica) Use(binary string) { r.binary = binary }

// PID is its process id, 0 where it does not run.
func (r *Replica) PID() int {
	if r.cmd == nil {
		return 0
	}
	return r.cmd.Process.Pid
}

// Ready waits until the replica says that it is ready.
func (r *Replica) Ready(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Addr+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("ground: %w", err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-r.ended:
			r.ended <- err
			return fmt.Errorf("ground: the replica ended before it was ready: %w; see %s", err, r.log.Name())
		case <-ctx.Done():
			return fmt.Errorf("ground: the replica is not ready: %w; see %s", ctx.Err(), r.log.Name())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// End signals the process and waits for its end; a process that has ended is no
// error.
func (r *Replica) End(sig syscall.Signal) error {
	if r.cmd == nil {
		return nil
	}
	if err := r.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ground: %w", err)
	}
	err := <-r.ended
	r.cmd = nil
	if sig == syscall.SIGKILL {
		return nil
	}
	return err
}

// until waits for something, at most a minute.
func until(holds func() bool) error {
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("ground: waited for a minute in vain")
		}
	}
	return nil
}
