package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Messenger is the way to one account's followers; *wechat.Client is one.
type Messenger interface {
	SendCustom(ctx context.Context, m *message.CustomerMessage) error
	SendTemplate(ctx context.Context, m *message.TemplateMessage) (msgID int64, err error)
	SendSubscribe(ctx context.Context, m *message.SubscribeMessage) error
	UploadImage(ctx context.Context, name string, data []byte) (mediaID string, err error)
	Download(ctx context.Context, mediaID string, limit int64) (data []byte, contentType string, err error)
}

// Windows counts the customer-service messages that the platform allows a
// person now; the Redis drive keeps them for all replicas.
type Windows interface {
	// Spend takes one of the messages left, load gives the record where the
	// count is not known. ok is false where none is left.
	Spend(ctx context.Context, community string, person workflow.PersonID, now time.Time, load func() (desk.Contact, error)) (ok bool, err error)
	// Unspend gives one back that never left.
	Unspend(ctx context.Context, community string, person workflow.PersonID, now time.Time) error
}

// Templates are an account's template and subscription messages by use:
// "work" for whom something is assigned, "notice" for residents.
type Templates map[string]Template

// Template is one of them. Fields says which value stands in which field:
// number, what, place, by, status, said.
type Template struct {
	ID        string
	Subscribe bool // a subscription notice: one consent, one send
	Fields    map[string]string
}

// The channels, in the order in which they are tried.
const (
	channelCustom    = "custom"
	channelTemplate  = "template"
	channelSubscribe = "subscribe"
)

// channels remembers which channels an account may not use at the moment.
type channels struct {
	mu  sync.Mutex
	off map[string]stop
}

// stop is until when a channel may not be used, how long after it was made a push waits
// for that, and whether only a minute's calls are used up.
type stop struct {
	until  time.Time
	limit  time.Duration
	minute bool
}

// stop stops a channel; what stops it for longer stands.
func (c *channels) stop(community, channel string, s stop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.until.After(c.off[community+" "+channel].until) {
		c.off[community+" "+channel] = s
	}
}

// stopped is what stopped a channel last, which may be over.
func (c *channels) stopped(community, channel string) stop {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.off[community+" "+channel]
}

// sendCustom sends a customer-service message where the person's window is
// open. settled is false where another channel should be tried.
func (b *Bot) sendCustom(ctx context.Context, m Messenger, shape desk.Shape, p desk.Push, to workflow.Person, now time.Time) (out desk.PushOutcome, settled bool) {
	mayCustom := func(c desk.Contact) bool { return c.MayCustom(now) }
	if out, settled, yes := b.ifStopped(ctx, p, now, channelCustom, mayCustom); yes {
		return out, settled
	}
	out.Channel = channelCustom
	contact := func() (desk.Contact, error) { return b.desk.Journal().Contact(ctx, p.Community, p.Person) }
	ok, err := b.o.Windows.Spend(ctx, p.Community, p.Person, now, contact)
	if err != nil { // the drive is away: the record tells
		c, err := contact()
		if err != nil {
			return b.later(p, now, desk.PushOutcome{Error: err.Error()}), true
		}
		ok = c.MayCustom(now)
	}
	if !ok {
		return out, false
	}
	msg, err := b.custom(ctx, m, shape, p, to)
	if err != nil { // nothing has left
		_ = b.o.Windows.Unspend(ctx, p.Community, p.Person, now)
		if errors.Is(err, errNoPicture) {
			return giveUp(p, desk.PushOutcome{Error: err.Error()}), true
		}
		return b.later(p, now, desk.PushOutcome{Channel: channelCustom, Error: err.Error()}), true
	}
	if err = m.SendCustom(ctx, msg); err == nil {
		return desk.PushOutcome{Status: desk.PushSent, Channel: channelCustom}, true
	}
	out, settled = b.failed(p, channelCustom, now, err)
	var api *wechat.APIError
	usedUp := errors.As(err, &api) && api.Action() == wechat.OtherChannel // the platform counts otherwise: it is right
	if !errors.Is(err, wechat.ErrAmbiguous) && !usedUp {
		_ = b.o.Windows.Unspend(ctx, p.Community, p.Person, now)
	}
	return out, settled
}

