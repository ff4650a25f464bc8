package digest

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
)

// Finding is something in the figures that matters: a key of the wording below
// digest.finding, with the values that its text is filled with. Numbers are those
// of the digest.
type Finding struct {
	Key    string         `json:"key"`
	Weight float64        `json:"weight"` // the heavier goes first
	Values map[string]any `json:"values"`
}

// most is how many findings a digest tells.
const most = 3

// findings are what matters most, by rules: what is amiss first, the heaviest
// first, one of each topic; a quiet week says so.
func findings(d *Digest, rules workflow.Weekly) []Finding {
	if d.Now.Incidents+d.Now.Wishes+d.Now.Resolution.Of == 0 {
		return []Finding{{Key: "nothing", Weight: 1, Values: map[string]any{"messages": d.Now.Messages}}}
	}
	topics := map[string]Finding{}
	add := func(topic, key string, weight float64, values map[string]any) {
		if f, ok := topics[topic]; !ok || f.Weight < weight {
			topics[topic] = Finding{Key: key, Weight: weight, Values: values}
		}
	}
	d.ofRates(rules, add)
	d.ofOpen(add)
	d.ofSpots(rules, add)
	d.ofVolume(rules, add)
	out := slices.SortedFunc(maps.Values(topics), func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Key, b.Key))
	})
	return out[:min(len(out), most)]
}

type adder func(topic, key string, weight float64, values map[string]any)

func (d *Digest) ofRates(rules workflow.Weekly, add adder) {
	well := true
	before := d.Before.Named()
	for i, r := range d.Now.Named() {
		if r.Rate.Of < rules.Least {
			continue
		}
		is, was := r.Rate.Percent(), before[i].Rate.Percent()
		values := map[string]any{"rate": r.Name, "is": is, "of": r.Rate.Of, "good": r.Rate.Good, "floor": rules.Floor}
		if is < float64(rules.Floor) {
			well = false
			add(r.Name, "below", 50+float64(rules.Floor)-is, values)
		}
		if change := math.Round(10*(is-was)) / 10; before[i].Rate.Of >= rules.Least && math.Abs(change) >= 5 {
			values["was"], values["points"] = was, math.Abs(change)
			key := "rose"
			if change < 0 {
				key = "fell"
			}
			add(r.Name, key, 30+math.Abs(change)/2, values)
		}
	}
	if n := len(d.Below); n > 0 {
		b := d.Below[0]
		add("units", "unit_below", 28+math.Min(float64(n), 10), map[string]any{
			"by": string(b.By), "code": b.Code, "rate": b.Rate, "is": b.Is.Percent(), "floor": rules.Floor, "count": n,
		})
	}
	if well && len(d.Late) == 0 && d.Now.Resolution.Of >= rules.Least {
		add("well", "well", 27, map[string]any{"resolved": d.Now.Resolved, "resolution": d.Now.Resolution.Percent(), "satisfaction": d.Now.Satisfaction.Percent()})
	}
}

func (d *Digest) ofOpen(add adder) {
	if n := len(d.Late); n > 0 {
		of := map[string]int{}
		for _, item := range d.Late {
			of[item.Owner]++
		}
		delete(of, "")
		names := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
		oldest := d.Late[0]
		// Who has most of them is named, where that is more than one and more than
		// anybody else has; else whose the oldest is.
		owner, has := oldest.Owner, 0
		if len(names) > 0 && of[names[0]] > 1 && (len(names) == 1 || of[names[0]] > of[names[1]]) {
			owner, has = names[0], of[names[0]]
		}
		add("late", "late", 40+math.Min(float64(n), 30), map[string]any{
			"count": n, "ended": !d.Runs(), "oldest": oldest.Number, "days": int(oldest.Late / 86400), "hours": int(oldest.Late / 3600), "owner": owner, "has": has,
		})
	}
	if d.Unclaimed > 0 {
		add("wishes", "unclaimed", 12+math.Min(float64(d.Unclaimed), 20)/2, map[string]any{"count": d.Unclaimed})
	}
	if d.Now.Fulfilled > 0 {
		add("wishes", "fulfilled", 10+math.Min(float64(d.Now.Fulfilled), 10), map[string]any{"count": d.Now.Fulfilled, "before": d.Before.Fulfilled})
	}
}

func (d *Digest) ofSpots(rules workflow.Weekly, add adder) {
	if len(d.HotSpots) > 0 {
		h := d.HotSpots[0]
		add("spot", "hot_spot", 34+math.Min(float64(h.Times), 20), map[string]any{
			"place": h.Place(), "category": string(h.Category),
			"times": h.Times, "days": h.Days, "count": len(d.HotSpots),
		})
	}
	taken := d.Now.Incidents
	if share := 100 * float64(d.Now.Repeats) / math.Max(float64(taken), 1); d.Now.Repeats >= rules.Least && share >= 20 {
		add("repeat", "repeat", 20+share/4, map[string]any{"count": d.Now.Repeats, "taken": taken})
	}
}

func (d *Digest) ofVolume(rules workflow.Weekly, add adder) {
	is, was := d.Now.Incidents+d.Now.Wishes, d.Before.Incidents+d.Before.Wishes
	values := map[string]any{"taken": is, "incidents": d.Now.Incidents, "wishes": d.Now.Wishes, "resolved": d.Now.Resolved, "before": was}
	add("volume", "taken", 1, values)
	if change := is - was; was >= 2*rules.Least && 10*abs(change) >= 3*was {
		values["percent"] = (100*abs(change) + was/2) / was
		key := "more"
		if change < 0 {
			key = "fewer"
		}
		add("volume", key, 22+math.Min(float64(abs(change)), 40)/4, values)
	}
	if d.Now.Inside.Of >= rules.Least {
		add("inside", "inside", 4, map[string]any{"percent": d.Now.Inside.Percent(), "solved": d.Now.Inside.Of, "inside": d.Now.Inside.Good})
	}
	if is, ago := d.Now.Hotline, d.YearAgo.Hotline; is >= 0 && ago > 0 {
		key := "hotline_more"
		if is <= ago {
			key = "hotline_fewer"
		}
		add("hotline", key, 15+math.Min(math.Abs(float64(is-ago)), 20)/2, map[string]any{"count": is, "ago": ago, "change": abs(is - ago)})
	}
}

func abs(n int) int { return max(n, -n) }
