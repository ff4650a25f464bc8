package bot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// session is one message being answered: who writes, what the two were
// talking about, and the work that will be committed with the reply.
type session struct {
	b     *Bot
	in    wechat.Inbound
	w     *desk.Work
	shape desk.Shape
	now   time.Time
	me    workflow.Person
	talk  talk
	was   int64            // the conversation's version
	had   json.RawMessage  // and its state
	media []workflow.Media // came with this message
	late  bool             // the answer has left without this message's result

	offered bool // a choice was tapped, or named, that is still on offer

	ballot string // what is kept in place of the words of a secret vote

	apart, questioned bool // several matters are filed: only the first question is asked now

	spoken wording.Voice // see voice

	read map[string]workflow.Understanding // what was understood already, by text
}

// open reads who writes and the conversation so far. Nothing is stored.
func (b *Bot) open(ctx context.Context, in wechat.Inbound, fresh, late bool) (*session, error) {
	w, err := b.desk.Begin(in.Community, fresh)
	if err != nil {
		return nil, err
	}
	s := &session{b: b, in: in, w: w, shape: w.Shape, now: w.Now, late: late, read: map[string]workflow.Understanding{}}
	me, known, err := b.desk.Journal().PersonByOpenID(ctx, in.Community, in.OpenID)
	if err != nil {
		return nil, err
	}
	if !known {
		id, err := b.desk.Journal().NextPerson(ctx)
		if err != nil {
			return nil, err
		}
		me = workflow.Person{ID: id, Community: in.Community, OpenID: in.OpenID, Following: true}
		w.Change.NewPerson = &me
	}
	s.me = me
	if known && !me.Following && (s.speaks() || in.Event == "SCAN") {
		w.Change.Following = &desk.Following{Person: me.ID, Yes: true} // who writes follows: the event of it was lost
	}
	if known {
		state, version, err := b.desk.Talk(ctx, in.Community, me.ID, fresh)
		if err != nil {
			return nil, err
		}
		s.was, s.had = version, state
		s.talk = readTalk(state, s.now, s.shape.Community)
	}
	if s.heard() {
		s.media = s.recording()
	}
	if in.MediaID != "" && (in.Type == "image" || in.Type == "voice" || in.Type == "video" || in.Type == "shortvideo") {
		kind := strings.TrimPrefix(in.Type, "short")
		s.media = []workflow.Media{{ID: mediaKey(in.Delivery), Type: kind, By: me.ID}}
		w.Change.Media = []desk.MediaFile{{
			Community: in.Community, ID: s.media[0].ID, Person: me.ID, WeChatID: in.MediaID, Type: kind,
			Status: desk.MediaOwed, CreatedAt: s.now,
		}}
	}
	return s, nil
}

// mediaKey is the media store's key for what came with a delivery: the same
// delivery has the same key.
func mediaKey(delivery string) string {
	sum := sha256.Sum256([]byte(delivery))
	return hex.EncodeToString(sum[:12])
}

// commit stores the message with its reply and all that it changed.
func (s *session) commit(ctx context.Context, reply string) error {
	if s.speaks() {
		s.talk.At = s.now
	}
	state, err := json.Marshal(s.talk)
	if err != nil {
		return err
	}
	t := &desk.Talk{Person: s.me.ID, Was: s.was, State: state}
	switch {
	case !s.speaks() && !opensWindow(s.in.Event) && string(state) == cmp.Or(string(s.had), "{}"):
		t = nil // word of a push's end comes for many pushes at once: none of them is a turn of the conversation
	case s.heard(): // its recording opened the window
	case s.in.MenuID != "" || opensWindow(s.in.Event):
		t.LastClickAt = s.now // WeChat: a tap on a menu message counts as a click
	case s.in.Type != "event":
		t.LastMessageAt = s.now
	}
	s.w.Change.Talk = t
	if s.ballot != "" {
		s.w.Change.Media = nil // nor is the voice kept that said it
	}
	kind := s.in.Type
	if s.in.Event != "" {
		kind += ":" + s.in.Event
	}
	s.w.Change.Delivery = &desk.Delivery{
		ID: s.in.Delivery, Person: s.me.ID, Type: kind, Text: cmp.Or(s.ballot, s.text()), Reply: reply, At: s.now, Deferred: s.late,
	}
	var about workflow.Ticket
	for _, n := range s.w.Numbers() {
		t, err := s.w.Ticket(ctx, n)
		if err != nil {
			return err
		}
		if about = t; n == s.talk.Ticket {
			break
		}
	}
	if s.late && reply != "" {
		oweLate(s.w, s.in.Delivery, s.me.ID, &about, reply)
	}
	for _, n := range s.w.Numbers() {
		t, err := s.w.Ticket(ctx, n)
		if err != nil {
			return err
		}
		var ids []string
		for _, m := range t.Media {
			ids = append(ids, m.ID)
		}
		if s.b.o.Advisor != nil && t.InDoubt() {
			s.w.Change.Tasks = append(s.w.Change.Tasks, desk.AdviceTask(n))
		}
		if len(ids) > 0 {
			s.w.Change.Attach = append(s.w.Change.Attach, desk.Attach{Number: n, IDs: ids})
		}
	}
	s.deeds()
	return s.w.Commit(ctx)
}

