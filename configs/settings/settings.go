// Package settings reads and checks how a process runs: defaults, then a
// file, then the environment. Everything wrong is said at once, by the name of
// the setting as it stands in the file and in the environment.
//
// What must never come in: a community's shape or words (those are documents
// of their own), and anything that prints a secret.
package settings

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Settings are all settings of a process.
type Settings struct {
	Addr         string        `koanf:"addr"`       // host:port
	PublicURL    string        `koanf:"public_url"` // where people reach the pages, https://host; "" = no links are sent
	Postgres     Secret        `koanf:"postgres"`   // URL
	Redis        Secret        `koanf:"redis"`      // URL, or several with commas
	Data         string        `koanf:"data"`       // directory of media
	Log          Log           `koanf:"log"`
	MetricsToken Secret        `koanf:"metrics_token"` // "" = anybody may read
	Budget       time.Duration `koanf:"budget"`
	Workers      int           `koanf:"workers"`
	Model        string        `koanf:"model"`           // what messages are understood by; "" = the shipped one
	Advisor      Outside       `koanf:"advisor"`         // a language model, asked where the desk is in doubt
	Transcriber  Outside       `koanf:"transcriber"`     // makes out recordings that WeChat did not
	Proxies      string        `koanf:"trusted_proxies"` // addresses or networks with commas; see TrustedProxies
	Accounts     []Account     `koanf:"accounts"`
}

