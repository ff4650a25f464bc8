package wechatsim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func noticeBody(openid, template string, values map[string]any) map[string]any {
	data := map[string]any{}
	for key, value := range values {
		data[key] = map[string]any{"value": value}
	}
	return map[string]any{"touser": openid, "template_id": template, "data": data, "url": "https://a.cn/t/1"}
}

func goodNotice() map[string]any {
	return map[string]any{"character_string1": "1024", "thing2": "楼道灯不亮", "phrase3": "已派单", "time4": "2026年3月2日 15:01", "first": "没人看"}
}

func TestTemplateSend(t *testing.T) {
	b := newBench(t)
	out := b.call(pathTemplateSend, noticeBody(resident, "demo-notice", goodNotice()))
	b.wantCode("send", out, 0)
	g := b.hook.event(t, "TEMPLATESENDJOBFINISH")
	if g.Msg.FromUserName != resident || g.Msg.Status != "success" || json.Number(itoa(g.Msg.MsgID)) != out["msgid"] || g.Msg.MsgId != 0 {
		t.Errorf("job event %+v after %v", g.Msg, out)
	}
	e := b.Transcript(resident)[0]
	if e.Channel != ByTemplate || e.Field("thing2") != "楼道灯不亮" || e.Field("first") != "" || e.URL != "https://a.cn/t/1" || len(e.Fields) != 4 || e.Fields[0].Label != "工单编号" {
		t.Errorf("card %+v", e)
	}
	b.wantCode("unknown template", b.call(pathTemplateSend, noticeBody(resident, "no", goodNotice())), 40037)
	b.wantCode("unknown person", b.call(pathTemplateSend, noticeBody("no", "demo-notice", goodNotice())), 40003)
	b.wantCode("stranger", b.call(pathTemplateSend, noticeBody(stranger, "demo-notice", goodNotice())), 43004)
	without := goodNotice()
	delete(without, "thing2")
	out = b.call(pathTemplateSend, noticeBody(resident, "demo-notice", without))
	b.wantCode("a field is missing", out, 47003)
	if text, _ := out["errmsg"].(string); !strings.Contains(text, "data.thing2.value invalid") {
		t.Errorf("errmsg %q does not name the field", text)
	}
	if n := len(b.Transcript(resident)); n != 1 {
		t.Errorf("%d cards, want 1", n)
	}
	list, _ := json.Marshal(b.get(pathTemplateList + "?access_token=" + b.token()))
	contains(t, "list", list, "demo-assigned", "{{thing2.DATA}}")
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

// A client_msg_id makes a retry safe for ten minutes, for one person.
func TestClientMsgID(t *testing.T) {
	b := newBench(t)
	send := func(openid, id string) string {
		body := noticeBody(openid, "demo-notice", goodNotice())
		body["client_msg_id"] = id
		out := b.call(pathTemplateSend, body)
		b.wantCode("send", out, 0)
		n, _ := out["msgid"].(json.Number)
		return n.String()
	}
	first := send(resident, "p-1")
	if send(resident, "p-1") != first {
		t.Error("a retry has another msgid")
	}
	if send(resident, "p-2") == first || send(worker, "p-1") == first {
		t.Error("another message has the same msgid")
	}
	b.clock.Advance(10*time.Minute - time.Second)
	if send(resident, "p-1") != first {
		t.Error("sent again within ten minutes")
	}
	b.clock.Advance(time.Second)
	if send(resident, "p-1") == first {
		t.Error("kept for more than ten minutes")
	}
	if n := len(b.Transcript(resident)); n != 3 {
		t.Errorf("%d cards, want 3", n)
	}
	if one, two := send(resident, ""), send(resident, ""); one == two {
		t.Error("messages without an id are taken for one")
	}
}

func TestBlockedNotices(t *testing.T) {
	b := newBench(t)
	if err := b.BlockNotices(resident, true); err != nil {
		t.Fatal(err)
	}
	b.wantCode("send", b.call(pathTemplateSend, noticeBody(resident, "demo-notice", goodNotice())), 0)
	if g := b.hook.event(t, "TEMPLATESENDJOBFINISH"); g.Msg.Status != "failed:user block" {
		t.Errorf("status %q", g.Msg.Status)
	}
	if n := len(b.Transcript(resident)); n != 0 {
		t.Error("the card was shown")
	}
	if err := b.BlockNotices("no", true); err == nil {
		t.Error("nobody blocked notices")
	}
}

// One consent, one send.
func TestSubscribeSend(t *testing.T) {
	b := newBench(t)
	body := noticeBody(resident, "demo-notice", goodNotice())
	b.wantCode("without consent", b.call(pathSubscribeSend, body), 43101)
	must(b.Consent(ctxOf(t), resident, "demo-notice", false))(t)
	b.wantCode("refused", b.call(pathSubscribeSend, body), 43101)
	must(b.Consent(ctxOf(t), resident, "demo-notice", true))(t)
	if g := b.hook.lastOne(t); len(g.Msg.Popup) != 1 || g.Msg.Popup[0].SubscribeStatusString != "accept" {
		t.Errorf("pop-up event %+v", g.Msg)
	}
	b.wantCode("another template", b.call(pathSubscribeSend, noticeBody(resident, "demo-assigned", map[string]any{
		"character_string1": "1", "thing2": "x", "thing3": "y", "time4": "15:01"})), 43101)
	bad := goodNotice()
	bad["phrase3"] = "abc"
	b.wantCode("bad field", b.call(pathSubscribeSend, noticeBody(resident, "demo-notice", bad)), 47003)
	b.wantCode("once", b.call(pathSubscribeSend, body), 0)
	if g := b.hook.event(t, "subscribe_msg_sent_event"); len(g.Msg.Sent) != 1 || g.Msg.Sent[0].ErrorStatus != "success" {
		t.Errorf("sent event %+v", g.Msg)
	}
	b.wantCode("twice", b.call(pathSubscribeSend, body), 43101)
	must(b.Consent(ctxOf(t), resident, "demo-notice", true))(t)
	must(b.Withdraw(ctxOf(t), resident, "demo-notice"))(t)
	contains(t, "withdrawn", b.hook.lastOne(t).Plain, "subscribe_msg_change_event", "demo-notice", "reject")
	b.wantCode("after withdrawing", b.call(pathSubscribeSend, body), 43101)
}

func TestFieldRules(t *testing.T) {
	long := func(s string, n int) string { return strings.Repeat(s, n) }
	for key, values := range map[string]struct{ yes, no []string }{
		"thing1":             {[]string{"楼道灯不亮", long("长", 20), "a1，。"}, []string{"", long("长", 21), "两\n行", "a\rb", "\xff"}},
		"phrase2":            {[]string{"已派单", "五个汉字了"}, []string{"六个汉字超了", "ok", "已 派", "第1", ""}},
		"character_string33": {[]string{"1024", "A-1_2#", long("9", 32)}, []string{"单1024", long("9", 33), "", "a\tb"}},
		"name4":              {[]string{"王秀兰", long("王", 10), "Zhang San"}, []string{long("王", 11), "王2", long("a", 21)}},
		"time5": {[]string{"15:01", "2019年10月1日", "2019年10月1日 15:01", "2019-10-01 15:01:07", "2019年10月1日 15:01~2019年10月2日 15:01", "9:05"},
			[]string{"今天", "2019/10/01", "25:00", "2019年13月1日", "10月1日 15:01", "2019-10-0115: 01", ""}},
		"date6":         {[]string{"2019年10月1日"}, []string{"明天"}},
		"number7":       {[]string{"1", "3.14", long("1", 32)}, []string{"一", "1.2.3", long("1", 33)}},
		"letter8":       {[]string{"abc"}, []string{"a1", ""}},
		"symbol9":       {[]string{"!?"}, []string{"a!", "!!!!!!"}},
		"amount1":       {[]string{"¥100.00", "100元", "3"}, []string{"一百", "¥¥1"}},
		"phone_number1": {[]string{"+86-0766-66888866", "12345"}, []string{"电话", long("1", 18)}},
		"car_number1":   {[]string{"粤A8Z888挂"}, []string{long("A", 9)}},
		"const1":        {[]string{"办理中"}, []string{long("长", 21)}},
		"poem1":         {nil, []string{"床前明月光"}},
	} {
		for _, value := range values.yes {
			if !fieldValid(key, value) {
				t.Errorf("%s refuses %q", key, value)
			}
		}
		for _, value := range values.no {
			if fieldValid(key, value) {
				t.Errorf("%s takes %q", key, value)
			}
		}
	}
}

func TestNumbersAsFieldValues(t *testing.T) {
	b := newBench(t)
	values := goodNotice()
	values["character_string1"] = 1024
	b.wantCode("a bare number", b.call(pathTemplateSend, noticeBody(resident, "demo-notice", values)), 0)
	if e := b.Transcript(resident)[0]; e.Field("character_string1") != "1024" {
		t.Errorf("card %+v", e)
	}
	values["thing2"] = []string{"x"}
	b.wantCode("a list", b.call(pathTemplateSend, noticeBody(resident, "demo-notice", values)), 47003)
}