// custom is the customer-service message of a push: a photo, a menu where
// something can be tapped, else text.
func (b *Bot) custom(ctx context.Context, m Messenger, shape desk.Shape, p desk.Push, to workflow.Person) (*message.CustomerMessage, error) {
	if p.Purpose == workflow.TellPhoto {
		id, err := b.uploaded(ctx, m, p.Community, p.Facts.Media)
		if err != nil {
			return nil, err
		}
		return message.NewCustomerImgMessage(to.OpenID, id), nil
	}
	text, choices, err := b.pushText(ctx, shape, p)
	if err != nil {
		return nil, err
	}
	if len(choices) == 0 {
		return message.NewCustomerTextMessage(to.OpenID, wechat.Shorten(text)), nil
	}
	menu := &message.MediaMsgmenu{HeadContent: wechat.Shorten(text), TailContent: b.voice(shape).Say("push.tail", nil)}
	for _, c := range choices {
		menu.List = append(menu.List, message.MsgmenuItem{ID: menuID(c.Text), Content: c.Label})
	}
	return &message.CustomerMessage{ToUser: to.OpenID, Msgtype: "msgmenu", Msgmenu: menu}, nil
}

// pushText is what a push says, and what can be tapped below it.
func (b *Bot) pushText(ctx context.Context, shape desk.Shape, p desk.Push) (string, []choice, error) {
	if p.Purpose == workflow.TellLate {
		return p.Facts.Said, nil, nil
	}
	v, err := b.facts(ctx, shape, &p.Facts)
	if err != nil {
		return "", nil, err
	}
	if p.Purpose == workflow.TellDigest {
		if err := b.week(ctx, shape, p.Facts.Said, v); err != nil {
			return "", nil, err
		}
	}
	if p.Purpose == workflow.TellUnclaimed {
		v["Suggest"] = strings.Join(b.suggest(shape, &p.Facts), "、")
	}
	s := session{b: b, shape: shape, me: shape.Roster.ByID(p.Person)}
	n := strconv.FormatInt(p.Number, 10)
	var choices []choice
	switch p.Purpose {
	case workflow.TellResolved, workflow.TellRateReminder:
		choices = s.verdicts(p.Number)
	case workflow.TellAssigned, workflow.TellDanger, workflow.TellAnswered, workflow.TellSupplemented, workflow.TellUrged,
		workflow.TellOverdue, workflow.TellBroughtUp, workflow.TellEscalated, workflow.TellReminder, workflow.TellAlso, workflow.TellPart:
		t := workflow.Ticket{Number: p.Number, Kind: p.Facts.Kind, State: p.Facts.State, Stand: p.Facts.Stand, Owner: p.Facts.Owner, Place: p.Facts.Place, Reporter: p.Facts.Reporter}
		if choices = s.actions(&t); len(choices) == 0 {
			choices = []choice{{s.say("choice.show", nil), "查看 " + n}}
		}
		choices = choices[:min(len(choices), 4)]
	case workflow.TellLesson, workflow.TellLessonAsked, workflow.TellLessonAnswer:
		choices = s.lessonPush(&p, v)
	case workflow.TellVisitDue:
		choices = []choice{{s.say("choice.visit", nil), "走访 " + n}, {s.say("choice.show", nil), "查看 " + n}}
	case workflow.TellTray, workflow.TellUnclaimed, workflow.TellNamed:
		choices = []choice{{s.say("choice.show", nil), "查看 " + n}}
	case workflow.TellCalled:
		choices = []choice{{s.say("choice.finish", nil), "完成 " + n}, {s.say("choice.decline", nil), "办不了 " + n}, {s.say("choice.show", nil), "查看 " + n}}
	case workflow.TellClaimed:
		if p.Facts.Unnamed {
			choices = []choice{{s.say("choice.named", nil), "公开 " + n}, {s.say("choice.hidden", nil), "保密 " + n}}
		}
	case workflow.TellVoting:
		choices = s.ballotPaper(p.Number)
	case workflow.TellProposed, workflow.TellVoted:
		choices = []choice{{s.say("choice.topic", nil), "议题 " + n}}
	case workflow.TellFollowers:
		choices = []choice{{s.say("choice.reopen", nil), "重办 " + n}}
	}
	return b.voice(shape).Say("push."+string(p.Purpose), v), choices, nil
}

// facts are the words for what a push tells, without traces of who asked where its
// reader may not know them.
func (b *Bot) facts(ctx context.Context, shape desk.Shape, f *desk.Facts) (Values, error) {
	var hidden []int64
	if f.Anonymous {
		hidden = append(hidden, f.Number)
	}
	veil, err := b.voice(shape).Veil(ctx, b.desk.Journal(), hidden...)
	if v := veil.Facts(f, b.desk.Now()); err != nil || f.Source != workflow.SourceTopic || f.State != "" {
		return v, err
	}
	return b.topicFacts(ctx, shape, f.Number) // not of the ticket that came of one
}

