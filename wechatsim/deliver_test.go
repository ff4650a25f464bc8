package wechatsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestModesOnTheWire(t *testing.T) {
	for _, mode := range []Mode{Plain, Compatible, Safe} {
		t.Run(string(mode), func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Account.Mode = mode })
			b.hook.replyWith(func(w http.ResponseWriter, g got) {
				if mode == Safe {
					put(w, sealedReply(t, b.Account, textReply(g, "收到")))
					return
				}
				put(w, textReply(g, "收到"))
			})
			reply := must(b.SendText(ctxOf(t), resident, "灯坏了 ]]> <b>"))(t)
			if reply.Text != "收到" || reply.Type != "text" || reply.Tries != 1 || reply.Unavailable {
				t.Errorf("reply %+v", reply)
			}
			g := b.hook.lastOne(t)
			q := g.Query
			if q.Get("signature") != sign(b.Account.Token, q.Get("timestamp"), q.Get("nonce")) || q.Get("openid") != resident {
				t.Errorf("query %v is not signed as it should be", q)
			}
			if g.Msg.Content != "灯坏了 ]]> <b>" || g.Msg.MsgId == 0 || g.Msg.ToUserName != b.Account.OriginalID {
				t.Errorf("message %+v", g.Msg)
			}
			outside, sealed := strings.Contains(string(g.Body), "FromUserName"), strings.Contains(string(g.Body), "<Encrypt>")
			if outside != (mode != Safe) || sealed != (mode != Plain) {
				t.Errorf("body has plain fields %v and Encrypt %v:\n%s", outside, sealed, g.Body)
			}
			if (q.Get("encrypt_type") == "aes") != (mode != Plain) {
				t.Errorf("encrypt_type %q", q.Get("encrypt_type"))
			}
		})
	}
}

func TestVerify(t *testing.T) {
	b := newBench(t)
	if err := b.Verify(ctxOf(t)); err != nil {
		t.Error(err)
	}
	b.hook.account.Token = "another"
	if err := b.Verify(ctxOf(t)); err == nil {
		t.Error("a webhook that does not echo was accepted")
	}
}

// What is no valid reply shows the person the platform's sorry line.
func TestAnswersThatAreNoReply(t *testing.T) {
	b := newBench(t)
	sealed := func(f func(g got) string) func(got) string {
		return func(g got) string { return sealedReply(t, b.Account, f(g)) }
	}
	stranger := b.Account
	stranger.AppID = "wxffffffffffffffff"
	liar := b.Account
	liar.Token = "wrong"
	bad := map[string]func(got) string{
		"json":                 func(got) string { return `{"errcode":0}` },
		"plain in safe mode":   func(g got) string { return textReply(g, "x") },
		"success and a line":   func(got) string { return "success\n" },
		"wrong signature":      func(g got) string { return sealedReply(t, liar, textReply(g, "x")) },
		"another app id":       func(g got) string { return sealedReply(t, stranger, textReply(g, "x")) },
		"to somebody else":     sealed(func(g got) string { return strings.ReplaceAll(textReply(g, "x"), resident, worker) }),
		"from another account": sealed(func(g got) string { return strings.ReplaceAll(textReply(g, "x"), b.Account.OriginalID, "gh_other") }),
		"no time":              sealed(func(g got) string { return strings.ReplaceAll(textReply(g, "x"), "1700000000", "now") }),
		"unknown type":         sealed(func(g got) string { return plainReply(g, "msgmenu", "") }),
		"text without content": sealed(func(g got) string { return plainReply(g, "text", "") }),
		"unknown media":        sealed(func(g got) string { return plainReply(g, "image", "<Image><MediaId>no</MediaId></Image>") }),
		"news without items":   sealed(func(g got) string { return plainReply(g, "news", "<ArticleCount>1</ArticleCount>") }),
		"a control character":  sealed(func(g got) string { return textReply(g, "a\x01b") }),
		"two documents":        sealed(func(g got) string { return textReply(g, "x") + textReply(g, "x") }),
		"torn xml":             sealed(func(g got) string { return textReply(g, "x")[:60] }),
		"an encrypted nothing": sealed(func(got) string { return "" }),
	}
	for name, f := range bad {
		t.Run(name, func(t *testing.T) {
			b.hook.replyWith(func(w http.ResponseWriter, g got) { put(w, f(g)) })
			reply := must(b.SendText(ctxOf(t), resident, "在吗"))(t)
			if !reply.Unavailable || reply.Tries != 1 || reply.Text != "" || reply.Cause == nil {
				t.Errorf("reply %+v", reply)
			}
			all := b.Transcript(resident)
			if last := all[len(all)-1]; last.Type != Unavailable || last.Text != UnavailableText {
				t.Errorf("the person sees %+v", last)
			}
		})
	}
}

