// Package digest is the room of the committee's week: which figures it has, how
// each is counted, and what in them matters most. It is pure: it is given the
// matters of a week as the record has them and gives numbers and findings.
//
// The field has no official formula for its three rates; ours stand in
// docs/digest.md, on the page itself, and beside Count here. In short: a thing
// belongs to the week in which it happened (not to the one in which its ticket
// was filed), a matter counts once, a merged one not at all, and what was
// reopened is not solved. The same week counted later can therefore give other
// figures: what was sent is kept as it was, and a later digest says what changed.
//
// Read it in this order: week.go, matter.go (what is counted), count.go (how),
// digest.go (the whole), finding.go (what matters most).
//
// What must never come in: SQL, words for people (findings are keys with values),
// names and words of residents.
package digest
