// Package assets is the room of the browser files: our own stylesheet and
// scripts beside this file, and in dist those that others make, fetched from npm
// by the lock file when the binary is built (`make assets`). It serves them under
// names that hold a hash of their content, so that browsers keep them for ever.
//
// What must never come in: anything that differs from one person or community to
// the next, and copies of others' files in the repository.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed *.css *.js *.svg all:dist
var files embed.FS

// Files are the browser files by their names, such as "desk.css".
type Files struct {
	named  map[string]file   // by their names in the address, with the hash
	places map[string]string // address by name
}

type file struct {
	name string
	data []byte
}

// others are the files that npm brings; without them the pages cannot be shown.
var others = []string{"weui.min.css", "htmx.min.js", "echarts.simple.min.js"}

// Prefix is where the files are served.
const Prefix = "/assets/"

// Load gives the files of this build. It fails where those of others were not
// fetched before the build.
func Load() (*Files, error) {
	f := &Files{named: map[string]file{}, places: map[string]string{}}
	err := fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(p)
		if err != nil {
			return err
		}
		name := path.Base(p)
		sum := sha256.Sum256(data)
		ext := path.Ext(name)
		hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		f.named[hashed] = file{name, data}
		f.places[name] = Prefix + hashed
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	var missing []error
	for _, name := range others {
		if f.places[name] == "" {
			missing = append(missing, errors.New(name))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("assets: this build lacks browser files, build it by `make build`: %w", errors.Join(missing...))
	}
	return f, nil
}

// Path is the address of a file; "" where there is none of that name.
func (f *Files) Path(name string) string { return f.places[name] }

// Text is a file's content, for pages that must stand alone.
func (f *Files) Text(name string) string {
	return string(f.named[strings.TrimPrefix(f.places[name], Prefix)].data)
}

// ServeHTTP serves a file; browsers keep it for a year.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, ok := f.named[strings.TrimPrefix(r.URL.Path, Prefix)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, found.name, time.Time{}, bytes.NewReader(found.data))
}
