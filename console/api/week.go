package api

import (
	"maps"
	"net/http"
	"slices"

	"github.com/wishdesk/wishdesk/workflow/digest"
)

// week gives the committee's week: as the record is now, or with sent=true as it
// was sent.
func (q *request) week() error {
	asked, err := q.asked("sent")
	if err != nil {
		return err
	}
	if s, ok := asked["sent"]; ok && s != "true" {
		return unreadable("sent")
	}
	week, err := digest.ParseWeek(q.PathValue("week"))
	if err != nil {
		return refuse(codeNotFound)
	}
	if from, _ := week.Range(q.shape.Community.Location()); from.After(q.now) {
		return refuse(codeNotFound)
	}
	if err := q.pace("week", weeksPerMinute); err != nil {
		return err
	}
	if q.personal() {
		if err := q.note("api.week.look", 0, "week "+week.String()); err != nil {
			return err
		}
	}
	var d digest.Digest
	if asked["sent"] == "true" {
		var ok bool
		if d, ok, err = q.api.o.Desk.Journal().SentDigest(q.Context(), q.code(), week); err == nil && !ok {
			return refuse(codeNotFound)
		}
	} else {
		d, err = q.api.o.Desk.Digest(q.Context(), q.code(), week)
	}
	if err != nil {
		return err
	}
	if !q.personal() {
		nameless(&d)
	}
	d.Sentences = q.voice().Sentences(&d)
	fill(&d)
	return q.answer(http.StatusOK, d)
}

// nameless takes the names of the responsible out of a digest, and what may have
// been written of them: the sentences are then those of the rules.
func nameless(d *digest.Digest) {
	d.Sentences = nil
	for _, list := range []*[]digest.Item{&d.Late, &d.Risen} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Owner = ""
		}
	}
	d.Findings = slices.Clone(d.Findings)
	for i := range d.Findings {
		f := &d.Findings[i]
		if _, ok := f.Values["owner"]; ok {
			f.Values = maps.Clone(f.Values)
			f.Values["owner"] = ""
		}
	}
}

// fill has an empty list be one, not null.
func fill(d *digest.Digest) {
	list(&d.Below)
	list(&d.Late)
	list(&d.Risen)
	list(&d.HotSpots)
	list(&d.Findings)
	list(&d.Changes)
	for _, f := range []*digest.Figures{&d.Now, &d.Before, &d.YearAgo} {
		list(&f.ResponseTimes)
		list(&f.HandlingTimes)
		list(&f.Units)
	}
}

func list[T any](l *[]T) {
	if *l == nil {
		*l = []T{}
	}
}
