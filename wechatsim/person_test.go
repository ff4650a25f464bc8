package wechatsim

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// What people do, and what of it reaches the webhook.
func TestWhatPeopleDo(t *testing.T) {
	b := newBench(t, func(o *Options) { o.BaseURL = "http://sim.test/" })
	sample, voice, still := photo(), silence(), []byte("a still")
	for name, c := range map[string]struct {
		do   func(context.Context) (Reply, error)
		want []string
		not  string // must not be in the delivery
	}{
		"text":  {func(ctx context.Context) (Reply, error) { return b.SendText(ctx, resident, "灯坏了") }, []string{"<MsgType><![CDATA[text]]>", "<Content><![CDATA[灯坏了]]>", "<MsgId>"}, "bizmsgmenuid"},
		"tap":   {func(ctx context.Context) (Reply, error) { return b.Tap(ctx, resident, "101", "满意") }, []string{"<MsgType><![CDATA[text]]>", "<Content><![CDATA[满意]]>", "<bizmsgmenuid>101</bizmsgmenuid>", "<MsgId>"}, "Event"},
		"image": {func(ctx context.Context) (Reply, error) { return b.SendImage(ctx, resident, sample, "a.jpg") }, []string{"<PicUrl><![CDATA[http://sim.test/sim/media/", "<MediaId>", "<MsgId>"}, "Format"},
		"voice": {func(ctx context.Context) (Reply, error) { return b.SendVoice(ctx, resident, voice, "灯坏了") }, []string{"<Format><![CDATA[amr]]>", "<Recognition><![CDATA[灯坏了]]>", "<MediaId>", "<MsgId>"}, "PicUrl"},
		"mumbled voice": {func(ctx context.Context) (Reply, error) { return b.SendVoice(ctx, resident, voice, "") },
			[]string{"<Recognition><![CDATA[]]>"}, "PicUrl"},
		"video": {func(ctx context.Context) (Reply, error) { return b.SendVideo(ctx, resident, []byte("video"), still) }, []string{"<MsgType><![CDATA[video]]>", "<ThumbMediaId>", "<MsgId>"}, "PicUrl"},
		"location": {func(ctx context.Context) (Reply, error) {
			return b.SendLocation(ctx, resident, 36.69, 116.98, "12号楼")
		}, []string{"<Location_X>36.690000<", "<Location_Y>116.980000<", "<Scale>16<", "<Label><![CDATA[12号楼]]>", "<MsgId>"}, "Latitude"},
		"link": {func(ctx context.Context) (Reply, error) {
			return b.SendLink(ctx, resident, "题", "话", "https://a.cn/")
		}, []string{"<Title><![CDATA[题]]>", "<Url><![CDATA[https://a.cn/]]>", "<MsgId>"}, "Event"},
		"click":   {func(ctx context.Context) (Reply, error) { return b.Click(ctx, resident, "PROGRESS") }, []string{"<Event><![CDATA[CLICK]]>", "<EventKey><![CDATA[PROGRESS]]>"}, "<MsgId>"},
		"view":    {func(ctx context.Context) (Reply, error) { return b.View(ctx, resident, "https://a.cn/") }, []string{"<Event><![CDATA[VIEW]]>", "<EventKey><![CDATA[https://a.cn/]]>"}, "<MsgId>"},
		"scan":    {func(ctx context.Context) (Reply, error) { return b.Scan(ctx, resident, "b-12") }, []string{"<Event><![CDATA[SCAN]]>", "<EventKey><![CDATA[b-12]]>", "<Ticket>"}, "<MsgId>"},
		"gps":     {func(ctx context.Context) (Reply, error) { return b.ReportLocation(ctx, resident, 36.69, 116.98, 30) }, []string{"<Event><![CDATA[LOCATION]]>", "<Latitude>36.690000<", "<Longitude>116.980000<", "<Precision>30"}, "<MsgId>"},
		"consent": {func(ctx context.Context) (Reply, error) { return b.Consent(ctx, resident, "demo-notice", true) }, []string{"<Event><![CDATA[subscribe_msg_popup_event]]>", "<TemplateId><![CDATA[demo-notice]]>", "<SubscribeStatusString><![CDATA[accept]]>"}, "<MsgId>"},
		"refusal": {func(ctx context.Context) (Reply, error) { return b.Consent(ctx, resident, "demo-notice", false) }, []string{"<SubscribeStatusString><![CDATA[reject]]>"}, "accept"},
		"anything": {func(ctx context.Context) (Reply, error) {
			return b.Deliver(ctx, resident, []byte("<xml><MsgType>odd</MsgType></xml>"))
		}, []string{"<MsgType>odd<"}, "MsgId"},
	} {
		t.Run(name, func(t *testing.T) {
			must(c.do(ctxOf(t)))(t)
			g := b.hook.lastOne(t)
			contains(t, name, g.Plain, c.want...)
			if c.not != "" && bytes.Contains(g.Plain, []byte(c.not)) {
				t.Errorf("%s holds %s:\n%s", name, c.not, g.Plain)
			}
		})
	}
}

