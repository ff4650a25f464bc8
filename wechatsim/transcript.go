package wechatsim

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Directions of an Entry.
const (
	In  = "in"  // from the person
	Out = "out" // from the account
)

// Channels of an Entry.
const (
	ByMessage   = "message"   // the person wrote or tapped
	ByEvent     = "event"     // the person did something else: followed, scanned, clicked
	ByPassive   = "passive"   // the answer to a delivery
	ByCustom    = "custom"    // customer-service message
	ByTemplate  = "template"  // template message
	BySubscribe = "subscribe" // subscription notice
)

// Unavailable is the type of the Entry that stands where an answer should be.
const Unavailable = "unavailable"

// UnavailableText is what a person reads when the account does not answer
// (WeChat, 被动回复用户消息).
const UnavailableText = "该公众号暂时无法提供服务，请稍后再试"

// Entry is one bubble, card or line of a chat as the person sees it.
type Entry struct {
	ID      int64     `json:"id"` // ascending over all chats, never used twice
	At      time.Time `json:"at"`
	Dir     string    `json:"dir"`     // In or Out
	Channel string    `json:"channel"` // ByMessage, …
	// Type is text, image, voice, video, location, link, news, music, msgmenu,
	// template, unavailable, raw, or for ByEvent the event's name.
	Type        string     `json:"type"`
	Text        string     `json:"text,omitempty"`  // as read: links are their words
	Spans       []Span     `json:"spans,omitempty"` // the same text in pieces, when it holds links
	HeadContent string     `json:"head,omitempty"`
	Items       []MenuItem `json:"items,omitempty"` // of a msgmenu, or the tappable links of a text
	TailContent string     `json:"tail,omitempty"`
	MediaID     string     `json:"media_id,omitempty"`
	MediaURL    string     `json:"media_url,omitempty"` // path on the stand-in
	Title       string     `json:"title,omitempty"`
	Fields      []Field    `json:"fields,omitempty"` // of a notice, in the template's order
	URL         string     `json:"url,omitempty"`
	Lat         float64    `json:"lat,omitempty"`
	Lng         float64    `json:"lng,omitempty"`
	MsgID       int64      `json:"msg_id,omitempty"` // of the message or the notice
}

// Field gives the value of a notice's field by key, "" when there is none.
func (e Entry) Field(key string) string {
	for _, f := range e.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// Field is one line of a notice card.
type Field struct {
	Key   string `json:"key"` // e.g. thing2
	Label string `json:"label"`
	Value string `json:"value"`
}

// MenuItem is one tappable answer; give both to Platform.Tap.
type MenuItem struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// Span is a piece of a text: plain words, words that send Tap when tapped, or
// words that open URL.
type Span struct {
	Text string    `json:"text"`
	Tap  *MenuItem `json:"tap,omitempty"`
	URL  string    `json:"url,omitempty"`
}

// Said is an Entry with the person whose chat it stands in.
type Said struct {
	OpenID string `json:"openid"`
	Entry
}

// say puts an entry into a person's chat and wakes who waits; the caller holds
// p.mu.
func (p *Platform) say(openid string, e Entry) Entry {
	e.ID, e.At = p.lastID+1, p.Clock.Now()
	said := Said{openid, e}
	p.keep(record{Said: &said})
	p.remember(said)
	p.wake()
	return e
}

// wake wakes who waits for something new; the caller holds p.mu.
func (p *Platform) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Platform) remember(s Said) {
	p.lastID = s.ID
	p.byPerson[s.OpenID] = append(p.byPerson[s.OpenID], len(p.chat))
	p.chat = append(p.chat, s)
}

// Transcript gives the whole chat of a person, oldest first.
func (p *Platform) Transcript(openid string) []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.transcript(openid, 0)
}

func (p *Platform) transcript(openid string, after int64) []Entry {
	var out []Entry
	for _, i := range p.byPerson[openid] {
		if p.chat[i].ID > after {
			out = append(out, p.chat[i].Entry)
		}
	}
	return out
}

// Since gives what was said after an id in all chats, and a channel that is
// closed when more is said.
func (p *Platform) Since(after int64) ([]Said, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from, _ := slices.BinarySearchFunc(p.chat, after+1, func(s Said, id int64) int { return int(s.ID - id) })
	return slices.Clone(p.chat[from:]), p.changed
}

// ErrClosed is returned by what a closed Platform can no longer do.
var ErrClosed = errors.New("wechatsim: closed")

// Await gives the first entry of a person's chat that matches, waiting for it
// if there is none yet. Entries from before the call count: compare Entry.ID
// to leave them out.
func (p *Platform) Await(ctx context.Context, openid string, match func(Entry) bool) (Entry, error) {
	after := int64(0)
	for {
		p.mu.Lock()
		fresh, changed := p.transcript(openid, after), p.changed
		p.mu.Unlock()
		for _, e := range fresh {
			if match(e) {
				return e, nil
			}
			after = e.ID
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		case <-p.ctx.Done():
			return Entry{}, ErrClosed
		}
	}
}