// deeds notes in the audit log what the writer did to tickets that are not their own
// matter, as the pages note it.
func (s *session) deeds() {
	for _, told := range s.w.Told(s.me.ID) {
		t := told.Ticket
		if t.Reporter == s.me.ID {
			continue
		}
		action, object := "ticket.tell", "command "+string(told.Command)+", chat"
		switch {
		case told.Command == workflow.CmdFile && t.Source == workflow.SourceBehalf:
			action, object = "ticket.behalf", "chat"
		case told.Command == workflow.CmdFile:
			action, object = "round.go", "chat"
		case told.Command == workflow.CmdRate:
			action, object = "ticket.phoned", "chat"
		case told.Command == workflow.CmdSupport:
			action, object = "ticket.support", "chat"
		case told.Command == workflow.CmdUrge:
			action, object = "ticket.urge", "chat"
		}
		s.w.Change.Looks = append(s.w.Change.Looks, access.Entry{At: s.now, Person: s.me.ID, Action: action, Number: t.Number, Object: object})
	}
}

// speaks tells whether the person said something, by words, media or the
// menu; other events come by themselves.
func (s *session) speaks() bool { return s.in.Type != "event" || s.in.Event == "CLICK" }

// opensWindow tells which events let the account send customer-service
// messages for a minute (WeChat: menu click, scan, follow).
func opensWindow(event string) bool {
	switch event {
	case "CLICK", "SCAN", "subscribe":
		return true
	}
	return false
}

// text is what the person said in this message, in words.
func (s *session) text() string {
	switch s.in.Type {
	case "voice":
		return s.in.Recognition
	case "link":
		return strings.TrimSpace(s.in.Title + "\n" + s.in.Description + "\n" + s.in.URL)
	case "location":
		return s.in.Label
	}
	return s.in.Content
}

// answer finds the reply for the message; commands go into the work.
func (s *session) answer(ctx context.Context) (string, error) {
	if tooFast, err := s.tooFast(ctx); err != nil {
		return "", err
	} else if tooFast {
		refused.WithLabelValues(s.in.Community, "rate").Inc()
		return s.keepMedia(s.say("slow_down", nil)), nil
	}
	switch s.in.Type {
	case "event":
		return s.event(ctx)
	case "text", "link":
		return s.said(ctx, s.text())
	case "voice":
		if strings.TrimSpace(s.in.Recognition) == "" {
			return s.unheard(ctx)
		}
		reply, err := s.said(ctx, s.in.Recognition)
		if s.heard() && err == nil && reply != "" && s.ballot == "" {
			reply = s.say("heard", Values{"Said": wording.Shorten(s.in.Recognition, 60)}) + reply
		}
		return reply, err
	case "image":
		return s.photo(ctx, "photo_alone")
	case "video", "shortvideo":
		return s.photo(ctx, "video_alone")
	case "location":
		return s.location(ctx)
	}
	return s.say("unknown_type", nil), nil
}

// tooFast holds back who writes more than 30 messages a minute; never news of
// danger, events that come by themselves, or what had to wait already.
func (s *session) tooFast(ctx context.Context) (bool, error) {
	if s.late || !s.speaks() {
		return false, nil
	}
	ok, err := s.b.desk.Drive().Allow(ctx, s.in.Community, "msg:"+strconv.FormatInt(int64(s.me.ID), 10), 1, 30, time.Minute)
	if ok || err != nil {
		return false, nil // without Redis nobody counts
	}
	u, err := s.understand(ctx, s.text())
	return u.Severity != workflow.Emergency, err
}

func (s *session) event(ctx context.Context) (string, error) {
	if reply, ok, err := s.signsIn(ctx); ok || err != nil {
		return reply, err
	}
	switch s.in.Event {
	case "subscribe":
		s.w.Change.Following = &desk.Following{Person: s.me.ID, Yes: true}
		if scene, ok := strings.CutPrefix(s.in.EventKey, "qrscene_"); ok {
			s.scene(scene)
		}
		return s.say("welcome", Values{"Place": s.talk.Scene.String()}), nil
	case "unsubscribe":
		s.w.Change.Following = &desk.Following{Person: s.me.ID}
		return "", nil
	case "SCAN":
		if !s.scene(s.in.EventKey) {
			return s.say("welcome", Values{"Place": ""}), nil
		}
		if s.me.Home.Building == 0 && !s.me.Staff() {
			return s.offer(s.say("scanned", Values{"Place": s.talk.Scene.String(), "NoHome": true}), choice{s.say("choice.my_home", nil), "登记住址 " + here}), nil
		}
		return s.say("scanned", Values{"Place": s.talk.Scene.String()}), nil
	case "CLICK":
		return s.said(ctx, s.in.EventKey)
	case "LOCATION":
		if p, metres, ok := s.shape.Community.Nearest(s.in.Lat, s.in.Lng); ok && metres < nearby {
			s.talk.Near = place{p, s.now}
		}
		return "", nil
	case "TEMPLATESENDJOBFINISH":
		return "", s.templateResult(ctx)
	case "subscribe_msg_popup_event", "subscribe_msg_change_event":
		s.consents()
		return "", nil
	case "subscribe_msg_sent_event":
		return "", s.subscribeResult(ctx)
	}
	return "", nil // an event of the platform that asks for no answer
}

