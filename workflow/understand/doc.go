// Package understand makes first sense of what a resident wrote: what kind of
// matter, about what, how grave, and where. It goes by rules, and the words
// that decide stand in configs/understand.yaml, not here.
//
// Three parts are kept apart so that a trained model can take over one of them
// while the others stay: where it is (place.go, house.go, number.go), whether somebody is
// in danger (danger.go), and kind and category (rules.go).
//
// Nothing in this room may know tickets, people, WeChat, SQL or HTTP, keep or
// log a text, or look at the clock: the same words always give the same answer.
package understand
