package wechat

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// stamp is the query of a call: what the platform signed, and how.
type stamp struct {
	signature, timestamp, nonce string
	encryptType, msgSignature   string
	echostr                     string
}

// maxQuery bounds a query in bytes; the platform's are below 400.
const maxQuery = 4 << 10

var (
	errQuery = errors.New("wechat: malformed query")
	// Nonces of the platform are digits. The bound is also one of safety: the
	// signature joins its parts without marks between them, so that with a
	// longer nonce the start of the ciphertext could be passed off as its end.
	nonceShape = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
)

// readStamp reads a query. A parameter that is given twice is refused, as two
// readers could take different ones.
func readStamp(raw string) (stamp, error) {
	if len(raw) > maxQuery {
		return stamp{}, errQuery
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return stamp{}, errQuery
	}
	for _, all := range values {
		if len(all) > 1 {
			return stamp{}, errQuery
		}
	}
	s := stamp{
		signature: values.Get("signature"), timestamp: values.Get("timestamp"), nonce: values.Get("nonce"),
		encryptType: values.Get("encrypt_type"), msgSignature: values.Get("msg_signature"),
		echostr: values.Get("echostr"),
	}
	if !nonceShape.MatchString(s.nonce) {
		return stamp{}, errQuery
	}
	return s, nil
}

// fresh tells whether the call was signed within the window around now.
func (s stamp) fresh(now time.Time, window time.Duration) bool {
	seconds, err := digits(s.timestamp)
	if err != nil || seconds > maxTime {
		return false
	}
	age := now.Sub(time.Unix(seconds, 0))
	return age.Abs() <= window
}

// signer gives the account's token with which the parts, timestamp and nonce
// were signed: the present one or, while it is being changed, the previous one.
// An account without a token has no signer.
func (s stamp) signer(a Account, signature string, parts ...string) (token string, ok bool) {
	if a.Token == "" {
		return "", false
	}
	for _, t := range []string{a.Token, a.PreviousToken} {
		if t == "" {
			continue
		}
		want := util.Signature(append([]string{t, s.timestamp, s.nonce}, parts...)...)
		if sameText(want, signature) {
			token, ok = t, true
		}
	}
	return token, ok
}

// replayKey names what the plain signature covers. It is made anew and not
// taken from the query, where an encrypted call need not carry it.
func (s stamp) replayKey(token string) string { return util.Signature(token, s.timestamp, s.nonce) }

// sameText compares in constant time.
func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// sealedPart gives the text of Encrypt, "" where the body has none.
func sealedPart(body []byte) (sealed string, err error) {
	times := 0
	err = walk(body, func(path, text string) error {
		if path == "Encrypt" {
			sealed = strings.TrimSpace(text)
			times++
		}
		return nil
	})
	if err != nil || times > 1 {
		return "", errXML
	}
	return sealed, nil
}

// unseal decrypts with the present key, else with the previous one, and gives
// the key that fitted: the answer must be made with the same (WeChat,
// 消息加解密说明). The SDK checks padding, length and app id.
func unseal(a Account, sealed string) (plain []byte, key string, ok bool) {
	for _, key := range []string{a.EncodingAESKey, a.PreviousAESKey} {
		if key == "" {
			continue
		}
		if _, plain, err := util.DecryptMsg(a.AppID, sealed, key); err == nil {
			return plain, key, true
		}
	}
	return nil, "", false
}

// seal encrypts and signs an answer with the key and token of the call.
func seal(a Account, key, token string, plain []byte, now time.Time) ([]byte, error) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // crypto/rand never fails
	sealed, err := util.EncryptMsg(random[:], plain, a.AppID, key)
	if err != nil {
		return nil, errors.New("wechat: the answer could not be encrypted") // the cause could name the key
	}
	out := message.ResponseEncryptedXMLMsg{EncryptedMsg: string(sealed), Timestamp: now.Unix(), Nonce: rand.Text()}
	out.MsgSignature = util.Signature(token, decimal(out.Timestamp), out.Nonce, out.EncryptedMsg)
	return xml.Marshal(out)
}
