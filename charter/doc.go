// Package charter is the room of a community's document as those see it who
// change it: proposing a change and seeing what it does, checking it, applying it,
// and changing one part of it with all else left as it was written. The command
// line and the pages both come through here, so that no document is applied
// unchecked.
//
// Read it in this order: propose.go, amend.go.
//
// What must never come in: what the parts of a document mean (package workflow),
// what its texts may hold (package wording), SQL and HTTP.
package charter
