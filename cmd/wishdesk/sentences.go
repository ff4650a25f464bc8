package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/endpoint"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// sentences lets the advisor's language model, where one is set, write what
// matters most in a week that is about to be sent. It is shown figures only; what
// it writes is held to them, or the rules' sentences stand. mask is asked for when
// it is needed.
func sentences(s *settings.Settings, words *wording.Wording, taxonomy *workflow.Taxonomy, mask func() func(*workflow.Community, string, []string) string, log *slog.Logger) desk.Write {
	if s.Advisor.URL == "" {
		return nil
	}
	w := endpoint.NewWriter(endpointOf(s.Advisor), string(configs.Read("sentences.txt")), !s.Advisor.Schema)
	return func(ctx context.Context, shape desk.Shape, d *digest.Digest) []string {
		told := wording.New(words, taxonomy, shape, nil).Told(d)
		var names []string
		for _, p := range shape.Roster {
			names = append(names, p.Name)
		}
		said, err := w.Write(ctx, told)
		if err == nil {
			err = told.Check(said, names, func(s string) bool {
				return strings.Contains(mask()(shape.Community, s, nil), "【") // what is hidden stands in such brackets
			})
		}
		if err != nil {
			log.Warn("the digest has the rules' sentences", "community", d.Community, "week", d.Week, "cause", err)
			return nil
		}
		return said
	}
}
