package wechatsim

import "time"

// person is a persona and how they stand to the account.
type person struct {
	Persona
	Following bool           `json:"following"`
	Since     time.Time      `json:"since"` // of following
	Scene     string         `json:"scene,omitempty"`
	Message   window         `json:"message,omitzero"`
	Click     window         `json:"click,omitzero"`
	Consents  map[string]int `json:"consents,omitempty"` // template id → sends that are allowed
	Blocked   bool           `json:"blocked,omitempty"`  // takes no template messages
}

// window is the leave to send customer-service messages: how many, until when.
type window struct {
	Until time.Time `json:"until"`
	Left  int       `json:"left"`
}

func (w window) open(now time.Time) bool { return now.Before(w.Until) }

// What a person does opens one of two windows (WeChat, 客服消息下发规则): a
// message gives 5 within 48 hours; a menu click, a scan or a follow gives 3
// within a minute. The count is set anew, never added up. "Tapping a menu
// message fires the menu click and follows its rule; it gives none of the count
// of a sent message" (WeChat, 客服消息介绍, 特别说明), although the tap arrives
// as a text: so a tap opens the short window alone.
type opening int

const (
	opensNothing opening = iota
	opensMessage
	opensClick
)

func (p *Platform) openWindow(who *person, what opening) {
	now := p.Clock.Now()
	switch what {
	case opensMessage:
		who.Message = window{now.Add(p.Limits.MessageWindow), p.Limits.MessageCount}
	case opensClick:
		who.Click = window{now.Add(p.Limits.ClickWindow), p.Limits.ClickCount}
	case opensNothing:
		return
	}
	p.keep(record{Person: who})
}

// spend takes one message from what the person opened. The window that closes
// first is used first; the platform does not say which it charges.
func (p *Platform) spend(who *person) *apiError {
	now := p.Clock.Now()
	if !who.Following {
		return refuse(43004)
	}
	switch {
	case who.Click.open(now) && who.Click.Left > 0:
		who.Click.Left--
	case who.Message.open(now) && who.Message.Left > 0:
		who.Message.Left--
	case who.Click.open(now) || who.Message.open(now):
		return refuse(45047)
	default:
		return refuse(45015)
	}
	p.keep(record{Person: who})
	return nil
}
