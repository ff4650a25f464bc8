package wechatsim

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const (
	demoKey  = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	resident = "oResident000000000000000001"
	worker   = "oWorker00000000000000000001"
	stranger = "oStranger0000000000000000001"
)

var people = []Persona{
	{OpenID: resident, Name: "王秀兰", Role: "居民", Group: "resident", Home: "毕家洼西区12号楼"},
	{OpenID: worker, Name: "李建国", Role: "第一网格专职网格员", Group: "worker"},
	{OpenID: "oCommittee00000000000000001", Name: "赵书记", Role: "值班", Group: "committee"},
	{OpenID: stranger, Name: "新来的", Group: "resident", Stranger: true},
}

// photo is a sample photo, drawn once: drawing takes a while.
var photo = sync.OnceValue(func() []byte { return stairwell(false) })

// got is a delivery as the webhook received it, decrypted.
type got struct {
	Query url.Values
	Body  []byte          // as posted
	Plain []byte          // after decryption
	gone  <-chan struct{} // closed when the platform has left
	Msg   struct {
		ToUserName, FromUserName, MsgType, Content, Event, EventKey, Ticket string
		CreateTime, MsgId                                                   int64
		MediaId, PicUrl, Recognition, Format, ThumbMediaId, Label           string
		Location_X, Location_Y, Latitude                                    string
		Title, Description, Url, Status                                     string
		MsgID                                                               int64
		BizMsgMenuID                                                        string `xml:"bizmsgmenuid"`
		Popup                                                               []struct {
			TemplateId, SubscribeStatusString string
		} `xml:"SubscribeMsgPopupEvent>List"`
		Sent []struct{ TemplateId, ErrorStatus string } `xml:"SubscribeMsgSentEvent>List"`
	}
}

// hook is a webhook for tests; answer makes what it replies.
type hook struct {
	*httptest.Server
	account Account
	mu      sync.Mutex
	seen    []got
	arrived chan struct{} // one token for every delivery
	answer  func(w http.ResponseWriter, g got)
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		if q.Get("signature") == sign(h.account.Token, q.Get("timestamp"), q.Get("nonce")) {
			put(w, q.Get("echostr"))
		}
		return
	}
	body, _ := io.ReadAll(r.Body)
	g := got{Query: r.URL.Query(), Body: body, Plain: body, gone: r.Context().Done()}
	if h.account.Mode != Plain {
		var outer struct{ Encrypt string }
		if err := xml.Unmarshal(body, &outer); err == nil && outer.Encrypt != "" {
			g.Plain, _ = h.account.open(outer.Encrypt)
		}
	}
	_ = xml.Unmarshal(g.Plain, &g.Msg)
	h.mu.Lock()
	h.seen = append(h.seen, g)
	answer := h.answer
	h.mu.Unlock()
	h.arrived <- struct{}{}
	if answer == nil {
		put(w, "success")
		return
	}
	answer(w, g)
}

func (h *hook) replyWith(f func(w http.ResponseWriter, g got)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = f
}

// deliveries gives what arrived so far.
func (h *hook) deliveries() []got {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]got(nil), h.seen...)
}

func (h *hook) lastOne(t *testing.T) got {
	t.Helper()
	all := h.deliveries()
	if len(all) == 0 {
		t.Fatal("nothing was delivered")
	}
	return all[len(all)-1]
}

// event waits for the delivery of an event of this name.
func (h *hook) event(t *testing.T, name string) got {
	t.Helper()
	for deadline := time.After(5 * time.Second); ; {
		for _, g := range h.deliveries() {
			if g.Msg.Event == name {
				return g
			}
		}
		select {
		case <-h.arrived:
		case <-deadline:
			t.Fatalf("no event %s arrived", name)
		}
	}
}

// plainReply writes the XML of a passive reply to g.
func plainReply(g got, msgType, inner string) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName>"+
		"<CreateTime>1700000000</CreateTime><MsgType><![CDATA[%s]]></MsgType>%s</xml>", g.Msg.FromUserName, g.Msg.ToUserName, msgType, inner)
}

