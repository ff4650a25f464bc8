package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/configs/settings"
)

type serveCommand struct{}

// Run serves until a signal comes, then drains.
func (serveCommand) Run(ctx context.Context, p *program) error {
	s, err := p.settings(true)
	if err != nil {
		return err
	}
	accounts := map[string]wechat.Account{}
	for i, a := range s.Accounts {
		account := accountOf(a)
		if wechat.IsDemo(account) {
			return usage(fmt.Errorf("accounts[%d]: these are the demo's published app id, token or key: choose your own in WeChat's console", i))
		}
		accounts[a.Community] = account
	}
	srv, err := newServer(ctx, s, accounts, clockwork.NewRealClock(), s.Log.Logger(p.err))
	if err != nil {
		return err
	}
	for community := range accounts {
		if _, ok := srv.desk.Shape(community); !ok {
			srv.log.Warn("an account's community has no document yet: run `wishdesk community apply FILE`", "community", community)
		}
	}
	defer srv.stop()
	if err := srv.start(ctx); err != nil {
		return err
	}
	return srv.wait(ctx)
}

// accountOf is an account as the edge wants it.
func accountOf(a settings.Account) wechat.Account {
	return wechat.Account{
		Community: a.Community, AppID: a.AppID, AppSecret: a.AppSecret.Reveal(), Token: a.Token.Reveal(),
		EncodingAESKey: a.EncodingAESKey.Reveal(), PreviousAESKey: a.PreviousAESKey.Reveal(), PreviousToken: a.PreviousToken.Reveal(),
		Mode: wechat.Mode(a.Mode), Original: a.Original, APIBase: a.APIBase,
	}
}

// settingOf names the setting of each field that wechat.Check tells of.
var settingOf = map[string]string{
	"Community": "community", "AppID": "app_id", "AppSecret": "app_secret", "Token": "token", "EncodingAESKey": "encoding_aes_key",
	"PreviousAESKey": "previous_aes_key", "PreviousToken": "previous_token", "Mode": "mode", "Original": "original", "APIBase": "api_base",
}

// checkAccount tells what is wrong with an account, by the names of settings.
func checkAccount(a settings.Account) error {
	err := wechat.Check(accountOf(a))
	if err == nil {
		return nil
	}
	var errs []error
	for _, line := range strings.Split(err.Error(), "\n") {
		field, rule, _ := strings.Cut(strings.TrimPrefix(line, "wechat: "), " ")
		errs = append(errs, fmt.Errorf("%s: %s", settingOf[field], rule))
	}
	return errors.Join(errs...)
}

type healthcheckCommand struct{}

// Run asks a running server whether it is ready.
func (healthcheckCommand) Run(ctx context.Context, p *program) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addr := reachable(s.Addr)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return usage(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no server answers on %s: %w", addr, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprint(p.out, string(body))
	if resp.StatusCode != http.StatusOK {
		return errors.New("the server is not ready")
	}
	return nil
}
