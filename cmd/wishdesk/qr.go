package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/workflow"
)

type qrCommand struct {
	Community string `required:"" help:"The community's code."`
	Out       string `required:"" help:"The file to write (.html): open it in a browser and print it on A4." type:"path"`
	Estate    string `help:"Only one estate, by its name."`
	Units     int    `help:"One code for each of so many units (单元) instead of one for the building." default:"0"`
}

// label is one code of the sheet.
type label struct {
	Place string
	Grid  string
	Code  template.HTML // an SVG path of our own making
	Size  int           // modules in a row, with the quiet zone
}

// Run asks WeChat for one lasting code for each building and draws them.
func (c qrCommand) Run(ctx context.Context, p *program) error {
	if c.Units < 0 || c.Units > 20 {
		return usage(errors.New("--units: want 0 to 20"))
	}
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	var client *wechat.Client
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{})
	if err != nil {
		return usage(err)
	}
	defer drive.Close()
	for _, a := range s.Accounts {
		if a.Community == c.Community {
			client = wechat.NewClient(accountOf(a), drive.Tokens(), wechat.ClientOptions{Clock: clockwork.NewRealClock()})
		}
	}
	if client == nil {
		return usage(fmt.Errorf("no account for community %q in the settings: the codes are WeChat's", c.Community))
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		shape, err := store.Shape(ctx, c.Community)
		if err != nil {
			return noCommunity(c.Community, err)
		}
		places, err := c.places(shape.Community)
		if err != nil {
			return err
		}
		var labels []label
		bar := newBar(p.err, "asking WeChat for codes")
		for i, place := range places {
			_, address, err := client.CreateQR(ctx, bot.Scene(shape.Community, place))
			if err != nil {
				return fmt.Errorf("%s: %w", place, err)
			}
			grid, _ := shape.Community.Grid(place.Grid)
			l, err := drawLabel(address)
			if err != nil {
				return err
			}
			l.Place, l.Grid = place.String(), grid.Name
			labels = append(labels, l)
			bar.show(int64(i+1), int64(len(places)))
		}
		bar.done()
		out, err := os.Create(c.Out)
		if err != nil {
			return err
		}
		if err := errors.Join(drawSheet(out, shape.Community.Name, labels), out.Close()); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(p.out, "%d codes in %s: open it in a browser and print it on A4\n", len(labels), c.Out)
		return nil
	})
}

// places are what gets a code, in the order of the document.
func (c qrCommand) places(community *workflow.Community) ([]workflow.Place, error) {
	var out []workflow.Place
	for _, e := range community.Estates {
		if c.Estate != "" && c.Estate != e.Name {
			continue
		}
		for b := 1; b <= e.Buildings; b++ {
			p := workflow.Place{Estate: e.Name, Building: b, Grid: community.GridOf(e.Name, b)}
			if c.Units == 0 {
				out = append(out, p)
			}
			for u := 1; u <= c.Units; u++ {
				p.Unit = u
				out = append(out, p)
			}
		}
	}
	if len(out) == 0 {
		return nil, usage(fmt.Errorf("--estate: there is no estate %q", c.Estate))
	}
	const most = 100_000 // WeChat's bound of lasting codes for one account
	if len(out) > most {
		return nil, usage(fmt.Errorf("%d codes are more than WeChat allows an account (%d)", len(out), most))
	}
	return out, nil
}

// drawLabel draws an address as a code with its quiet zone, one path.
func drawLabel(address string) (label, error) {
	code, err := qr.Encode(address, qr.M, qr.Auto)
	if err != nil {
		return label{}, fmt.Errorf("drawing a code: %w", err)
	}
	const quiet = 4
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := range n {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				path.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h1v1h-1z")
			}
		}
	}
	return label{Code: template.HTML(path.String()), Size: n + 2*quiet}, nil //nolint:gosec // digits and the letters of a path, made above
}

// drawSheet writes the page to print.
func drawSheet(w io.Writer, community string, labels []label) error {
	t, err := template.New("sheet").Parse(string(configs.Read("qr.html")))
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{"Community": community, "Labels": labels})
}