// week fills in the digest that a push is about, as it was sent.
func (b *Bot) week(ctx context.Context, shape desk.Shape, name string, v Values) error {
	week, err := digest.ParseWeek(name)
	if err != nil {
		return fmt.Errorf("bot: a digest to be sent: %w", err)
	}
	d, ok, err := b.desk.Journal().SentDigest(ctx, shape.Community.Code, week)
	if err == nil && !ok {
		err = errors.New("it was not kept")
	}
	if err != nil {
		return fmt.Errorf("bot: the digest of %s to be sent: %w", week, err)
	}
	voice := b.voice(shape)
	var rates []string
	for _, r := range d.Now.Named() {
		if r.Rate.Known() {
			rates = append(rates, voice.Say("digest.rate."+r.Name, nil)+" "+strconv.FormatFloat(r.Rate.Percent(), 'f', -1, 64)+"%")
		}
	}
	v["Days"], v["Incidents"], v["Wishes"], v["Resolved"] = voice.WeekDays(&d), d.Now.Incidents, d.Now.Wishes, d.Now.Resolved
	v["Writer"] = ""
	if len(d.Sentences) > 0 {
		v["Writer"] = voice.Say("digest.written", nil)
	}
	v["Rates"], v["Sentences"], v["Link"] = strings.Join(rates, ","), strings.Join(voice.Sentences(&d, "taken"), "\n"), b.weekLink(shape.Community.Code, name)
	return nil
}

// weekLink is where the page of a week is, "" where people reach no pages.
func (b *Bot) weekLink(community, week string) string {
	if b.o.Pages == "" {
		return ""
	}
	return b.o.Pages + "/c/" + community + "/week/" + week
}

// link is where a tap on a push without choices leads, "" for nowhere.
func (b *Bot) link(p desk.Push) string {
	switch p.Purpose {
	case workflow.TellDigest:
		return b.weekLink(p.Community, p.Facts.Said)
	case workflow.TellObjected, workflow.TellSettled:
		if b.o.Pages != "" {
			return b.o.Pages + "/c/" + p.Community + "/property/" + p.Facts.Part
		}
	case workflow.TellProposed, workflow.TellTopic, workflow.TellVoting, workflow.TellVoted:
		if b.o.Pages != "" {
			return b.o.Pages + "/c/" + p.Community + "/topics/" + strconv.FormatInt(p.Number, 10)
		}
	}
	if p.Facts.Lesson != 0 {
		return b.lessonLink(p.Community, p.Facts.Lesson)
	}
	return ""
}

// sendTemplate sends a template or subscription message where the account has
// one for this purpose.
func (b *Bot) sendTemplate(ctx context.Context, m Messenger, shape desk.Shape, p desk.Push, to workflow.Person, now time.Time) (out desk.PushOutcome, settled bool) {
	use := "notice"
	switch p.Purpose {
	case workflow.TellTopic, workflow.TellVoting, workflow.TellVoted: // as to who lives there, whatever their part
	default:
		if to.Staff() {
			use = "work"
		}
	}
	tpl, ok := b.o.Templates(p.Community)[use]
	if !ok || p.Purpose == workflow.TellPhoto {
		return out, false
	}
	channel := channelTemplate
	if tpl.Subscribe {
		channel = channelSubscribe
	}
	consented := func(c desk.Contact) bool { return !tpl.Subscribe || c.Consents[tpl.ID] > 0 }
	if out, settled, yes := b.ifStopped(ctx, p, now, channel, consented); yes {
		return out, settled
	}
	out.Channel = channel
	fields, err := b.fields(ctx, shape, p, tpl)
	if err != nil {
		return b.later(p, now, desk.PushOutcome{Channel: channel, Error: err.Error()}), true
	}
	link := b.link(p)
	var msgID int64
	notSent := func() {}
	if tpl.Subscribe {
		had, cerr := b.desk.Journal().Consent(ctx, p.Community, p.Person, tpl.ID, -1)
		if cerr != nil || !had {
			return out, false
		}
		notSent = func() { _, _ = b.desk.Journal().Consent(ctx, p.Community, p.Person, tpl.ID, 1) }
		data := map[string]*message.SubscribeDataItem{}
		for k, v := range fields {
			data[k] = &message.SubscribeDataItem{Value: v}
		}
		err = m.SendSubscribe(ctx, &message.SubscribeMessage{ToUser: to.OpenID, TemplateID: tpl.ID, Page: link, Data: data})
	} else {
		data := map[string]*message.TemplateDataItem{}
		for k, v := range fields {
			data[k] = &message.TemplateDataItem{Value: v}
		}
		sum := sha256.Sum256([]byte(p.Community + " " + p.Key))
		msgID, err = m.SendTemplate(ctx, &message.TemplateMessage{
			ToUser: to.OpenID, TemplateID: tpl.ID, URL: link, Data: data, ClientMsgID: hex.EncodeToString(sum[:16]),
		})
		if errors.Is(err, wechat.ErrAmbiguous) {
			return b.later(p, now, desk.PushOutcome{Channel: channel, Error: err.Error()}), true // client_msg_id makes it safe
		}
	}
	if err == nil {
		return desk.PushOutcome{Status: desk.PushSent, Channel: channel, MsgID: msgID}, true
	}
	var api *wechat.APIError
	if !errors.Is(err, wechat.ErrAmbiguous) && (!errors.As(err, &api) || api.Action() != wechat.Unreachable) {
		notSent() // the consent was not used; where the person refuses, it is none
	}
	return b.failed(p, channel, now, err)
}

