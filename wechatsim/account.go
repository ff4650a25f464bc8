package wechatsim

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
)

// Mode says how deliveries to the webhook are encrypted.
type Mode string

// The three modes an account can be set to (WeChat, 消息加解密方式).
const (
	Plain      Mode = "plain"
	Compatible Mode = "compatible" // plain fields and Encrypt side by side
	Safe       Mode = "safe"       // Encrypt alone
)

// Account is the Official Account that the stand-in hosts.
type Account struct {
	AppID          string // "wx" and 16 hexadecimal digits at the real platform; not checked here
	AppSecret      string
	Token          string // signs deliveries
	EncodingAESKey string // 43 characters of base64; needed unless Mode is Plain
	Mode           Mode   // "" is Safe
	WebhookURL     string // where messages and events are posted
	Name           string // shown at the top of the chat
	OriginalID     string // ToUserName of deliveries ("gh_…"); made from AppID when empty
	OAuthDomain    string // host that redirect_uri must have; the webhook's host when empty
}

// Persona is a person with a phone. OpenIDs are unique.
type Persona struct {
	OpenID string `json:"openid"`
	Name   string `json:"name"`
	Role   string `json:"role"`  // shown beside the name, e.g. 第一网格专职网格员
	Phone  string `json:"phone"` // shown in the list of people
	Group  string `json:"group"` // which phone lists the person: "resident", "worker", "committee", "partner", …
	Home   string `json:"home"`  // where the person lives or works, in words
	// Stranger does not follow the account at the start; everyone else does.
	Stranger bool `json:"stranger,omitempty"`
}

// Place is a preset of the page's location panel, in GCJ-02 degrees.
type Place struct {
	Name string  `json:"name"`
	Lat  float64 `json:"lat"`
	Lng  float64 `json:"lng"`
}

// Limits are the platform's limits; a zero field takes the default said here.
type Limits struct {
	ReplyTimeout    time.Duration  // one try of a delivery; 5 s (WeChat)
	Tries           int            // tries of one delivery in all; 3 (WeChat)
	MessageWindow   time.Duration  // after a person's message; 48 h (WeChat)
	MessageCount    int            // customer-service messages in it; 5 (WeChat)
	ClickWindow     time.Duration  // after a click, scan or follow; 1 min (WeChat)
	ClickCount      int            // customer-service messages in it; 3 (WeChat)
	TokenLife       time.Duration  // 7200 s (WeChat)
	TokenOverlap    time.Duration  // an old token still works after a change not forced; 5 min (WeChat)
	ForcedRefreshes int            // forced refreshes of the stable token a day; 20 (WeChat)
	MediaLife       time.Duration  // 3 days (WeChat)
	PermanentQR     int            // permanent codes in all; 100,000 (WeChat)
	Daily           map[string]int // calls a day by path (45009); added to the defaults
	PerMinute       map[string]int // calls a minute by path (45011); added to the defaults
}

// Options is what a Platform is made from.
type Options struct {
	Account    Account
	Personas   []Persona
	Clock      clockwork.Clock // the real clock when nil; network timeouts are always real time
	DataDir    string          // keeps chats, followers, windows, tokens and media; "" keeps them in memory only
	Limits     Limits
	Logger     *slog.Logger // nothing is logged when nil; message texts never are
	ServerAddr string       // address of the product, shown on the page
	BaseURL    string       // own address as the webhook reaches it, for PicUrl; may be empty
	// Templates are the notices the account may send: template id → its fields,
	// each "key" or "key:label". DefaultTemplates when nil.
	Templates map[string][]string
	// TemplateTitles are the headings of the notice cards by template id.
	TemplateTitles map[string]string
	Scenes         []string            // presets of the page's scanner, e.g. building codes
	Places         []Place             // presets of the page's location panel
	Examples       map[string][]string // sentences to try by group, on the page
}

// DefaultTemplates gives the demo's notices: template id → "key:label".
func DefaultTemplates() map[string][]string {
	assignment := []string{"character_string1:工单编号", "thing2:事项", "thing3:地点", "time4:时间"}
	return map[string][]string{
		"demo-assigned":  assignment,
		"demo-escalated": assignment,
		"demo-notice":    {"character_string1:工单编号", "thing2:事项", "phrase3:进展", "time4:时间"},
	}
}

func defaultTitles() map[string]string {
	return map[string]string{"demo-assigned": "新工单提醒", "demo-escalated": "督办提醒", "demo-notice": "办理进度通知"}
}

