package console

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wishdesk/wishdesk/tables"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// Shelf keeps something for a while between two steps of a form; *redis.Drive is
// one. What is kept there is sealed.
type Shelf interface {
	Keep(ctx context.Context, community, name string, data []byte, ttl time.Duration) error
	// Kept is what was kept; ok is false where it is there no more.
	Kept(ctx context.Context, community, name string) (data []byte, ok bool, err error)
	Discard(ctx context.Context, community, name string) error
}

// Limits of a table that is imported by a page. What is larger the command line
// takes.
const (
	tableBytes    = 5 << 20   // of the file
	tableUnpacked = 100 << 20 // of an .xlsx when unpacked
	tableRows     = 5000
	tableKept     = 15 * time.Minute // between check and entry
)

// importsPage offers the kinds of tables.
type importsPage struct {
	Tables []tables.Kind
	Done   string // what was entered just now, in words
}

// checkedPage says what a table was found to be.
type checkedPage struct {
	Table   tables.Kind
	File    string
	Problem string // why the file is not taken at all
	Checked tables.Checked
	More    int    // faults that are not listed
	Token   string // of the kept file, "" where it cannot be entered
	Rows    int    // how many rows one file may have
}

// imports shows which tables can be imported.
func (c *Console) imports(q *request) error {
	page := importsPage{Tables: tables.Kinds}
	v := q.URL.Query()
	fresh, err := strconv.Atoi(v.Get("fresh"))
	before, errBefore := strconv.Atoi(v.Get("before"))
	if k := tables.Kind(v.Get("done")); slices.Contains(tables.Kinds, k) && err == nil && errBefore == nil {
		key := "import.entered"
		if k != tables.Mailbox {
			key = "import.updated"
		}
		page.Done = q.voice().Say(key, wording.Values{"Entered": max(fresh, 0), "Before": max(before, 0), "Bad": 0})
	}
	return q.show("imports", page)
}

// table is the kind of table that the path names.
func (q *request) table() (tables.Kind, error) {
	k := tables.Kind(q.PathValue("table"))
	if !slices.Contains(tables.Kinds, k) {
		return "", &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such kind of table")}
	}
	return k, nil
}

// importForm gives an empty table to fill in.
func (c *Console) importForm(q *request) error {
	k, err := q.table()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := tables.Template(&b, k); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": q.voice().Say("page.table."+string(k)+".name", nil) + ".xlsx"}))
	_, _ = q.w.Write(b.Bytes())
	return nil
}

// checkImport judges a table that was sent, and keeps it to be entered. Nothing is
// entered.
func (c *Console) checkImport(q *request) error {
	k, err := q.table()
	if err != nil {
		return err
	}
	page := checkedPage{Table: k, Rows: tableRows}
	name, data, err := q.file("table")
	if err != nil {
		return err
	}
	page.File = name
	switch {
	case name == "":
		page.Problem = q.voice().Say("page.problem.no_file", nil)
		return q.render(http.StatusUnprocessableEntity, "imported", page)
	case len(data) > tableBytes:
		page.Problem = q.voice().Say("import.file.size", nil)
		return q.render(http.StatusUnprocessableEntity, "imported", page)
	}
	im := q.importer()
	err = onDisk(data, func(path string) (err error) {
		page.Checked, err = im.Check(q.Context(), k, path)
		return err
	})
	if page.Problem = im.Says(err); err != nil && page.Problem == "" {
		return err
	}
	page.More = page.Checked.Bad - len(page.Checked.Faults)
	if page.Problem != "" || page.Checked.Bad > 0 {
		return q.render(http.StatusUnprocessableEntity, "imported", page)
	}
	page.Token = newToken()
	shelved, err := sealed(q.key(page.Token), q.about(k), append([]byte(name+"\n"), data...))
	if err == nil {
		err = c.o.Shelf.Keep(q.Context(), q.community(), shelf(page.Token), shelved, tableKept)
	}
	if err != nil {
		return fmt.Errorf("console: keeping a table: %w", err)
	}
	return q.show("imported", page)
}

