package wechat

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Inbound is one message or event from the platform. Which fields are set
// depends on Type and Event; types and events that this package does not know
// come through with what they share with the others.
type Inbound struct {
	Community string
	OpenID    string // who wrote (FromUserName)
	To        string // the account's original id, gh_… (ToUserName)
	CreatedAt time.Time
	MsgID     string // of messages; of TEMPLATESENDJOBFINISH that of the template message

	// Type is the platform's MsgType: text, image, voice, video, shortvideo,
	// location, link, event, or one that is new.
	Type         string
	Content      string // text
	MenuID       string // text: the tapped item of a menu message (bizmsgmenuid), as text
	Recognition  string // voice: the recognised words; may be empty
	PicURL       string // image
	MediaID      string // image, voice, video; lives 3 days
	Format       string // voice: amr, speex, …
	ThumbMediaID string // video

	// Lat and Lng are degrees of a location message (GCJ-02) or a LOCATION
	// event (as the account has chosen), Scale the map's zoom, Label the
	// place's name.
	Lat, Lng, Scale float64
	Label           string

	Title, Description, URL string // link

	Event    string // subscribe, unsubscribe, SCAN, LOCATION, CLICK, VIEW, …
	EventKey string // qrscene_X after subscribe, X after SCAN, a menu's key after CLICK
	Ticket   string // of the QR code
	Status   string // TEMPLATESENDJOBFINISH: success, failed:user block, failed: system failed

	// SubscribeResults are the rows of subscribe_msg_popup_event,
	// subscribe_msg_change_event and subscribe_msg_sent_event.
	SubscribeResults []SubscribeResult

	// Delivery is the same for every try of one delivery and differs between
	// deliveries (WeChat: MsgId; for events FromUserName and CreateTime). At
	// most 128 bytes of visible ASCII.
	Delivery string
}

// SubscribeResult is what became of one subscription template.
type SubscribeResult struct {
	TemplateID string
	Status     string // accept or reject; of a sent notice: success or the failure's words
	Scene      string // PopupScene: where the consent was asked for
	MsgID      string // of a sent notice
	ErrorCode  string // of a sent notice; 0 is success
}

// Lengths in bytes. What is longer does not come from the platform.
const (
	maxName = 128      // ids, types, events
	maxKey  = 8 << 10  // keys and addresses
	maxText = 32 << 10 // what people write
)

// maxTime is the last second of the year 9999.
const maxTime = 253402300799

// parse reads a decrypted message. Every error is errXML.
func parse(community string, data []byte) (Inbound, error) {
	r := reader{in: Inbound{Community: community}, seen: map[string]bool{}}
	if err := walk(data, r.ended); err != nil {
		return Inbound{}, errXML
	}
	in := r.in
	if !isName(in.OpenID) || !isName(in.To) || in.Type == "" || in.CreatedAt.IsZero() {
		return Inbound{}, errXML
	}
	in.Delivery = delivery(&in, data)
	return in, nil
}

// reader gathers the fields of a message.
type reader struct {
	in   Inbound
	row  SubscribeResult // the list's row being read
	seen map[string]bool // a field given twice is refused: two readers could disagree
}

// ended takes one element; see walk.
func (r *reader) ended(path, text string) error {
	name, inner, nested := strings.Cut(path, "/")
	if nested {
		return r.rowEnded(name, inner, text)
	}
	into, limit := r.field(name)
	number := r.number(name)
	if into == nil && number == nil && name != "CreateTime" {
		return nil
	}
	if r.seen[name] {
		return errXML
	}
	r.seen[name] = true
	switch {
	case into != nil:
		return set(into, text, limit)
	case number != nil:
		return setNumber(number, name, text)
	}
	seconds, err := digits(strings.TrimSpace(text))
	if err != nil || seconds > maxTime {
		return errXML
	}
	r.in.CreatedAt = time.Unix(seconds, 0).UTC()
	return nil
}

