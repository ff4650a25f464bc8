package wechatsim

import (
	"context"
	"strings"
)

// act is what a person does: it stands in the chat, opens a window, is
// delivered, and its answer stands in the chat.
type act struct {
	openid   string
	shown    Entry
	opens    opening
	stranger bool // may be done without following
	silent   bool // the person waits for no answer
	// change is done to the person before delivery, with p.mu held.
	change func(*person)
	// xml makes the delivery; msgID is 0 for events, created is in seconds.
	xml     func(msgID, created int64) []byte
	message bool // has a MsgId
}

func (p *Platform) do(ctx context.Context, a act) (Reply, error) {
	p.mu.Lock()
	who, err := p.person(a.openid)
	if err == nil && !who.Following && !a.stranger {
		err = ErrNotFollowing
	}
	if err == nil && p.closed {
		err = ErrClosed
	}
	if err != nil {
		p.mu.Unlock()
		return Reply{}, err
	}
	if a.change != nil {
		a.change(who)
		p.keep(record{Person: who})
	}
	if a.message {
		a.shown.MsgID = p.nextMsgID()
	}
	a.shown.Dir = In
	p.say(a.openid, a.shown)
	p.openWindow(who, a.opens)
	d := delivery{openid: a.openid, xml: a.xml(a.shown.MsgID, p.Clock.Now().Unix()), silent: a.silent}
	p.last = &d
	p.mu.Unlock()

	reply, answer, err := p.post(ctx, d)
	if err != nil {
		return reply, err
	}
	if !reply.Empty && (!reply.Unavailable || !a.silent) {
		p.mu.Lock()
		p.say(a.openid, answer)
		p.mu.Unlock()
	}
	return reply, nil
}

// message does an act that is a message: it has a MsgId and opens the window
// of 48 hours.
func (p *Platform) message(ctx context.Context, openid string, shown Entry, opens opening, rest ...element) (Reply, error) {
	shown.Channel = ByMessage
	return p.do(ctx, act{openid: openid, shown: shown, opens: opens, message: true, xml: func(msgID, created int64) []byte {
		return p.envelope(openid, shown.Type, created, append(rest, number("MsgId", msgID))...)
	}})
}

// SendText writes a text, as typed.
func (p *Platform) SendText(ctx context.Context, openid, words string) (Reply, error) {
	return p.message(ctx, openid, Entry{Type: "text", Text: words}, opensMessage, text("Content", words))
}

// Tap taps an item of a menu message or a tappable link: it arrives as a text
// with bizmsgmenuid. It counts as a menu click: see openWindow.
func (p *Platform) Tap(ctx context.Context, openid, menuID, content string) (Reply, error) {
	id := text("bizmsgmenuid", menuID)
	id.raw = onlyDigits(menuID)
	return p.message(ctx, openid, Entry{Type: "text", Text: content}, opensClick, text("Content", content), id)
}

// SendImage sends a photo of at most 10 MB.
func (p *Platform) SendImage(ctx context.Context, openid string, data []byte, filename string) (Reply, error) {
	file, err := p.storeMedia("image", filename, data)
	if err != nil {
		return Reply{}, err
	}
	return p.message(ctx, openid, Entry{Type: "image", MediaID: file.ID, MediaURL: file.path()}, opensMessage,
		text("PicUrl", p.BaseURL+file.path()), text("MediaId", file.ID))
}

// SendVoice sends a recording (AMR, at most 2 MB) with the words that the
// platform recognises in it, which may be none.
func (p *Platform) SendVoice(ctx context.Context, openid string, data []byte, recognition string) (Reply, error) {
	file, err := p.storeMedia("voice", "voice.amr", data)
	if err != nil {
		return Reply{}, err
	}
	return p.message(ctx, openid, Entry{Type: "voice", Text: recognition, MediaID: file.ID, MediaURL: file.path()}, opensMessage,
		text("MediaId", file.ID), text("Format", "amr"), text("Recognition", recognition))
}

