// Package endpoint is the room of what is asked outside: a language model for
// a second opinion on what a message is about, and for sentences about a week's
// figures, and a transcriber for recordings, at any endpoint that speaks OpenAI's
// API. All are off unless their settings are given; the desk does its whole work
// without them.
//
// What is asked is data, and what is answered is not trusted: an Advisor gives
// nothing that the taxonomy does not have, however the text is worded; what a Writer
// gives is for the asker to check. Every
// call has a time limit, a limit of size, and a circuit breaker, so that an
// endpoint that is slow or away costs nothing after its first failures. The
// daily budget is the asker's, because replicas share it.
//
// What must never come in: anything of WeChat, tickets or stores; a text that
// was not masked (see understand.Mask); words of an answer in a log.
package endpoint
