package bot_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/endpoint/standin"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow/desk"
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
	w.holds("more votes than households", w.say(duty, "开始投票 "+n+" 41票 3天 不记名"), "大约只有 40 户", "改成 20 票", "就按 41 票开")
	w.holds("it waits", w.say(resident, "议题 "+n), "正在议")
	w.holds("half of them", w.say(duty, "开始投票 "+n+" 2票 41票 3天 不记名"), "至少 2 票", "不记名")
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
	if slices.Contains(said, "2") || len(said) != 11 {
		t.Errorf("what is kept: %q", said)
	}
	w.clock.Advance(3*24*time.Hour + 12*time.Hour)
	w.pump()
	r, ok, err := w.store.TopicResult(w.ctx, community, open[0].Number)
	if must(t, err); !ok || r.For != 1 || r.Against != 1 || r.Abstain != 1 || r.Outcome != topic.Declined {
		t.Errorf("the result: %+v %v", r, ok)
	}
}

// Who has voted and says 「反对」 once more does not vote on another topic by it: they are
// shown which one waits for them, and a vote says what it was on.
func TestABareVoteIsNotTakenForAnotherTopic(t *testing.T) {
	w := newWorld(t)
	w.say(resident, "我家住毕家洼西区12号楼3单元401")
	for _, words := range []string{"楼道装声控灯", "楼前加长椅"} {
		w.say(resident, "议题 本楼 "+words)
	}
	open, err := w.store.OpenTopics(w.ctx, community)
	must(t, err)
	for _, o := range open {
		n := strconv.FormatInt(o.Number, 10)
		w.say(duty, "开议 "+n)
		w.say(duty, "开始投票 "+n+" 2票 3天")
	}
	n := strconv.FormatInt(open[0].Number, 10)
	w.holds("the first", w.say(resident, "投票 "+n+" 赞成"), n+" 号「楼道装声控灯」投好了:赞成")
	w.holds("again", w.say(resident, "反对"), "楼前加长椅", "您的意见", "!投好了")
	w.holds("the second", w.say(resident, "1"), "「楼前加长椅」投好了:赞成")
}

// Where nobody is known to live no number of votes would do: none is offered.
func TestAVoteOfNobody(t *testing.T) {
	w := newWorld(t)
	w.say(resident, "我家住毕家洼西区12号楼3单元401")
	w.say(resident, "议题 本楼 楼道装声控灯")
	w.say(resident, "我家住毕家洼西区3号楼3单元401")
	open, err := w.store.OpenTopics(w.ctx, community)
	must(t, err)
	n := strconv.FormatInt(open[0].Number, 10)
	w.say(duty, "开议 "+n)
	w.holds("nobody", w.say(duty, "开始投票 "+n+" 5票 一人一票"), "只有 0 人", "!改成", "就按 5 票开")
	w.holds("all the same", w.say(duty, "1"), "至少 5 票")
}