func TestAnswersThatAreReplies(t *testing.T) {
	b := newBench(t)
	stored := must(b.storeMedia("image", "a.jpg", photo()))(t)
	for name, c := range map[string]struct {
		body string
		want Reply
	}{
		"nothing":   {"", Reply{Empty: true}},
		"success":   {"success", Reply{Empty: true}},
		"text":      {"<Content>好</Content>", Reply{Type: "text", Text: "好"}},
		"image":     {"<Image><MediaId>" + stored.ID + "</MediaId></Image>", Reply{Type: "image", MediaID: stored.ID}},
		"news":      {"<ArticleCount>1</ArticleCount><Articles><item><Title>题</Title><Description>话</Description><Url>http://a.cn/</Url></item></Articles>", Reply{Type: "news", Text: "话"}},
		"music":     {"<Music><Title>歌</Title></Music>", Reply{Type: "music"}},
		"to a desk": {"", Reply{Empty: true}},
	} {
		t.Run(name, func(t *testing.T) {
			b.hook.replyWith(func(w http.ResponseWriter, g got) {
				switch name {
				case "nothing", "success":
					put(w, c.body)
				case "to a desk":
					put(w, sealedReply(t, b.Account, plainReply(g, "transfer_customer_service", "")))
				default:
					put(w, sealedReply(t, b.Account, plainReply(g, name, c.body)))
				}
			})
			r := must(b.SendText(ctxOf(t), resident, "在吗"))(t)
			if r.Unavailable || r.Empty != c.want.Empty || r.Type != c.want.Type || r.Text != c.want.Text || r.MediaID != c.want.MediaID {
				t.Errorf("reply %+v, want %+v", r, c.want)
			}
		})
	}
}

func TestLongReplyIsCut(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Account.Mode = Plain })
	b.hook.replyWith(func(w http.ResponseWriter, g got) { put(w, textReply(g, strings.Repeat("灯", 900))) })
	reply := must(b.SendText(ctxOf(t), resident, "在吗"))(t)
	if len(reply.Text) > 2048 || len(reply.Text) < 2046 || strings.Trim(reply.Text, "灯") != "" {
		t.Errorf("cut to %d bytes", len(reply.Text))
	}
}

