package wechatsim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestControlCalls(t *testing.T) {
	b := newBench(t)
	send := func(headers map[string]string, body string) int {
		req, err := http.NewRequest(http.MethodPost, b.api.URL+"/sim/send", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(res)
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	text := `{"openid":"` + resident + `","kind":"text","text":"灯坏了"}`
	for name, c := range map[string]struct {
		headers map[string]string
		body    string
		want    int
	}{
		"text":                {nil, text, 200},
		"from the page":       {map[string]string{"Sec-Fetch-Site": "same-origin"}, text, 200},
		"from a foreign site": {map[string]string{"Sec-Fetch-Site": "cross-site"}, text, 403},
		"foreign origin":      {map[string]string{"Origin": "https://evil.example"}, text, 403},
		"unknown gesture":     {nil, `{"openid":"` + resident + `","kind":"dance"}`, 400},
		"nobody":              {nil, `{"openid":"no","kind":"text","text":"x"}`, 400},
		"stranger":            {nil, `{"openid":"` + stranger + `","kind":"text","text":"x"}`, 409},
		"no json":             {nil, `{`, 400},
		"too long":            {nil, `{"openid":"` + resident + `","kind":"text","text":"` + strings.Repeat("x", 70<<10) + `"}`, 400},
	} {
		before := len(b.hook.deliveries())
		if got := send(c.headers, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		if delivered := len(b.hook.deliveries()) > before; delivered != (c.want == 200) {
			t.Errorf("%s: delivered %v", name, delivered)
		}
	}
	for kind, event := range map[string]string{"scan": "SCAN", "click": "CLICK", "view": "VIEW", "consent": "subscribe_msg_popup_event", "unfollow": "unsubscribe"} {
		if got := send(nil, fmt.Sprintf(`{"openid":%q,"kind":%q,"text":"x"}`, worker, kind)); got != 200 {
			t.Errorf("%s: %d", kind, got)
		}
		if g := b.hook.lastOne(t); g.Msg.Event != event {
			t.Errorf("%s arrived as %q", kind, g.Msg.Event)
		}
		if kind == "unfollow" {
			send(nil, fmt.Sprintf(`{"openid":%q,"kind":"follow"}`, worker))
		}
	}
}

func TestPagePhotos(t *testing.T) {
	b := newBench(t)
	post := func(openid string, data []byte) int {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		_ = w.WriteField("openid", openid)
		part, _ := w.CreateFormFile("photo", "a.jpg")
		_, _ = part.Write(data)
		_ = w.Close()
		res, err := http.Post(b.api.URL+"/sim/image", w.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(res)
		return res.StatusCode
	}
	sample := photo()
	if _, err := jpeg.Decode(bytes.NewReader(sample)); err != nil {
		t.Errorf("the sample photo is none: %v", err)
	}
	if bytes.Equal(sample, stairwell(false)) {
		t.Error("two sample photos are the same")
	}
	for name, c := range map[string]struct {
		openid string
		data   []byte
		want   int
	}{
		"photo":     {resident, sample, 200},
		"a page":    {resident, []byte("<html><script>alert(1)</script>"), 400},
		"nobody":    {"no", sample, 400},
		"too large": {resident, append(bytes.Clone(sample), make([]byte, 13<<20)...), 400},
	} {
		if got := post(c.openid, c.data); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	e := b.Transcript(resident)[0]
	res, err := http.Get(b.api.URL + e.MediaURL)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(res)
	if data, _ := io.ReadAll(res.Body); !bytes.Equal(data, sample) || res.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the bubble shows %d bytes of %s", len(data), res.Header.Get("Content-Type"))
	}
	// What is no picture is never shown in place, whoever uploaded it.
	evil := must(b.storeMedia("image", "x.html", []byte("<html><script>alert(1)</script>")))(t)
	page, err := http.Get(b.api.URL + evil.path())
	if err != nil {
		t.Fatal(err)
	}
	defer shut(page)
	if page.Header.Get("Content-Type") != "application/octet-stream" || page.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("a page is served as %v", page.Header)
	}
}

// A stream that begins again where it broke off misses nothing and repeats
// nothing.
func TestEventStream(t *testing.T) {
	b := newBench(t)
	must(b.SendText(ctxOf(t), resident, "一"))(t)
	read := func(last string, count int) (ids []int64) {
		req, err := http.NewRequestWithContext(ctxOf(t), http.MethodGet, b.api.URL+"/sim/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Last-Event-ID", last)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(res)
		if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("stream is %s", got)
		}
		for lines := bufio.NewScanner(res.Body); len(ids) < count && lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var s Said
				if err := json.Unmarshal([]byte(data), &s); err != nil {
					t.Fatal(err)
				}
				ids = append(ids, s.ID)
				if len(ids) == 1 {
					must(b.SendText(ctxOf(t), worker, "二"))(t) // while the stream is open
				}
			}
		}
		return ids
	}
	if ids := read("", 2); fmt.Sprint(ids) != "[1 2]" {
		t.Errorf("first stream %v", ids)
	}
	if ids := read("2", 0); len(ids) != 0 {
		t.Errorf("nothing new gave %v", ids)
	}
	must(b.SendText(ctxOf(t), worker, "三"))(t)
	if ids := read("2", 2); fmt.Sprint(ids) != "[3 4]" {
		t.Errorf("second stream %v", ids)
	}
}

