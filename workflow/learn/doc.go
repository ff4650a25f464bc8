// Package learn is the room of what a community teaches the desk: models trained
// from what its workers corrected, kept in the record, put in use and taken out of
// it, and the understanding of each community by its own.
//
// Read it in this order: model.go (what is kept), train.go (how a model comes
// about, and when it is refused), own.go (whose model understands a message).
//
// What must never come in: how a model works (package understand/ngram), SQL,
// words for people. Texts of residents pass through and are never kept or logged.
package learn
