package workflow

import "time"

// plainDanger is how sure a danger must be to count for more than what was to be done
// with the words; said by itself, the mere suspicion is enough.
const plainDanger = 0.8

// PlainDanger tells whether words are news of danger, in whatever they were said: a
// command, an answer, what is added to a ticket.
func (u Understanding) PlainDanger() bool {
	return u.Severity == Emergency && u.Confidence >= plainDanger
}

// GoesOnAbout tells whether news of danger is about a ticket that is an open emergency,
// and not about another building.
func (u Understanding) GoesOnAbout(t *Ticket) bool {
	elsewhere := u.Place.Building != 0 && t.Place.Building != 0 && (u.Place.Building != t.Place.Building || u.Place.Estate != t.Place.Estate)
	return t.Severity == Emergency && t.State.Open() && !elsewhere
}

// goesOnFor is how long news of danger without another place goes on about the
// emergency that the writer reported last.
const goesOnFor = 30 * time.Minute

// UnnamedDanger is a danger that was felt and could not be named.
const UnnamedDanger = "unnamed"

// SameDanger is the one of a resident's own open tickets that a further cry goes on
// about: 「没呼吸了」 after 「我老伴晕倒了」. cmd would file it.
func SameDanger(cmd *Command, own []Ticket, now time.Time) (Ticket, bool) {
	if cmd.Severity != Emergency || len(cmd.Actor.Roles) > 0 {
		return Ticket{}, false
	}
	for _, t := range own {
		if t.Severity != Emergency || t.State == Resolved || now.Sub(t.FiledAt) > goesOnFor {
			continue
		}
		same := cmd.Place.Building == 0 || cmd.Place.Building == t.Place.Building && cmd.Place.Estate == t.Place.Estate
		if same && (cmd.Danger == t.Danger || cmd.Danger == UnnamedDanger || t.Danger == UnnamedDanger || cmd.Place.Building == 0) {
			return t, true
		}
	}
	return Ticket{}, false
}
