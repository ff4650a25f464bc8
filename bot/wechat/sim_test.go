package wechat

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/wechatsim"
)

// The stand-in platform keeps the real one's rules and shares no code with this
// package: what it takes and gives is what the platform does.
func TestAgainstTheStandInPlatform(t *testing.T) {
	for mode, simMode := range map[Mode]wechatsim.Mode{Plain: wechatsim.Plain, Compatible: wechatsim.Compatible, Safe: wechatsim.Safe} {
		t.Run(string(mode), func(t *testing.T) {
			a := testAccount(mode)
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			defer server.Close()
			const resident = "o-resident-wang"
			sim, err := wechatsim.New(wechatsim.Options{
				Account: wechatsim.Account{
					AppID: a.AppID, AppSecret: a.AppSecret, Token: a.Token, EncodingAESKey: a.EncodingAESKey,
					Mode: simMode, WebhookURL: server.URL + "/wechat/" + a.Community, Name: "心愿台",
				},
				Personas: []wechatsim.Persona{{OpenID: resident, Name: "王大爷"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			platform := httptest.NewServer(sim.Handler())
			defer platform.Close()
			a.APIBase = platform.URL
			h := &echo{reply: "收到 ]]> <b>"}
			mux.Handle("/wechat/{community}", NewGate(func(c string) (Account, bool) { return a, c == a.Community }, h, &MemoryReplays{}, GateOptions{}))

			if err := sim.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			r, err := sim.SendText(t.Context(), resident, "楼道灯坏了")
			if err != nil || r.Unavailable || r.Text != h.reply || h.got[0].Content != "楼道灯坏了" || h.got[0].OpenID != resident {
				t.Fatalf("%v %+v %+v", err, r, h.got)
			}
			if r, err := sim.Redeliver(t.Context()); err != nil || r.Unavailable || h.got[0].Delivery != h.got[1].Delivery {
				t.Errorf("%v %+v", err, r)
			}

			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			store := newShelf()
			c := NewClient(a, store, ClientOptions{HTTP: &http.Client{Transport: transport}})
			if err := c.SendCustom(t.Context(), messageTo(resident)); err != nil {
				t.Error(err)
			}
			store.tokens[a.AppID], c.tokens.last = strings.Repeat("x", 136), "" // not one of the platform's
			if err := c.SendCustom(t.Context(), messageTo(resident)); err != nil || store.tokens[a.AppID] == "" {
				t.Errorf("after a bad token: %v", err)
			}
			var photo bytes.Buffer
			if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
				t.Fatal(err)
			}
			id, err := c.UploadImage(t.Context(), "lamp.jpg", photo.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			data, kind, err := c.Download(t.Context(), id, 1<<20)
			if err != nil || kind != "image/jpeg" || !bytes.Equal(data, photo.Bytes()) {
				t.Errorf("%d bytes, %s, %v", len(data), kind, err)
			}
			var refused *APIError
			if _, _, err := c.Download(t.Context(), "never-was", 1<<20); !errors.As(err, &refused) || refused.Action() != MediaGone {
				t.Error(err)
			}
			if _, _, err := c.CreateQR(t.Context(), "G01-3-2"); err != nil {
				t.Error(err)
			}
			if err := c.SendCustom(t.Context(), messageTo("o-nobody")); !errors.As(err, &refused) || refused.Action() != Unreachable {
				t.Error(err)
			}
			c.a.AppSecret = strings.Repeat("0", 32)
			if err := c.Ping(t.Context()); !errors.As(err, &refused) || refused.Action() != ChannelOff {
				t.Error(err)
			}
		})
	}
}