func textReply(g got, words string) string {
	return plainReply(g, "text", "<Content><![CDATA["+words+"]]></Content>")
}

// sealedReply encrypts and signs a reply with an account's keys.
func sealedReply(t *testing.T, a Account, plain string) string {
	t.Helper()
	encrypted, err := a.seal([]byte(plain))
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature>"+
		"<TimeStamp>1700000000</TimeStamp><Nonce><![CDATA[n1]]></Nonce></xml>", encrypted, sign(a.Token, "1700000000", "n1", encrypted))
}

// bench is a stand-in with a webhook before it and its API served.
type bench struct {
	*Platform
	t     *testing.T
	hook  *hook
	api   *httptest.Server
	clock *clockwork.FakeClock
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	clock := clockwork.NewFakeClockAt(time.Date(2026, 3, 2, 9, 30, 0, 0, shanghai))
	h := &hook{arrived: make(chan struct{}, 4096)}
	h.Server = httptest.NewServer(h)
	o := Options{
		Account: Account{
			AppID: "wx0123456789abcdef", AppSecret: "secret", Token: "wishdeskdemo", EncodingAESKey: demoKey,
			Mode: Safe, WebhookURL: h.URL + "/wechat/demo", Name: "心愿台",
		},
		Personas: people, Clock: clock, Limits: Limits{ReplyTimeout: 2 * time.Second},
	}
	for _, f := range change {
		f(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.account = p.Account
	api := httptest.NewServer(p.Handler())
	b := &bench{Platform: p, t: t, hook: h, api: api, clock: clock}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		api.Close()
		h.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return b
}

// get and post call the API and decode its JSON.
func (b *bench) get(address string) map[string]any {
	b.t.Helper()
	res, err := http.Get(b.api.URL + address)
	return b.decode(res, err)
}

func (b *bench) post(address string, body any) map[string]any {
	b.t.Helper()
	content, isText := body.(string)
	if !isText {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		content = string(raw)
	}
	res, err := http.Post(b.api.URL+address, "application/json", strings.NewReader(content))
	return b.decode(res, err)
}

func (b *bench) decode(res *http.Response, err error) map[string]any {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer shut(res)
	var out map[string]any
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		b.t.Fatalf("answer is no JSON: %v", err)
	}
	return out
}

// errcode gives an answer's errcode, 0 when it has none.
func errcode(out map[string]any) int {
	n, _ := out["errcode"].(json.Number)
	code, _ := n.Int64()
	return int(code)
}

func (b *bench) wantCode(what string, out map[string]any, want int) {
	b.t.Helper()
	if got := errcode(out); got != want {
		b.t.Errorf("%s: errcode %d, want %d (%v)", what, got, want, out["errmsg"])
	}
	if text, _ := out["errmsg"].(string); want != 0 && !strings.Contains(text, " rid: ") {
		b.t.Errorf("%s: errmsg %q carries no rid", what, text)
	}
}

func (b *bench) token() string {
	b.t.Helper()
	out := b.post(pathStableToken, map[string]any{
		"grant_type": "client_credential", "appid": b.Account.AppID, "secret": b.Account.AppSecret,
	})
	token, _ := out["access_token"].(string)
	if token == "" {
		b.t.Fatalf("no token: %v", out)
	}
	return token
}

// call posts to a path with a fresh token.
func (b *bench) call(path string, body any) map[string]any {
	b.t.Helper()
	return b.post(path+"?access_token="+b.token(), body)
}

func customText(openid, words string) map[string]any {
	return map[string]any{"touser": openid, "msgtype": "text", "text": map[string]string{"content": words}}
}

func ctxOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// must fails the test on an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func put(w http.ResponseWriter, body string) { _, _ = io.WriteString(w, body) }

func shut(res *http.Response) { _ = res.Body.Close() }

func contains(t *testing.T, what string, body []byte, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !bytes.Contains(body, []byte(w)) {
			t.Errorf("%s: %q is missing in\n%s", what, w, body)
		}
	}
}
