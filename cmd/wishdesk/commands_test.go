package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/endpoint/standin"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// holds checks a text: every one of want, nothing of what follows a "!".
func holds(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if not, ok := strings.CutPrefix(w, "!"); ok == strings.Contains(text, strings.TrimPrefix(w, "!")) {
			t.Errorf("%s:\n%s\nwants %q (absent: %v, %s)", what, text, w, ok, not)
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	out, _, status := wishdesk(t, nil, "", "--help")
	if status != 0 {
		t.Errorf("status %d", status)
	}
	holds(t, "help", out, "serve", "demo", "migrate", "community apply", "community export", "person add", "person list", "invite",
		"menu push", "classify", "model list", "model use", "model end", "doctor", "deadletters", "healthcheck", "version", "--config")
}

func TestUsageErrorsEndWithTwo(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"nonsense"}, "nonsense"},
		{[]string{"serve", "--config", "/nowhere.yaml"}, "/nowhere.yaml"},
		{[]string{"serve"}, "postgres (WISHDESK_POSTGRES)"},
		{[]string{"demo"}, "make run"},
		{[]string{"migrate"}, "WISHDESK_POSTGRES"},
		{[]string{"invite", "张建国"}, "--community"},
		{[]string{"person", "add", "--community", "x", "--name", "y", "--role", "king"}, "role"},
	} {
		_, errs, status := wishdesk(t, nil, "", tt.args...)
		if status != 2 || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: status %d, %q, want 2 and %q", tt.args, status, errs, tt.want)
		}
	}
}

