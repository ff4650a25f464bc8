package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/silenceper/wechat/v2/officialaccount/menu"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// withStore opens the record for one command.
func (p *program) withStore(ctx context.Context, f func(*postgres.Store) error) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	if s.Postgres == "" {
		return usage(errors.New("which database? Give --config FILE or WISHDESK_POSTGRES"))
	}
	if err := upToDate(ctx, s.Postgres.Reveal()); err != nil {
		return err
	}
	store, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	return f(store)
}

type migrateCommand struct {
	Status bool `help:"Only say what is pending."`
}

// Run migrates the database.
func (c migrateCommand) Run(ctx context.Context, p *program) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	if s.Postgres == "" {
		return usage(errors.New("which database? Give --config FILE or WISHDESK_POSTGRES"))
	}
	pending, err := postgres.Pending(ctx, s.Postgres.Reveal())
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		if !c.Status { // what an earlier run left undone after its migrations
			if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
				return err
			}
		}
		_, _ = fmt.Fprintln(p.out, "the database is up to date")
		return nil
	}
	for _, name := range pending {
		_, _ = fmt.Fprintln(p.out, "pending:", name)
	}
	if c.Status {
		return nil
	}
	if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(p.out, "done")
	return nil
}

type communityCommand struct {
	Apply  communityApply  `cmd:"" help:"Apply a community's document; a version of every document is kept."`
	Export communityExport `cmd:"" help:"Print the document that stands."`
	List   communityList   `cmd:"" help:"List the communities."`
}

type communityList struct{}

// Run lists the communities.
func (communityList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		all, err := store.Communities(ctx)
		if err != nil {
			return err
		}
		for _, code := range slices.Sorted(maps.Keys(all)) {
			shape, err := store.Shape(ctx, code)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.out, "%s\t%s\t%d grids\t%d staff\n", code, shape.Community.Name, len(shape.Community.Grids), len(shape.Roster))
		}
		return nil
	})
}

type communityExport struct {
	Code string `arg:"" help:"The community's code."`
}

// Run prints a community's document.
func (c communityExport) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		document, err := store.ExportCommunity(ctx, c.Code)
		if err != nil {
			return noCommunity(c.Code, err)
		}
		return p.audited(ctx, store, c.Code, "community.look", "", func() (string, error) {
			_, err := p.out.Write(document)
			return "", err
		})
	})
}

type communityApply struct {
	File   string `arg:"" type:"existingfile" help:"The community's document (YAML)."`
	DryRun bool   `help:"Only say what would change."`

	Renumber bool `help:"Estates may change their places in the list: codes printed before lead astray."`
}

// Run applies a community's document.
func (c communityApply) Run(ctx context.Context, p *program) error {
	document, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	words, err := readWording()
	if err != nil {
		return err
	}
	taxonomy, err := readTaxonomy()
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		registry := charter.Registry{Record: store, Wording: words, Taxonomy: taxonomy}
		change, err := registry.Propose(ctx, "", charter.Any, document)
		if err != nil {
			return refusedDocument(err)
		}
		_, _ = fmt.Fprintf(p.out, "%s %s: %d grids, %d buildings\n", change.Community.Code, change.Community.Name, len(change.Community.Grids), change.Community.Buildings())
		for _, l := range change.Lines {
			_, _ = fmt.Fprintln(p.out, l)
		}
		switch {
		case change.Nothing():
			_, _ = fmt.Fprintln(p.out, "nothing changes")
			return nil
		case len(change.Lines) == 0:
			_, _ = fmt.Fprintln(p.out, "only empty lines change")
		}
		if err := change.Allowed(c.Renumber); err != nil {
			return refusedDocument(err)
		}
		if c.DryRun {
			return nil
		}
		return p.audited(ctx, store, change.Community.Code, "community.change", "", func() (string, error) {
			version, err := registry.Apply(ctx, change, author(p.environ), c.Renumber)
			if err != nil {
				return "", refusedDocument(err)
			}
			_, _ = fmt.Fprintf(p.out, "applied as version %d; running servers follow within a second\n", version)
			return fmt.Sprintf("version %d", version), nil
		})
	})
}

