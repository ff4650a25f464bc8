package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirectoryKeepsWholeFiles(t *testing.T) {
	root := t.TempDir()
	d, err := Dir(filepath.Join(root, "media"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, data := range []string{"first", "second"} {
		if err := d.Put(ctx, "bjw-xiqu", "a1b2", []byte(data)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Get(ctx, "bjw-xiqu", "a1b2"); err != nil || string(got) != data {
			t.Fatalf("Get = %q, %v, want %q", got, err, data)
		}
	}
	info, err := os.Stat(filepath.Join(root, "media", "bjw-xiqu", "a1b2"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want 0600", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Join(root, "media", "bjw-xiqu"))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files, %v: want the one and no temporary", len(left), err)
	}
	if err := d.Delete(ctx, "bjw-xiqu", "a1b2"); err != nil {
		t.Error(err)
	}
	if err := d.Delete(ctx, "bjw-xiqu", "a1b2"); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	if _, err := d.Get(ctx, "bjw-xiqu", "a1b2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of nothing = %v", err)
	}
}

func TestDirectoryRefusesNamesThatLeaveIt(t *testing.T) {
	d, err := Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "..", "../x", "a/b", ".hidden", "a\x00b", "a b", strings.Repeat("x", 200)} {
		for _, pair := range [][2]string{{bad, "ok"}, {"ok", bad}} {
			if err := d.Put(t.Context(), pair[0], pair[1], nil); !errors.Is(err, ErrName) {
				t.Errorf("Put(%q, %q) = %v, want ErrName", pair[0], pair[1], err)
			}
			if _, err := d.Get(t.Context(), pair[0], pair[1]); !errors.Is(err, ErrName) {
				t.Errorf("Get(%q, %q) = %v, want ErrName", pair[0], pair[1], err)
			}
			if err := d.Delete(t.Context(), pair[0], pair[1]); !errors.Is(err, ErrName) {
				t.Errorf("Delete(%q, %q) = %v, want ErrName", pair[0], pair[1], err)
			}
		}
	}
}

// photo is a JPEG, left half red, with EXIF that says "turn me by 90 degrees"
// and where it was taken.
func photo(t testing.TB, orientation uint16) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 32))
	for y := range 32 {
		for x := range 64 {
			c := color.RGBA{B: 255, A: 255}
			if x < 32 {
				c = color.RGBA{R: 255, A: 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return append(append([]byte{0xff, 0xd8}, exif(orientation)...), b.Bytes()[2:]...)
}

// exif is an APP1 segment: IFD0 with Orientation (0x0112) and a GPS directory
// (0x8825) that holds a latitude reference.
func exif(orientation uint16) []byte {
	le := binary.LittleEndian
	tiff := []byte("II*\x00\x08\x00\x00\x00")
	entry := func(tag, kind uint16, count, value uint32) []byte {
		e := make([]byte, 12)
		le.PutUint16(e, tag)
		le.PutUint16(e[2:], kind)
		le.PutUint32(e[4:], count)
		le.PutUint32(e[8:], value)
		return e
	}
	tiff = append(tiff, 2, 0)
	tiff = append(tiff, entry(0x0112, 3, 1, uint32(orientation))...)
	gpsAt := uint32(8 + 2 + 2*12 + 4)
	tiff = append(tiff, entry(0x8825, 4, 1, gpsAt)...)
	tiff = append(tiff, 0, 0, 0, 0)
	tiff = append(tiff, 1, 0)
	tiff = append(tiff, entry(0x0001, 2, 2, uint32('N'))...)
	tiff = append(tiff, 0, 0, 0, 0)
	body := append([]byte("Exif\x00\x00"), append(tiff, []byte("GPS 36.6900N 116.9900E")...)...)
	head := []byte{0xff, 0xe1, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(body)+2))
	return append(head, body...)
}

func TestCleanTurnsPicturesAndForgetsWhere(t *testing.T) {
	data := photo(t, 6) // turn clockwise: the left half comes to the top
	if !bytes.Contains(data, []byte("GPS")) || !bytes.Contains(data, []byte("Exif")) {
		t.Fatal("the test's own photo has no EXIF")
	}
	clean, mime, err := Clean(data, "image")
	if err != nil || mime != "image/jpeg" {
		t.Fatalf("Clean = %s, %v", mime, err)
	}
	for _, secret := range []string{"Exif", "GPS", "36.69"} {
		if bytes.Contains(clean, []byte(secret)) {
			t.Errorf("the clean photo still has %q", secret)
		}
	}
	img, err := jpeg.Decode(bytes.NewReader(clean))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 32 || b.Dy() != 64 {
		t.Fatalf("%d by %d, want 32 by 64", b.Dx(), b.Dy())
	}
	r, _, b, _ := img.At(16, 10).RGBA()
	if r < 0x8000 || b > 0x8000 {
		t.Errorf("the top is not red: r %x b %x", r, b)
	}
}

func TestCleanByContent(t *testing.T) {
	var pngData, gifData, big bytes.Buffer
	small := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})
	if err := png.Encode(&pngData, small); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&gifData, small, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&big, image.NewPaletted(image.Rect(0, 0, 9000, 5000), color.Palette{color.Black})); err != nil {
		t.Fatal(err)
	}
	jpegData := photo(t, 1)
	tests := []struct {
		name, kind string
		data       []byte
		mime       string
		err        error
	}{
		{"jpeg", "image", jpegData, "image/jpeg", nil},
		{"png", "image", pngData.Bytes(), "image/png", nil},
		{"gif", "image", gifData.Bytes(), "image/png", nil},
		{"a bomb of pixels", "image", big.Bytes(), "", ErrSize},
		{"too many bytes", "image", make([]byte, maxImage+1), "", ErrSize},
		{"cut off", "image", jpegData[:len(jpegData)/3], "", ErrType},
		{"a page", "image", []byte("<html><script>alert(1)</script>"), "", ErrType},
		{"svg", "image", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "", ErrType},
		{"a recording as a picture", "image", []byte("#!AMR\n123"), "", ErrType},
		{"nothing", "image", nil, "", ErrType},
		{"amr", "voice", []byte("#!AMR\n123"), "audio/amr", nil},
		{"mp3", "voice", []byte("ID3\x04 123"), "audio/mpeg", nil},
		{"speex", "voice", []byte("Speex   1.2"), "audio/speex", nil},
		{"a picture as a recording", "voice", jpegData, "", ErrType},
		{"a long recording", "voice", append([]byte("#!AMR\n"), make([]byte, maxVoice)...), "", ErrSize},
		{"mp4", "video", []byte("\x00\x00\x00\x18ftypmp42"), "video/mp4", nil},
		{"a program as a video", "video", []byte("MZ\x90\x00 ftyp"), "", ErrType},
		{"unknown kind", "file", jpegData, "", ErrType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clean, mime, err := Clean(tt.data, tt.kind)
			if !errors.Is(err, tt.err) || mime != tt.mime || (err == nil) != (len(clean) > 0) {
				t.Errorf("Clean = %d bytes, %q, %v, want %q, %v", len(clean), mime, err, tt.mime, tt.err)
			}
		})
	}
}

// What follows a picture in the file (a polyglot) is not kept.
func TestCleanDropsWhatFollows(t *testing.T) {
	data := append(photo(t, 1), []byte("<script>alert(1)</script>PK\x03\x04")...)
	clean, _, err := Clean(data, "image")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(clean, []byte("script")) || bytes.Contains(clean, []byte("PK\x03\x04")) {
		t.Error("the clean photo has the tail of the polyglot")
	}
}

func FuzzClean(f *testing.F) {
	f.Add(photo(f, 6), "image")
	f.Add([]byte("#!AMR\n"), "voice")
	f.Add([]byte("GIF89a\x01\x00\x01\x00"), "image")
	f.Fuzz(func(t *testing.T, data []byte, kind string) {
		clean, mime, err := Clean(data, kind)
		if (err == nil) != (mime != "") || err != nil && clean != nil {
			t.Fatalf("Clean = %d bytes, %q, %v", len(clean), mime, err)
		}
	})
}
