package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wishdesk/wishdesk/configs"
)

func load(t *testing.T, document string, environ ...string) (*Settings, error) {
	t.Helper()
	file := ""
	if document != "" {
		file = filepath.Join(t.TempDir(), "wishdesk.yaml")
		if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(configs.Read("defaults.yaml"), file, environ)
}

func mustLoad(t *testing.T, document string, environ ...string) *Settings {
	t.Helper()
	s, err := load(t, document, environ...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// secretFile is a file as Docker and systemd give secrets.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// good is a file in which nothing is wrong.
const good = `
addr: 10.0.0.1:8080
postgres: postgres://u:pgpass@db/wishdesk
redis: redis://:rdpass@cache:6379/0
log: {level: warn, format: text}
budget: 2500ms
workers: 4
accounts:
  - community: one
    app_id: wx1111111111111111
    app_secret: thesecret
    token: thetoken
    encoding_aes_key: thekey
    previous_aes_key: thekeybefore
    previous_token: thetokenbefore
    mode: safe
    templates:
      work: {id: T1, subscribe: true, fields: {thing1: what}}
  - community: two
`

var (
	fine        = func(Account) error { return nil }
	fineOutside = func(Outside) error { return nil }
)

func TestDefaultsThenFileThenEnvironment(t *testing.T) {
	if got := mustLoad(t, ""); got.Addr != "127.0.0.1:8080" || got.Budget != 3*time.Second || got.Workers != 32 || got.Log != (Log{"info", "json"}) {
		t.Errorf("defaults: %+v", got)
	}
	got := mustLoad(t, good,
		"WISHDESK_WORKERS=16", "WISHDESK_BUDGET=1s", "WISHDESK_LOG_FORMAT=json", "WISHDESK_METRICS_TOKEN=fromenv",
		"WISHDESK_ACCOUNTS_1_APP_ID=wx2222222222222222", "WISHDESK_ACCOUNTS_2_COMMUNITY=three",
		"WISHDESK_ADDR=", "WISHDESK_SIM_ADDR=ignored", "WISHDESK_TEST_POSTGRES=ignored", "HOME=/root", "ADDR=no")
	want := &Settings{
		Addr: "10.0.0.1:8080", Postgres: "postgres://u:pgpass@db/wishdesk", Redis: "redis://:rdpass@cache:6379/0", Data: ".wishdesk",
		Log: Log{"warn", "json"}, MetricsToken: "fromenv", Budget: time.Second, Workers: 16,
		Advisor:     Outside{Timeout: 20 * time.Second, PerDay: 500, Schema: true},
		Transcriber: Outside{Timeout: 20 * time.Second, PerDay: 500},
		Accounts: []Account{
			{
				Community: "one", AppID: "wx1111111111111111", AppSecret: "thesecret", Token: "thetoken", EncodingAESKey: "thekey",
				PreviousAESKey: "thekeybefore", PreviousToken: "thetokenbefore", Mode: "safe",
				Templates: map[string]Template{"work": {ID: "T1", Subscribe: true, Fields: map[string]string{"thing1": "what"}}},
			},
			{Community: "two", AppID: "wx2222222222222222"},
			{Community: "three"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() })); diff != "" {
		t.Error(diff)
	}
	if err := got.Check(fine, fineOutside); err != nil {
		t.Error(err)
	}
}

func TestOutside(t *testing.T) {
	key := secretFile(t, "from-a-file\n")
	s := mustLoad(t, "advisor: {url: 'https://a/v1', model: m, key_file: "+key+", schema: false}\n",
		"WISHDESK_TRANSCRIBER_URL=http://b/v1", "WISHDESK_TRANSCRIBER_KEY=direct", "WISHDESK_TRANSCRIBER_PER_DAY=7", "WISHDESK_ADVISOR_TIMEOUT=5s")
	a, tr := s.Advisor, s.Transcriber
	if a.URL != "https://a/v1" || a.Key.Reveal() != "from-a-file" || a.Model != "m" || a.Schema || a.Timeout != 5*time.Second || a.PerDay != 500 {
		t.Errorf("advisor %+v, key %s", a, a.Key.Reveal())
	}
	if tr.URL != "http://b/v1" || tr.Key.Reveal() != "direct" || tr.PerDay != 7 || tr.Timeout != 20*time.Second {
		t.Errorf("transcriber %+v", tr)
	}
	for _, bad := range []string{"advisor: {colour: red}", "transcriber: {schema: true}", "advisor: [a]", "advisor: {key: a, key_file: " + key + "}"} {
		if _, err := load(t, bad); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}
	if _, err := load(t, "", "WISHDESK_ADVISOR_COLOUR=red"); err == nil {
		t.Error("accepted an unknown variable")
	}
}

func TestSecretsFromFiles(t *testing.T) {
	a, b, c := secretFile(t, "from-a\n"), secretFile(t, "from-b\r\n"), secretFile(t, "postgres://from-c/db")
	s := mustLoad(t, "postgres_file: "+c+"\naccounts:\n  - {community: one, app_secret_file: "+a+", token: inline}\n",
		"WISHDESK_ACCOUNTS_0_TOKEN_FILE="+b)
	if got := s.Postgres.Reveal(); got != "postgres://from-c/db" {
		t.Error(got)
	}
	if got := s.Accounts[0].AppSecret.Reveal(); got != "from-a" {
		t.Error(got)
	}
	if got := s.Accounts[0].Token.Reveal(); got != "from-b" {
		t.Errorf("the environment's file should win over the file's value, have %q", got)
	}
	s = mustLoad(t, "accounts:\n  - {app_secret_file: "+a+"}\n", "WISHDESK_ACCOUNTS_0_APP_SECRET=direct")
	if got := s.Accounts[0].AppSecret.Reveal(); got != "direct" {
		t.Errorf("the environment's value should win over the file's file, have %q", got)
	}

	for name, c := range map[string]struct {
		document string
		environ  []string
		says     []string
	}{
		"both ways": {
			document: "accounts:\n  - {app_secret: x, app_secret_file: " + a + "}\n",
			says:     []string{"accounts[0].app_secret_file (WISHDESK_ACCOUNTS_0_APP_SECRET_FILE)", "accounts[0].app_secret"},
		},
		"both ways in the environment": {
			environ: []string{"WISHDESK_REDIS=redis://x", "WISHDESK_REDIS_FILE=" + a},
			says:    []string{"redis_file (WISHDESK_REDIS_FILE)"},
		},
		"no such file": {
			environ: []string{"WISHDESK_METRICS_TOKEN_FILE=/nowhere/token"},
			says:    []string{"metrics_token_file (WISHDESK_METRICS_TOKEN_FILE)", "/nowhere/token"},
		},
		"too large": {
			environ: []string{"WISHDESK_POSTGRES_FILE=" + secretFile(t, strings.Repeat("x", secretLimit+1))},
			says:    []string{"postgres_file (WISHDESK_POSTGRES_FILE)", "too large"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.document, c.environ...)
			mustSay(t, err, c.says...)
		})
	}
}

func mustSay(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	for document, says := range map[string]string{
		"adr: x\n":                                     "adr is not a setting",
		"log: {levl: x}\n":                             "log.levl is not a setting",
		"log: text\n":                                  "log: want names and values",
		"accounts: yes\n":                              "accounts: want a list",
		"accounts: [{appid: x}]\n":                     "accounts[0].appid is not a setting",
		"accounts: [{}, {templates: {x: {}}}]\n":       "accounts[1].templates.x is not a setting",
		"accounts: [{templates: {work: {idd: x}}}]\n":  "accounts[0].templates.work.idd is not a setting",
		"addr: a\nbudgett: b\nworker: c\n":             "worker is not a setting",
		"workers: many\n":                              "workers",
		"budget: soon\n":                               "budget",
		"accounts: [{templates: {work: {fields: 3}}}]": "fields",
		"addr: [\n":                                    "is not YAML: see line",
	} {
		_, err := load(t, document)
		mustSay(t, err, says)
	}
	for _, name := range []string{
		"WISHDESK_ADR", "WISHDESK_LOG", "WISHDESK_LOG_COLOUR", "WISHDESK_ACCOUNTS", "WISHDESK_ACCOUNTS_0", "WISHDESK_ACCOUNTS_X_TOKEN",
		"WISHDESK_ACCOUNTS_0_TEMPLATES", "WISHDESK_ACCOUNTS_-1_TOKEN", "WISHDESK_ACCOUNTS_1000_TOKEN", "WISHDESK_DATA_FILE",
	} {
		_, err := load(t, "", name+"=secretvalue")
		mustSay(t, err, name)
		if strings.Contains(err.Error(), "secretvalue") {
			t.Errorf("the value is told: %v", err)
		}
	}
	if _, err := Load(configs.Read("defaults.yaml"), "/nowhere/wishdesk.yaml", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestEachBadValueNamesItsSetting(t *testing.T) {
	mustSay(t, mustLoad(t, "").Check(fine, fineOutside), "postgres (WISHDESK_POSTGRES)", "redis (WISHDESK_REDIS)", "accounts (WISHDESK_ACCOUNTS)")
	lame := func(o Outside) error {
		if o.Model == "" {
			return errors.New("model: want one")
		}
		return nil
	}
	refused := func(Account) error { return errors.Join(errors.New("app_id: no"), errors.New("token: neither")) }
	for name, c := range map[string]struct {
		spoil   func(*Settings)
		account func(Account) error
		says    []string
	}{
		"addr":       {func(s *Settings) { s.Addr = "8080" }, fine, []string{"addr (WISHDESK_ADDR)", `"8080"`}},
		"public_url": {func(s *Settings) { s.PublicURL = "https://h/path" }, fine, []string{"public_url (WISHDESK_PUBLIC_URL)", "/path"}},
		"postgres":   {func(s *Settings) { s.Postgres = "mysql://u:hush@h/d" }, fine, []string{"postgres (WISHDESK_POSTGRES)"}},
		"redis":      {func(s *Settings) { s.Redis = "redis://a,hush:6379" }, fine, []string{"redis (WISHDESK_REDIS)"}},
		"data":       {func(s *Settings) { s.Data = "" }, fine, []string{"data (WISHDESK_DATA)"}},
		"log.level":  {func(s *Settings) { s.Log.Level = "loud" }, fine, []string{"log.level (WISHDESK_LOG_LEVEL)", "loud"}},
		"log.format": {func(s *Settings) { s.Log.Format = "xml" }, fine, []string{"log.format (WISHDESK_LOG_FORMAT)", "xml"}},
		"budget":     {func(s *Settings) { s.Budget = 5 * time.Second }, fine, []string{"budget (WISHDESK_BUDGET)", "5s"}},
		"too soon":   {func(s *Settings) { s.Budget = time.Millisecond }, fine, []string{"budget (WISHDESK_BUDGET)", "1ms"}},
		"workers":    {func(s *Settings) { s.Workers = 0 }, fine, []string{"workers (WISHDESK_WORKERS)"}},
		"accounts":   {func(s *Settings) { s.Accounts = nil }, fine, []string{"accounts (WISHDESK_ACCOUNTS)"}},
		"twice":      {func(s *Settings) { s.Accounts[1].Community = "one" }, fine, []string{"accounts[1].community (WISHDESK_ACCOUNTS_1_COMMUNITY)", `"one"`}},
		"advisor":    {func(s *Settings) { s.Advisor.URL = "https://a" }, fine, []string{"advisor.model (WISHDESK_ADVISOR_MODEL): want one"}},
		"per day": {func(s *Settings) { s.Transcriber = Outside{URL: "https://a", Model: "m"} }, fine,
			[]string{"transcriber.per_day (WISHDESK_TRANSCRIBER_PER_DAY)"}},
		"an account": {func(*Settings) {}, refused, []string{
			"accounts[0].app_id (WISHDESK_ACCOUNTS_0_APP_ID): no", "accounts[1].token (WISHDESK_ACCOUNTS_1_TOKEN): neither",
		}},
		"all at once": {
			func(s *Settings) { s.Addr, s.Workers, s.Log.Level = "", -1, "" }, refused,
			[]string{"addr (", "workers (", "log.level (", "accounts[0].app_id (", "accounts[1].token ("},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustLoad(t, good)
			c.spoil(s)
			err := s.Check(c.account, lame)
			mustSay(t, err, c.says...)
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("a secret is told: %v", err)
			}
		})
	}
}

// Whatever prints settings, no secret is in it.
func TestSecretsArePrintedNowhere(t *testing.T) {
	s := mustLoad(t, good, "WISHDESK_METRICS_TOKEN=themetricstoken", "WISHDESK_ADVISOR_KEY=theadvisorkey", "WISHDESK_TRANSCRIBER_KEY=thetranscriberkey")
	var log bytes.Buffer
	for _, format := range []string{"json", "text"} {
		l := Log{Level: "debug", Format: format}.Logger(&log)
		l.Info("all", "settings", s, "postgres", s.Postgres, "accounts", s.Accounts, "account", s.Accounts[0])
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(data)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed += fmt.Sprintf(verb, *s) + fmt.Sprintf(verb, s.Accounts) + fmt.Sprintf(verb, s.Accounts[0].AppSecret)
	}
	for _, secret := range []string{
		"pgpass", "rdpass", "thesecret", "thetoken", "thekey", "thekeybefore", "thetokenbefore", "themetricstoken", "theadvisorkey", "thetranscriberkey",
	} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%d", []byte(secret))} {
			if strings.Contains(printed, form) {
				t.Errorf("%s is printed as %s", secret, form)
			}
		}
	}
	for _, shown := range []string{"(set)", "wx1111111111111111"} {
		if !strings.Contains(printed, shown) {
			t.Errorf("%s is not printed", shown)
		}
	}
}

