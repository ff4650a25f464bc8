package bot

import (
	"slices"
	"testing"

	"github.com/silenceper/wechat/v2/officialaccount/menu"
)

func buttons(all []*menu.Button) (names []string) {
	for _, b := range all {
		names = append(append(names, b.Name), buttons(b.SubButtons)...)
	}
	return names
}

// What a community does not have is not in the account's menu.
func TestTheMenuKnowsWhatThereIs(t *testing.T) {
	words := shippedWording(t)
	for part, tt := range without {
		lacking := furnished()
		tt.lacks(&lacking)
		want, ok := less(buttons(Menu(words, furnished(), "/")), tt.buttons)
		if have := buttons(Menu(words, lacking, "/")); !ok || !slices.Equal(have, want) {
			t.Errorf("without %s the menu has %q, want %q", part, have, want)
		}
	}
}

// The menu keeps to what the platform shows: three buttons of four signs, five of
// eight below each; a button says what the desk knows as a command.
func TestTheMenuFitsThePlatform(t *testing.T) {
	var check func(all []*menu.Button, most, signs int)
	check = func(all []*menu.Button, most, signs int) {
		if len(all) == 0 || len(all) > most {
			t.Errorf("%d buttons, want 1 to %d", len(all), most)
		}
		for _, b := range all {
			if n := len([]rune(b.Name)); n > signs {
				t.Errorf("%s has %d signs, want at most %d", b.Name, n, signs)
			}
			switch {
			case len(b.SubButtons) > 0:
				check(b.SubButtons, 5, 8)
			case b.Type == "click" && listen(b.Key).Verb == verbNone:
				t.Errorf("%s says %q, which is no command", b.Name, b.Key)
			case b.Type == "view" && b.URL != "https://desk.example/c/x/":
				t.Errorf("%s opens %s", b.Name, b.URL)
			}
		}
	}
	all := Menu(shippedWording(t), furnished(), "https://desk.example/c/x")
	check(all, 3, 4)
	for _, name := range []string{"我要报事", "我的进度", "网页版", "心愿墙", "微议题", "工作人员待办", "帮助"} {
		if !slices.Contains(buttons(all), name) {
			t.Errorf("the menu has no %s: %q", name, buttons(all))
		}
	}
	if without := buttons(Menu(shippedWording(t), furnished(), "")); slices.Contains(without, "网页版") || len(without) != len(buttons(all))-1 {
		t.Errorf("where there are no pages the menu has %q", without)
	}
}