// TrustedProxies are the proxies whose word on where a request came from is believed.
func (s *Settings) TrustedProxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for one := range strings.FieldsFuncSeq(s.Proxies, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(one)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(one); err != nil {
				return nil, fmt.Errorf("want addresses or networks such as 10.0.0.0/8, have %q", one)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Outside is an endpoint that speaks OpenAI's API; off without a URL.
type Outside struct {
	URL     string        `koanf:"url"`
	Key     Secret        `koanf:"key"`
	Model   string        `koanf:"model"`
	Timeout time.Duration `koanf:"timeout"`
	PerDay  int           `koanf:"per_day"` // questions a day and community
	Schema  bool          `koanf:"schema"`  // the advisor's: it knows JSON schemas
}

// Log says what is logged and how.
type Log struct {
	Level  string `koanf:"level"`  // debug, info, warn, error
	Format string `koanf:"format"` // json, text
}

// Account is one Official Account; see configs/example.yaml.
type Account struct {
	Community      string              `koanf:"community"`
	AppID          string              `koanf:"app_id"`
	AppSecret      Secret              `koanf:"app_secret"`
	Token          Secret              `koanf:"token"`
	EncodingAESKey Secret              `koanf:"encoding_aes_key"`
	PreviousAESKey Secret              `koanf:"previous_aes_key"`
	PreviousToken  Secret              `koanf:"previous_token"`
	Mode           string              `koanf:"mode"`
	Original       string              `koanf:"original"`
	APIBase        string              `koanf:"api_base"`
	Templates      map[string]Template `koanf:"templates"`
}

// Template is a template or subscription message of an account.
type Template struct {
	ID        string            `koanf:"id"`
	Subscribe bool              `koanf:"subscribe"`
	Fields    map[string]string `koanf:"fields"`
}

// Secret is a text that never prints itself.
type Secret string

// String hides the secret; whether one is set may be known.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(set)"
}

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal is the secret itself, for the call that needs it.
func (s Secret) Reveal() string { return string(s) }

const envPrefix = "WISHDESK_"

// envAlone are variables of the environment that are not settings: they steer
// the demo and the tests.
var envAlone = []string{"WISHDESK_SIM_ADDR"}

// Load reads defaults, the file where there is one ("" = none), and the
// environment (as os.Environ gives it). A secret may stand in a file of its
// own, named by the setting with _file behind it. Unknown names are refused.
// It does not check values: see Check.
func Load(defaults []byte, file string, environ []string) (*Settings, error) {
	k := koanf.New(".")
	if err := k.Load(rawbytes.Provider(defaults), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("settings: defaults: %w", err)
	}
	if file != "" {
		data, err := os.ReadFile(file) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
		if err := k.Load(rawbytes.Provider(data), yaml.Parser()); err != nil {
			// The parser's words could quote a secret's line.
			return nil, fmt.Errorf("settings: %s is not YAML: %s", file, lineOf(err))
		}
	}
	tree := k.Raw()
	if err := fromEnvironment(tree, environ); err != nil {
		return nil, err
	}
	if err := known(tree); err != nil {
		return nil, err
	}
	if err := fromFiles(tree); err != nil {
		return nil, err
	}
	k = koanf.New(".")
	if err := k.Load(treeProvider(tree), nil); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	s := &Settings{}
	if err := k.Unmarshal("", s); err != nil {
		return nil, fmt.Errorf("settings: a value has the wrong kind: %s", shape(err))
	}
	return s, nil
}

// treeProvider gives koanf a tree that is made already.
type treeProvider map[string]any

// Read gives the tree.
func (t treeProvider) Read() (map[string]any, error) { return t, nil }

// ReadBytes is not how a tree is read.
func (t treeProvider) ReadBytes() ([]byte, error) { return nil, errors.New("settings: no bytes") }

var yamlLine = regexp.MustCompile(`line \d+`)

func lineOf(err error) string {
	if m := yamlLine.FindString(err.Error()); m != "" {
		return "see " + m
	}
	return "see its syntax"
}

var quoted = regexp.MustCompile(`'([a-z0-9_.\[\]]*)'`)

// shape is which setting could not be read, without its value.
func shape(err error) string {
	var names []string
	for _, m := range quoted.FindAllStringSubmatch(err.Error(), -1) {
		if m[1] != "" && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	if len(names) == 0 {
		return "see configs/example.yaml"
	}
	return strings.Join(names, ", ")
}

// Names of the tree, a list for each of its steps. A secret X may also be
// given as X_file.
var (
	topSecrets     = []string{"postgres", "redis", "metrics_token"}
	accountSecrets = []string{"app_secret", "token", "encoding_aes_key", "previous_aes_key", "previous_token"}

	outsideSecrets = []string{"key"}

	topNames = append(withFiles(topSecrets), "addr", "public_url", "trusted_proxies", "data", "log", "budget", "workers", "model", "advisor", "transcriber", "accounts")
	// sections are the settings that have names of their own below them.
	sections = map[string][]string{
		"log":         {"level", "format"},
		"advisor":     append(withFiles(outsideSecrets), "url", "model", "timeout", "per_day", "schema"),
		"transcriber": append(withFiles(outsideSecrets), "url", "model", "timeout", "per_day"),
	}
	accountNames  = append(withFiles(accountSecrets), "community", "app_id", "mode", "original", "api_base", "templates")
	templateNames = []string{"id", "subscribe", "fields"}
)

const inFile = "_file"

func withFiles(secrets []string) []string {
	names := slices.Clone(secrets)
	for _, name := range secrets {
		names = append(names, name+inFile)
	}
	return names
}

// fromEnvironment puts WISHDESK_… into the tree; an empty variable counts as
// none. It wins over the file, also where the file gives a secret the other
// way (X, X_file).
func fromEnvironment(tree map[string]any, environ []string) error {
	var puts []func()
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		setting, ok := strings.CutPrefix(name, envPrefix)
		if !ok || value == "" || slices.Contains(envAlone, name) || strings.HasPrefix(name, envPrefix+"TEST_") {
			continue
		}
		node, key := find(tree, strings.ToLower(setting))
		if node == nil {
			return fmt.Errorf("settings: %s in the environment is not a setting: see configs/example.yaml", name)
		}
		if other, ok := strings.CutSuffix(key, inFile); ok {
			delete(node, other)
		} else {
			delete(node, key+inFile)
		}
		puts = append(puts, func() { node[key] = value })
	}
	for _, put := range puts {
		put()
	}
	return nil
}

// find gives the step of the tree, made if need be, and the key there of a
// setting named as in the environment (log_level, accounts_0_app_secret); nil
// where there is none of that name.
func find(tree map[string]any, name string) (node map[string]any, key string) {
	for section, names := range sections {
		key, ok := strings.CutPrefix(name, section+"_")
		if !ok || !slices.Contains(names, key) {
			continue
		}
		node, _ := tree[section].(map[string]any)
		if node == nil {
			node = map[string]any{}
			tree[section] = node
		}
		return node, key
	}
	if rest, ok := strings.CutPrefix(name, "accounts_"); ok {
		number, key, _ := strings.Cut(rest, "_")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > maxAccounts || key == "templates" || !slices.Contains(accountNames, key) {
			return nil, ""
		}
		accounts, _ := tree["accounts"].([]any)
		for len(accounts) <= n {
			accounts = append(accounts, map[string]any{})
		}
		account, _ := accounts[n].(map[string]any)
		if account == nil {
			account = map[string]any{}
			accounts[n] = account
		}
		tree["accounts"] = accounts
		return account, key
	}
	if _, section := sections[name]; section || name == "accounts" || !slices.Contains(topNames, name) {
		return nil, ""
	}
	return tree, name
}

// maxAccounts bounds what a slip in a variable's name can make.
const maxAccounts = 999

func given(node map[string]any, key string) bool {
	v, ok := node[key]
	return ok && v != nil && v != ""
}

// secretLimit is far more than any secret has, in bytes.
const secretLimit = 64 << 10

// fromFiles puts what X_file names in the place of X.
func fromFiles(tree map[string]any) error {
	var errs []error
	read := func(prefix string, node map[string]any, secrets []string) {
		for _, name := range secrets {
			path := node[name+inFile]
			delete(node, name+inFile)
			if path == nil || path == "" {
				continue
			}
			setting := prefix + name + inFile + " (" + envName(prefix+name+inFile) + ")"
			if given(node, name) {
				errs = append(errs, fmt.Errorf("settings: %s: %s stands beside it, want one of the two", setting, name))
				continue
			}
			data, err := os.ReadFile(fmt.Sprint(path))
			if err != nil {
				errs = append(errs, fmt.Errorf("settings: %s: %w", setting, err))
				continue
			}
			if len(data) > secretLimit {
				errs = append(errs, fmt.Errorf("settings: %s: %v is too large for a secret", setting, path))
				continue
			}
			node[name] = strings.TrimRight(string(data), "\r\n")
		}
	}
	read("", tree, topSecrets)
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		if node, ok := tree[section].(map[string]any); ok && section != "log" {
			read(section+".", node, outsideSecrets)
		}
	}
	accounts, _ := tree["accounts"].([]any)
	for i, a := range accounts {
		if account, ok := a.(map[string]any); ok {
			read(fmt.Sprintf("accounts[%d].", i), account, accountSecrets)
		}
	}
	return errors.Join(errs...)
}

