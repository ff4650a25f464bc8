package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Transcriber turns a recording into its words, "" where there are none.
// Resting tells that it failed too often and is not asked for a while.
type Transcriber interface {
	Resting() bool
	Transcribe(ctx context.Context, data []byte, mime string) (string, error)
}

// heardDelivery begins the delivery of a recording's words: they are a message
// of their own, whose reply is owed.
const heardDelivery = "heard:"

// hearLimit is how long a recording may wait for its words; then its speaker
// is asked to type.
const hearLimit = 2 * time.Minute

// hearEnds is how long words that were made out may fail to be handled.
const hearEnds = 30 * time.Minute

// unheard answers a recording without words, or of which none were made out.
// Where somebody can make them out
// the speaker is told to wait, and the recording waits for them; else they are
// asked to type.
func (s *session) unheard(ctx context.Context) (string, error) {
	if s.b.o.Transcriber == nil || s.heard() || len(s.w.Change.Media) == 0 {
		return s.photo(ctx, "voice_unclear")
	}
	s.w.Change.Media[0].Spoken = true
	return s.say("voice_listening", nil), nil // it comes with its words
}

// hearTask makes out the words of a recording and handles them as if they had
// been written. It may run more than once: the first end counts.
func (b *Bot) hearTask(ctx context.Context, community string, t desk.Task) error {
	file, err := b.desk.Journal().Media(ctx, community, t.Key)
	if err != nil || file.Status != desk.MediaUnheard {
		return err
	}
	if _, done, err := b.desk.Journal().Delivered(ctx, community, heardDelivery+file.ID); err != nil {
		return err
	} else if done {
		return b.desk.Journal().Heard(ctx, community, file.ID)
	}
	age := b.desk.Now().Sub(file.CreatedAt)
	var text string
	if age < hearEnds { // else its words have failed again and again: without them it is handled
		text, err = b.wordsOf(ctx, file)
	}
	switch {
	case err != nil && age < hearLimit:
		outsideCalls.WithLabelValues(community, "hear", "failed").Inc()
		return err // again in a moment
	case err != nil:
		b.log.Warn("a recording stays without words", "community", community, "cause", err)
	case text != "":
		outsideCalls.WithLabelValues(community, "hear", "helped").Inc()
	}
	return b.listened(ctx, file, text)
}

// listened handles what was made out of a recording, "" for nothing, as a
// message of its speaker's whose reply is owed as a push. Nothing more is made
// out of it then.
func (b *Bot) listened(ctx context.Context, file desk.MediaFile, text string) error {
	speaker, err := b.desk.Journal().Person(ctx, file.Community, file.Person)
	if err != nil {
		return err
	}
	in := wechat.Inbound{
		Community: file.Community, OpenID: speaker.OpenID, CreatedAt: file.CreatedAt, Type: "voice", Recognition: text,
		Delivery: heardDelivery + file.ID,
	}
	if _, err := b.turnSafely(ctx, in, true); err != nil {
		return err
	}
	return b.desk.Journal().Heard(ctx, file.Community, file.ID)
}

// wordsOf are the words of a recording; "" where it has none, or none may be
// asked for any more today.
func (b *Bot) wordsOf(ctx context.Context, file desk.MediaFile) (string, error) {
	shape, ok := b.desk.Shape(file.Community)
	if !ok || b.o.Transcriber == nil {
		return "", nil
	}
	if b.o.Transcriber.Resting() {
		return "", errors.New("bot: the transcriber rests")
	}
	if !b.affords(ctx, shape, "hear", b.o.HearPerDay) {
		return "", nil
	}
	data, err := b.o.Media.Get(ctx, file.Community, file.ID)
	if err != nil {
		return "", fmt.Errorf("bot: recording: %w", err)
	}
	text, err := b.o.Transcriber.Transcribe(ctx, data, file.MIME)
	return strings.TrimSpace(text), err
}

// heard tells whether the message is what was made out of a recording.
func (s *session) heard() bool { return strings.HasPrefix(s.in.Delivery, heardDelivery) }

// recording is what a message was made out of.
func (s *session) recording() []workflow.Media {
	return []workflow.Media{{ID: strings.TrimPrefix(s.in.Delivery, heardDelivery), Type: "voice", By: s.me.ID}}
}