func defaultPlaces() []Place {
	return []Place{
		{"毕家洼西区12号楼", 36.6893, 116.9806},
		{"怡园小区3号楼", 36.6921, 116.9842},
		{"社区党群服务中心", 36.6907, 116.9825},
	}
}

func defaultExamples() map[string][]string {
	return map[string][]string{
		"resident":  {"12号楼3单元的下水道又堵了,污水返上来了", "我想学用智能手机", "进度", "催办"},
		"worker":    {"待办", "帮助"},
		"committee": {"督办", "周报"},
		"partner":   {"心愿墙"},
		"member":    {"心愿墙"},
	}
}

// defaultDaily are the calls a day (WeChat, 接口调用频次限制).
func defaultDaily() map[string]int {
	return map[string]int{
		pathToken:         2_000,
		pathStableToken:   500_000,
		pathCustomSend:    500_000,
		pathTemplateSend:  100_000,
		pathSubscribeSend: 100_000,
		pathQRCreate:      100_000,
		pathMediaGet:      200_000,
		pathMediaUpload:   100_000,
		pathMenuCreate:    1_000,
		pathMenuDelete:    1_000,
		pathMenuGet:       10_000,
		pathUserInfo:      5_000_000,
	}
}

func (l Limits) withDefaults() Limits {
	l.ReplyTimeout = cmp.Or(l.ReplyTimeout, 5*time.Second)
	l.Tries = cmp.Or(l.Tries, 3)
	l.MessageWindow = cmp.Or(l.MessageWindow, 48*time.Hour)
	l.MessageCount = cmp.Or(l.MessageCount, 5)
	l.ClickWindow = cmp.Or(l.ClickWindow, time.Minute)
	l.ClickCount = cmp.Or(l.ClickCount, 3)
	l.TokenLife = cmp.Or(l.TokenLife, 7200*time.Second)
	l.TokenOverlap = cmp.Or(l.TokenOverlap, 5*time.Minute)
	l.ForcedRefreshes = cmp.Or(l.ForcedRefreshes, 20)
	l.MediaLife = cmp.Or(l.MediaLife, 72*time.Hour)
	l.PermanentQR = cmp.Or(l.PermanentQR, 100_000)
	daily := defaultDaily()
	for path, n := range l.Daily {
		daily[path] = n
	}
	minute := map[string]int{pathStableToken: 10_000}
	for path, n := range l.PerMinute {
		minute[path] = n
	}
	l.Daily, l.PerMinute = daily, minute
	return l
}

// check completes the options and refuses what cannot work, naming the field.
func (o *Options) check() error {
	a := &o.Account
	a.Mode = cmp.Or(a.Mode, Safe)
	if a.AppID == "" || a.AppSecret == "" || a.Token == "" {
		return errors.New("wechatsim: Account.AppID, AppSecret and Token are needed")
	}
	switch a.Mode {
	case Plain:
	case Safe, Compatible:
		if key, err := base64.StdEncoding.DecodeString(a.EncodingAESKey + "="); err != nil || len(key) != aesKeySize {
			return errors.New("wechatsim: Account.EncodingAESKey must be 43 characters of base64")
		}
	default:
		return fmt.Errorf("wechatsim: Account.Mode %q is none of plain, compatible, safe", a.Mode)
	}
	hook, err := url.Parse(a.WebhookURL)
	if err != nil || hook.Host == "" {
		return errors.New("wechatsim: Account.WebhookURL must be an absolute URL")
	}
	a.OAuthDomain = cmp.Or(a.OAuthDomain, hook.Host)
	a.OriginalID = cmp.Or(a.OriginalID, "gh_"+sha1Hex(a.AppID)[:12])
	a.Name = cmp.Or(a.Name, a.AppID)

	seen := make(map[string]bool, len(o.Personas))
	for _, person := range o.Personas {
		if person.OpenID == "" || seen[person.OpenID] {
			return fmt.Errorf("wechatsim: Personas: %q has an empty or repeated OpenID", person.Name)
		}
		seen[person.OpenID] = true
	}
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Templates == nil {
		o.Templates, o.TemplateTitles = DefaultTemplates(), defaultTitles()
	}
	if o.Places == nil {
		o.Places = defaultPlaces()
	}
	if o.Examples == nil {
		o.Examples = defaultExamples()
	}
	o.Limits = o.Limits.withDefaults()
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	return nil
}
