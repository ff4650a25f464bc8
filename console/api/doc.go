// Package api is the room of our own JSON API, /api/v1/: what other software of a
// community asks of its desk and files with it. configs/openapi.yaml describes it,
// is served by it, and is held against it by tests, in both directions.
//
// Read it in this order: api.go (every route, and which scope of a key it takes: the
// one table), request.go (what happens to a request before and after its handler),
// refusal.go (how it is told what was wrong), then a file for each kind of thing:
// community.go, ticket.go with story.go and list.go, filing.go, week.go.
//
// What leads to a person (names, telephones, the door, what somebody wrote) goes out
// with the scope "personal" alone, of one ticket or week at a time, after the look
// stands in the audit log. It is not in the shapes of the others, so that no handler
// can send it by mistake. OpenIDs never go out.
//
// What must never come in: rules of tickets (package workflow), SQL (storage), pages
// and sessions (package console), and Chinese sentences in code (wording.yaml below
// api).
package api