// refusedDocument tells the user of the command line what to do about it.
func refusedDocument(err error) error {
	var refused *charter.Refused
	switch {
	case errors.Is(err, charter.ErrRenumbered):
		return usage(fmt.Errorf("%w. Add new estates at the end, or print all codes anew (`wishdesk qr`) and apply with --renumber", err))
	case errors.Is(err, desk.ErrStale):
		return errors.New("somebody applied another document in this moment: look at it (`wishdesk community export`) and apply yours again")
	case errors.As(err, &refused):
		return usage(err)
	}
	return err
}

// author is who applies a document, as the machine knows them.
func author(environ []string) string {
	for _, name := range []string{"SUDO_USER=", "USER="} {
		for _, e := range environ {
			if v, ok := strings.CutPrefix(e, name); ok && v != "" {
				return v
			}
		}
	}
	return "command line"
}

type personCommand struct {
	Add  personAdd  `cmd:"" help:"Add a person, or change one with the same key."`
	List personList `cmd:"" help:"List the staff; telephone numbers are masked."`

	Leave personLeave `cmd:"" help:"Somebody is no longer staff: their open work goes to others."`
}

type personAdd struct {
	Community  string `required:"" help:"The community's code."`
	Name       string `required:"" help:"The person's name."`
	Key        string `help:"A stable text that names the person in imports; the name if empty."`
	Phone      string `help:"Shown to those who must telephone; never logged."`
	Role       string `help:"worker, leader, officer, property, volunteer, party_member, partner, committee or admin." enum:"worker,leader,officer,property,volunteer,party_member,partner,committee,admin" required:""`
	Grid       string `help:"The grid served; empty = all."`
	FullTime   bool   `help:"The grid's full-time worker."`
	Duty       bool   `help:"Committee: takes emergencies and escalations now."`
	Secretary  bool   `help:"Party member: leads the branch."`
	Unit       string `help:"The partner unit or property company."`
	Team       string `help:"The volunteer team."`
	Branch     string `help:"The party branch."`
	Department string `help:"The officer's department."`

	Skill []string `help:"What they know: a category's code, or a word that wishes name (理发). Again for each."`
	Hours []string `help:"Hours of duty: 08:30-17:30. Again for each; none = always."`
	Days  []int    `help:"Days of duty: 1 = Monday … 7 = Sunday. Again for each; none = all."`
}

// Run adds or changes a person.
func (a personAdd) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		shape, err := store.Shape(ctx, a.Community)
		if err != nil {
			return noCommunity(a.Community, err)
		}
		role := workflow.Role{
			Kind: workflow.RoleKind(a.Role), Grid: a.Grid, FullTime: a.FullTime, Duty: a.Duty, Secretary: a.Secretary, Unit: a.Unit, Team: a.Team,
			Branch: a.Branch, Department: a.Department, Skills: a.Skill, Hours: a.Hours, Days: a.Days,
		}
		if err := role.Check(shape.Community); err != nil {
			return usage(fmt.Errorf("%s: %w", a.Community, err))
		}
		key := a.Key
		if key == "" {
			known, err := store.FindPerson(ctx, a.Community, a.Name)
			if err != nil {
				return err
			}
			if len(known) > 0 {
				return usage(fmt.Errorf("there is a %s already: to change them add --key with their key (their name, unless you chose another), to add a namesake --key with a new one", a.Name))
			}
			key = a.Name
		}
		err = p.audited(ctx, store, a.Community, "people.add", "", func() (string, error) {
			id, err := store.UpsertPerson(ctx, key, workflow.Person{
				Community: a.Community, Name: a.Name, Phone: a.Phone,
				Roles: []workflow.Role{role},
			})
			if err != nil {
				return "", err
			}
			_, _ = fmt.Fprintf(p.out, "%s is person %d; `wishdesk invite %s --community %s` makes the code for their WeChat\n", a.Name, id, a.Name, a.Community)
			return ofPerson(id), nil
		})
		if errors.Is(err, desk.ErrLastAdmin) {
			return lastAdmin(a.Name, a.Community)
		}
		return err
	})
}

