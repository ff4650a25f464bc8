package demo

import (
	"context"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// lessonsDocument is configs/demo/lessons.yaml.
type lessonsDocument struct {
	Lessons []struct {
		ID      int64        `yaml:"id"`
		Theme   lesson.Theme `yaml:"theme"`
		Form    lesson.Form  `yaml:"form"`
		Minutes int          `yaml:"minutes"`
		Days    int          `yaml:"days"`
		Title   string       `yaml:"title"`
		Speaker string       `yaml:"speaker"`
		Teacher string       `yaml:"teacher"` // a key of people.yaml
		Text    string       `yaml:"text"`
		Video   string       `yaml:"video"`
		Class   struct {
			Place string `yaml:"place"`
			Days  int    `yaml:"days"`
			Hour  int    `yaml:"hour"`
		} `yaml:"class"`
	} `yaml:"lessons"`
	Hours  map[string]int     `yaml:"hours"`
	Learnt map[int64][]string `yaml:"learnt"`
	Asked  struct {
		Lesson int64  `yaml:"lesson"`
		Person string `yaml:"person"`
		Words  string `yaml:"words"`
	} `yaml:"asked"`
}

// lessons gives the demo's branches lessons, a plan, and what members made of those
// that are past. Done again it changes nothing.
func (p *past) lessons(ctx context.Context) error {
	var doc lessonsDocument
	if err := yaml.Unmarshal(configs.Read("demo/lessons.yaml"), &doc); err != nil {
		return fmt.Errorf("demo lessons: %w", err)
	}
	who := func(key string) (workflow.PersonID, error) {
		id, err := p.store.PersonOfKey(ctx, Community, key)
		if err == nil && id == 0 && key != "" {
			err = fmt.Errorf("demo lessons: nobody has the key %q", key)
		}
		return id, err
	}
	zone := p.shape.Community.Location()
	var c desk.Classwork
	learns := func(key string, id int64, at time.Time, deeds ...lesson.Deed) error {
		person, err := who(key)
		for _, d := range deeds {
			c.Done = append(c.Done, lesson.Done{Lesson: id, Person: person, Deed: d, At: at})
		}
		return err
	}
	for _, d := range doc.Lessons {
		at := p.now.AddDate(0, 0, d.Days)
		l := lesson.Lesson{ID: d.ID, Theme: d.Theme, Form: d.Form, Title: d.Title, Speaker: d.Speaker, Minutes: d.Minutes, Text: d.Text, Video: d.Video, At: p.now.AddDate(0, 0, min(d.Days, 0)-7)}
		var err error
		if l.Teacher, err = who(d.Teacher); err != nil {
			return err
		}
		if d.Class.Place != "" {
			l.Class = lesson.Class{Place: d.Class.Place, At: lesson.DayOf(p.now.AddDate(0, 0, d.Class.Days), zone).At(d.Class.Hour, zone).UTC()}
		}
		if err := l.Check(); err != nil {
			return fmt.Errorf("demo lessons: %d: %w", d.ID, err)
		}
		c.Made = append(c.Made, l)
		for _, b := range p.shape.Roster.Branches() {
			c.Planned = append(c.Planned, lesson.Planned{Branch: b, Lesson: d.ID, Day: lesson.DayOf(at, zone), By: l.Teacher})
			if d.Days >= 0 {
				continue
			}
			for _, m := range p.shape.Roster.Members(b) {
				c.Done = append(c.Done, lesson.Done{Lesson: d.ID, Person: m.ID, Deed: lesson.Given, At: at})
			}
		}
		for i, key := range doc.Learnt[d.ID] {
			if err := learns(key, d.ID, at.Add(time.Duration(20+7*i)*time.Minute), lesson.Read); err != nil {
				return err
			}
		}
	}
	for key, hour := range doc.Hours {
		person, err := who(key)
		if err != nil {
			return err
		}
		c.Hours = append(c.Hours, lesson.Hour{Person: person, Hour: hour})
	}
	if err := learns(doc.Asked.Person, doc.Asked.Lesson, p.now.Add(-20*time.Hour), lesson.Read, lesson.Asked); err != nil {
		return err
	}
	asker, err := who(doc.Asked.Person)
	if err != nil {
		return err
	}
	for _, l := range c.Made {
		if l.ID == doc.Asked.Lesson {
			c.Asked = append(c.Asked, lesson.Question{ID: l.ID, Lesson: l.ID, Person: asker, To: l.Teacher, Words: doc.Asked.Words, At: p.now.Add(-20 * time.Hour)})
		}
	}
	return p.store.Commit(ctx, desk.Change{Community: Community, Classwork: c})
}
