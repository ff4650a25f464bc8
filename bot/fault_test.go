package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const apiCustom = "/cgi-bin/message/custom/send"

// A delivery seen twice makes one ticket and gets the same reply, also while
// Redis, which remembers first, is away.
func TestRepeatedDelivery(t *testing.T) {
	for _, redisAway := range []bool{false, true} {
		t.Run(fmt.Sprintf("redis away %v", redisAway), func(t *testing.T) {
			proxy := storetest.Cut(t, storetest.Redis(t))
			w := newWorld(t, func(s *settings) { s.redis = proxy.URL() })
			if redisAway {
				proxy.Cut()
			}
			first := w.say(resident, "西区3号楼楼道灯坏了")
			w.holds("first", first, "编号 1001")
			again, err := w.sim.Redeliver(w.ctx)
			must(t, err)
			if again.Text != first {
				t.Errorf("again: %q, first: %q", again.Text, first)
			}
			who, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
			must(t, err)
			mine, err := w.store.Reported(w.ctx, community, who.ID, true, 10)
			must(t, err)
			if len(mine) != 1 {
				t.Errorf("%d tickets", len(mine))
			}
		})
	}
}

// While PostgreSQL is slow the answer leaves in time, the message is kept, and
// its number follows as a push, once.
func TestSlowRecordIsAnsweredLater(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Postgres(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.budget = proxy.URL(), 300*time.Millisecond })
	w.say(resident, "你好")
	proxy.Stall()
	w.holds("in time", w.say(resident, "西区3号楼楼道灯坏了"), "正在登记", "!编号 1")
	proxy.Heal()
	w.bot.Wait()
	w.pump()
	got := wordsOf(w.pushes(resident))
	if strings.Count(got, "收到了,编号") != 1 {
		t.Errorf("late replies: %s", got)
	}
	again, err := w.sim.Redeliver(w.ctx)
	must(t, err)
	w.holds("the same reply", again.Text, "正在登记")
	w.pump()
	who, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	mine, err := w.store.Reported(w.ctx, community, who.ID, true, 10)
	must(t, err)
	if len(mine) != 1 {
		t.Errorf("%d tickets", len(mine))
	}
}

// Word that a push arrived asks no store: it is answered while both are away. Word that
// one did not is kept, as everything that changes something is.
func TestWordOfAnArrivalAsksNoStore(t *testing.T) {
	record, drive := storetest.Cut(t, storetest.Postgres(t)), storetest.Cut(t, storetest.Redis(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.redis, s.budget = record.URL(), drive.URL(), 300*time.Millisecond })
	record.Cut()
	drive.Cut()
	for i, c := range []struct {
		event   string
		arrived bool
	}{
		{"<Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status>success</Status>", true},
		{"<Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status>failed:user block</Status>", false},
		{"<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><MsgID>1</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>", true},
		{"<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><MsgID>1</MsgID><ErrorCode>43101</ErrorCode><ErrorStatus>failed</ErrorStatus></List></SubscribeMsgSentEvent>", false},
	} {
		reply, err := w.sim.Deliver(w.ctx, resident, fmt.Appendf(nil, "<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName>"+
			"<CreateTime>%d</CreateTime><MsgType>event</MsgType>%s</xml>", original, resident, begin.Unix()+int64(i), c.event))
		must(t, err)
		if arrived := reply.Text == ""; arrived != c.arrived {
			t.Errorf("%s: answered %q", c.event, reply.Text)
		}
	}
}

