package workflow

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkStepDecide is what the machine does with a new trouble: filed, understood,
// and given to the worker whom the rules find among 600, for make bench.
func BenchmarkStepDecide(b *testing.B) {
	c := community(b, smallCommunity)
	roster := append(Roster{}, smallRoster...)
	for i := range 600 {
		roster = append(roster, Person{ID: PersonID(1000 + i), Roles: []Role{{Kind: RoleWorker, Grid: fmt.Sprintf("G%d", i%6+1), FullTime: true}}, Following: true})
	}
	now := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	place := Place{Estate: "东园", Building: 3, Unit: 2, Grid: "G1"}
	b.ReportAllocs()
	for b.Loop() {
		d := newDesk(c, now)
		d.r = roster
		err := d.do(Command{Name: CmdFile, Actor: actor(li), Text: "楼道灯不亮了", Place: place, Kind: Incident, Category: "facilities", Severity: Minor}, "")
		if err != nil || d.ticket.Owner == 0 {
			b.Fatal(err, d.ticket)
		}
	}
}
