package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// parameters reads a query; a parameter that is not known, is empty or comes twice
// is refused, so that a slip of the pen never asks for more than was meant.
func parameters(raw string, known []string) (map[string]string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, unreadable("query")
	}
	out := map[string]string{}
	for name, all := range values {
		if !slices.Contains(known, name) {
			return nil, unreadable(shown(name))
		}
		if len(all) != 1 || all[0] == "" || !utf8.ValidString(all[0]) || strings.ContainsRune(all[0], 0) {
			return nil, unreadable(name)
		}
		out[name] = all[0]
	}
	return out, nil
}

// shown is the name of something unknown as an error may repeat it.
func shown(name string) string {
	if name == "" || len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "" {
		return "query"
	}
	return name
}

// count is a whole number within bounds; missing is the value where none came.
func count(asked map[string]string, name string, missing, least, most int) (int, error) {
	s, ok := asked[name]
	if !ok {
		return missing, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most || strconv.Itoa(n) != s {
		return 0, unreadable(name)
	}
	return n, nil
}

// moment is a time as RFC 3339 writes it; the zero one where none came. PostgreSQL
// and people count from year 1 to 9999 alike.
func moment(asked map[string]string, name string) (time.Time, error) {
	s, ok := asked[name]
	if !ok {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Year() < 1970 || t.UTC().Year() > 9998 {
		return time.Time{}, unreadable(name)
	}
	return t.UTC(), nil
}

// oneOf is a comma-separated list of known words.
func oneOf[T ~string](asked map[string]string, name string, known func(T) bool) ([]T, error) {
	s, ok := asked[name]
	if !ok {
		return nil, nil
	}
	var out []T
	for _, word := range strings.Split(s, ",") {
		v := T(word)
		if !known(v) || slices.Contains(out, v) {
			return nil, unreadable(name)
		}
		out = append(out, v)
	}
	return out, nil
}

// A cursor is the number of the ticket after which the next page begins, and a sum
// of what was asked, so that it goes on with the same question alone. Who filed or
// ended what meanwhile moves no page.

// cursorOf is the cursor to what comes after a ticket.
func cursorOf(after int64, asked map[string]string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(after, 10) + "." + questionOf(asked)))
}

// after is the number in a cursor, 0 where none came.
func after(asked map[string]string) (int64, error) {
	s, ok := asked["cursor"]
	if !ok {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(s)
	number, question, _ := strings.Cut(string(text), ".")
	n, err2 := strconv.ParseInt(number, 10, 64)
	if err != nil || err2 != nil || n <= 0 || strconv.FormatInt(n, 10) != number || question != questionOf(asked) {
		return 0, unreadable("cursor")
	}
	return n, nil
}

// questionOf sums up what was asked, but for where and how long the page is.
func questionOf(asked map[string]string) string {
	v := url.Values{}
	for name, value := range asked {
		if name != "cursor" && name != "limit" {
			v.Set(name, value)
		}
	}
	sum := sha256.Sum256([]byte(v.Encode()))
	return hex.EncodeToString(sum[:6])
}

// decode reads JSON into a struct: no field that it does not have by exactly that
// name, none twice, nothing after it, nothing but UTF-8. (encoding/json alone would
// take "TEXT" for "text", and the last of two.)
func decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return unreadable("body")
	}
	if field, err := names(json.NewDecoder(bytes.NewReader(data)), reflect.TypeOf(into).Elem(), ""); err != nil {
		return &refusal{code: codeRequest, field: field, cause: err}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return unreadable(wrong.Field)
		}
		return unreadable("body")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return unreadable("body")
	}
	return nil
}

// names walks over one JSON value and finds a field that a struct does not have, or
// that comes twice. What does not fit otherwise is left to the decoder.
func names(dec *json.Decoder, of reflect.Type, at string) (field string, err error) {
	for of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	token, err := dec.Token()
	if err != nil {
		return "body", errors.New("no JSON")
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for dec.More() {
			token, err := dec.Token()
			name, ok := token.(string)
			if err != nil || !ok {
				return "body", errors.New("no JSON")
			}
			path := strings.TrimPrefix(at+"."+shown(name), ".")
			inner := fieldOf(of, name)
			if inner == nil || seen[name] {
				return path, fmt.Errorf("a field that is not known, or comes twice")
			}
			seen[name] = true
			if field, err := names(dec, inner, path); err != nil {
				return field, err
			}
		}
	case json.Delim('['):
		for dec.More() {
			if field, err := names(dec, nil, at); err != nil {
				return field, err
			}
		}
	default:
		return "", nil
	}
	if _, err := dec.Token(); err != nil {
		return "body", errors.New("no JSON")
	}
	return "", nil
}

// fieldOf is the type of a struct's field of a name in JSON, nil for none.
func fieldOf(of reflect.Type, name string) reflect.Type {
	if of == nil || of.Kind() != reflect.Struct {
		return nil
	}
	for i := range of.NumField() {
		f := of.Field(i)
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f.Type
		}
	}
	return nil
}