// A community's way from nothing to a bound worker, by the command line.
func TestSetUpACommunity(t *testing.T) {
	url := storetest.Postgres(t)
	cache := storetest.Redis(t)
	env := []string{"WISHDESK_POSTGRES=" + url, "WISHDESK_REDIS=" + cache, "USER=wang"}
	step := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, env, "", args...)
		if status != want {
			t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return out + errs
	}
	holds(t, "before", step(1, "community", "list"), "wishdesk migrate")
	holds(t, "status", step(0, "migrate", "--status"), "pending: ")
	holds(t, "migrate", step(0, "migrate"), "done")
	holds(t, "again", step(0, "migrate"), "up to date")

	file := filepath.Join(t.TempDir(), "c.yaml")
	document := "code: dong\nname: 东院社区\nestates: [{name: 东院, buildings: 4, households: 9}]\ngrids: [{code: G01, name: 第一网格, kind: residential, buildings: '东院:1-4'}]\n"
	must(t, os.WriteFile(file, []byte(document), 0o600))
	holds(t, "dry run", step(0, "community", "apply", file, "--dry-run"), "+ code: dong", "!applied")
	if out := step(0, "community", "list"); strings.Contains(out, "dong") {
		t.Errorf("a dry run applied it: %s", out)
	}
	holds(t, "apply", step(0, "community", "apply", file), "applied as version 1")
	holds(t, "the same", step(0, "community", "apply", file), "nothing changes")
	if out := step(0, "community", "export", "dong"); out != document {
		t.Errorf("export:\n%s", out)
	}
	must(t, os.WriteFile(file, []byte(strings.Replace(document, "东院:1-4", "东院:1-3", 1)), 0o600))
	own := filepath.Join(t.TempDir(), "own.yaml")
	must(t, os.WriteFile(own, []byte(document+"wording: {filed: 好的, push.resovled: x}\ncategories: {pets: {label: 宠物}}\n"), 0o600))
	holds(t, "words of its own", step(2, "community", "apply", own), "wording.filed", "119", "wording.push.resovled", "categories.pets", "!applied")
	holds(t, "a hole", step(2, "community", "apply", file), "grids", "东院 4")

	holds(t, "no such grid", step(2, "person", "add", "--community", "dong", "--name", "张建国", "--role", "worker", "--grid", "G09"), "G09")
	holds(t, "add", step(0, "person", "add", "--community", "dong", "--name", "张建国", "--role", "worker", "--grid", "G01", "--full-time", "--phone", "19912345678"), "invite")
	holds(t, "hours that are none", step(2, "person", "add", "--community", "dong", "--name", "李梅", "--role", "leader", "--hours", "late"), "08:30")
	holds(t, "a leader with hours", step(0, "person", "add", "--community", "dong", "--name", "李梅", "--role", "leader", "--grid", "G01", "--hours", "08:30-17:30", "--days", "1", "--days", "2", "--skill", "drainage"), "person")
	holds(t, "a namesake", step(2, "person", "add", "--community", "dong", "--name", "张建国", "--role", "officer"), "--key")
	holds(t, "to be changed", step(0, "person", "add", "--community", "dong", "--name", "张建国", "--key", "张建国", "--role", "worker", "--grid", "G01", "--full-time", "--phone", "19912345678"), "person")
	holds(t, "list", step(0, "person", "list", "--community", "dong"), "张建国", "worker G01", "199****5678", "not bound", "!19912345678")
	holds(t, "invite", step(0, "invite", "张建国", "--community", "dong"), "绑定")
	holds(t, "nobody", step(2, "invite", "李四", "--community", "dong"), "0 people")
	holds(t, "dead letters", step(0, "deadletters", "--community", "dong"), "none")
	holds(t, "none to retry", step(2, "deadletters", "retry", "7", "--community", "dong"), "no dead letter 7")
	store, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	defer store.Close()
	must(t, store.DeadLetter(t.Context(), "dong", "message", desk.Task{Key: "m:1", Lane: "from:o1", Body: []byte(`{"OpenID": "o1"}`)}.Letter(), "panic", time.Now()))
	holds(t, "one", step(0, "deadletters", "list", "--community", "dong"), "1\t", "message", "panic", "!{")
	holds(t, "retried", step(0, "deadletters", "retry", "1", "--community", "dong"), "queued")
	holds(t, "none again", step(0, "deadletters", "--community", "dong"), "none")
	drive, err := redis.Open(cache, redis.Options{})
	must(t, err)
	defer drive.Close()
	tasks, err := drive.Read(t.Context(), "dong", "test", 5, 0)
	must(t, err)
	if len(tasks) != 1 || tasks[0].Kind != desk.TaskMessage || tasks[0].Key != "m:1" || string(tasks[0].Body) != `{"OpenID": "o1"}` || tasks[0].Lane != "from:o1" {
		t.Errorf("queued: %+v", tasks)
	}

	// All of it stands in the audit log, with who did it.
	holds(t, "a key", step(0, "key", "new", "--community", "dong", "--name", "大屏", "--scope", "read"), "wdk_")
	holds(t, "it ends", step(0, "key", "end", "1", "--community", "dong"), "ended")
	holds(t, "somebody leaves", step(0, "person", "leave", "李梅", "--community", "dong"), "plays no part")
	holds(t, "an administrator", step(0, "person", "add", "--community", "dong", "--name", "钱敏", "--role", "admin"), "person")
	holds(t, "the last one", step(2, "person", "leave", "钱敏", "--community", "dong"), "make another first")
	holds(t, "the last one changed", step(2, "person", "add", "--community", "dong", "--name", "钱敏", "--key", "钱敏", "--role", "volunteer"), "make another first")
	holds(t, "still there", step(0, "person", "list", "--community", "dong"), "钱敏", "admin", "!volunteer")
	all, err := store.AuditLog(t.Context(), "dong", access.Entries{Limit: 100})
	must(t, err)
	var lines []string
	for _, e := range all {
		if !strings.HasPrefix(e.Object, "operator wang") || e.Person != 0 {
			t.Errorf("by nobody: %+v", e)
		}
		lines = append(lines, strings.Join([]string{e.Action, strings.TrimPrefix(e.Object, "operator wang"), string(e.Outcome), e.Reason}, "|"))
	}
	holds(t, "the audit log", strings.Join(lines, "\n"), "community.change||done|version 1", "people.add||done|person 1", "people.look||done|", "people.code|, person 1|done|",
		"failures.retry|, letter 7|refused|not_found", "failures.retry|, letter 1|done|", "key.new||done|api_key 1", "key.end|, api_key 1|done|", "people.leave|, person 101|done|", "people.leave|, person 301|refused|last_admin", "people.add||refused|last_admin", "community.look||done|", "!张建国", "!199")
}

