package wechat

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
)

// Mode is how the platform sends messages to an account (WeChat, 消息加解密说明).
type Mode string

// The modes. In Compatible the platform sends plaintext and ciphertext side by
// side; the ciphertext is the one that is read. Plaintext alone is taken there
// too, so that the setting can be changed without losing messages: use it for
// the change only.
const (
	Plain      Mode = "plain"
	Compatible Mode = "compatible"
	Safe       Mode = "safe"
)

// Account is one community's Official Account. It prints without its secrets.
type Account struct {
	Community      string // the last part of the webhook's path
	AppID          string // wx and 16 hexadecimal digits
	AppSecret      string `json:"-"`
	Token          string `json:"-"` // 3 to 32 letters or digits
	EncodingAESKey string `json:"-"` // 43 letters or digits; needed but in Plain
	// PreviousAESKey and PreviousToken are taken too while a key or token is
	// being changed; empty otherwise.
	PreviousAESKey string `json:"-"`
	PreviousToken  string `json:"-"`
	Mode           Mode
	APIBase        string // "" is https://api.weixin.qq.com
	Original       string // gh_…; when set, messages to another account are refused
	AllowPlain     bool   // demo only: Safe that also takes plaintext
}

// takesPlain tells whether a body may come as plaintext.
func (a Account) takesPlain() bool { return a.Mode != Safe || a.AllowPlain }

// String names the account without its secrets.
func (a Account) String() string {
	return fmt.Sprintf("wechat account %s of %s (%s)", a.AppID, a.Community, a.Mode)
}

// GoString is String, so that %#v prints no secrets either.
func (a Account) GoString() string { return a.String() }

// LogValue gives a log the account without its secrets.
func (a Account) LogValue() slog.Value {
	return slog.GroupValue(slog.String("community", a.Community), slog.String("appid", a.AppID), slog.String("mode", string(a.Mode)))
}

// The demo's account. It is public, so it must not be used by anybody else.
const (
	DemoAppID          = "wx0123456789abcdef"
	DemoToken          = "wishdeskdemo"
	DemoEncodingAESKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// IsDemo tells whether any of the demo's public values is used.
func IsDemo(a Account) bool {
	return a.AppID == DemoAppID || a.Token == DemoToken || a.PreviousToken == DemoToken ||
		a.EncodingAESKey == DemoEncodingAESKey || a.PreviousAESKey == DemoEncodingAESKey
}

var (
	communityShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	appIDShape     = regexp.MustCompile(`^wx[0-9a-f]{16}$`)
	secretShape    = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
	tokenShape     = regexp.MustCompile(`^[0-9A-Za-z]{3,32}$`)
	aesKeyShape    = regexp.MustCompile(`^[0-9A-Za-z]{43}$`)
	originalShape  = regexp.MustCompile(`^gh_[0-9a-z]{1,32}$`)
)

// Check tells what is wrong with an account's settings: an error that joins
// one line a field, naming the field and never its value. Shapes are those of
// WeChat, 接入概述 and 消息加解密说明.
func Check(a Account) error {
	var problems []error
	want := func(ok bool, field, rule string) {
		if !ok {
			problems = append(problems, fmt.Errorf("wechat: %s %s", field, rule))
		}
	}
	want(communityShape.MatchString(a.Community), "Community", "must be lower-case letters, digits and hyphens, at most 63")
	want(appIDShape.MatchString(a.AppID), "AppID", "must be wx and 16 hexadecimal digits")
	want(secretShape.MatchString(a.AppSecret), "AppSecret", "must be 32 letters or digits")
	want(tokenShape.MatchString(a.Token), "Token", "must be 3 to 32 letters or digits")
	want(a.PreviousToken == "" || tokenShape.MatchString(a.PreviousToken), "PreviousToken", "must be 3 to 32 letters or digits, or empty")
	switch a.Mode {
	case Plain:
		want(a.EncodingAESKey == "" || goodKey(a.EncodingAESKey), "EncodingAESKey", "must be 43 letters or digits, or empty in plain mode")
	case Compatible, Safe:
		want(goodKey(a.EncodingAESKey), "EncodingAESKey", "must be 43 letters or digits")
	default:
		want(false, "Mode", "must be plain, compatible or safe")
	}
	want(a.PreviousAESKey == "" || goodKey(a.PreviousAESKey), "PreviousAESKey", "must be 43 letters or digits, or empty")
	want(a.Original == "" || originalShape.MatchString(a.Original), "Original", "must be gh_ and letters or digits, or empty")
	want(goodBase(a), "APIBase", "must be an https address (http on this machine only) without path, or empty")
	want(!a.AllowPlain || a.Mode == Safe && IsDemo(a), "AllowPlain", "is for the demo's account in safe mode only")
	return errors.Join(problems...)
}

func goodKey(key string) bool {
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	return aesKeyShape.MatchString(key) && err == nil && len(raw) == 32
}

// goodBase keeps the app secret off the open network.
func goodBase(a Account) bool {
	if a.APIBase == "" {
		return true
	}
	u, err := url.Parse(a.APIBase)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return false
	}
	here := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && (here || a.AppID == DemoAppID)
}
