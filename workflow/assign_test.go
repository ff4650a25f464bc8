package workflow

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkAssign chooses among a hundred workers of a grid, of six hundred.
func BenchmarkAssign(b *testing.B) {
	var staff Roster
	for i := range 600 {
		staff = append(staff, Person{ID: PersonID(i + 1), Roles: []Role{{Kind: RoleWorker, Grid: fmt.Sprintf("G%02d", i%6+1), FullTime: true}}})
	}
	c := &Community{location: time.UTC}
	t := &Ticket{Kind: Incident, Severity: Minor, Place: Place{Grid: "G03"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Assign(c, staff, t, func(p PersonID) int { return int(p) % 7 }, time.Unix(0, 0)); !ok {
			b.Fatal("nobody was found")
		}
	}
}
