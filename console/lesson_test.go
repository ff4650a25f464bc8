package console

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// classwork commits what a change does to the party class.
func (h *house) classwork(c desk.Classwork) {
	h.t.Helper()
	w, err := h.desk.Begin(east, false)
	h.must(err)
	w.Change.Classwork = c
	h.must(w.Commit(h.t.Context()))
}

// lessons gives the members' branch two more members, its secretary among them, two
// lessons that are past, and one to come that is also held at the gallery.
func (h *house) lessons() {
	h.t.Helper()
	join := func(key, name, openid string, role workflow.Role) {
		role.Kind, role.Branch = workflow.RolePartyMember, "第一支部"
		p := workflow.Person{Community: east, Name: name, Phone: "1990000777" + key, OpenID: openid, Following: openid != "", Roles: []workflow.Role{role}, Home: workflow.Place{Estate: "东园", Building: 2, Unit: 1, Room: "101", Grid: "G1"}}
		id, err := h.store.UpsertPerson(h.t.Context(), "branch-"+key, p)
		h.must(err)
		h.people["east/"+name], err = h.store.Person(h.t.Context(), east, id)
		h.must(err)
	}
	join("1", "刘书记", "o-east-secretary", workflow.Role{Secretary: true, Skills: []string{"lesson_visit"}})
	join("2", "吴桂芬", "", workflow.Role{})
	h.must(h.desk.Refresh(h.t.Context()))
	member := h.people["east/member"].ID
	now := h.clock.Now()
	a := lesson.Lesson{ID: 1101, Theme: lesson.History, Form: lesson.Text, Title: "红船上的十三个人", Speaker: "老党员段建国", Minutes: 6, At: now.AddDate(0, 0, -30),
		Text:  "一九二一年的夏天,十三个平均二十八岁的年轻人,从上海的石库门走到嘉兴南湖的一条小船上。\n\n他们说了一整天,说的是一件大事:中国往哪儿走。\n\n咱支部的人想一想:咱这一条船上,今天能为邻居办哪件小事?",
		Class: lesson.Class{Place: "怡园凉亭", At: now.AddDate(0, 0, 2)}}
	b, c, d := a, a, a
	b.ID, b.Title, b.Theme, b.Speaker, b.Class = 1102, "台儿庄的大刀队", lesson.War, "老兵余守信", lesson.Class{}
	c.ID, c.Title, c.Branch, c.Form, c.Video, c.Class = 1103, "百团大战那一夜", "第一支部", lesson.Video, "https://example.com/baituan", lesson.Class{}
	d.ID, d.Title, d.Branch, d.Class = 1104, "别的支部的课", "第二支部", lesson.Class{}
	day := func(n int) lesson.Day {
		return lesson.DayOf(now.AddDate(0, 0, n), h.shape(east).Community.Location())
	}
	work := desk.Classwork{Made: []lesson.Lesson{a, b, c, d}, Planned: []lesson.Planned{
		{Branch: "第一支部", Lesson: 1101, Day: day(-20)}, {Branch: "第一支部", Lesson: 1102, Day: day(-10)}, {Branch: "第一支部", Lesson: 1103, Day: day(5)},
	}, Done: []lesson.Done{{Lesson: 1101, Person: member, Deed: lesson.Read, At: now.AddDate(0, 0, -20)}}}
	for _, p := range h.shape(east).Roster.Members("第一支部") {
		for _, id := range []int64{1101, 1102} {
			work.Done = append(work.Done, lesson.Done{Lesson: id, Person: p.ID, Deed: lesson.Given, At: now.AddDate(0, 0, -20)})
		}
	}
	work.Asked = []lesson.Question{{ID: 1200, Lesson: 1102, Person: member, To: h.people["east/刘书记"].ID, Words: "大刀是从哪儿来的?", At: now.Add(-time.Hour)}}
	h.classwork(work)
}

