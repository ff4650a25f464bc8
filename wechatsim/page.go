package wechatsim

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

// pagePolicy: the page loads nothing from elsewhere and runs no inline script.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// maxControlBody bounds the page's own calls, uploads aside.
const maxControlBody = 64 << 10

func (p *Platform) pageRoutes(mux *http.ServeMux) {
	file := func(name, contentType string) http.HandlerFunc {
		content, err := pageFiles.ReadFile("page/" + name)
		return func(w http.ResponseWriter, _ *http.Request) {
			if err != nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			h := w.Header()
			h.Set("Content-Type", contentType+"; charset=utf-8")
			h.Set("Content-Security-Policy", pagePolicy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cache-Control", "no-cache")
			_, _ = w.Write(content) // the reader has gone
		}
	}
	mux.HandleFunc("GET /{$}", file("index.html", "text/html"))
	mux.HandleFunc("GET /page/style.css", file("style.css", "text/css"))
	mux.HandleFunc("GET /page/phone.js", file("phone.js", "text/javascript"))
	mux.HandleFunc("GET /page/bubble.js", file("bubble.js", "text/javascript"))

	// The page's own calls are for the page alone: a foreign site cannot make
	// them in a visitor's browser.
	sameOrigin := http.NewCrossOriginProtection()
	handle := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, sameOrigin.Handler(h)) }
	handle("GET /sim/people", p.servePeople)
	handle("GET /sim/transcript", p.serveTranscript)
	handle("GET /sim/events", p.serveEvents)
	handle("GET /sim/media/{id}", p.serveBubbleMedia)
	handle("GET /sim/sample.jpg", serveSample)
	handle("GET /sim/open", p.serveOpen)
	handle("POST /sim/send", p.serveSend)
	handle("POST /sim/image", p.serveSendImage)
	handle("POST /sim/fail", p.serveFail)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader has gone
}

// onPage is a person as the page needs them.
type onPage struct {
	Persona
	Following bool  `json:"following"`
	LastOut   int64 `json:"last_out"` // id of the newest entry from the account
}

func (p *Platform) servePeople(w http.ResponseWriter, _ *http.Request) {
	type template struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	out := struct {
		Account   string              `json:"account"`
		Server    string              `json:"server"`
		People    []onPage            `json:"people"`
		Menu      []button            `json:"menu"`
		Places    []Place             `json:"places"`
		Examples  map[string][]string `json:"examples"`
		Templates []template          `json:"templates"`
		Scenes    []string            `json:"scenes"`
		LastID    int64               `json:"last_id"`
	}{Account: p.Account.Name, Server: p.ServerAddr, Menu: p.buttons(), Places: p.Places, Examples: p.Examples}
	for id := range p.Templates {
		title := p.TemplateTitles[id]
		if title == "" {
			title = id
		}
		out.Templates = append(out.Templates, template{id, title})
	}
	slices.SortFunc(out.Templates, func(a, b template) int { return strings.Compare(a.ID, b.ID) })
	p.mu.Lock()
	out.LastID, out.Scenes = p.lastID, p.scenes()
	for _, openid := range p.order {
		who := onPage{Persona: p.people[openid].Persona, Following: p.people[openid].Following}
		for _, i := range slices.Backward(p.byPerson[openid]) {
			if p.chat[i].Dir == Out {
				who.LastOut = p.chat[i].ID
				break
			}
		}
		out.People = append(out.People, who)
	}
	p.mu.Unlock()
	writeJSON(w, http.StatusOK, out)
}

// scenes gives what can be scanned by a tap: the presets and some of the
// permanent codes that the account made. The caller holds p.mu.
func (p *Platform) scenes() []string {
	const most = 8
	made := []string{}
	for _, code := range p.qr {
		if code.Permanent && !slices.Contains(p.Scenes, code.Scene) {
			made = append(made, code.Scene)
		}
	}
	slices.Sort(made)
	made = slices.Compact(made)
	all := append(slices.Clone(p.Scenes), made...)
	return all[:min(most, len(all))]
}

func (p *Platform) serveTranscript(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64) // 0 when absent
	p.mu.Lock()
	entries := p.transcript(r.URL.Query().Get("openid"), after)
	p.mu.Unlock()
	if entries == nil {
		entries = []Entry{}
	}
	writeJSON(w, http.StatusOK, entries)
}

// serveEvents streams every entry of every chat from Last-Event-ID (or
// "after") on, as server-sent events, until the page leaves or Close.
func (p *Platform) serveEvents(w http.ResponseWriter, r *http.Request) {
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.URL.Query().Get("after")
	}
	after, _ := strconv.ParseInt(from, 10, 64) // 0 when absent: everything
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := http.NewResponseController(w)
	menu := p.menuJSON()
	alive := time.NewTicker(20 * time.Second) // keeps proxies from closing a quiet stream
	defer alive.Stop()
	if _, err := io.WriteString(w, "retry: 1000\n\n"); err != nil {
		return
	}
	for {
		said, changed := p.Since(after)
		for _, s := range said {
			data, err := json.Marshal(s)
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", s.ID, data); err != nil {
				return
			}
			after = s.ID
		}
		if now := p.menuJSON(); now != menu {
			menu = now
			if _, err := fmt.Fprintf(w, "event: menu\ndata: %s\n\n", menu); err != nil {
				return
			}
		}
		if flusher.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
			if _, err := io.WriteString(w, ": alive\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *Platform) menuJSON() string {
	menu, _ := json.Marshal(p.buttons()) // strings only: cannot fail
	return string(menu)
}

