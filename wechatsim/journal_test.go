package wechatsim

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reopen makes a second stand-in on the files of a first one that was killed:
// the first is never asked to close before.
func (b *bench) reopen(dir string) *bench {
	b.t.Helper()
	return newBench(b.t, func(o *Options) {
		o.DataDir, o.Clock = dir, b.clock
	})
}

func TestChatsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, func(o *Options) { o.DataDir = dir })
	sample := photo()
	must(b.SendText(ctxOf(t), resident, "灯坏了"))(t)
	must(b.SendImage(ctxOf(t), resident, sample, "a.jpg"))(t)
	must(b.Scan(ctxOf(t), stranger, "b-1"))(t)
	must(b.Unfollow(ctxOf(t), worker))(t)
	must(b.Consent(ctxOf(t), resident, "demo-notice", true))(t)
	token := b.token()
	for range 4 {
		b.wantCode("push", b.call(pathCustomSend, customText(resident, "您好")), 0)
	}
	notice := noticeBody(resident, "demo-notice", goodNotice())
	notice["client_msg_id"] = "p-1"
	job := b.call(pathTemplateSend, notice)
	code := b.call(pathQRCreate, map[string]any{"action_name": "QR_LIMIT_STR_SCENE", "action_info": map[string]any{"scene": map[string]any{"scene_str": "b-77"}}})
	b.wantCode("menu", b.call(pathMenuCreate, map[string]any{"button": []any{map[string]any{"type": "click", "name": "进度", "key": "P"}}}), 0)
	if err := b.Admit(Persona{OpenID: "oNew", Name: "新人"}); err != nil {
		t.Fatal(err)
	}
	b.hook.event(t, "TEMPLATESENDJOBFINISH")
	chat, lastMsg := b.Transcript(resident), b.msgID

	journal := filepath.Join(dir, journalName)
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal, append(whole, `{"said":{"openid":"torn`...), 0o600); err != nil {
		t.Fatal(err)
	}

	again := b.reopen(dir)
	same := again.Transcript(resident)
	if len(same) != len(chat) {
		t.Fatalf("%d entries of %d came back", len(same), len(chat))
	}
	for i := range chat {
		if same[i].ID != chat[i].ID || same[i].Text != chat[i].Text || same[i].MediaURL != chat[i].MediaURL || !same[i].At.Equal(chat[i].At) {
			t.Errorf("entry %d came back as %+v, was %+v", i, same[i], chat[i])
		}
	}
	b.wantCode("the old token still works", again.post(pathCustomSend+"?access_token="+token, customText(resident, "第五条")), 0)
	b.wantCode("the window goes on", again.post(pathCustomSend+"?access_token="+token, customText(resident, "第六条")), 45047)
	if again.token() != token {
		t.Error("the stable token changed")
	}
	b.wantCode("consent is kept", again.call(pathSubscribeSend, noticeBody(resident, "demo-notice", goodNotice())), 0)
	b.wantCode("and spent", again.call(pathSubscribeSend, noticeBody(resident, "demo-notice", goodNotice())), 43101)
	b.wantCode("the one who left", again.call(pathCustomSend, customText(worker, "x")), 43004)
	if retried := again.call(pathTemplateSend, notice); retried["msgid"] != job["msgid"] {
		t.Errorf("a retry after the restart gave %v, was %v", retried, job)
	}
	must(again.SendText(ctxOf(t), stranger, "我关注了"))(t)
	if got := again.hook.lastOne(t).Msg.MsgId; got <= lastMsg || got > lastMsg+100 {
		t.Errorf("MsgId %d does not go on from %d", got, lastMsg)
	}
	must(again.SendText(ctxOf(t), "oNew", "在吗"))(t)
	f := again.media[chat[1].MediaID]
	if f == nil || !bytes.Equal(must(again.mediaBytes(f))(t), sample) {
		t.Error("the photo is gone")
	}
	if got := again.ticketOf("b-77"); got != code["ticket"] {
		t.Errorf("the code's ticket is %q, was %v", got, code["ticket"])
	}
	if len(again.buttons()) != 1 {
		t.Error("the menu is gone")
	}
	// What is written after the torn line can be read the next time.
	count := len(again.Transcript(resident))
	if third := again.reopen(dir); len(third.Transcript(resident)) != count {
		t.Error("the third start does not read what the second wrote")
	}
}

func TestDeletedMenuStaysDeleted(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, func(o *Options) { o.DataDir = dir })
	b.wantCode("menu", b.call(pathMenuCreate, map[string]any{"button": []any{map[string]any{"type": "click", "name": "进度", "key": "P"}}}), 0)
	b.wantCode("delete", b.get(pathMenuDelete+"?access_token="+b.token()), 0)
	if again := b.reopen(dir); again.buttons() != nil {
		t.Error("the menu came back")
	}
}

func TestJournalDamage(t *testing.T) {
	line := `{"msg_id":7}` + "\n"
	for name, c := range map[string]struct {
		content string
		lines   int
		damaged bool
	}{
		"empty":                  {"", 0, false},
		"whole":                  {line + line, 2, false},
		"torn":                   {line + `{"msg`, 1, false},
		"torn, with its newline": {line + `{"msg` + "\n", 1, false},
		"broken in the middle":   {line + `{"msg` + "\n" + line, 1, true},
	} {
		n := 0
		good, err := readJournal(strings.NewReader(c.content), func(record) { n++ })
		if n != c.lines || (err != nil) != c.damaged || !c.damaged && good != int64(c.lines*len(line)) {
			t.Errorf("%s: %d lines, %d bytes, %v", name, n, good, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, journalName), []byte("no\n"+line), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Account: Account{AppID: "a", AppSecret: "s", Token: "t", Mode: Plain, WebhookURL: "http://127.0.0.1/"}, DataDir: dir}
	if p, err := New(o); err == nil {
		t.Error("a damaged journal was taken")
		_ = p.Close()
	}
}

// Many people at once: every message is answered once, no id is given twice.
func TestManyAtOnce(t *testing.T) {
	b := newBench(t, func(o *Options) { o.DataDir = t.TempDir() })
	const people, each = 8, 10
	done := make(chan error, people)
	for i := range people {
		who := Persona{OpenID: "oMany" + string(rune('a'+i)), Name: "众"}
		if err := b.Admit(who); err != nil {
			t.Fatal(err)
		}
		go func() {
			for range each {
				if _, err := b.SendText(ctxOf(t), who.OpenID, "在吗"); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range people {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("not done in 10 s")
		}
	}
	ids := map[int64]bool{}
	for _, g := range b.hook.deliveries() {
		ids[g.Msg.MsgId] = true
	}
	if len(ids) != people*each {
		t.Errorf("%d ids for %d messages", len(ids), people*each)
	}
}
