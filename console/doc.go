// Package console is the room of the pages: what residents, workers, the
// committee and administrators see in a browser, on a telephone inside WeChat or
// on a desk. Pages are rendered here from the templates in configs/pages; htmx
// and a small script refresh them, no page needs either.
//
// Read it in this order: access.go (every route, and whose it is: the one table),
// request.go (what happens to a request before and after its handler),
// session.go and login.go (who is it), typed.go (forms that are refused, and what
// was typed into them), work.go (changes, once each), render.go (templates), matter.go (how a
// ticket is shown, and what of it to whom). Then a file for each kind of page.
//
// What must never come in: rules of tickets (package workflow), SQL (storage), the
// conversation (bot), and Chinese sentences in code (configs/pages, wording.yaml).
// A handler neither asks who somebody is nor writes the audit log: the table says
// both, and request.go does it.
package console
