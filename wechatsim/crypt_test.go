package wechatsim

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/util"
)

var demo = Account{AppID: "wx0123456789abcdef", Token: "wishdeskdemo", EncodingAESKey: demoKey, Mode: Safe}

// An implementation by others reads what we seal, and we read what it seals.
func TestSealAgreesWithOthers(t *testing.T) {
	for _, message := range []string{"x", "<xml>楼道灯坏了</xml>", strings.Repeat("长", 3000), strings.Repeat("a", 64-20-18)} {
		sealed := must(demo.seal([]byte(message)))(t)
		_, plain, err := util.DecryptMsg(demo.AppID, sealed, demoKey)
		if err != nil || string(plain) != message {
			t.Errorf("others read %d bytes as %d: %v", len(message), len(plain), err)
		}
		theirs := must(util.EncryptMsg([]byte("0123456789abcdef"), []byte(message), demo.AppID, demoKey))(t)
		if plain := must(demo.open(string(theirs)))(t); string(plain) != message {
			t.Errorf("we read %q", plain)
		}
	}
	if got, want := sign("b", "a", "c"), util.Signature("c", "b", "a"); got != want {
		t.Errorf("sign gives %s, others %s", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := must(demo.seal([]byte("<xml/>")))(t)
	other := demo
	other.AppID = "wxffffffffffffffff"
	otherKey := demo
	otherKey.EncodingAESKey = strings.ToUpper(demoKey[:42]) + "G"
	raw, _ := base64.StdEncoding.DecodeString(good)
	broken := append([]byte(nil), raw...)
	broken[len(broken)-1] ^= 0xFF
	for name, sealed := range map[string]string{
		"empty":         "",
		"no base64":     "!!!",
		"half a block":  base64.StdEncoding.EncodeToString(raw[:24]),
		"broken end":    base64.StdEncoding.EncodeToString(broken),
		"another app":   must(other.seal([]byte("<xml/>")))(t),
		"another key":   must(otherKey.seal([]byte("<xml/>")))(t),
		"only the head": base64.StdEncoding.EncodeToString(raw[:16]),
	} {
		if plain, err := demo.open(sealed); err == nil {
			t.Errorf("%s: opened as %q", name, plain)
		}
	}
}