// SendVideo sends a video of at most 10 MB with the picture shown for it.
func (p *Platform) SendVideo(ctx context.Context, openid string, data, thumb []byte) (Reply, error) {
	file, err := p.storeMedia("video", "video.mp4", data)
	if err != nil {
		return Reply{}, err
	}
	still, err := p.storeMedia("thumb", "thumb.jpg", thumb)
	if err != nil {
		return Reply{}, err
	}
	return p.message(ctx, openid, Entry{Type: "video", MediaID: file.ID, MediaURL: file.path()}, opensMessage,
		text("MediaId", file.ID), text("ThumbMediaId", still.ID))
}

// SendLocation shares a place: latitude and longitude in GCJ-02 degrees and
// its words.
func (p *Platform) SendLocation(ctx context.Context, openid string, lat, lng float64, label string) (Reply, error) {
	return p.message(ctx, openid, Entry{Type: "location", Text: label, Lat: lat, Lng: lng}, opensMessage,
		degrees("Location_X", lat), degrees("Location_Y", lng), number("Scale", 16), text("Label", label))
}

// SendLink shares an article.
func (p *Platform) SendLink(ctx context.Context, openid, title, description, address string) (Reply, error) {
	return p.message(ctx, openid, Entry{Type: "link", Title: title, Text: description, URL: safeURL(address)}, opensMessage,
		text("Title", title), text("Description", description), text("Url", address))
}

// Deliver delivers any plain XML, for tests: unknown types, broken messages.
// It must name the openid as FromUserName for the reply to be taken.
func (p *Platform) Deliver(ctx context.Context, openid string, rawXML []byte) (Reply, error) {
	return p.do(ctx, act{
		openid: openid, shown: Entry{Channel: ByMessage, Type: "raw"}, opens: opensMessage, stranger: true,
		xml: func(int64, int64) []byte { return rawXML },
	})
}

// event does an act that is an event: no MsgId; FromUserName, CreateTime, Event
// and EventKey tell two apart.
func (p *Platform) event(ctx context.Context, a act, name string, rest ...element) (Reply, error) {
	a.shown.Channel, a.shown.Type = ByEvent, name
	a.xml = func(_, created int64) []byte {
		return p.envelope(a.openid, "event", created, append([]element{text("Event", name)}, rest...)...)
	}
	return p.do(ctx, a)
}

// Follow follows the account. With a scene it is the follow that comes of
// scanning the code of that scene: EventKey "qrscene_" + scene, and a Ticket.
// Following again while following is no event at the platform: it is a Scan
// when there is a scene, and nothing otherwise.
func (p *Platform) Follow(ctx context.Context, openid, scene string) (Reply, error) {
	p.mu.Lock()
	who, err := p.person(openid)
	following := err == nil && who.Following
	ticket := p.ticketOf(scene)
	p.mu.Unlock()
	switch {
	case err != nil:
		return Reply{}, err
	case following && scene != "":
		return p.Scan(ctx, openid, scene)
	case following:
		return Reply{Empty: true}, nil
	}
	rest := []element{text("EventKey", "")}
	if scene != "" {
		rest = []element{text("EventKey", "qrscene_"+scene), text("Ticket", ticket)}
	}
	return p.event(ctx, act{
		openid: openid, shown: Entry{Text: scene}, opens: opensClick, stranger: true,
		change: func(who *person) {
			who.Following, who.Since, who.Scene = true, p.Clock.Now(), scene
		},
	}, "subscribe", rest...)
}

// Unfollow stops following: every window closes, and nothing can be sent.
func (p *Platform) Unfollow(ctx context.Context, openid string) (Reply, error) {
	return p.event(ctx, act{
		openid: openid, silent: true,
		change: func(who *person) { who.Following, who.Message, who.Click = false, window{}, window{} },
	}, "unsubscribe", text("EventKey", ""))
}

// Scan scans a code: SCAN for a follower, the follow with the scene for
// somebody who does not follow yet. A scene for which no code was made is
// scanned all the same, so that the page can try any.
func (p *Platform) Scan(ctx context.Context, openid, scene string) (Reply, error) {
	p.mu.Lock()
	who, err := p.person(openid)
	following := err == nil && who.Following
	ticket := p.ticketOf(scene)
	p.mu.Unlock()
	if err != nil {
		return Reply{}, err
	}
	if !following {
		return p.Follow(ctx, openid, scene)
	}
	return p.event(ctx, act{openid: openid, shown: Entry{Text: scene}, opens: opensClick}, "SCAN",
		text("EventKey", scene), text("Ticket", ticket))
}