// A line of the file that cannot be read may hold a secret.
func TestBrokenFileDoesNotTellItsLines(t *testing.T) {
	for _, document := range []string{
		"postgres: hush\n  token: hush: hush\n", "accounts:\n  - {app_secret: hush\n", "workers: hush\n", "budget: hush\n",
		"accounts:\n  - {token: {hush: hush}}\n", "accounts: [{templates: {work: {fields: [hush]}}}]\n", "log: {level: [hush]}\n",
	} {
		if _, err := load(t, document); err == nil {
			t.Errorf("accepted:\n%s", document)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%q tells %v", document, err)
		}
	}
}

// The example is a file that can be used: every name in it is a setting.
func TestTheExampleHoldsEverySetting(t *testing.T) {
	s := mustLoad(t, string(configs.Read("example.yaml")))
	if len(s.Accounts) != 1 || s.Accounts[0].Mode != "safe" || len(s.Accounts[0].Templates) != 2 {
		t.Errorf("%+v", s)
	}
	if err := s.Check(fine, fineOutside); err != nil {
		t.Error(err)
	}
	for _, names := range append(slices.Collect(maps.Values(sections)), topNames, accountNames, templateNames) {
		for _, name := range names {
			if strings.HasSuffix(name, inFile) {
				name = inFile
			}
			if !strings.Contains(strings.ToLower(string(configs.Read("example.yaml"))), name) {
				t.Errorf("configs/example.yaml lacks %s", name)
			}
		}
	}
}
