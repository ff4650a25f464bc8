package console

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// joins has a neighbour report the same trouble as a ticket, with words and a door of
// their own.
func (h *house) joins(number int64, text string) (own workflow.Ticket) {
	h.t.Helper()
	n := h.people["east/neighbour"]
	w, err := h.desk.Begin(east, true)
	h.must(err)
	own, _, err = w.FileInto(h.t.Context(), workflow.Command{Actor: workflow.By(n), Reporter: n.ID, Text: text, Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "东园", Building: 1, Unit: 2, Room: "101", Grid: "G1"}, Source: workflow.SourceChat}, number)
	h.must(err)
	h.must(w.Commit(h.t.Context()))
	return own
}

// What one resident wrote, another never reads, not even when it goes on for them.
func TestAWithdrawnMatterGoesOnWithTheOthersWords(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "我得了肝炎,家里水管漏水")
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])},
		workflow.Command{Name: workflow.CmdNote, Actor: workflow.By(h.people["east/worker"]), Text: "带了药去看您"})
	h.joins(ticket.Number, "也漏水,我丈夫打我")
	path := "/c/east/my/" + number(ticket)
	resident, neighbour := h.as("east/resident"), h.as("east/neighbour")
	neighbour.get(path).mustSay(t, http.StatusOK, "登记", "but not", "肝炎", "402", "带了药")
	if a := neighbour.post(path+"/add", url.Values{"words": {"我婆婆的秘密病"}}); a.status != http.StatusSeeOther {
		t.Fatalf("adding: %d %s", a.status, a.body)
	}
	neighbour.get(path).mustSay(t, http.StatusOK, "我婆婆的秘密病")
	resident.get(path).mustSay(t, http.StatusOK, "肝炎", "402", "带了药去看您", "邻居补充", "but not", "婆婆", "打我")
	h.as("east/worker").get("/c/east/t/"+number(ticket)).mustSay(t, http.StatusOK, "肝炎", "婆婆")

	if a := resident.post(path+"/withdraw", nil); a.to() != "/c/east/my?said=left_to_others" {
		t.Fatalf("withdrawing leads to %d %s", a.status, a.to())
	}
	neighbour.get(path).mustSay(t, http.StatusOK, "也漏水,我丈夫打我", "101", "接着为其他住户办", "but not", "肝炎", "402", "带了药")
	neighbour.get("/c/east/my").mustSay(t, http.StatusOK, "也漏水", "but not", "肝炎")
	h.as("east/worker").get("/c/east/t/"+number(ticket)).mustSay(t, http.StatusOK, "也漏水", "101", "but not", "肝炎")
	resident.get(path).mustSay(t, http.StatusNotFound)
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	h.must(err)
	if got.Reporter != h.people["east/neighbour"].ID || got.Text != "也漏水,我丈夫打我" || len(got.Followers) != 0 {
		t.Errorf("it goes on as %+v", got)
	}
	events, err := h.store.Events(t.Context(), east, ticket.Number)
	h.must(err)
	if again := workflow.Replay(east, ticket.Number, events); again.Text != got.Text || again.Reporter != got.Reporter || again.Place != got.Place {
		t.Errorf("its events make %+v", again)
	}
	for words, want := range map[string]int{"肝炎": 0, "丈夫打我": 2} {
		found, err := h.store.Search(t.Context(), east, desk.Query{Words: words})
		h.must(err)
		if len(found.Tickets) != want {
			t.Errorf("%s finds %d tickets, want %d", words, len(found.Tickets), want)
		}
	}
}

// Of a wish that neighbours wished too there stays what the wall showed, and nobody
// agreed for them to be known.
func TestAWithdrawnWishGoesOnNameless(t *testing.T) {
	h := newHouse(t)
	h.console.o.Mask = h.console.o.Understander.Mask
	ticket := h.file(east, "孙桂兰想要楼下有个长椅,我住1号楼3单元402,电话13800138000", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "public_project" })
	r, n, partner := h.people["east/resident"], h.people["east/neighbour"], h.people["east/partner"]
	n.Name = "周小红"
	_, err := h.store.UpsertPerson(t.Context(), "neighbour", n)
	h.must(err)
	h.as("east/volunteer").get("/c/east/wall").mustSay(t, http.StatusOK, "长椅", "but not", "孙桂兰", "402", "13800138000")
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdConsent, Actor: workflow.By(r), Yes: true}, workflow.Command{Name: workflow.CmdSupport, Actor: workflow.By(n)},
		workflow.Command{Name: workflow.CmdClaim, Actor: workflow.By(partner), Unit: "北村小学"})
	h.unreached(ticket.Number, n.ID)
	h.unreached(ticket.Number, r.ID)
	b := h.as("east/partner")
	b.get("/c/east/work").mustSay(t, http.StatusOK, "孙桂兰", "but not", "周小红", workflow.HidePhone(n.Phone))
	b.post("/c/east/work/calls/"+number(ticket), nil).mustSay(t, http.StatusOK, r.Phone, "but not", n.Phone)
	h.as("east/worker").get("/c/east/work").mustSay(t, http.StatusOK, "周小红") // somebody can telephone them

	resident := h.as("east/resident")
	if a := resident.post("/c/east/my/"+number(ticket)+"/withdraw", nil); a.to() != "/c/east/my?said=left_to_others" {
		t.Fatalf("withdrawing leads to %d %s", a.status, a.to())
	}
	h.as("east/neighbour").get("/c/east/my/"+number(ticket)).mustSay(t, http.StatusOK, "长椅", "but not", "孙桂兰", "402", "13800138000", "1号楼")
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	h.must(err)
	if got.Reporter != n.ID || got.Named || len(got.Supporters) != 0 || got.Place.Room != "" {
		t.Errorf("it goes on as %+v", got)
	}
	b.get("/c/east/work").mustSay(t, http.StatusOK, "but not", "孙桂兰", "周小红")
	b.post("/c/east/work/calls/"+number(ticket), nil).mustSay(t, http.StatusOK, "but not", r.Phone, n.Phone)
	if a := b.post("/c/east/t/"+number(ticket)+"/contact", nil); a.status != http.StatusForbidden {
		t.Errorf("who has it learns who wishes it now: %d %s", a.status, a.body)
	}
}

