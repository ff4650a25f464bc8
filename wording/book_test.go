package wording

import (
	"testing"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
)

// Whoever changes a text finds it by a name in Chinese, not by its key.
func TestEveryTextIsCalledSomething(t *testing.T) {
	w := shipped(t)
	for _, g := range w.Book(&workflow.Community{Name: "东社区", Hotline: "0531-5550100"}) {
		for _, text := range g.Texts {
			if text.Title == "" || text.Title == text.Key {
				t.Errorf("%s is called %q", text.Key, text.Title)
			}
			han := false
			for _, r := range text.Title {
				han = han || unicode.Is(unicode.Han, r)
			}
			if g.Name == "" && (!han || w.titles[text.Key] == "") {
				t.Errorf("%s has no name of its own: %q", text.Key, text.Title)
			}
		}
	}
}
