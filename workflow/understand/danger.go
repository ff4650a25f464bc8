package understand

// danger finds the emergency in a text, the first of the lexicon's order where
// there are several. It errs on the side of an emergency: words of danger
// count unless they are plainly feared, denied, long past or only talked about.
func (r *Rules) danger(t *text, found []match) (danger, bool) {
	best := len(r.dangers)
	for _, m := range found {
		d := r.book.cues[m.cue].group - groupRest
		if d >= 0 && d < best && !r.harmless(t, found, m) {
			best = d
		}
	}
	if best == len(r.dangers) {
		return danger{}, false
	}
	return r.dangers[best], true
}

// supposedReach is how far before words of danger 「怕」 may stand.
const supposedReach = 6

// harmless tells whether something takes the danger out of a match.
func (r *Rules) harmless(t *text, found []match, d match) bool {
	var supposed, talked, now, help bool
	for _, m := range found {
		sentence, clause := t.sentence[m.from] == t.sentence[d.from], t.clause[m.from] == t.clause[d.from]
		before := m.to <= d.last // 「电梯里要是困住人」 is supposed as well
		switch r.book.cues[m.cue].group {
		case groupDenied:
			if m.to == d.from || m.to == d.last {
				return true
			}
		case groupSupposed:
			supposed = supposed || clause && before && d.last-m.to <= supposedReach
		case groupPast:
			talked = talked || clause && before
		case groupTalk:
			talked = talked || sentence
		case groupRisk:
			talked = talked || clause
		case groupNow:
			now = true
		case groupHelp:
			help = true
		}
	}
	return (supposed || talked && !now) && !help
}
