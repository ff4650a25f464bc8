// Command wishdesk is the one binary: the server, the demo, and what an
// operator needs around them. It reads settings, opens stores and wires the
// rooms together.
//
// What must never come in: rules, words for residents, SQL, the wire format.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
)

// version is set when the binary is built.
var version = "dev"

// command is the whole command line.
type command struct {
	Config string `help:"The settings file; see configs/example.yaml. Each setting can also come from the environment (WISHDESK_…)." type:"path" placeholder:"FILE"`

	Serve       serveCommand       `cmd:"" help:"Run the server: webhook, clocks, pushes."`
	Demo        demoCommand        `cmd:"" help:"Run the server with a demo community and a stand-in for WeChat (make run)."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database up to this release."`
	Community   communityCommand   `cmd:"" help:"Communities: estates, buildings, grids, clocks."`
	Person      personCommand      `cmd:"" help:"People and their roles."`
	Assign      assignCommand      `cmd:"" help:"Rules of assignment."`
	Import      importCommand      `cmd:"" help:"Enter a whole wish mailbox from a table (.xlsx, .csv)."`
	Care        careCommand        `cmd:"" help:"The care list: who is visited in a rhythm."`
	Digest      digestCommand      `cmd:"" help:"The committee's week, as text, HTML, spreadsheet or JSON."`
	Hotline     hotlineCommand     `cmd:"" help:"Complaints that went to the hotline 12345."`
	QR          qrCommand          `cmd:"" name:"qr" help:"Make a printable sheet of codes for all buildings."`
	Invite      inviteCommand      `cmd:"" help:"Make a one-time code with which somebody binds their WeChat."`
	Menu        menuCommand        `cmd:"" help:"The account's menu."`
	Key         keyCommand         `cmd:"" help:"Keys with which other software comes in (Open311, the JSON API)."`
	Train       trainCommand       `cmd:"" help:"Train a model of samples."`
	Model       modelCommand       `cmd:"" help:"Models that communities taught, kept in the record."`
	Eval        evalCommand        `cmd:"" help:"Tell how well samples are understood."`
	Classify    classifyCommand    `cmd:"" help:"Understand a message a line on standard input, a JSON object a line."`
	Doctor      doctorCommand      `cmd:"" help:"Check settings, stores, migrations and WeChat credentials; say what to do."`
	Deadletters deadlettersCommand `cmd:"" help:"Tasks that failed for good."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready (for containers)."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// program is what commands get: where to write, and the environment.
type program struct {
	out, err io.Writer
	in       io.Reader
	environ  []string
	config   string
}

// settings loads the settings; checked says that all of them must be right.
func (p *program) settings(checked bool) (*settings.Settings, error) {
	s, err := settings.Load(configs.Read("defaults.yaml"), p.config, p.environ)
	if err != nil {
		return nil, usage(err)
	}
	if checked {
		if err := s.Check(checkAccount, checkOutside); err != nil {
			return nil, usage(fmt.Errorf("these settings are wrong:\n%w", err))
		}
	}
	return s, nil
}

// usageError is the user's to mend; it ends with status 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], &program{out: os.Stdout, err: os.Stderr, in: os.Stdin, environ: os.Environ()}))
}

// run is the command line: it returns the exit status, 0 for success, 1 for a
// fault, 2 for what the user must mend.
func run(ctx context.Context, args []string, p *program) (status int) {
	var c command
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("wishdesk"), kong.Description("One desk on a community's WeChat Official Account (心愿台)."),
		kong.Writers(p.out, p.err), kong.Exit(func(code int) { exited = code; panic(errExit) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p),
	)
	if err != nil {
		_, _ = fmt.Fprintln(p.err, "wishdesk:", err)
		return 1
	}
	defer func() {
		if r := recover(); r != nil {
			if err, ok := r.(error); !ok || !errors.Is(err, errExit) {
				panic(r)
			}
			status = exited
		}
	}()
	k, err := parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintln(p.err, "wishdesk:", err)
		return 2
	}
	p.config = c.Config
	if err := k.Run(); err != nil {
		_, _ = fmt.Fprintln(p.err, "wishdesk:", err)
		var u usageError
		if errors.As(err, &u) {
			return 2
		}
		return 1
	}
	return 0
}

// errExit carries kong's wish to exit (after help) out of the parser.
var errExit = errors.New("exit")

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.out, "wishdesk", version)
	return err
}