func (h *house) did(who string, id int64) string {
	h.t.Helper()
	all, err := h.store.LessonDone(h.t.Context(), east, []int64{id})
	h.must(err)
	var out []string
	for _, d := range all {
		if d.Person == h.people["east/"+who].ID {
			out = append(out, string(d.Deed))
		}
	}
	return strings.Join(out, " ")
}

func TestAMemberLearns(t *testing.T) {
	h := newHouse(t)
	h.lessons()
	b := h.tab("east/member", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/lessons")
	b.Do("the list", browsertest.Says("红船上的十三个人"), browsertest.Says("学过了"))
	b.Picture("lessons-390")
	b.FitsItsWidth()
	b.Do("open", chromedp.Click(chromedp.CSS(`a[href$="/lessons/1102"]`)), browsertest.Says("没听明白"))
	b.Picture("lesson-390")
	b.FitsItsWidth()
	if got := h.did("member", 1102); got != "given read" {
		t.Errorf("who opened it: %s", got)
	}
	b.Do("through", browsertest.Presses("学完了"), browsertest.Says("学完了,记下了"))
	m := h.as("east/member")
	for range 2 { // a page opened again is read once
		m.get("/c/east/lessons/1102").mustSay(t, 200, "老兵余守信")
	}
	if got := h.did("member", 1102); got != "given read" {
		t.Errorf("deeds: %s", got)
	}
	m.get("/c/east/lessons/1104").mustSay(t, 404)
	h.as("east/resident").get("/c/east/lessons").mustSay(t, 200, "红船", "but not", "百团大战", "几点给您发课")

	const hour = "/c/east/lessons/hour"
	if a := m.post(hour, m.form("/c/east/lessons", "hour", "7")); a.to() != "/c/east/lessons?said=lesson.hour" {
		t.Errorf("hour: %d %s", a.status, a.body)
	}
	m.post(hour, m.form("/c/east/lessons", "hour", "23")).mustSay(t, 422, "请选 5 点到 21 点")
	m.get("/c/east/me").mustSay(t, 200, "7 点发给您")

	const ask = "/c/east/lessons/1101/ask"
	form := m.form("/c/east/lessons/1101", "words", "红船还在吗")
	for range 2 { // the same form twice asks once
		if a := m.post(ask, form); a.to() != "/c/east/lessons?said=lesson.asked" {
			t.Errorf("ask: %d %s", a.status, a.body)
		}
	}
	asked, err := h.store.LessonAskedBy(t.Context(), east, h.people["east/member"].ID, 10)
	if h.must(err); len(asked) != 2 || asked[0].To != h.people["east/刘书记"].ID {
		t.Fatalf("asked: %+v", asked)
	}
	s := h.as("east/刘书记")
	s.get("/c/east/lessons").mustSay(t, 200, "红船还在吗", "大刀是从哪儿来的")
	if a := h.as("east/worker").post("/c/east/answers/"+itoa(asked[0].ID), url.Values{"words": {"不知道"}}); a.status != http.StatusForbidden {
		t.Errorf("a worker answers: %d", a.status)
	}
	if a := s.post("/c/east/answers/"+itoa(asked[0].ID), url.Values{"words": {"在南湖"}}); a.to() != "/c/east/lessons?said=lesson.answered" {
		t.Errorf("answer: %d %s", a.status, a.body)
	}
	m.get("/c/east/lessons").mustSay(t, 200, "在南湖")
}

// A lesson of a later day shows its day, and opens on it; who prepares it sees it before.
func TestALessonOpensOnItsDay(t *testing.T) {
	h := newHouse(t)
	h.lessons()
	m := h.as("east/member")
	m.get("/c/east/lessons").mustSay(t, 200, "百团大战那一夜", "2026-11-28 学")
	const video = "/c/east/lessons/1103"
	m.get(video).mustSay(t, 200, "2026-11-28 学,到那天发给您", "but not", "打开视频", "学完了", "您先备课")
	for _, do := range []string{"/learnt", "/ask"} {
		m.post(video+do, m.form("/c/east/lessons", "words", "多久")).mustSay(t, 422, "2026-11-28 学,到那天再来")
	}
	if got := h.did("member", 1103); got != "" {
		t.Errorf("deeds before its day: %s", got)
	}
	h.as("east/刘书记").get(video).mustSay(t, 200, "打开视频", "您先备课")
	if got := h.did("刘书记", 1103); got != "" {
		t.Errorf("who prepares it has learnt it: %s", got)
	}
	h.clock.Advance(5 * 24 * time.Hour)
	b := h.tab("east/member", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + video)
	b.Do("open", browsertest.Says("打开视频"), browsertest.Says("学完了"))
	b.Usable()
	if got := h.did("member", 1103); got != "read" {
		t.Errorf("deeds on its day: %s", got)
	}
}

// A question to a speaker without WeChat stands where people work, with a form for what
// the speaker says on the telephone.
func TestASpeakerWithoutWeChatIsAnsweredFor(t *testing.T) {
	h := newHouse(t)
	h.lessons()
	id, err := h.store.UpsertPerson(t.Context(), "speaker", workflow.Person{Community: east, Name: "余守信", Phone: "19900009999", Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "第二支部"}}})
	h.must(err)
	h.must(h.desk.Refresh(t.Context()))
	all, err := h.store.LessonsByID(t.Context(), east, []int64{1102})
	h.must(err)
	l := all[1102]
	l.Teacher = id
	h.classwork(desk.Classwork{Made: []lesson.Lesson{l}})
	m := h.as("east/member")
	if a := m.post("/c/east/lessons/1102/ask", m.form("/c/east/lessons/1102", "words", "山上冷不冷")); a.to() != "/c/east/lessons?said=lesson.asked" {
		t.Fatalf("ask: %d %s", a.status, a.body)
	}
	mine, err := h.store.LessonAskedBy(t.Context(), east, h.people["east/member"].ID, 10)
	h.must(err)
	answer := "/c/east/answers/" + itoa(mine[0].ID)
	s := h.as("east/刘书记")
	for _, page := range []string{"/c/east/lessons", "/c/east/work", "/c/east/branch"} {
		s.get(page).mustSay(t, 200, "山上冷不冷", "老兵余守信没有微信", "看电话 199****9999", "but not", "19900009999")
	}
	h.as("east/committee").get("/c/east/branch").mustSay(t, 200, "山上冷不冷")
	h.as("east/committee").get("/c/east/work").mustSay(t, 200, "but not", "山上冷不冷") // the secretary was told a moment ago
	h.as("east/worker").get("/c/east/work").mustSay(t, 200, "but not", "山上冷不冷")
	if a := h.as("east/worker").post(answer+"/phone", url.Values{}); a.status != http.StatusForbidden {
		t.Errorf("a worker sees the speaker's number: %d", a.status)
	}
	b := h.tab("east/刘书记", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/work")
	b.Do("asked", browsertest.Says("山上冷不冷"))
	b.Picture("asked-390")
	b.FitsItsWidth()
	s.post(answer+"/phone", s.form("/c/east/work")).mustSay(t, 200, "打 19900009999")
	if got := h.logged(east); got[len(got)-1] != "phone.look" {
		t.Errorf("the audit log: %v", got)
	}
	if a := s.post(answer, s.form("/c/east/work", "words", "零下二十多度", "back", "work")); a.to() != "/c/east/work?said=lesson.answered" {
		t.Errorf("answer: %d %s %s", a.status, a.to(), a.body)
	}
	s.post(answer, s.form("/c/east/work", "words", "不知道")).mustSay(t, 422, "已经有人回答过了")
	s.get("/c/east/work").mustSay(t, 200, "but not", "山上冷不冷")
	m.get("/c/east/lessons").mustSay(t, 200, "零下二十多度")
	owed, err := h.store.OwedPushes(t.Context(), east, h.clock.Now(), 100)
	h.must(err)
	if !slices.ContainsFunc(owed, func(p desk.Push) bool {
		return p.Purpose == workflow.TellLessonAnswer && p.Person == h.people["east/member"].ID
	}) {
		t.Error("who asked is not told")
	}
}

