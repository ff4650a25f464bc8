package wechat

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

func TestModesTakeMessages(t *testing.T) {
	for _, mode := range []Mode{Plain, Compatible, Safe} {
		b := newBench(t, testAccount(mode))
		r := b.plain(textMessage("楼道灯坏了"))
		if mode != Plain {
			r = b.safe(textMessage("楼道灯坏了"))
		}
		if got := b.wantReply(r); got != "收到" {
			t.Errorf("%s: reply %q", mode, got)
		}
		in := b.handler.got[0]
		if in.Content != "楼道灯坏了" || in.OpenID != testOpenID || in.Community != "north" || in.Type != "text" {
			t.Errorf("%s: %+v", mode, in)
		}
	}
}

func TestVerificationNeedsASignatureInEveryMode(t *testing.T) {
	for _, mode := range []Mode{Plain, Compatible, Safe} {
		b := newBench(t, testAccount(mode))
		w := b.send(b.verification())
		if w.Code != 200 || w.Body.String() != "5838475983475983457" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %q", mode, w.Code, w.Body)
		}
		r := b.verification()
		r.query.Set("signature", strings.Repeat("0", 40))
		b.wantRefused(r, 403, RefusedSignature)
		r = b.verification()
		r.query.Del("signature")
		b.wantRefused(r, 403, RefusedSignature)
	}
}

func TestVerificationEchoesNoPage(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	r := b.verification()
	r.query.Set("echostr", "<script>alert(1)</script>")
	b.wantRefused(r, 400, RefusedQuery)
	r.query.Set("echostr", "")
	b.wantRefused(r, 400, RefusedQuery)
}

func TestVerificationSignatureServesForNoMessage(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	get := b.verification()
	if w := b.send(get); w.Code != 200 {
		t.Fatal(w.Code)
	}
	r := b.plain(textMessage("x"))
	r.query = get.query
	b.wantRefused(r, 403, RefusedReplay)
}

func TestDowngradeIsRefused(t *testing.T) {
	b := newBench(t, testAccount(Safe))
	b.wantRefused(b.plain(textMessage("x")), 403, RefusedDowngrade)

	r := b.plain(textMessage("x")) // claims to be encrypted and is not
	r.query.Set("encrypt_type", "aes")
	b.wantRefused(r, 403, RefusedDowngrade)

	r = b.plain(textMessage("x"))
	r.query.Set("encrypt_type", "raw")
	b.wantRefused(r, 403, RefusedDowngrade)

	r = b.safe(textMessage("x")) // the mark of encryption taken away
	r.query.Del("encrypt_type")
	b.wantRefused(r, 403, RefusedDowngrade)

	r = b.safe(textMessage("x"))
	r.query.Set("encrypt_type", "rot13")
	b.wantRefused(r, 403, RefusedDowngrade)

	b = newBench(t, testAccount(Plain)) // an account in plain mode has no key to prove anything with
	b.wantRefused(b.safe(textMessage("x")), 403, RefusedDowngrade)
}

func TestDemoTakesPlaintextBesideSafeMode(t *testing.T) {
	a := testAccount(Safe)
	a.AllowPlain = true
	b := newBench(t, a)
	if got := b.wantReply(b.plain(textMessage("x"))); got != "收到" {
		t.Errorf("plain: %q", got)
	}
	if got := b.wantReply(b.safe(textMessage("x"))); got != "收到" {
		t.Errorf("safe: %q", got)
	}
	r := b.plain(textMessage("x"))
	r.query.Set("signature", sha("other", r.query.Get("timestamp"), r.query.Get("nonce")))
	b.wantRefused(r, 403, RefusedSignature)

	// The plain signature of an encrypted message that was overheard does not
	// serve for a plain one.
	r = b.safe(textMessage("x"))
	if got := b.wantReply(r); got != "收到" {
		t.Fatal(got)
	}
	forged := b.plain(textMessage("forged"))
	forged.query = r.query
	forged.query.Del("encrypt_type")
	forged.query.Del("msg_signature")
	b.wantRefused(forged, 403, RefusedReplay)
}