// envName is the environment's name of a setting of the file.
func envName(setting string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "[", "_", "]", "").Replace(setting))
}

// known refuses names that are no settings: a slip must not pass in silence.
func known(tree map[string]any) error {
	var errs []error
	check := func(prefix string, node any, names []string) map[string]any {
		m, ok := node.(map[string]any)
		if node != nil && !ok {
			errs = append(errs, fmt.Errorf("settings: %s: want names and values", strings.TrimSuffix(prefix, ".")))
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !slices.Contains(names, name) {
				errs = append(errs, fmt.Errorf("settings: %s%s is not a setting", prefix, name))
			}
		}
		return m
	}
	check("", tree, topNames)
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		check(section+".", tree[section], sections[section])
	}
	accounts, ok := tree["accounts"].([]any)
	if tree["accounts"] != nil && !ok {
		errs = append(errs, errors.New("settings: accounts: want a list"))
	}
	for i, a := range accounts {
		prefix := fmt.Sprintf("accounts[%d].", i)
		m := check(prefix, a, accountNames)
		templates := check(prefix+"templates.", m["templates"], []string{"work", "notice"})
		for name, t := range templates {
			check(prefix+"templates."+name+".", t, templateNames)
		}
	}
	return errors.Join(errs...)
}

// Check tells everything that is wrong with the settings of a server. account
// checks one account's fields by their names, outside an endpoint's.
func (s *Settings) Check(account func(Account) error, outside func(Outside) error) error {
	var errs []error
	fail := func(name, format string, a ...any) {
		errs = append(errs, fmt.Errorf("%s (%s): %s", name, envName(name), fmt.Sprintf(format, a...)))
	}
	if _, _, err := net.SplitHostPort(s.Addr); err != nil {
		fail("addr", "want host:port, have %q", s.Addr)
	}
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			fail("public_url", "want https://host without a path, have %q", s.PublicURL)
		}
	}
	if _, err := s.TrustedProxies(); err != nil {
		fail("trusted_proxies", "%v", err)
	}
	if !strings.HasPrefix(s.Postgres.Reveal(), "postgres://") && !strings.HasPrefix(s.Postgres.Reveal(), "postgresql://") {
		fail("postgres", "want postgres://user@host/database")
	}
	for _, u := range strings.Split(s.Redis.Reveal(), ",") {
		if !strings.HasPrefix(u, "redis://") && !strings.HasPrefix(u, "rediss://") && !strings.HasPrefix(u, "unix://") {
			fail("redis", "want redis://host:6379/0 or unix:///path.sock")
			break
		}
	}
	if s.Data == "" {
		fail("data", "want a directory for photos and recordings")
	}
	if _, err := s.Log.level(); err != nil {
		fail("log.level", "want debug, info, warn or error, have %q", s.Log.Level)
	}
	if s.Log.Format != "json" && s.Log.Format != "text" {
		fail("log.format", "want json or text, have %q", s.Log.Format)
	}
	if s.Budget < 100*time.Millisecond || s.Budget > 3500*time.Millisecond {
		fail("budget", "want 100ms to 3.5s (WeChat waits 5 s, and the stores get a second of it), have %s", s.Budget)
	}
	if s.Workers < 4 || s.Workers > 256 {
		fail("workers", "want 4 to 256 (two may wait for something outside), have %d", s.Workers)
	}
	for name, o := range map[string]Outside{"advisor": s.Advisor, "transcriber": s.Transcriber} {
		if o.URL == "" {
			continue
		}
		if o.PerDay < 1 {
			fail(name+".per_day", "want 1 or more, have %d", o.PerDay)
		}
		for _, err := range flat(outside(o)) {
			field, want, _ := strings.Cut(err.Error(), ": ")
			fail(name+"."+field, "%s", want)
		}
	}
	if len(s.Accounts) == 0 {
		fail("accounts", "want at least one Official Account")
	}
	seen := map[string]bool{}
	for i, a := range s.Accounts {
		prefix := fmt.Sprintf("accounts[%d].", i)
		if seen[a.Community] {
			fail(prefix+"community", "%q stands twice", a.Community)
		}
		seen[a.Community] = true
		for _, err := range flat(account(a)) {
			name, want, _ := strings.Cut(err.Error(), ": ")
			fail(prefix+name, "%s", want)
		}
	}
	return errors.Join(errs...)
}

// flat is the errors that errors.Join joined.
func flat(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

func (l Log) level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(l.Level))
	return level, err
}

// Logger is the log as the settings want it.
func (l Log) Logger(w interface{ Write([]byte) (int, error) }) *slog.Logger {
	level, err := l.level()
	if err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}
