package wechatsim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reply is the passive answer to what a person did, as the person sees it.
type Reply struct {
	Type        string     // text, image, voice, video, music, news; "" when Empty or Unavailable
	Text        string     // as read: links are their words; cut at 2048 bytes
	Links       []MenuLink // the tappable links of the text
	MediaID     string
	Empty       bool   // the account answered "success" or nothing: the person sees nothing
	Unavailable bool   // the person sees UnavailableText
	Tries       int    // how often the webhook was asked
	Raw         []byte // decrypted XML, or the body as it came when it could not be read
	// Cause says why Unavailable, for tests and logs; the real platform tells
	// nobody.
	Cause error
}

// MenuLink is a link of the form
// <a href="weixin://bizmsgmenu?msgmenucontent=…&msgmenuid=…">label</a>, which
// works in texts though it is not documented (c). Give ID and Content to Tap.
type MenuLink struct{ ID, Content, Label string }

// maxReplyText is where a text is cut, in bytes of UTF-8 (c).
const maxReplyText = 2048

type replyArticle struct {
	Title       string `xml:"Title"`
	Description string `xml:"Description"`
	PicURL      string `xml:"PicUrl"`
	URL         string `xml:"Url"`
}

type replyXML struct {
	XMLName      xml.Name `xml:"xml"`
	ToUserName   string
	FromUserName string
	CreateTime   string
	MsgType      string
	Content      string
	Image        struct {
		MediaID string `xml:"MediaId"`
	}
	Voice struct {
		MediaID string `xml:"MediaId"`
	}
	Video struct {
		MediaID            string `xml:"MediaId"`
		Title, Description string
	}
	Music        struct{ Title, Description, MusicUrl string }
	ArticleCount int
	Articles     struct {
		Item []replyArticle `xml:"item"`
	}
}

type sealedXML struct {
	XMLName      xml.Name `xml:"xml"`
	Encrypt      string
	MsgSignature string
	TimeStamp    string
	Nonce        string
}

// readReply reads the body that answered a delivery to openid. An error means
// that the person sees UnavailableText.
func (p *Platform) readReply(body []byte, openid string) (Reply, Entry, error) {
	if len(body) == 0 || string(body) == "success" {
		return Reply{Empty: true, Raw: body}, Entry{}, nil
	}
	plain, err := p.unseal(body)
	if err != nil {
		return Reply{Raw: body}, Entry{}, err
	}
	var x replyXML
	if err := strictXML(plain, &x); err != nil {
		return Reply{Raw: plain}, Entry{}, err
	}
	switch {
	case x.ToUserName != openid:
		return Reply{Raw: plain}, Entry{}, errors.New("ToUserName is not the person who wrote")
	case x.FromUserName != p.Account.OriginalID:
		return Reply{Raw: plain}, Entry{}, errors.New("FromUserName is not the account")
	}
	if _, err := strconv.ParseInt(x.CreateTime, 10, 64); err != nil {
		return Reply{Raw: plain}, Entry{}, errors.New("CreateTime is no number")
	}
	e, err := p.replyEntry(x)
	if err != nil {
		return Reply{Raw: plain}, Entry{}, err
	}
	r := Reply{Type: e.Type, Text: e.Text, MediaID: e.MediaID, Raw: plain, Empty: e.Type == ""}
	for _, s := range e.Spans {
		if s.Tap != nil {
			r.Links = append(r.Links, MenuLink{s.Tap.ID, s.Tap.Content, s.Text})
		}
	}
	return r, e, nil
}

// unseal gives the plain XML of an answer. In safe mode it must be encrypted
// and signed; in compatible mode it may be.
func (p *Platform) unseal(body []byte) ([]byte, error) {
	if p.Account.Mode == Plain {
		return body, nil
	}
	var s sealedXML
	if err := strictXML(body, &s); err != nil {
		return nil, err
	}
	if s.Encrypt == "" && p.Account.Mode == Compatible {
		return body, nil
	}
	if _, err := strconv.ParseInt(s.TimeStamp, 10, 64); err != nil || s.Nonce == "" || s.Encrypt == "" {
		return nil, errors.New("an encrypted reply needs Encrypt, TimeStamp and Nonce")
	}
	if !sameText(s.MsgSignature, sign(p.Account.Token, s.TimeStamp, s.Nonce, s.Encrypt)) {
		return nil, errors.New("MsgSignature is wrong")
	}
	return p.Account.open(s.Encrypt)
}

