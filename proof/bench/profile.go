package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// profiled has the server say where its profiles can be read, which the product itself
// does not.
var profiled = []ground.Patch{{File: "cmd/wishdesk/profiled.go", Text: map[string]string{"": `package main

import (
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

func init() {
	runtime.SetBlockProfileRate(int(100 * time.Microsecond))
	runtime.SetMutexProfileFraction(100)
	dir := os.Getenv("PROOF_DIR")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if dir == "" || err != nil {
		return
	}
	_ = os.WriteFile(filepath.Join(dir, "profiles"), []byte(listener.Addr().String()), 0o600)
	go func() { _ = http.Serve(listener, nil) }()
}
`}}}

// takeProfile writes a profile of the server from now on into a file.
func (b *bench) takeProfile(ctx context.Context, kind string, most time.Duration) error {
	addr, err := os.ReadFile(filepath.Join(b.Dir, "profiles"))
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/%s?seconds=%d", addr, kind, int(most/time.Second)), nil)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer res.Body.Close()
	f, err := os.Create(b.profile + "." + kind)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	_, err = io.Copy(f, res.Body)
	return err
}
