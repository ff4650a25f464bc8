package bot

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// talk is what is remembered of one person's conversation between messages.
// It is stored with every message, so that any replica goes on with it.
type talk struct {
	Ticket  int64     `json:"ticket,omitempty"`  // the ticket talked about last
	Lesson  taught    `json:"lesson,omitzero"`   // of the party class, talked about last
	At      time.Time `json:"at,omitzero"`       // when the person wrote last
	Pending pending   `json:"pending,omitzero"`  // what the next words complete
	Choices []choice  `json:"choices,omitempty"` // what a bare number or label means
	Offered time.Time `json:"offered,omitzero"`  // when they were offered
	Advised int64     `json:"advised,omitempty"` // the ticket whose doubt advice ended while its reporter was asked
	Asked   int       `json:"asked,omitempty"`   // how often the desk asked where in a row
	Loose   []loose   `json:"loose,omitempty"`   // photos and recordings without a ticket yet
	Scene   place     `json:"scene,omitzero"`    // a scanned building
	Near    place     `json:"near,omitzero"`     // a shared location
}

// pending is a command that lacks its words: the next message gives them.
type pending struct {
	Verb   verb   `json:"verb,omitempty"`
	Number int64  `json:"number,omitempty"`
	Draft  string `json:"draft,omitempty"` // words that wait for a decision what they are
}

// choice is one thing that can be tapped, answered by its number or said.
type choice struct {
	Label string `json:"label"`
	Text  string `json:"text"` // the same in words, as if the person had written it
}

type loose struct {
	ID   string    `json:"id"`
	Type string    `json:"type"`
	At   time.Time `json:"at"`
}

type place struct {
	workflow.Place
	At time.Time `json:"at"`
}

// taught is a lesson that was talked about at a moment.
type taught struct {
	ID int64     `json:"id"`
	At time.Time `json:"at"`
}

// choicesLive is how long a bare number still means a choice, and pending
// words still complete a command.
const choicesLive = 30 * time.Minute

// sceneLives is how long a scanned code or shared location still tells the
// place of what is written.
const sceneLives = 30 * time.Minute

func readTalk(state json.RawMessage, now time.Time, c *workflow.Community) talk {
	var t talk
	if len(state) > 0 && json.Unmarshal(state, &t) != nil {
		t = talk{} // an older version's: begin anew rather than fail every message
	}
	if now.Sub(t.At) > choicesLive {
		t.Pending, t.Advised = pending{}, 0
		if now.Sub(t.Offered) > choicesLive {
			t.Choices = nil
		}
	}
	if now.Sub(t.Scene.At) > sceneLives {
		t.Scene = place{}
	}
	if now.Sub(t.Near.At) > sceneLives {
		t.Near = place{}
	}
	t.Loose = slices.DeleteFunc(t.Loose, func(l loose) bool { return now.Sub(l.At) > c.Clocks.LooseMedia })
	return t
}

// takeLoose gives the media that wait for a ticket, and forgets them.
func (t *talk) takeLoose(by workflow.PersonID) []workflow.Media {
	var out []workflow.Media
	for _, l := range t.Loose {
		out = append(out, workflow.Media{ID: l.ID, Type: l.Type, By: by})
	}
	t.Loose = nil
	return out
}