func TestOpenLinks(t *testing.T) {
	b := newBench(t)
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(noRedirect.CloseIdleConnections)
	for name, c := range map[string]struct {
		openid, to, site, referer string
		want                      int
	}{
		"from the page":     {resident, "https://a.cn/", "same-origin", "", 302},
		"by its referer":    {resident, "https://a.cn/", "", b.api.URL + "/", 302},
		"typed by hand":     {resident, "https://a.cn/", "none", "", 400},
		"foreign referer":   {resident, "https://a.cn/", "", "https://evil.example/", 400},
		"foreign site":      {resident, "https://a.cn/", "cross-site", b.api.URL + "/", 400},
		"nobody":            {"no", "https://a.cn/", "same-origin", "", 400},
		"no web address":    {resident, "javascript:alert(1)", "same-origin", "", 400},
		"no address at all": {resident, "", "same-origin", "", 400},
	} {
		req, err := http.NewRequest(http.MethodGet, b.api.URL+"/sim/open", nil)
		if err != nil {
			t.Fatal(err)
		}
		q := req.URL.Query()
		q.Set("openid", c.openid)
		q.Set("url", c.to)
		req.URL.RawQuery = q.Encode()
		if c.site != "" {
			req.Header.Set("Sec-Fetch-Site", c.site)
		}
		if c.referer != "" {
			req.Header.Set("Referer", c.referer)
		}
		res, err := noRedirect.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		shut(res)
		if res.StatusCode != c.want || (len(res.Cookies()) == 1) != (c.want == 302) {
			t.Errorf("%s: %d with %d cookies, want %d", name, res.StatusCode, len(res.Cookies()), c.want)
		}
	}
}

func TestFailByControl(t *testing.T) {
	b := newBench(t)
	if out := b.post("/sim/fail", `{"path":"`+pathDomainIP+`","errcode":45009}`); out["ok"] != true {
		t.Errorf("fail gave %v", out)
	}
	b.wantCode("failing", b.get(pathDomainIP+"?access_token="+b.token()), 45009)
	b.post("/sim/fail", `{"reset":true}`)
	b.wantCode("reset", b.get(pathDomainIP+"?access_token="+b.token()), 0)
	if out := b.post("/sim/fail", `{"http_status":7}`); out["error"] == nil {
		t.Errorf("an impossible status was taken: %v", out)
	}
}

// The page's files come with a policy that lets nothing else in.
func TestPageFiles(t *testing.T) {
	b := newBench(t)
	for path, want := range map[string]string{
		"/": "text/html", "/page/style.css": "text/css", "/page/phone.js": "text/javascript", "/page/bubble.js": "text/javascript",
	} {
		res, err := http.Get(b.api.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		shut(res)
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), want) || len(body) == 0 {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
		if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if strings.Contains(string(body), "http://") && strings.Contains(strings.ReplaceAll(string(body), "http://www.w3.org/2000/svg", ""), "http://") {
			t.Errorf("%s names a foreign address", path)
		}
	}
	if res, err := http.Get(b.api.URL + "/page/nothing"); err != nil || res.StatusCode != 404 {
		t.Error("an unknown file was given")
	} else {
		shut(res)
	}
}

// A link of the product opens in the phone's own browser where the phones are looked
// at on this machine; what is not the product's, and anywhere else, as it is.
func TestAPhoneHasItsOwnBrowser(t *testing.T) {
	b := newBench(t, func(o *Options) { o.ServerAddr = "http://127.0.0.1:8080" })
	for name, c := range map[string]struct{ host, to, want string }{
		"a page of the product": {"127.0.0.1:8081", "http://127.0.0.1:8080/c/x/login/scan/t?a=b", "http://p0.localhost:8081/c/x/login/scan/t?a=b"},
		"by name":               {"localhost:8081", "http://127.0.0.1:8080/c/x", "http://p0.localhost:8081/c/x"},
		"elsewhere":             {"127.0.0.1:8081", "https://a.cn/c/x", "https://a.cn/c/x"},
		"from another machine":  {"192.0.2.7:8081", "http://127.0.0.1:8080/c/x", "http://127.0.0.1:8080/c/x"},
	} {
		req := httptest.NewRequest(http.MethodGet, "/sim/open?"+url.Values{"openid": {resident}, "url": {c.to}}.Encode(), nil)
		req.Host = c.host
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, req)
		if got := w.Header().Get("Location"); got != c.want {
			t.Errorf("%s: %d %s, want %s", name, w.Code, got, c.want)
		}
	}
}
