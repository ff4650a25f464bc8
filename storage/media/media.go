// Package media is the room where photos, recordings and videos are kept: a
// directory, one file each, under the community's name. Clean takes what came
// from WeChat to what may be kept: the type that its content shows, within
// WeChat's sizes, pictures decoded and written anew so that no EXIF (places,
// names, cameras) is left.
//
// What must never come in: who sent what (that is the journal's), or the
// network.
package media

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// Directory keeps media as files. It is safe for concurrent use, also by
// several processes.
type Directory struct{ root string }

// Dir gives the store under a path, which is made if it is missing.
func Dir(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return &Directory{root: path}, nil
}

// ErrName means a community or ID that cannot be the name of a file.
var ErrName = errors.New("media: not a name for a file")

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)

func (d *Directory) path(community, id string) (string, error) {
	if !name.MatchString(community) || !name.MatchString(id) {
		return "", ErrName
	}
	return filepath.Join(d.root, community, id), nil
}

// Put stores data under an ID, durably and whole or not at all; the same ID
// again replaces it.
func (d *Directory) Put(_ context.Context, community, id string, data []byte) (err error) {
	path, err := d.path(community, id)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".put-*") // mode 0600
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("media: %w", err)
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // a directory of ours, its name checked
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Get gives what is stored; the error wraps fs.ErrNotExist where nothing is.
func (d *Directory) Get(_ context.Context, community, id string) ([]byte, error) {
	path, err := d.path(community, id)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path) //nolint:gosec // the name is checked
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return data, nil
}

// Delete removes what is stored; nothing there is no error.
func (d *Directory) Delete(_ context.Context, community, id string) error {
	path, err := d.path(community, id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("media: %w", err)
	}
	return nil
}
