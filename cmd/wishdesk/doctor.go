package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
)

type doctorCommand struct {
	Offline bool `help:"Do not ask WeChat."`
}

// doctor collects what it finds; each finding says what to do.
type doctor struct {
	p      *program
	failed int
}

func (d *doctor) ok(what, detail string) {
	_, _ = fmt.Fprintf(d.p.out, "OK    %s %s\n", what, detail)
}

func (d *doctor) warn(what, do string) {
	_, _ = fmt.Fprintf(d.p.out, "WARN  %s: %s\n", what, do)
}

func (d *doctor) fail(what string, err error, do string) {
	d.failed++
	if err != nil {
		do = err.Error() + "\n      " + do
	}
	_, _ = fmt.Fprintf(d.p.out, "FAIL  %s: %s\n", what, do)
}

// Run looks at everything that a server needs and says what to do. It ends
// with status 1 where a server would not run or not keep its promises.
func (c doctorCommand) Run(ctx context.Context, p *program) error {
	d := &doctor{p: p}
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	if p.config == "" {
		d.warn("settings", "no --config FILE was given: these are the defaults and the environment")
	}
	if err := s.Check(checkAccount, checkOutside); err != nil {
		d.fail("settings", nil, strings.ReplaceAll(err.Error(), "\n", "\n      "))
	} else {
		d.ok("settings", fmt.Sprintf("%d account(s)", len(s.Accounts)))
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	d.data(s)
	d.postgres(ctx, s)
	drive := d.redis(ctx, s)
	if drive != nil {
		defer drive.Close()
	}
	for i, a := range s.Accounts {
		name := fmt.Sprintf("accounts[%d] %s", i, a.Community)
		account := accountOf(a)
		if wechat.IsDemo(account) {
			d.fail(name, nil, "these are the demo's published values: choose your own in WeChat's console")
		}
		if account.Mode != wechat.Safe {
			d.warn(name, "mode is "+a.Mode+": choose 安全模式 in WeChat's console, and mode: safe here")
		}
		if len(a.Templates) == 0 || a.Templates["work"].ID == "" {
			d.warn(name, "templates.work has no id: workers cannot be reached once their five messages are used up")
		}
		if c.Offline || drive == nil || checkAccount(a) != nil {
			continue
		}
		if err := wechat.NewClient(account, drive.Tokens(), wechat.ClientOptions{Clock: clockwork.NewRealClock()}).Ping(ctx); err != nil {
			d.fail(name+" at WeChat", err, "check app_id and app_secret, and that this server's address is on the IP list of WeChat's console")
		} else {
			d.ok(name+" at WeChat", "credentials are good")
		}
	}
	if !c.Offline {
		d.outside(ctx, s)
	}
	if d.failed > 0 {
		return fmt.Errorf("%d thing(s) to mend", d.failed)
	}
	return nil
}

// outside asks what is asked outside, once each.
func (d *doctor) outside(ctx context.Context, s *settings.Settings) {
	taxonomy, err := readTaxonomy()
	if err != nil {
		d.fail("taxonomy", err, "this build is broken")
		return
	}
	advisor, transcriber := outside(s, taxonomy)
	tried := func(name string, err error) {
		if err != nil {
			d.warn(name, err.Error()+": check its url, key and model; the desk works without it")
		} else {
			d.ok(name, "answers")
		}
	}
	if advisor != nil {
		_, err := advisor.Advise(ctx, "楼道的灯不亮了")
		tried("advisor", err)
	}
	if transcriber != nil {
		_, err := transcriber.Transcribe(ctx, silence, "audio/amr")
		tried("transcriber", err)
	}
}

// silence is a second of it as WeChat records: AMR frames of 12.2 kbit/s.
var silence = append([]byte("#!AMR\n"), bytes.Repeat(append([]byte{0x3c}, make([]byte, 31)...), 50)...)

// data looks whether photos and recordings can be kept.
func (d *doctor) data(s *settings.Settings) {
	if _, err := os.Stat(s.Data); errors.Is(err, os.ErrNotExist) {
		d.warn("data", s.Data+" is not there yet: the server makes it if it may")
		return
	}
	f, err := os.CreateTemp(s.Data, ".doctor-*")
	if err != nil {
		d.fail("data", err, "let the server's user write in the directory of the setting data (WISHDESK_DATA); run the doctor as that user")
		return
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	d.ok("data", s.Data+" can be written")
}

func (d *doctor) postgres(ctx context.Context, s *settings.Settings) {
	pending, err := postgres.Pending(ctx, s.Postgres.Reveal())
	if err != nil {
		d.fail("postgres", err, "start PostgreSQL 15 or newer and check the setting postgres (WISHDESK_POSTGRES)")
		return
	}
	if len(pending) > 0 {
		d.fail("migrations", nil, "run `wishdesk migrate`; pending: "+strings.Join(pending, ", "))
		return
	}
	store, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{})
	if err != nil {
		d.fail("postgres", err, "check the setting postgres (WISHDESK_POSTGRES)")
		return
	}
	defer store.Close()
	d.ok("postgres", "answers, migrations are done")
	before := time.Now()
	theirs, server, err := store.Server(ctx)
	if err != nil {
		d.fail("postgres", err, "look at its log")
		return
	}
	if server.Version < 150000 {
		d.fail("postgres", nil, fmt.Sprintf("version %d: want 15 or newer", server.Version/10000))
	}
	if server.SynchronousCommit == "off" {
		d.fail("postgres", nil, "synchronous_commit is off: what residents were told could be lost; set it on")
	}
	if skew := theirs.Sub(before); skew > 5*time.Second || skew < -5*time.Second {
		d.warn("clock", fmt.Sprintf("the database's clock differs by %s: deadlines and WeChat's timestamps need the right time (NTP)", skew.Round(time.Second)))
	}
	all, err := store.Stats(ctx, before)
	if err != nil {
		d.fail("record", err, "look at PostgreSQL's log")
		return
	}
	if len(all) == 0 {
		d.warn("communities", "there are none yet: `wishdesk community apply FILE`")
	}
	have := map[string]bool{}
	for _, st := range all {
		have[st.Community] = true
		d.ok("community "+st.Community, fmt.Sprintf("%d open tickets", st.Open))
		if st.OwedPushes > 0 && !st.OldestPush.IsZero() && before.Sub(st.OldestPush) > 10*time.Minute {
			d.warn(st.Community, fmt.Sprintf("%d pushes are owed, the oldest since %s: is a server running, does WeChat answer?", st.OwedPushes, before.Sub(st.OldestPush).Round(time.Minute)))
		}
		if st.ManualPushes > 0 {
			d.warn(st.Community, fmt.Sprintf("%d people are to be telephoned: workers see them under 「待办」", st.ManualPushes))
		}
		if st.DeadLetters > 0 {
			d.warn(st.Community, fmt.Sprintf("%d tasks failed for good: `wishdesk deadletters --community %s`", st.DeadLetters, st.Community))
		}
	}
	for _, a := range s.Accounts {
		if !have[a.Community] {
			d.warn("community "+a.Community, "its account has no document yet: `wishdesk community apply FILE`")
		}
	}
}

func (d *doctor) redis(ctx context.Context, s *settings.Settings) *redis.Drive {
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{})
	if err == nil {
		err = drive.Ping(ctx)
	}
	if err != nil {
		d.fail("redis", err, "start Redis 7 or newer and check the setting redis (WISHDESK_REDIS)")
		return nil
	}
	infos, err := drive.Info(ctx, "everything")
	if err != nil {
		d.warn("redis", "its INFO cannot be read: "+err.Error())
		return drive
	}
	appends := true
	for _, info := range infos {
		field := func(name string) string {
			for _, line := range strings.Split(info, "\n") {
				if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
					return v
				}
			}
			return ""
		}
		if major, _, _ := strings.Cut(field("redis_version"), "."); major < "7" && len(major) == 1 {
			d.fail("redis", errors.New("version "+field("redis_version")), "want 7 or newer")
		}
		if field("redis_mode") == "cluster" && !strings.Contains(s.Redis.Reveal(), ",") {
			d.fail("redis", nil, "it is a node of a cluster: name several, separated by commas, in the setting redis (WISHDESK_REDIS)")
		}
		appends = appends && field("aof_enabled") == "1"
		if policy := field("maxmemory_policy"); policy != "" && policy != "noeviction" {
			d.fail("redis", nil, "maxmemory-policy is "+policy+": it would forget tasks; set noeviction")
		}
	}
	switch {
	case !appends:
		d.fail("redis", nil, "appendonly is off: messages taken while PostgreSQL is away could be lost; set appendonly yes")
	case len(infos) > 1:
		d.ok("redis", fmt.Sprintf("%d nodes answer and append to their files", len(infos)))
	default:
		d.ok("redis", "answers, appends to its file")
	}
	return drive
}
