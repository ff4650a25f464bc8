package storetest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// guard runs a store's server and outlives this process by a moment: when its
// standard input ends, because of end or because this process is gone in whatever
// way, it ends the server.
type guard struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	log   string
}

// guardScript waits for a word. Unless told to keep them, it removes the data.
const guardScript = `
dir=$1 signal=$2
shift 2
"$@" >>"$dir/server.log" 2>&1 </dev/null &
server=$!
read -r word
kill -s "$signal" $server
wait $server
[ "$word" = keep ] || rm -rf "$dir"
`

// watch starts a server whose data is in dir and that the signal ends at once; as
// another user where one is given.
func watch(t testing.TB, dir, signal string, as *syscall.Credential, server []string) *guard {
	t.Helper()
	//nolint:gosec // G204: our own program on a directory of our own
	cmd := exec.Command("sh", append([]string{"-c", guardScript, "sh", dir, signal}, server...)...)
	cmd.Dir = dir
	// In a group of its own, so that Ctrl-C on the tests does not reach it before its time.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &guard{cmd: cmd, stdin: stdin, log: filepath.Join(dir, "server.log")}
}

// end ends the server, keeps its data and returns when it is gone.
func (g *guard) end(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(g.stdin, "keep\n"); err != nil {
		t.Errorf("telling a store's guard to keep the data: %v", err)
	}
	_ = g.stdin.Close()
	_ = g.cmd.Wait() // its exit code is that of its last command and tells nothing
}

// said is what the server wrote.
func (g *guard) said() []byte {
	log, _ := os.ReadFile(g.log)
	return log
}
