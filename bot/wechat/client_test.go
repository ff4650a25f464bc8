package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"github.com/silenceper/wechat/v2/officialaccount/message"
)

const (
	pathTemplate  = "/cgi-bin/message/template/send"
	pathSubscribe = "/cgi-bin/message/subscribe/bizsend"
	pathMedia     = "/cgi-bin/media/get"
	pathUpload    = "/cgi-bin/media/upload"
	pathQR        = "/cgi-bin/qrcode/create"
	pathOAuth     = "/sns/oauth2/access_token"
)

func TestSends(t *testing.T) {
	p := newAPI(t)
	c := p.client(newShelf())
	m := message.NewCustomerTextMessage(testOpenID, `<a href="https://x.cn/?a=1&b=2">看</a>`)
	if err := c.SendCustom(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := p.body(pathCustom); !strings.Contains(got, `<a href=\"https://x.cn/?a=1&b=2\">看</a>`) {
		t.Errorf("HTML characters are escaped: %s", got)
	}
	id, err := c.SendTemplate(t.Context(), &message.TemplateMessage{
		ToUser: testOpenID, TemplateID: "T", ClientMsgID: "push-1", Data: map[string]*message.TemplateDataItem{"thing1": {Value: "路灯"}},
	})
	if err != nil || id != 200163836 {
		t.Fatal(id, err)
	}
	var sent message.TemplateMessage
	if err := json.Unmarshal([]byte(p.body(pathTemplate)), &sent); err != nil || sent.ClientMsgID != "push-1" || sent.Data["thing1"].Value != "路灯" {
		t.Errorf("%v %+v", err, sent)
	}
	if err := c.SendSubscribe(t.Context(), &message.SubscribeMessage{ToUser: testOpenID, TemplateID: "T"}); err != nil || p.count(pathSubscribe) != 1 {
		t.Error(err)
	}
	if err := c.CreateMenu(t.Context(), []*menu.Button{{Type: "click", Name: "我的进度", Key: "progress"}}); err != nil {
		t.Error(err)
	}
	if got := strings.TrimSpace(p.body("/cgi-bin/menu/create")); got != `{"button":[{"type":"click","name":"我的进度","key":"progress"}]}` {
		t.Error(got)
	}
	if err := c.Ping(t.Context()); err != nil || p.count(pathToken) != 2 {
		t.Errorf("%v: ping did not ask the platform", err)
	}
	p.set(pathTemplate, `{"errcode":0,"errmsg":"ok"}`)
	if _, err := c.SendTemplate(t.Context(), &message.TemplateMessage{ToUser: testOpenID}); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("an answer without msgid: %v", err)
	}
}

