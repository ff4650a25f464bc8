package console

import (
	"context"
	"net/url"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// Links makes one-time links with which somebody logs in from the chat.
type Links struct {
	Record    LoginKeeper
	PublicURL string // "" = no links can be made
	Clock     clockwork.Clock
}

// LoginLink is a link that logs a person in once, within LinkLife, and leads them
// to a path of the community's pages ("" for the first); "" where no public
// address is set.
func (l Links) LoginLink(ctx context.Context, community string, person workflow.PersonID, next string) (string, error) {
	if l.PublicURL == "" {
		return "", nil
	}
	token, now := newToken(), l.Clock.Now()
	err := l.Record.NewLogin(ctx, community, access.Login{
		Hash: access.Hash(token), Kind: access.ByLink, Person: person, Next: next, ExpiresAt: now.Add(LinkLife),
	}, now)
	return l.PublicURL + "/c/" + url.PathEscape(community) + "/login/link/" + token, err
}

// Life is how long a link works.
func (Links) Life() time.Duration { return LinkLife }