// serveBubbleMedia gives a picture or recording to the page. Only pictures are
// shown in place; whatever else was sent is for saving.
func (p *Platform) serveBubbleMedia(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	f := p.media[r.PathValue("id")]
	p.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	data, err := p.mediaBytes(f)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	switch f.Type {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		w.Header().Set("Content-Type", f.Type)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", "attachment")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	_, _ = w.Write(data) // the reader has gone
}

// serveOpen opens a link of a chat, or a code that was scanned, in the in-app
// browser of that person's phone: authorize will know who it is. Only the product's
// own pages have one; others open as they are.
func (p *Platform) serveOpen(w http.ResponseWriter, r *http.Request) {
	openid, to := r.URL.Query().Get("openid"), safeURL(r.URL.Query().Get("url"))
	p.mu.Lock()
	known := p.people[openid] != nil
	p.mu.Unlock()
	if !known || to == "" || !fromPage(r) {
		http.Error(w, "请从演示页打开链接", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: openidCookie, Value: openid, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	address, err := url.Parse(to)
	product, err2 := url.Parse(p.ServerAddr)
	if host := p.inAppHost(openid, r.Host); err == nil && err2 == nil && host != "" && p.inside(address, product) {
		address.Scheme, address.Host = "http", host
	} else if err != nil {
		http.Error(w, "打不开这个地址", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, address.String(), http.StatusFound)
}

// fromPage tells whether the page itself sent the browser here, so that no
// foreign site can make somebody a persona. Browsers leave Sec-Fetch-Site out
// on plain http beyond this machine; then the Referer must be ours.
func fromPage(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	referer, err := url.Parse(r.Referer())
	return err == nil && referer.Host == r.Host
}

// gesture is what somebody does on a phone of the page.
type gesture struct {
	OpenID string  `json:"openid"`
	Kind   string  `json:"kind"`
	Text   string  `json:"text"` // words, label, scene, key, address or template id
	ID     string  `json:"id"`   // of a menu item
	Lat    float64 `json:"lat"`
	Lng    float64 `json:"lng"`
	Accept bool    `json:"accept"`
}

var errGesture = errors.New("wechatsim: unknown gesture")

// perform goes on when the page is left: what was sent is sent.
func (p *Platform) perform(g gesture) (Reply, error) {
	ctx := p.ctx
	switch g.Kind {
	case "text":
		return p.SendText(ctx, g.OpenID, g.Text)
	case "tap":
		return p.Tap(ctx, g.OpenID, g.ID, g.Text)
	case "voice":
		return p.SendVoice(ctx, g.OpenID, silence(), g.Text)
	case "location":
		return p.SendLocation(ctx, g.OpenID, g.Lat, g.Lng, g.Text)
	case "scan":
		return p.Scan(ctx, g.OpenID, g.Text)
	case "click":
		return p.Click(ctx, g.OpenID, g.Text)
	case "view":
		return p.View(ctx, g.OpenID, g.Text)
	case "follow":
		return p.Follow(ctx, g.OpenID, g.Text)
	case "unfollow":
		return p.Unfollow(ctx, g.OpenID)
	case "consent":
		return p.Consent(ctx, g.OpenID, g.Text, g.Accept)
	}
	return Reply{}, errGesture
}

func (p *Platform) serveSend(w http.ResponseWriter, r *http.Request) {
	var g gesture
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&g); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "内容不对或太长"})
		return
	}
	reply, err := p.perform(g)
	p.answerPage(w, reply, err)
}

func (p *Platform) serveSendImage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxCallBody)
	file, header, err := r.FormFile("photo")
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "没有收到照片,或照片太大"})
		return
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "照片没有收全"})
		return
	}
	if !strings.HasPrefix(http.DetectContentType(data), "image/") {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "这不是照片"})
		return
	}
	reply, err := p.SendImage(p.ctx, r.FormValue("openid"), data, header.Filename)
	p.answerPage(w, reply, err)
}

func (p *Platform) answerPage(w http.ResponseWriter, reply Reply, err error) {
	var refused *apiError
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, map[string]any{"tries": reply.Tries, "unavailable": reply.Unavailable})
	case errors.Is(err, ErrUnknownPerson), errors.Is(err, errGesture):
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "没有这个人或这个动作"})
	case errors.Is(err, ErrNotFollowing):
		writeJSON(w, http.StatusConflict, map[string]string{"error": "还没有关注公众号"})
	case errors.As(err, &refused):
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "文件太大或是空的"})
	default:
		p.Logger.Warn("wechatsim: page", "error", err)
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "没有发出去"})
	}
}

// serveFail adds a Failure ({"path","openid","errcode","times","delay_ms",
// "http_status","hang","half_body"}) or, with {"reset":true}, removes all.
func (p *Platform) serveFail(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Path       string `json:"path"`
		OpenID     string `json:"openid"`
		ErrCode    int    `json:"errcode"`
		Times      int    `json:"times"`
		DelayMS    int64  `json:"delay_ms"`
		HTTPStatus int    `json:"http_status"`
		Hang       bool   `json:"hang"`
		HalfBody   bool   `json:"half_body"`
		Reset      bool   `json:"reset"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&in); err != nil ||
		in.HTTPStatus != 0 && (in.HTTPStatus < 200 || in.HTTPStatus > 599) {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "内容不对"})
		return
	}
	if in.Reset {
		p.Reset()
	} else {
		p.Fail(Failure{
			Path: in.Path, OpenID: in.OpenID, ErrCode: in.ErrCode, Times: in.Times, Delay: time.Duration(in.DelayMS) * time.Millisecond,
			HTTPStatus: in.HTTPStatus, Hang: in.Hang, HalfBody: in.HalfBody,
		})
	}
	writeJSON(w, http.StatusOK, map[string]bool{"ok": true})
}