// Names are hidden wherever a text is shown without who wrote it.
func TestKnownNamesAreMasked(t *testing.T) {
	h := newHouse(t)
	h.console.o.Mask = h.console.o.Understander.Mask
	wish := h.file(east, "孙桂兰想要一台轮椅", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.as("east/neighbour").get("/c/east/wall").mustSay(t, http.StatusOK, "想要一台轮椅", "but not", "孙桂兰")
	h.as("east/partner").get("/c/east/t/"+number(wish)).mustSay(t, http.StatusOK, "想要一台轮椅", "but not", "孙桂兰")
	h.as("east/partner").post("/c/east/t/"+number(wish)+"/do/claim", nil)
	h.as("east/partner").get("/c/east/t/"+number(wish)).mustSay(t, http.StatusOK, "想要一台轮椅", "but not", "孙桂兰")
	h.as("east/partner").get("/c/east/work").mustSay(t, http.StatusOK, "but not", "孙桂兰")

	odd := h.file(east, "孙桂兰家门口有只鹅", func(c *workflow.Command) { c.Category, c.Kind = "", "" })
	if a := h.as("east/worker").post("/c/east/t/"+number(odd)+"/do/classify", url.Values{"category": {"greening"}, "severity": {"minor"}}); a.status != http.StatusSeeOther {
		t.Fatalf("filing by hand: %d %s", a.status, a.body)
	}
	h.as("east/admin").get("/c/east/admin/model").mustSay(t, http.StatusOK, "门口有只鹅", "but not", "孙桂兰")
	a := h.as("east/committee").post("/c/east/search/book?q=", nil)
	book, err := excelize.OpenReader(strings.NewReader(a.body))
	h.must(err)
	defer book.Close()
	rows, err := book.GetRows("诉求和心愿")
	h.must(err)
	if all := fmt.Sprint(rows); !strings.Contains(all, "门口有只鹅") || strings.Contains(all, "孙桂兰") {
		t.Errorf("the table without names says %s", all)
	}
}

// Staff's reasons are staff's.
func TestReasonsAreNotTheResidents(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯坏了")
	w, c, committee := h.people["east/worker"], h.people["east/colleague"], h.people["east/committee"]
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(w)},
		workflow.Command{Name: workflow.CmdCall, Actor: workflow.By(w), To: h.people["east/property"].ID, Text: "这家人难缠"},
		workflow.Command{Name: workflow.CmdDecline, Actor: workflow.By(h.people["east/property"]), Text: "不想去他家"},
		workflow.Command{Name: workflow.CmdEscalate, Actor: workflow.By(w), Text: "他老投诉"},
		workflow.Command{Name: workflow.CmdTransfer, Actor: workflow.By(w), To: c.ID, Text: "我怕他"},
		workflow.Command{Name: workflow.CmdReturn, Actor: workflow.By(c), Text: "这家人无理取闹"},
		workflow.Command{Name: workflow.CmdAssign, Actor: workflow.By(committee), To: w.ID, Text: "忍一忍", Why: workflow.WhyByHand},
		workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(w)}, workflow.Command{Name: workflow.CmdNote, Actor: workflow.By(w), Text: "明天上门"})
	reasons := []string{"这家人难缠", "不想去他家", "他老投诉", "我怕他", "这家人无理取闹", "忍一忍"}
	h.as("east/resident").get("/c/east/my/"+number(ticket)).mustSay(t, http.StatusOK, append([]string{"明天上门", "退回", "but not"}, reasons...)...)
	h.as("east/committee").get("/c/east/t/"+number(ticket)).mustSay(t, http.StatusOK, "这家人无理取闹", "不想去他家", "我怕他", "他老投诉")
}