// Click taps a menu button of type click.
func (p *Platform) Click(ctx context.Context, openid, key string) (Reply, error) {
	return p.event(ctx, act{openid: openid, shown: Entry{Text: p.buttonName(key)}, opens: opensClick}, "CLICK",
		text("EventKey", key))
}

// View taps a menu button that opens a page. It opens no window (WeChat: only
// click and the two scan buttons do).
func (p *Platform) View(ctx context.Context, openid, address string) (Reply, error) {
	return p.event(ctx, act{openid: openid, shown: Entry{Text: p.buttonName(address), URL: safeURL(address)}, silent: true}, "VIEW",
		text("EventKey", address))
}

// ReportLocation is the place that a phone reports by itself on entering the
// chat; the person sees nothing of it.
func (p *Platform) ReportLocation(ctx context.Context, openid string, lat, lng, precision float64) (Reply, error) {
	return p.event(ctx, act{openid: openid, shown: Entry{Lat: lat, Lng: lng}, silent: true}, "LOCATION",
		degrees("Latitude", lat), degrees("Longitude", lng), degrees("Precision", precision))
}

// Consent answers the subscription pop-up for one template: an accepted one
// allows one more notice (WeChat, 订阅通知: one consent, one send).
func (p *Platform) Consent(ctx context.Context, openid, templateID string, accept bool) (Reply, error) {
	answer := "reject"
	if accept {
		answer = "accept"
	}
	list := "<List><TemplateId>" + cdata(templateID) + "</TemplateId><SubscribeStatusString>" + cdata(answer) +
		"</SubscribeStatusString><PopupScene>2</PopupScene></List>"
	return p.event(ctx, act{
		openid: openid, shown: Entry{Title: p.TemplateTitles[templateID], Text: answer}, silent: true, stranger: true,
		change: func(who *person) {
			if accept {
				if who.Consents == nil {
					who.Consents = map[string]int{}
				}
				who.Consents[templateID]++
			}
		},
	}, "subscribe_msg_popup_event", element{"SubscribeMsgPopupEvent", list, true})
}

// Withdraw takes a consent back in the phone's settings: no notice of this
// template may be sent any more (WeChat, subscribe_msg_change_event).
func (p *Platform) Withdraw(ctx context.Context, openid, templateID string) (Reply, error) {
	list := "<List><TemplateId>" + cdata(templateID) + "</TemplateId><SubscribeStatusString>" + cdata("reject") + "</SubscribeStatusString></List>"
	return p.event(ctx, act{
		openid: openid, shown: Entry{Title: p.TemplateTitles[templateID]}, silent: true, stranger: true,
		change: func(who *person) { delete(who.Consents, templateID) },
	}, "subscribe_msg_change_event", element{"SubscribeMsgChangeEvent", list, true})
}

// BlockNotices makes a person refuse (or take again) template messages: a send
// is answered with errcode 0, and its TEMPLATESENDJOBFINISH says
// "failed:user block".
func (p *Platform) BlockNotices(openid string, block bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, err := p.person(openid)
	if err != nil {
		return err
	}
	who.Blocked = block
	p.keep(record{Person: who})
	return nil
}

// notify delivers an event that the platform itself makes, without anybody
// waiting for it; the caller does not hold p.mu.
func (p *Platform) notify(openid, name string, rest ...element) {
	created := p.Clock.Now().Unix()
	body := p.envelope(openid, "event", created, append([]element{text("Event", name)}, rest...)...)
	p.inBackground(func(ctx context.Context) {
		if _, _, err := p.post(ctx, delivery{openid: openid, xml: body, silent: true}); err != nil && ctx.Err() == nil {
			p.Logger.Warn("wechatsim: event not delivered", "event", name, "error", err)
		}
	})
}

func onlyDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
