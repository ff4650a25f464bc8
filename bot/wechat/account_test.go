package wechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestCheckNamesTheField(t *testing.T) {
	for _, mode := range []Mode{Plain, Compatible, Safe} {
		if err := Check(testAccount(mode)); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
	demo := Account{
		Community: "bjw-xiqu", AppID: DemoAppID, AppSecret: strings.Repeat("0", 32), Token: DemoToken, EncodingAESKey: DemoEncodingAESKey,
		Mode: Safe, AllowPlain: true, APIBase: "http://127.0.0.1:8080", Original: "gh_123abc",
	}
	if err := Check(demo); err != nil {
		t.Errorf("demo: %v", err)
	}
	for field, spoil := range map[string]func(*Account){
		"Community":      func(a *Account) { a.Community = "a/b" },
		"AppID":          func(a *Account) { a.AppID = "1111111111111111" },
		"AppSecret":      func(a *Account) { a.AppSecret = "" },
		"Token":          func(a *Account) { a.Token = "" },
		"PreviousToken":  func(a *Account) { a.PreviousToken = "x" },
		"Mode":           func(a *Account) { a.Mode = "open" },
		"EncodingAESKey": func(a *Account) { a.EncodingAESKey = strings.Repeat("a", 42) },
		"PreviousAESKey": func(a *Account) { a.PreviousAESKey = strings.Repeat("-", 43) },
		"Original":       func(a *Account) { a.Original = "me" },
		"APIBase":        func(a *Account) { a.APIBase = "http://api.weixin.qq.com" },
		"AllowPlain":     func(a *Account) { a.AllowPlain = true },
	} {
		a := testAccount(Safe)
		spoil(&a)
		err := Check(a)
		if err == nil || !strings.HasPrefix(err.Error(), "wechat: "+field+" ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, base := range []string{"ftp://x", "https://", "https://u:p@x", "https://x/y", "https://x?y", "//x", "://", "http://10.0.0.1"} {
		a := testAccount(Safe)
		a.APIBase = base
		if Check(a) == nil {
			t.Errorf("base %q is taken", base)
		}
	}
	if n := strings.Count(Check(Account{}).Error(), "\n"); n < 3 {
		t.Errorf("only %d problems of an empty account", n+1)
	}
}

func TestDemoIsKnown(t *testing.T) {
	if IsDemo(testAccount(Safe)) {
		t.Error("an ordinary account is taken for the demo's")
	}
	for _, spoil := range []func(*Account){
		func(a *Account) { a.AppID = DemoAppID },
		func(a *Account) { a.Token = DemoToken },
		func(a *Account) { a.PreviousToken = DemoToken },
		func(a *Account) { a.EncodingAESKey = DemoEncodingAESKey },
		func(a *Account) { a.PreviousAESKey = DemoEncodingAESKey },
	} {
		a := testAccount(Safe)
		spoil(&a)
		if !IsDemo(a) {
			t.Errorf("%s is not known as the demo's", a)
		}
	}
}

func TestAccountPrintsNoSecrets(t *testing.T) {
	a := testAccount(Safe)
	a.PreviousToken, a.PreviousAESKey = "previousToken", strings.Repeat("p", 43)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "account", a, "pointer", &a)
	asJSON, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %v", a, a, a, a, a, &a) + log.String() + string(asJSON)
	for _, secret := range []string{a.AppSecret, a.Token, a.EncodingAESKey, a.PreviousToken, a.PreviousAESKey} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is printed: %s", secret, all)
		}
	}
	if !strings.Contains(log.String(), a.AppID) {
		t.Error(log.String())
	}
}