func TestErrorCodes(t *testing.T) {
	p := newAPI(t)
	c := p.client(newShelf())
	for code, want := range map[int64]Action{
		-1: Retry, 43117: Retry, 40001: RefreshToken, 40014: RefreshToken, 42001: RefreshToken, 45011: NextMinute, 45009: NextDay,
		45015: OtherChannel, 45047: OtherChannel, 40003: Unreachable, 43004: Unreachable, 43101: Unreachable, 47003: ContentRefused,
		45002: ContentRefused, 48001: ChannelOff, 40164: ChannelOff, 61004: ChannelOff, 40200: ChannelOff, 45064: ChannelOff, 40007: MediaGone, 99999: Unknown,
	} {
		p.set(pathCustom, fmt.Sprintf(`{"errcode":%d,"errmsg":"refused %s, %s, 楼道 rid: 65a1b2c3"}`, code, testOpenID, "Zz9_"+strings.Repeat("x", 60)))
		before := p.count(pathCustom)
		err := c.SendCustom(t.Context(), hello())
		var refused *APIError
		if !errors.As(err, &refused) || refused.Code != code || refused.Action() != want || refused.API != "message/custom/send" {
			t.Fatalf("%d: %v", code, err)
		}
		if errors.Is(err, ErrAmbiguous) || errors.Is(err, ErrNotSent) {
			t.Errorf("%d: a refusal that is something else too: %v", code, err)
		}
		if tries := p.count(pathCustom) - before; tries != 1 && want != RefreshToken || want == RefreshToken && tries != 2 {
			t.Errorf("%d: %d tries", code, tries)
		}
		if strings.Contains(err.Error(), testOpenID) || strings.Contains(err.Error(), "Zz9_") || !strings.Contains(err.Error(), "rid: 65a1b2c3") {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestAmbiguousOrNotSent(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"hang": hangUp, "half": halfBody,
		"gateway":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"page":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>access_token</html>") },
		"empty":      func(http.ResponseWriter, *http.Request) {},
		"no errcode": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) },
		"null":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `null`) },
		"list":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[]`) },
		"two":        func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"errcode":0}{"errcode":1}`) },
		"words":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"errcode":"0"}`) },
		"long":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), maxAnswer+1)) },
		"slammed": func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		},
	} {
		p := newAPI(t)
		p.handle(pathCustom, h)
		c := p.client(newShelf(), func(o *ClientOptions) { o.HTTP.Timeout = 100 * time.Millisecond })
		err := c.SendCustom(t.Context(), hello())
		if errors.Is(err, ErrNotSent) {
			t.Errorf("%s: %v", name, err)
		}
		p.wantErr(err, ErrAmbiguous)
		if n := p.count(pathCustom); n != 1 {
			t.Errorf("%s: sent %d times", name, n)
		}
	}

	p := newAPI(t)
	p.handle(pathCustom, http.NotFoundHandler())
	store := newShelf()
	c := p.client(store)
	err := c.SendCustom(t.Context(), hello())
	p.wantErr(err, ErrNotSent)
	if errors.Is(err, ErrAmbiguous) {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err = c.SendCustom(gone, hello())
	p.wantErr(err, ErrNotSent)
	p.wantErr(err, context.Canceled)

	l, err := net.Listen("tcp", "127.0.0.1:0") // a port where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	c.base = "http://" + l.Addr().String()
	_ = l.Close()
	err = c.SendCustom(t.Context(), hello())
	p.wantErr(err, ErrNotSent)
	if !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("the cause is not told: %v", err)
	}
	c.base = "http://127.0.0.1:notaport"
	p.wantErr(c.SendCustom(t.Context(), hello()), ErrNotSent)
}

func TestCallerMayLeaveWhileSending(t *testing.T) {
	p := newAPI(t)
	arrived := make(chan struct{})
	p.handle(pathCustom, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		hangUp(w, r)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	err := p.client(newShelf()).SendCustom(ctx, hello())
	p.wantErr(err, ErrAmbiguous)
	p.wantErr(err, context.Canceled)
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	var foreign []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { foreign = append(foreign, r.URL.String()) }))
	defer other.Close()
	p := newAPI(t)
	p.handle(pathCustom, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect) //nolint:gosec // that is the test
	}))
	c := p.client(newShelf())
	p.wantErr(c.SendCustom(t.Context(), hello()), ErrNotSent)
	if len(foreign) != 0 {
		t.Errorf("the token went to another host: %v", foreign)
	}
	p.handle(pathCustom, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusTemporaryRedirect) //nolint:gosec // that is the test
	}))
	if err := c.SendCustom(t.Context(), hello()); err != nil || p.body("/elsewhere") != p.body(pathCustom) {
		t.Errorf("%v", err)
	}
	p.handle(pathCustom, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.RequestURI(), http.StatusTemporaryRedirect) //nolint:gosec // that is the test
	}))
	p.wantErr(c.SendCustom(t.Context(), hello()), ErrNotSent)
	p.handle(pathCustom, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://%zz/"+r.URL.RequestURI())
		w.WriteHeader(http.StatusFound)
	}))
	p.sniff(c.SendCustom(t.Context(), hello()))
}

func TestDownload(t *testing.T) {
	p := newAPI(t)
	c := p.client(newShelf())
	const id = "media-id-of-a-photo"
	photo := append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("x"), 100_000)...)
	serve := func(contentType string, body []byte, chunked bool) {
		p.handle(pathMedia, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("media_id") != id {
				t.Errorf("asked for %s", r.URL)
			}
			w.Header().Set("Content-Type", contentType)
			if chunked {
				_ = http.NewResponseController(w).Flush()
			}
			_, _ = w.Write(body)
		}))
	}
	for _, chunked := range []bool{false, true} {
		serve("image/jpeg", photo, chunked)
		data, kind, err := c.Download(t.Context(), id, int64(len(photo)))
		if err != nil || kind != "image/jpeg" || !bytes.Equal(data, photo) {
			t.Errorf("%d bytes, %s, %v", len(data), kind, err)
		}
		_, _, err = c.Download(t.Context(), id, int64(len(photo))-1)
		p.wantErr(err, ErrTooLarge)
		_, _, err = c.Download(t.Context(), id, 10) // below the bound of JSON too
		p.wantErr(err, ErrTooLarge)
	}
	for _, kind := range []string{"application/json; encoding=utf-8", "text/plain", "text/html"} {
		serve(kind, []byte(`{"errcode":40007,"errmsg":"invalid media_id `+id+`"}`), false)
		_, _, err := c.Download(t.Context(), id, 10)
		var refused *APIError
		if !errors.As(err, &refused) || refused.Action() != MediaGone {
			t.Errorf("%s: %v", kind, err)
		}
		p.sniff(err)
	}
	serve("text/html", []byte("<html>"), false)
	_, _, err := c.Download(t.Context(), id, 1000)
	p.wantErr(err, ErrAmbiguous)
	serve("application/json", []byte("{}"), false)
	_, _, err = c.Download(t.Context(), id, 1000)
	p.wantErr(err, ErrAmbiguous)
	p.handle(pathMedia, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		halfBody(w, nil)
	}))
	_, _, err = c.Download(t.Context(), id, 1000)
	p.wantErr(err, ErrAmbiguous)

	// A refused token is replaced for media as well.
	serve("image/jpeg", photo, false)
	p.bad[firstToken] = true
	if data, _, err := c.Download(t.Context(), id, 1<<20); err != nil || len(data) != len(photo) {
		t.Error(err)
	}
}

func TestVideoIsFetchedFromThePlatformOnly(t *testing.T) {
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer foreign.Close()
	p := newAPI(t)
	c := p.client(newShelf())
	video := []byte("\x00\x00\x00\x18ftypmp42")
	p.handle("/video", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("key") != "1" || r.URL.Query().Has("access_token") {
			t.Errorf("asked %s", r.URL)
		}
		w.Header().Set("Content-Type", "video/mp4")
		_, _ = w.Write(video)
	}))
	p.set(pathMedia, fmt.Sprintf(`{"video_url":%q}`, p.server.URL+"/video?key=1"))
	data, kind, err := c.Download(t.Context(), "v", 1<<20)
	if err != nil || kind != "video/mp4" || !bytes.Equal(data, video) {
		t.Errorf("%d bytes, %s, %v", len(data), kind, err)
	}
	if _, _, err := c.Download(t.Context(), "v", 4); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	for _, address := range []string{foreign.URL, "file:///etc/passwd", "http://169.254.169.254/", "http://evil-qq.com/", "http://u:p@v.qq.com/", "://"} {
		p.set(pathMedia, fmt.Sprintf(`{"video_url":%q}`, address))
		_, _, err := c.Download(t.Context(), "v", 1<<20)
		p.wantErr(err, ErrAmbiguous)
	}
	if !c.trusted("http://vweixinp.tc.qq.com/1007_x.f10.mp4?vkey=1") {
		t.Error("the platform's own host is not trusted")
	}
}

func TestUploadImage(t *testing.T) {
	p := newAPI(t)
	c := p.client(newShelf())
	photo := append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("x"), 1000)...)
	p.handle(pathUpload, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("media")
		if err != nil || r.URL.Query().Get("type") != "image" {
			t.Errorf("%v %s", err, r.URL.Path)
			return
		}
		if header.Filename != "lamp.jpeg" || header.Header.Get("Content-Type") != "image/jpeg" || readAll(t, file) != string(photo) {
			t.Errorf("%+v", header)
		}
		_, _ = io.WriteString(w, `{"type":"image","media_id":"MEDIA","created_at":1772352000}`)
	}))
	if id, err := c.UploadImage(t.Context(), "../路灯\"\r\nlamp.png", photo); err != nil || id != "MEDIA" {
		t.Error(id, err)
	}
	p.set(pathUpload, `{"type":"image"}`)
	_, err := c.UploadImage(t.Context(), "lamp", photo)
	p.wantErr(err, ErrAmbiguous)
	before := p.count(pathUpload)
	if _, err := c.UploadImage(t.Context(), "x.jpg", []byte("<html>")); err == nil {
		t.Error("a page is taken for an image")
	}
	if _, err := c.UploadImage(t.Context(), "x.jpg", append(photo, make([]byte, maxImage)...)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if p.count(pathUpload) != before {
		t.Error("uploaded all the same")
	}
	if got := fileName("", "image/png"); got != "image.png" {
		t.Error(got)
	}
}

func TestCreateQR(t *testing.T) {
	p := newAPI(t)
	c := p.client(newShelf())
	p.set(pathQR, `{"ticket":"gQH47joAAAAAAAAAASxod","url":"http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI"}`)
	ticket, address, err := c.CreateQR(t.Context(), "G01-3-2")
	if err != nil || ticket != "gQH47joAAAAAAAAAASxod" || address != "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI" {
		t.Error(ticket, address, err)
	}
	if got := strings.TrimSpace(p.body(pathQR)); got != `{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"G01-3-2"}}}` {
		t.Error(got)
	}
	for _, scene := range []string{"", strings.Repeat("长", 65), "\xff"} {
		if _, _, err := c.CreateQR(t.Context(), scene); err == nil || p.count(pathQR) != 1 {
			t.Errorf("scene %q is taken", scene)
		}
	}
	p.set(pathQR, `{"url":"x"}`)
	_, _, err = c.CreateQR(t.Context(), "x")
	p.wantErr(err, ErrAmbiguous)
}

func TestOAuthUser(t *testing.T) {
	p := newAPI(t)
	c := p.client(newShelf())
	p.handle(pathOAuth, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("appid") != testAccount(Safe).AppID || q.Get("secret") != testAccount(Safe).AppSecret || q.Get("grant_type") != "authorization_code" {
			t.Errorf("%s", r.URL)
		}
		switch q.Get("code") {
		case "authorisation-code":
			_, _ = io.WriteString(w, `{"access_token":"TOKEN-user","expires_in":7200,"refresh_token":"TOKEN-r","openid":"`+testOpenID+`","scope":"snsapi_base"}`)
		case "snapshot":
			_, _ = io.WriteString(w, `{"access_token":"TOKEN-user","openid":"`+testOpenID+`","scope":"snsapi_base","is_snapshotuser":1}`)
		case "nobody":
			_, _ = io.WriteString(w, `{"access_token":"TOKEN-user"}`)
		default:
			_, _ = io.WriteString(w, `{"errcode":40163,"errmsg":"code been used, `+q.Get("code")+`, `+q.Get("secret")+`"}`) //nolint:gosec // that is the test
		}
	}))
	if openid, err := c.OAuthUser(t.Context(), "authorisation-code"); err != nil || openid != testOpenID {
		t.Error(openid, err)
	}
	_, err := c.OAuthUser(t.Context(), "snapshot")
	p.wantErr(err, ErrSnapshot)
	_, err = c.OAuthUser(t.Context(), "nobody")
	p.wantErr(err, ErrAmbiguous)
	_, err = c.OAuthUser(t.Context(), "authorisation-code used")
	var refused *APIError
	if !errors.As(err, &refused) || refused.Code != 40163 || refused.Action() != Unknown {
		t.Error(err)
	}
	p.sniff(err)
	if _, err := c.OAuthUser(t.Context(), ""); err == nil {
		t.Error("an empty code is taken")
	}
	p.handle(pathOAuth, http.HandlerFunc(hangUp))
	c.http.Timeout = 50 * time.Millisecond
	_, err = c.OAuthUser(t.Context(), "authorisation-code")
	p.wantErr(err, ErrAmbiguous)
}

func TestCallsAreCounted(t *testing.T) {
	p := newAPI(t)
	clock := clockwork.NewFakeClock()
	var seen []string
	c := p.client(newShelf(), func(o *ClientOptions) {
		o.Clock = clock
		o.OnCall = func(api string, code int64, took time.Duration) {
			seen = append(seen, fmt.Sprint(api, " ", code, " ", took))
		}
	})
	p.handle(pathCustom, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		clock.Advance(2 * time.Second)
		_, _ = io.WriteString(w, `{"errcode":45015,"errmsg":"x"}`)
	}))
	_ = c.SendCustom(t.Context(), hello())
	p.handle(pathCustom, http.NotFoundHandler())
	_ = c.SendCustom(t.Context(), hello())
	p.set(pathCustom, `{"errcode":0}`)
	_ = c.SendCustom(t.Context(), hello())
	_, _ = c.OAuthUser(t.Context(), "x")
	want := []string{
		"stable_token 0 0s", "message/custom/send 45015 2s", "message/custom/send -1000 0s", "message/custom/send 0 0s", "sns/oauth2/access_token 0 0s",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%q", seen)
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"token a+b/c= and a%2Bb%2Fc%3D", "token … and …"},
		{"invalid openid " + testOpenID + ", rid: 65a1b2c3-0a1b2c3d-4e5f6071", "invalid openid …, rid: 65a1b2c3-0a1b2c3d-4e5f6071"},
		{"token 88_" + strings.Repeat("Ab-_9", 20), "token …"},
		{"line\nbreak\x00\x1b[31m", "line break[31m"},
		{strings.Repeat("长 ", 100), strings.Repeat("长 ", 49) + "…"},
	} {
		got := redact(c.in, []string{"a+b/c=", ""})
		if got != c.want || len(got) > 200 {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := NewClient(testAccount(Safe), newShelf(), ClientOptions{})
	if c.base != "https://api.weixin.qq.com" || c.http.Timeout != 8*time.Second || c.slowHTTP.Timeout != 32*time.Second {
		t.Errorf("%s %v %v", c.base, c.http.Timeout, c.slowHTTP.Timeout)
	}
	g := NewGate(nil, nil, nil, GateOptions{})
	if g.o.Window != 5*time.Minute || g.o.MaxBody != 64<<10 {
		t.Errorf("%+v", g.o)
	}
}
