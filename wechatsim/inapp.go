package wechatsim

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
)

// inAppAgent is what the browser inside the app calls itself.
const inAppAgent = "Mozilla/5.0 (Linux; Android 14; stand-in) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 MicroMessenger/8.0.49"

// authorizePath is where a page asks who holds the phone.
const authorizePath = "/connect/oauth2/authorize"

// A phone's in-app browser is a host of its own, p3.localhost, which every browser
// finds on this machine: each phone has its own cookies, and none those of the desk
// on which the phones are shown. What it asks for goes on to the product, in the name
// of the app.
const phoneHosts = ".localhost"

// inAppHost is the in-app browser of somebody's phone, as a host for a browser that
// has come to us by another one; "" where that is not on this machine.
func (p *Platform) inAppHost(openid, host string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	if ip := net.ParseIP(name); p.ServerAddr == "" || name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, one := range p.order {
		if one == openid {
			return strings.TrimSuffix(net.JoinHostPort("p"+strconv.Itoa(i)+phoneHosts, port), ":")
		}
	}
	return ""
}

// phoneAt is whose in-app browser a host is.
func (p *Platform) phoneAt(host string) (openid string, ok bool) {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	label, phone := strings.CutSuffix(name, phoneHosts)
	if !phone {
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, err := strconv.Atoi(strings.TrimPrefix(label, "p")); err == nil && i >= 0 && i < len(p.order) {
		openid = p.order[i]
	}
	return openid, true
}

// inApp serves the phones' in-app browsers, and by next everything else.
func (p *Platform) inApp(next http.Handler) http.Handler {
	product, err := url.Parse(p.ServerAddr)
	if p.ServerAddr == "" || err != nil {
		return next
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, // pages follow changes
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(product)
			r.Out.Header.Set("User-Agent", inAppAgent)
		},
		ModifyResponse: func(res *http.Response) error {
			if to, err := res.Location(); err == nil && p.inside(to, product) {
				to.Scheme, to.Host = "", ""
				res.Header.Set("Location", to.String())
			}
			return nil
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		openid, phone := p.phoneAt(r.Host)
		switch {
		case !phone:
			next.ServeHTTP(w, r)
		case openid == "":
			http.NotFound(w, r)
		case r.URL.Path == authorizePath:
			back := &comesBack{w, p, product}
			q := r.URL.Query()
			q.Set("sim_openid", openid)
			r.URL.RawQuery = q.Encode()
			p.authorize(back, r)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

// inside tells whether an address is shown by the in-app browser's own host: the
// product's, and ours, where authorize is.
func (p *Platform) inside(to, product *url.URL) bool {
	own, err := url.Parse(p.BaseURL)
	return to.Host == product.Host || to.Host == p.Account.OAuthDomain || err == nil && to.Host == own.Host
}

// comesBack keeps an authorisation's way back within the in-app browser.
type comesBack struct {
	http.ResponseWriter
	p       *Platform
	product *url.URL
}

// WriteHeader sends the browser to its own host.
func (w *comesBack) WriteHeader(status int) {
	if to, err := url.Parse(w.Header().Get("Location")); err == nil && to.Host != "" && w.p.inside(to, w.product) {
		to.Scheme, to.Host = "", ""
		w.Header().Set("Location", to.String())
	}
	w.ResponseWriter.WriteHeader(status)
}