// scene notes the building whose code was scanned: "b:<estate>:<building>" or
// "b:<estate>:<building>:<unit>".
func (s *session) scene(key string) bool {
	p, ok := ReadScene(s.shape.Community, key)
	if ok {
		s.talk.Scene = place{p, s.now}
	}
	return ok
}

// Scene is the scene of a place's code, as ReadScene reads it.
func Scene(c *workflow.Community, p workflow.Place) string {
	for i, e := range c.Estates {
		if e.Name == p.Estate {
			scene := "b:" + strconv.Itoa(i+1) + ":" + strconv.Itoa(p.Building)
			if p.Unit != 0 {
				scene += ":" + strconv.Itoa(p.Unit)
			}
			return scene
		}
	}
	return ""
}

// ReadScene is the place that a building code's scene names, as Scene writes
// it: "b:<number of the estate>:<building>[:<unit>]". Estates are counted from
// 1 in the community's document.
func ReadScene(c *workflow.Community, key string) (workflow.Place, bool) {
	parts := strings.Split(key, ":")
	if len(parts) < 3 || len(parts) > 4 || parts[0] != "b" {
		return workflow.Place{}, false
	}
	var n [3]int
	for i, part := range parts[1:] {
		v, err := strconv.Atoi(part)
		if err != nil || v < 1 {
			return workflow.Place{}, false
		}
		n[i] = v
	}
	if n[0] > len(c.Estates) {
		return workflow.Place{}, false
	}
	p := workflow.Place{Estate: c.Estates[n[0]-1].Name, Building: n[1], Unit: n[2]}
	p.Grid = c.GridOf(p.Estate, p.Building)
	return p, p.Grid != ""
}

// consents notes what somebody agreed to: one send for each "accept"; a
// "reject" in the settings takes back what was left.
func (s *session) consents() {
	for _, r := range s.in.SubscribeResults {
		c := desk.Consent{Person: s.me.ID, Template: r.TemplateID}
		switch {
		case r.Status == "accept":
			c.By = 1
		case s.in.Event == "subscribe_msg_change_event":
			c.None = true
		default:
			continue
		}
		s.w.Change.Consents = append(s.w.Change.Consents, c)
	}
}

// nearby is how far, in metres, a shared location may be from a building to
// mean it.
const nearby = 300

func (s *session) location(ctx context.Context) (string, error) {
	p, metres, ok := s.shape.Community.Nearest(s.in.Lat, s.in.Lng)
	if !ok || metres > nearby {
		return s.say("location_far", nil), nil
	}
	s.talk.Near = place{p, s.now}
	q, found, err := s.asked(ctx)
	if err != nil {
		return "", err
	}
	if found && q.Question.Topic == workflow.TopicPlace {
		p.Detail = s.in.Label
		return s.placedWith(ctx, q, s.in.Label, workflow.Understanding{Place: p})
	}
	if found {
		return s.answerWorker(ctx, q, s.in.Label)
	}
	return s.say("location_noted", Values{"Place": p.String()}), nil
}

// keepMedia keeps a photo for the next ticket where the command that it came
// with was refused.
func (s *session) keepMedia(reply string) string {
	for _, m := range s.media {
		s.talk.Loose = append(s.talk.Loose, loose{m.ID, m.Type, s.now})
	}
	return reply
}

// take gives the media of this message and those that waited for a ticket.
func (s *session) take() []workflow.Media {
	return append(s.talk.takeLoose(s.me.ID), s.media...)
}

func (s *session) say(key string, v Values) string {
	if v == nil {
		v = Values{}
	}
	v["Hotline"] = s.shape.Community.Hotline
	v["Community"] = s.shape.Community.Name
	v["Staff"] = s.me.Staff()
	return s.voice().W.Say(key, v)
}

// offer adds numbered choices to a reply and remembers what they mean. They
// can be tapped, answered by number, or said.
func (s *session) offer(reply string, choices ...choice) string {
	s.talk.Choices, s.talk.Offered = choices, s.now
	return offer(s.voice(), reply, choices)
}

// looks notes in the audit log what of others' data the reply shows; it is
// committed with it.
func (s *session) looks(action string, number int64) {
	s.w.Change.Looks = append(s.w.Change.Looks, access.Entry{At: s.now, Person: s.me.ID, Action: action, Number: number, Object: "chat"})
}

// by is the writer as actor.
func (s *session) by() workflow.Actor { return workflow.By(s.me) }