func TestCompatibleModeVerifiesTheEncryptedPart(t *testing.T) {
	b := newBench(t, testAccount(Compatible))
	both := func() (*request, string) {
		genuine := textMessage("genuine")
		sealed := encrypt(t, b.account.EncodingAESKey, b.account.AppID, []byte(genuine))
		r := b.sealedWith(b.account.Token, sealed)
		r.body = []byte(strings.Replace(textMessage("forged"), "</xml>", "<Encrypt>"+sealed+"</Encrypt></xml>", 1))
		return r, sealed
	}
	r, _ := both()
	b.wantReply(r)
	if got := b.handler.got[0].Content; got != "genuine" {
		t.Errorf("read %q", got)
	}
	r, _ = both()
	r.query.Set("msg_signature", strings.Repeat("a", 40))
	b.wantRefused(r, 403, RefusedSignature)
	r, _ = both() // the ciphertext is there: it must be proven
	r.query.Del("msg_signature")
	r.query.Del("encrypt_type")
	b.wantRefused(r, 403, RefusedSignature)
	r, sealed := both()
	r.body = bytes.Replace(r.body, []byte(sealed), []byte(sealed[:44]+"AAAA"+sealed[48:]), 1)
	b.wantRefused(r, 403, RefusedSignature)
	if got := b.wantReply(b.plain(textMessage("while the setting changes"))); got != "收到" {
		t.Error(got)
	}
}

func TestOneSignatureAuthorisesOneBody(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	r := b.plain(textMessage("genuine"))
	if got := b.wantReply(r); got != "收到" {
		t.Fatal(got)
	}
	forged := b.plain(textMessage("forged"))
	forged.query = r.query
	b.wantRefused(forged, 403, RefusedReplay)
	// WeChat's own retry is the same body, and gets through to be answered alike.
	b.wantReply(r)
	if b.handler.got[0].Delivery != b.handler.got[1].Delivery {
		t.Error("a retry is another delivery")
	}
	// Another community's memory is another one.
	b.account.Community = "south"
	forged.community = "south"
	b.wantReply(forged)
}

func TestRetryEncryptedAnewIsTheSameDelivery(t *testing.T) {
	b := newBench(t, testAccount(Safe))
	msg := textMessage("x")
	first := b.safe(msg)
	b.wantReply(first)
	again := b.safe(msg)
	for _, k := range []string{"timestamp", "nonce", "signature"} { // same stamp, other ciphertext
		again.query[k] = first.query[k]
	}
	sealed, err := sealedPart(again.body)
	if err != nil {
		t.Fatal(err)
	}
	again.query.Set("msg_signature", sha(b.account.Token, again.query.Get("timestamp"), again.query.Get("nonce"), sealed))
	b.wantReply(again)
	b.wantReply(b.safe(msg)) // and with a stamp of its own
	for _, in := range b.handler.got {
		if in.Delivery != b.handler.got[0].Delivery {
			t.Errorf("deliveries %q and %q", in.Delivery, b.handler.got[0].Delivery)
		}
	}
}

func TestStaleCallsAreRefused(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	at := func(ts string) *request {
		r := b.plain(textMessage("x"))
		r.query.Set("timestamp", ts)
		r.query.Set("signature", sha(b.account.Token, ts, r.query.Get("nonce")))
		return r
	}
	now := b.clock.Now().Unix()
	for _, ts := range []int64{now - 300, now, now + 300} {
		b.wantReply(at(strconv.FormatInt(ts, 10)))
	}
	for _, ts := range []string{
		strconv.FormatInt(now-301, 10), strconv.FormatInt(now+301, 10), "0", "", "-1", "+1", "1e9", " 1", "1772352000.0", "0x10",
		strconv.FormatInt(now+1<<32, 10), // the same number when read as 32 bits
		"9223372036854775807", "9223372036854775808", "99999999999999999999999999", "１７７２３５２０００",
	} {
		b.wantRefused(at(ts), 403, RefusedStale)
	}
	r := b.safe(textMessage("x"))
	b.account.Mode = Safe
	b.clock.Advance(6 * time.Minute)
	b.wantRefused(r, 403, RefusedStale) // a captured call is worth nothing later
}

