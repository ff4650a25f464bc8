// Package topic is the room of what neighbours decide together (微议题): a topic of an
// estate, a courtyard or a building is proposed, talked over and voted on by those who
// live there, and what they decide becomes a ticket.
//
// It is pure: Decide is the table of what may be done with a topic, Voter says as whom
// somebody votes, Count what a vote came to. One household, or one person, has one vote,
// which cannot be taken back. Of a secret vote nobody learns who voted what: who voted
// and what was voted are kept apart (see decision 22).
//
// Read it in this order: scope.go (who lives there), topic.go (the states), vote.go.
//
// What must never come in: SQL, the conversation, words for people.
package topic
