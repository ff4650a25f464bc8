package wechatsim

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

const mediaDir = "media"

// mediaFile is a temporary material: it lives 3 days (WeChat, 临时素材).
type mediaFile struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"` // image, voice, video, thumb
	Name string    `json:"name"`
	Type string    `json:"type"` // Content-Type, told from the bytes
	At   time.Time `json:"at"`
	data []byte    // in memory only without a data directory
}

func (f *mediaFile) path() string { return "/sim/media/" + f.ID }

// mediaSizes are the largest files by kind in bytes (WeChat, 新增临时素材).
var mediaSizes = map[string]int{"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "thumb": 64 << 10}

// storeMedia keeps a file under a new media id.
func (p *Platform) storeMedia(kind, name string, data []byte) (*mediaFile, error) {
	most, known := mediaSizes[kind]
	switch {
	case !known:
		return nil, refuse(40004)
	case len(data) == 0:
		return nil, refuse(41005)
	case len(data) > most:
		return nil, refuse(45001)
	}
	random := make([]byte, 48)
	_, _ = rand.Read(random) // crypto/rand never fails
	f := &mediaFile{
		ID: base64.RawURLEncoding.EncodeToString(random), Kind: kind, Name: path.Base(strings.ReplaceAll(name, `\`, "/")),
		Type: sniff(kind, data), At: p.Clock.Now(),
	}
	if p.journal == nil {
		f.data = data
	} else if err := p.journal.writeMedia(f.ID, data); err != nil {
		return nil, fmt.Errorf("wechatsim: media: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.media[f.ID] = f
	p.keep(record{Media: f})
	return f, nil
}

func sniff(kind string, data []byte) string {
	if kind == "voice" && strings.HasPrefix(string(data), "#!AMR") {
		return "audio/amr"
	}
	return http.DetectContentType(data)
}

// findMedia gives a file that still lives, or nil; the caller holds p.mu.
func (p *Platform) findMedia(id string) *mediaFile {
	f := p.media[id]
	if f == nil || p.Clock.Since(f.At) >= p.Limits.MediaLife {
		return nil
	}
	return f
}

func (p *Platform) mediaBytes(f *mediaFile) ([]byte, error) {
	if f.data != nil {
		return f.data, nil
	}
	return p.journal.readMedia(f.ID)
}

func (p *Platform) serveMediaUpload(c call) (answer, *apiError) {
	if err := c.ParseMultipartForm(maxCallBody); err != nil {
		return answer{}, refuse(41005)
	}
	file, header, err := c.FormFile("media")
	if err != nil {
		return answer{}, refuse(41005)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return answer{}, refuse(41005)
	}
	kind := c.query("type")
	stored, err := p.storeMedia(kind, header.Filename, data)
	var refused *apiError
	if errors.As(err, &refused) {
		return answer{}, refused
	}
	if err != nil {
		return answer{}, refuse(-1)
	}
	return answer{json: map[string]any{"type": kind, "media_id": stored.ID, "created_at": stored.At.Unix()}}, nil
}

// serveMediaGet gives the bytes; of a video it gives the address to fetch it
// from (WeChat, 获取临时素材).
func (p *Platform) serveMediaGet(c call) (answer, *apiError) {
	id := c.query("media_id")
	if id == "" {
		return answer{}, refuse(41006)
	}
	p.mu.Lock()
	f := p.findMedia(id)
	p.mu.Unlock()
	if f == nil {
		return answer{}, refuse(40007)
	}
	if f.Kind == "video" {
		return answer{json: map[string]any{"video_url": "http://" + c.Host + f.path()}}, nil
	}
	data, err := p.mediaBytes(f)
	if err != nil {
		p.Logger.Error("wechatsim: media", "error", err)
		return answer{}, refuse(40007)
	}
	return answer{bytes: data, header: map[string]string{
		"Content-Type":        f.Type,
		"Content-disposition": mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}),
	}}, nil
}
