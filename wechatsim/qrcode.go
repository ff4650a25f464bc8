package wechatsim

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// sceneCode is a QR code with a scene.
type sceneCode struct {
	Ticket    string    `json:"ticket"`
	Scene     string    `json:"scene"`
	Permanent bool      `json:"permanent,omitempty"`
	Expires   time.Time `json:"expires,omitzero"` // of a temporary one
}

// Bounds of scenes and of temporary codes (WeChat, 生成带参数的二维码).
const (
	maxSceneStr         = 64
	maxPermanentSceneID = 100_000
	defaultCodeSeconds  = 60
	maxCodeSeconds      = 2_592_000 // 30 days
)

func (p *Platform) serveQRCreate(c call) (answer, *apiError) {
	var in struct {
		ExpireSeconds int64  `json:"expire_seconds"`
		ActionName    string `json:"action_name"`
		ActionInfo    struct {
			Scene struct {
				ID  int64  `json:"scene_id"`
				Str string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	code := &sceneCode{Scene: in.ActionInfo.Scene.Str}
	id, byID := in.ActionInfo.Scene.ID, false
	switch in.ActionName {
	case "QR_SCENE":
		byID = true
	case "QR_LIMIT_SCENE":
		byID, code.Permanent = true, true
	case "QR_STR_SCENE":
	case "QR_LIMIT_STR_SCENE":
		code.Permanent = true
	default:
		return answer{}, refuse(40097)
	}
	if byID {
		if id < 1 || id > 1<<32-1 || code.Permanent && id > maxPermanentSceneID {
			return answer{}, refuse(40053)
		}
		code.Scene = strconv.FormatInt(id, 10)
	} else if code.Scene == "" || utf8.RuneCountInString(code.Scene) > maxSceneStr {
		return answer{}, refuse(40053)
	}
	random := make([]byte, 60)
	_, _ = rand.Read(random) // crypto/rand never fails
	code.Ticket = "gQ" + base64.StdEncoding.EncodeToString(random)
	out := map[string]any{"ticket": code.Ticket, "url": "http://weixin.qq.com/q/" + base64.RawURLEncoding.EncodeToString(random[:18])}
	if !code.Permanent {
		seconds := in.ExpireSeconds
		if seconds < 1 {
			seconds = defaultCodeSeconds
		}
		seconds = min(seconds, maxCodeSeconds)
		code.Expires = c.now.Add(time.Duration(seconds) * time.Second)
		out["expire_seconds"] = seconds
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if code.Permanent && p.permanentCodes() >= p.Limits.PermanentQR {
		return answer{}, refuse(45029)
	}
	p.qr[code.Ticket] = code
	p.keep(record{Code: code})
	return answer{json: out}, nil
}

func (p *Platform) permanentCodes() (n int) {
	for _, code := range p.qr {
		if code.Permanent {
			n++
		}
	}
	return n
}

// ticketOf gives the ticket of a code for a scene, or one made from the scene
// when no such code was made; the caller holds p.mu.
func (p *Platform) ticketOf(scene string) string {
	for _, code := range p.qr {
		if code.Scene == scene && (code.Permanent || p.Clock.Now().Before(code.Expires)) {
			return code.Ticket
		}
	}
	return "gQ" + base64.StdEncoding.EncodeToString([]byte(sha1Hex(scene)))
}

// showQRCode draws a card with the scene in words: the stand-in makes no code
// that a camera could read, and says so on the card.
func (p *Platform) showQRCode(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	code := p.qr[r.URL.Query().Get("ticket")]
	p.mu.Unlock()
	if code == nil || !code.Permanent && !p.Clock.Now().Before(code.Expires) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_, _ = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="430" height="430" viewBox="0 0 430 430">
<rect width="430" height="430" fill="#fff" stroke="#000" stroke-width="12"/>
<g font-family="sans-serif" text-anchor="middle"><text x="215" y="150" font-size="30">演示二维码</text>
<text x="215" y="225" font-size="34" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>
<text x="215" y="300" font-size="22">不能用相机扫，请在演示页点“扫码”</text></g></svg>`,
		min(390, 34*utf8.RuneCountInString(code.Scene)), html.EscapeString(code.Scene)) // the caller has gone
}
