package bot_test

import (
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/endpoint"
	"github.com/wishdesk/wishdesk/endpoint/standin"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func heardBy(s *standin.Server) option {
	tr := endpoint.NewTranscriber(endpoint.Options{URL: s.URL, Model: "m", Timeout: time.Second, HTTP: s.HTTP})
	return func(o *settings) { o.transcriber = tr }
}

// amr is a recording as WeChat's, of silence.
var amr = append([]byte("#!AMR\n"), make([]byte, 320)...)

// speak sends a recording; words are what WeChat itself recognised.
func (w *world) speak(openid, words string) string {
	w.t.Helper()
	r, err := w.sim.SendVoice(w.ctx, openid, amr, words)
	must(w.t, err)
	return r.Text
}

func TestVoiceThatWeChatUnderstood(t *testing.T) {
	s := standin.New(t)
	w := newWorld(t, heardBy(s)).awake()
	w.holds("the answer", w.speak(resident, "毕家洼西区十二号楼三单元楼道灯不亮了"), "设施维修", "张建国")
	w.pump()
	if len(s.Asked()) != 0 {
		t.Error("a recording was sent away though its words were there")
	}
	if m := w.newest(resident).Media; len(m) != 1 || m[0].Type != "voice" {
		t.Errorf("the recording is not with the ticket: %+v", m)
	}
}

func TestVoiceIsTranscribed(t *testing.T) {
	s := standin.New(t)
	s.Hear("毕家洼西区十二号楼三单元楼道灯不亮了")
	w := newWorld(t, heardBy(s)).awake()
	w.holds("the answer", w.speak(resident, ""), "正在听", "110", "!编号 1")
	w.gets(resident, "我听到的是:「毕家洼西区十二号楼三单元楼道灯不亮了」", "设施维修", "张建国")
	w.gets(worker, "新任务")
	if q := s.Asked(); len(q) != 1 || !strings.HasPrefix(string(q[0].File), "#!AMR") {
		t.Errorf("asked %d times", len(q))
	}
	ticket := w.newest(resident)
	if len(ticket.Media) != 1 || ticket.Media[0].Type != "voice" {
		t.Fatalf("the recording is not with the ticket: %+v", ticket.Media)
	}
	file, err := w.store.Media(w.ctx, community, ticket.Media[0].ID)
	if err != nil || file.Status != desk.MediaStored || file.Spoken {
		t.Errorf("the recording is %+v, %v", file, err)
	}
	// Once more, as after a crash between the words and their mark.
	must(t, w.bot.Handlers()[desk.TaskHear](w.ctx, community, desk.MediaTask(file)))
	w.gets(resident, "!编号")
	if len(s.Asked()) != 1 {
		t.Error("heard twice")
	}
}

func TestVoiceOfDanger(t *testing.T) {
	s := standin.New(t)
	s.Hear("毕家洼西区三号楼着火了快来人")
	w := newWorld(t, heardBy(s)).awake()
	w.speak(resident, "")
	w.gets(resident, "【紧急】", "119")
	w.gets(duty, "【紧急】")
	if got := w.newest(resident); got.Severity != workflow.Emergency {
		t.Errorf("the ticket is %+v", got)
	}
}

// Without a transcriber, without words, or without an answer the speaker is
// asked to type, and the recording goes with what they type.
func TestVoiceThatNobodyUnderstood(t *testing.T) {
	typed := func(w *world) {
		w.t.Helper()
		w.holds("what was typed", w.say(resident, "毕家洼西区12号楼3单元楼道灯不亮了"), "编号", "附上")
		w.pump()
		m := w.newest(resident).Media
		if len(m) != 1 || m[0].Type != "voice" {
			w.t.Fatalf("the recording is not with the ticket: %+v", m)
		}
		file, err := w.store.Media(w.ctx, community, m[0].ID)
		if err != nil || file.Status != desk.MediaStored {
			w.t.Errorf("the recording is %+v, %v", file, err)
		}
	}
	t.Run("no transcriber", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t).awake()
		w.holds("the answer", w.speak(resident, ""), "没听清", "打几个字")
		typed(w)
	})
	for name, m := range map[string]standin.Manner{"silence": standin.Empty, "failing": standin.Failing, "slow": standin.Slow, "prose": standin.Endless} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := standin.New(t)
			s.Behave(m)
			w := newWorld(t, heardBy(s)).awake()
			w.holds("the answer", w.speak(resident, ""), "正在听")
			w.pump()
			if m != standin.Empty { // it is tried again, and then it is enough
				w.clock.Advance(3 * time.Minute)
				for _, f := range w.unheard() {
					must(t, w.bot.Handlers()[desk.TaskHear](w.ctx, community, desk.MediaTask(f)))
				}
			}
			w.gets(resident, "没听清", "打几个字")
			if left := w.unheard(); len(left) != 0 {
				t.Errorf("still to be heard: %+v", left)
			}
			typed(w)
		})
	}
	t.Run("budget", func(t *testing.T) {
		t.Parallel()
		s := standin.New(t)
		s.Hear("毕家洼西区十二号楼三单元楼道灯不亮了")
		w := newWorld(t, heardBy(s), func(o *settings) { o.perDay = 0 }).awake()
		w.speak(resident, "")
		w.gets(resident, "没听清")
		if len(s.Asked()) != 0 {
			t.Error("asked beyond the budget")
		}
	})
}