// field gives where a text field goes and how long it may be.
func (r *reader) field(name string) (into *string, limit int) {
	in := &r.in
	switch name {
	case "ToUserName":
		return &in.To, maxName
	case "FromUserName":
		return &in.OpenID, maxName
	case "MsgType":
		return &in.Type, maxName
	case "MsgId", "MsgID": // the platform writes MsgID in TEMPLATESENDJOBFINISH
		return &in.MsgID, maxName
	case "Content":
		return &in.Content, maxText
	case "bizmsgmenuid":
		return &in.MenuID, maxKey
	case "Recognition":
		return &in.Recognition, maxText
	case "PicUrl":
		return &in.PicURL, maxKey
	case "MediaId":
		return &in.MediaID, maxKey
	case "ThumbMediaId":
		return &in.ThumbMediaID, maxKey
	case "Format":
		return &in.Format, maxName
	case "Label":
		return &in.Label, maxKey
	case "Title":
		return &in.Title, maxText
	case "Description":
		return &in.Description, maxText
	case "Url":
		return &in.URL, maxKey
	case "Event":
		return &in.Event, maxName
	case "EventKey":
		return &in.EventKey, maxKey
	case "Ticket":
		return &in.Ticket, maxKey
	case "Status":
		return &in.Status, maxName
	}
	return nil, 0
}

func (r *reader) number(name string) *float64 {
	switch name {
	case "Location_X", "Latitude":
		return &r.in.Lat
	case "Location_Y", "Longitude":
		return &r.in.Lng
	case "Scale":
		return &r.in.Scale
	}
	return nil
}

func (r *reader) rowEnded(list, path, text string) error {
	switch list {
	case "SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent":
	default:
		return nil
	}
	switch path {
	case "List":
		if r.row != (SubscribeResult{}) {
			r.in.SubscribeResults = append(r.in.SubscribeResults, r.row)
		}
		r.row = SubscribeResult{}
	case "List/TemplateId":
		return set(&r.row.TemplateID, text, maxName)
	case "List/SubscribeStatusString", "List/ErrorStatus":
		return set(&r.row.Status, text, maxName)
	case "List/PopupScene":
		return set(&r.row.Scene, text, maxName)
	case "List/MsgID":
		return set(&r.row.MsgID, text, maxName)
	case "List/ErrorCode":
		return set(&r.row.ErrorCode, text, maxName)
	}
	return nil
}

func set(into *string, text string, limit int) error {
	if limit < maxText { // a name, key or address: white space around it means nothing
		text = strings.TrimSpace(text)
	}
	if len(text) > limit {
		return errXML
	}
	*into = text
	return nil
}

// setNumber reads degrees or a zoom. An element left empty is as good as none.
func setNumber(into *float64, name, text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	bound := 180.0
	switch name {
	case "Location_X", "Latitude":
		bound = 90
	case "Scale":
		bound = 1e6
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > bound {
		return errXML
	}
	*into = f
	return nil
}

// digits reads a number of plain digits, 64 bits wide.
func digits(s string) (int64, error) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
	}
	return strconv.ParseInt(s, 10, 64)
}

// isName tells whether s can be an id of the platform: it ends in keys of
// stores, so it holds visible ASCII alone.
func isName(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= utf8.RuneSelf-1 {
			return false
		}
	}
	return s != ""
}

// delivery gives the key of a delivery. Two results of one second for one
// person are kept apart by the ids of the messages that they are about; a
// message of a new type without MsgId is told by its content.
func delivery(in *Inbound, data []byte) string {
	var key string
	switch {
	case in.Type != "event" && in.MsgID != "":
		key = "m:" + in.MsgID
	case in.Type != "event":
		return "x:" + digest(data)
	default:
		key = "e:" + in.OpenID + ":" + decimal(in.CreatedAt.Unix()) + ":" + in.Event + ":" + in.EventKey
		if in.MsgID != "" {
			key += ":" + in.MsgID
		}
		for _, r := range in.SubscribeResults {
			key += ":" + r.TemplateID + r.MsgID
		}
	}
	if len(key) <= maxName && isName(key) {
		return key
	}
	return key[:2] + digest([]byte(key))
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
