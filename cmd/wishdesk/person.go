package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

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
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\t%s\t%s\n", who.ID, who.Name, workflow.HidePhone(who.Phone), strings.Join(roles, ", "), bound)
		}
		return nil
	})
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

type personLeave struct {
	Person    string `arg:"" help:"The person's name or key."`
	Community string `required:"" help:"The community's code."`
}

// Run takes all parts from somebody; the running servers give their open work
// to others within a second.
func (c personLeave) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		found, err := store.FindPerson(ctx, c.Community, c.Person)
		if err != nil {
			return err
		}
		if len(found) != 1 || !found[0].Staff() {
			return usage(fmt.Errorf("%d people of the staff of %s answer to %q; want one: `wishdesk person list` shows them", len(found), c.Community, c.Person))
		}
		open, err := store.Owned(ctx, c.Community, found[0].ID, 1000)
		if err != nil {
			return err
		}
		if err := p.audited(ctx, store, c.Community, "people.leave", ofPerson(found[0].ID), func() (string, error) {
			return "", store.Leave(ctx, c.Community, found[0].ID)
		}); errors.Is(err, desk.ErrLastAdmin) {
			return lastAdmin(found[0].Name, c.Community)
		} else if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(p.out, "%s plays no part any more; %d open tickets go to others within a second where a server runs\n", found[0].Name, len(open))
		return nil
	})
}
