package wechatsim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// record is one line of the journal: exactly one field is set, and a later
// line about the same thing replaces an earlier one.
type record struct {
	Said   *Said           `json:"said,omitempty"`
	Person *person         `json:"person,omitempty"`
	Media  *mediaFile      `json:"media,omitempty"`
	Code   *sceneCode      `json:"qr,omitempty"`
	Token  *grant          `json:"token,omitempty"`
	Job    *job            `json:"job,omitempty"`
	Menu   json.RawMessage `json:"menu,omitempty"` // {} when it was deleted
	MsgID  int64           `json:"msg_id,omitempty"`
}

// journal appends what changes to journal.jsonl, one write a line, so that a
// killed process loses at most the line it was writing. A nil journal keeps
// nothing.
type journal struct {
	file *os.File
	dir  string
}

const journalName = "journal.jsonl"

// openJournal gives every whole line to replay and cuts off a torn last one.
func openJournal(dir string, replay func(record)) (*journal, error) {
	if err := os.MkdirAll(filepath.Join(dir, mediaDir), 0o700); err != nil {
		return nil, fmt.Errorf("wechatsim: data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, journalName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wechatsim: journal: %w", err)
	}
	good, err := readJournal(file, replay)
	if err == nil {
		err = file.Truncate(good)
	}
	if err == nil {
		_, err = file.Seek(good, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wechatsim: journal: %w", err), file.Close())
	}
	return &journal{file: file, dir: dir}, nil
}

// readJournal gives the length of what could be read. Only the last line may
// be torn; a broken line before it is damage that a person should see.
func readJournal(r io.Reader, replay func(record)) (int64, error) {
	lines := bufio.NewReaderSize(r, 1<<16)
	var good int64
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return good, nil // no newline: torn, or the end
		}
		if err != nil {
			return 0, err
		}
		var rec record
		if err := json.Unmarshal(bytes.TrimSpace(line), &rec); err != nil {
			if _, peek := lines.Peek(1); errors.Is(peek, io.EOF) {
				return good, nil
			}
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
		replay(rec)
		good += int64(len(line))
	}
}

func (j *journal) write(r record) error {
	if j == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

func (j *journal) writeMedia(id string, data []byte) error {
	if j == nil {
		return nil
	}
	return os.WriteFile(filepath.Join(j.dir, mediaDir, id), data, 0o600)
}

func (j *journal) readMedia(id string) ([]byte, error) {
	if j == nil {
		return nil, os.ErrNotExist
	}
	return os.ReadFile(filepath.Join(j.dir, mediaDir, id))
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}
