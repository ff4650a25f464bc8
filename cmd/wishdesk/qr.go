package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/console/codes"
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

// codePlatform makes codes by a community's account: scanned, they reach the bot.
type codePlatform struct {
	client *wechat.Client
	app    string
}

func (p codePlatform) ID() string { return p.app }

func (codePlatform) Scene(c *workflow.Community, place workflow.Place) string {
	return bot.Scene(c, place)
}

func (p codePlatform) Code(ctx context.Context, scene string) (string, error) {
	_, address, err := p.client.CreateQR(ctx, scene)
	return address, err
}

// Run asks WeChat for one lasting code for each building and draws them.
func (c qrCommand) Run(ctx context.Context, p *program) error {
	if c.Units < 0 || c.Units > codes.MostUnits {
		return usage(fmt.Errorf("--units: want 0 to %d", codes.MostUnits))
	}
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{})
	if err != nil {
		return usage(err)
	}
	defer drive.Close()
	maker := codes.Maker{Memory: drive}
	for _, a := range s.Accounts {
		if a.Community == c.Community {
			maker.Platform = codePlatform{wechat.NewClient(accountOf(a), drive.Tokens(), wechat.ClientOptions{Clock: clockwork.NewRealClock()}), a.AppID}
		}
	}
	if maker.Platform == nil {
		return usage(fmt.Errorf("no account for community %q in the settings: the codes are WeChat's", c.Community))
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		shape, err := store.Shape(ctx, c.Community)
		if err != nil {
			return noCommunity(c.Community, err)
		}
		maker.Community = shape.Community
		places, err := codes.Places(shape.Community, c.Estate, nil, c.Units)
		if errors.Is(err, codes.ErrNoPlace) {
			return usage(fmt.Errorf("--estate: there is no estate %q", c.Estate))
		}
		if err != nil {
			return usage(err)
		}
		bar := newBar(p.err, "asking WeChat for codes")
		maker.Progress = bar.show
		labels, err := maker.Labels(ctx, places)
		if err != nil {
			return err
		}
		bar.done()
		out, err := os.Create(c.Out)
		if err != nil {
			return err
		}
		if err := errors.Join(codes.Sheet(out, shape.Community.Name, labels), out.Close()); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(p.out, "%d codes in %s: open it in a browser and print it on A4\n", len(labels), c.Out)
		return nil
	})
}