func TestClassifyPrintsALineEach(t *testing.T) {
	out, _, status := wishdesk(t, nil, "毕西12号楼3单元楼道灯不亮了\n你好\n\n", "classify")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != 3 {
		t.Fatalf("status %d, %d lines: %s", status, len(lines), out)
	}
	var c classified
	must(t, json.Unmarshal([]byte(lines[0]), &c))
	if c.Kind != "incident" || c.Category != "facilities" || c.Estate != "毕家洼西区" || c.Building != 12 || c.Unit != 3 || c.Grid != "G01" {
		t.Errorf("classified: %+v", c)
	}
	must(t, json.Unmarshal([]byte(lines[1]), &c))
	if c.Kind != "chat" {
		t.Errorf("classified: %+v", c)
	}
}

func settingsFile(t *testing.T, account string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wishdesk.yaml")
	must(t, os.WriteFile(path, []byte("addr: 127.0.0.1:0\ndata: "+t.TempDir()+"\naccounts:\n  - "+account+"\n"), 0o600))
	return path
}

func TestServeRefusesTheDemosValues(t *testing.T) {
	env := []string{"WISHDESK_POSTGRES=postgres://nobody@127.0.0.1:1/x", "WISHDESK_REDIS=redis://127.0.0.1:1"}
	for name, account := range map[string]string{
		"app id": "{community: a, app_id: " + wechat.DemoAppID + ", app_secret: " + prodSecret + ", token: " + prodToken + ", encoding_aes_key: " + prodKey + ", mode: safe}",
		"token":  "{community: a, app_id: " + prodApp + ", app_secret: " + prodSecret + ", token: " + wechat.DemoToken + ", encoding_aes_key: " + prodKey + ", mode: safe}",
		"key":    "{community: a, app_id: " + prodApp + ", app_secret: " + prodSecret + ", token: " + prodToken + ", encoding_aes_key: " + wechat.DemoEncodingAESKey + ", mode: safe}",
		"before": "{community: a, app_id: " + prodApp + ", app_secret: " + prodSecret + ", token: " + prodToken + ", encoding_aes_key: " + prodKey + ", previous_aes_key: " + wechat.DemoEncodingAESKey + ", mode: safe}",
	} {
		_, errs, status := wishdesk(t, env, "", "serve", "--config", settingsFile(t, account))
		if status != 2 || !strings.Contains(errs, "the demo's published") {
			t.Errorf("%s: status %d, %s", name, status, errs)
		}
	}
}

const goodAccount = "{community: bjw-xiqu, app_id: " + prodApp + ", app_secret: " + prodSecret + ", token: " + prodToken + ", encoding_aes_key: " + prodKey + ", mode: safe, api_base: %s}"

func TestServeRefusesPendingMigrations(t *testing.T) {
	env := []string{"WISHDESK_POSTGRES=" + storetest.Postgres(t), "WISHDESK_REDIS=" + storetest.Redis(t)}
	_, errs, status := wishdesk(t, env, "", "serve", "--config", settingsFile(t, strings.Replace(goodAccount, "%s", `""`, 1)))
	if status != 1 || !strings.Contains(errs, "wishdesk migrate") {
		t.Errorf("status %d, %s", status, errs)
	}
}

