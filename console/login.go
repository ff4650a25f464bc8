package console

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/console/codes"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// How long the ways in stay open.
const (
	oauthLife = 10 * time.Minute
	scanLife  = 3 * time.Minute
	// LinkLife is how long a one-time link out of the chat works.
	LinkLife = 10 * time.Minute
)

// How many codes are made in a minute: for one address, behind which a whole office may
// be, and for a community, so that its record does not fill up.
const (
	codesEach  = 60
	codesOfAll = 3000
)

// loginPage is what the login shows.
type loginPage struct {
	Account string     // the Official Account's name
	WeChat  bool       // this browser is WeChat's
	Code    codes.Code // what a telephone scans; empty where the account cannot say who somebody is
	Address string     // what the code says
	Scan    string     // the address at which this browser asks whether somebody has agreed
	Failed  string     // why the last try failed, a key of the wording
}

// login leads WeChat's own browser through OAuth, silently, and shows any other
// a code to scan.
func (c *Console) login(q *request) error {
	next := q.inside(q.URL.Query().Get("next"))
	if q.me.ID != 0 {
		http.Redirect(q.w, q.Request, next, http.StatusSeeOther)
		return nil
	}
	page := loginPage{Account: q.shape.Community.Name, WeChat: strings.Contains(q.UserAgent(), "MicroMessenger"), Failed: q.URL.Query().Get("failed")}
	account, ok := c.o.Account(q.community())
	if ok && page.WeChat && page.Failed == "" {
		return c.toWeChat(q, account, next)
	}
	if ok && !page.WeChat {
		if err := c.showCode(q, &page, next); err != nil {
			return err
		}
	}
	return q.show("login", page)
}

// toWeChat sends the browser to WeChat, which knows who holds the telephone. The
// state comes back with the answer and must be this browser's.
func (c *Console) toWeChat(q *request, account Account, next string) error {
	state := newToken()
	c.setCookie(q.w, "oauth", q.community(), state+"."+url.QueryEscape(next), oauthLife)
	http.Redirect(q.w, q.Request, account.AuthorizeURL(c.o.PublicURL+q.path("login/wechat"), state), http.StatusFound)
	return nil
}

// fromWeChat takes WeChat's answer.
func (c *Console) fromWeChat(q *request) error {
	kept := c.cookie(q.Request, "oauth", q.community())
	c.setCookie(q.w, "oauth", q.community(), "", 0)
	state, escaped, _ := strings.Cut(kept, ".")
	next, err := url.QueryUnescape(escaped)
	if err != nil {
		next = ""
	}
	next = q.inside(next)
	account, ok := c.o.Account(q.community())
	code := q.URL.Query().Get("code")
	if !ok || state == "" || code == "" || subtle.ConstantTimeCompare([]byte(state), []byte(q.URL.Query().Get("state"))) != 1 {
		return c.loginFailed(q, "stale", next)
	}
	openid, err := account.OAuthUser(q.Context(), code)
	if err != nil {
		c.o.Logger.Warn("login by WeChat failed", "community", q.community(), "cause", err)
		return c.loginFailed(q, "wechat", next)
	}
	p, ok, err := c.o.Desk.Journal().PersonByOpenID(q.Context(), q.community(), openid)
	if err != nil {
		return fmt.Errorf("console: who logs in: %w", err)
	}
	if !ok {
		return c.loginFailed(q, "stranger", next) // nobody who ever wrote to the account
	}
	if err := q.begin(p.ID, access.ByWeChat); err != nil {
		return err
	}
	http.Redirect(q.w, q.Request, next, http.StatusSeeOther)
	return nil
}

func (c *Console) loginFailed(q *request, why, next string) error {
	http.Redirect(q.w, q.Request, q.path("login")+"?failed="+why+"&next="+url.QueryEscape(next), http.StatusSeeOther)
	return nil
}

// showCode begins a login by scanning: the code holds a token, this browser
// another, and only both together log in.
func (c *Console) showCode(q *request, page *loginPage, next string) error {
	for name, most := range map[string]int{"scan:" + access.Client(q.RemoteAddr): codesEach, "scan": codesOfAll} {
		if ok, err := c.o.Desk.Drive().Allow(q.Context(), q.community(), name, 1, most, time.Minute); err == nil && !ok {
			return errOften("codes to scan")
		}
	}
	token, secret := newToken(), newToken()
	err := c.o.Record.NewLogin(q.Context(), q.community(), access.Login{
		Hash: access.Hash(token), Kind: access.ByScan, Secret: access.Hash(secret), Agent: agentOf(q.Request), Next: next, ExpiresAt: q.now.Add(scanLife),
	}, q.now)
	if err != nil {
		return err
	}
	c.setCookie(q.w, "scan", q.community(), secret, scanLife)
	page.Scan = q.path("login/scan", token, "state")
	page.Address = c.o.PublicURL + q.path("login/scan", token)
	page.Code, err = codes.Draw(page.Address)
	return err
}