// fields are a template's values, cut to what the platform checks (47003):
// thing 20, name 10, phrase 5 characters, character_string 32 without
// Chinese, no line breaks.
func (b *Bot) fields(ctx context.Context, shape desk.Shape, p desk.Push, tpl Template) (map[string]string, error) {
	words := b.voice(shape)
	v, err := b.facts(ctx, shape, &p.Facts)
	if err != nil {
		return nil, err
	}
	by := p.Facts.ResponseBy
	if by.IsZero() || p.Facts.State == workflow.Accepted {
		by = p.Facts.ResolveBy
	}
	if by.IsZero() {
		by = p.CreatedAt
	}
	text, _, err := b.pushText(ctx, shape, p)
	if err != nil {
		return nil, err
	}
	values := map[string]string{
		"number": strconv.FormatInt(p.Number, 10),
		"what":   words.Say("phrase."+string(p.Purpose), v) + ":" + v["What"].(string) + " " + v["Text"].(string),
		"place":  v["Place"].(string),
		"by":     by.In(shape.Community.Location()).Format("2006年01月02日 15:04"),
		"status": words.Say("phrase."+string(p.Purpose), v),
		"said":   text,
	}
	if (p.Purpose == workflow.TellCalled || p.Purpose == workflow.TellBack) && p.Facts.Said != "" {
		values["what"] = words.Say("phrase."+string(p.Purpose), v) + ":" + p.Facts.Said
	}
	if p.Purpose == workflow.TellDigest {
		values["number"] = p.Facts.Said // the week
	}
	if p.Number == 0 && p.Purpose != workflow.TellDigest {
		values["number"] = p.CreatedAt.In(shape.Community.Location()).Format(time.DateOnly) // it is about no ticket
	}
	if values["place"] == "" {
		values["place"] = shape.Community.Name
	}
	out := map[string]string{}
	for field, name := range tpl.Fields {
		value := strings.Join(strings.Fields(values[name]), " ")
		switch strings.TrimRight(field, "0123456789") {
		case "thing":
			value = wording.Shorten(value, 20)
		case "phrase":
			value = wording.Shorten(value, 5)
		case "name":
			value = wording.Shorten(value, 10)
		}
		out[field] = value
	}
	return out, nil
}

// failed obeys the platform's error codes. settled is false where another
// channel should be tried.
func (b *Bot) failed(p desk.Push, channel string, now time.Time, err error) (desk.PushOutcome, bool) {
	out := desk.PushOutcome{Channel: channel, Error: err.Error()}
	if errors.Is(err, wechat.ErrAmbiguous) {
		if p.Purpose.TwiceRatherThanNever() && p.Attempts < 3 {
			return b.later(p, now, out), true
		}
		out.Status = desk.PushUnknown
		return out, true
	}
	var api *wechat.APIError
	if !errors.As(err, &api) {
		return b.later(p, now, out), true
	}
	out.ErrCode = api.Code
	switch api.Action() {
	case wechat.Retry, wechat.RefreshToken:
		return b.later(p, now, out), true
	case wechat.NextMinute:
		b.channels.stop(p.Community, channel, stop{now.Truncate(time.Minute).Add(time.Minute), offLimit, true})
		return b.stopped(p, now, out)
	case wechat.NextDay:
		b.log.Error("daily limit of the platform reached", "community", p.Community, "channel", channel)
		b.channels.stop(p.Community, channel, stop{nextDay(now), dayLimit, false})
		return b.stopped(p, now, out)
	case wechat.OtherChannel:
		return out, false
	case wechat.ChannelOff:
		b.log.Error("the platform does not permit a channel", "community", p.Community, "channel", channel, "errcode", api.Code)
		b.channels.stop(p.Community, channel, stop{now.Add(channelOff), offLimit, false})
		return b.stopped(p, now, out)
	case wechat.Unreachable, wechat.ContentRefused:
		return giveUp(p, out), true
	}
	b.log.Error("the platform answers with a code that is not in the table", "community", p.Community, "channel", channel, "errcode", api.Code)
	return giveUp(p, out), true
}

// china is where the platform's day ends.
var china = time.FixedZone("UTC+8", 8*60*60)

func nextDay(now time.Time) time.Time {
	t := now.In(china)
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 1, 0, 0, china)
}