func TestDoctorSaysWhatToDo(t *testing.T) {
	sim, err := wechatsim.New(wechatsim.Options{Account: wechatsim.Account{
		AppID: prodApp, AppSecret: prodSecret, Token: prodToken, EncodingAESKey: prodKey, Mode: wechatsim.Safe, WebhookURL: "http://127.0.0.1:1/", Name: "x",
	}})
	must(t, err)
	defer sim.Close()
	api := httptest.NewServer(sim.Handler())
	defer api.Close()
	account := strings.Replace(goodAccount, "%s", api.URL, 1)

	out, _, status := wishdesk(t, []string{"WISHDESK_POSTGRES=postgres://nobody@127.0.0.1:1/x", "WISHDESK_REDIS=redis://127.0.0.1:1"}, "", "doctor", "--config", settingsFile(t, account))
	if status != 1 {
		t.Errorf("broken: status %d", status)
	}
	holds(t, "broken", out, "OK    settings", "FAIL  postgres", "FAIL  redis", "WISHDESK_POSTGRES", "!"+prodSecret, "!"+prodKey)

	env := []string{"WISHDESK_POSTGRES=" + storetest.Postgres(t), "WISHDESK_REDIS=" + storetest.RedisServer(t).URL()}
	out, _, _ = wishdesk(t, env, "", "doctor", "--config", settingsFile(t, account))
	holds(t, "not migrated", out, "FAIL  migrations", "wishdesk migrate")

	wishdesk(t, env, "", "migrate")
	out, errs, status := wishdesk(t, env, "", "doctor", "--config", settingsFile(t, account))
	if status != 0 {
		t.Errorf("good: status %d\n%s%s", status, out, errs)
	}
	holds(t, "good", out, "OK    postgres", "OK    redis", "credentials are good", "WARN  communities", "!FAIL")

	out, _, status = wishdesk(t, env, "", "doctor", "--config", settingsFile(t, strings.Replace(account, prodSecret, strings.Repeat("f", 32), 1)))
	if status != 1 {
		t.Errorf("a wrong secret: status %d", status)
	}
	holds(t, "a wrong secret", out, "FAIL  accounts[0] bjw-xiqu at WeChat", "app_secret", "!"+strings.Repeat("f", 32))

	cluster := storetest.RedisCluster(t).URL()
	out, _, _ = wishdesk(t, append(env, "WISHDESK_REDIS="+cluster), "", "doctor", "--config", settingsFile(t, account))
	holds(t, "a cluster", out, "OK    redis", "3 nodes", "!FAIL")
	node, _, _ := strings.Cut(cluster, ",")
	out, _, _ = wishdesk(t, append(env, "WISHDESK_REDIS="+node), "", "doctor", "--config", settingsFile(t, account))
	holds(t, "one node of it", out, "FAIL  redis", "node of a cluster")
}

// A taxonomy of one's own: trained, measured and used by commands alone.
func TestTrainEvalClassify(t *testing.T) {
	dir := t.TempDir()
	var table strings.Builder
	table.WriteString("label\ttext\n")
	for i := range 12 {
		fmt.Fprintf(&table, "灯\t%d楼的灯不亮了,太黑\n水\t%d楼的水管漏水了\n", i, i)
	}
	file, model := filepath.Join(dir, "own.tsv"), filepath.Join(dir, "own.model")
	must(t, os.WriteFile(file, []byte(table.String()), 0o600))
	step := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, nil, "三楼的灯不亮\n\n", args...)
		if status != want {
			t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return out + errs
	}
	holds(t, "train", step(0, "train", file, "--out", model), "2 labels", "24 samples")
	if out := step(0, "eval", file, "--model", model); !strings.HasSuffix(out, "\naccuracy=1.0000 macro_f1=1.0000\n") || !strings.Contains(out, "truth") {
		t.Errorf("eval:\n%s", out)
	}
	holds(t, "folds", step(0, "eval", file, "--folds", "4"), "accuracy=1.0000")
	lines := strings.Split(strings.TrimSpace(step(0, "classify", "--model", model)), "\n")
	var c classified
	must(t, json.Unmarshal([]byte(lines[0]), &c))
	if len(lines) != 2 || c.Category != "灯" || c.Confidence < 0.5 {
		t.Errorf("classify: %v", lines)
	}

	whole := filepath.Join(dir, "whole.tsv")
	must(t, os.WriteFile(whole, []byte("text\tkind\tcategory\tseverity\testate\tbuilding\tunit\tfloor\troom\tgrid\n"+
		"毕西12号楼3单元402楼道灯不亮了\tincident\tfacilities\tminor\t毕家洼西区\t12\t3\t-\t402\tG01\n着火了\tincident\tsafety\temergency\t-\t-\t-\t-\t-\t-\n"), 0o600))
	holds(t, "the whole understanding", step(0, "eval", whole), "kind=1.0000 severity=1.0000 emergency_recall=1.0000 emergency_precision=1.0000 place=1.0000", "accuracy=1.0000")
	one := filepath.Join(dir, "one.tsv")
	must(t, os.WriteFile(one, []byte("text\tlabel\na\tx\nb\tx\n"), 0o600))
	holds(t, "not enough", step(2, "train", one, "--out", filepath.Join(dir, "none")), "2 to 256")
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a model was left that was not trained")
	}
	holds(t, "a model without labels", step(2, "eval", file), "--model")
	broken := filepath.Join(dir, "broken")
	must(t, os.WriteFile(broken, []byte("no model"), 0o600))
	holds(t, "no model", step(2, "classify", "--model", broken), "no file of models")
	must(t, os.WriteFile(broken, []byte("text\tlabel\na\n"), 0o600))
	holds(t, "a bad line", step(2, "train", broken, "--out", model), "line 2")
}

