package console

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
)

// tab is a real browser in which somebody is logged in, at a size.
func (h *house) tab(who string, width, height int) *browsertest.Browser {
	h.t.Helper()
	b := browsertest.Open(h.t, width, height)
	m := h.member(who)
	for _, c := range m.client.Jar.Cookies(mustParse(h.url)) {
		b.Cookie(h.url, c.Name, c.Value)
	}
	return b
}

func TestAResidentRatesOnTheirTelephone(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "3单元楼道灯不亮了,晚上上下楼看不见")
	h.file(east, "想学用智能手机", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯已经换好,请您看看"})
	b := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/")
	b.Do("my matters", browsertest.Says("我的事项"), browsertest.Says("已办好,等您评价"))
	b.Picture("my-phone")
	b.Do("open", chromedp.Click(chromedp.CSS(`a[href$="`+number(ticket)+`#rate"]`)), browsertest.Says("办得怎么样?"))
	b.Picture("my-ticket-phone")
	b.Do("rate", browsertest.Presses("满意"), browsertest.Says("谢谢您的评价"))
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.State != workflow.Closed || got.Rating != workflow.Satisfied {
		t.Errorf("the ticket is %s, rated %q (%v)", got.State, got.Rating, err)
	}
	b.Picture("my-rated-phone")
}

func TestTheWallHidesWhoAsks(t *testing.T) {
	h := newHouse(t)
	bench := h.file(east, "盼着楼下装个长椅,我住1号楼3单元402,电话13800138000", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "public_project" })
	for _, who := range []string{"neighbour", "volunteer", "worker", "committee"} {
		h.as("east/"+who).get("/c/east/wall").mustSay(t, 200, "长椅", "but not", "402", "13800138000", "孙桂兰", "3单元")
	}
	b := h.tab("east/neighbour", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/wall")
	b.Picture("wall-phone")
	b.FitsItsWidth()
	b.Do("me too", browsertest.Presses("我也想要"), browsertest.Says("记下了,您也想要"))
	v := h.tab("east/volunteer", browsertest.DeskWidth, browsertest.DeskHeight)
	v.Go(h.url + "/c/east/wall")
	v.Picture("wall-desk")
	v.Do("claim", browsertest.Presses("我来认领"), browsertest.Says("认领好了"))
	got, err := h.store.Ticket(t.Context(), east, bench.Number)
	if h.must(err); got.Owner != h.people["east/volunteer"].ID || len(got.Supporters) != 1 {
		t.Errorf("the wish is with %d, %d wish it too", got.Owner, len(got.Supporters))
	}
	if a := h.as("east/colleague").post("/c/east/wall/"+number(bench)+"/support", nil); a.status != 404 {
		t.Errorf("a claimed wish is supported on the wall: %d", a.status)
	}
	mine := h.as("east/resident")
	if a := mine.post("/c/east/my/"+number(bench)+"/consent", url.Values{"named": {"yes"}}); a.status != 303 {
		t.Errorf("consent: %d %s", a.status, a.body)
	}
	h.as("east/volunteer").get("/c/east/t/"+number(bench)).mustSay(t, 200, "孙桂兰", "but not", "13800138000号")
}

func TestAResidentWithdraws(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	path := "/c/east/my/" + number(ticket)
	for _, who := range []string{"neighbour", "worker", "committee"} {
		if a := h.as("east/"+who).post(path+"/withdraw", nil); a.status != 404 {
			t.Errorf("%s withdraws another's matter: %d", who, a.status)
		}
	}
	b := h.as("east/resident")
	b.get(path+"/withdraw").mustSay(t, 200, "不用办了吗")
	if a := b.post(path+"/urge", nil); a.to() != path+"?said=urged" {
		t.Errorf("urging leads to %d %s", a.status, a.to())
	}
	b.post(path+"/urge", nil).mustSay(t, 409, "刚刚已经帮您催过了")
	if a := b.post(path+"/withdraw", nil); a.to() != "/c/east/my?said=withdrawn" {
		t.Errorf("withdrawing leads to %d %s", a.status, a.to())
	}
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.State != workflow.Cancelled {
		t.Errorf("it is %s (%v)", got.State, err)
	}
}

// A photo is one by its content; what is none changes nothing.
func TestOnlyPhotosAreTaken(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	b := h.as("east/resident")
	path := "/c/east/my/" + number(ticket) + "/add"
	send := func(name string, data []byte) answer {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		h.must(w.WriteField("csrf", b.sign(path)))
		h.must(w.WriteField("once", newToken()))
		h.must(w.WriteField("words", "照片"))
		part, err := w.CreateFormFile("photos", name)
		h.must(err)
		_, err = part.Write(data)
		h.must(errors.Join(err, w.Close()))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+path, &body)
		h.must(err)
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Origin", h.url)
		return b.do(req)
	}
	good, err := os.ReadFile(photo(t))
	h.must(err)
	for name, data := range map[string][]byte{
		"a.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "b.jpg": []byte("<script>alert(1)</script>"), "c.html": []byte("<html>"), "d.png": {}, "e.pdf": []byte("%PDF-1.4"),
	} {
		send(name, data).mustSay(t, 422)
	}
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.Version != ticket.Version {
		t.Errorf("what is no photo changes the ticket: %v", err)
	}
	if a := send("evil.html", good); a.status != 303 { // by its content, not its name
		t.Errorf("a photo: %d %s", a.status, a.body)
	}
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	h.must(err)
	a := b.get("/c/east/media/" + got.Media[0].ID)
	if a.header.Get("Content-Type") != "image/jpeg" || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the photo comes as %v", a.header)
	}
}

// Every class of a page is one that a stylesheet knows: ours, or WeUI's.
func TestPagesWearWhatThereIs(t *testing.T) {
	known := map[string]bool{}
	for _, file := range []string{"assets/desk.css", "assets/dist/weui.min.css"} {
		css, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, class := range regexp.MustCompile(`\.([A-Za-z_][\w-]*)`).FindAllSubmatch(css, -1) {
			known[string(class[1])] = true
		}
	}
	files, err := filepath.Glob("../configs/pages/*.html")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	action := regexp.MustCompile(`\{\{.*?\}\}`)
	for _, file := range files {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, attribute := range regexp.MustCompile(`class="((?:[^"{]|\{\{.*?\}\})*)"`).FindAllSubmatch(page, -1) {
			for _, class := range strings.Fields(action.ReplaceAllString(string(attribute[1]), " ")) {
				if !known[class] {
					t.Errorf("%s: no stylesheet knows %q", file, class)
				}
			}
		}
	}
}