// enterImport enters the very table that was checked.
func (c *Console) enterImport(q *request) error {
	k, err := q.table()
	if err != nil {
		return err
	}
	page := checkedPage{Table: k, Token: q.PostFormValue("token"), Rows: tableRows}
	if !onceForm.MatchString(page.Token) {
		return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("which table?")}
	}
	shelved, ok, err := c.o.Shelf.Kept(q.Context(), q.community(), shelf(page.Token))
	if err != nil {
		return fmt.Errorf("console: a kept table: %w", err)
	}
	var data []byte
	if ok {
		shelved, ok = unsealed(q.key(page.Token), q.about(k), shelved)
		if done, yes := strings.CutPrefix(string(shelved), entered0); ok && yes {
			return q.on(done)
		}
		var head []byte
		head, data, _ = bytes.Cut(shelved, []byte("\n"))
		page.File = string(head)
	}
	if !ok {
		page.Token, page.Problem = "", q.voice().Say("page.problem.table_gone", nil)
		return q.render(http.StatusConflict, "imported", page)
	}
	im := q.importer()
	var entered tables.Entered
	err = onDisk(data, func(path string) (err error) {
		page.Checked, entered, err = im.Enter(q.Context(), k, path, false)
		return err
	})
	if entered.Fresh+entered.Before > 0 || err == nil {
		// What was entered stands in the log also where the rest failed.
		if err := c.o.Record.Audit(context.WithoutCancel(q.Context()), q.community(), access.Entry{
			At: q.now, Person: q.me.ID, Action: "import.entered",
			Object: fmt.Sprintf("%s %s, %d new, %d before", k, c.o.Mask(q.shape.Community, page.File, nil), entered.Fresh, entered.Before),
		}); err != nil {
			return fmt.Errorf("console: audit: %w", err)
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, tables.ErrFaults): // the community has changed since it was checked
		page.Token, page.More = "", page.Checked.Bad-len(page.Checked.Faults)
		return q.render(http.StatusUnprocessableEntity, "imported", page)
	default:
		if page.Problem = im.Says(err); page.Problem == "" {
			c.o.Logger.Error("an import stopped", "community", q.community(), "table", string(k), "cause", err)
			page.Problem = q.voice().Say("page.problem.table_stopped", nil)
		}
		return q.render(http.StatusServiceUnavailable, "imported", page)
	}
	to := q.path("admin/import") + "?" + url.Values{
		"done": {string(k)}, "fresh": {strconv.Itoa(entered.Fresh)}, "before": {strconv.Itoa(entered.Before)},
	}.Encode()
	// In its place stands where it led: the same form again leads there too.
	shelved, err = sealed(q.key(page.Token), q.about(k), []byte(entered0+to))
	if err == nil {
		err = c.o.Shelf.Keep(q.Context(), q.community(), shelf(page.Token), shelved, tableKept)
	}
	if err != nil {
		c.o.Logger.Warn("a table that was entered is kept on", "cause", err) // it runs out by itself, sealed
	}
	return q.on(to)
}

// importer reads tables as who is logged in.
func (q *request) importer() *tables.Importer {
	o := q.console.o
	return &tables.Importer{
		Desk: o.Desk, Record: o.Record, Understander: o.Understander, Shape: q.shape, Actor: q.by(),
		Wording: o.Wording.For(q.shape.Community), Taxonomy: o.Taxonomy.For(q.shape.Community), Most: tableRows, Unpacked: tableUnpacked,
	}
}

// file is a file that came with a form, at most a little more than tableBytes of
// it; its name is "" where none came.
func (q *request) file(field string) (name string, data []byte, err error) {
	if q.MultipartForm == nil || len(q.MultipartForm.File[field]) == 0 {
		return "", nil, nil
	}
	f := q.MultipartForm.File[field][0]
	open, err := f.Open()
	if err != nil {
		return "", nil, fmt.Errorf("console: file: %w", err)
	}
	defer open.Close()
	if data, err = io.ReadAll(io.LimitReader(open, tableBytes+1)); err != nil {
		return "", nil, fmt.Errorf("console: file: %w", err)
	}
	return fileName(f.Filename), data, nil
}

// fileName is a file's name as it is shown and logged.
func fileName(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(filepath.Base(s), ""))
	if r := []rune(s); len(r) > most {
		s = "…" + string(r[len(r)-most:])
	}
	return s
}

// onDisk gives data as a file for as long as f lasts.
func onDisk(data []byte, f func(path string) error) error {
	file, err := os.CreateTemp("", "table-")
	if err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	return f(file.Name())
}

// shelf is the name under which a token's table is kept: who reads it there cannot
// tell the token.
func shelf(token string) string {
	sum := sha256.Sum256([]byte("shelf\x00" + token))
	return hex.EncodeToString(sum[:16])
}

// entered0 begins what is kept of a table that was entered; no file's name does.
const entered0 = "\x00"

// key opens a table: of this form in this session alone.
func (q *request) key(token string) string { return "table\x00" + token + "\x00" + q.token }

// about is what a kept table is: of which community, of which kind.
func (q *request) about(k tables.Kind) string { return q.community() + "\x00" + string(k) }

// sealed closes what is kept so that only who has the key opens it, as what it was
// (AES-256-GCM; a key is used once or twice).
func sealed(key, about string, data []byte) ([]byte, error) {
	box, err := box(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand never fails
	return box.Seal(nonce, nonce, data, []byte(about)), nil
}

// unsealed opens it; ok is false where it is another's, or something else.
func unsealed(key, about string, data []byte) (open []byte, ok bool) {
	box, err := box(key)
	if err != nil || len(data) < box.NonceSize() {
		return nil, false
	}
	open, err = box.Open(nil, data[:box.NonceSize()], data[box.NonceSize():], []byte(about))
	return open, err == nil
}

func box(key string) (cipher.AEAD, error) {
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
