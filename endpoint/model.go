package endpoint

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
)

// model is a language model with one task: it is told what to do, is given data,
// and answers in JSON of one form.
type model struct {
	c      *caller
	chat   openai.ChatCompletionService
	prompt string
	form   string // the schema's name
	schema map[string]any
	object bool // only JSON can be asked for, the endpoint knows no schemas
}

func newModel(o Options, instruction, form string, schema map[string]any, object bool) model {
	m := model{c: newCaller(o), form: form, schema: schema, object: object}
	m.chat = openai.NewChatCompletionService(m.c.options...)
	written, _ := json.Marshal(schema) // strings only: it cannot fail
	m.prompt = strings.TrimSpace(instruction) + "\n\n" + string(written)
	return m
}

// ask gives the data to the model and its answer to read, whose errors should be
// *Error.
func (m model) ask(ctx context.Context, data any, read func(content string) error) error {
	// As JSON the data has no end that words in it could fake.
	user, err := json.Marshal(data)
	if err != nil {
		return &Error{Reason: Unusable}
	}
	format := openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: m.form, Strict: openai.Bool(true), Schema: m.schema},
	}}
	if m.object {
		format = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONObject: &shared.ResponseFormatJSONObjectParam{}}
	}
	_, err = m.c.ask(ctx, func(ctx context.Context) (string, error) {
		got, err := m.chat.New(ctx, openai.ChatCompletionNewParams{
			Model: m.c.o.Model, Temperature: openai.Float(0), ResponseFormat: format,
			Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(m.prompt), openai.UserMessage(string(user))},
		})
		if err != nil {
			return "", err
		}
		if len(got.Choices) == 0 {
			return "", &Error{Reason: Unusable}
		}
		return "", read(got.Choices[0].Message.Content)
	})
	return err
}
