package wechatsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTokens(t *testing.T) {
	b := newBench(t)
	stableBody := func(force bool) map[string]any {
		return map[string]any{"grant_type": "client_credential", "appid": b.Account.AppID, "secret": b.Account.AppSecret, "force_refresh": force}
	}
	classicURL := pathToken + "?grant_type=client_credential&appid=" + b.Account.AppID + "&secret=" + b.Account.AppSecret
	use := func(token string) int { return errcode(b.get(pathDomainIP + "?access_token=" + token)) }
	text := func(out map[string]any) string { s, _ := out["access_token"].(string); return s }

	for name, c := range map[string]struct {
		body any
		want int
	}{
		"wrong app id":   {map[string]any{"grant_type": "client_credential", "appid": "wxno", "secret": "secret"}, 40013},
		"no app id":      {map[string]any{"grant_type": "client_credential"}, 41002},
		"wrong secret":   {map[string]any{"grant_type": "client_credential", "appid": b.Account.AppID, "secret": "no"}, 40125},
		"no secret":      {map[string]any{"grant_type": "client_credential", "appid": b.Account.AppID}, 41004},
		"wrong grant":    {map[string]any{"grant_type": "password", "appid": b.Account.AppID, "secret": "secret"}, 40002},
		"no json":        {"appid=1", 47001},
		"nothing at all": {"", 44002},
	} {
		b.wantCode(name, b.post(pathStableToken, c.body), c.want)
	}
	b.wantCode("GET of the stable token", b.get(pathStableToken), 43002)
	b.wantCode("wrong secret by GET", b.get(pathToken+"?grant_type=client_credential&appid="+b.Account.AppID+"&secret=no"), 40125)

	first := text(b.post(pathStableToken, stableBody(false)))
	b.clock.Advance(time.Hour)
	again := b.post(pathStableToken, stableBody(false))
	if text(again) != first || again["expires_in"] != json.Number("3600") {
		t.Errorf("an hour later the stable token is %v", again)
	}
	// In the last five minutes there is a new one, and both work to the end.
	b.clock.Advance(time.Hour - 4*time.Minute)
	second := text(b.post(pathStableToken, stableBody(false)))
	if second == first || use(first) != 0 || use(second) != 0 {
		t.Errorf("at the change: same %v, old %d, new %d", second == first, use(first), use(second))
	}
	b.clock.Advance(4 * time.Minute)
	if use(first) != 42001 || use(second) != 0 {
		t.Errorf("after its end the old token gives %d, the new %d", use(first), use(second))
	}
	// Forced: the old one ends at once; within 30 s nothing is refreshed.
	third := text(b.post(pathStableToken, stableBody(true)))
	if use(second) != 40001 || use(third) != 0 {
		t.Errorf("after a forced refresh the old token gives %d, the new %d", use(second), use(third))
	}
	b.clock.Advance(10 * time.Second)
	if text(b.post(pathStableToken, stableBody(true))) != third {
		t.Error("refreshed again within 30 s")
	}
	for range 19 {
		b.clock.Advance(31 * time.Second)
		b.wantCode("forced", b.post(pathStableToken, stableBody(true)), 0)
	}
	b.clock.Advance(31 * time.Second)
	b.wantCode("the 21st forced refresh", b.post(pathStableToken, stableBody(true)), 45009)
	b.clock.Advance(24 * time.Hour)
	b.wantCode("the next day", b.post(pathStableToken, stableBody(true)), 0)

	// The classic token is another world, and changes with every call.
	held := b.token()
	one := text(b.get(classicURL))
	two := text(b.get(classicURL))
	if one == two || use(one) != 0 || use(two) != 0 || use(held) != 0 {
		t.Error("a classic token did not change, or took another's place at once")
	}
	b.clock.Advance(5 * time.Minute)
	if use(one) != 40001 || use(two) != 0 {
		t.Errorf("five minutes later the old gives %d, the new %d", use(one), use(two))
	}
	for token, want := range map[string]int{"": 41001, "abc": 40014, strings.Repeat("x", tokenSize): 40001} {
		if got := use(token); got != want {
			t.Errorf("token of %d characters: %d, want %d", len(token), got, want)
		}
	}
}

