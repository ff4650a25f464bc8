// Package postgres is the room of the record: every accepted message, every
// event of every ticket and every push that is owed is committed here before
// anyone is told "received". It implements desk.Journal, and besides what an
// administrator needs: migrations, communities' documents, people.
//
// What must never come in: rules (a change is stored as it was decided, or
// refused by its version), words for people, WeChat, HTTP and Redis. Texts of
// residents, phones and openids never get into errors or logs.
//
// Read it in this order: migrations (what is kept), open.go, together.go (how
// many callers share a round trip), commit.go (how many changes share one
// transaction), change.go (what one change depends on, and in which order it is
// written), then what is written and read of each thing: ticket.go, people.go,
// push.go, media.go, round.go (also the care list), community.go, day.go, and search.go, which also
// writes what it finds by.
package postgres
