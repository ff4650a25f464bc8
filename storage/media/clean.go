package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // a kind of picture that residents send
	"image/jpeg"
	"image/png"

	"github.com/disintegration/imaging"
)

// Clean's refusals. They are final: the same data is refused again.
var (
	ErrType = errors.New("media: not a picture, recording or video that may be kept")
	ErrSize = errors.New("media: too large")
)

// The sizes that WeChat takes, in bytes (WeChat: image 10 MB, voice 2 MB,
// video 10 MB), and how many pixels a picture may unpack to.
const (
	maxImage  = 10 << 20
	maxVoice  = 2 << 20
	maxVideo  = 10 << 20
	maxPixels = 40_000_000
	maxSide   = 4096 // larger pictures are scaled down: enough to read a meter by
	quality   = 85
)

// Clean checks data of a kind ("image", "voice", "video") by its content and
// gives what may be kept with its MIME type. Pictures are turned as their
// EXIF says and encoded anew.
func Clean(data []byte, kind string) (clean []byte, mime string, err error) {
	switch kind {
	case "image":
		if len(data) > maxImage {
			return nil, "", ErrSize
		}
		return picture(data)
	case "voice":
		return recording(data, maxVoice, voices)
	case "video":
		return recording(data, maxVideo, videos)
	}
	return nil, "", ErrType
}

// picture never panics, whatever a decoder does with hostile data.
func picture(data []byte) (clean []byte, mime string, err error) {
	defer func() {
		if p := recover(); p != nil {
			clean, mime, err = nil, "", fmt.Errorf("%w: %v", ErrType, p)
		}
	}()
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrType, err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, "", ErrSize
	}
	if format != "jpeg" && format != "png" && format != "gif" {
		return nil, "", ErrType
	}
	img, err := imaging.Decode(bytes.NewReader(data), imaging.AutoOrientation(true))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrType, err)
	}
	if b := img.Bounds(); b.Dx() > maxSide || b.Dy() > maxSide {
		img = imaging.Fit(img, maxSide, maxSide, imaging.Lanczos)
	}
	var out bytes.Buffer
	if format == "jpeg" {
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: quality})
	} else {
		format = "png"
		err = png.Encode(&out, img)
	}
	if err != nil {
		return nil, "", fmt.Errorf("media: %w", err)
	}
	if out.Len() > maxImage {
		return nil, "", ErrSize
	}
	return out.Bytes(), "image/" + format, nil
}

// sign is how a kind of file begins.
type sign struct {
	offset int
	bytes  string
	mime   string
}

var (
	voices = []sign{
		{0, "#!AMR", "audio/amr"},
		{0, "ID3", "audio/mpeg"},
		{0, "\xff\xfb", "audio/mpeg"},
		{0, "\xff\xf3", "audio/mpeg"},
		{0, "\xff\xf2", "audio/mpeg"},
		{0, "Speex", "audio/speex"},
		{28, "Speex", "audio/ogg"},
		{0, "\x02#!SILK", "audio/silk"},
		{0, "#!SILK", "audio/silk"},
	}
	videos = []sign{{4, "ftyp", "video/mp4"}}
)

func recording(data []byte, most int, signs []sign) ([]byte, string, error) {
	if len(data) > most {
		return nil, "", ErrSize
	}
	for _, s := range signs {
		if len(data) >= s.offset+len(s.bytes) && string(data[s.offset:s.offset+len(s.bytes)]) == s.bytes {
			return data, s.mime, nil
		}
	}
	return nil, "", ErrType
}
