package wechat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
)

// Handler answers what came through the gate. WeChat waits 5 s for the answer
// and then asks again, three times in all.
type Handler interface {
	Handle(ctx context.Context, in Inbound) Reply
}

// GateOptions are the settings of a Gate; the zero value has good ones.
type GateOptions struct {
	Clock clockwork.Clock
	// Window is how far a call's timestamp may be from now, to either side.
	// WeChat repeats within 15 s; 5 minutes (0) also bear clocks that differ.
	Window time.Duration
	// MaxBody bounds a body in bytes. A text of 2,048 characters, encrypted and
	// plain side by side, is below 20 KiB; 0 is 64 KiB.
	MaxBody int64
	Logger  *slog.Logger
	// OnRefused is told of every refusal, by one of the Refused reasons.
	OnRefused func(reason string)
	// Apology is answered after a panic of the handler, by community; "" answers
	// "success".
	Apology func(community string) string
}

// Reasons of a refusal, for metrics and logs. Who called learns less:
// everything about signatures and encryption looks the same to them.
const (
	RefusedMethod    = "method"    // 405
	RefusedCommunity = "community" // 404, unknown
	RefusedQuery     = "query"     // 400
	RefusedStale     = "stale"     // 403, timestamp outside the window
	RefusedSignature = "signature" // 403, wrong, or the account has no token
	RefusedDowngrade = "downgrade" // 403, not encrypted as the account's mode wants
	RefusedDecrypt   = "decrypt"   // 403, wrong key, padding, length or app id
	RefusedReplay    = "replay"    // 403, a signature used for another body
	RefusedAccount   = "account"   // 403, meant for another account
	RefusedSize      = "size"      // 413
	RefusedType      = "type"      // 415
	RefusedBody      = "body"      // 400, not the XML of a message
)

// refusal is a call that is not let through.
type refusal struct {
	status int
	reason string
}

// Gate is the webhook of all communities: mount it as GET and POST
// /wechat/{community}. The server in front must bound the time for reading
// (http.Server.ReadTimeout). It is safe for concurrent use.
type Gate struct {
	accounts func(community string) (Account, bool)
	handler  Handler
	replays  Replays
	memory   *MemoryReplays
	o        GateOptions
}

const (
	defaultWindow  = 5 * time.Minute
	defaultMaxBody = 64 << 10
	replaysTimeout = 500 * time.Millisecond // of the 5 s that WeChat waits
)

// NewGate gives a gate. Where replays is nil or fails, the process's own memory
// stands in for it.
func NewGate(accounts func(community string) (Account, bool), h Handler, replays Replays, o GateOptions) *Gate {
	if o.Clock == nil {
		o.Clock = clockwork.NewRealClock()
	}
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Gate{accounts: accounts, handler: h, replays: replays, memory: &MemoryReplays{Clock: o.Clock}, o: o}
}

// ServeHTTP answers one call of the platform.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if no := g.serve(w, r); no != nil {
		g.refuse(w, r, no)
	}
}

func (g *Gate) serve(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, RefusedMethod}
	}
	a, ok := g.accounts(r.PathValue("community"))
	if !ok {
		return &refusal{http.StatusNotFound, RefusedCommunity}
	}
	s, err := readStamp(r.URL.RawQuery)
	if err != nil {
		return &refusal{http.StatusBadRequest, RefusedQuery}
	}
	if !s.fresh(g.o.Clock.Now(), g.o.Window) {
		return &refusal{http.StatusForbidden, RefusedStale}
	}
	if r.Method == http.MethodGet {
		return g.verify(r.Context(), w, a, s)
	}
	return g.receive(w, r, a, s)
}

