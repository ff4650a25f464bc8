package workflow

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Guard is a named condition on ticket and command. Code is the refusal where
// it does not hold.
type Guard struct {
	Name string
	Code Code
	Test func(c *Community, t *Ticket, cmd *Command, now time.Time) bool

	parts []Guard // where it is made of several: the first that fails refuses, with its own code
}

// refusal is "" where the guard holds.
func (g Guard) refusal(c *Community, t *Ticket, cmd *Command, now time.Time) Code {
	for _, p := range g.parts {
		if code := p.refusal(c, t, cmd, now); code != "" {
			return code
		}
	}
	if g.Test(c, t, cmd, now) {
		return ""
	}
	return g.Code
}

// codes are the refusals that the guard can make.
func (g Guard) codes() []Code {
	if len(g.parts) == 0 {
		return []Code{g.Code}
	}
	var out []Code
	for _, p := range g.parts {
		for _, code := range p.codes() {
			if !slices.Contains(out, code) {
				out = append(out, code)
			}
		}
	}
	return out
}

// allOf is the guard that holds where all its parts hold.
func allOf(parts ...Guard) Guard {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.Name
	}
	return Guard{
		Name: strings.Join(names, " and "), Code: parts[0].Code, parts: parts,
		Test: func(c *Community, t *Ticket, cmd *Command, now time.Time) bool {
			return !slices.ContainsFunc(parts, func(p Guard) bool { return !p.Test(c, t, cmd, now) })
		},
	}
}

// on is a guard that asks nothing of the community or the time.
func on(name string, code Code, test func(t *Ticket, cmd *Command) bool) Guard {
	return Guard{Name: name, Code: code, Test: func(_ *Community, t *Ticket, cmd *Command, _ time.Time) bool {
		return test(t, cmd)
	}}
}

