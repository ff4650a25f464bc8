package wechatsim

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"time"
)

// grant is one access token.
type grant struct {
	Token   string    `json:"token"`
	World   string    `json:"world"`            // classic or stable: isolated from one another (WeChat)
	Expires time.Time `json:"expires"`          // 42001 from then on
	Revoked time.Time `json:"revoked,omitzero"` // 40001 from then on, when set
}

const (
	classic = "classic"
	stable  = "stable"
)

// forced remembers the forced refreshes of a day.
type forced struct {
	day  string
	used int
	last time.Time
}

// tokenSize is the length of an access token; anything of another length is
// 40014.
const tokenSize = 136

func (p *Platform) checkSecret(appid, secret string) *apiError {
	switch {
	case appid == "":
		return refuse(41002)
	case appid != p.Account.AppID:
		return refuse(40013)
	case secret == "":
		return refuse(41004)
	case !sameText(secret, p.Account.AppSecret):
		return refuse(40125)
	}
	return nil
}

// serveToken gives a new token with every call; the one before works 5 minutes
// more (WeChat, 获取access_token).
func (p *Platform) serveToken(c call) (answer, *apiError) {
	if c.query("grant_type") != "client_credential" {
		return answer{}, refuse(40002)
	}
	if err := p.checkSecret(c.query("appid"), c.query("secret")); err != nil {
		return answer{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return tokenAnswer(p.grant(classic, c.now, c.now.Add(p.Limits.TokenOverlap)), c.now), nil
}

// serveStableToken gives the same token until 5 minutes before its end, then a
// new one beside it. A forced refresh ends the old one at once; 20 a day, and
// none within 30 s of the last (WeChat, 获取稳定版接口调用凭据).
func (p *Platform) serveStableToken(c call) (answer, *apiError) {
	var in struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.GrantType != "client_credential" {
		return answer{}, refuse(40002)
	}
	if err := p.checkSecret(in.AppID, in.Secret); err != nil {
		return answer{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.tokens[p.current[stable]]
	if held != nil && !c.now.Before(held.Expires.Add(-p.Limits.TokenOverlap)) {
		held = nil // ends soon or has ended: not given out again
	}
	if in.ForceRefresh {
		if today := c.now.In(shanghai).Format(time.DateOnly); p.forced.day != today {
			p.forced = forced{day: today, last: p.forced.last}
		}
		if p.forced.used >= p.Limits.ForcedRefreshes {
			return answer{}, refuse(45009)
		}
		if held == nil || c.now.Sub(p.forced.last) >= 30*time.Second {
			p.forced.used++
			p.forced.last = c.now
			return tokenAnswer(p.grant(stable, c.now, c.now), c.now), nil
		}
	}
	if held == nil {
		held = p.grant(stable, c.now, c.now.Add(p.Limits.TokenOverlap))
	}
	return tokenAnswer(held, c.now), nil
}

func tokenAnswer(g *grant, now time.Time) answer {
	return answer{json: map[string]any{"access_token": g.Token, "expires_in": int(g.Expires.Sub(now).Seconds())}}
}

// grant makes the newest token of a world; the one before works until oldEnds.
// The caller holds p.mu.
func (p *Platform) grant(world string, now, oldEnds time.Time) *grant {
	maps.DeleteFunc(p.tokens, func(_ string, g *grant) bool { return now.Sub(g.Expires) > 24*time.Hour })
	if old := p.tokens[p.current[world]]; old != nil {
		old.Revoked = oldEnds
		p.keep(record{Token: old})
	}
	raw := make([]byte, tokenSize)
	_, _ = rand.Read(raw) // crypto/rand never fails
	g := &grant{
		Token: ("88_" + base64.RawURLEncoding.EncodeToString(raw))[:tokenSize],
		World: world, Expires: now.Add(p.Limits.TokenLife),
	}
	p.tokens[g.Token] = g
	p.current[world] = g.Token
	p.keep(record{Token: g})
	return g
}

func (p *Platform) checkToken(token string, now time.Time) *apiError {
	p.mu.Lock()
	g := p.tokens[token]
	p.mu.Unlock()
	switch {
	case token == "":
		return refuse(41001)
	case len(token) != tokenSize:
		return refuse(40014)
	case g == nil:
		return refuse(40001)
	case !now.Before(g.Expires):
		return refuse(42001)
	case !g.Revoked.IsZero() && !now.Before(g.Revoked):
		return refuse(40001)
	}
	return nil
}