// A message that failed for good is handled when somebody retries it, and answered
// once, however often they do.
func TestADeadMessageIsRetried(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Postgres(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.budget = proxy.URL(), 300*time.Millisecond })
	w.say(resident, "你好")
	proxy.Stall()
	w.holds("in time", w.say(resident, "西区3号楼楼道灯坏了"), "正在登记")
	proxy.Heal()
	w.bot.Wait()
	tasks, err := w.desk.Drive().Read(w.ctx, community, "dies", 10, 0)
	must(t, err)
	var message desk.Task
	for _, task := range tasks {
		if task.Kind == desk.TaskMessage {
			message = task
		}
		must(t, w.desk.Drive().Finish(w.ctx, community, task))
	}
	openid, words, at, ok := bot.Message(message.Body)
	if !ok || openid != resident || words != "西区3号楼楼道灯坏了" || at.IsZero() {
		t.Errorf("the message reads %q %q %v %v", openid, words, at, ok)
	}
	for range 2 {
		must(t, w.store.DeadLetter(w.ctx, community, string(message.Kind), message.Letter(), "it failed", w.clock.Now()))
		dead, err := w.store.DeadLetters(w.ctx, community, 10)
		must(t, err)
		must(t, w.desk.Retry(w.ctx, community, dead[0].ID))
		w.pump()
	}
	who, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	mine, err := w.store.Reported(w.ctx, community, who.ID, true, 10)
	must(t, err)
	if got := wordsOf(w.pushes(resident)); len(mine) != 1 || strings.Count(got, "收到了,编号") != 1 {
		t.Errorf("%d tickets, told: %s", len(mine), got)
	}
}

// Of more than it can take, what has no place is refused kindly and leaves nothing
// behind; where nothing goes through at all, it is kept.
func TestMoreThanItCanTake(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Postgres(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.budget, s.inHand = proxy.URL(), 300*time.Millisecond, 2 })
	w.say(resident, "你好")
	proxy.Stall()
	w.holds("one inside", w.say(resident, "西区3号楼楼道灯坏了"), "正在登记")
	w.holds("another inside", w.say(worker, "西区7号楼楼道灯坏了"), "正在登记")
	w.holds("no place", w.say(neighbour, "西区4号楼水管爆了"), "没有收下", "0531-00000000", "119", "!编号", "!正在登记")
	w.clock.Advance(2 * time.Second)
	w.holds("nothing goes through", w.say(neighbour, "西区5号楼门禁坏了"), "正在登记")
	proxy.Heal()
	w.bot.Wait()
	w.pump()
	if got := wordsOf(w.pushes(neighbour)); strings.Count(got, "收到了,编号") != 1 || strings.Contains(got, "4号楼") {
		t.Errorf("the neighbour read: %s", got)
	}
	w.holds("a place again", w.say(neighbour, "西区6号楼楼道里堆满杂物"), "编号 100")
}

func TestBothStoresGoneIsSaid(t *testing.T) {
	pg, rd := storetest.Cut(t, storetest.Postgres(t)), storetest.Cut(t, storetest.Redis(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.redis, s.budget = pg.URL(), rd.URL(), 300*time.Millisecond })
	w.say(resident, "你好")
	pg.Cut()
	rd.Cut()
	w.holds("told so", w.say(resident, "西区3号楼楼道灯坏了"), "暂时收不到", "0531-00000000", "!编号 1")
	pg.Heal()
	rd.Heal()
	w.clock.Advance(2 * time.Second)
	w.holds("and goes on", w.say(resident, "西区3号楼楼道灯坏了"), "编号 1001")
}

// pushTo makes the desk owe the worker a push and gives the record of it.
func pushTo(t *testing.T, w *world) func() desk.Push {
	t.Helper()
	w.say(resident, "西区3号楼楼道灯坏了")
	key := fmt.Sprintf("1001:3:%s:%d", workflow.TellAssigned, w.people["zhang"])
	return func() desk.Push {
		t.Helper()
		all, err := w.store.PushesOf(w.ctx, community, 1001)
		must(t, err)
		for _, p := range all {
			if p.Key == key {
				return p
			}
		}
		t.Fatalf("no push %s among %d", key, len(all))
		return desk.Push{}
	}
}

