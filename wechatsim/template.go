package wechatsim

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// notice is the body of a template message or subscription notice.
type notice struct {
	ToUser      string `json:"touser"`
	TemplateID  string `json:"template_id"`
	URL         string `json:"url"`
	Page        string `json:"page"` // the subscription notice's name for URL
	ClientMsgID string `json:"client_msg_id"`
	Data        map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"data"`
}

// job is a template message that was taken, for client_msg_id.
type job struct {
	Key   string    `json:"key"` // openid and client_msg_id
	MsgID int64     `json:"msg_id"`
	At    time.Time `json:"at"`
}

// sameJob is how long a client_msg_id keeps the same openid from getting the
// message twice (WeChat: 10 minutes, nothing promised beyond).
const sameJob = 10 * time.Minute

func (p *Platform) serveTemplateSend(c call) (answer, *apiError) {
	var in notice
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	p.mu.Lock()
	who := p.people[in.ToUser]
	e, err := p.noticeEntry(who, in, ByTemplate)
	if err == nil && !who.Following {
		err = refuse(43004)
	}
	if err != nil {
		p.mu.Unlock()
		return answer{}, err
	}
	key := in.ToUser + "\x00" + in.ClientMsgID
	if done, seen := p.jobs[key]; seen && c.now.Sub(done.At) < sameJob {
		p.mu.Unlock()
		return ok("msgid", done.MsgID), nil
	}
	e.MsgID = p.nextMsgID()
	if in.ClientMsgID != "" {
		p.jobs[key] = job{key, e.MsgID, c.now}
		p.keep(record{Job: new(p.jobs[key])})
	}
	status := "success"
	if who.Blocked {
		status = "failed:user block"
	} else {
		p.say(who.OpenID, e)
	}
	p.mu.Unlock()
	p.notify(in.ToUser, "TEMPLATESENDJOBFINISH", number("MsgID", e.MsgID), text("Status", status))
	return ok("msgid", e.MsgID), nil
}

// serveSubscribeSend spends one consent; without one it is 43101. It reaches
// people who do not follow.
func (p *Platform) serveSubscribeSend(c call) (answer, *apiError) {
	var in notice
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	in.URL = cmp.Or(in.Page, in.URL)
	p.mu.Lock()
	who := p.people[in.ToUser]
	e, err := p.noticeEntry(who, in, BySubscribe)
	if err == nil && who.Consents[in.TemplateID] == 0 {
		err = refuse(43101)
	}
	if err != nil {
		p.mu.Unlock()
		return answer{}, err
	}
	who.Consents[in.TemplateID]--
	p.keep(record{Person: who})
	e.MsgID = p.nextMsgID()
	p.say(who.OpenID, e)
	p.mu.Unlock()
	p.notify(in.ToUser, "subscribe_msg_sent_event", element{"SubscribeMsgSentEvent",
		"<List><TemplateId>" + cdata(in.TemplateID) + "</TemplateId><MsgID>" + strconv.FormatInt(e.MsgID, 10) +
			"</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>" + cdata("success") + "</ErrorStatus></List>", true})
	return ok(), nil
}

// noticeEntry checks a notice against its template; the caller holds p.mu.
// Data that the template does not have (first and remark since 2023-05-04
// among it) is left out and not refused.
func (p *Platform) noticeEntry(who *person, in notice, channel string) (Entry, *apiError) {
	e := Entry{Dir: Out, Channel: channel, Type: "template", URL: safeURL(in.URL), Title: p.TemplateTitles[in.TemplateID]}
	if who == nil {
		return e, refuse(40003)
	}
	template, known := p.Templates[in.TemplateID]
	if !known {
		return e, refuse(40037)
	}
	for _, line := range template {
		key, label, _ := strings.Cut(line, ":")
		value, valid := plainValue(in.Data[key].Value)
		if !valid || !fieldValid(key, value) {
			return e, refuse(47003, "data."+key+".value invalid")
		}
		e.Fields = append(e.Fields, Field{Key: key, Label: cmp.Or(label, key), Value: value})
	}
	return e, nil
}

// plainValue takes a string or, as the platform does, a bare number.
func plainValue(raw json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String(), n != ""
	}
	return "", false
}

func (p *Platform) serveTemplateList(call) (answer, *apiError) {
	type row struct {
		ID      string `json:"template_id"`
		Title   string `json:"title"`
		Content string `json:"content"`
	}
	rows := []row{}
	for id, template := range p.Templates {
		var content strings.Builder
		for _, line := range template {
			key, label, _ := strings.Cut(line, ":")
			content.WriteString(cmp.Or(label, key) + ":{{" + key + ".DATA}}\n")
		}
		rows = append(rows, row{id, p.TemplateTitles[id], content.String()})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.ID, b.ID) })
	return answer{json: map[string]any{"template_list": rows}}, nil
}