// scanned is what the telephone that scanned a code shows: which browser waits,
// and a button to agree.
func (c *Console) scanned(q *request) error {
	l, err := c.scan(q)
	if err != nil {
		return err
	}
	l.Agent = q.device(l.Agent)
	return q.show("login_scan", l)
}

func (c *Console) scan(q *request) (access.Login, error) {
	l, ok, err := c.o.Record.Login(q.Context(), q.community(), access.Hash(q.PathValue("token")), q.now)
	if err != nil {
		return l, err
	}
	if !ok || l.Kind != access.ByScan {
		return l, &workflow.Error{Code: "login_stale", Cause: errors.New("no such code, or it ran out")}
	}
	if l.Used || l.Person != 0 {
		return l, &workflow.Error{Code: "login_used", Cause: errors.New("the code is somebody's already")}
	}
	return l, nil
}

// agree lets the browser that shows the code in, as who holds the telephone.
func (c *Console) agree(q *request) error {
	l, err := c.scan(q)
	if err != nil {
		return err
	}
	ok, err := c.o.Record.AgreeLogin(q.Context(), q.community(), l.Hash, q.me.ID, q.now)
	if err != nil {
		return err
	}
	if !ok {
		return &workflow.Error{Code: "login_used", Cause: errors.New("the code is somebody's already")}
	}
	return q.to("", "agreed")
}

// agreed tells the telephone that the other browser is in.
func (c *Console) agreed(q *request) error { return q.show("agreed", nil) }

// scanState tells the browser that shows a code how it stands: nothing yet, in,
// or run out. It is asked every second.
func (c *Console) scanState(q *request) error {
	hash := access.Hash(q.PathValue("token"))
	l, ok, err := c.o.Record.Login(q.Context(), q.community(), hash, q.now)
	if err != nil {
		return err
	}
	held := c.cookie(q.Request, "scan", q.community())
	mine := ok && l.Kind == access.ByScan && held != "" && subtle.ConstantTimeCompare(access.Hash(held), l.Secret) == 1
	switch {
	case !mine:
		q.w.Header().Set("HX-Redirect", q.path("login")+"?failed=stale")
	case l.Person == 0:
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		used, err := c.o.Record.UseLogin(q.Context(), q.community(), hash, q.now)
		if err != nil {
			return err
		}
		if !used {
			q.w.Header().Set("HX-Redirect", q.path("login")+"?failed=used")
			break
		}
		if err := q.begin(l.Person, access.ByScan); err != nil {
			return err
		}
		c.setCookie(q.w, "scan", q.community(), "", 0)
		q.w.Header().Set("HX-Redirect", q.inside(l.Next))
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// linked shows a button for a one-time link: what looks at links before people
// do must not use it up.
func (c *Console) linked(q *request) error {
	if q.me.ID != 0 {
		http.Redirect(q.w, q.Request, q.home(), http.StatusSeeOther)
		return nil
	}
	l, ok, err := c.o.Record.Login(q.Context(), q.community(), access.Hash(q.PathValue("token")), q.now)
	if err != nil {
		return err
	}
	if why := linkFails(l, ok); why != "" {
		return c.loginFailed(q, why, "")
	}
	p, err := c.o.Desk.Journal().Person(q.Context(), q.community(), l.Person)
	if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
		return err
	}
	return q.show("login_link", masked(p.Name))
}

// masked is a name of which only enough is shown for its bearer to know it: 孙**.
func masked(name string) string {
	r := []rune(name)
	if len(r) == 0 {
		return ""
	}
	return string(r[0]) + strings.Repeat("*", max(len(r)-1, 1))
}

// linkFails is why a one-time link lets nobody in, a key of the wording below
// page.login; "" where it does.
func linkFails(l access.Login, ok bool) string {
	switch {
	case !ok || l.Kind != access.ByLink:
		return "stale"
	case l.Used:
		return "used"
	}
	return ""
}

// enter uses a one-time link.
func (c *Console) enter(q *request) error {
	hash := access.Hash(q.PathValue("token"))
	l, ok, err := c.o.Record.Login(q.Context(), q.community(), hash, q.now)
	if err != nil {
		return err
	}
	if why := linkFails(l, ok); why != "" {
		return c.loginFailed(q, why, "")
	}
	if ok, err = c.o.Record.UseLogin(q.Context(), q.community(), hash, q.now); err != nil {
		return err
	}
	if !ok { // in this moment, by another
		return c.loginFailed(q, "used", "")
	}
	if err := q.begin(l.Person, access.ByLink); err != nil {
		return err
	}
	http.Redirect(q.w, q.Request, q.inside(l.Next), http.StatusSeeOther)
	return nil
}

// logout ends this browser's session.
func (c *Console) logout(q *request) error {
	if err := c.o.Record.EndSession(q.Context(), q.community(), access.Hash(q.token)); err != nil {
		return err
	}
	c.setCookie(q.w, "in", q.community(), "", 0)
	return q.to("", "login")
}