// The windows of customer-service messages: how many, until when.
func TestCustomSendWindows(t *testing.T) {
	type doing func(b *bench) (Reply, error)
	ctx := t.Context()
	say := func(b *bench) (Reply, error) { return b.SendText(ctx, resident, "在吗") }
	tap := func(b *bench) (Reply, error) { return b.Tap(ctx, resident, "1", "满意") }
	click := func(b *bench) (Reply, error) { return b.Click(ctx, resident, "K") }
	scan := func(b *bench) (Reply, error) { return b.Scan(ctx, resident, "b-1") }
	view := func(b *bench) (Reply, error) { return b.View(ctx, resident, "https://a.cn/") }
	gps := func(b *bench) (Reply, error) { return b.ReportLocation(ctx, resident, 1, 1, 1) }
	wait := func(d time.Duration) doing {
		return func(b *bench) (Reply, error) { b.clock.Advance(d); return Reply{}, nil }
	}
	for name, c := range map[string]struct {
		doings []doing
		may    int // messages that go out now
		then   int // errcode of the next
	}{
		"nothing happened":               {nil, 0, 45015},
		"a message gives 5":              {[]doing{say}, 5, 45047},
		"two messages give 5, not 10":    {[]doing{say, say}, 5, 45047},
		"just within 48 hours":           {[]doing{say, wait(48*time.Hour - time.Second)}, 5, 45047},
		"after 48 hours":                 {[]doing{say, wait(48 * time.Hour)}, 0, 45015},
		"a click gives 3":                {[]doing{click}, 3, 45047},
		"a click lasts a minute":         {[]doing{click, wait(time.Minute)}, 0, 45015},
		"a scan gives 3":                 {[]doing{scan, wait(59 * time.Second)}, 3, 45047},
		"a tap is a click":               {[]doing{tap}, 3, 45047},
		"a tap lasts a minute":           {[]doing{tap, wait(time.Minute)}, 0, 45015},
		"a tap takes no message window":  {[]doing{say, tap, wait(time.Minute)}, 5, 45047},
		"a click within a window adds 3": {[]doing{say, click}, 8, 45047},
		"opening a page gives none":      {[]doing{view}, 0, 45015},
		"a reported place gives none":    {[]doing{gps}, 0, 45015},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for _, do := range c.doings {
				must(do(b))(t)
			}
			for i := range c.may {
				if out := b.call(pathCustomSend, customText(resident, "您好")); errcode(out) != 0 {
					t.Fatalf("message %d of %d: %v", i+1, c.may, out)
				}
			}
			b.wantCode("the next", b.call(pathCustomSend, customText(resident, "您好")), c.then)
		})
	}
}

