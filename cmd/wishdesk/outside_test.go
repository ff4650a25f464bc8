package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/endpoint/standin"
	"github.com/wishdesk/wishdesk/wechatsim"
)

// The settings alone turn on what is asked outside: the served binary ends a
// doubt and hears a recording, behind answers that waited for neither.
func TestOutsideHelp(t *testing.T) {
	s := standin.New(t)
	s.Say(func(string) (string, string) { return "incident:noise", "minor" })
	s.Hear("毕家洼西区十二号楼三单元楼道灯不亮了")
	var p *process
	pg, rd, sim, api := production(t, func() string { return p.addr })
	p = newProcess(t, pg, rd, api.URL)
	p.environ = append(p.environ,
		"WISHDESK_ADVISOR_URL="+s.URL, "WISHDESK_ADVISOR_MODEL=m", "WISHDESK_ADVISOR_KEY=k",
		"WISHDESK_TRANSCRIBER_URL="+s.URL, "WISHDESK_TRANSCRIBER_MODEL=v")
	p.start()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	told := func(openid, what string) {
		t.Helper()
		if _, err := sim.Await(ctx, openid, func(e wechatsim.Entry) bool {
			return e.Channel == wechatsim.ByCustom && strings.Contains(e.HeadContent+e.Text, what)
		}); err != nil {
			t.Errorf("%s was not told %s: %v", openid, what, err)
		}
	}
	if r, err := sim.SendText(ctx, "o-resident-1", "毕家洼西区12号楼3单元老是那样,恁管不管"); err != nil || !strings.Contains(r.Text, "哪一类事") {
		t.Fatalf("%+v %v", r, err)
	}
	told("o-resident-1", "噪音扰民")
	if r, err := sim.SendVoice(ctx, "o-resident-2", silence, ""); err != nil || !strings.Contains(r.Text, "正在听") {
		t.Fatalf("%+v %v", r, err)
	}
	told("o-resident-2", "我听到的是")
	models := map[string]bool{}
	for _, q := range s.Asked() {
		models[q.Model] = true
		if strings.Contains(q.System, "心愿台") != (q.Model == "m") {
			t.Errorf("the instruction of %s: %s", q.Model, q.System)
		}
	}
	if !models["m"] || !models["v"] {
		t.Errorf("asked %v", models)
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}
