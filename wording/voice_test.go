package wording

import "testing"

// What a wish on the wall shows is in the words of who wrote it, and leads to no
// door, however the number is written.
func TestAWishIsToldWithoutTraces(t *testing.T) {
	o := Voice{Mask: nil}
	for text, want := range map[string]string{
		"想要一排长椅，在楼前。":        "想要一排长椅，在楼前。",
		"我家 12 号楼 3 单元，想学手机": "我家 某处，想学手机",
		"我家12號樓3單元402戶想學手機":  "我家某处想學手機",
		"１２－３－４０２的老人想学手机":    "某处的老人想学手机",
		"12 - 3 - 402 的老人":   "某处 的老人",
		"十二栋的":               "某处的",
	} {
		if got := o.Anonymous(text); got != want {
			t.Errorf("%s\n have %s\n want %s", text, got, want)
		}
	}
}
