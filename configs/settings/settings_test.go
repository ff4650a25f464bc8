package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/configs"
)

func load(t *testing.T, file string, environ ...string) (*Settings, error) {
	t.Helper()
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "wishdesk.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(configs.Read("defaults.yaml"), path, environ)
}

const whole = `
addr: 127.0.0.1:9000
postgres: postgres://u:pg-s3cret@h/db
redis: redis://:rd-s3cret@h:6379/0
accounts:
  - {community: a, app_id: wx1, app_secret: app-s3cret, token: tok-s3cret, encoding_aes_key: key-s3cret, mode: safe,
     templates: {work: {id: T1, fields: {thing2: what}}}}
  - {community: b, app_id: wx2, app_secret: x, token: y, mode: plain}
`

func right(Account) error { return nil }

func TestFileThenEnvironment(t *testing.T) {
	s, err := load(t, whole, "WISHDESK_ADDR=0.0.0.0:80", "WISHDESK_LOG_LEVEL=debug", "WISHDESK_WORKERS=3", "WISHDESK_BUDGET=2s",
		"WISHDESK_ACCOUNTS_1_TOKEN=fromenv", "WISHDESK_ACCOUNTS_2_COMMUNITY=c", "HOME=/root", "WISHDESK_TEST_POSTGRES=x", "WISHDESK_SIM_ADDR=y")
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr != "0.0.0.0:80" || s.Log.Level != "debug" || s.Log.Format != "json" || s.Workers != 3 || s.Budget != 2*time.Second {
		t.Errorf("settings: %+v", s)
	}
	if len(s.Accounts) != 3 || s.Accounts[1].Token.Reveal() != "fromenv" || s.Accounts[0].Token.Reveal() != "tok-s3cret" || s.Accounts[2].Community != "c" {
		t.Errorf("accounts: %d", len(s.Accounts))
	}
	if s.Accounts[0].Templates["work"].Fields["thing2"] != "what" {
		t.Errorf("templates: %+v", s.Accounts[0].Templates)
	}
	if err := s.Check(right); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestExampleIsUnderstood(t *testing.T) {
	s, err := Load(configs.Read("defaults.yaml"), "../example.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(right); err != nil {
		t.Errorf("configs/example.yaml: %v", err)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	bad := errors.Join(errors.New("app_secret: is missing"), errors.New("mode: want plain, compatible or safe"))
	tests := []struct {
		name, file string
		account    error
		want       []string
	}{
		{"nothing", "", nil, []string{"postgres (WISHDESK_POSTGRES)", "redis (WISHDESK_REDIS)", "accounts (WISHDESK_ACCOUNTS)"}},
		{"values", "addr: nowhere\ndata: ''\nlog: {level: loud, format: xml}\nbudget: 9s\nworkers: 0\n", nil,
			[]string{"addr (WISHDESK_ADDR)", "data (WISHDESK_DATA)", "log.level (WISHDESK_LOG_LEVEL)", "log.format (WISHDESK_LOG_FORMAT)", "budget (WISHDESK_BUDGET)", "workers (WISHDESK_WORKERS)"}},
		{"accounts", whole, bad, []string{"accounts[0].app_secret (WISHDESK_ACCOUNTS_0_APP_SECRET): is missing", "accounts[1].mode (WISHDESK_ACCOUNTS_1_MODE)"}},
		{"twice", strings.Replace(whole, "community: b", "community: a", 1), nil, []string{`accounts[1].community (WISHDESK_ACCOUNTS_1_COMMUNITY): "a" stands twice`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := load(t, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Check(func(Account) error { return tt.account })
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v\nwhich lacks %q", err, w)
				}
			}
		})
	}
}

func TestSlipsAreRefused(t *testing.T) {
	for _, tt := range []struct{ file, environ, want string }{
		{"adr: x", "", "adr is not a setting"},
		{"log: {lvl: x}", "", "log.lvl is not a setting"},
		{"accounts: [{secret: x}]", "", "accounts[0].secret is not a setting"},
		{"accounts: [{templates: {other: {id: x}}}]", "", "accounts[0].templates.other is not a setting"},
		{"accounts: 3", "", "accounts: want a list"},
		{"log: loud", "", "log: want names"},
		{"addr: [", "", "is not YAML"},
		{"budget: soon", "", "budget"},
		{"", "WISHDESK_ADRESS=x", "WISHDESK_ADRESS is not a setting"},
		{"", "WISHDESK_ACCOUNTS_X_TOKEN=x", "WISHDESK_ACCOUNTS_X_TOKEN is not a setting"},
		{"", "WISHDESK_ACCOUNTS_0_SECRET=x", "WISHDESK_ACCOUNTS_0_SECRET is not a setting"},
	} {
		_, err := load(t, tt.file, tt.environ)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q %q: %v, want %q", tt.file, tt.environ, err, tt.want)
		}
	}
	if _, err := Load(configs.Read("defaults.yaml"), "/nowhere.yaml", nil); err == nil {
		t.Error("a missing file passes")
	}
}

// However settings are printed, no secret is among it.
func TestSecretsAreNeverPrinted(t *testing.T) {
	s, err := load(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&logged, nil), slog.NewTextHandler(&logged, nil)} {
		slog.New(h).Info("settings", "all", s, "account", s.Accounts[0], "one", s.Postgres)
	}
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Postgres = "mysql://pg-s3cret"
	s.Redis = "rd-s3cret"
	printed := logged.String() + string(asJSON) + fmt.Sprint(s) + fmt.Sprintf("%v %+v %#v", *s, *s, *s) + fmt.Sprint(s.Check(right))
	_, err = load(t, "accounts: [{token: [tok-s3cret]}]")
	printed += fmt.Sprint(err)
	_, err = load(t, "postgres: \"pg-s3cret\n  x: : y")
	printed += fmt.Sprint(err)
	if i := strings.Index(printed, "s3cret"); i >= 0 {
		t.Errorf("a secret is printed: …%s…", printed[max(0, i-60):i+6])
	}
	if !strings.Contains(printed, "(set)") {
		t.Error("nothing was printed: the test has gone blind")
	}
}