func TestFollowing(t *testing.T) {
	b := newBench(t)
	ctx := ctxOf(t)
	if _, err := b.SendText(ctx, stranger, "在吗"); !errors.Is(err, ErrNotFollowing) {
		t.Errorf("a stranger wrote: %v", err)
	}
	if _, err := b.SendText(ctx, "oNobody", "在吗"); !errors.Is(err, ErrUnknownPerson) {
		t.Errorf("nobody wrote: %v", err)
	}
	// A stranger's scan is a follow with the scene.
	must(b.Scan(ctx, stranger, "b-12"))(t)
	contains(t, "scan", b.hook.lastOne(t).Plain, "<Event><![CDATA[subscribe]]>", "<EventKey><![CDATA[qrscene_b-12]]>", "<Ticket>")
	// Now it is a SCAN, and following again with a scene too.
	must(b.Follow(ctx, stranger, "b-13"))(t)
	contains(t, "again", b.hook.lastOne(t).Plain, "<Event><![CDATA[SCAN]]>", "<EventKey><![CDATA[b-13]]>")
	before := len(b.hook.deliveries())
	must(b.Follow(ctx, stranger, ""))(t)
	if n := len(b.hook.deliveries()); n != before {
		t.Errorf("following twice made %d deliveries", n-before)
	}
	must(b.SendText(ctx, stranger, "在吗"))(t)
	must(b.Unfollow(ctx, stranger))(t)
	contains(t, "unfollow", b.hook.lastOne(t).Plain, "<Event><![CDATA[unsubscribe]]>")
	b.wantCode("after unfollowing", b.call(pathCustomSend, customText(stranger, "再见")), 43004)
	// A plain follow has no scene and no ticket.
	must(b.Follow(ctx, stranger, ""))(t)
	g := b.hook.lastOne(t)
	if g.Msg.Event != "subscribe" || g.Msg.EventKey != "" || g.Msg.Ticket != "" {
		t.Errorf("follow %+v", g.Msg)
	}
	// The window of before does not come back with the follow.
	for i := range 4 {
		want := 0
		if i == 3 {
			want = 45047
		}
		b.wantCode("after following again", b.call(pathCustomSend, customText(stranger, "你好")), want)
	}
}

func TestAdmit(t *testing.T) {
	b := newBench(t)
	if err := b.Admit(Persona{}); err == nil {
		t.Error("admitted somebody without an openid")
	}
	if err := b.Admit(Persona{OpenID: "oNew", Name: "新人"}); err != nil {
		t.Fatal(err)
	}
	must(b.SendText(ctxOf(t), "oNew", "在吗"))(t)
}

func TestAwait(t *testing.T) {
	b := newBench(t)
	found := make(chan Entry, 1)
	go func() {
		e, err := b.Await(ctxOf(t), resident, func(e Entry) bool { return e.Channel == ByCustom })
		if err != nil {
			t.Error(err)
		}
		found <- e
	}()
	must(b.SendText(ctxOf(t), resident, "在吗"))(t)
	b.wantCode("push", b.call(pathCustomSend, customText(resident, "在")), 0)
	if e := <-found; e.Text != "在" || e.Dir != Out {
		t.Errorf("awaited %+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Await(ctx, resident, func(Entry) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait gave %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Account: Account{AppID: "a", AppSecret: "s", Token: "t", EncodingAESKey: demoKey, WebhookURL: "http://127.0.0.1/"}}
	for name, spoil := range map[string]func(*Options){
		"no app id":       func(o *Options) { o.Account.AppID = "" },
		"empty token":     func(o *Options) { o.Account.Token = "" },
		"short key":       func(o *Options) { o.Account.EncodingAESKey = "abc" },
		"unknown mode":    func(o *Options) { o.Account.Mode = "secret" },
		"no webhook":      func(o *Options) { o.Account.WebhookURL = "/wechat" },
		"no openid":       func(o *Options) { o.Personas = []Persona{{Name: "x"}} },
		"repeated openid": func(o *Options) { o.Personas = []Persona{{OpenID: "x"}, {OpenID: "x"}} },
	} {
		o := good
		spoil(&o)
		if p, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
			_ = p.Close()
		}
	}
	p := must(New(good))(t)
	if p.Account.Mode != Safe || p.Limits.ReplyTimeout.Seconds() != 5 || p.Limits.Tries != 3 {
		t.Errorf("defaults %+v %+v", p.Account.Mode, p.Limits)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
