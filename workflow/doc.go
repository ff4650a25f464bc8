// Package workflow is the room of the rules: what a ticket is, which commands
// move it, who may give them, which clocks run and who is told. Everything in
// it is a pure function of its arguments: the time comes in as a value, people
// and the community's shape come in as values, and what must happen in the
// world comes out as values (events, deadlines, notices).
//
// What must never come in: WeChat, SQL, HTTP, Redis, goroutines, the wall
// clock, words for people (those live in configs), or anything that can fail
// for a reason other than the rules.
//
// Read it in this order: ticket.go (what is stored), command.go and event.go
// (what comes in and goes out), table.go and guard.go (the machine), decide.go
// (how a row becomes events), apply.go (how events become a ticket),
// deadline.go and calendar.go (the clocks), notice.go (who is told). draw.go
// makes docs/machine.md of it.
package workflow