// What workers said is learnt, and a model that is no better replaces none.
func TestTrainFromCorrections(t *testing.T) {
	url := storetest.Postgres(t)
	env := []string{"WISHDESK_POSTGRES=" + url}
	model := filepath.Join(t.TempDir(), "new.model")
	step := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, env, "", args...)
		if status != want {
			t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return out + errs
	}
	train := []string{"train", "--from-corrections", "--community", "dong", "--out", model}
	holds(t, "without a community", step(2, "train", "--from-corrections", "--out", model), "--community")
	step(0, "migrate")
	document := filepath.Join(t.TempDir(), "c.yaml")
	must(t, os.WriteFile(document, []byte("code: dong\nname: 东院社区\nestates: [{name: 东院, buildings: 4, households: 9}]\ngrids: [{code: G01, name: 第一网格, kind: residential, buildings: '东院:1-4'}]\n"), 0o600))
	step(0, "community", "apply", document)
	holds(t, "none yet", step(2, train...), "0 corrections")

	store, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	defer store.Close()
	keep := func(from int64, text string, category workflow.Category) {
		var ch desk.Change
		ch.Community = "dong"
		for i := range int64(20) {
			ch.Samples = append(ch.Samples, desk.Sample{
				Number: from + i, Text: fmt.Sprintf("%s,%d号楼", text, i), Kind: workflow.Incident, Category: category, Severity: workflow.Minor, By: 1, At: time.Now(),
			})
		}
		must(t, store.Commit(t.Context(), ch))
	}
	keep(1000, "楼道灯坏了", "facilities") // known as it is
	holds(t, "no better", step(1, train...), "no better", "4 held back: the model in use has 4 of them right, the new one 4")
	if _, err := os.Stat(model); err == nil {
		t.Error("a model was left that is no better")
	}
	keep(2000, "嘎啦棚又响了", "parking") // a word of theirs
	holds(t, "better", step(0, train...), "8 held back", "the new one 8")
	out, _, _ := wishdesk(t, nil, "嘎啦棚响\n", "classify", "--model", model)
	holds(t, "learnt", out, "parking")

	holds(t, "kept nowhere", step(2, "train", "--from-corrections", "--community", "dong"), "--keep")
	holds(t, "kept of files", step(2, "train", document, "--keep"), "--keep")
	list := []string{"model", "list", "--community", "dong"}
	holds(t, "no models", step(0, list...), "none")
	holds(t, "kept", step(0, "train", "--from-corrections", "--community", "dong", "--keep"), "kept as version 1", "wishdesk model use 1")
	holds(t, "one", step(0, list...), "8 of 8 right", "not in use", "32 corrections")
	explain := []string{"assign", "explain", "嘎啦棚响,3号楼", "--community", "dong"}
	holds(t, "not in use", step(0, explain...), "!停车管理")
	holds(t, "no such model", step(2, "model", "use", "7", "--community", "dong"), "no model 7")
	holds(t, "used", step(0, "model", "use", "1", "--community", "dong"), "version 1 is in use")
	holds(t, "in use", step(0, list...), "in use since")
	holds(t, "understood", step(0, explain...), "停车管理")
	holds(t, "no better than itself", step(1, "train", "--from-corrections", "--community", "dong", "--keep"), "no better", "the model in use has 8 of them right")
	holds(t, "ended", step(0, "model", "end", "--community", "dong"), "none of its own")
	holds(t, "out of use", step(0, list...), "not in use")
	holds(t, "forgotten", step(0, explain...), "!停车管理")
	all, err := store.AuditLog(t.Context(), "dong", access.Entries{Limit: 100})
	must(t, err)
	kept := slices.IndexFunc(all, func(e access.Entry) bool { return e.Action == "model.train" })
	if kept < 0 || all[kept].Outcome != access.Done || all[kept].Reason != "version 1" {
		t.Errorf("the audit log does not say what was kept: %+v", all)
	}
}

