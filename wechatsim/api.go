package wechatsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// Paths of the API, for Failure, Limits and Stats.
const (
	pathToken         = "/cgi-bin/token"
	pathStableToken   = "/cgi-bin/stable_token"
	pathCustomSend    = "/cgi-bin/message/custom/send"
	pathCustomTyping  = "/cgi-bin/message/custom/typing"
	pathTemplateSend  = "/cgi-bin/message/template/send"
	pathTemplateList  = "/cgi-bin/template/get_all_private_template"
	pathSubscribeSend = "/cgi-bin/message/subscribe/bizsend"
	pathMediaGet      = "/cgi-bin/media/get"
	pathMediaUpload   = "/cgi-bin/media/upload"
	pathMenuCreate    = "/cgi-bin/menu/create"
	pathMenuGet       = "/cgi-bin/menu/get"
	pathMenuDelete    = "/cgi-bin/menu/delete"
	pathQRCreate      = "/cgi-bin/qrcode/create"
	pathUserInfo      = "/cgi-bin/user/info"
	pathDomainIP      = "/cgi-bin/get_api_domain_ip"
	pathCallbackIP    = "/cgi-bin/getcallbackip"
	pathOAuthToken    = "/sns/oauth2/access_token"
)

// maxCallBody bounds the body of a call; an upload of 10 MB fits.
const maxCallBody = 12 << 20

// call is one API call that passed the gate.
type call struct {
	*http.Request
	body []byte
	now  time.Time
}

// answer is what a call gives: a value for JSON, or bytes of another type.
type answer struct {
	json   any
	bytes  []byte
	header map[string]string
}

func ok(extra ...any) answer {
	out := map[string]any{"errcode": 0, "errmsg": "ok"}
	for i := 0; i+1 < len(extra); i += 2 {
		out[extra[i].(string)] = extra[i+1]
	}
	return answer{json: out}
}

// endpoint is one row of the API.
type endpoint struct {
	method string
	open   bool // needs no access_token
	serve  func(*Platform, call) (answer, *apiError)
}

func endpoints() map[string]endpoint {
	get, post := http.MethodGet, http.MethodPost
	return map[string]endpoint{
		pathToken:         {get, true, (*Platform).serveToken},
		pathStableToken:   {post, true, (*Platform).serveStableToken},
		pathCustomSend:    {post, false, (*Platform).serveCustomSend},
		pathCustomTyping:  {post, false, (*Platform).serveTyping},
		pathTemplateSend:  {post, false, (*Platform).serveTemplateSend},
		pathTemplateList:  {get, false, (*Platform).serveTemplateList},
		pathSubscribeSend: {post, false, (*Platform).serveSubscribeSend},
		pathMediaGet:      {get, false, (*Platform).serveMediaGet},
		pathMediaUpload:   {post, false, (*Platform).serveMediaUpload},
		pathMenuCreate:    {post, false, (*Platform).serveMenuCreate},
		pathMenuGet:       {get, false, (*Platform).serveMenuGet},
		pathMenuDelete:    {get, false, (*Platform).serveMenuDelete},
		pathQRCreate:      {post, false, (*Platform).serveQRCreate},
		pathUserInfo:      {get, false, (*Platform).serveUserInfo},
		pathDomainIP:      {get, false, (*Platform).serveIPs},
		pathCallbackIP:    {get, false, (*Platform).serveIPs},
		pathOAuthToken:    {get, true, (*Platform).serveOAuthToken},
	}
}

func (p *Platform) routes() http.Handler {
	mux := http.NewServeMux()
	for path, e := range endpoints() {
		mux.HandleFunc(path, p.gate(path, e))
	}
	mux.HandleFunc("GET /cgi-bin/showqrcode", p.showQRCode)
	mux.HandleFunc("GET /connect/oauth2/authorize", p.authorize)
	p.pageRoutes(mux)
	unknown := func(w http.ResponseWriter, r *http.Request) { p.refusal(w, r.URL.Path, refuse(40066)) }
	mux.HandleFunc("/cgi-bin/", unknown)
	mux.HandleFunc("/sns/", unknown)
	return mux
}

