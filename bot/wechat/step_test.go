package wechat

import (
	"testing"
	"time"
)

// BenchmarkStep are the steps of one message at the edge, by themselves, for make
// bench; BenchmarkGate is all of them.
func BenchmarkStep(b *testing.B) {
	a := testAccount(Safe)
	now := time.Unix(1772352000, 0)
	plain := textMessage("三单元门口的路灯不亮了,晚上看不见,请来看看")
	sealed := encrypt(b, a.EncodingAESKey, a.AppID, []byte(plain))
	body := []byte("<xml><ToUserName><![CDATA[gh_123]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>")
	s := stamp{timestamp: "1772352000", nonce: "1", encryptType: "aes", msgSignature: sha(a.Token, "1772352000", "1", sealed), signature: sha(a.Token, "1772352000", "1")}
	m, no := open(a, s, body)
	if no != nil {
		b.Fatal(no.reason)
	}
	in, err := parse(a.Community, m.xml)
	if err != nil {
		b.Fatal(err)
	}
	reply, err := replyXML(in, "收到,已登记,编号 1024。陈志强负责,17:30前联系您。", now)
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func() bool
	}{
		{"open", func() bool { _, no := open(a, s, body); return no == nil }},
		{"parse", func() bool { _, err := parse(a.Community, m.xml); return err == nil }},
		{"encode", func() bool {
			_, err := replyXML(in, "收到,已登记,编号 1024。陈志强负责,17:30前联系您。", now)
			return err == nil
		}},
		{"seal", func() bool { _, err := seal(a, m.key, m.token, reply, now); return err == nil }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !step.do() {
					b.Fatal("failed")
				}
			}
		})
	}
}
