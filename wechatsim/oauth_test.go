package wechatsim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestOAuth(t *testing.T) {
	b := newBench(t)
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(noRedirect.CloseIdleConnections)
	good := func() url.Values {
		return url.Values{
			"appid": {b.Account.AppID}, "redirect_uri": {b.hook.URL + "/wall?page=2"}, "response_type": {"code"},
			"scope": {"snsapi_base"}, "state": {"abc"}, "sim_openid": {resident},
		}
	}
	authorize := func(q url.Values, cookie string) (*http.Response, string) {
		req, err := http.NewRequest(http.MethodGet, b.api.URL+"/connect/oauth2/authorize?"+q.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if cookie != "" {
			req.AddCookie(&http.Cookie{Name: openidCookie, Value: cookie})
		}
		res, err := noRedirect.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(res)
		body, _ := io.ReadAll(res.Body)
		return res, string(body)
	}
	codeOf := func(q url.Values, cookie string) string {
		t.Helper()
		res, body := authorize(q, cookie)
		to, err := res.Location()
		if err != nil {
			t.Fatalf("no redirect: %d %s", res.StatusCode, body)
		}
		if to.Query().Get("state") != "abc" || to.Query().Get("page") != "2" || to.Path != "/wall" {
			t.Errorf("redirected to %s", to)
		}
		return to.Query().Get("code")
	}
	exchange := func(code string) map[string]any {
		return b.get(pathOAuthToken + "?grant_type=authorization_code&appid=" + b.Account.AppID + "&secret=" + b.Account.AppSecret + "&code=" + code)
	}

	code := codeOf(good(), "")
	out := exchange(code)
	if out["openid"] != resident || out["scope"] != "snsapi_base" || out["is_snapshotuser"] != nil {
		t.Errorf("exchange %v", out)
	}
	b.wantCode("twice", exchange(code), 40163)
	b.wantCode("made up", exchange("nothing"), 40029)
	b.wantCode("none", exchange(""), 41008)
	late := codeOf(good(), "")
	b.clock.Advance(5 * time.Minute)
	b.wantCode("after five minutes", exchange(late), 40029)

	byCookie := good()
	byCookie.Del("sim_openid")
	if out := exchange(codeOf(byCookie, worker)); out["openid"] != worker {
		t.Errorf("by cookie %v", out)
	}
	if res, body := authorize(byCookie, ""); res.StatusCode != 200 || !strings.Contains(body, "王秀兰") {
		t.Errorf("without a person: %d %s", res.StatusCode, body)
	}
	b.Snapshot(resident, true)
	if out := exchange(codeOf(good(), "")); out["is_snapshotuser"] != json.Number("1") {
		t.Errorf("snapshot %v", out)
	}
	b.wantCode("wrong secret", b.get(pathOAuthToken+"?grant_type=authorization_code&appid="+b.Account.AppID+"&secret=no&code=x"), 40125)

	for name, spoil := range map[string]func(url.Values){
		"another app":     func(q url.Values) { q.Set("appid", "wxno") },
		"another domain":  func(q url.Values) { q.Set("redirect_uri", "https://evil.example/") },
		"no web address":  func(q url.Values) { q.Set("redirect_uri", "javascript:alert(1)") },
		"unknown scope":   func(q url.Values) { q.Set("scope", "all") },
		"no code wanted":  func(q url.Values) { q.Set("response_type", "token") },
		"very long state": func(q url.Values) { q.Set("state", strings.Repeat("x", 129)) },
	} {
		q := good()
		spoil(q)
		if res, _ := authorize(q, ""); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}