func TestCustomSendChecks(t *testing.T) {
	b := newBench(t)
	stored := must(b.storeMedia("image", "a.jpg", photo()))(t)
	menu := func(items ...MenuItem) map[string]any {
		return map[string]any{"touser": resident, "msgtype": "msgmenu", "msgmenu": map[string]any{"head_content": "请选", "list": items, "tail_content": "谢谢"}}
	}
	for name, c := range map[string]struct {
		body any
		want int
	}{
		"unknown person":   {customText("oNobody", "x"), 40003},
		"not following":    {customText(stranger, "x"), 43004},
		"no json":          {"{", 47001},
		"unknown type":     {map[string]any{"touser": resident, "msgtype": "dance"}, 40008},
		"empty text":       {customText(resident, ""), 44004},
		"2048 bytes":       {customText(resident, strings.Repeat("x", 2048)), 0},
		"2049 bytes":       {customText(resident, strings.Repeat("x", 2049)), 45002},
		"unknown media":    {map[string]any{"touser": resident, "msgtype": "image", "image": map[string]string{"media_id": "no"}}, 40007},
		"image":            {map[string]any{"touser": resident, "msgtype": "image", "image": map[string]string{"media_id": stored.ID}}, 0},
		"video, unknown":   {map[string]any{"touser": resident, "msgtype": "video", "video": map[string]string{"media_id": "no"}}, 40007},
		"news":             {map[string]any{"touser": resident, "msgtype": "news", "news": map[string]any{"articles": []any{map[string]string{"title": "题", "url": "http://a.cn/"}}}}, 0},
		"two news":         {map[string]any{"touser": resident, "msgtype": "news", "news": map[string]any{"articles": []any{map[string]string{}, map[string]string{}}}}, 45008},
		"no news":          {map[string]any{"touser": resident, "msgtype": "news"}, 44003},
		"menu":             {menu(MenuItem{"1", "满意"}, MenuItem{"2", "不满意"}), 0},
		"menu of nothing":  {menu(), 40097},
		"menu of no words": {menu(MenuItem{"1", ""}), 44004},
		"long menu":        {menu(MenuItem{"1", strings.Repeat("长", 700)}), 45002},
	} {
		must(b.SendText(ctxOf(t), resident, "在吗"))(t)
		before := len(b.Transcript(resident))
		b.wantCode(name, b.call(pathCustomSend, c.body), c.want)
		all := b.Transcript(resident)
		if shown := len(all) > before; shown != (c.want == 0) {
			t.Errorf("%s: shown %v", name, shown)
		}
		if name == "menu" {
			e := all[len(all)-1]
			if e.HeadContent != "请选" || e.TailContent != "谢谢" || len(e.Items) != 2 || e.Items[1] != (MenuItem{"2", "不满意"}) || e.Channel != ByCustom {
				t.Errorf("menu shown as %+v", e)
			}
		}
	}
	b.wantCode("without a token", b.post(pathCustomSend, customText(resident, "x")), 41001)
	b.wantCode("by GET", b.get(pathCustomSend), 43002)
	b.wantCode("unknown path", b.get("/cgi-bin/nothing"), 40066)
	// What was refused for its content cost nothing of the count.
	must(b.SendText(ctxOf(t), resident, "在吗"))(t)
	b.wantCode("too long", b.call(pathCustomSend, customText(resident, strings.Repeat("x", 3000))), 45002)
	for range 5 {
		b.wantCode("still five", b.call(pathCustomSend, customText(resident, "x")), 0)
	}
}

