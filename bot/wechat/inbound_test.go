package wechat

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func mustParse(t *testing.T, doc string) Inbound {
	t.Helper()
	in, err := parse("north", []byte(doc))
	if err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	return in
}

// The documents are those of WeChat's pages 接收普通消息 and 接收事件推送.
func TestMessagesAndEvents(t *testing.T) {
	who := Inbound{Community: "north", OpenID: testOpenID, To: "gh_123", CreatedAt: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	message := func(kind string, change func(*Inbound)) Inbound {
		in := who
		in.Type = kind
		change(&in)
		return in
	}
	event := func(kind string, change func(*Inbound)) Inbound {
		return message("event", func(in *Inbound) {
			in.Event, in.Delivery = kind, "e:"+testOpenID+":1772352000:"+kind+":"
			change(in)
		})
	}
	for _, c := range []struct {
		doc  string
		want Inbound
	}{
		{inXML("text", "<Content><![CDATA[ 三单元 漏水\n急 ]]></Content><MsgId>1234567890123456</MsgId>"),
			message("text", func(in *Inbound) {
				in.Content, in.MsgID, in.Delivery = " 三单元 漏水\n急 ", "1234567890123456", "m:1234567890123456"
			})},
		{inXML("text", "<Content>满意</Content><MsgId>1</MsgId><bizmsgmenuid>rate:5</bizmsgmenuid>"), // no number
			message("text", func(in *Inbound) { in.Content, in.MenuID, in.MsgID, in.Delivery = "满意", "rate:5", "1", "m:1" })},
		{inXML("image", "<PicUrl><![CDATA[http://mmbiz.qpic.cn/a?b=1&c=2]]></PicUrl><MediaId><![CDATA[media_id]]></MediaId><MsgId>2</MsgId>"),
			message("image", func(in *Inbound) {
				in.PicURL, in.MediaID, in.MsgID, in.Delivery = "http://mmbiz.qpic.cn/a?b=1&c=2", "media_id", "2", "m:2"
			})},
		{inXML("voice", "<MediaId>v</MediaId><Format>amr</Format><Recognition><![CDATA[楼上太吵]]></Recognition><MsgId>3</MsgId>"),
			message("voice", func(in *Inbound) {
				in.MediaID, in.Format, in.Recognition, in.MsgID, in.Delivery = "v", "amr", "楼上太吵", "3", "m:3"
			})},
		{inXML("voice", "<MediaId>v</MediaId><Format>speex</Format><Recognition><![CDATA[]]></Recognition><MsgId>4</MsgId><MediaId16K>w</MediaId16K>"),
			message("voice", func(in *Inbound) { in.MediaID, in.Format, in.MsgID, in.Delivery = "v", "speex", "4", "m:4" })},
		{inXML("video", "<MediaId>v</MediaId><ThumbMediaId>t</ThumbMediaId><MsgId>5</MsgId>"),
			message("video", func(in *Inbound) { in.MediaID, in.ThumbMediaID, in.MsgID, in.Delivery = "v", "t", "5", "m:5" })},
		{inXML("location", "<Location_X>23.134521</Location_X><Location_Y>113.358803</Location_Y><Scale>20</Scale><Label><![CDATA[北村西区]]></Label><MsgId>6</MsgId>"),
			message("location", func(in *Inbound) {
				in.Lat, in.Lng, in.Scale, in.Label, in.MsgID, in.Delivery = 23.134521, 113.358803, 20, "北村西区", "6", "m:6"
			})},
		{inXML("link", "<Title>公告</Title><Description>停水</Description><Url><![CDATA[https://x.cn/?a=1&b=2]]></Url><MsgId>7</MsgId>"),
			message("link", func(in *Inbound) {
				in.Title, in.Description, in.URL, in.MsgID, in.Delivery = "公告", "停水", "https://x.cn/?a=1&b=2", "7", "m:7"
			})},
		{inXML("hologram", "<Cube><Side>1</Side></Cube><MsgId>8</MsgId>"), // a type of the future
			message("hologram", func(in *Inbound) { in.MsgID, in.Delivery = "8", "m:8" })},
		{inXML("event", "<Event>subscribe</Event><EventKey>qrscene_G01-3</EventKey><Ticket>TICKET</Ticket>"),
			event("subscribe", func(in *Inbound) {
				in.EventKey, in.Ticket = "qrscene_G01-3", "TICKET"
				in.Delivery += "qrscene_G01-3"
			})},
		{inXML("event", "<Event>unsubscribe</Event><EventKey></EventKey>"), event("unsubscribe", func(*Inbound) {})},
		{inXML("event", "<Event>SCAN</Event><EventKey>G01-3</EventKey><Ticket>TICKET</Ticket>"),
			event("SCAN", func(in *Inbound) { in.EventKey, in.Ticket = "G01-3", "TICKET"; in.Delivery += "G01-3" })},
		{inXML("event", "<Event>LOCATION</Event><Latitude>23.137466</Latitude><Longitude>113.352425</Longitude><Precision>119.385040</Precision>"),
			event("LOCATION", func(in *Inbound) { in.Lat, in.Lng = 23.137466, 113.352425 })},
		{inXML("event", "<Event>CLICK</Event><EventKey>progress</EventKey>"),
			event("CLICK", func(in *Inbound) { in.EventKey = "progress"; in.Delivery += "progress" })},
		{inXML("event", "<Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status><![CDATA[failed:user block]]></Status>"),
			event("TEMPLATESENDJOBFINISH", func(in *Inbound) {
				in.MsgID, in.Status = "200163836", "failed:user block"
				in.Delivery += ":200163836"
			})},
		{inXML("event", "<Event>an_event_of_the_future</Event><Other><Status>x</Status></Other>"), event("an_event_of_the_future", func(*Inbound) {})},
		{inXML("event", "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>2</PopupScene></List>"+
			"<List><TemplateId>T2</TemplateId><SubscribeStatusString>reject</SubscribeStatusString><PopupScene>2</PopupScene></List></SubscribeMsgPopupEvent>"),
			event("subscribe_msg_popup_event", func(in *Inbound) {
				in.SubscribeResults = []SubscribeResult{{TemplateID: "T1", Status: "accept", Scene: "2"}, {TemplateID: "T2", Status: "reject", Scene: "2"}}
				in.Delivery += ":T1:T2"
			})},
		{inXML("event", "<Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>"),
			event("subscribe_msg_change_event", func(in *Inbound) {
				in.SubscribeResults = []SubscribeResult{{TemplateID: "T1", Status: "reject"}}
				in.Delivery += ":T1"
			})},
		{inXML("event", "<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><MsgID>1700827132819554304</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>"),
			event("subscribe_msg_sent_event", func(in *Inbound) {
				in.SubscribeResults = []SubscribeResult{{TemplateID: "T1", Status: "success", MsgID: "1700827132819554304", ErrorCode: "0"}}
				in.Delivery += ":T11700827132819554304"
			})},
	} {
		if got := mustParse(t, c.doc); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\n got %+v\nwant %+v", c.doc, got, c.want)
		}
	}
}