func TestWrongAppIDIsRefused(t *testing.T) {
	b := newBench(t, testAccount(Safe))
	for _, id := range []string{"wx2222222222222222", "", b.account.AppID + "0", b.account.AppID[:17]} {
		r := b.sealedWith(b.account.Token, encrypt(t, b.account.EncodingAESKey, id, []byte(textMessage("x"))))
		b.wantRefused(r, 403, RefusedDecrypt)
	}
}

func TestMessageForAnotherAccountIsRefused(t *testing.T) {
	a := testAccount(Safe)
	a.Original = "gh_456"
	b := newBench(t, a)
	b.wantRefused(b.safe(textMessage("x")), 403, RefusedAccount)
}

func TestEmptyTokenIsRefused(t *testing.T) {
	for _, mode := range []Mode{Plain, Compatible, Safe} {
		a := testAccount(mode)
		a.Token = ""
		b := newBench(t, a)
		r := b.plain(textMessage("x"))
		if mode != Plain {
			r = b.safe(textMessage("x"))
		}
		b.wantRefused(r, 403, RefusedSignature)
		b.wantRefused(b.verification(), 403, RefusedSignature)
		b.account.PreviousToken = "previousToken" // no way round it
		r.query = b.signed("previousToken")
		b.wantRefused(r, 403, map[bool]string{true: RefusedSignature, false: RefusedDowngrade}[mode != Safe])
	}
}

func TestSignatureComparison(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	r := b.plain(textMessage("x"))
	good := r.query.Get("signature")
	for _, s := range []string{
		"", good[:39], good + "0", " " + good, "0" + good[1:], good[:39] + "g", strings.ToUpper(good), strings.Repeat("0", 40), good + good,
	} {
		if s == good {
			continue
		}
		r.query.Set("signature", s)
		b.wantRefused(r, 403, RefusedSignature)
	}
	r.query.Set("signature", good)
	b.wantReply(r)
	if sameText("", "a") || sameText("a", "ab") || !sameText("ab", "ab") {
		t.Error("sameText is wrong")
	}
}

// The signature joins its parts without marks, so the beginning of a ciphertext
// could be called the end of the nonce: the message would lose its first blocks
// and still be signed.
func TestNonceCannotSwallowTheCiphertext(t *testing.T) {
	b := newBench(t, testAccount(Safe))
	for range 64 { // the parts are sorted: wait for a ciphertext that follows the nonce
		sealed := encrypt(t, b.account.EncodingAESKey, b.account.AppID, []byte(textMessage(strings.Repeat("x", 200))))
		r := b.sealedWith(b.account.Token, sealed)
		ts, nonce := r.query.Get("timestamp"), "9999999999"
		signature, moved := sha(b.account.Token, ts, nonce, sealed), nonce+sealed[:128]
		if sha(b.account.Token, ts, moved, sealed[128:]) != signature {
			continue
		}
		r.query.Set("nonce", moved)
		r.query.Set("msg_signature", signature)
		r.query.Del("signature")
		r.body = bytes.Replace(r.body, []byte(sealed), []byte(sealed[128:]), 1)
		b.wantRefused(r, 400, RefusedQuery)
		return
	}
	t.Fatal("no ciphertext could be moved: the test does not test")
}

func TestSizeIsBounded(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	r := b.plain(textMessage(strings.Repeat("长", 64<<10/3)))
	b.wantRefused(r, 413, RefusedSize)
	b.refused = nil
	req, err := http.NewRequest("POST", "/wechat/x?"+r.query.Encode(), struct{ *bytes.Reader }{bytes.NewReader(r.body)}) // no length told
	if err != nil {
		t.Fatal(err)
	}
	req.SetPathValue("community", "north")
	req.Header = r.header
	w := newRecorder()
	b.gate.ServeHTTP(w, req)
	if w.Code != 413 || w.Header().Get("Connection") != "close" {
		t.Errorf("without a length: %d %v", w.Code, w.Header())
	}
	long := textMessage(strings.Repeat("x", 32<<10+1)) // within the body's bound, beyond the field's
	b.wantRefused(b.plain(long), 400, RefusedBody)
	b.wantReply(b.plain(textMessage(strings.Repeat("长", 2048))))
}

