package endpoint

import (
	"bytes"
	"context"
	"strings"
	"unicode/utf8"

	"github.com/openai/openai-go/v3"
)

// Transcriber turns recordings into text. It is safe for concurrent use.
type Transcriber struct {
	c     *caller
	audio openai.AudioTranscriptionService
}

// NewTranscriber gives a transcriber.
func NewTranscriber(o Options) *Transcriber {
	t := &Transcriber{c: newCaller(o)}
	t.audio = openai.NewAudioTranscriptionService(t.c.options...)
	return t
}

// Resting tells that the endpoint failed too often and is not asked for a while.
func (t *Transcriber) Resting() bool { return t.c.resting() }

// longestTranscript is far more than a minute of speech has, in characters:
// WeChat's recordings are no longer.
const longestTranscript = 2000

// Transcribe gives the words of a recording in Chinese, "" where there are
// none. WeChat's recordings are AMR (mime "audio/amr"), which the endpoint must
// read. Errors are *Error.
func (t *Transcriber) Transcribe(ctx context.Context, data []byte, mime string) (string, error) {
	name := "voice." + strings.TrimPrefix(mime, "audio/")
	if mime == "audio/mpeg" {
		name = "voice.mp3"
	}
	return t.c.ask(ctx, func(ctx context.Context) (string, error) {
		got, err := t.audio.New(ctx, openai.AudioTranscriptionNewParams{
			File: openai.File(bytes.NewReader(data), name, mime), Model: t.c.o.Model, Language: openai.String("zh"),
		})
		if err != nil {
			return "", err
		}
		text := strings.TrimSpace(strings.ToValidUTF8(got.Text, ""))
		if utf8.RuneCountInString(text) > longestTranscript {
			return "", &Error{Reason: Unusable}
		}
		return text, nil
	})
}