func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	if g.o.OnRefused != nil {
		g.o.OnRefused(no.reason)
	}
	log := g.o.Logger.With("reason", no.reason)
	if no.reason != RefusedCommunity && no.reason != RefusedMethod { // else the name is anybody's text
		log = log.With("community", r.PathValue("community"))
	}
	log.Info("webhook call refused")
	if no.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, POST")
	}
	// What is unread of the body is not worth reading.
	w.Header().Set("Connection", "close")
	http.Error(w, strings.ToLower(http.StatusText(no.status)), no.status)
}

// echoShape is what the platform sends as echostr: digits. Anything that a
// browser could take for a page is refused.
var echoShape = regexp.MustCompile(`^[0-9A-Za-z+/=_-]{1,256}$`)

// verify answers the platform's check of the address (WeChat, 接入概述). Its
// signature is remembered too, so that it cannot serve for a message.
func (g *Gate) verify(ctx context.Context, w http.ResponseWriter, a Account, s stamp) *refusal {
	token, ok := s.signer(a, s.signature)
	if !ok {
		return &refusal{http.StatusForbidden, RefusedSignature}
	}
	if !echoShape.MatchString(s.echostr) {
		return &refusal{http.StatusBadRequest, RefusedQuery}
	}
	if !g.firstUse(ctx, a, s.replayKey(token), digest([]byte("echo "+s.echostr))) {
		return &refusal{http.StatusForbidden, RefusedReplay}
	}
	g.write(w, "text/plain; charset=utf-8", []byte(s.echostr))
	return nil
}

// opened is a body whose origin is proven.
type opened struct {
	xml   []byte
	token string // that it was signed with
	key   string // that it was encrypted with; "" came as plaintext
}

func (g *Gate) receive(w http.ResponseWriter, r *http.Request, a Account, s stamp) *refusal {
	if !xmlBody(r.Header) {
		return &refusal{http.StatusUnsupportedMediaType, RefusedType}
	}
	if r.ContentLength > g.o.MaxBody {
		return &refusal{http.StatusRequestEntityTooLarge, RefusedSize}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.o.MaxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return &refusal{http.StatusRequestEntityTooLarge, RefusedSize}
		}
		return &refusal{http.StatusBadRequest, RefusedBody}
	}
	m, no := open(a, s, body)
	if no != nil {
		return no
	}
	// What a sealed body is signed with covers that body alone. Only where plain ones are
	// taken too could the plain signature beside it serve for another.
	if a.takesPlain() && !g.firstUse(r.Context(), a, s.replayKey(m.token), digest(m.xml)) {
		return &refusal{http.StatusForbidden, RefusedReplay}
	}
	in, err := parse(a.Community, m.xml)
	if err != nil {
		return &refusal{http.StatusBadRequest, RefusedBody}
	}
	if a.Original != "" && in.To != a.Original {
		return &refusal{http.StatusForbidden, RefusedAccount}
	}
	g.answer(w, a, m, in, g.handle(r.Context(), in))
	return nil
}

// xmlBody tells whether the body claims to be XML in UTF-8. WeChat sends
// text/xml; a body without a type is taken for it.
func xmlBody(h http.Header) bool {
	if encoding := h.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return false
	}
	given := h.Values("Content-Type")
	if len(given) == 0 || len(given) == 1 && given[0] == "" {
		return true
	}
	kind, params, err := mime.ParseMediaType(given[0])
	if err != nil || len(given) > 1 || kind != "text/xml" && kind != "application/xml" {
		return false
	}
	charset := strings.ToLower(params["charset"])
	return charset == "" || charset == "utf-8"
}

