package wechat

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// How a call can fail besides an APIError.
var (
	// ErrNotSent says that the platform did not get the call: it may be made
	// again without a second thought.
	ErrNotSent = errors.New("wechat: not sent")
	// ErrAmbiguous says that the call left and no full answer came back: it may
	// have been done or not. A customer-service message has no key against being
	// sent twice; a template message has its client_msg_id.
	ErrAmbiguous = errors.New("wechat: sent, outcome unknown")
	// ErrTooLarge is media larger than the caller or the platform takes.
	ErrTooLarge = errors.New("wechat: media too large")
	// ErrSnapshot is an authorisation from a snapshot page, which proves
	// nobody's identity (WeChat, is_snapshotuser=1).
	ErrSnapshot = errors.New("wechat: authorisation of a snapshot page")
)

// APIError is the platform's refusal of a call, which was not done.
type APIError struct {
	API     string // e.g. message/custom/send
	Code    int64  // errcode, never 0
	Message string // errmsg without tokens, secrets and openids; at most 200 bytes
}

func (e *APIError) Error() string {
	return fmt.Sprintf("wechat: %s: errcode %d: %s", e.API, e.Code, e.Message)
}

// Action says what to do about a refusal.
type Action string

// The actions.
const (
	Retry          Action = "retry"           // wait a little, again
	RefreshToken   Action = "refresh_token"   // a fresh token, again; the client has done so once
	NextMinute     Action = "next_minute"     // limit of the minute
	NextDay        Action = "next_day"        // limit of the day: tell the operator
	OtherChannel   Action = "other_channel"   // the 48 hours are over or their count is used up
	Unreachable    Action = "unreachable"     // final for this person
	ContentRefused Action = "content_refused" // final for this text: mend the template
	ChannelOff     Action = "channel_off"     // stop the channel: a setting or permission is missing
	MediaGone      Action = "media_gone"      // older than 3 days, or never was
	Unknown        Action = "unknown"         // final, and to be reported
)

// actions is WeChat's 全局返回码 as far as this product meets it.
var actions = map[int64]Action{
	-1:    Retry, // system busy
	43117: Retry, // too often to this person

	40001: RefreshToken, // not valid, or not the latest
	40014: RefreshToken, // no access token
	42001: RefreshToken, // expired

	45011: NextMinute,
	45009: NextDay,

	45015: OtherChannel, // no message from this person within 48 hours
	45047: OtherChannel, // all messages of the 48 hours used

	40003: Unreachable, // not an openid of this account
	43004: Unreachable, // does not follow
	43101: Unreachable, // refuses such notices

	47003: ContentRefused, // a template's field breaks its rule
	45002: ContentRefused, // too long

	48001: ChannelOff, // not permitted to the account
	40164: ChannelOff, // the server's address is not on the account's list
	61004: ChannelOff, // the same, for a third-party platform
	40200: ChannelOff, // not permitted to this kind of account
	45064: ChannelOff, // a menu that is not permitted
	40013: ChannelOff, // wrong app id
	40125: ChannelOff, // wrong app secret
	40243: ChannelOff, // the app secret is frozen

	40007: MediaGone,
}

// Action gives what to do about the refusal, Unknown where no row fits.
func (e *APIError) Action() Action {
	if a, ok := actions[e.Code]; ok {
		return a
	}
	return Unknown
}

// callError is a call without an answer that could be read. It unwraps to its
// kind, ErrNotSent or ErrAmbiguous, and to the context's error where that was
// the cause; the cause itself may hold an address with the token in it and is
// kept as redacted words alone.
type callError struct {
	api   string
	kind  error
	ctx   error
	words string
}

func (e *callError) Error() string {
	return fmt.Sprintf("%v: %s: %s", e.kind, e.api, e.words)
}

func (e *callError) Unwrap() []error {
	if e.ctx == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.ctx}
}

// failed makes a callError of a cause, leaving out what must be hidden.
func failed(api string, kind, cause error, hide []string) *callError {
	e := &callError{api: api, kind: kind}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(cause, known) {
			e.ctx = known
		}
	}
	var withAddress *url.Error
	if errors.As(cause, &withAddress) {
		cause = withAddress.Err
	}
	e.words = redact(cause.Error(), hide)
	return e
}

// hidden is what looks like an openid (28 characters from o), a token or media
// id, or the query of an address.
var hidden = regexp.MustCompile(`\bo[0-9A-Za-z_-]{27}\b|[0-9A-Za-z_-]{40,}|\?[^\s"]+`)

// redact leaves out of a text what must not be seen, whatever looks like a
// credential, and what is beyond 200 bytes.
func redact(text string, hide []string) string {
	for _, h := range hide {
		if h != "" {
			text = strings.NewReplacer(h, ellipsis, url.QueryEscape(h), ellipsis).Replace(text)
		}
	}
	text = hidden.ReplaceAllString(clean(text), ellipsis)
	text = strings.Join(strings.Fields(text), " ")
	const limit = 200
	if len(text) <= limit {
		return text
	}
	end := limit - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