// lastAdmin tells the user of the command line what to do before somebody who alone
// administers a community no longer does.
func lastAdmin(name, community string) error {
	return usage(fmt.Errorf("%s is the last administrator of %s: make another first (`wishdesk person add --role admin`)", name, community))
}

func noCommunity(code string, err error) error {
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return usage(fmt.Errorf("there is no community %q: `wishdesk community list` names them", code))
	}
	return err
}

type personList struct {
	Community string `required:"" help:"The community's code."`
}

// Run lists the staff.
func (c personList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		people, err := store.People(ctx, c.Community)
		if err == nil {
			err = p.audited(ctx, store, c.Community, "people.look", "", func() (string, error) { return "", nil })
		}
		if err != nil {
			return err
		}
		for _, who := range people {
			if !who.Staff() {
				continue
			}
			bound := "not bound"
			if who.OpenID != "" {
				bound = "bound"
			}
			var roles []string
			for _, r := range who.Roles {
				roles = append(roles, strings.TrimSpace(string(r.Kind)+" "+r.Grid))
			}
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\t%s\t%s\n", who.ID, who.Name, mask(who.Phone), strings.Join(roles, ", "), bound)
		}
		return nil
	})
}

// mask hides the middle of a telephone number.
func mask(phone string) string {
	if len(phone) < 7 {
		return strings.Repeat("*", len(phone))
	}
	return phone[:3] + strings.Repeat("*", len(phone)-7) + phone[len(phone)-4:]
}

type inviteCommand struct {
	Person    string `arg:"" help:"The person's name or key."`
	Community string `required:"" help:"The community's code."`
}

const codeLives = 24 * time.Hour

// Run makes a one-time code.
func (c inviteCommand) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		found, err := store.FindPerson(ctx, c.Community, c.Person)
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return usage(fmt.Errorf("%d people of %s answer to %q; want one: `wishdesk person list` shows them", len(found), c.Community, c.Person))
		}
		code := access.NewBindCode()
		return p.audited(ctx, store, c.Community, "people.code", ofPerson(found[0].ID), func() (string, error) {
			if err := store.NewBindCode(ctx, c.Community, found[0].ID, code, time.Now().Add(codeLives)); err != nil {
				return "", err
			}
			_, _ = fmt.Fprintf(p.out, "%s\n%s sends 「绑定 %s」 to the account within 24 hours. The code works once.\n", code, found[0].Name, code)
			return "", nil
		})
	})
}

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

type deadlettersCommand struct {
	List  deadlettersList  `cmd:"" default:"withargs" help:"List them."`
	Retry deadlettersRetry `cmd:"" help:"Queue one again."`
}

type deadlettersRetry struct {
	ID        int64  `arg:"" help:"Its number in the list."`
	Community string `required:"" help:"The community's code."`
}

// Run queues a task again that failed for good, as it stood on its queue. Doing
// one twice is safe.
func (c deadlettersRetry) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		d, closing, err := p.openDesk(ctx, store)
		if err != nil {
			return err
		}
		defer closing()
		if err := p.audited(ctx, store, c.Community, "failures.retry", fmt.Sprintf("letter %d", c.ID), func() (string, error) { return "", d.Retry(ctx, c.Community, c.ID) }); workflow.CodeOf(err) == workflow.CodeNotFound {
			return usage(fmt.Errorf("%s has no dead letter %d: `wishdesk deadletters --community %s` lists them", c.Community, c.ID, c.Community))
		} else if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(p.out, "queued")
		return nil
	})
}

type deadlettersList struct {
	Community string `required:"" help:"The community's code."`
}

// Run lists the tasks that failed for good, without what they hold.
func (c deadlettersList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		dead, err := store.DeadLetters(ctx, c.Community, 200)
		if err != nil {
			return err
		}
		for _, d := range dead {
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\t%s\n", d.ID, d.At.Format(time.RFC3339), d.Queue, d.Reason)
		}
		if len(dead) == 0 {
			_, _ = fmt.Fprintln(p.out, "none")
		}
		return nil
	})
}
