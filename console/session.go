package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// How long somebody stays logged in: after the last page they looked at. Inside
// WeChat nobody notices, the app logs them in again by itself.
const sessionIdle = 12 * time.Hour

// newToken is a secret that nobody guesses: 256 bits.
func newToken() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // crypto/rand never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// secure tells whether people reach the pages over TLS alone.
func (c *Console) secure() bool { return strings.HasPrefix(c.o.PublicURL, "https://") }

// cookieName names a cookie of one community. Over TLS the browser itself holds
// that it came from this host and is sent by TLS only (RFC 6265bis, "__Host-").
func (c *Console) cookieName(what, community string) string {
	name := "wd-" + what + "-" + community
	if c.secure() {
		return "__Host-" + name
	}
	return name
}

func (c *Console) setCookie(w http.ResponseWriter, what, community, value string, life time.Duration) {
	cookie := &http.Cookie{ //nolint:gosec // Secure wherever the pages are reached by TLS; a demo on one machine has none
		Name: c.cookieName(what, community), Value: value, Path: "/", Secure: c.secure(), HttpOnly: true,
		SameSite: http.SameSiteLaxMode, // WeChat leads back from its own host after OAuth
		MaxAge:   int(life / time.Second),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

func (c *Console) cookie(r *http.Request, what, community string) string {
	if cookie, err := r.Cookie(c.cookieName(what, community)); err == nil && len(cookie.Value) <= 256 {
		return cookie.Value
	}
	return ""
}

// begin logs somebody in: always with a fresh token, whatever the browser held
// before, which ends with it.
func (q *request) begin(person workflow.PersonID, how access.How) error {
	c, community := q.console, q.community()
	if q.token != "" {
		if err := c.o.Record.EndSession(q.Context(), community, access.Hash(q.token)); err != nil {
			return err
		}
	}
	token := newToken()
	now := c.now()
	if err := c.o.Record.NewSession(q.Context(), community, access.Session{
		Hash: access.Hash(token), Person: person, How: how, Agent: agentOf(q.Request), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(sessionIdle),
	}); err != nil {
		return err
	}
	c.setCookie(q.w, "in", community, token, 7*24*time.Hour)
	return c.o.Record.Audit(q.Context(), community, access.Entry{At: now, Person: person, Action: "login", Object: string(how)})
}

// agentOf is the browser as it names itself, shortened.
func agentOf(r *http.Request) string {
	agent := strings.ToValidUTF8(r.UserAgent(), "")
	const most = 160
	for len(agent) > most {
		_, size := utf8.DecodeLastRuneInString(agent)
		agent = agent[:len(agent)-size]
	}
	return agent
}

// device is a browser in words, of what it names itself.
func (q *request) device(agent string) string {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(agent, w) })
	}
	kind := "desk"
	switch phone := has("Mobile", "Android", "iPhone", "iPad", "HarmonyOS"); {
	case agent == "":
		kind = "unknown"
	case has("MicroMessenger") && (!phone || has("WindowsWechat", "MacWechat")):
		kind = "desk_wechat"
	case has("MicroMessenger"):
		kind = "phone_wechat"
	case phone:
		kind = "phone"
	}
	system := ""
	for _, s := range []struct{ word, name string }{{"HarmonyOS", "harmony"}, {"Android", "android"}, {"iPhone", "iphone"}, {"iPad", "ipad"}, {"Windows", "windows"}, {"Mac OS", "mac"}, {"Linux", "linux"}} {
		if has(s.word) {
			system = q.voice().Say("page.system."+s.name, nil)
			break
		}
	}
	return q.voice().Say("page.device."+kind, wording.Values{"Text": system})
}

// csrf is what a form of this session must carry. It follows from the session's
// token, which no other site can read, and does not tell it.
func csrf(token string) string {
	sum := sha256.Sum256([]byte("csrf\x00" + token))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// fromOwnForm tells whether a change comes from a form of this session.
func (q *request) fromOwnForm() bool {
	got := q.Header.Get("X-CSRF-Token")
	if got == "" {
		got = q.PostFormValue("csrf")
	}
	return q.token != "" && subtle.ConstantTimeCompare([]byte(got), []byte(csrf(q.token))) == 1
}
