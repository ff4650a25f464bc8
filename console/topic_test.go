package console

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// topicNumber is the number that a page was led to.
var topicNumber = regexp.MustCompile(`/topics/(\d+)\?said=`)

// topicOf is a topic that a resident proposes on the page and the committee opens.
func (h *house) topicOf(who, words string) string {
	h.t.Helper()
	const path = "/c/east/topics"
	b, k := h.as(who), h.as("east/committee")
	a := b.post(path, b.form(path, "level", "building", "words", words))
	m := topicNumber.FindStringSubmatch(a.to())
	if m == nil {
		h.t.Fatalf("not proposed: %d %s", a.status, a.body)
	}
	one := path + "/" + m[1]
	if a := k.post(one+"/do/open", k.form(one)); a.to() != one+"?said=topic.open" {
		h.t.Fatalf("not opened: %d %s", a.status, a.body)
	}
	return one
}

// From the proposal on the page to the ticket: what each sees, and may.
func TestATopicFromItsFirstWordToItsEnd(t *testing.T) {
	h := newHouse(t)
	const path = "/c/east/topics"
	b, k, n := h.as("east/resident"), h.as("east/committee"), h.as("east/neighbour")
	b.get(path).mustSay(t, http.StatusOK, "提一个议题", "我们这栋楼", "东园 1号楼", "but not", "我们院")
	if a := b.post(path, b.form(path, "level", "courtyard", "words", "装声控灯")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a topic of no courtyard: %d", a.status)
	}
	if a := b.post(path, b.form(path, "level", "building", "words", " ")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a topic without words: %d", a.status)
	}
	m := topicNumber.FindStringSubmatch(b.post(path, b.form(path, "level", "building", "words", "楼道装声控灯")).to())
	if m == nil {
		t.Fatal("not proposed")
	}
	one := path + "/" + m[1]
	n.get(path).mustSay(t, http.StatusOK, "现在没有正在议的事")
	if a := n.get(one); a.status != http.StatusNotFound {
		t.Errorf("a neighbour sees what the committee has not taken up: %d", a.status)
	}
	b.get(one).mustSay(t, http.StatusOK, "等社区看", "but not", "开不开")
	k.get(path).mustSay(t, http.StatusOK, "等社区看的", "楼道装声控灯")
	if a := b.post(one+"/do/open", b.form(one)); a.status != http.StatusForbidden {
		t.Errorf("a resident opens it: %d", a.status)
	}
	if a := k.post(one+"/do/close", k.form(path)); a.status != http.StatusNotFound {
		t.Errorf("the committee closes a vote: %d", a.status)
	}
	if a := k.post(one+"/do/open", k.form(one)); a.to() != one+"?said=topic.open" {
		t.Fatalf("not opened: %d %s", a.status, a.body)
	}
	data, err := os.ReadFile(photo(t))
	h.must(err)
	if a := k.upload(one+"/do/note", data); a.to() != one+"?said=topic.note" {
		t.Fatalf("no note: %d %s", a.status, a.body)
	}
	n.get(one).mustSay(t, http.StatusOK, "板凳会", "有照片")
	shown := regexp.MustCompile(`<img src="([^"]+/media/[^"]+)"`).FindStringSubmatch(n.get(one).body)
	if shown == nil || n.get(shown[1]).status != http.StatusOK {
		t.Fatalf("a neighbour does not see the photo: %v", shown)
	}
	if a := h.as("west/resident").get(strings.Replace(shown[1], "/east/", "/west/", 1)); a.status != http.StatusNotFound {
		t.Errorf("the photo in another community: %d", a.status)
	}
	for what, bad := range map[string][]string{"no days": {"days", "", "quorum", "2"}, "no quorum": {"days", "3", "quorum", "0"}, "by nobody": {"days", "3", "quorum", "1"}} {
		if a := k.post(one+"/do/call", k.form(one, bad...)); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	if a := k.post(one+"/do/call", k.form(one, "days", "3", "quorum", "1", "by_whom", "household", "secret", "yes")); a.to() != one+"?said=topic.call" {
		t.Fatalf("no vote: %d %s", a.status, a.body)
	}
	b.get(one).mustSay(t, http.StatusOK, "您的意见", "一户一票", "不记名", "赞成", "弃权")
	if a := b.post(one+"/vote", b.form(one, "choice", "perhaps")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("perhaps: %d", a.status)
	}
	yes := b.form(one, "choice", "for")
	for range 2 { // a double tap
		if a := b.post(one+"/vote", yes); a.to() != one+"?said=topic.voted" {
			t.Fatalf("no vote: %d %s", a.status, a.body)
		}
	}
	b.get(one).mustSay(t, http.StatusOK, "已经投过了", "已有 1 票", "but not", "您的意见")
	n.get(one).mustSay(t, http.StatusOK, "已经投过了") // the same door
	n.post(one+"/vote", n.form(one, "choice", "against")).mustSay(t, http.StatusConflict, "已经投过了")
	k.get(one).mustSay(t, http.StatusOK, "谁投了票", "东园 1-3-402", "but not", "赞成", "还不知道您住哪儿")
	tab := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	tab.Go(h.url + one)
	tab.Usable()

	h.clock.Advance(4 * 24 * time.Hour)
	h.must(h.desk.Topics(t.Context(), east))
	b = h.as("east/resident")
	b.get(one).mustSay(t, http.StatusOK, "结果:通过了", "赞成", "1 票", "已登记", "结果不能改")
	var number int64
	_, _ = fmt.Sscan(m[1], &number)
	r, ok, err := h.store.TopicResult(t.Context(), east, number)
	if h.must(err); !ok || r.For != 1 || r.Outcome != topic.Decided {
		t.Fatalf("the result: %+v %v", r, ok)
	}
	ticket, err := h.store.Ticket(t.Context(), east, r.Ticket)
	if h.must(err); ticket.Source != workflow.SourceTopic || ticket.Reporter != h.people["east/resident"].ID {
		t.Errorf("what came of it: %+v", ticket)
	}
	h.as("west/resident").get(strings.Replace(one, "/east/", "/west/", 1)).mustSay(t, http.StatusNotFound, "没有")
	b.get(path).mustSay(t, http.StatusOK, "议过的", "通过了")
}

// The committee makes a topic of a hot spot, and turns one down with a reason that who
// proposed it reads.
func TestTheCommitteesTopics(t *testing.T) {
	h := newHouse(t)
	k := h.as("east/committee")
	const path = "/c/east/topics"
	form := k.form(path, "estate", "东园", "building", "3", "level", "building", "category", "drainage", "times", "4", "words", "下水道老堵,怎么彻底解决?")
	m := topicNumber.FindStringSubmatch(k.post(path, form).to())
	if m == nil {
		t.Fatal("not proposed")
	}
	k.get(path+"/"+m[1]).mustSay(t, http.StatusOK, "反复出问题(4 次)", "东园 3号楼")
	b := h.as("east/resident")
	if a := b.post(path, b.form(path, "estate", "东园", "building", "3", "level", "building", "words", "别的楼的事")); topicNumber.FindStringSubmatch(a.to()) == nil {
		t.Fatalf("a resident's own: %d", a.status)
	} else {
		b.get(a.to()).mustSay(t, http.StatusOK, "东园 1号楼") // their own building, whatever the form says
		one := path + "/" + topicNumber.FindStringSubmatch(a.to())[1]
		if a := k.post(one+"/do/decline", k.form(one, "words", "明年一起修")); a.to() != one+"?said=topic.decline" {
			t.Fatalf("not declined: %d", a.status)
		}
		b.get(one).mustSay(t, http.StatusOK, "没有开", "明年一起修", "but not", "没有通过")
		b.get(path).mustSay(t, http.StatusOK, "没有开", "but not", "没有通过") // nobody has voted it down
	}
}

// The open page of a topic follows it: that people vote now, and of an open vote the
// numbers; of a secret one only how many voted, until it has ended.
func TestATopicsPageFollows(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		secret     bool
		shows, not string
	}{{false, "已有 1 票:赞成 1,反对 0,弃权 0", "不记名"}, {true, "已有 1 票", "赞成 1"}} {
		one := h.topicOf("east/resident", "楼道装声控灯")
		tab := h.tab("east/neighbour", browsertest.PhoneWidth, browsertest.PhoneHeight)
		tab.Go(h.url + one)
		tab.Do("following", browsertest.Says("正在议"), browsertest.Follows())
		w, err := h.desk.Begin(east, true)
		h.must(err)
		number, err := strconv.ParseInt(path.Base(one), 10, 64)
		h.must(err)
		_, err = w.TellTopic(t.Context(), number, h.people["east/committee"], topic.Command{Name: topic.Call, Rules: topic.Rules{
			By: topic.Person, Secret: c.secret, Quorum: 1, Until: h.clock.Now().Add(2 * time.Hour),
		}})
		h.must(err)
		h.must(w.Commit(t.Context()))
		tab.Do("people vote", browsertest.Says("您的意见"))
		b := h.as("east/resident")
		b.post(one+"/vote", b.form(one, "choice", "for"))
		tab.Do("a vote", browsertest.Says(c.shows))
		tab.Holds(`!document.body.innerText.includes('` + c.not + `')`)
		h.clock.Advance(2 * time.Hour)
		h.must(h.desk.Topics(t.Context(), east))
		tab.Do("the end", browsertest.Says("结果:通过了"))
	}
	// A page of a resident that is about something else stands still.
	n := h.as("east/neighbour")
	if text := n.get("/c/east/my").body; !strings.Contains(text, "on=my\"") {
		t.Errorf("the page does not say which it is: %.600s", text)
	}
}

