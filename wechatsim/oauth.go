package wechatsim

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// oauthCode is a code of the in-app browser: 5 minutes, once (WeChat, 网页授权).
type oauthCode struct {
	openid  string
	scope   string
	expires time.Time
	used    bool
}

const (
	oauthCodeLife = 5 * time.Minute
	maxOAuthState = 128 // bytes
	// openidCookie tells authorize which persona's phone the browser is.
	openidCookie = "wechatsim_openid"
)

// authorize redirects back with code and state. Who the person is comes from
// the query's sim_openid or the cookie that the page sets when a link is
// opened on a phone; without either the browser is asked.
func (p *Platform) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	scope := q.Get("scope")
	switch {
	case q.Get("appid") != p.Account.AppID:
		oauthRefusal(w, "AppID 参数错误", 10013)
		return
	case err != nil || back.Host != p.Account.OAuthDomain || back.Scheme != "http" && back.Scheme != "https":
		oauthRefusal(w, "redirect_uri域名与后台配置不一致", 10003)
		return
	case scope != "snsapi_base" && scope != "snsapi_userinfo":
		oauthRefusal(w, "Scope 参数错误或没有 Scope 权限", 10005)
		return
	case q.Get("response_type") != "code" || len(q.Get("state")) > maxOAuthState:
		oauthRefusal(w, "参数错误", 10004)
		return
	}
	openid := q.Get("sim_openid")
	if cookie, err := r.Cookie(openidCookie); err == nil && openid == "" {
		openid = cookie.Value
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.people[openid] == nil {
		p.whoAreYou(w, r)
		return
	}
	random := make([]byte, 24)
	_, _ = rand.Read(random) // crypto/rand never fails
	code := base64.RawURLEncoding.EncodeToString(random)
	now := p.Clock.Now()
	maps.DeleteFunc(p.codes, func(_ string, c *oauthCode) bool { return now.Sub(c.expires) > time.Hour })
	p.codes[code] = &oauthCode{openid: openid, scope: scope, expires: now.Add(oauthCodeLife)}
	answer := back.Query()
	answer.Set("code", code)
	answer.Set("state", q.Get("state"))
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func oauthRefusal(w http.ResponseWriter, words string, code int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, "<!doctype html><title>出错了</title><h1>%s</h1><p>错误码:%d</p>", words, code)
}

// whoAreYou lets a browser that is no phone choose a persona.
func (p *Platform) whoAreYou(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	var list strings.Builder
	for _, openid := range p.order {
		q := r.URL.Query()
		q.Set("sim_openid", openid)
		who := p.people[openid]
		fmt.Fprintf(&list, `<li><a href="?%s">%s %s</a></li>`,
			html.EscapeString(q.Encode()), html.EscapeString(who.Name), html.EscapeString(who.Role))
	}
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>选择身份</title><link rel="stylesheet" href="/page/style.css"><main class="choose"><h1>您是谁?</h1><ul>%s</ul></main></html>`, list.String())
}

// Snapshot makes a person's authorisations those of a snapshot page
// (is_snapshotuser 1), which prove nobody's identity, or real ones again.
func (p *Platform) Snapshot(openid string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.snapshot[openid] = on
}

func (p *Platform) serveOAuthToken(c call) (answer, *apiError) {
	if err := p.checkSecret(c.query("appid"), c.query("secret")); err != nil {
		return answer{}, err
	}
	if c.query("grant_type") != "authorization_code" {
		return answer{}, refuse(40002)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := p.codes[c.query("code")]
	switch {
	case c.query("code") == "":
		return answer{}, refuse(41008)
	case code == nil || !c.now.Before(code.expires):
		return answer{}, refuse(40029)
	case code.used:
		return answer{}, refuse(40163)
	}
	code.used = true
	out := map[string]any{
		"access_token": "OAUTH_" + sha1Hex(code.openid+c.query("code")), "expires_in": 7200,
		"refresh_token": "REFRESH_" + sha1Hex(c.query("code")), "openid": code.openid, "scope": code.scope,
	}
	if p.snapshot[code.openid] {
		out["is_snapshotuser"] = 1
	}
	return answer{json: out}, nil
}
