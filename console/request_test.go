package console

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/media"
	"github.com/wishdesk/wishdesk/workflow"
)

// upload sends words and a file as the photo of a form.
func (b *browser) upload(path string, data []byte, words ...string) answer {
	b.t.Helper()
	return b.sends(path, url.Values{"once": {newToken()}, "words": {strings.Join(append(words, "有照片"), ",")}}, data)
}

// sends sends a form with a photo as a page would.
func (b *browser) sends(path string, form url.Values, photo []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	form.Set("csrf", b.sign(path))
	for name := range form {
		b.must(w.WriteField(name, form.Get(name)))
	}
	if photo != nil {
		part, err := w.CreateFormFile("photos", "paper.jpg")
		b.must(err)
		_, err = part.Write(photo)
		b.must(err)
	}
	b.must(w.Close())
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, &body)
	b.must(err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Origin", b.url)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// recorded is what the pages answer to a request that comes from anywhere.
func (h *house) recorded(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.console.Handler().ServeHTTP(w, r)
	return w
}

// What a large form is written down to while it is read goes with the request.
func TestUploadsLeaveNothingBehind(t *testing.T) {
	h := newHouse(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ticket := h.file(east, "楼道灯坏了")
	if a := h.as("east/resident").upload("/c/east/my/"+number(ticket)+"/add", bytes.Repeat([]byte("x"), 6<<20)); a.status != http.StatusUnprocessableEntity {
		t.Errorf("what is no photo: %d %s", a.status, a.body)
	}
	left, err := os.ReadDir(dir)
	h.must(err)
	if len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

// A photo is kept with what was done, and not with what was refused.
func TestPhotosOfWhatIsRefusedAreNotKept(t *testing.T) {
	h := newHouse(t)
	root := t.TempDir()
	dir, err := media.Dir(root)
	h.must(err)
	h.console.o.Media = cleaned{dir}
	picture, err := os.ReadFile(photo(t))
	h.must(err)
	kept := func() int {
		t.Helper()
		files, err := filepath.Glob(root + "/east/*")
		h.must(err)
		return len(files)
	}
	ticket := h.file(east, "楼道灯坏了")
	me, path := h.as("east/resident"), "/c/east/my/"+number(ticket)
	if a := me.upload(path+"/add", picture); a.status != http.StatusSeeOther || kept() != 1 {
		t.Fatalf("added: %d %s, %d files", a.status, a.body, kept())
	}
	if a := me.post(path+"/withdraw", nil); a.status != http.StatusSeeOther {
		t.Fatalf("withdrawn: %d %s", a.status, a.body)
	}
	if a := me.upload(path+"/add", picture); a.status < 400 || kept() != 1 {
		t.Errorf("to a matter that is over: %d, %d files are kept", a.status, kept())
	}
}

// Nobody fills the desk up by pressing a button, and others are not held up by it.
func TestOneSendsSoMuchAndNoMore(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯坏了")
	me, path := h.as("east/resident"), "/c/east/my/"+number(ticket)+"/add"
	last := answer{}
	for n := range 31 {
		last = me.post(path, url.Values{"words": {fmt.Sprint("还没来,第", n, "遍")}})
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("the 31st within an hour: %d", last.status)
	}
	n := h.people["east/neighbour"]
	w, err := h.desk.Begin(east, true)
	h.must(err)
	other, err := w.File(t.Context(), workflow.Command{Actor: workflow.By(n), Reporter: n.ID, Text: "下水道堵了", Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "东园", Building: 1, Unit: 1, Room: "101", Grid: "G1"}, Source: workflow.SourceChat})
	h.must(err)
	h.must(w.Commit(t.Context()))
	if a := h.as("east/neighbour").post("/c/east/my/"+number(other)+"/add", url.Values{"words": {"很急"}}); a.status != http.StatusSeeOther {
		t.Errorf("a neighbour: %d %s", a.status, a.body)
	}
}

// Who asks for codes again and again keeps nobody else from logging in.
func TestCodesToScanAreCountedByAddress(t *testing.T) {
	h := newHouse(t)
	v := h.browser()
	last := answer{}
	for range codesEach + 1 {
		last = v.get("/c/east/login")
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("too often: %d", last.status)
	}
	other := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/c/east/login", nil)
	other.RemoteAddr = "198.51.100.7:1234"
	if w := h.recorded(other); w.Code != http.StatusOK {
		t.Errorf("another address: %d", w.Code)
	}
}

// Every answer of the pages tells the browser what it may do with it.
func TestHeaders(t *testing.T) {
	h := newHouse(t)
	a := h.as("east/resident").get("/c/east/my")
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	h.console.o.PublicURL = "https://desk.example.org"
	w := h.recorded(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/c/east/login", nil))
	if got := w.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("over TLS: %q", got)
	}
	cookies := w.Result().Cookies()
	if len(cookies) == 0 {
		t.Error("the login sets no cookie")
	}
	for _, c := range cookies {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			t.Errorf("over TLS a cookie is %s", c.Raw)
		}
	}
}

// A ticket does not grow without end, and who adds to it is told so.
func TestATicketHoldsSoMuch(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯坏了")
	me, path := h.as("east/resident"), "/c/east/my/"+number(ticket)+"/add"
	for n := range 9 {
		if a := me.post(path, url.Values{"words": {strings.Repeat("急", 1000)}}); a.status != http.StatusSeeOther {
			t.Fatalf("the %d. time: %d %s", n, a.status, a.body)
		}
	}
	me.post(path, url.Values{"words": {strings.Repeat("急", 1000)}}).mustSay(t, http.StatusConflict, "已经记了很多")
}

// Who may claim wishes may also join who has claimed one, from a page.
func TestAClaimerJoins(t *testing.T) {
	h := newHouse(t)
	wish := h.file(east, "我爱人瘫痪了,想要一台轮椅", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdClaim, Actor: workflow.By(h.people["east/partner"]), Unit: "北村小学"})
	b, path := h.as("east/volunteer"), "/c/east/t/"+number(wish)
	b.get(path).mustSay(t, http.StatusOK, "算我一份", "想要一台轮椅", "but not", "402", "孙桂兰")
	if a := b.post(path+"/do/join", url.Values{"words": {"我出车"}}); a.status != http.StatusSeeOther {
		t.Errorf("joining: %d %s", a.status, a.body)
	}
	if got, err := h.store.Ticket(t.Context(), east, wish.Number); err != nil || got.Hand(h.people["east/volunteer"].ID) == nil {
		t.Errorf("they have no part: %+v %v", got.Hands, err)
	}
}

// A list that is cut says so, and can be made longer.
func TestListsGoOn(t *testing.T) {
	h := newHouse(t)
	for range listed + 1 {
		h.file(east, "楼道灯坏了")
	}
	b := h.as("east/resident")
	b.get("/c/east/my").mustSay(t, http.StatusOK, "?more=2", "but not", "/my/1001\"")
	b.get("/c/east/my?more=2").mustSay(t, http.StatusOK, "/my/1001\"", "but not", "?more=3")
	for i := range mostVisits + 1 {
		c := workflow.Care{Community: east, Name: fmt.Sprintf("王%03d", i), Kind: workflow.LivingAlone, Every: 14, Place: workflow.Place{Estate: "东园", Building: 1, Unit: 1, Room: fmt.Sprint(i), Grid: "G1"},
			NextVisit: h.clock.Now().Add(time.Duration(i) * time.Hour)}
		_, err := h.store.PutCare(t.Context(), c)
		h.must(err)
	}
	w := h.as("east/worker")
	w.get("/c/east/rounds").mustSay(t, http.StatusOK, "王099", "?more=2", "but not", "王100")
	w.get("/c/east/rounds?more=2").mustSay(t, http.StatusOK, "王100", "but not", "?more=3")
}