// The table of error codes is obeyed, and every push has a visible end.
func TestErrorCodesOfThePlatform(t *testing.T) {
	tests := []struct {
		name    string
		rule    wechatsim.Failure
		wait    time.Duration // until the next look
		status  desk.PushStatus
		channel string
	}{
		{"busy, then again", wechatsim.Failure{Path: apiCustom, ErrCode: -1, Times: 1}, time.Minute, desk.PushSent, "custom"},
		{"too often to this person", wechatsim.Failure{Path: apiCustom, ErrCode: 43117, Times: 1}, time.Minute, desk.PushSent, "custom"},
		{"token old", wechatsim.Failure{Path: apiCustom, ErrCode: 42001, Times: 1}, 0, desk.PushSent, "custom"},
		{"minute limit", wechatsim.Failure{Path: apiCustom, ErrCode: 45011, Times: 1}, 90 * time.Second, desk.PushSent, "custom"},
		{"day limit", wechatsim.Failure{Path: apiCustom, ErrCode: 45009}, 0, desk.PushSent, "template"},
		{"window closed", wechatsim.Failure{Path: apiCustom, ErrCode: 45015}, 0, desk.PushSent, "template"},
		{"count used up", wechatsim.Failure{Path: apiCustom, ErrCode: 45047}, 0, desk.PushSent, "template"},
		{"not permitted", wechatsim.Failure{Path: apiCustom, ErrCode: 48001}, 0, desk.PushSent, "template"},
		{"wrong openid", wechatsim.Failure{Path: apiCustom, ErrCode: 40003}, 0, desk.PushManual, "custom"},
		{"content refused", wechatsim.Failure{Path: apiCustom, ErrCode: 45002}, 0, desk.PushManual, "custom"},
		{"a code nobody knows", wechatsim.Failure{Path: apiCustom, ErrCode: 99999}, 0, desk.PushManual, "custom"},
		{"half an answer, then again", wechatsim.Failure{Path: apiCustom, HalfBody: true, Times: 1}, time.Minute, desk.PushSent, "custom"},
		{"a gateway's page, then again", wechatsim.Failure{Path: apiCustom, HTTPStatus: 502, Times: 1}, time.Minute, desk.PushSent, "custom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t).awake()
			w.sim.Fail(tt.rule)
			push := pushTo(t, w)
			w.pump()
			if tt.wait > 0 {
				if p := push(); p.Status != desk.PushOwed {
					t.Errorf("after the failure: %s (%s)", p.Status, p.Error)
				}
				w.pass(tt.wait)
			}
			if p := push(); p.Status != tt.status || p.Channel != tt.channel {
				t.Errorf("%s by %q after %d attempts (errcode %d, %s), want %s by %q", p.Status, p.Channel, p.Attempts, p.ErrCode, p.Error, tt.status, tt.channel)
			}
			if tt.status == desk.PushManual {
				w.sim.Reset()
				w.holds("a person sees it", w.say(duty, "待办"), "打电话告知", "1001")
				w.holds("and ends it", w.say(duty, "已告知 1001"), "已电话告知")
				if p := push(); p.Status != desk.PushDone {
					t.Errorf("after the call: %s", p.Status)
				}
			}
		})
	}
}

// A worker with many assignments is reached when the five messages are used
// up: by a template message.
func TestManyAssignmentsReachTheWorker(t *testing.T) {
	w := newWorld(t).awake()
	for i := 1; i <= 8; i++ {
		w.say(resident, fmt.Sprintf("西区%d号楼楼道灯坏了", i))
		w.clock.Advance(time.Second)
	}
	got := w.pushes(worker)
	byChannel := map[string]int{}
	for _, e := range got {
		byChannel[e.Channel]++
	}
	if byChannel["custom"] != 5 || byChannel["template"] != 3 {
		t.Errorf("by channel: %v\n%s", byChannel, wordsOf(got))
	}
}

