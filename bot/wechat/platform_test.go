package wechat

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The test's side of the platform. It is written after WeChat's own description
// and shares no code with the gate or the SDK.

func sha(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func aesKey(t testing.TB, key string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil || len(raw) != 32 {
		t.Fatalf("bad key %q", key)
	}
	return raw
}

func encrypt(t testing.TB, key, appID string, msg []byte) string {
	t.Helper()
	plain := make([]byte, 16)
	_, _ = rand.Read(plain)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(msg)))
	plain = append(append(plain, msg...), appID...)
	pad := 32 - len(plain)%32
	return encryptRaw(t, key, append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...))
}

func encryptRaw(t testing.TB, key string, plain []byte) string {
	t.Helper()
	raw := aesKey(t, key)
	block, err := aes.NewCipher(raw)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, raw[:16]).CryptBlocks(out, plain)
	return base64.StdEncoding.EncodeToString(out)
}

func decrypt(t testing.TB, key, appID, sealed string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(data) == 0 || len(data)%32 != 0 {
		t.Fatalf("ciphertext of %d bytes: %v", len(data), err)
	}
	raw := aesKey(t, key)
	block, err := aes.NewCipher(raw)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCDecrypter(block, raw[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 {
		t.Fatalf("padding of %d", pad)
	}
	data = data[16 : len(data)-pad]
	size := int(binary.BigEndian.Uint32(data))
	if got := string(data[4+size:]); got != appID {
		t.Fatalf("app id %q in the answer", got)
	}
	return data[4 : 4+size]
}

const testOpenID = "oAbCdEfGhIjKlMnOpQrStUvWxYz1"

// testAccount is nobody's: its values are not the demo's.
func testAccount(mode Mode) Account {
	return Account{
		Community: "north", AppID: "wx1111111111111111", AppSecret: "5ecre75ecre75ecre75ecre75ecre75e", Token: "tokenOfTheTest",
		EncodingAESKey: "zyxwvutsrqponmlkjihgfedcba9876543210ZYXWVUT", Mode: mode,
	}
}

// echo is a handler that remembers what came and answers the text given.
type echo struct {
	reply string
	panic any

	mu  sync.Mutex
	got []Inbound
}

func (e *echo) Handle(_ context.Context, in Inbound) Reply {
	e.mu.Lock()
	e.got = append(e.got, in)
	e.mu.Unlock()
	if e.panic != nil {
		panic(e.panic)
	}
	return Reply{e.reply}
}

func (e *echo) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.got)
}

// bench is a gate with everything around it.
type bench struct {
	testing.TB
	account Account
	clock   *clockwork.FakeClock
	handler *echo
	replays *MemoryReplays
	gate    *Gate
	log     bytes.Buffer
	refused []string
	nonce   int
}

func newBench(t testing.TB, a Account, change ...func(*GateOptions)) *bench {
	b := &bench{TB: t, account: a, clock: clockwork.NewFakeClockAt(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)), handler: &echo{reply: "收到"}}
	b.replays = &MemoryReplays{Clock: b.clock}
	o := GateOptions{Clock: b.clock, Logger: slog.New(slog.NewTextHandler(&b.log, nil)), OnRefused: func(r string) { b.refused = append(b.refused, r) }}
	for _, c := range change {
		c(&o)
	}
	b.gate = NewGate(func(c string) (Account, bool) { return b.account, c == b.account.Community }, b.handler, b.replays, o)
	return b
}

// request is a call of the platform that a test may spoil before it is sent.
type request struct {
	method, community string
	query             url.Values
	header            http.Header
	body              []byte
}

// signed gives the query that the platform makes.
func (b *bench) signed(token string) url.Values {
	b.nonce++
	ts, nonce := strconv.FormatInt(b.clock.Now().Unix(), 10), strconv.Itoa(1000000+b.nonce)
	return url.Values{"timestamp": {ts}, "nonce": {nonce}, "signature": {sha(token, ts, nonce)}, "openid": {testOpenID}}
}

func (b *bench) plain(msg string) *request {
	return &request{http.MethodPost, b.account.Community, b.signed(b.account.Token), http.Header{"Content-Type": {"text/xml"}}, []byte(msg)}
}

