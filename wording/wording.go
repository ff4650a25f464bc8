// Package wording is the room of what is said: every word that people read, and
// how the facts of a ticket become words, so that the chat, its pushes and the
// pages say the same thing in the same way. The words themselves stand in
// configs/wording.yaml.
//
// Read it in this order: wording.go (texts by key), own.go (a community's own in
// their place, and what they may hold), voice.go (the words of one community),
// story.go (what happened to a ticket, step by step), book.go (all texts, as
// somebody reads them who may change them).
//
// What must never come in: which channel it is said over (choices to tap and
// menus are the bot's, templates of pages the console's), and rules.
package wording

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/template"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Values are what a text is filled with.
type Values map[string]any

// Wording is every word that people read, by key. It is made once by Parse and
// safe for concurrent use.
type Wording struct {
	// Menu is the account's menu.
	Menu []Button

	texts  *template.Template
	source map[string]string // the texts as they are written, by key
	values map[string]value  // what texts may be filled with, by name

	shipped *Wording          // of a community's: the one that it was made of
	titles  map[string]string // what texts are called, by key
	own     sync.Map          // community → *owned
}

// Button is one of the menu: it says what a person could write, or opens
// others.
type Button struct {
	Name string   `yaml:"name"`
	Say  string   `yaml:"say"`
	Page string   `yaml:"page"` // a path of the community's pages, opened instead
	If   string   `yaml:"if"`   // what the community must have for it, "" for nothing
	Sub  []Button `yaml:"sub"`
}

// Parse reads configs/wording.yaml: nested keys become "a.b". A text that is no
// template is refused with its key.
func Parse(data []byte) (*Wording, error) {
	var doc struct {
		Texts  map[string]any    `yaml:"texts"`
		Menu   []Button          `yaml:"menu"`
		Values map[string]value  `yaml:"values"`
		Titles map[string]string `yaml:"titles"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("wording: %w", err)
	}
	w := &Wording{texts: template.New("wording").Option("missingkey=zero"), source: map[string]string{}, values: doc.Values, titles: doc.Titles, Menu: doc.Menu}
	var errs []error
	var walk func(prefix string, node map[string]any)
	walk = func(prefix string, node map[string]any) {
		for _, k := range slices.Sorted(maps.Keys(node)) {
			key := prefix + k
			switch v := node[k].(type) {
			case string:
				if _, err := w.texts.New(key).Parse(strings.TrimRight(v, "\n")); err != nil {
					errs = append(errs, fmt.Errorf("wording: %s: %w", key, err))
				}
				w.source[key] = v
			case map[string]any:
				walk(key+".", v)
			default:
				errs = append(errs, fmt.Errorf("wording: %s: want a text", key))
			}
		}
	}
	walk("", doc.Texts)
	for _, key := range slices.Sorted(maps.Keys(doc.Titles)) {
		if !w.Has(key) {
			errs = append(errs, fmt.Errorf("wording: titles: %s: there is no such text", key))
		}
	}
	if !w.Has("fallback") {
		errs = append(errs, errors.New("wording: fallback: is missing"))
	}
	return w, errors.Join(errs...)
}

// Say is the text of a key filled with values. An unknown key gives the
// fallback text: a person never reads a key.
func (w *Wording) Say(key string, v Values) string {
	if !w.Has(key) {
		key = "fallback"
	}
	var b strings.Builder
	if err := w.texts.ExecuteTemplate(&b, key, map[string]any(v)); err != nil {
		if w.shipped != nil {
			return w.shipped.Say(key, v) // a community's own text met what it was not tried on
		}
		b.Reset()
		if err := w.texts.ExecuteTemplate(&b, "fallback", map[string]any(v)); err != nil {
			return ""
		}
	}
	return strings.ReplaceAll(b.String(), "<no value>", "")
}

// Has tells whether there is a text for the key.
func (w *Wording) Has(key string) bool { _, ok := w.source[key]; return ok }

// Keys are all keys, in order.
func (w *Wording) Keys() []string { return slices.Sorted(maps.Keys(w.source)) }

// FirstLine is the first line of a text.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Shorten cuts a text to so many characters, with a sign that it was cut.
func Shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// Percent is a share of a whole, rounded; 0 of nothing.
func Percent(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return (200*part + whole) / (2 * whole)
}