func TestDeliveryKeys(t *testing.T) {
	event := func(rest string) string { return mustParse(t, inXML("event", rest)).Delivery }
	one := event("<Event>CLICK</Event><EventKey>a</EventKey>")
	if two := event("<Event>CLICK</Event><EventKey>b</EventKey>"); one == two {
		t.Error("two clicks share a key")
	}
	long := event("<Event>VIEW</Event><EventKey>https://x.cn/" + strings.Repeat("y", 500) + "</EventKey>")
	if len(long) > maxName || !isName(long) {
		t.Errorf("long key %q", long)
	}
	if other := event("<Event>VIEW</Event><EventKey>https://x.cn/" + strings.Repeat("y", 501) + "</EventKey>"); other == long {
		t.Error("long keys are cut instead of hashed")
	}
	if spaced := event("<Event>CLICK</Event><EventKey>我的 进度</EventKey>"); !isName(spaced) {
		t.Errorf("key %q", spaced)
	}
	future := mustParse(t, inXML("hologram", "<Cube>1</Cube>")).Delivery
	if future == mustParse(t, inXML("hologram", "<Cube>2</Cube>")).Delivery || future != mustParse(t, inXML("hologram", "<Cube>1</Cube>")).Delivery {
		t.Error("a message without an id is not told by its content")
	}
}