func (b *bench) safe(msg string) *request {
	return b.sealedWith(b.account.Token, encrypt(b, b.account.EncodingAESKey, b.account.AppID, []byte(msg)))
}

func (b *bench) sealedWith(token, sealed string) *request {
	r := b.plain("<xml><ToUserName><![CDATA[gh_123]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>")
	r.query = b.signed(token)
	r.query.Set("encrypt_type", "aes")
	r.query.Set("msg_signature", sha(token, r.query.Get("timestamp"), r.query.Get("nonce"), sealed))
	return r
}

func (b *bench) verification() *request {
	r := &request{http.MethodGet, b.account.Community, b.signed(b.account.Token), http.Header{}, nil}
	r.query.Set("echostr", "5838475983475983457")
	return r
}

func (b *bench) send(r *request) *httptest.ResponseRecorder {
	return b.sendRaw(r.method, r.community, r.query.Encode(), r.header, r.body)
}

func (b *bench) sendRaw(method, community, query string, header http.Header, body []byte) *httptest.ResponseRecorder {
	req := &http.Request{
		Method: method, URL: &url.URL{Path: "/wechat/x", RawQuery: query}, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	req.SetPathValue("community", community)
	w := httptest.NewRecorder()
	b.gate.ServeHTTP(w, req)
	return w
}

// wantRefused sends and checks that the handler saw nothing.
func (b *bench) wantRefused(r *request, status int, reason string) *httptest.ResponseRecorder {
	b.Helper()
	before := b.handler.count()
	b.refused = nil
	w := b.send(r)
	if w.Code != status || !slices.Equal(b.refused, []string{reason}) {
		b.Errorf("answered %d %v, want %d %s", w.Code, b.refused, status, reason)
	}
	if b.handler.count() != before {
		b.Error("the handler was reached")
	}
	return w
}

// wantReply sends and gives the text answered, "" for success.
func (b *bench) wantReply(r *request) string {
	b.Helper()
	before := b.handler.count()
	w := b.send(r)
	if w.Code != http.StatusOK || b.handler.count() != before+1 {
		b.Fatalf("answered %d %v, handler reached %d times", w.Code, b.refused, b.handler.count()-before)
	}
	body := w.Body.Bytes()
	if string(body) == "success" {
		return ""
	}
	if r.query.Get("encrypt_type") == "aes" {
		body = b.readSealed(body, b.account.Token, b.account.EncodingAESKey)
	}
	return b.readReply(body)
}

func (b *bench) readSealed(body []byte, token, key string) []byte {
	b.Helper()
	var x struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	if err := xml.Unmarshal(body, &x); err != nil {
		b.Fatalf("answer %q: %v", body, err)
	}
	if x.MsgSignature != sha(token, x.TimeStamp, x.Nonce, x.Encrypt) {
		b.Fatal("the answer's signature is wrong")
	}
	return decrypt(b, key, b.account.AppID, x.Encrypt)
}

func (b *bench) readReply(body []byte) string {
	b.Helper()
	var x struct {
		ToUserName, FromUserName, MsgType, Content string
		CreateTime                                 int64
	}
	if err := xml.Unmarshal(body, &x); err != nil {
		b.Fatalf("answer %q: %v", body, err)
	}
	if x.ToUserName != testOpenID || x.FromUserName != "gh_123" || x.MsgType != "text" || x.CreateTime != b.clock.Now().Unix() {
		b.Fatalf("answer %q", body)
	}
	return x.Content
}

var msgIDs = 23456789012345670

// message is an <xml> document of the platform with a new MsgId.
func textMessage(content string) string {
	msgIDs++
	return inXML("text", fmt.Sprintf("<Content><![CDATA[%s]]></Content><MsgId>%d</MsgId>", content, msgIDs))
}

func inXML(kind, rest string) string {
	return "<xml><ToUserName><![CDATA[gh_123]]></ToUserName><FromUserName><![CDATA[" + testOpenID + "]]></FromUserName>" +
		"<CreateTime>1772352000</CreateTime><MsgType><![CDATA[" + kind + "]]></MsgType>" + rest + "</xml>"
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