// Three tries of one message, with the same MsgId and a new signature each,
// and then the sorry line; a later good try is taken.
func TestThreeTries(t *testing.T) {
	for name, c := range map[string]struct {
		spoil     func(w http.ResponseWriter, r got) // what a bad try does
		badTries  int
		wantTries int
		want      bool // unavailable in the end
	}{
		"slow thrice":      {hang, 3, 3, true},
		"slow twice":       {hang, 2, 3, false},
		"broken once":      {func(http.ResponseWriter, got) { panic(http.ErrAbortHandler) }, 1, 2, false},
		"half a body once": {halfBody, 1, 2, false},
		"500 thrice":       {status(500), 3, 3, true},
		"404 is final":     {status(404), 1, 1, true},
		"302 is final":     {status(302), 1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Limits.ReplyTimeout = 150 * time.Millisecond })
			b.hook.replyWith(func(w http.ResponseWriter, g got) {
				if len(b.hook.deliveries()) <= c.badTries {
					c.spoil(w, g)
					return
				}
				put(w, "success")
			})
			reply := must(b.SendText(ctxOf(t), resident, "在吗"))(t)
			if reply.Tries != c.wantTries || reply.Unavailable != c.want {
				t.Errorf("reply %+v", reply)
			}
			all := b.hook.deliveries()
			for _, g := range all[1:] {
				if string(g.Plain) != string(all[0].Plain) || g.Msg.MsgId == 0 {
					t.Errorf("a later try differs:\n%s\n%s", all[0].Plain, g.Plain)
				}
				if g.Query.Get("nonce") == all[0].Query.Get("nonce") {
					t.Error("a nonce was used twice")
				}
			}
			if s := b.Stats(); s.Tries != c.wantTries || s.Deliveries != 1 || (s.Unavailable == 1) != c.want {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// hang answers nothing until the platform has left.
func hang(_ http.ResponseWriter, g got) { <-g.gone }

func halfBody(w http.ResponseWriter, _ got) {
	w.Header().Set("Content-Length", "100")
	put(w, "<xml>")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func status(code int) func(http.ResponseWriter, got) {
	return func(w http.ResponseWriter, _ got) { w.WriteHeader(code) }
}

func TestRedeliver(t *testing.T) {
	b := newBench(t)
	if _, err := b.Redeliver(ctxOf(t)); err == nil {
		t.Error("redelivered nothing")
	}
	must(b.SendText(ctxOf(t), resident, "灯坏了"))(t)
	b.clock.Advance(7 * time.Second)
	before := len(b.Transcript(resident))
	must(b.Redeliver(ctxOf(t)))(t)
	all := b.hook.deliveries()
	if len(all) != 2 || string(all[0].Plain) != string(all[1].Plain) {
		t.Fatalf("%d deliveries", len(all))
	}
	if all[0].Query.Get("timestamp") == all[1].Query.Get("timestamp") || string(all[0].Body) == string(all[1].Body) {
		t.Error("the second delivery is not signed and sealed anew")
	}
	if after := len(b.Transcript(resident)); after != before {
		t.Errorf("the chat grew from %d to %d", before, after)
	}
}

func TestDeliveryEndsWithItsCaller(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(ctxOf(t))
	b.hook.replyWith(func(w http.ResponseWriter, _ got) {
		cancel()
		put(w, "success")
	})
	if _, err := b.SendText(ctx, resident, "在吗"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SendText(ctxOf(t), resident, "在吗"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestLinksInTexts(t *testing.T) {
	for name, c := range map[string]struct {
		in, text string
		taps     []MenuItem
		urls     []string
	}{
		"none":      {"1 < 2 & <b>粗</b>", "1 < 2 & <b>粗</b>", nil, nil},
		"a tap":     {`请选:<a href="weixin://bizmsgmenu?msgmenucontent=%E6%BB%A1%E6%84%8F&msgmenuid=101">满意</a>。`, "请选:满意。", []MenuItem{{"101", "满意"}}, nil},
		"raw words": {`<a href="weixin://bizmsgmenu?msgmenucontent=催办 12&amp;msgmenuid=7">催办</a>`, "催办", []MenuItem{{"7", "催办 12"}}, nil},
		"two":       {`<a href='weixin://bizmsgmenu?msgmenucontent=a&msgmenuid=1'>甲</a><a href="weixin://bizmsgmenu?msgmenucontent=b&msgmenuid=2">乙</a>`, "甲乙", []MenuItem{{"1", "a"}, {"2", "b"}}, nil},
		"web":       {`看<a href="https://a.cn/x?y=1&amp;z=2">这里</a>`, "看这里", nil, []string{"https://a.cn/x?y=1&z=2"}},
		"script":    {`<a href="javascript:alert(1)">点</a>`, "点", nil, nil},
		"no words":  {`<a href="weixin://bizmsgmenu?msgmenuid=1">点</a>`, "点", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var e Entry
			e.setText(c.in)
			var urls []string
			for _, s := range e.Spans {
				if s.URL != "" {
					urls = append(urls, s.URL)
				}
			}
			if e.Text != c.text || fmt.Sprint(e.Items) != fmt.Sprint(c.taps) || fmt.Sprint(urls) != fmt.Sprint(c.urls) {
				t.Errorf("text %q, taps %v, urls %v", e.Text, e.Items, urls)
			}
		})
	}
}
