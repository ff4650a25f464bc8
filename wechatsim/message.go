package wechatsim

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// element is one child of a delivery's <xml>.
type element struct {
	name, value string
	raw         bool // a number or nested XML: no CDATA
}

func text(name, value string) element { return element{name, value, false} }
func number(name string, value int64) element {
	return element{name, strconv.FormatInt(value, 10), true}
}
func degrees(name string, value float64) element {
	return element{name, strconv.FormatFloat(value, 'f', 6, 64), true}
}

// envelope writes a delivery as the platform does: addresses, time and type
// first, texts in CDATA.
func (p *Platform) envelope(openid, msgType string, created int64, rest ...element) []byte {
	var b bytes.Buffer
	b.WriteString("<xml>")
	head := []element{
		text("ToUserName", p.Account.OriginalID), text("FromUserName", openid),
		number("CreateTime", created), text("MsgType", msgType),
	}
	for _, e := range append(head, rest...) {
		value := e.value
		if !e.raw {
			value = cdata(value)
		}
		fmt.Fprintf(&b, "<%s>%s</%s>\n", e.name, value, e.name)
	}
	b.WriteString("</xml>")
	return b.Bytes()
}

// cdata drops what XML 1.0 cannot carry and splits the one sequence that CDATA
// cannot.
func cdata(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}