func TestTheSecretarySeesWhomToVisit(t *testing.T) {
	h := newHouse(t)
	h.lessons()
	b := h.tab("east/刘书记", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/branch")
	b.Do("who", browsertest.Says("该去看看的"), browsertest.Says("吴桂芬"))
	b.Picture("branch-390")
	b.FitsItsWidth()
	d := h.tab("east/committee", browsertest.DeskWidth, browsertest.DeskHeight)
	d.Go(h.url + "/c/east/branch")
	d.Picture("branch-1280")
	d.FitsItsWidth()

	s := h.as("east/刘书记")
	page := s.get("/c/east/branch")
	page.mustSay(t, 200, "199****7772", "微信发不到他", "学到 1/3", "but not", "19900007772")
	wu := itoa(int64(h.people["east/吴桂芬"].ID))
	s.post("/c/east/branch/people/"+wu+"/phone", s.form("/c/east/branch")).mustSay(t, 200, "19900007772")
	visit := "/c/east/branch/people/" + wu + "/visit"
	a := s.post(visit, s.form("/c/east/branch"))
	if to, _ := url.QueryUnescape(a.to()); to != "/c/east/branch?said=lesson.visit&branch=第一支部" {
		t.Fatalf("visit: %d %s %s", a.status, a.to(), a.body)
	}
	visits, err := h.store.DoorVisits(t.Context(), east, []workflow.PersonID{h.people["east/吴桂芬"].ID})
	h.must(err)
	ticket := visits[h.people["east/吴桂芬"].ID]
	if ticket.State != workflow.Assigned || ticket.Owner != h.people["east/刘书记"].ID || ticket.Place.Room != "101" || ticket.Why != workflow.WhySpeaker {
		t.Errorf("the visit: %+v", ticket)
	}
	s.get("/c/east/branch").mustSay(t, 200, "送学上门 "+number(ticket)+" 号在办")
	s.get("/c/east/t/"+number(ticket)).mustSay(t, 200, "吴桂芬", "101")
	if a := s.post(visit, s.form("/c/east/branch")); a.status != http.StatusConflict {
		t.Errorf("a second visit while one is on its way: %d", a.status)
	}
	for _, who := range []string{"member", "worker", "admin", "resident"} {
		if a := h.as("east/" + who).get("/c/east/branch"); a.status != http.StatusForbidden {
			t.Errorf("%s sees the branch: %d", who, a.status)
		}
	}
	// A visit that was made counts: she need not be visited again.
	by := workflow.By(h.people["east/刘书记"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: by}, workflow.Command{Name: workflow.CmdResolve, Actor: by, Text: "讲了一课"})
	if body := s.get("/c/east/branch").body; strings.Index(body, "吴桂芬") < strings.Index(body, "其他党员") {
		t.Error("she was visited, and should be visited")
	}
}

func TestALessonIsMadeAndPlanned(t *testing.T) {
	h := newHouse(t)
	h.lessons()
	s := h.as("east/刘书记")
	const fresh = "/c/east/branch/lessons/new"
	fill := func(pairs ...string) url.Values {
		return s.form(fresh, append([]string{"title", "雷锋的存折", "speaker", "老党员卢有粮", "theme", "history", "form", "text", "minutes", "7", "text", "他寄走了一百块。", "branch", "第一支部"}, pairs...)...)
	}
	for says, form := range map[string]url.Values{
		"几分钟请写 1 到 10": fill("minutes", "11"),
		"最多 3000 个字":   fill("text", strings.Repeat("字", 3001)),
		"请选一段录音":       fill("form", "voice"),
		"https 开头的网址":  fill("form", "video", "video", "http://x.example"),
		"线下课要写在哪儿":     fill("place", "怡园凉亭"),
		"请选一个":         fill("branch", "第二支部"),
		"请选 5 点到 21 点": fill("place", "怡园凉亭", "day", "2026-11-30", "hour", "99"),
		"题目要写":         fill("title", " "),
	} {
		s.post(fresh, form).mustSay(t, 422, says)
	}
	if a := s.post(fresh, fill()); a.status != http.StatusSeeOther {
		t.Fatalf("made: %d %s", a.status, a.body)
	}
	all, err := h.store.LessonsFor(t.Context(), east, []string{"第一支部"}, 10)
	h.must(err)
	made := all[0]
	if made.Title != "雷锋的存折" || made.By != h.people["east/刘书记"].ID || made.Branch != "第一支部" {
		t.Fatalf("made: %+v", made)
	}
	const plan = "/c/east/branch/plan"
	put := func(pairs ...string) answer {
		return s.post(plan, s.form("/c/east/branch", append([]string{"branch", "第一支部", "lesson", itoa(made.ID)}, pairs...)...))
	}
	put("day", "2026-11-22").mustSay(t, 422, "学习的日子要是今天以后的")
	put("day", "x").mustSay(t, 422, "学习的日子要是今天以后的")
	for _, day := range []string{"2026-11-25", "2026-11-26"} { // planned again it is moved
		if a := put("day", day); a.status != http.StatusSeeOther {
			t.Fatalf("planned: %d %s", a.status, a.body)
		}
	}
	planned, err := h.store.LessonPlan(t.Context(), east, "2026-11-24", "2026-11-27")
	if h.must(err); len(planned) != 1 || planned[0].Day != "2026-11-26" || planned[0].Lesson != made.ID {
		t.Errorf("the plan: %+v", planned)
	}
	put("lesson", "1101", "day", "2026-11-26").mustSay(t, 422, "已经发了")
	if a := put("branch", "第二支部", "day", "2026-11-26"); a.status != http.StatusNotFound {
		t.Errorf("another branch: %d", a.status)
	}
	if a := put("do", "remove"); a.status != http.StatusSeeOther {
		t.Errorf("out of the plan: %d %s", a.status, a.body)
	}
	s.get("/c/east/branch/lessons/1101").mustSay(t, http.StatusForbidden) // of all branches: the committee's

	// A recording is one by its content, and is heard by whom it is played to.
	send := func(data []byte) answer {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, values := range fill("form", "voice", "title", "录音课") {
			h.must(w.WriteField(name, values[0]))
		}
		h.must(w.WriteField("csrf", s.sign(fresh)))
		part, err := w.CreateFormFile("voice", "a.mp3")
		h.must(err)
		_, err = part.Write(data)
		h.must(errors.Join(err, w.Close()))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+fresh, &body)
		h.must(err)
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Origin", h.url)
		return s.do(req)
	}
	send([]byte("<script>alert(1)</script>")).mustSay(t, 422, "请选一段录音")
	h.clock.Advance(time.Minute)
	if a := send([]byte("ID3\x04\x00\x00\x00\x00\x00\x00 a recording")); a.status != http.StatusSeeOther {
		t.Fatalf("a recording: %d %s", a.status, a.body)
	}
	all, err = h.store.LessonsFor(t.Context(), east, []string{"第一支部"}, 10)
	if h.must(err); all[0].Form != lesson.Voice || all[0].MIME != "audio/mpeg" {
		t.Fatalf("the recording: %+v", all[0])
	}
	voice := "/c/east/lessons/" + itoa(all[0].ID) + "/voice"
	m := h.as("east/member")
	if a := m.get(voice); a.status != http.StatusOK || a.header.Get("Content-Type") != "audio/mpeg" || !strings.Contains(a.body, "a recording") {
		t.Errorf("it comes as %d %v", a.status, a.header)
	}
	if got := h.did("member", all[0].ID); got != "heard" {
		t.Errorf("who played it: %q", got)
	}
	h.as("east/committee").get("/c/east/branch/lessons/1101/code").mustSay(t, 200, "廊亭微课", "怡园凉亭", "<path")
}
