package bot_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
)

// What a matter weighs in the stores bounds what a city needs (docs/scale.md). Each
// here is somebody else's, filed, accepted, resolved and rated.
const (
	weighed    = 160
	mostRecord = 30 << 10 // bytes of PostgreSQL with all indexes, of one closed matter and who brought it
	mostOpen   = 6 << 10  // bytes of Redis, of one open matter, its talk and its deliveries
)

func TestWhatAMatterWeighs(t *testing.T) {
	url := storetest.Postgres(t)
	w := newWorld(t, func(s *settings) { s.postgres, s.crowd = url, weighed+weighed/10 })
	hands := map[workflow.PersonID]string{} // many: nobody may write without end
	for i := range weighed / 10 {
		name := fmt.Sprintf("o-crowd-%d", weighed+i)
		w.person(name, workflow.Person{Name: name, OpenID: name, Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G01", FullTime: true}}})
		hands[w.people[name]] = name
	}
	hands[w.people["zhang"]], hands[w.people["liu"]], hands[w.people["chen"]] = worker, colleague, duty
	must(t, w.desk.Refresh(w.ctx))
	conn, err := pgx.Connect(w.ctx, url)
	must(t, err)
	defer conn.Close(w.ctx)
	record := func() (size int64) {
		t.Helper()
		_, err := conn.Exec(w.ctx, "VACUUM ANALYZE")
		must(t, err)
		must(t, conn.QueryRow(w.ctx, `SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`).Scan(&size))
		return size
	}
	emptyRecord, halfDrive := record(), int64(0)
	for i := range weighed {
		if i == weighed/2 { // by now Redis has what it needs whatever it holds
			halfDrive = w.driveUses()
		}
		w.say(fmt.Sprintf("o-crowd-%d", i), fmt.Sprintf("西区%d号楼%d单元%d01楼道灯不亮了,黑灯瞎火的", i%20+1, i/20%6+1, i/120%6+1))
		w.pump()
	}
	open := (w.driveUses() - halfDrive) / (weighed - weighed/2)
	for i := range weighed {
		number := int64(1001 + i)
		has := hands[w.ticket(number).Owner]
		w.say(has, fmt.Sprintf("接单 %d", number))
		w.say(has, fmt.Sprintf("办结 %d 灯已换好", number))
		w.say(fmt.Sprintf("o-crowd-%d", i), "满意")
		w.pump()
		if got := w.ticket(number); got.State != workflow.Closed {
			t.Fatalf("%d is %s", number, got.State)
		}
	}
	closed := (record() - emptyRecord) / weighed
	t.Logf("record_bytes=%d open_bytes=%d", closed, open)
	if testing.Verbose() {
		rows, err := conn.Query(w.ctx, `SELECT format('%s %s (%s of it indexes), %s rows', relname, pg_total_relation_size(oid) / $1, pg_indexes_size(oid) / $1, reltuples)
			FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_total_relation_size(oid) / $1 > 100 ORDER BY pg_total_relation_size(oid) DESC`, weighed)
		must(t, err)
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		for _, table := range tables {
			t.Log(table)
		}
	}
	if closed > mostRecord || open > mostOpen {
		t.Errorf("a closed matter weighs %d bytes, want at most %d; an open one %d in Redis, want at most %d", closed, mostRecord, open, mostOpen)
	}
}

var usedMemory = regexp.MustCompile(`used_memory:(\d+)`)

// driveUses is how many bytes Redis uses.
func (w *world) driveUses() int64 {
	w.t.Helper()
	infos, err := w.drive.Info(w.ctx, "memory")
	must(w.t, err)
	n, err := strconv.ParseInt(usedMemory.FindStringSubmatch(infos[0])[1], 10, 64)
	must(w.t, err)
	return n
}