// open proves that a body comes from the platform and decrypts it.
func open(a Account, s stamp, body []byte) (opened, *refusal) {
	sealed, no := wantsSealed(a, s, body)
	if no != nil {
		return opened{}, no
	}
	if sealed == "" {
		token, ok := s.signer(a, s.signature)
		if !ok {
			return opened{}, &refusal{http.StatusForbidden, RefusedSignature}
		}
		return opened{xml: body, token: token}, nil
	}
	token, ok := s.signer(a, s.msgSignature, sealed)
	if !ok {
		return opened{}, &refusal{http.StatusForbidden, RefusedSignature}
	}
	// The plain signature adds nothing to this one, but a wrong one is a sign of
	// tampering.
	if s.signature != "" {
		if _, ok := s.signer(a, s.signature); !ok {
			return opened{}, &refusal{http.StatusForbidden, RefusedSignature}
		}
	}
	plain, key, ok := unseal(a, sealed)
	if !ok {
		return opened{}, &refusal{http.StatusForbidden, RefusedDecrypt}
	}
	return opened{xml: plain, token: token, key: key}, nil
}

// wantsSealed gives the ciphertext that must be verified, "" where the account
// takes this body as plaintext.
func wantsSealed(a Account, s stamp, body []byte) (string, *refusal) {
	downgrade := &refusal{http.StatusForbidden, RefusedDowngrade}
	claimed := s.encryptType == "aes" || s.msgSignature != ""
	if s.encryptType != "" && s.encryptType != "aes" && s.encryptType != "raw" {
		return "", downgrade
	}
	switch a.Mode {
	case Plain:
		if claimed {
			return "", downgrade
		}
		return "", nil
	case Compatible:
	case Safe:
		if s.encryptType != "aes" && (claimed || !a.takesPlain()) {
			return "", downgrade
		}
	default:
		return "", downgrade
	}
	sealed, err := sealedPart(body)
	if err != nil {
		return "", &refusal{http.StatusBadRequest, RefusedBody}
	}
	if claimed && sealed == "" {
		return "", downgrade
	}
	return sealed, nil
}

// firstUse tells whether a signature may authorise a body: it was never used,
// or for this same body. This process's memory always keeps count too, so that
// it knows what went before when the shared one goes away.
func (g *Gate) firstUse(ctx context.Context, a Account, key, body string) bool {
	ttl := 2*g.o.Window + time.Minute // from the earliest to the latest moment it is fresh, and clocks that differ
	verdict, _ := g.memory.Seen(ctx, a.Community, key, body, ttl)
	if verdict != Different && g.replays != nil {
		ctx, cancel := context.WithTimeout(ctx, replaysTimeout)
		defer cancel()
		shared, err := g.replays.Seen(ctx, a.Community, key, body, ttl)
		if err == nil {
			verdict = shared
		} else {
			g.o.Logger.Warn("replays are remembered by this process alone", "community", a.Community, "cause", err)
		}
	}
	return verdict == New || verdict == Same
}

// handle asks the handler and outlives its panics. A panic's own text could
// hold what a person wrote, so only its kind and the stack are logged.
func (g *Gate) handle(ctx context.Context, in Inbound) (reply Reply) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := fmt.Sprintf("%T", p)
		if fault, ok := p.(runtime.Error); ok {
			what = fault.Error()
		}
		g.o.Logger.Error("panic in the webhook's handler", "community", in.Community, "type", in.Type, "panic", what, "stack", string(debug.Stack()))
		if g.o.Apology != nil {
			reply = Reply{Text: g.o.Apology(in.Community)}
		}
	}()
	return g.handler.Handle(ctx, in)
}

// answer writes the reply in the form in which the message came.
func (g *Gate) answer(w http.ResponseWriter, a Account, m opened, in Inbound, reply Reply) {
	now := g.o.Clock.Now()
	out, err := replyXML(in, reply.Text, now)
	if err == nil && out != nil && m.key != "" {
		out, err = seal(a, m.key, m.token, out, now)
	}
	if err != nil {
		g.o.Logger.Error("reply could not be written", "community", a.Community, "cause", err)
		out = nil
	}
	if out == nil {
		g.write(w, "text/plain; charset=utf-8", []byte("success"))
		return
	}
	g.write(w, "text/xml; charset=utf-8", out)
}

func (g *Gate) write(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // WeChat asks again when the answer is lost
}
