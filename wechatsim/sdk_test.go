package wechatsim

import (
	"bytes"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/basic"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// memory is a cache for the SDK.
type memory struct{ sync.Map }

func (m *memory) Get(key string) any { v, _ := m.Load(key); return v }
func (m *memory) Set(key string, v any, _ time.Duration) error {
	m.Store(key, v)
	return nil
}
func (m *memory) IsExist(key string) bool { return m.Get(key) != nil }
func (m *memory) Delete(key string) error { m.Map.Delete(key); return nil }

// A client written by others against the real platform gets along with the
// stand-in, call by call.
func TestAnSDKGetsAlong(t *testing.T) {
	b := newBench(t)
	home := must(url.Parse(b.api.URL))(t)
	util.SetURIModifier(func(uri string) string {
		u, err := url.Parse(uri)
		if err != nil {
			return uri
		}
		u.Scheme, u.Host = home.Scheme, home.Host
		return u.String()
	})
	t.Cleanup(func() { util.SetURIModifier(func(uri string) string { return uri }) })
	account := officialaccount.NewOfficialAccount(&config.Config{
		AppID: b.Account.AppID, AppSecret: b.Account.AppSecret, Token: b.Account.Token,
		EncodingAESKey: b.Account.EncodingAESKey, Cache: &memory{}, UseStableAK: true,
	})
	ctx := ctxOf(t)
	must(b.SendText(ctx, resident, "在吗"))(t)

	desk := account.GetCustomerMessageManager()
	if err := desk.Send(message.NewCustomerTextMessage(resident, "在")); err != nil {
		t.Error(err)
	}
	if err := desk.Send(message.NewCustomerTextMessage("oNobody", "在")); err == nil {
		t.Error("a message to nobody went out")
	}
	err := desk.Send(&message.CustomerMessage{ToUser: resident, Msgtype: "msgmenu", Msgmenu: &message.MediaMsgmenu{
		HeadContent: "满意吗", List: []message.MsgmenuItem{{ID: "101", Content: "满意"}},
	}})
	all := b.Transcript(resident)
	if last := all[len(all)-1]; err != nil || len(last.Items) != 1 || last.Items[0] != (MenuItem{"101", "满意"}) {
		t.Errorf("menu message: %v, shown as %+v", err, last)
	}

	media := must(account.GetMaterial().MediaUploadFromReader(material.MediaTypeImage, "a.jpg", bytes.NewReader(photo())))(t)
	if err := desk.Send(message.NewCustomerImgMessage(resident, media.MediaID)); err != nil {
		t.Error(err)
	}

	data := map[string]*message.TemplateDataItem{}
	for key, value := range goodNotice() {
		data[key] = &message.TemplateDataItem{Value: value.(string)}
	}
	if id, err := account.GetTemplate().Send(&message.TemplateMessage{ToUser: resident, TemplateID: "demo-notice", Data: data}); err != nil || id == 0 {
		t.Errorf("template message %d, %v", id, err)
	}
	if list, err := account.GetTemplate().List(); err != nil || len(list) != 3 {
		t.Errorf("%d templates, %v", len(list), err)
	}

	ticket := must(account.GetBasic().GetQRTicket(basic.NewLimitQrRequest("b-12")))(t)
	must(b.Scan(ctx, resident, "b-12"))(t)
	if got := b.hook.lastOne(t).Msg.Ticket; got != ticket.Ticket {
		t.Errorf("scanned ticket %q, made %q", got, ticket.Ticket)
	}

	if err := account.GetMenu().SetMenu([]*menu.Button{new(menu.Button).SetClickButton("进度", "P")}); err != nil {
		t.Error(err)
	}
	if m, err := account.GetMenu().GetMenu(); err != nil || len(m.Menu.Button) != 1 {
		t.Errorf("menu %+v, %v", m, err)
	}
	if info, err := account.GetUser().GetUserInfo(resident); err != nil || info.Subscribe != 1 {
		t.Errorf("user %+v, %v", info, err)
	}

	b.codes["a-code"] = &oauthCode{openid: resident, scope: "snsapi_base", expires: b.clock.Now().Add(time.Minute)}
	if got, err := account.GetOauth().GetUserAccessToken("a-code"); err != nil || got.OpenID != resident {
		t.Errorf("oauth %+v, %v", got, err)
	}
}