func TestMethodIsChecked(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	for _, m := range []string{"HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
		r := b.plain(textMessage("x"))
		r.method = m
		if w := b.wantRefused(r, 405, RefusedMethod); w.Header().Get("Allow") != "GET, POST" {
			t.Errorf("%s: %v", m, w.Header())
		}
	}
}

func TestContentTypeIsChecked(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	for _, good := range []string{"text/xml", "TEXT/XML", "application/xml", "text/xml; charset=utf-8", "text/xml;charset=UTF-8", ""} {
		r := b.plain(textMessage("x"))
		r.header.Set("Content-Type", good)
		b.wantReply(r)
		r.header.Del("Content-Type")
		b.wantReply(r)
	}
	for _, bad := range []string{"application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/xml; charset=gbk", "text/xml; charset", "xml"} {
		r := b.plain(textMessage("x"))
		r.header.Set("Content-Type", bad)
		b.wantRefused(r, 415, RefusedType)
	}
	r := b.plain(textMessage("x"))
	r.header.Add("Content-Type", "application/json")
	b.wantRefused(r, 415, RefusedType)
	r = b.plain(textMessage("x"))
	r.header.Set("Content-Encoding", "gzip")
	b.wantRefused(r, 415, RefusedType)
}

func TestUnknownCommunity(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	r := b.plain(textMessage("x"))
	r.community = "nowhere\nlevel=ERROR"
	b.wantRefused(r, 404, RefusedCommunity)
	if strings.Contains(b.log.String(), "nowhere") {
		t.Error("anybody can write into the log")
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	good := b.plain(textMessage("x")).query
	for _, raw := range []string{
		good.Encode() + "&signature=" + good.Get("signature"), good.Encode() + "&nonce=1", "timestamp=1&" + good.Encode(), good.Encode() + "&encrypt_type=aes&encrypt_type=raw",
		good.Encode() + ";x=1", good.Encode() + "&%zz=1", good.Encode() + "&x=" + strings.Repeat("x", 4<<10), "",
		strings.Replace(good.Encode(), "nonce=", "nonce=%00", 1), strings.Replace(good.Encode(), "nonce=", "nonce="+strings.Repeat("1", 64), 1),
	} {
		b.refused = nil
		if w := b.sendRaw("POST", "north", raw, http.Header{}, []byte(textMessage("x"))); w.Code != 400 || b.refused[0] != RefusedQuery || b.handler.count() != 0 {
			t.Errorf("%s: %d %v", raw, w.Code, b.refused)
		}
	}
}

func TestPanicsAreAnsweredKindly(t *testing.T) {
	b := newBench(t, testAccount(Safe), func(o *GateOptions) {
		o.Apology = func(string) string { return "系统出了点问题,请稍后再发" }
	})
	for _, p := range []any{"王大爷住在3号楼", errors.New("王大爷住在3号楼"), http.ErrAbortHandler} {
		b.handler.panic = p
		if got := b.wantReply(b.safe(textMessage("我的电话是13800138000"))); got != "系统出了点问题,请稍后再发" {
			t.Errorf("reply %q", got)
		}
	}
	var none *echo
	b.gate.handler = none // a fault of the program itself is told by its words
	if w := b.send(b.safe(textMessage("x"))); w.Code != 200 {
		t.Error(w.Code)
	}
	log := b.log.String()
	for _, secret := range []string{"王大爷", "13800138000", testOpenID, b.account.Token, b.account.EncodingAESKey} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(log, "*errors.errorString") || !strings.Contains(log, "nil pointer") || !strings.Contains(log, "gate_test.go") && !strings.Contains(log, "platform_test.go") {
		t.Errorf("the log tells too little: %s", log)
	}
	b = newBench(t, testAccount(Plain))
	b.handler.panic = 1
	if got := b.wantReply(b.plain(textMessage("x"))); got != "" {
		t.Errorf("without an apology: %q", got)
	}
}

func TestKeyRotation(t *testing.T) {
	a := testAccount(Safe)
	oldKey, oldToken := a.EncodingAESKey, a.Token
	a.PreviousAESKey, a.PreviousToken = oldKey, oldToken
	a.EncodingAESKey, a.Token = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "newToken"
	b := newBench(t, a)
	for _, token := range []string{oldToken, "newToken"} {
		for _, key := range []string{oldKey, a.EncodingAESKey} {
			w := b.send(b.sealedWith(token, encrypt(t, key, a.AppID, []byte(textMessage("x")))))
			if w.Code != 200 {
				t.Fatalf("refused: %v", b.refused)
			}
			// The answer is made with what the message was made with.
			if got := b.readReply(b.readSealed(w.Body.Bytes(), token, key)); got != "收到" {
				t.Errorf("reply %q", got)
			}
		}
	}
	b.wantRefused(b.sealedWith("newToken", encrypt(t, "9876543210abcdefghijklmnopqrstuvwxyzABCDEFG", a.AppID, []byte(textMessage("x")))), 403, RefusedDecrypt)
	b.account.PreviousAESKey, b.account.PreviousToken = "", ""
	b.wantRefused(b.sealedWith(oldToken, encrypt(t, a.EncodingAESKey, a.AppID, []byte(textMessage("x")))), 403, RefusedSignature)
	b.wantRefused(b.sealedWith("newToken", encrypt(t, oldKey, a.AppID, []byte(textMessage("x")))), 403, RefusedDecrypt)
}

// Whoever calls learns nothing from how they are refused.
func TestRefusalsAreNoOracle(t *testing.T) {
	b := newBench(t, testAccount(Safe))
	key, token := b.account.EncodingAESKey, b.account.Token
	good := encrypt(t, key, b.account.AppID, []byte(textMessage("x")))
	wrongSignature := b.safe(textMessage("x"))
	wrongSignature.query.Set("msg_signature", strings.Repeat("0", 40))
	wrongPlain := b.safe(textMessage("x"))
	wrongPlain.query.Set("signature", strings.Repeat("0", 40))
	stale := b.safe(textMessage("x"))
	stale.query.Set("timestamp", "1")
	seen := b.plain(textMessage("x"))
	spoiled := map[string]*request{
		"signature": wrongSignature, "plain signature": wrongPlain, "stale": stale, "downgrade": seen,
		"no base64":  b.sealedWith(token, "!!!!"),
		"too short":  b.sealedWith(token, encryptRaw(t, key, bytes.Repeat([]byte{1}, 16))),
		"odd blocks": b.sealedWith(token, encryptRaw(t, key, bytes.Repeat([]byte{1}, 48))),
		"cut":        b.sealedWith(token, good[:len(good)-4]),
		"pad 0":      b.sealedWith(token, encryptRaw(t, key, make([]byte, 64))),
		"pad 33":     b.sealedWith(token, encryptRaw(t, key, bytes.Repeat([]byte{33}, 64))),
		"all pad":    b.sealedWith(token, encryptRaw(t, key, bytes.Repeat([]byte{32}, 32))),
		"length":     b.sealedWith(token, encryptRaw(t, key, append(bytes.Repeat([]byte{0xff}, 63), 1))),
		"app id":     b.sealedWith(token, encrypt(t, key, "wx2222222222222222", []byte(textMessage("x")))),
		"key":        b.sealedWith(token, encrypt(t, "9876543210abcdefghijklmnopqrstuvwxyzABCDEFG", b.account.AppID, []byte(textMessage("x")))),
	}
	var first string
	for name, r := range spoiled {
		w := b.send(r)
		answer := w.Body.String() + "|" + w.Header().Get("Content-Type")
		if first == "" {
			first = answer
		}
		if w.Code != 403 || answer != first {
			t.Errorf("%s: %d %q, others %q", name, w.Code, answer, first)
		}
	}
	if b.handler.count() != 0 {
		t.Error("the handler was reached")
	}
}

func TestMalformedXMLIsRefused(t *testing.T) {
	deep := strings.Repeat("<a>", 8) + strings.Repeat("</a>", 8)
	bodies := map[string]string{
		"empty": "", "text": "hello", "json": `{"a":1}`, "not closed": "<xml><ToUserName>gh_123</ToUserName>", "other root": "<html></html>",
		"crossed": "<xml><a><b></a></b></xml>", "two roots": textMessage("x") + textMessage("y"), "text after": textMessage("x") + "x",
		"text before": "x" + textMessage("x"), "null byte": strings.Replace(textMessage("x"), "x]]", "\x00]]", 1),
		"invalid UTF-8": strings.Replace(textMessage("x"), "x]]", "\xff\xfe]]", 1), "half a character": strings.Replace(textMessage("x"), "x]]", "\xe4\xbd]]", 1),
		"dtd":             "<!DOCTYPE xml [<!ENTITY a \"aaaa\">]>" + textMessage("x"),
		"billion laughs":  `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><FromUserName>&b;</FromUserName></xml>`,
		"external entity": `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + inXML("text", "<Content>&a;</Content>"),
		"unknown entity":  inXML("text", "<Content>&nbsp;</Content>"), "bad reference": inXML("text", "<Content>&#0;</Content>"),
		"deep": inXML("text", deep), "very deep": strings.Repeat("<xml>", 5000), "many": inXML("text", strings.Repeat("<a/>", 600)),
		"other encoding": `<?xml version="1.0" encoding="GBK"?>` + textMessage("x"), "instruction": inXML("text", "<?php echo 1 ?>"),
		"namespace": inXML("text", "<a:Content>x</a:Content>"), "twice": inXML("text", "<FromUserName>other</FromUserName>"),
		"nobody":   strings.Replace(textMessage("x"), "FromUserName", "From", 2),
		"no type":  strings.Replace(textMessage("x"), "MsgType", "Type", 2),
		"no time":  strings.Replace(textMessage("x"), "CreateTime", "Time", 2),
		"bad time": strings.Replace(textMessage("x"), "1772352000", "-1", 1), "long time": strings.Replace(textMessage("x"), "1772352000", "99999999999999999999", 1),
		"bad name": strings.Replace(textMessage("x"), testOpenID, "a b", 1), "long name": strings.Replace(textMessage("x"), testOpenID, strings.Repeat("o", 200), 1),
		"no number": inXML("location", "<Location_X>north</Location_X>"), "NaN": inXML("location", "<Location_X>NaN</Location_X>"),
		"infinite": inXML("location", "<Location_X>1e999</Location_X>"), "beyond the pole": inXML("location", "<Location_X>91</Location_X>"),
	}
	for name, body := range bodies {
		for _, mode := range []Mode{Plain, Safe} {
			b := newBench(t, testAccount(mode))
			r := b.plain(body)
			reason := RefusedBody
			if mode == Safe {
				r = b.safe(body)
				if body == "" { // nothing to encrypt: the ciphertext itself is fine
					reason = RefusedBody
				}
			}
			b.refused = nil
			w := b.send(r)
			if w.Code != 400 || b.refused[0] != reason || b.handler.count() != 0 {
				t.Errorf("%s, %s: %d %v", name, mode, w.Code, b.refused)
			}
		}
		// The envelope of safe mode is read before anything is proven.
		b := newBench(t, testAccount(Safe))
		r := b.safe(textMessage("x"))
		r.body = []byte(body)
		if w := b.send(r); w.Code != 400 && w.Code != 403 || b.handler.count() != 0 {
			t.Errorf("%s, envelope: %d", name, w.Code)
		}
	}
	b := newBench(t, testAccount(Safe))
	r := b.safe(textMessage("x"))
	sealed, _ := sealedPart(r.body)
	r.body = []byte("<xml><Encrypt>" + sealed + "</Encrypt><Encrypt>AAAA</Encrypt></xml>")
	b.wantRefused(r, 400, RefusedBody)
}

// brokenStore is a Replays whose store is away.
type brokenStore struct{ hang bool }

func (s brokenStore) Seen(ctx context.Context, _, _, _ string, _ time.Duration) (Verdict, error) {
	if s.hang {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return New, errors.New("connection refused")
}

func TestReplaysAreKnownWhileTheStoreIsAway(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	before := b.plain(textMessage("genuine"))
	b.wantReply(before)
	for _, store := range []Replays{brokenStore{}, brokenStore{hang: true}, nil} {
		b.gate.replays = store
		r := b.plain(textMessage("genuine"))
		b.wantReply(r)
		forged := b.plain(textMessage("forged"))
		forged.query = r.query
		b.wantRefused(forged, 403, RefusedReplay)
		forged.query = before.query // used while the store was there
		b.wantRefused(forged, 403, RefusedReplay)
	}
}

func TestSharedReplaysHoldForEveryReplica(t *testing.T) {
	b := newBench(t, testAccount(Plain))
	r := b.plain(textMessage("genuine"))
	b.wantReply(r)
	other := newBench(t, testAccount(Plain))
	other.gate.replays = b.replays
	forged := other.plain(textMessage("forged"))
	forged.query = r.query
	other.wantRefused(forged, 403, RefusedReplay)
}

// countedStore is a Replays that counts.
type countedStore struct {
	Replays
	asked int
}

func (c *countedStore) Seen(ctx context.Context, community, key, body string, ttl time.Duration) (Verdict, error) {
	c.asked++
	return c.Replays.Seen(ctx, community, key, body, ttl)
}

// Where a signature covers its body there is nothing to remember: a message costs no
// call for it, and its repetition is let through as before.
func TestOnlyPlainSignaturesAreRemembered(t *testing.T) {
	for _, c := range []struct {
		mode  Mode
		plain bool
		want  int
	}{{Plain, false, 2}, {Compatible, false, 2}, {Safe, true, 2}, {Safe, false, 0}} {
		a := testAccount(c.mode)
		a.AllowPlain = c.plain
		b := newBench(t, a)
		store := &countedStore{Replays: b.replays}
		b.gate.replays = store
		r := b.safe
		if c.mode == Plain {
			r = b.plain
		}
		call := r(textMessage("genuine"))
		b.wantReply(call)
		b.wantReply(call)
		if store.asked != c.want {
			t.Errorf("%s, plain too %v: asked %d times, want %d", c.mode, c.plain, store.asked, c.want)
		}
	}
}

func TestMemoryReplaysIsBounded(t *testing.T) {
	clock := clockwork.NewFakeClock()
	m := &MemoryReplays{Clock: clock, Max: 3}
	see := func(key, body string, want Verdict) {
		t.Helper()
		if got, err := m.Seen(t.Context(), "c", key, body, time.Minute); got != want || err != nil {
			t.Errorf("%s %s: %s %v, want %s", key, body, got, err, want)
		}
	}
	see("a", "1", New)
	see("a", "1", Same)
	see("a", "2", Different)
	see("b", "1", New)
	see("c", "1", New)
	see("d", "1", New) // a is the oldest and goes
	see("a", "2", New)
	if len(m.known) != 3 || len(m.order) != 3 {
		t.Errorf("%d known, %d in order", len(m.known), len(m.order))
	}
	clock.Advance(time.Minute)
	see("d", "2", New) // over
	if len(m.known) != 1 || len(m.order) != 1 {
		t.Errorf("%d known, %d in order", len(m.known), len(m.order))
	}
	var zero MemoryReplays
	if v, _ := zero.Seen(t.Context(), "c", "k", "b", time.Hour); v != New {
		t.Error(v)
	}
	if v, _ := zero.Seen(t.Context(), "other", "k", "b2", time.Hour); v != New {
		t.Error("communities share a memory")
	}
}
