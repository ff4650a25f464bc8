package workflow

import (
	"errors"
	"fmt"
)

// Code names a refusal. The wording room has one text for each code, which a
// resident or worker may read; the code itself is stable and goes to logs.
type Code string

// The refusals of the machine and of the rooms around it.
const (
	CodeNotFound        Code = "not_found"         // no such ticket, or not one this person may see
	CodeNotAllowed      Code = "not_allowed"       // the person may not give this command
	CodeWrongState      Code = "wrong_state"       // the table has no row for this state and command
	CodeAlreadyDone     Code = "already_done"      // the command was given before and changed the ticket already
	CodeTooSoon         Code = "too_soon"          // urged again before the pause was over
	CodeTooLate         Code = "too_late"          // the window for reopening or rating is over
	CodeNeedsText       Code = "needs_text"        // a reason, question or result in words is missing
	CodeTooMuch         Code = "too_much"          // nothing more fits into the ticket
	CodeNeedsTarget     Code = "needs_target"      // the person or ticket that the command is aimed at is missing or unfit
	CodeNoQuestion      Code = "no_question"       // an answer where nothing was asked
	CodeQuestionOpen    Code = "question_open"     // a second question while the first is unanswered
	CodeTooManyTransfer Code = "too_many_transfer" // handed on too often: return it instead
	CodeTaken           Code = "taken"             // a colleague was first
	CodeClaimed         Code = "claimed"           // somebody else claimed the wish first
	CodeCircle          Code = "circle"            // handed back to somebody who had handed it on
	CodeOtherKind       Code = "other_kind"        // a wish is not ended in an incident, nor the other way
	CodeNotDue          Code = "not_due"           // a clock that is stopped, gone or not yet due
	CodeInvalid         Code = "invalid"           // the input cannot be read
	CodeBusy            Code = "busy"              // the stores do not answer; nothing was changed
)

// Error is a typed refusal: Code decides the words a person reads, Cause is
// for the log alone and may be nil. Number is the ticket it is about, 0 if
// none. (The shape follows wtf's error.go.)
type Error struct {
	Code   Code
	Number int64
	Cause  error
}

// Error is the text for logs; it carries no personal data.
func (e *Error) Error() string {
	s := "workflow: " + string(e.Code)
	if e.Number != 0 {
		s += fmt.Sprintf(" (ticket %d)", e.Number)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf is the code of err's first *Error, "" for nil, CodeBusy for any
// other error: what is not a refusal by the rules is a fault of ours.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeBusy
}

func refuse(code Code, number int64) error { return &Error{Code: code, Number: number} }
