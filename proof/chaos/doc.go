// Chaos plays hundreds of residents and workers through the encrypted webhook
// against real server processes, while a script of faults runs, and then judges from
// what they saw against what the stores hold.
//
//	make chaos            all faults, about ten minutes
//	make chaos SHORT=1    each fault for a moment, as in make check
//
// Its last line is
//
//	acknowledged=N lost=0 duplicated=0 stuck=0 pushes_owed=N pushes_missing=0 pushes_twice=N
//
// and it ends with an error where one of the four that should be 0 is not, or a
// promise of a phase was not kept.
//
// Before the faults it writes ten times more than can be taken (overload.go), goes
// back to a moment by the backups (restore.go), and migrates the record of an older
// release, broken off in the middle of every migration (migration.go).
//
// Reading order: main.go, script.go (the faults), crowd.go (who writes),
// history.go (what they saw), judge.go (what follows from it). Whether the judge
// finds anything at all is shown first, by breaking the product on purpose
// (broken.go), and tested on a small history with one thing wrong at a time
// (judge_test.go).
//
// What must never come in: the product's own idea of what should have happened. The
// judge derives what is owed from events and replies, not from the outbox.
package main
