package bot_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// What somebody votes in secret stands nowhere in the record of the conversation:
// whether they tap, answer by a number or write, once or again.
func TestASecretVoteIsNotKeptInTheConversation(t *testing.T) {
	url := storetest.Postgres(t)
	w := newWorld(t, func(s *settings) { s.postgres = url })
	for who, room := range map[string]string{resident: "401", neighbour: "402", "o-auntie-sun": "403"} {
		w.say(who, "我家住毕家洼西区12号楼3单元"+room)
	}
	w.say(resident, "议题 本楼 楼道装声控灯")
	open, err := w.store.OpenTopics(w.ctx, community)
	must(t, err)
	if len(open) != 1 {
		t.Fatalf("%d topics", len(open))
	}
	n := strconv.FormatInt(open[0].Number, 10)
	w.say(duty, "开议 "+n)
	w.say(duty, "开始投票 "+n+" 2票 3天 不记名")
	w.pump()
	w.say(resident, "议题 "+n)
	w.holds("a number", w.say(resident, "2"), "投好了", "!反对")
	w.holds("words", w.say(neighbour, "赞成"), "投好了")
	w.holds("again", w.say(neighbour, "反对"), "已经投过了")
	w.holds("with the number", w.say("o-auntie-sun", "投票 "+n+" 弃权"), "投好了")
	w.holds("again with the number", w.say("o-auntie-sun", "投票 "+n+" 反对"), "已经投过了")
	db, err := pgx.Connect(w.ctx, url)
	must(t, err)
	defer db.Close(context.WithoutCancel(w.ctx))
	rows, err := db.Query(w.ctx, `SELECT m.body FROM message m JOIN person p ON p.community = m.community AND p.id = m.person AND p.roles = '[]' ORDER BY m.at`)
	must(t, err)
	said, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	kept := strings.Join(said, "\n")
	for _, word := range []string{"赞成", "反对", "弃权"} {
		if strings.Contains(kept, word) {
			t.Errorf("a message says %q: %q", word, said)
		}
	}
	if slices.Contains(said, "2") || len(said) != 10 {
		t.Errorf("what is kept: %q", said)
	}
	w.clock.Advance(3*24*time.Hour + 12*time.Hour)
	w.pump()
	r, ok, err := w.store.TopicResult(w.ctx, community, open[0].Number)
	if must(t, err); !ok || r.For != 1 || r.Against != 1 || r.Abstain != 1 || r.Outcome != topic.Declined {
		t.Errorf("the result: %+v %v", r, ok)
	}
}