// The doctor asks what is asked outside, and never fails for it: the desk works
// without.
func TestDoctorTriesOutside(t *testing.T) {
	s := standin.New(t)
	s.Say(func(string) (string, string) { return "incident:facilities", "minor" })
	env := []string{
		"WISHDESK_POSTGRES=postgres://nobody@127.0.0.1:1/x", "WISHDESK_REDIS=redis://127.0.0.1:1",
		"WISHDESK_ADVISOR_URL=" + s.URL, "WISHDESK_ADVISOR_MODEL=m", "WISHDESK_TRANSCRIBER_URL=" + s.URL, "WISHDESK_TRANSCRIBER_MODEL=m",
	}
	out, _, _ := wishdesk(t, env, "", "doctor")
	holds(t, "with both", out, "OK    advisor answers", "OK    transcriber answers")
	s.Behave(standin.Failing)
	out, _, _ = wishdesk(t, env, "", "doctor")
	holds(t, "with both failing", out, "WARN  advisor: endpoint: refused: HTTP 500", "WARN  transcriber: endpoint: refused: HTTP 500")
	asked := len(s.Asked())
	out, _, _ = wishdesk(t, env, "", "doctor", "--offline")
	holds(t, "offline", out, "!advisor answers", "!WARN  advisor")
	if len(s.Asked()) != asked {
		t.Error("asked though offline")
	}
	out, _, _ = wishdesk(t, append(env, "WISHDESK_ADVISOR_TIMEOUT=1h"), "", "doctor")
	holds(t, "an hour", out, "advisor.timeout (WISHDESK_ADVISOR_TIMEOUT): want 100ms to 5m")
}

// The menu is that of one community: what it has, and nobody else's.
func TestTheMenuIsTheCommunitys(t *testing.T) {
	env, _ := demoStores(t)
	out, errs, status := wishdesk(t, env, "", "menu", "show", "--community", demo.Community)
	if status != 0 {
		t.Fatal(errs)
	}
	holds(t, "the demo's", out, "我要报事", "积分兑换", "微党课", "物业巡检", "工作人员待办")
	file := filepath.Join(t.TempDir(), "plain.yaml")
	must(t, os.WriteFile(file, []byte("code: plain\nname: 小社区\nestates: [{name: 东园, buildings: 2}]\ngrids: [{code: G1, name: 第一网格, buildings: \"东园:1-2\"}]\n"), 0o600))
	if _, errs, status := wishdesk(t, env, "", "community", "apply", file); status != 0 {
		t.Fatal(errs)
	}
	out, errs, status = wishdesk(t, env, "", "menu", "show", "--community", "plain")
	if status != 0 {
		t.Fatal(errs)
	}
	holds(t, "a small one's", out, "我要报事", "微议题", "!积分", "!党课", "!巡检")
	if _, errs, status := wishdesk(t, env, "", "menu", "show", "--community", "nowhere"); status != 2 {
		t.Errorf("nobody's menu: %d %s", status, errs)
	}
}