var (
	always = on("", "", func(*Ticket, *Command) bool { return true })

	hasWords = on("has words", CodeNeedsText, func(_ *Ticket, cmd *Command) bool {
		return strings.TrimSpace(cmd.Text) != ""
	})
	hasWordsOrMedia = on("has words or media", CodeNeedsText, func(t *Ticket, cmd *Command) bool {
		return strings.TrimSpace(cmd.Text) != "" || len(cmd.Media) > 0
	})
	hasRoom = on("room for more", CodeTooMuch, func(t *Ticket, cmd *Command) bool {
		return utf8.RuneCountInString(t.Text)+utf8.RuneCountInString(cmd.Text) <= MostText && len(t.Media)+len(cmd.Media) <= MostMedia
	})
	realGrid = Guard{Name: "no unknown grid", Code: CodeInvalid, Test: func(c *Community, _ *Ticket, cmd *Command, _ time.Time) bool {
		_, ok := c.Grid(cmd.Place.Grid)
		return ok || cmd.Place.Grid == ""
	}}

	mayFile = allOf(hasWords, realGrid, on("for others only by staff", CodeNotAllowed, func(_ *Ticket, cmd *Command) bool {
		a := cmd.Actor
		return cmd.Reporter == 0 || cmd.Reporter == a.Person || a.Kind == ActorSystem || len(a.Roles) > 0
	}))
	// isPlaced: an incident needs a grid, because only a grid has an owner; an
	// emergency must not wait for one; a wish needs none.
	isPlaced = allOf(
		on("what is known", CodeInvalid, func(_ *Ticket, cmd *Command) bool {
			return cmd.tellsWhat()
		}),
		on("where is known unless a wish or an emergency", CodeInvalid, func(_ *Ticket, cmd *Command) bool {
			return cmd.Place.Known() || cmd.Kind == Wish || cmd.Severity == Emergency
		}),
		realGrid,
	)
	// isDoubtful: advice on what the ticket is about is for one of which that is
	// not known, and comes before no question that a person asked.
	isDoubtful = allOf(
		on("what it is about is not known", CodeAlreadyDone, func(t *Ticket, _ *Command) bool { return t.InDoubt() }),
		on("what is known", CodeInvalid, func(_ *Ticket, cmd *Command) bool { return cmd.tellsWhat() }),
	)
	// nowhereElse: what the resident is asked is awaited first, but with an
	// emergency nothing waits.
	nowhereElse = allOf(
		on("no answer is awaited", CodeQuestionOpen, func(t *Ticket, _ *Command) bool {
			return t.State != Received || t.Question == nil || !t.Question.Pauses
		}),
		on("stands nowhere else", CodeAlreadyDone, func(t *Ticket, _ *Command) bool { return t.Stand == WithNobody }),
	)
	mayAsk = allOf(
		on("nothing is asked yet", CodeQuestionOpen, func(t *Ticket, _ *Command) bool { return t.Question == nil }),
		on("about what or where or in words", CodeNeedsText, func(_ *Ticket, cmd *Command) bool {
			return cmd.Topic == TopicWhat || cmd.Topic == TopicPlace ||
				cmd.Topic == TopicWorker && strings.TrimSpace(cmd.Text) != ""
		}),
	)
	isAsked = allOf(
		on("something was asked", CodeNoQuestion, func(t *Ticket, _ *Command) bool { return t.Question != nil }),
		on("has words or media or a place", CodeNeedsText, func(t *Ticket, cmd *Command) bool {
			return strings.TrimSpace(cmd.Text) != "" || len(cmd.Media) > 0 || cmd.Place.Known()
		}),
		realGrid,
	)

	newOwner = on("new owner", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool {
		return cmd.To != 0 && cmd.To != t.Owner && cmd.To != t.Reporter
	})
	mayTransfer = allOf(newOwner,
		on("not in a circle", CodeCircle, func(t *Ticket, cmd *Command) bool { return !slices.Contains(t.Passed, cmd.To) }),
		Guard{Name: "not too often", Code: CodeTooManyTransfer, Test: func(c *Community, t *Ticket, _ *Command, _ time.Time) bool {
			return len(t.Passed) < c.Clocks.MaxTransfers
		}})
	// notTheirs: a colleague of the grid may accept what its owner has not, but
	// nobody what they reported themselves, what somebody was chosen for by hand
	// or from outside the grid, or what was reopened: that has gone one level
	// higher.
	notTheirs = on("the grid's, given by its rules", CodeNotAllowed, func(t *Ticket, cmd *Command) bool {
		who := cmd.Actor.Person
		ours := !t.Outside || t.Level >= LevelCommittee // it rose by the ladder
		return who != t.Owner && who != t.Reporter && t.Reopened == 0 && t.Why != WhyByHand && t.Kind == Incident && ours
	})
	elsewhere = allOf(realGrid, on("in another grid", CodeAlreadyDone, func(t *Ticket, cmd *Command) bool {
		return t.Place.Grid != "" && cmd.Place.Grid != "" && cmd.Place.Grid != t.Place.Grid
	}))
	mayCall = allOf(
		on("somebody else", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool {
			return cmd.To != 0 && cmd.To != t.Owner && cmd.To != t.Reporter
		}),
		on("not called yet", CodeAlreadyDone, func(t *Ticket, cmd *Command) bool { return t.Hand(cmd.To) == nil }),
		on("not too many", CodeInvalid, func(t *Ticket, _ *Command) bool { return len(t.Hands) < maxHands }),
	)
	mayJoin = allOf(
		on("a wish", CodeInvalid, func(t *Ticket, _ *Command) bool { return t.Kind == Wish }),
		on("not in it yet", CodeAlreadyDone, func(t *Ticket, cmd *Command) bool {
			return cmd.Actor.Person != t.Owner && t.Hand(cmd.Actor.Person) == nil
		}),
		on("not too many", CodeInvalid, func(t *Ticket, _ *Command) bool { return len(t.Hands) < maxHands }),
	)
	hasPart = on("has a part", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool { return t.Hand(cmd.To) != nil })
	mayPair = on("a wish, by days", CodeInvalid, func(t *Ticket, cmd *Command) bool {
		return t.Kind == Wish && cmd.Every >= day && cmd.Every <= 31*day && cmd.Every%day == 0
	})
	isPaired = on("in a pair", CodeInvalid, func(t *Ticket, _ *Command) bool { return t.Pair != nil })
	newWord  = on("a wish, and not said before", CodeAlreadyDone, func(t *Ticket, cmd *Command) bool {
		return t.Kind == Wish && t.Named != cmd.Yes
	})
	mayWishToo = allOf(
		on("a wish", CodeInvalid, func(t *Ticket, cmd *Command) bool { return t.Kind == Wish && cmd.Actor.Kind == ActorPerson }),
		on("not theirs already", CodeAlreadyDone, func(t *Ticket, cmd *Command) bool {
			return !t.Involved(cmd.Actor.Person) && !slices.Contains(t.Supporters, cmd.Actor.Person)
		}),
	)
	// byTelephone: who has no WeChat is asked on the telephone, and not by who
	// did the work.
	byTelephone = on("by telephone, not by who did it", CodeNotAllowed, func(t *Ticket, cmd *Command) bool {
		return cmd.Phoned && cmd.Actor.Person != t.Owner && !slices.ContainsFunc(t.Hands, func(h Hand) bool {
			return h.Person == cmd.Actor.Person
		})
	})
	notThanked = on("not thanked too often", CodeAlreadyDone, func(t *Ticket, _ *Command) bool {
		n := 0
		for _, p := range t.Points {
			if p.For == EvThanked && p.Person == t.Owner {
				n++
			}
		}
		return t.Owner != 0 && n <= len(t.Followers)
	})
	nobodyRates = on("nobody to rate it", CodeInvalid, func(t *Ticket, _ *Command) bool {
		return t.Reporter == 0 && len(t.Followers) == 0
	})
	isWish = on("a wish on its way to the wall", CodeInvalid, func(t *Ticket, _ *Command) bool {
		return t.wallable() && t.Stand == WithNobody
	})
	onWall = on("on the wall", CodeAlreadyDone, func(t *Ticket, _ *Command) bool { return t.Stand == OnWall })

	ratedWell = on("satisfied or fair", CodeInvalid, func(_ *Ticket, cmd *Command) bool {
		return cmd.Rating == Satisfied || cmd.Rating == Fair
	})
	ratedBadly = on("unsatisfied", CodeInvalid, func(_ *Ticket, cmd *Command) bool {
		return cmd.Rating == Unsatisfied
	})
	lately = Guard{Name: "closed by time lately", Code: CodeTooLate, Test: func(c *Community, t *Ticket, _ *Command, now time.Time) bool {
		return t.ByTime && t.Rating == "" && now.Before(t.EndedAt.Add(c.Clocks.LateRating))
	}}
	mayReopen = Guard{Name: "within the window", Code: CodeTooLate, Test: func(c *Community, t *Ticket, _ *Command, now time.Time) bool {
		return t.State == Resolved || now.Before(t.EndedAt.Add(c.Clocks.Reopen))
	}}

	inTrayWithWords = allOf(on("in the tray", CodeNotAllowed, func(t *Ticket, _ *Command) bool { return t.Stand == InTray }), hasWords)
	intoAnother     = on("with another, once", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool {
		return cmd.Into > 0 && cmd.Into != t.Number && !slices.Contains(t.Absorbed, cmd.Into)
	})
	// mayMerge: a wish has other hands and other promises than an incident, so neither
	// ends in the other; what nobody has classified yet may be either.
	mayMerge = allOf(intoAnother, on("of the same kind", CodeOtherKind, func(t *Ticket, cmd *Command) bool {
		return cmd.Kind == "" || t.Category == "" || t.Kind == cmd.Kind
	}))
	wasPlaced = on("was classified", CodeInvalid, func(t *Ticket, _ *Command) bool {
		return !t.ClassifiedAt.IsZero() && t.Category != "" && (t.Place.Known() || t.Kind == Wish || t.Severity == Emergency)
	})
	wasAbsorbed = on("came in by a merge", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool {
		return slices.Contains(t.Absorbed, cmd.Into) || slices.ContainsFunc(cmd.Follow, func(p PersonID) bool { return slices.Contains(t.Followers, p) })
	})
	isTheirs = on("was theirs", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool {
		return cmd.Reporter != 0 && len(cmd.Follow) == 1 && cmd.Follow[0] != cmd.Reporter && t.Involved(cmd.Follow[0])
	})
	// mayLeave: what one wrote is not another's to read, so the ticket is left
	// with what it says from now on.
	mayLeave = allOf(
		on("to somebody who waits for it too", CodeNeedsTarget, func(t *Ticket, cmd *Command) bool {
			return cmd.Reporter != 0 && cmd.Reporter != t.Reporter &&
				(slices.Contains(t.Followers, cmd.Reporter) || slices.Contains(t.Supporters, cmd.Reporter))
		}),
		realGrid,
	)
	notJustUrged = Guard{Name: "not urged just now", Code: CodeTooSoon, Test: func(c *Community, t *Ticket, _ *Command, now time.Time) bool {
		return t.UrgedAt.IsZero() || !now.Before(t.UrgedAt.Add(c.Clocks.UrgePause))
	}}
	canRise = on("can rise", CodeAlreadyDone, func(t *Ticket, _ *Command) bool { return t.Level < LevelSubdistrict })
)

const day = 24 * time.Hour

// maxHands bounds how many are called to one ticket, so that a ticket stays
// small.
const maxHands = 50

// isDue holds where the command's clock is one of these, runs, and its time
// has come. A stopped clock never fires.
func isDue(clocks ...Clock) Guard {
	names := make([]string, len(clocks))
	for i, c := range clocks {
		names[i] = string(c)
	}
	return Guard{Name: strings.Join(names, " or ") + " is due", Code: CodeNotDue, Test: func(_ *Community, t *Ticket, cmd *Command, now time.Time) bool {
		if !slices.Contains(clocks, cmd.Clock) {
			return false
		}
		at, running := t.running(cmd.Clock)
		return running && !now.Before(at)
	}}
}
