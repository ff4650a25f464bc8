package digest

// Section is what a part of the community's work beside the tickets has to say of a
// week: the property company's sheet, what was voted on, points, lessons. One without
// lines has nothing to say and is left out.
type Section struct {
	Name  string `json:"name"` // of the wording: digest.section.<name>.title
	Lines []Line `json:"lines"`
}

// Line is one thing that a section says, in the words of digest.section.<name>.<say>.
// Its values are figures and names of rooms, rewards and units; never a resident's.
type Line struct {
	Say    string            `json:"say"`
	Values map[string]string `json:"values,omitempty"`
}

// speaking are the sections that have something to say.
func speaking(all []Section) (out []Section) {
	for _, s := range all {
		if len(s.Lines) > 0 {
			out = append(out, s)
		}
	}
	return out
}
