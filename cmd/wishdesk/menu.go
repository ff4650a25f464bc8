package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jonboulle/clockwork"
	"github.com/silenceper/wechat/v2/officialaccount/menu"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
)

type menuCommand struct {
	Push menuPush `cmd:"" help:"Create the menu at WeChat: that of configs/wording.yaml, without what the community does not have."`
	Show menuShow `cmd:"" help:"Print the menu that would be created."`
}

// menuOf is the menu of a community as its record has it.
func (p *program) menuOf(ctx context.Context, s *settings.Settings, community string) (out []*menu.Button, err error) {
	words, err := readWording()
	if err != nil {
		return nil, err
	}
	err = p.withStore(ctx, func(store *postgres.Store) error {
		shape, err := store.Shape(ctx, community)
		if err != nil {
			return noCommunity(community, err)
		}
		out = bot.Menu(words, shape, pagesOf(s, community))
		return nil
	})
	return out, err
}

type menuPush struct {
	Community string `required:"" help:"The community's code."`
}

// Run creates the menu at WeChat.
func (c menuPush) Run(ctx context.Context, p *program) error {
	s, err := p.settings(true)
	if err != nil {
		return err
	}
	buttons, err := p.menuOf(ctx, s, c.Community)
	if err != nil {
		return err
	}
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{})
	if err != nil {
		return usage(err)
	}
	defer drive.Close()
	for _, a := range s.Accounts {
		if a.Community != c.Community {
			continue
		}
		client := wechat.NewClient(accountOf(a), drive.Tokens(), wechat.ClientOptions{Clock: clockwork.NewRealClock()})
		if err := client.CreateMenu(ctx, buttons); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(p.out, "the menu is made; WeChat shows it within 5 minutes")
		return nil
	}
	return usage(fmt.Errorf("no account for community %q in the settings", c.Community))
}

type menuShow struct {
	Community string `required:"" help:"The community's code."`
}

// Run prints the menu.
func (c menuShow) Run(ctx context.Context, p *program) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	buttons, err := p.menuOf(ctx, s, c.Community)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(p.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(buttons)
}
