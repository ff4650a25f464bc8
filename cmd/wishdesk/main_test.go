package main

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if builtIn != "" {
			_ = os.RemoveAll(builtIn)
		}
		os.Exit(status)
	}))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wishdesk runs the command line as a user would.
func wishdesk(t *testing.T, environ []string, stdin string, args ...string) (out, err string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), args, &program{out: &stdout, err: &stderr, in: strings.NewReader(stdin), environ: environ})
	return stdout.String(), stderr.String(), status
}

// freeAddr is an address on the loopback that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}