// gate stands before every endpoint: failures on demand, then method, token and
// quotas, in this order.
func (p *Platform) gate(path string, e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.count(func(s *Stats) { s.Calls[path]++ })
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallBody))
		if err != nil {
			var tooBig *http.MaxBytesError
			if errors.As(err, &tooBig) {
				p.refusal(w, path, refuse(45001))
			}
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		failure := p.failureFor(path, r, body)
		if p.failed(w, r, path, failure) {
			return
		}
		out, refused := p.serve(path, e, call{r, body, p.Clock.Now()})
		content := out.bytes
		if refused != nil {
			p.countError(path, refused.Code)
			out.json = refused.body(p.Clock.Now())
		}
		if content == nil || refused != nil {
			if content, err = json.Marshal(out.json); err != nil {
				p.Logger.Error("wechatsim: answer", "path", path, "error", err)
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			out.header = map[string]string{"Content-Type": "application/json; encoding=utf-8"}
		}
		for name, value := range out.header {
			w.Header().Set(name, value)
		}
		if failure != nil && failure.HalfBody {
			tearApart(w, content)
			return
		}
		_, _ = w.Write(content) // the caller has gone
	}
}

func (p *Platform) serve(path string, e endpoint, c call) (answer, *apiError) {
	switch {
	case c.Method == e.method:
	case e.method == http.MethodPost:
		return answer{}, refuse(43002)
	case path != pathMenuDelete:
		return answer{}, refuse(43001)
	}
	if !e.open {
		if err := p.checkToken(c.query("access_token"), c.now); err != nil {
			return answer{}, err
		}
	}
	if err := p.spendQuota(path, c.now); err != nil {
		return answer{}, err
	}
	if e.method == http.MethodPost && len(c.body) == 0 {
		return answer{}, refuse(44002)
	}
	return e.serve(p, c)
}

// FormValueOf reads a value of the query alone.
func (c call) query(name string) string { return c.URL.Query().Get(name) }

// decode reads a JSON body; unknown fields are taken, as the platform does.
func (c call) decode(into any) *apiError {
	if err := json.Unmarshal(c.body, into); err != nil {
		return refuse(47001)
	}
	return nil
}

func (p *Platform) refusal(w http.ResponseWriter, path string, e *apiError) {
	p.countError(path, e.Code)
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_ = json.NewEncoder(w).Encode(e.body(p.Clock.Now())) // the caller has gone
}

func (p *Platform) countError(path string, code int) {
	p.count(func(s *Stats) {
		s.Errors[code]++
		if s.PathErrors[path] == nil {
			s.PathErrors[path] = map[int]int{}
		}
		s.PathErrors[path][code]++
	})
}

var shanghai = time.FixedZone("CST", 8*3600)

// spendQuota counts a call against the day (Asia/Shanghai) and the minute.
func (p *Platform) spendQuota(path string, now time.Time) *apiError {
	day, minute := now.In(shanghai).Format(time.DateOnly), now.Format("15:04")
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usedDay != day {
		p.usedDay = day
		clear(p.used)
	}
	if p.usedMin != minute {
		p.usedMin = minute
		for path := range p.Limits.PerMinute {
			delete(p.used, "minute "+path)
		}
	}
	if most, limited := p.Limits.PerMinute[path]; limited {
		if p.used["minute "+path] >= most {
			return refuse(45011)
		}
		p.used["minute "+path]++
	}
	if most, limited := p.Limits.Daily[path]; limited {
		if p.used[path] >= most {
			return refuse(45009)
		}
		p.used[path]++
	}
	return nil
}

func (p *Platform) serveIPs(call) (answer, *apiError) {
	return answer{json: map[string]any{"ip_list": []string{"127.0.0.1"}}}, nil
}

func (p *Platform) serveTyping(c call) (answer, *apiError) {
	var in struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.Command != "Typing" && in.Command != "CancelTyping" {
		return answer{}, refuse(40097)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.people[in.ToUser] == nil {
		return answer{}, refuse(40003)
	}
	return ok(), nil
}

func (p *Platform) serveUserInfo(c call) (answer, *apiError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.people[c.query("openid")]
	if who == nil {
		return answer{}, refuse(40003)
	}
	if !who.Following {
		return answer{json: map[string]any{"subscribe": 0, "openid": who.OpenID}}, nil
	}
	out := map[string]any{
		"subscribe": 1, "openid": who.OpenID, "language": "zh_CN", "subscribe_time": who.Since.Unix(),
		"subscribe_scene": "ADD_SCENE_SEARCH", "qr_scene": 0, "qr_scene_str": "",
	}
	if who.Scene != "" {
		out["subscribe_scene"], out["qr_scene_str"] = "ADD_SCENE_QR_CODE", who.Scene
	}
	return answer{json: out}, nil
}
