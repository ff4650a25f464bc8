package wechatsim

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What the value of a notice's field may be (WeChat, 类目模板消息 and 订阅消息,
// 参数值内容限制说明); everything else is 47003. A field's kind is its key without
// the digits at the end.
var fieldRules = map[string]func(string) bool{
	"thing":            func(s string) bool { return short(s, 20) },
	"number":           regexp.MustCompile(`^-?\d{1,32}(\.\d{1,32})?$`).MatchString,
	"letter":           regexp.MustCompile(`^[A-Za-z]{1,32}$`).MatchString,
	"symbol":           func(s string) bool { return short(s, 5) && !strings.ContainsFunc(s, letterOrDigit) },
	"character_string": func(s string) bool { return short(s, 32) && !strings.ContainsFunc(s, beyondASCII) },
	"time":             validTime,
	"date":             validTime,
	"amount":           regexp.MustCompile(`^[^\d\s]?\d{1,10}(\.\d{1,2})?元?$`).MatchString,
	"phone_number":     regexp.MustCompile(`^[0-9+\-() ]{1,17}$`).MatchString,
	"car_number":       func(s string) bool { return short(s, 8) },
	"name":             validName,
	"phrase":           func(s string) bool { return short(s, 5) && !strings.ContainsFunc(s, notHan) },
	"const":            func(s string) bool { return short(s, 20) },
}

func fieldValid(key, value string) bool {
	rule := fieldRules[strings.TrimRight(key, "0123456789")]
	return rule != nil && value != "" && !strings.ContainsAny(value, "\r\n") && utf8.ValidString(value) && rule(value)
}

func short(s string, most int) bool { return utf8.RuneCountInString(s) <= most }

func notHan(r rune) bool        { return !unicode.Is(unicode.Han, r) }
func beyondASCII(r rune) bool   { return r < 0x20 || r > 0x7E }
func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// validName: at most 10 characters with Chinese in it, else 20 letters or
// symbols; digits are not taken (c).
func validName(s string) bool {
	if strings.ContainsFunc(s, unicode.IsDigit) {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !notHan(r) }) {
		return short(s, 10)
	}
	return short(s, 20)
}

// oneTime is 15:01, 2019年10月1日, 2019年10月1日 15:01, or the same with dashes
// and seconds (c); a span is two of them joined by "~".
const (
	clockTime = `([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?`
	dayTime   = `\d{4}(年(0?[1-9]|1[0-2])月(0?[1-9]|[12]\d|3[01])日|-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01]))`
	oneTime   = `(` + clockTime + `|` + dayTime + `( ?` + clockTime + `)?)`
)

var timeRule = regexp.MustCompile(`^` + oneTime + `( ?~ ?` + oneTime + `)?$`)

func validTime(s string) bool { return timeRule.MatchString(s) }
