package workflow

// Points say how many points a verdict earns or costs who handled the matter.
type Points struct {
	Satisfied   int `yaml:"satisfied" json:"satisfied"`
	Fair        int `yaml:"fair" json:"fair"`
	Unsatisfied int `yaml:"unsatisfied" json:"unsatisfied"`
	Thanks      int `yaml:"thanks" json:"thanks"` // a thank-you in words
}

// DefaultPoints are those of a community whose document has none.
func DefaultPoints() Points { return Points{Satisfied: 2, Fair: 1, Unsatisfied: -2, Thanks: 3} }

// Point is what one verdict or thank-you earned or cost somebody.
type Point struct {
	Person PersonID  `json:"person"`
	N      int       `json:"n"`
	For    EventType `json:"for"`
}

// earned are the points that an event gives those who did the work: the owner,
// and those called to it who finished their part. A loss is the owner's alone.
func earned(c *Community, t *Ticket, ev *Event) []Point {
	n := 0
	switch {
	case ev.Type == EvThanked:
		n = c.Points.Thanks
	case ev.Rating == Satisfied:
		n = c.Points.Satisfied
	case ev.Rating == Fair:
		n = c.Points.Fair
	case ev.Rating == Unsatisfied:
		n = c.Points.Unsatisfied
	}
	if n == 0 || t.Owner == 0 {
		return nil
	}
	out := []Point{{t.Owner, n, ev.Type}}
	for _, h := range t.Hands {
		if n > 0 && h.State == HandDone && h.Person != t.Owner && !h.At.Before(t.Since) { // not those of a round that failed
			out = append(out, Point{h.Person, n, ev.Type})
		}
	}
	return out
}
