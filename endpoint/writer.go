package endpoint

import (
	"context"
	"encoding/json"
	"strings"
)

// Writer asks a language model to put data into sentences. What they say is the
// asker's to check. It is safe for concurrent use.
type Writer struct{ model }

// NewWriter gives a writer. instruction is what the model is told to do; the form
// of its answer follows. For object see NewAdvisor.
func NewWriter(o Options, instruction string, object bool) *Writer {
	return &Writer{newModel(o, instruction, "sentences", map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"sentences"},
		"properties": map[string]any{"sentences": map[string]any{"type": "array", "items": map[string]any{"type": "string"}}},
	}, object)}
}

// Resting tells that the endpoint failed too often and is not asked for a while.
func (w *Writer) Resting() bool { return w.c.resting() }

// Write gives the sentences of data, which goes as JSON. Errors are *Error.
func (w *Writer) Write(ctx context.Context, data any) (sentences []string, err error) {
	err = w.ask(ctx, data, func(content string) error {
		var answer struct {
			Sentences []string `json:"sentences"`
		}
		if err := json.Unmarshal([]byte(content), &answer); err != nil || len(answer.Sentences) == 0 {
			return &Error{Reason: Unusable}
		}
		sentences = nil
		for _, s := range answer.Sentences {
			sentences = append(sentences, strings.TrimSpace(s))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sentences, nil
}