// What WeChat no longer has, or does not give, keeps nobody waiting either.
func TestVoiceThatCannotBeFetched(t *testing.T) {
	s := standin.New(t)
	for name, errcode := range map[string]int{"gone": 40007, "failing": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, heardBy(s)).awake()
			w.sim.Fail(wechatsim.Failure{Path: "/cgi-bin/media/get", ErrCode: errcode})
			w.speak(resident, "")
			w.pump()
			w.clock.Advance(3 * time.Minute)
			for _, f := range w.unheard() {
				_ = w.bot.Handlers()[desk.TaskMedia](w.ctx, community, desk.MediaTask(f)) // again, as after a claim
			}
			w.gets(resident, "没听清", "打几个字")
			w.pass(10 * time.Minute)
			w.gets(resident, "!没听清")
		})
	}
}

// Each recording goes with its own words, whatever was written meanwhile.
func TestRecordingsGoWithTheirWords(t *testing.T) {
	s := standin.New(t)
	s.Hear("毕家洼西区12号楼3单元楼道灯不亮了")
	w := newWorld(t, heardBy(s)).awake()
	w.speak(resident, "")
	w.holds("typed meanwhile", w.say(resident, "怡园5号楼垃圾没人收"), "编号 1001", "!附上")
	w.gets(resident, "我听到的是", "编号 1002")
	if typed, spoken := w.ticket(1001), w.ticket(1002); len(typed.Media) != 0 || len(spoken.Media) != 1 {
		t.Errorf("%d recordings went with what was typed, %d with what was spoken", len(typed.Media), len(spoken.Media))
	}
}

// Heard twice at once it makes one ticket.
func TestHeardTwiceAtOnce(t *testing.T) {
	s := standin.New(t)
	s.Behave(standin.Failing)
	w := newWorld(t, heardBy(s)).awake()
	w.speak(resident, "")
	w.pump() // fetched, and not heard yet
	s.Behave(standin.Well)
	s.Hear("毕家洼西区12号楼3单元楼道灯不亮了")
	file := w.unheard()[0]
	var both errgroup.Group
	for range 2 {
		both.Go(func() error { return w.bot.Handlers()[desk.TaskHear](w.ctx, community, desk.MediaTask(file)) })
	}
	must(t, both.Wait())
	all, err := w.store.Reported(w.ctx, community, w.newest(resident).Reporter, true, 10)
	if err != nil || len(all) != 1 || len(all[0].Media) != 1 {
		t.Errorf("%d tickets, %v", len(all), err)
	}
	if n := strings.Count(wordsOf(w.pushes(resident)), "我听到的是"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A recording that nobody understood reaches the worker as it would without a
// transcriber: as an answer to a question, or with the matter talked about.
func TestVoiceThatNobodyUnderstoodReachesTheWorker(t *testing.T) {
	for name, asked := range map[string]bool{"an answer": true, "more about it": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := standin.New(t)
			s.Behave(standin.Empty)
			w := newWorld(t, heardBy(s)).awake()
			w.say(resident, "毕家洼西区12号楼3单元楼道灯不亮了")
			if asked {
				w.say(worker, "接单 1001")
				w.say(worker, "追问 1001 是几楼的灯")
			}
			w.pump()
			w.speak(resident, "")
			w.pump()
			got := w.ticket(1001)
			if len(got.Media) != 1 || got.Media[0].Type != "voice" || got.Question != nil {
				t.Errorf("the ticket is %+v", got)
			}
			w.pass(time.Hour)
			w.gets(resident, map[bool]string{true: "已经转告", false: "录音已经放进 1001"}[asked])
		})
	}
}

// unheard are the recordings that still wait for their words.
func (w *world) unheard() []desk.MediaFile {
	w.t.Helper()
	files, err := w.store.MediaToFetch(w.ctx, community, 10)
	must(w.t, err)
	return files
}

// A recording that was told to be listened to is not forgotten with Redis.
func TestVoiceSurvivesTheDrive(t *testing.T) {
	s := standin.New(t)
	s.Hear("毕家洼西区十二号楼三单元楼道灯不亮了")
	server := storetest.RedisServer(t)
	w := newWorld(t, heardBy(s), func(o *settings) { o.redis = server.URL() }).awake()
	w.speak(resident, "")
	other, err := goredis.ParseURL(server.URL())
	must(t, err)
	c := goredis.NewClient(other)
	defer c.Close()
	must(t, c.FlushAll(w.ctx).Err())
	w.pass(time.Minute)
	w.gets(resident, "我听到的是", "设施维修")
}
