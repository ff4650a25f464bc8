package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// The vectors that WeChat publishes with its sample code (WXBizMsgCryptTest):
// random aaaabbbbccccdddd, app id wxb11529c136998cb6, the key being the one
// that this project's demo uses as well.
func TestPublishedVectors(t *testing.T) {
	a := Account{AppID: "wxb11529c136998cb6", EncodingAESKey: DemoEncodingAESKey, Token: "pamtest"}
	for sealed, want := range map[string]string{
		"jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==": "我是中文abcd123",
		"jn1L23DB+6ELqJ+6bruv23M2GmYfkv0xBh2h+XTBOKVKcgDFHle6gqcZ1cZrk3e1qjPQ1F4RsLWzQRG9udbKWesxlkupqcEcW7ZQweImX9+wLMa0GaUzpkycA8+IamDBxn5loLgZpnS7fVAbExOkK5DYHBmv5tptA9tklE/fTIILHR8HLXa5nQvFb3tYPKAlHF3rtTeayNf0QuM+UW/wM9enGIDIJHF7CLHiDNAYxr+r+OrJCmPQyTy8cVWlu9iSvOHPT/77bZqJucQHQ04sq7KZI27OcqpQNSto2OdHCoTccjggX5Z9Mma0nMJBU+jLKJ38YB1fBIz+vBzsYjrTmFQ44YfeEuZ+xRTQwr92vhA9OxchWVINGC50qE/6lmkwWTwGX9wtQpsJKhP+oS7rvTY8+VdzETdfakjkwQ5/Xka042OlUb1/slTwo4RscuQ+RdxSGvDahxAJ6+EAjLt9d8igHngxIbf6YyqqROxuxqIeIch3CssH/LqRs+iAcILvApYZckqmA7FNERspKA5f8GoJ9sv8xmGvZ9Yrf57cExWtnX8aCMMaBropU/1k+hKP5LVdzbWCG0hGwx/dQudYR/eXp3P0XxjlFiy+9DMlaFExWUZQDajPkdPrEeOwofJb": "<xml><ToUserName><![CDATA[oia2Tj我是中文jewbmiOUlr6X-1crbLOvLw]]></ToUserName><FromUserName><![CDATA[gh_7f083739789a]]></FromUserName><CreateTime>1407743423</CreateTime><MsgType><![CDATA[video]]></MsgType><Video><MediaId><![CDATA[eYJ1MbwPRJtOvIEabaxHs7TX2D-HV71s79GUxqdUkjm6Gs2Ed1KF3ulAOA9H1xG0]]></MediaId><Title><![CDATA[testCallBackReplyVideo]]></Title><Description><![CDATA[testCallBackReplyVideo]]></Description></Video></xml>",
	} {
		plain, key, ok := unseal(a, sealed)
		if !ok || key != a.EncodingAESKey || string(plain) != want {
			t.Errorf("%v %q", ok, plain)
		}
		// The signature of the same sample code: token, timestamp, nonce and ciphertext.
		s := stamp{timestamp: "1409304348", nonce: "xxxxxx"}
		if token, ok := s.signer(a, sha("pamtest", "1409304348", "xxxxxx", sealed), sealed); !ok || token != a.Token {
			t.Error("signature not taken")
		}
	}
}

// wechat-crypto is a client by other people in another language; it posts to
// the gate over real HTTP and reads the encrypted reply.
func TestForeignClientInSafeMode(t *testing.T) {
	a := testAccount(Safe)
	h := &echo{reply: "收到:楼道灯坏了 ]]> …"}
	mux := http.NewServeMux()
	mux.Handle("/wechat/{community}", NewGate(func(c string) (Account, bool) { return a, c == a.Community }, h, &MemoryReplays{}, GateOptions{}))
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--no-deprecation", "post.js", server.URL+"/wechat/"+a.Community, a.Token, a.EncodingAESKey, a.AppID)
	cmd.Dir = "interop"
	cmd.Stdin = strings.NewReader(textMessage("楼道灯坏了"))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the foreign client needs Node 20 and `npm ci` in bot/wechat/interop: %v\n%s", err, complaints.String())
	}
	var got struct {
		Status, TamperedStatus int
		ID, Message            string
		SignatureFits          bool
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Status != 200 || !got.SignatureFits || got.ID != a.AppID || got.TamperedStatus != 403 {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"<ToUserName><![CDATA[" + testOpenID + "]]>", "收到:楼道灯坏了", "<MsgType>text</MsgType>"} {
		if !strings.Contains(got.Message, want) {
			t.Errorf("no %q in %s", want, got.Message)
		}
	}
	if len(h.got) != 1 || h.got[0].Content != "楼道灯坏了" {
		t.Errorf("%+v", h.got)
	}
}