// A vote that cannot come to as many votes as it needs is called only by who says so
// again, knowing how many have a vote.
func TestMoreVotesThanVoters(t *testing.T) {
	h := newHouse(t)
	one := h.topicOf("east/resident", "楼道装声控灯")
	k := h.as("east/committee")
	k.get(one).mustSay(t, http.StatusOK, "登记住着", "but not", `name="sure"`)
	call := k.form(one, "days", "3", "quorum", "很多", "by_whom", "person", "secret", "yes")
	k.post(one+"/do/call", call).mustSay(t, http.StatusUnprocessableEntity, "请写一个整数", "but not", `name="sure"`)
	call.Set("quorum", "90")
	a := k.post(one+"/do/call", call)
	a.mustSay(t, http.StatusUnprocessableEntity, "至少 90 票才算数,可那里登记住着的只有", "凑不齐就作废", `name="sure"`)
	h.as("east/resident").get(one).mustSay(t, http.StatusOK, "正在议", "but not", "您的意见")
	call.Set("sure", "yes")
	if a := k.post(one+"/do/call", call); a.to() != one+"?said=topic.call" {
		t.Fatalf("not called: %d %s", a.status, a.body)
	}
	h.as("east/resident").get(one).mustSay(t, http.StatusOK, "您的意见", "一人一票")
}

// topicsToSee are a topic on which people vote, and one that they talk over.
func (h *house) topicsToSee() (ballot, talked string) {
	h.t.Helper()
	k := h.as("east/committee")
	data, err := os.ReadFile(photo(h.t.(*testing.T)))
	h.must(err)
	for i, words := range []string{"楼道装声控灯,老人晚上上下楼看得清", "楼前加两把能歇脚的长椅"} {
		one := h.topicOf([]string{"east/resident", "east/neighbour"}[i], words)
		k.upload(one+"/do/note", data)
		if talked = one; i == 0 {
			ballot = one
			k.post(one+"/do/call", k.form(one, "days", "5", "quorum", "12", "by_whom", "household", "secret", "yes"))
		}
	}
	return strings.TrimPrefix(ballot, "/c/east/"), strings.TrimPrefix(talked, "/c/east/")
}
