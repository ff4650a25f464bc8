package wechat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jonboulle/clockwork"
	"github.com/silenceper/wechat/v2/officialaccount/basic"
	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/officialaccount/oauth"
)

// ClientOptions are the settings of a Client; the zero value has good ones.
type ClientOptions struct {
	// HTTP makes the calls; nil is a client of its own with connections shared
	// by all accounts. Its Timeout is for one call, 8 s when 0; media have four
	// times as long. Redirects to other hosts are not followed.
	HTTP   *http.Client
	Clock  clockwork.Clock
	Logger *slog.Logger
	// OnCall is told of every call: the API by its path without /cgi-bin/, the
	// errcode (0 for done, NoAnswer for none) and how long it took.
	OnCall func(api string, errcode int64, took time.Duration)
}

// Client calls the platform for one account. Every error is an *APIError, or
// unwraps to ErrNotSent, ErrAmbiguous, ErrTooLarge or ErrSnapshot, or says what
// is wrong with the arguments; none holds a token, a secret or an openid. It is
// safe for concurrent use.
type Client struct {
	a        Account
	o        ClientOptions
	base     string
	http     *http.Client
	slowHTTP *http.Client
	log      *slog.Logger
	tokens   *tokens
}

const (
	defaultTimeout = 8 * time.Second
	mediaPatience  = 4
	maxImage       = 10 << 20 // bytes (WeChat, 新增临时素材)
	maxScene       = 64       // characters (WeChat, 生成带参数的二维码)
)

// sharedTransport keeps the connections of all accounts.
var sharedTransport = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	return t
}()

// NewClient gives the client of an account whose token is kept in the store.
func NewClient(a Account, store TokenStore, o ClientOptions) *Client {
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := http.Client{Transport: sharedTransport}
	if o.HTTP != nil {
		h = *o.HTTP
	}
	if h.Timeout == 0 {
		h.Timeout = defaultTimeout
	}
	h.CheckRedirect = sameHost
	slow := h
	slow.Timeout *= mediaPatience
	c := &Client{a: a, o: o, base: strings.TrimSuffix(a.APIBase, "/"), http: &h, slowHTTP: &slow, log: o.Logger.With("community", a.Community)}
	if c.base == "" {
		c.base = defaultBase
	}
	c.tokens = &tokens{appID: a.AppID, store: store, clock: o.Clock, log: c.log, wait: tokenWait, ask: c.askToken}
	return c
}

// sameHost keeps the token in an address from reaching another host.
func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if len(before) > 3 || next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// SendCustom sends a customer-service message: 5 within 48 hours of a person's
// own (45015, 45047 beyond). After ErrAmbiguous the person may have it.
func (c *Client) SendCustom(ctx context.Context, m *message.CustomerMessage) error {
	r, err := jsonCall("/cgi-bin/message/custom/send", m, m.ToUser)
	if err != nil {
		return err
	}
	_, err = c.withToken(ctx, r, nil)
	return err
}

// SendTemplate sends a template message and gives its id, by which the
// TEMPLATESENDJOBFINISH event tells later whether it arrived. With a ClientMsgID
// it may be sent again after ErrAmbiguous.
func (c *Client) SendTemplate(ctx context.Context, m *message.TemplateMessage) (msgID int64, err error) {
	r, err := jsonCall("/cgi-bin/message/template/send", m, m.ToUser)
	if err != nil {
		return 0, err
	}
	var out struct {
		MsgID *int64 `json:"msgid"`
	}
	if _, err = c.withToken(ctx, r, &out); err != nil {
		return 0, err
	}
	if out.MsgID == nil {
		return 0, failed(r.api(), ErrAmbiguous, errors.New("the answer has no msgid"), nil)
	}
	return *out.MsgID, nil
}

// SendSubscribe sends a subscription notice; it uses up one consent.
func (c *Client) SendSubscribe(ctx context.Context, m *message.SubscribeMessage) error {
	r, err := jsonCall("/cgi-bin/message/subscribe/bizsend", m, m.ToUser)
	if err != nil {
		return err
	}
	_, err = c.withToken(ctx, r, nil)
	return err
}

// Download fetches media of at most limit bytes (ErrTooLarge) within the 3 days
// that they live; after that Action gives MediaGone. Of a video the platform
// gives an address, which is followed on its own hosts only.
func (c *Client) Download(ctx context.Context, mediaID string, limit int64) (data []byte, contentType string, err error) {
	r := call{path: "/cgi-bin/media/get", method: http.MethodGet, query: url.Values{"media_id": {mediaID}}, limit: limit, slow: true, binary: true, hide: []string{mediaID}}
	var video struct {
		URL string `json:"video_url"`
	}
	a, err := c.withToken(ctx, r, &video)
	if err != nil {
		return nil, "", err
	}
	if a.isText() {
		if !c.trusted(video.URL) {
			return nil, "", failed(r.api(), ErrAmbiguous, errors.New("the answer is not media"), nil)
		}
		r = call{path: video.URL, method: http.MethodGet, limit: limit, slow: true, binary: true, hide: []string{video.URL}}
		if a, err = c.exchange(ctx, r); err != nil {
			return nil, "", err
		}
	}
	if int64(len(a.body)) > limit {
		return nil, "", fmt.Errorf("%w: %s", ErrTooLarge, r.api())
	}
	return a.body, a.contentType, nil
}

// trusted tells whether an address given by the platform is one of its own.
func (c *Client) trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	base, err := url.Parse(c.base)
	return err == nil && u.Host == base.Host || strings.HasSuffix(u.Hostname(), ".qq.com")
}

