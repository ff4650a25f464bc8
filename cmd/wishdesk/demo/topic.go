package demo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// pastTopic is a topic of configs/demo/past.yaml.
type pastTopic struct {
	Text     string                    `yaml:"text"`
	Level    topic.Level               `yaml:"level"`
	By       string                    `yaml:"by"`
	State    topic.State               `yaml:"state"` // how far it has come
	Category workflow.Category         `yaml:"category"`
	Note     string                    `yaml:"note"`
	Quorum   int                       `yaml:"quorum"`
	Votes    map[topic.Choice][]string `yaml:"votes"` // by whom
}

// topics lets the topics of the past be proposed, talked over and voted on as far as
// they have come. Nobody is told of them.
func (p *past) topics(ctx context.Context) error {
	duty := p.shape.Roster.Duty()
	if len(duty) == 0 {
		return errors.New("nobody is on duty")
	}
	for i, of := range p.of.Topics {
		number, err := p.topic(ctx, pastBegun+":topic:"+strconv.Itoa(i), of, duty[0].ID)
		if err != nil {
			return fmt.Errorf("%s: %w", of.Text, err)
		}
		for choice, names := range of.Votes {
			for _, name := range names {
				w, err := p.desk.Begin(Community, true)
				if err != nil {
					return err
				}
				if _, err = w.Vote(ctx, number, p.named(name), choice); err == nil {
					err = w.Commit(ctx)
				}
				if err != nil && workflow.CodeOf(err) != topic.CodeVoted { // before the past was cut off
					return fmt.Errorf("%s votes: %w", name, err)
				}
			}
		}
	}
	return nil
}

// topic stores one, once, and gives its number.
func (p *past) topic(ctx context.Context, id string, of pastTopic, committee workflow.PersonID) (int64, error) {
	was, there, err := p.store.Delivered(ctx, Community, id)
	if err != nil {
		return 0, err
	}
	if there {
		return strconv.ParseInt(was.Text, 10, 64)
	}
	by := p.named(of.By)
	scope, ok := topic.Around(p.shape.Community, by.Home, of.Level)
	if !ok {
		return 0, fmt.Errorf("%s lives in no %s", of.By, of.Level)
	}
	number, err := p.store.NextNumber(ctx, Community)
	if err != nil {
		return 0, err
	}
	at := p.now.Add(-72 * time.Hour)
	t, err := topic.Propose(topic.Topic{Community: Community, Number: number, Scope: scope, Text: of.Text, Category: of.Category, Proposer: by.ID}, at)
	if err != nil {
		return 0, err
	}
	for _, cmd := range []topic.Command{
		{Name: topic.Open}, {Name: topic.Note, Text: of.Note},
		{Name: topic.Call, Rules: topic.Rules{By: topic.Household, Quorum: of.Quorum, Until: p.now.AddDate(0, 0, 5).Truncate(time.Hour)}},
	} {
		if t.State == of.State && (t.State != topic.Talked || len(t.Notes) > 0) {
			break
		}
		at, cmd.By = at.Add(20*time.Hour), committee
		if t, err = topic.Decide(t, cmd, at); err != nil {
			return 0, err
		}
	}
	t.Telling = ""
	return number, p.store.Commit(ctx, desk.Change{
		Community: Community, Topics: []desk.TopicChange{{Topic: t}},
		Delivery: &desk.Delivery{ID: id, Type: "event:past", Text: strconv.FormatInt(number, 10), At: p.now},
	})
}

// named is a resident of the past.
func (p *past) named(name string) workflow.Person {
	for _, r := range p.residents {
		if r.Name == name {
			return r
		}
	}
	return workflow.Person{}
}
