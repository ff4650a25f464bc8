// Package lesson is the micro party class (微党课), pure: short lessons by theme and
// speaker, a branch's plan of the month, who is due for which of them at which hour,
// what somebody did with one (was given it, read it, heard it, asked, signed in at the
// gallery class), and who of a branch was reached and who should be visited.
//
// A lesson to the door is no part of it: that is a wish (workflow.LessonVisit).
//
// What must never come in: I/O, the clock, SQL, words for people.
//
// Read it in this order: lesson.go, plan.go, reach.go.
package lesson