// A photo is for who sent it, who handles its matter, and where it came with a result
// for whose matter it is.
func TestWhosePhotosAreSeen(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯坏了")
	h.joins(ticket.Number, "灯坏了")
	send := func(who, path string) string {
		t.Helper()
		data, err := os.ReadFile(photo(t))
		h.must(err)
		before := map[string]bool{}
		now, err := h.store.Ticket(t.Context(), east, ticket.Number)
		h.must(err)
		for _, m := range now.Media {
			before[m.ID] = true
		}
		if a := h.as("east/"+who).send(path, "photos", "a.jpg", data); a.status != http.StatusSeeOther {
			t.Fatalf("%s sends a photo: %d %s", who, a.status, a.body)
		}
		now, err = h.store.Ticket(t.Context(), east, ticket.Number)
		h.must(err)
		for _, m := range now.Media {
			if !before[m.ID] {
				return m.ID
			}
		}
		t.Fatalf("%s's photo is not there", who)
		return ""
	}
	mine := send("resident", "/c/east/my/"+number(ticket)+"/add")
	theirs := send("neighbour", "/c/east/my/"+number(ticket)+"/add")
	found := send("committee", "/c/east/t/"+number(ticket)+"/do/supplement")
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])},
		workflow.Command{Name: workflow.CmdResolve, Actor: workflow.By(h.people["east/worker"]), Text: "好了", Media: []workflow.Media{{ID: found + "x", Type: "image"}}})
	for who, sees := range map[string]map[string]int{
		"resident":  {mine: 200, theirs: 404, found: 404},
		"neighbour": {mine: 404, theirs: 200, found: 404},
		"worker":    {mine: 200, theirs: 200, found: 200},
		"partner":   {mine: 404, theirs: 404, found: 404},
	} {
		for id, want := range sees {
			if a := h.as("east/" + who).get("/c/east/media/" + id); a.status != want {
				t.Errorf("%s and a photo of %v: %d, want %d", who, map[string]string{mine: "the resident", theirs: "the neighbour", found: "the committee"}[id], a.status, want)
			}
		}
	}
	a := h.as("east/resident").get("/c/east/my/" + number(ticket))
	a.mustSay(t, http.StatusOK, mine, found+"x", "but not", theirs)
	a = h.as("east/neighbour").get("/c/east/my/" + number(ticket))
	a.mustSay(t, http.StatusOK, theirs, found+"x", "but not", mine)
}

// What a resident wrote in a task that failed is shown where it was asked for, and the
// audit log says by whom and whose it was.
func TestWordsOfDeadLettersAreAskedFor(t *testing.T) {
	h := newHouse(t)
	h.bury(east, desk.Task{Kind: desk.TaskMessage, Key: "m:1", Body: []byte(`{"OpenID":"o-east-resident","Words":"我婆婆的秘密病"}`)})
	b, path := h.as("east/admin"), "/c/east/admin/failures"
	b.get(path).mustSay(t, http.StatusOK, "孙桂兰", "看原话", "but not", "我婆婆的秘密病")
	id := itoa(h.letters(east)[0].ID)
	b.post(path+"/"+id+"/words", nil).mustSay(t, http.StatusOK, "我婆婆的秘密病", "but not", "看原话")
	b.get(path).mustSay(t, http.StatusOK, "but not", "我婆婆的秘密病")
	if a := h.as("east/committee").post(path+"/"+id+"/words", nil); a.status != http.StatusForbidden {
		t.Errorf("the committee reads it: %d", a.status)
	}
	if a := b.post(path+"/999999/words", nil); a.status != http.StatusNotFound {
		t.Errorf("a letter that is not there: %d", a.status)
	}
	lines, err := h.store.AuditLog(t.Context(), east, access.Entries{Limit: 50})
	h.must(err)
	seen := 0
	for _, e := range lines {
		if e.Action == "words.look" && e.Person == h.people["east/admin"].ID && e.Object != "letter 999999" {
			if e.Object != "letter "+id+", person "+itoa(int64(h.people["east/resident"].ID)) {
				t.Errorf("the line is about %q", e.Object)
			}
			seen++
		}
	}
	if seen != 1 {
		t.Errorf("%d lines", seen)
	}
	b.get("/c/east/admin/audit").mustSay(t, http.StatusOK, "查看居民原话", "孙桂兰")
}

// A refusal does not tell which numbers there are.
func TestCalledTellsNoNumbers(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯坏了")
	b := h.as("east/partner")
	there, not := b.post("/c/east/t/"+number(ticket)+"/called", nil), b.post("/c/east/t/999999/called", nil)
	if there.status != http.StatusNotFound || not.status != http.StatusNotFound {
		t.Errorf("one that is there: %d, one that is not: %d", there.status, not.status)
	}
}

// A link says whose login it is, so that who got it by mistake leaves it alone.
func TestALinkSaysWhoseItIs(t *testing.T) {
	h := newHouse(t)
	links := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}
	for who, want := range map[string]string{"worker": "秦*", "resident": "孙**", "neighbour": "发给您一个人的"} {
		link, err := links.LoginLink(t.Context(), east, h.people["east/"+who].ID, "")
		h.must(err)
		h.browser().get(strings.TrimPrefix(link, h.url)).mustSay(t, http.StatusOK, want, "but not", "秦霞", "孙桂兰")
	}
}
