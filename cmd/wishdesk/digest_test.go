package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

func TestDigestCommand(t *testing.T) {
	env, _ := demoStores(t)
	week := digest.WeekOf(time.Now(), time.FixedZone("", 8*3600)).String()
	path := writeTable(t, []string{"姓名", "内容"}, []string{"王桂英", "想学用智能手机"})
	if status, out := both(t, env, "import", path, "--community", demo.Community); status != 0 {
		t.Fatal(out)
	}
	status, out := both(t, env, "digest", "--community", demo.Community, "--week", week)
	if status != 0 || !strings.Contains(out, "北村") && !strings.Contains(out, week) || !strings.Contains(out, "新心愿") {
		t.Errorf("text: %d\n%s", status, out)
	}
	status, out = both(t, env, "digest", "--community", demo.Community, "--week", week, "--format", "json")
	var d digest.Digest
	if err := json.Unmarshal([]byte(out), &d); status != 0 || err != nil || d.Now.Wishes != 1 || len(d.Sentences) == 0 {
		t.Errorf("JSON: %d %v\n%s", status, err, out)
	}
	for format, begins := range map[string]string{"xlsx": "PK", "html": "<!doctype html>"} {
		file := filepath.Join(t.TempDir(), "week."+format)
		if status, out := both(t, env, "digest", "--community", demo.Community, "--week", week, "--format", format, "--out", file); status != 0 {
			t.Errorf("%s: %s", format, out)
		}
		data, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(data), begins) {
			t.Errorf("%s: %v %.40s", format, err, data)
		}
	}
	for _, bad := range [][]string{{"--week", "2026-47"}, {"--week", "2026-W99"}, {"--sent"}, {"--format", "pdf"}} {
		if status, out := both(t, env, append([]string{"digest", "--community", demo.Community}, bad...)...); status != 2 {
			t.Errorf("%v: status %d\n%s", bad, status, out)
		}
	}
	if status, out := both(t, env, "digest", "--community", "nowhere"); status == 0 {
		t.Errorf("an unknown community: %s", out)
	}
}

func TestHotlineImport(t *testing.T) {
	env, store := demoStores(t)
	form := filepath.Join(t.TempDir(), "hotline.xlsx")
	if status, out := both(t, env, "hotline", "import", "--template", form); status != 0 {
		t.Fatal(out)
	}
	if status, out := both(t, env, "hotline", "import", form, "--community", demo.Community); status != 2 || !strings.Contains(out, "no rows") {
		t.Errorf("the template is no empty table: %d %s", status, out)
	}
	bad := writeTable(t, []string{"工单号", "受理时间", "类别", "内容", "地址"}, []string{"A1", "昨天", "噪音", "", ""}, []string{"", "2026-11-18", "", "", ""})
	if status, out := both(t, env, "hotline", "import", bad, "--community", demo.Community); status != 2 || !strings.Contains(out, "第 2 行「受理时间」") || !strings.Contains(out, "第 3 行「工单号」") {
		t.Errorf("faults: %d\n%s", status, out)
	}
	good := writeTable(t, []string{"工单号", "受理时间", "类别", "内容", "地址"},
		[]string{"A1", "2026/11/18 9:30", "噪音", "广场舞吵", "毕家洼西区12号楼"}, []string{"A2", "2026年11月19日", "", "", ""}, []string{"A1", "2026-11-18", "", "", ""})
	for _, want := range []string{"登记了 2 行;1 行以前就有", "登记了 0 行;3 行以前就有"} {
		if status, out := both(t, env, "hotline", "import", good, "--community", demo.Community); status != 0 || !strings.Contains(out, want) {
			t.Errorf("%d %s, want %s", status, out, want)
		}
	}
	from, until := (digest.Week{Year: 2026, Number: 47}).Range(time.FixedZone("", 8*3600))
	if n, known, err := store.Hotline(t.Context(), demo.Community, from, until); err != nil || n != 2 || !known {
		t.Errorf("kept: %d %v %v", n, known, err)
	}
}

// both runs a command and gives its status with all that it printed.
func both(t *testing.T, env []string, args ...string) (int, string) {
	t.Helper()
	out, errs, status := wishdesk(t, env, "", args...)
	return status, out + errs
}