// Nor does it stand there where it was spoken, was not understood, or had the wrong
// number; and it is found though much was proposed since.
func TestASpokenSecretVoteIsNotKept(t *testing.T) {
	url := storetest.Postgres(t)
	ears := standin.New(t)
	w := newWorld(t, func(s *settings) { s.postgres = url }, heardBy(ears)).awake()
	for who, room := range map[string]string{resident: "401", neighbour: "402", "o-auntie-sun": "403"} {
		w.say(who, "我家住毕家洼西区12号楼3单元"+room)
	}
	w.say(resident, "议题 本楼 楼道装声控灯")
	open, err := w.store.OpenTopics(w.ctx, community)
	must(t, err)
	n := strconv.FormatInt(open[0].Number, 10)
	w.say(duty, "开议 "+n)
	w.holds("the rules", w.say(duty, "开始投票 "+n+" 1户1票 2票 3天 不记名"), "一户一票", "至少 2 票")
	for i := range 30 {
		must(t, w.store.Commit(w.ctx, desk.Change{Community: community, Topics: []desk.TopicChange{{Topic: topic.Topic{
			Community: community, Number: 5000 + int64(i), Version: 1, State: topic.Proposed, Scope: open[0].Scope, Text: "装长椅", Proposer: 9,
		}}}}))
	}
	w.pump()
	w.holds("the list", w.say(neighbour, "议题"), n, "正在投票")
	w.holds("what is no choice", w.say(neighbour, "投票 "+n+" 坚决不赞成"), "您的意见")
	w.holds("without the number", w.say(neighbour, "投票 坚决不赞成"), "您的意见")
	w.say(neighbour, "投票 9999 反对")
	w.holds("spoken", w.speak(neighbour, "投票"+n+"反对"), "投好了", "!反对")
	ears.Hear("投票" + n + "赞成")
	w.holds("made out later", w.speak("o-auntie-sun", ""), "正在听")
	w.gets("o-auntie-sun", "您的意见", "!我听到的是")
	w.holds("by a number", w.say("o-auntie-sun", "1"), "投好了")
	db, err := pgx.Connect(w.ctx, url)
	must(t, err)
	defer db.Close(context.WithoutCancel(w.ctx))
	rows, err := db.Query(w.ctx, `SELECT m.body FROM message m JOIN person p ON p.community = m.community AND p.id = m.person AND p.roles = '[]'
		UNION ALL SELECT reply FROM message WHERE reply LIKE '%听到%' UNION ALL SELECT facts::text FROM push WHERE facts::text LIKE '%听到%'`)
	must(t, err)
	said, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	for _, word := range []string{"赞成", "反对", "听到"} {
		if strings.Contains(strings.Join(said, "\n"), word) {
			t.Errorf("kept is %q: %q", word, said)
		}
	}
	me, _, err := w.store.PersonByOpenID(w.ctx, community, neighbour)
	must(t, err)
	var recordings int
	must(t, db.QueryRow(w.ctx, `SELECT count(*) FROM media WHERE person = $1`, me.ID).Scan(&recordings))
	if recordings != 0 {
		t.Errorf("%d recordings of a vote are kept", recordings)
	}
}

func TestHowTheCommitteeSaysTheRules(t *testing.T) {
	w := newWorld(t)
	w.say(resident, "我家住毕家洼西区12号楼3单元401")
	for said, want := range map[string][]string{
		"20票 7天":         {"一户一票", "至少 20 票", "记名"},
		"一人一票 30票":       {"一人一票", "至少 30 票"},
		"1人1票 21人":       {"一人一票", "至少 21 票"},
		"每户一票,11户 3天不记名": {"一户一票", "至少 11 票", "不记名"},
		"每人 1 票":         {"一人一票", "至少 20 票"},
		"":               {"一户一票", "至少 20 票"},
	} {
		w.say(resident, "议题 本楼 楼道装声控灯")
		open, err := w.store.OpenTopics(w.ctx, community)
		must(t, err)
		n := strconv.FormatInt(open[len(open)-1].Number, 10)
		w.say(duty, "开议 "+n)
		reply := w.say(duty, "开始投票 "+n+" "+said)
		if want[0] == "一人一票" { // one person is known to live there: they are sure of so many votes
			w.holds(said, reply, "登记住着的只有 1 人", want[1])
			reply = w.say(duty, "2")
		}
		w.holds(said, reply, want...)
	}
}

// Who plays a part and lives there is asked for their vote, and told what came of it, as
// their neighbours are: not as if it were work.
func TestAVoteIsNoWork(t *testing.T) {
	w := newWorld(t)
	for who, room := range map[string]string{resident: "401", worker: "402"} {
		w.say(who, "我家住毕家洼西区12号楼3单元"+room)
	}
	w.clock.Advance(3 * 24 * time.Hour) // longer than an answer may be sent freely
	w.say(resident, "议题 本楼 楼道装声控灯")
	open, err := w.store.OpenTopics(w.ctx, community)
	must(t, err)
	n := strconv.FormatInt(open[0].Number, 10)
	w.say(duty, "开议 "+n)
	w.say(duty, "开始投票 "+n+" 1票 3天")
	w.holds("asked for their vote", wordsOf(w.pushes(worker)), "template", "请您投票", "!微议题")
	w.clock.Advance(3*24*time.Hour + 11*time.Hour + 30*time.Minute)
	w.holds("told what came of it", wordsOf(w.pushes(worker)), "template", "投票人数不够")
}
