package wechatsim

// customMessage is the body of a customer-service message (WeChat, 发送客服消息).
type customMessage struct {
	ToUser  string `json:"touser"`
	MsgType string `json:"msgtype"`
	Text    struct {
		Content string `json:"content"`
	} `json:"text"`
	Image mediaRef `json:"image"`
	Voice mediaRef `json:"voice"`
	Video struct {
		mediaRef
		Title       string `json:"title"`
		Description string `json:"description"`
	} `json:"video"`
	News struct {
		Articles []struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			URL         string `json:"url"`
		} `json:"articles"`
	} `json:"news"`
	Msgmenu struct {
		HeadContent string     `json:"head_content"`
		List        []MenuItem `json:"list"`
		TailContent string     `json:"tail_content"`
	} `json:"msgmenu"`
}

type mediaRef struct {
	MediaID string `json:"media_id"`
}

// maxCustomText is the longest text and the longest words of a menu, in bytes
// of UTF-8 (c): 45002 beyond.
const maxCustomText = 2048

// serveCustomSend checks the message first, then the person, then the window,
// so that a refused message costs nothing of the count.
func (p *Platform) serveCustomSend(c call) (answer, *apiError) {
	var in customMessage
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.people[in.ToUser]
	if who == nil {
		return answer{}, refuse(40003)
	}
	e, err := p.customEntry(in)
	if err != nil {
		return answer{}, err
	}
	if err := p.spend(who); err != nil {
		return answer{}, err
	}
	p.say(who.OpenID, e)
	return ok(), nil
}

func (p *Platform) customEntry(in customMessage) (Entry, *apiError) {
	e := Entry{Dir: Out, Channel: ByCustom, Type: in.MsgType}
	switch in.MsgType {
	case "text":
		if in.Text.Content == "" {
			return e, refuse(44004)
		}
		if len(in.Text.Content) > maxCustomText {
			return e, refuse(45002)
		}
		e.setText(in.Text.Content)
	case "image":
		e.MediaID = in.Image.MediaID
	case "voice":
		e.MediaID = in.Voice.MediaID
	case "video":
		e.MediaID, e.Title, e.Text = in.Video.MediaID, in.Video.Title, in.Video.Description
	case "news":
		// One article since 2018 (WeChat, 图文消息条数限制).
		if len(in.News.Articles) == 0 {
			return e, refuse(44003)
		}
		if len(in.News.Articles) > 1 {
			return e, refuse(45008)
		}
		article := in.News.Articles[0]
		e.Title, e.Text, e.URL = article.Title, article.Description, safeURL(article.URL)
	case "msgmenu":
		return menuEntry(e, in)
	default:
		return e, refuse(40008)
	}
	if in.MsgType == "image" || in.MsgType == "voice" || in.MsgType == "video" {
		file := p.findMedia(e.MediaID)
		if file == nil {
			return e, refuse(40007)
		}
		e.MediaURL = file.path()
	}
	return e, nil
}

func menuEntry(e Entry, in customMessage) (Entry, *apiError) {
	size := len(in.Msgmenu.HeadContent) + len(in.Msgmenu.TailContent)
	for _, item := range in.Msgmenu.List {
		if item.Content == "" {
			return e, refuse(44004)
		}
		size += len(item.Content)
	}
	if len(in.Msgmenu.List) == 0 {
		return e, refuse(40097)
	}
	if size > maxCustomText {
		return e, refuse(45002)
	}
	e.HeadContent, e.Items, e.TailContent = in.Msgmenu.HeadContent, in.Msgmenu.List, in.Msgmenu.TailContent
	return e, nil
}