// UploadImage keeps a JPEG, PNG, GIF or BMP of at most 10 MB at the platform for
// 3 days, to be sent by its media id.
func (c *Client) UploadImage(ctx context.Context, name string, data []byte) (mediaID string, err error) {
	kind := http.DetectContentType(data)
	switch kind {
	case "image/jpeg", "image/png", "image/gif", "image/bmp":
	default:
		return "", errors.New("wechat: media/upload: not a JPEG, PNG, GIF or BMP")
	}
	if len(data) > maxImage {
		return "", fmt.Errorf("%w: media/upload", ErrTooLarge)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="media"; filename="%s"`, fileName(name, kind))},
		"Content-Type":        {kind},
	})
	if err == nil {
		_, err = part.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return "", fmt.Errorf("wechat: media/upload: %w", err)
	}
	var out struct {
		MediaID string `json:"media_id"`
	}
	r := call{
		path: "/cgi-bin/media/upload", method: http.MethodPost, query: url.Values{"type": {"image"}},
		body: b.Bytes(), contentType: w.FormDataContentType(), slow: true,
	}
	if _, err := c.withToken(ctx, r, &out); err != nil {
		return "", err
	}
	if out.MediaID == "" {
		return "", failed(r.api(), ErrAmbiguous, errors.New("the answer has no media_id"), nil)
	}
	return out.MediaID, nil
}

// fileName keeps letters, digits and hyphens of a name and gives it the
// extension of its kind, by which the platform tells images.
func fileName(name, kind string) string {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		name = name[:dot]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '-', r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			return r
		}
		return -1
	}, name)
	if name == "" || len(name) > maxName {
		name = "image"
	}
	return name + "." + strings.TrimPrefix(kind, "image/")
}

// CreateMenu replaces the account's menu; followers see it within 24 hours
// (1,000 calls a day).
func (c *Client) CreateMenu(ctx context.Context, buttons []*menu.Button) error {
	r, err := jsonCall("/cgi-bin/menu/create", map[string]any{"button": buttons})
	if err != nil {
		return err
	}
	_, err = c.withToken(ctx, r, nil)
	return err
}

// CreateQR makes a permanent QR code of a scene of 1 to 64 characters, one of at
// most 100,000 of an account. The picture is at
// https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=…; address is what the code
// itself holds.
func (c *Client) CreateQR(ctx context.Context, scene string) (ticket, address string, err error) {
	if n := utf8.RuneCountInString(scene); n < 1 || n > maxScene || !utf8.ValidString(scene) {
		return "", "", errors.New("wechat: qrcode/create: a scene has 1 to 64 characters")
	}
	r, err := jsonCall("/cgi-bin/qrcode/create", basic.NewLimitQrRequest(scene))
	if err != nil {
		return "", "", err
	}
	var out basic.Ticket
	if _, err := c.withToken(ctx, r, &out); err != nil {
		return "", "", err
	}
	if out.Ticket == "" {
		return "", "", failed(r.api(), ErrAmbiguous, errors.New("the answer has no ticket"), nil)
	}
	return out.Ticket, out.URL, nil
}

// AuthorizeURL is where WeChat's own browser is sent to learn, silently, who holds
// the telephone (snsapi_base): it comes back to redirect, whose host must be
// registered with the account, with a code and the state.
func (c *Client) AuthorizeURL(redirect, state string) string {
	base := "https://open.weixin.qq.com"
	if c.a.APIBase != "" {
		base = strings.TrimSuffix(c.a.APIBase, "/")
	}
	q := url.Values{"appid": {c.a.AppID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"snsapi_base"}, "state": {state}}
	return base + "/connect/oauth2/authorize?" + q.Encode() + "#wechat_redirect"
}

// OAuthUser gives the openid of who came with an authorisation code. A code
// works once. ErrSnapshot is a snapshot page's visitor, who is nobody.
func (c *Client) OAuthUser(ctx context.Context, code string) (openid string, err error) {
	if code == "" {
		return "", errors.New("wechat: sns/oauth2/access_token: the code is empty")
	}
	r := call{
		path: "/sns/oauth2/access_token", method: http.MethodGet, hide: []string{c.a.AppSecret, code},
		query: url.Values{"appid": {c.a.AppID}, "secret": {c.a.AppSecret}, "code": {code}, "grant_type": {"authorization_code"}},
	}
	var out oauth.ResAccessToken
	if _, err := c.do(ctx, r, &out); err != nil {
		return "", err
	}
	switch {
	case out.IsSnapShotUser != 0:
		return "", ErrSnapshot
	case !isName(out.OpenID) || len(out.OpenID) > maxName:
		return "", failed(r.api(), ErrAmbiguous, errors.New("the answer has no openid"), nil)
	}
	return out.OpenID, nil
}

// Ping asks the platform itself for the account's token, past store and memory:
// it proves the app id, the secret, the address list and the network.
func (c *Client) Ping(ctx context.Context) error {
	_, _, err := c.askToken(ctx, false)
	return err
}

// askToken fetches the stable access token and its remaining life (WeChat,
// 获取稳定版接口调用凭据).
func (c *Client) askToken(ctx context.Context, force bool) (token string, life time.Duration, err error) {
	r, err := jsonCall("/cgi-bin/stable_token", map[string]any{
		"grant_type": "client_credential", "appid": c.a.AppID, "secret": c.a.AppSecret, "force_refresh": force,
	}, c.a.AppSecret)
	if err != nil {
		return "", 0, err
	}
	var out struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	if _, err := c.do(ctx, r, &out); err != nil {
		return "", 0, err
	}
	const day = 24 * 60 * 60
	if !isName(out.Token) || out.Seconds <= 0 || out.Seconds > 30*day {
		return "", 0, failed(r.api(), ErrNotSent, errors.New("the answer has no token"), nil)
	}
	return out.Token, time.Duration(out.Seconds) * time.Second, nil
}
