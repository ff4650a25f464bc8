package main

import (
	"context"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// audited does something to a community, or shows people of it, with a line in the audit
// log that names the operator as the machine knows them. Without the line nothing is
// done. What do says besides goes with what came of it.
func (p *program) audited(ctx context.Context, store *postgres.Store, community, action, object string, do func() (string, error)) error {
	e := access.Entry{At: time.Now(), Action: action, Object: "operator " + author(p.environ), Outcome: access.Begun}
	if object != "" {
		e.Object += ", " + object
	}
	id, err := store.AuditDeed(ctx, community, e)
	if err != nil {
		return err
	}
	says, done := do()
	outcome := access.Done
	if done != nil {
		outcome, says = access.Refused, string(workflow.CodeOf(done))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := store.AuditOutcome(ctx, community, id, time.Now(), outcome, says); err != nil {
		_, _ = fmt.Fprintf(p.err, "the audit log does not say what came of it: %v\n", err)
	}
	return done
}

// ofPerson is somebody as the audit log names them.
func ofPerson(id workflow.PersonID) string { return fmt.Sprintf("person %d", id) }
