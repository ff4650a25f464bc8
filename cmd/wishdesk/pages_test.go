package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/console/browsertest"
)

// Somebody comes to the pages from the chat: by a one-time link, and by the
// menu in WeChat's own browser, which the platform knows.
func TestToThePagesFromTheChat(t *testing.T) {
	d, _ := demoOf(t, clockwork.NewRealClock())
	reply, err := d.sim.SendText(t.Context(), "demo-worker-g01", "登录")
	must(t, err)
	link := regexp.MustCompile(`href="(http[^"]+/login/link/[^"]+)"`).FindStringSubmatch(string(reply.Raw))
	if link == nil || !strings.Contains(reply.Text, "只能用一次") {
		t.Fatalf("the reply to 登录: %s", reply.Text)
	}
	b := browsertest.Open(t, browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(link[1])
	b.Do("enter", browsertest.Presses("进入"), browsertest.Says("秦霞"))

	jar, err := cookiejar.New(nil)
	must(t, err)
	inWeChat := &http.Client{Jar: jar, Transport: agent("Mozilla/5.0 MicroMessenger/8.0")}
	sim, err := url.Parse(d.simURL)
	must(t, err)
	jar.SetCookies(sim, []*http.Cookie{{Name: "wechatsim_openid", Value: "demo-resident-01"}})
	res, err := inWeChat.Get(d.serverURL + "/c/" + demo.Community + "/")
	must(t, err)
	defer res.Body.Close()
	if got := res.Request.URL.Path; res.StatusCode != http.StatusOK || strings.Contains(got, "login") {
		t.Errorf("WeChat's browser ends at %d %s", res.StatusCode, got)
	}
}

// agent is a browser that calls itself so.
type agent string

func (a agent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", string(a))
	return http.DefaultTransport.RoundTrip(r)
}
