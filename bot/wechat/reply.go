package wechat

import (
	"encoding/xml"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/message"
)

// Reply is the passive answer to a message.
type Reply struct {
	Text string // may hold links; "" answers "success", which shows nothing
}

// maxReply is where the platform cuts a text, in bytes of UTF-8; what is longer
// is refused with 45002 (developers' community).
const maxReply = 2048

const ellipsis = "…"

// Shorten cuts a text to what one message may hold, 2048 bytes, at a character
// and never inside a link, and ends it with "…" when something was cut.
func Shorten(text string) string {
	if len(text) <= maxReply {
		return text
	}
	end := maxReply - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	text = text[:end]
	if link := strings.LastIndex(text, "<a "); link > strings.LastIndex(text, "</a>") {
		text = text[:link]
	}
	return text + ellipsis
}

// clean leaves what XML 1.0 can carry: valid UTF-8 without control characters.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return r
		case r < ' ' || r == 0x7f || r == 0xFFFE || r == 0xFFFF:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// replyXML is a text from the account to who wrote, ready to be sent or
// encrypted; nil where nothing is left to say.
func replyXML(in Inbound, text string, now time.Time) ([]byte, error) {
	text = Shorten(clean(text))
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	m := message.NewText(text)
	m.SetToUserName(message.CDATA(in.OpenID))
	m.SetFromUserName(message.CDATA(in.To))
	m.SetCreateTime(now.Unix())
	m.SetMsgType(message.MsgTypeText)
	return xml.Marshal(m)
}