func TestQuotas(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.Limits.Daily = map[string]int{pathCustomSend: 3}
		o.Limits.PerMinute = map[string]int{pathDomainIP: 2}
	})
	must(b.SendText(ctxOf(t), resident, "在吗"))(t)
	for _, want := range []int{0, 0, 0, 45009} {
		b.wantCode("send", b.call(pathCustomSend, customText(resident, "x")), want)
	}
	for _, want := range []int{0, 0, 45011} {
		b.wantCode("minute", b.get(pathDomainIP+"?access_token="+b.token()), want)
	}
	b.clock.Advance(time.Minute)
	b.wantCode("next minute", b.get(pathDomainIP+"?access_token="+b.token()), 0)
	b.wantCode("same day", b.call(pathCustomSend, customText(resident, "x")), 45009)
	// The day is Shanghai's: at 09:31 it has 14 h 29 min left.
	b.clock.Advance(14*time.Hour + 28*time.Minute)
	b.wantCode("before midnight", b.call(pathCustomSend, customText(resident, "x")), 45009)
	b.clock.Advance(2 * time.Minute)
	b.wantCode("after midnight", b.call(pathCustomSend, customText(resident, "x")), 0)
	s := b.Stats()
	if s.Calls[pathCustomSend] != 7 || s.Errors[45009] != 3 || s.PathErrors[pathDomainIP][45011] != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestFailuresOnDemand(t *testing.T) {
	b := newBench(t)
	token := b.token()
	must(b.SendText(ctxOf(t), resident, "在吗"))(t)
	must(b.SendText(ctxOf(t), worker, "在吗"))(t)
	send := func(ctx context.Context, openid string) (int, string, error) {
		body, _ := json.Marshal(customText(openid, "您好"))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.api.URL+pathCustomSend+"?access_token="+token, bytes.NewReader(body))
		if err != nil {
			return 0, "", err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer shut(res)
		content, err := io.ReadAll(res.Body)
		return res.StatusCode, string(content), err
	}
	got := func(openid string) int {
		n := 0
		for _, e := range b.Transcript(openid) {
			if e.Channel == ByCustom {
				n++
			}
		}
		return n
	}

	b.Fail(Failure{Path: pathCustomSend, OpenID: resident, ErrCode: 40164, Times: 2})
	for i, want := range []string{`"errcode":40164`, `"errcode":40164`, `"errcode":0`} {
		if _, body, err := send(t.Context(), resident); err != nil || !strings.Contains(body, want) {
			t.Errorf("call %d: %s %v", i, body, err)
		}
	}
	if _, body, _ := send(t.Context(), worker); !strings.Contains(body, `"errcode":0`) {
		t.Errorf("somebody else's call: %s", body)
	}

	b.Fail(Failure{HTTPStatus: 502, Times: 1})
	if code, body, err := send(t.Context(), resident); code != 502 || strings.HasPrefix(body, "{") || err != nil {
		t.Errorf("gateway: %d %s %v", code, body, err)
	}
	before := got(resident)
	b.Fail(Failure{HalfBody: true, Times: 1})
	if _, body, err := send(t.Context(), resident); err == nil || body == "" {
		t.Errorf("half a body came as %q, %v", body, err)
	}
	if got(resident) != before+1 {
		t.Error("with half a body the call was not done")
	}
	b.Fail(Failure{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := send(ctx, resident); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging call gave %v", err)
	}
	b.Reset()
	b.Fail(Failure{Delay: 30 * time.Millisecond, Times: 1})
	start := time.Now()
	if _, body, err := send(t.Context(), resident); err != nil || !strings.Contains(body, `"errcode":0`) || time.Since(start) < 30*time.Millisecond {
		t.Errorf("delayed: %s %v after %v", body, err, time.Since(start))
	}
	if got(resident) != before+2 {
		t.Errorf("%d messages arrived, want %d", got(resident), before+2)
	}
}

func (b *bench) upload(kind, field string, data []byte) map[string]any {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile(field, "灯.jpg")
	if err == nil {
		_, err = part.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		b.t.Fatal(err)
	}
	res, err := http.Post(b.api.URL+pathMediaUpload+"?type="+kind+"&access_token="+b.token(), w.FormDataContentType(), &body)
	return b.decode(res, err)
}

func TestMedia(t *testing.T) {
	b := newBench(t)
	sample := photo()
	out := b.upload("image", "media", sample)
	id, _ := out["media_id"].(string)
	if id == "" || out["type"] != "image" || out["created_at"] == nil {
		t.Fatalf("upload gave %v", out)
	}
	fetch := func(id string) (*http.Response, []byte) {
		res, err := http.Get(b.api.URL + pathMediaGet + "?access_token=" + b.token() + "&media_id=" + id)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(res)
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, data
	}
	res, data := fetch(id)
	if !bytes.Equal(data, sample) || res.Header.Get("Content-Type") != "image/jpeg" || !strings.Contains(res.Header.Get("Content-disposition"), "attachment") {
		t.Errorf("fetched %d bytes of %d as %v", len(data), len(sample), res.Header)
	}
	must(b.SendVoice(ctxOf(t), resident, silence(), ""))(t)
	if res, data := fetch(b.hook.lastOne(t).Msg.MediaId); res.Header.Get("Content-Type") != "audio/amr" || len(data) != len(silence()) {
		t.Errorf("the recording came as %s, %d bytes", res.Header.Get("Content-Type"), len(data))
	}
	must(b.SendVideo(ctxOf(t), resident, []byte("a video"), []byte("a thumb")))(t)
	video := b.get(pathMediaGet + "?access_token=" + b.token() + "&media_id=" + b.hook.lastOne(t).Msg.MediaId)
	address, _ := video["video_url"].(string)
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(res)
	if data, _ := io.ReadAll(res.Body); string(data) != "a video" {
		t.Errorf("the video's address gave %q", data)
	}

	for name, c := range map[string]struct {
		kind, field string
		data        []byte
		want        int
	}{
		"unknown kind":  {"music", "media", sample, 40004},
		"wrong field":   {"image", "file", sample, 41005},
		"empty":         {"image", "media", nil, 41005},
		"2 MB voice":    {"voice", "media", make([]byte, 2<<20), 0},
		"longer voice":  {"voice", "media", make([]byte, 2<<20+1), 45001},
		"too big thumb": {"thumb", "media", make([]byte, 64<<10+1), 45001},
		"too big image": {"image", "media", make([]byte, 10<<20+1), 45001},
	} {
		b.wantCode(name, b.upload(c.kind, c.field, c.data), c.want)
	}
	b.wantCode("no media id", b.get(pathMediaGet+"?access_token="+b.token()), 41006)
	b.wantCode("unknown media id", b.get(pathMediaGet+"?media_id=no&access_token="+b.token()), 40007)
	b.clock.Advance(72*time.Hour - time.Second)
	if _, data := fetch(id); !bytes.Equal(data, sample) {
		t.Error("gone before three days")
	}
	b.clock.Advance(time.Second)
	b.wantCode("after three days", b.get(pathMediaGet+"?media_id="+id+"&access_token="+b.token()), 40007)
	if _, err := b.SendImage(ctxOf(t), resident, nil, "x"); err == nil {
		t.Error("an empty photo was sent")
	}
}

func TestMenu(t *testing.T) {
	b := newBench(t)
	key := func(name string) map[string]any { return map[string]any{"type": "click", "name": name, "key": "K"} }
	many := func(n int) (all []any) {
		for range n {
			all = append(all, key("x"))
		}
		return all
	}
	for name, c := range map[string]struct {
		button []any
		want   int
	}{
		"none":             {nil, 40016},
		"four":             {many(4), 40016},
		"six below":        {[]any{map[string]any{"name": "x", "sub_button": many(6)}}, 40023},
		"long name":        {[]any{key("我的进度和心愿")}, 40018},
		"unknown type":     {[]any{map[string]any{"type": "sing", "name": "x"}}, 40017},
		"click, no key":    {[]any{map[string]any{"type": "click", "name": "x"}}, 40019},
		"view, no address": {[]any{map[string]any{"type": "view", "name": "x"}}, 40020},
		"three":            {[]any{key("进度"), key("心愿"), map[string]any{"name": "更多", "sub_button": many(5)}}, 0},
	} {
		b.wantCode(name, b.call(pathMenuCreate, map[string]any{"button": c.button}), c.want)
	}
	out := b.get(pathMenuGet + "?access_token=" + b.token())
	if raw, _ := json.Marshal(out["menu"]); !strings.Contains(string(raw), "更多") {
		t.Errorf("menu %s", raw)
	}
	b.wantCode("delete", b.get(pathMenuDelete+"?access_token="+b.token()), 0)
	b.wantCode("get after delete", b.get(pathMenuGet+"?access_token="+b.token()), 46003)
}

func TestQRCodes(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Limits.PermanentQR = 2 })
	create := func(action string, scene map[string]any) map[string]any {
		return b.call(pathQRCreate, map[string]any{"action_name": action, "expire_seconds": 600, "action_info": map[string]any{"scene": scene}})
	}
	for name, c := range map[string]struct {
		action string
		scene  map[string]any
		want   int
	}{
		"unknown action":     {"QR", map[string]any{"scene_id": 1}, 40097},
		"permanent id 1e5+1": {"QR_LIMIT_SCENE", map[string]any{"scene_id": 100_001}, 40053},
		"id 0":               {"QR_SCENE", map[string]any{"scene_id": 0}, 40053},
		"empty str":          {"QR_LIMIT_STR_SCENE", map[string]any{"scene_str": ""}, 40053},
		"65 characters":      {"QR_STR_SCENE", map[string]any{"scene_str": strings.Repeat("x", 65)}, 40053},
		"64 characters":      {"QR_STR_SCENE", map[string]any{"scene_str": strings.Repeat("x", 64)}, 0},
	} {
		b.wantCode(name, create(c.action, c.scene), c.want)
	}
	permanent := create("QR_LIMIT_STR_SCENE", map[string]any{"scene_str": "b-12<3"})
	ticket, _ := permanent["ticket"].(string)
	if ticket == "" || permanent["expire_seconds"] != nil || permanent["url"] == nil {
		t.Errorf("permanent code %v", permanent)
	}
	temporary := create("QR_STR_SCENE", map[string]any{"scene_str": "t-1"})
	if temporary["expire_seconds"] != json.Number("600") {
		t.Errorf("temporary code %v", temporary)
	}
	must(b.Scan(ctxOf(t), resident, "b-12<3"))(t)
	if got := b.hook.lastOne(t).Msg.Ticket; got != ticket {
		t.Errorf("scanned ticket %q, want %q", got, ticket)
	}
	b.wantCode("second", create("QR_LIMIT_SCENE", map[string]any{"scene_id": 7}), 0)
	b.wantCode("over the number", create("QR_LIMIT_SCENE", map[string]any{"scene_id": 8}), 45029)
	show := func(ticket string) (int, string) {
		req, _ := http.NewRequest(http.MethodGet, b.api.URL+"/cgi-bin/showqrcode", nil)
		q := req.URL.Query()
		q.Set("ticket", ticket)
		req.URL.RawQuery = q.Encode()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer shut(res)
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	if code, body := show(ticket); code != 200 || !strings.Contains(body, "b-12&lt;3") {
		t.Errorf("picture: %d %s", code, body)
	}
	b.clock.Advance(10 * time.Minute)
	if code, _ := show(temporary["ticket"].(string)); code != 404 {
		t.Errorf("an ended code gives %d", code)
	}
}

func TestUserInfo(t *testing.T) {
	b := newBench(t)
	must(b.Scan(ctxOf(t), stranger, "b-9"))(t)
	out := b.get(pathUserInfo + "?openid=" + stranger + "&access_token=" + b.token())
	if out["subscribe"] != json.Number("1") || out["qr_scene_str"] != "b-9" {
		t.Errorf("info %v", out)
	}
	must(b.Unfollow(ctxOf(t), stranger))(t)
	out = b.get(pathUserInfo + "?openid=" + stranger + "&access_token=" + b.token())
	if out["subscribe"] != json.Number("0") || out["qr_scene_str"] != nil {
		t.Errorf("info %v", out)
	}
	b.wantCode("nobody", b.get(pathUserInfo+"?openid=no&access_token="+b.token()), 40003)
}

func TestTyping(t *testing.T) {
	b := newBench(t)
	b.wantCode("typing", b.call(pathCustomTyping, map[string]string{"touser": resident, "command": "Typing"}), 0)
	b.wantCode("dancing", b.call(pathCustomTyping, map[string]string{"touser": resident, "command": "Dance"}), 40097)
	b.wantCode("nobody", b.call(pathCustomTyping, map[string]string{"touser": "no", "command": "Typing"}), 40003)
}