// FuzzGate sends anything at all. Without the token nothing reaches the handler;
// with it, whatever is signed is answered or refused, and never breaks the gate.
func FuzzGate(f *testing.F) {
	f.Add("POST", "signature=a&timestamp=1772352000&nonce=1&encrypt_type=aes&msg_signature=b", "text/xml", []byte("<xml><Encrypt>AAAA</Encrypt></xml>"), byte(0))
	f.Add("GET", "signature=a&timestamp=1772352000&nonce=1&echostr=1", "", []byte(nil), byte(1))
	f.Add("POST", "nonce=1", "text/xml; charset=utf-8", []byte(textMessage("灯坏了")), byte(2))
	f.Add("POST", "x=%zz", "application/json", []byte(`{"a":1}`), byte(3))
	f.Add("POST", "", "", []byte("<!DOCTYPE a [<!ENTITY b 'c'>]><xml>&b;</xml>"), byte(4))
	f.Fuzz(func(t *testing.T, method, query, contentType string, body []byte, pick byte) {
		mode := []Mode{Plain, Compatible, Safe, ""}[pick%4]
		b := newBench(t, testAccount(mode))
		b.account.AllowPlain = pick&16 != 0
		w := b.sendRaw(method, "north", query, http.Header{"Content-Type": {contentType}}, body)
		if w.Code == 200 || b.handler.count() != 0 {
			t.Fatalf("unsigned and let through: %s %s %q", method, query, body)
		}
		for _, r := range []*request{b.plain(string(body)), b.safe(string(body)), b.sealedWith(b.account.Token, string(body))} {
			before := b.handler.count()
			w := b.send(r)
			switch w.Code {
			case 200:
				if b.handler.count() != before+1 {
					t.Fatal("answered without the handler")
				}
			case 400, 403, 413, 415:
				if b.handler.count() != before {
					t.Fatal("refused after the handler")
				}
			default:
				t.Fatal(w.Code)
			}
		}
	})
}

func BenchmarkGate(b *testing.B) {
	for _, mode := range []Mode{Plain, Safe} {
		b.Run(string(mode), func(b *testing.B) {
			a := testAccount(mode)
			clock := clockwork.NewFakeClockAt(time.Unix(1772352000, 0))
			gate := NewGate(func(string) (Account, bool) { return a, true }, &silent{}, &MemoryReplays{Clock: clock}, GateOptions{Clock: clock})
			sealed := encrypt(b, a.EncodingAESKey, a.AppID, []byte(textMessage("三单元门口的路灯不亮了,晚上看不见,请来看看")))
			body := []byte("<xml><ToUserName><![CDATA[gh_123]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>")
			if mode == Plain {
				body = []byte(textMessage("三单元门口的路灯不亮了,晚上看不见,请来看看"))
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				nonce := strconv.Itoa(n)
				q := url.Values{"timestamp": {"1772352000"}, "nonce": {nonce}, "signature": {sha(a.Token, "1772352000", nonce)}}
				if mode == Safe {
					q.Set("encrypt_type", "aes")
					q.Set("msg_signature", sha(a.Token, "1772352000", nonce, sealed))
				}
				r := &http.Request{Method: "POST", URL: &url.URL{RawQuery: q.Encode()}, Header: http.Header{"Content-Type": {"text/xml"}}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}
				r.SetPathValue("community", a.Community)
				w := httptest.NewRecorder()
				gate.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// silent answers without remembering.
type silent struct{}

func (silent) Handle(context.Context, Inbound) Reply { return Reply{"收到,已转给网格员"} }
