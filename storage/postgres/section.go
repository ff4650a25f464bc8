package postgres

import (
	"context"
	"time"

	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Sections are what the parts of a community's work beside its tickets have to say of
// a time, in the order in which the digest has them.
func (s *Store) Sections(ctx context.Context, community string, from, until time.Time) ([]digest.Section, error) {
	var out []digest.Section
	for _, part := range []func(context.Context, string, time.Time, time.Time) (digest.Section, error){
		s.topicSection,
		s.lessonSection,
		s.ledgerSection,
		s.propertySection,
	} {
		section, err := part(ctx, community, from, until)
		if err != nil {
			return nil, err
		}
		out = append(out, section)
	}
	return out, nil
}