// The fate of a push is unknown where its sender died in the middle: what must
// be acted on is sent again, a request to rate is not.
func TestSenderThatDied(t *testing.T) {
	w := newWorld(t).awake()
	push := pushTo(t, w)
	p := push()
	if _, ok, err := w.store.TakePush(w.ctx, community, p.Key, w.clock.Now(), time.Minute); err != nil || !ok {
		t.Fatal(ok, err)
	}
	w.pump()
	w.gets(worker, "!1001")
	w.pass(2 * time.Minute)
	w.gets(worker, "新任务 1001")

	w.say(worker, "办结 1001 换好了")
	rate := fmt.Sprintf("1001:5:%s:%d", workflow.TellResolved, w.ticket(1001).Reporter)
	if _, ok, err := w.store.TakePush(w.ctx, community, rate, w.clock.Now(), time.Minute); err != nil || !ok {
		t.Fatal(ok, err)
	}
	w.pass(2 * time.Minute)
	w.gets(resident, "!满意吗")
	all, err := w.store.PushesOf(w.ctx, community, 1001)
	must(t, err)
	for _, p := range all {
		if p.Key == rate && p.Status != desk.PushUnknown {
			t.Errorf("the request to rate: %s", p.Status)
		}
	}
}

// What somebody who cannot be reached is owed becomes a call for a person.
func TestNotFollowingBecomesACall(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	if _, err := w.sim.Unfollow(w.ctx, resident); err != nil {
		t.Fatal(err)
	}
	w.say(worker, "办结 1001 换好了")
	w.pump()
	w.holds("the worker sees it", w.say(worker, "待办"), "打电话告知", "1001")
}

// A template message that did not arrive after all is seen, too.
func TestTemplateThatDidNotArrive(t *testing.T) {
	w := newWorld(t)
	must(t, w.sim.BlockNotices(worker, true))
	push := pushTo(t, w)
	w.pump()
	deadline := time.Now().Add(5 * time.Second)
	for push().Status != desk.PushManual && time.Now().Before(deadline) {
		w.pump()
	}
	if p := push(); p.Status != desk.PushManual {
		t.Errorf("%s by %s: %s", p.Status, p.Channel, p.Error)
	}
}

// Every kind of message gets a kind answer, never an error.
func TestEveryKindOfMessage(t *testing.T) {
	w := newWorld(t)
	ctx := w.ctx
	check := func(what string, want string) func(wechatsim.Reply, error) {
		return func(r wechatsim.Reply, err error) {
			t.Helper()
			must(t, err)
			if r.Unavailable || !strings.Contains(r.Text, want) {
				t.Errorf("%s: %q (unavailable %v, %v), want %q", what, r.Text, r.Unavailable, r.Cause, want)
			}
		}
	}
	amr := []byte("#!AMR\n123")
	check("voice", "编号 1001")(w.sim.SendVoice(ctx, resident, amr, "西区三号楼楼道灯坏了"))
	check("voice after", "放进 1001")(w.sim.SendVoice(ctx, resident, amr, ""))
	check("voice without words", "没听清")(w.sim.SendVoice(ctx, neighbour, amr, ""))
	check("video", "视频收到了")(w.sim.SendVideo(ctx, neighbour, []byte("\x00\x00\x00\x18ftypmp42"), []byte("\xff\xd8\xff")))
	check("location", "毕家洼西区 1号楼")(w.sim.SendLocation(ctx, neighbour, 36.69, 116.99, "西区"))
	check("near", "编号 1002")(w.sim.SendText(ctx, neighbour, "这儿下水道堵了,污水冒出来了"))
	check("location far away", "不在我们社区")(w.sim.SendLocation(ctx, neighbour, 39.9, 116.4, "天安门"))
	check("link", "")(w.sim.SendLink(ctx, neighbour, "标题", "说明", "https://example.com"))
	_, err := w.sim.Unfollow(ctx, partner)
	must(t, err)
	check("follow", "心愿台")(w.sim.Follow(ctx, partner, ""))
	check("scan", "毕家洼西区 12号楼3单元")(w.sim.Scan(ctx, partner, "b:1:12:3"))
	check("scan of nothing", "心愿台")(w.sim.Scan(ctx, partner, "b:9:99"))
	check("click", "说说是什么事")(w.sim.Click(ctx, partner, "我要报事"))
	check("unknown type", "看不懂")(w.sim.Deliver(ctx, neighbour, []byte("<xml><ToUserName>"+original+"</ToUserName><FromUserName>"+neighbour+"</FromUserName><CreateTime>1795400000</CreateTime><MsgType>hologram</MsgType><MsgId>77</MsgId></xml>")))
	check("unknown event", "")(w.sim.Deliver(ctx, neighbour, []byte("<xml><ToUserName>"+original+"</ToUserName><FromUserName>"+neighbour+"</FromUserName><CreateTime>1795400000</CreateTime><MsgType>event</MsgType><Event>MOON</Event></xml>")))
	if got := w.ticket(1002); got.Place.Grid != "G01" || got.Place.Building != 1 {
		t.Errorf("the shared location was not used: %+v", got.Place)
	}
}

