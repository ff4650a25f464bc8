package wechatsim

import "encoding/json"

// button is one button of the menu at the foot of the chat.
type button struct {
	Type      string   `json:"type,omitempty"`
	Name      string   `json:"name"`
	Key       string   `json:"key,omitempty"`
	URL       string   `json:"url,omitempty"`
	SubButton []button `json:"sub_button,omitempty"`
}

type menuBody struct {
	Button []button `json:"button"`
}

// buttonTypes need a key, or an address where the value is true.
var buttonTypes = map[string]bool{
	"click": false, "view": true, "scancode_push": false, "scancode_waitmsg": false,
	"pic_sysphoto": false, "pic_photo_or_album": false, "pic_weixin": false, "location_select": false,
}

// Sizes in bytes (WeChat, 自定义菜单创建): 1 to 3 buttons, each with at most 5
// under it.
const (
	maxButtons, maxSubButtons   = 3, 5
	maxButtonName, maxSubName   = 16, 60
	maxButtonKey, maxButtonURL  = 128, 1024
	noSubCodes, subButtonsCodes = 0, 7 // the codes for buttons below are 7 higher: 40016 and 40023
)

func (p *Platform) serveMenuCreate(c call) (answer, *apiError) {
	var in menuBody
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := checkButtons(in.Button, maxButtons, maxButtonName, noSubCodes); err != nil {
		return answer{}, err
	}
	kept, err := json.Marshal(in)
	if err != nil {
		return answer{}, refuse(47001)
	}
	p.setMenu(kept)
	return ok(), nil
}

func checkButtons(all []button, most, longestName, codes int) *apiError {
	if len(all) == 0 || len(all) > most {
		return refuse(40016 + codes)
	}
	for _, b := range all {
		if b.Name == "" || len(b.Name) > longestName {
			return refuse(40018 + codes)
		}
		if len(b.SubButton) > 0 && codes == noSubCodes {
			if err := checkButtons(b.SubButton, maxSubButtons, maxSubName, subButtonsCodes); err != nil {
				return err
			}
			continue
		}
		needsURL, known := buttonTypes[b.Type]
		switch {
		case !known:
			return refuse(40017 + codes)
		case needsURL && (b.URL == "" || len(b.URL) > maxButtonURL):
			return refuse(40020 + codes)
		case !needsURL && (b.Key == "" || len(b.Key) > maxButtonKey):
			return refuse(40019 + codes)
		}
	}
	return nil
}

func (p *Platform) setMenu(menu json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.menu = menu
	if menu == nil {
		menu = json.RawMessage("{}")
	}
	p.keep(record{Menu: menu})
	p.wake()
}

func (p *Platform) serveMenuGet(call) (answer, *apiError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.menu == nil {
		return answer{}, refuse(46003)
	}
	return answer{json: map[string]any{"menu": p.menu}}, nil
}

func (p *Platform) serveMenuDelete(call) (answer, *apiError) {
	p.setMenu(nil)
	return ok(), nil
}

// buttons gives the menu, nil when there is none.
func (p *Platform) buttons() []button {
	p.mu.Lock()
	defer p.mu.Unlock()
	var m menuBody
	_ = json.Unmarshal(p.menu, &m) // written by serveMenuCreate
	return m.Button
}

// buttonName gives the words on the button with a key or address, else the key.
func (p *Platform) buttonName(key string) string {
	for _, b := range p.buttons() {
		for _, sub := range append(b.SubButton, b) {
			if key != "" && (sub.Key == key || sub.URL == key) {
				return sub.Name
			}
		}
	}
	return key
}
