package wechatsim

import (
	"crypto/rand"
	"fmt"
	"time"
)

// errorTexts are the platform's own words for the codes given here (WeChat,
// 全局返回码).
var errorTexts = map[int]string{
	-1:    "system error",
	40001: "invalid credential, access_token is invalid or not latest",
	40002: "invalid grant_type",
	40003: "invalid openid",
	40004: "invalid media type",
	40007: "invalid media_id",
	40008: "invalid message type",
	40013: "invalid appid",
	40014: "invalid access_token",
	40016: "invalid button size",
	40017: "invalid button type",
	40018: "invalid button name size",
	40019: "invalid button key size",
	40020: "invalid button url size",
	40023: "invalid sub button size",
	40024: "invalid sub button type",
	40025: "invalid sub button name size",
	40026: "invalid sub button key size",
	40027: "invalid sub button url size",
	40029: "invalid code",
	40037: "invalid template_id",
	40053: "invalid action info",
	40066: "invalid url",
	40097: "invalid args",
	40125: "invalid appsecret",
	40163: "code been used",
	40164: "invalid ip, not in whitelist",
	40200: "invalid account type",
	41001: "access_token missing",
	41002: "appid missing",
	41004: "appsecret missing",
	41005: "media data missing",
	41006: "media_id missing",
	41008: "missing code",
	42001: "access_token expired",
	43001: "require GET method",
	43002: "require POST method",
	43004: "require subscribe",
	43101: "user refuse to accept the msg",
	43117: "send too frequently to the user",
	44002: "empty post data",
	44003: "empty news data",
	44004: "empty content",
	45001: "media size out of limit",
	45002: "content size out of limit",
	45008: "article size out of limit",
	45009: "reach max api daily quota limit",
	45011: "api minute-quota reach limit, must slower, retry next minute",
	45015: "response out of time limit or subscription is canceled",
	45029: "qrcode count out of limit",
	45047: "out of response count limit",
	45064: "no permission to use weapp in menu",
	46003: "menu no exist",
	47001: "data format error",
	47003: "argument invalid!",
	48001: "api unauthorized",
	61004: "access clientip is not registered",
}

// apiError is a refusal as the platform writes it.
type apiError struct {
	Code int
	More string // put after the code's own words
	Text string // replaces the code's own words
}

func (e *apiError) Error() string { return fmt.Sprintf("errcode %d", e.Code) }

func refuse(code int, more ...any) *apiError {
	return &apiError{Code: code, More: fmt.Sprint(more...)}
}

// body is the JSON answer; every refusal carries a request id ("rid: …").
func (e *apiError) body(now time.Time) map[string]any {
	text := e.Text
	if text == "" {
		text = errorTexts[e.Code]
		if text == "" {
			text = "error"
		}
		if e.More != "" {
			text += " " + e.More
		}
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // crypto/rand never fails
	return map[string]any{
		"errcode": e.Code,
		"errmsg":  fmt.Sprintf("%s rid: %08x-%08x-%08x", text, now.Unix(), random[:4], random[4:]),
	}
}