func TestRepliesAreMadeFit(t *testing.T) {
	b := newBench(t, testAccount(Safe))
	for _, c := range []struct{ name, reply, want string }{
		{"nothing", "", ""},
		{"white space", " \n\t", ""},
		{"control characters alone", "\x00\x01\x1f", ""},
		{"control characters", "一\x00二\x0b三\x1b四\x7f五\r\n六\t七", "一二三四五\n六\t七"},
		{"invalid UTF-8", "一\xff二\xe4\xbd三", "一\uFFFD二\uFFFD三"},
		{"no characters", "一\uFFFE二\uFFFF三", "一二三"},
		{"the end of CDATA", "a]]>b]]]]>>c", "a]]>b]]]]>>c"},
		{"XML", "<b>&amp;</b>", "<b>&amp;</b>"},
		{"a face", "好👌🏻", "好👌🏻"},
		{"just fits", strings.Repeat("x", 2048), strings.Repeat("x", 2048)},
		{"one too long", strings.Repeat("x", 2049), strings.Repeat("x", 2045) + "…"},
		{"cut at a character", strings.Repeat("长", 1000), strings.Repeat("长", 681) + "…"},
		{"cut before a link", strings.Repeat("x", 2000) + `<a href="weixin://bizmsgmenu?msgmenucontent=1&msgmenuid=1">一</a>`, strings.Repeat("x", 2000) + "…"},
		{"cut after a link", `<a href="weixin://bizmsgmenu?x">一</a>` + strings.Repeat("x", 2048), `<a href="weixin://bizmsgmenu?x">一</a>` + strings.Repeat("x", 2006) + "…"},
	} {
		b.handler.reply = c.reply
		if got := b.wantReply(b.safe(textMessage("x"))); got != c.want {
			t.Errorf("%s: %d bytes %.60q, want %d bytes %.60q", c.name, len(got), got, len(c.want), c.want)
		}
	}
	// In safe mode nothing to say is the word itself, not a ciphertext of it.
	b.handler.reply = ""
	w := b.send(b.safe(textMessage("x")))
	if w.Body.String() != "success" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%q %v", w.Body, w.Header())
	}
}

func FuzzInbound(f *testing.F) {
	for _, s := range []string{
		textMessage("楼道灯坏了"), inXML("event", "<Event>SCAN</Event><EventKey>1</EventKey>"), inXML("location", "<Location_X>1</Location_X><Scale></Scale>"),
		inXML("event", "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>T</TemplateId></List></SubscribeMsgPopupEvent>"),
		`<?xml version="1.0"?><xml/>`, "<xml><a", "<!DOCTYPE x>", strings.Repeat("<xml>", 20), inXML("text", "<Content>&#x4f60;&lt;</Content>"),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := parse("c", data)
		if err != nil {
			if !errors.Is(err, errXML) {
				t.Fatal(err)
			}
			return
		}
		for _, s := range []string{in.Content, in.Label, in.Event, in.EventKey, in.Type, in.Status} {
			if !utf8.ValidString(s) || len(s) > maxText {
				t.Fatalf("%q", s)
			}
		}
		if !isName(in.OpenID) || !isName(in.To) || !isName(in.Delivery) || len(in.Delivery) > maxName || in.CreatedAt.Year() > 9999 {
			t.Fatalf("%+v", in)
		}
		if math.IsNaN(in.Lat+in.Lng+in.Scale) || math.Abs(in.Lat) > 90 || math.Abs(in.Lng) > 180 {
			t.Fatalf("%+v", in)
		}
		again, err := parse("c", data)
		if err != nil || again.Delivery != in.Delivery {
			t.Fatal("a retry is another delivery")
		}
	})
}