// Photos are kept without EXIF, also when they came before the words, and a
// file that is none is refused.
func TestMediaAreFetched(t *testing.T) {
	w := newWorld(t).awake()
	w.photo(resident)
	w.say(resident, "西区3号楼楼道灯坏了")
	w.pump()
	media := w.ticket(1001).Media
	if len(media) != 1 {
		t.Fatalf("media: %+v", media)
	}
	file, err := w.store.Media(w.ctx, community, media[0].ID)
	must(t, err)
	if file.Status != desk.MediaStored || file.MIME != "image/jpeg" || file.Size == 0 || file.Number != 1001 {
		t.Errorf("file: %+v", file)
	}
	r, err := w.sim.SendImage(w.ctx, neighbour, []byte("GIF89a and then no picture"), "x.gif")
	must(t, err)
	if r.Unavailable {
		t.Error("unavailable")
	}
	w.pump()
	owed, err := w.store.MediaToFetch(w.ctx, community, 10)
	must(t, err)
	if len(owed) != 0 {
		t.Errorf("still owed: %+v", owed)
	}
}

// A delivery whose first handler died after claiming it is handled by WeChat's
// next try: an empty answer would lose it.
func TestClaimedByTheDead(t *testing.T) {
	w := newWorld(t)
	first, _, _, err := w.drive.Begin(w.ctx, community, "m:4711", time.Hour)
	if err != nil || !first {
		t.Fatal(first, err)
	}
	xml := "<xml><ToUserName>" + original + "</ToUserName><FromUserName>" + resident + "</FromUserName><CreateTime>1795400000</CreateTime>" +
		"<MsgType>text</MsgType><Content>西区3号楼楼道灯坏了</Content><MsgId>4711</MsgId></xml>"
	for range 2 {
		r, err := w.sim.Deliver(w.ctx, resident, []byte(xml))
		must(t, err)
		w.holds("reply", r.Text, "编号 1001")
	}
}

// subscribeOnly is an account whose only notice is a subscription notice.
var subscribeOnly = bot.Templates{"notice": {ID: "demo-notice", Subscribe: true, Fields: map[string]string{
	"character_string1": "number", "thing2": "said", "phrase3": "status", "time4": "by",
}}}

// A subscription notice: one consent, one send; the next one is a call.
func TestSubscriptionNotice(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.templates = subscribeOnly }).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	if _, err := w.sim.Consent(w.ctx, resident, "demo-notice", true); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(49 * time.Hour) // the 48 hours of the resident's message are over
	w.say(worker, "接单 1001")
	w.gets(resident, "[subscribe", "{1001}", "{已接手}")
	w.say(worker, "办结 1001 换好了")
	w.gets(resident, "!1001")
	w.holds("a call", w.say(worker, "待办"), "打电话告知", "1001")
}

// A card about no ticket has the day where others have a number.
func TestACardAboutNoTicketHasNoNumber(t *testing.T) {
	w := newWorld(t).awake()
	_, err := w.store.PutCare(w.ctx, workflow.Care{
		Community: community, Name: "孙桂兰", Kind: workflow.LivingAlone, Place: workflow.Place{Estate: "毕家洼西区", Building: 12, Unit: 3, Room: "402", Grid: "G01"}, Every: 7,
		NextVisit: begin.AddDate(0, 0, 3),
	})
	must(t, err)
	w.pass(4 * 24 * time.Hour) // long after anybody wrote: by template
	w.gets(worker, "[template", "孙桂兰", "{2026-", "!{0}")
}
