package workflow

// Rewards says for which deeds residents earn points that they spend on rewards
// (积分兑奖励), and how many; 0 for none. A community whose document says nothing of
// it gives none. Points are something else: what a verdict is worth to who did the
// work.
type Rewards struct {
	Wish     int `yaml:"wish" json:"wish"`           // to who claimed a wish that was fulfilled
	Help     int `yaml:"help" json:"help"`           // to who did a part of what somebody else has
	Patrol   int `yaml:"patrol" json:"patrol"`       // to a volunteer, for the first patrol of a day
	Report   int `yaml:"report" json:"report"`       // to who reported first what was then put right
	CodeDays int `yaml:"code_days" json:"code_days"` // how long a reward is kept for who ordered it
}

// DefaultRewards gives nothing.
func DefaultRewards() Rewards { return Rewards{CodeDays: 7} }

// On tells whether there is anything to earn.
func (r Rewards) On() bool { return r.Wish+r.Help+r.Patrol+r.Report > 0 }

// Bounds of what a document may say.
const (
	mostEarned   = 1000
	mostCodeDays = 60
)

func (r Rewards) check() error {
	for _, n := range []int{r.Wish, r.Help, r.Patrol, r.Report} {
		if n < 0 || n > mostEarned {
			return wrong("rewards", WrongNumber, n, "want 0 to %d points, have %d", mostEarned, n)
		}
	}
	if r.CodeDays < 1 || r.CodeDays > mostCodeDays {
		return wrong("rewards.code_days", WrongNumber, r.CodeDays, "want 1 to %d days, have %d", mostCodeDays, r.CodeDays)
	}
	return nil
}