func (p *Platform) replyEntry(x replyXML) (Entry, error) {
	e := Entry{Dir: Out, Channel: ByPassive, Type: x.MsgType}
	switch x.MsgType {
	case "text":
		if x.Content == "" {
			return e, errors.New("a text without Content")
		}
		e.setText(cut(x.Content, maxReplyText))
		return e, nil
	case "image":
		e.MediaID = x.Image.MediaID
	case "voice":
		e.MediaID = x.Voice.MediaID
	case "video":
		e.MediaID, e.Title, e.Text = x.Video.MediaID, x.Video.Title, x.Video.Description
	case "music":
		e.Title, e.Text, e.URL = x.Music.Title, x.Music.Description, x.Music.MusicUrl
		return e, nil
	case "news":
		if len(x.Articles.Item) == 0 || x.ArticleCount != len(x.Articles.Item) {
			return e, errors.New("news whose ArticleCount is not the number of articles")
		}
		first := x.Articles.Item[0]
		e.Title, e.Text, e.URL = first.Title, first.Description, safeURL(first.URL)
		return e, nil
	case "transfer_customer_service":
		return Entry{}, nil
	default:
		return e, fmt.Errorf("MsgType %q is no reply", x.MsgType)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	file := p.findMedia(e.MediaID)
	if file == nil {
		return e, errors.New("MediaId is not known")
	}
	e.MediaURL = file.path()
	return e, nil
}

// strictXML decodes one document and nothing after it.
func strictXML(body []byte, into any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(into); err != nil {
		return err
	}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rest, ok := tok.(xml.CharData); !ok || len(bytes.TrimSpace(rest)) > 0 {
			return errors.New("something stands after </xml>")
		}
	}
}

// cut shortens s to at most limit bytes without breaking a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

var anchor = regexp.MustCompile(`(?s)<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>(.*?)</a>`)

// setText puts a text that may hold links into the entry.
func (e *Entry) setText(s string) {
	var read strings.Builder
	var spans []Span
	add := func(sp Span) {
		if sp.Text != "" {
			spans = append(spans, sp)
			read.WriteString(sp.Text)
		}
	}
	end, links := 0, false
	for _, m := range anchor.FindAllStringSubmatchIndex(s, -1) {
		add(Span{Text: s[end:m[0]]})
		href := group(s, m, 1) + group(s, m, 2)
		sp := linkSpan(html.UnescapeString(href), group(s, m, 3))
		links = links || sp.Tap != nil || sp.URL != ""
		if sp.Tap != nil {
			e.Items = append(e.Items, *sp.Tap)
		}
		add(sp)
		end = m[1]
	}
	add(Span{Text: s[end:]})
	e.Text = read.String()
	if links {
		e.Spans = spans
	}
}

func group(s string, m []int, n int) string {
	if m[2*n] < 0 {
		return ""
	}
	return s[m[2*n]:m[2*n+1]]
}

func linkSpan(href, label string) Span {
	sp := Span{Text: label}
	if query, ok := strings.CutPrefix(href, "weixin://bizmsgmenu?"); ok {
		if v, err := url.ParseQuery(query); err == nil && v.Get("msgmenucontent") != "" {
			sp.Tap = &MenuItem{ID: v.Get("msgmenuid"), Content: v.Get("msgmenucontent")}
		}
		return sp
	}
	sp.URL = safeURL(href)
	return sp
}

// safeURL lets only web addresses be opened from a chat.
func safeURL(s string) string {
	if u, err := url.Parse(s); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return u.String()
	}
	return ""
}
