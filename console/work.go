package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// deskWork is a change in the making.
type deskWork = desk.Work

// maxTurns bounds how often a change is decided again.
const maxTurns = 12

// work decides and commits one change, and leads to where decide says; where somebody
// else changed the same things meanwhile it is decided again on what is true then.
// The same form sent twice is done once (see doneBefore).
func (q *request) work(decide func(*deskWork) (to string, err error)) error {
	id, err := q.once()
	if err != nil {
		return err
	}
	for try := range maxTurns {
		w, err := q.console.o.Desk.Begin(q.community(), try > 0)
		if err != nil {
			return err
		}
		to, err := decide(w)
		if err != nil {
			return err
		}
		w.Change.Delivery = &desk.Delivery{ID: id, Person: q.me.ID, Type: "event:page", Reply: to, At: q.now}
		if err = w.Commit(q.Context()); err == nil {
			return q.on(to)
		}
		if !errors.Is(err, desk.ErrStale) {
			return err
		}
	}
	return fmt.Errorf("console: a ticket keeps changing: %w", desk.ErrStale)
}

// mostOf is how long what somebody writes into a field may be, in signs: what the
// page lets them write, what is checked, and what they are told.
var mostOf = map[string]int{"name": workflow.MostName, "phone": 20, "room": 10, "words": 1000}

// tooLong is the fault of a form with a text that is too long.
func (q *request) tooLong() error {
	for i, s := range q.PostForm["words"] {
		if utf8.RuneCountInString(strings.ReplaceAll(s, "\r\n", "\n")) > mostOf["words"] {
			return &fault{Field: "words", Row: i, Key: "long"}
		}
	}
	return nil
}

// words are what somebody wrote into a field of a form, cut at what a ticket
// keeps of one message.
func (q *request) words(field string) string {
	const most = 2000
	s := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(q.PostFormValue(field), "\r\n", "\n"), ""))
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// maxPhotos is how many photos come with one form.
const maxPhotos = 6

// photos are the photos of a form's field, cleaned and stored; they belong to
// a ticket once attach has put them into its change.
func (q *request) photos(field string) ([]desk.MediaFile, error) {
	if q.MultipartForm == nil {
		return nil, nil
	}
	files := q.MultipartForm.File[field]
	if len(files) > maxPhotos {
		return nil, &workflow.Error{Code: "too_many_photos", Cause: fmt.Errorf("%d photos", len(files))}
	}
	var out []desk.MediaFile
	for _, f := range files {
		m, err := q.upload(f, "image", "not_a_photo")
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// upload is a file of a kind (see MediaStore) as it is stored; refused is the code for
// one that is of another.
func (q *request) upload(f *multipart.FileHeader, kind string, refused workflow.Code) (desk.MediaFile, error) {
	const limit = 10 << 20 // bytes, as WeChat's own
	open, err := f.Open()
	if err != nil {
		return desk.MediaFile{}, fmt.Errorf("console: photo: %w", err)
	}
	defer open.Close()
	data, err := io.ReadAll(io.LimitReader(open, limit+1))
	if err != nil {
		return desk.MediaFile{}, fmt.Errorf("console: photo: %w", err)
	}
	if len(data) > limit {
		return desk.MediaFile{}, &workflow.Error{Code: "too_large", Cause: errors.New("a photo over 10 MB")}
	}
	clean, mime, err := q.console.o.Media.Clean(data, kind)
	if err != nil {
		return desk.MediaFile{}, &workflow.Error{Code: refused, Cause: err}
	}
	sum := sha256.Sum256(append([]byte(newToken()), clean...))
	id := hex.EncodeToString(sum[:12])
	if err := q.console.o.Media.Put(q.Context(), q.community(), id, clean); err != nil {
		return desk.MediaFile{}, fmt.Errorf("console: photo: %w", err)
	}
	q.stored = append(q.stored, id)
	return desk.MediaFile{
		Community: q.community(), ID: id, Person: q.me.ID, Type: kind, Status: desk.MediaStored, MIME: mime, Size: int64(len(clean)), CreatedAt: q.now,
	}, nil
}

// dropPhotos removes the photos that were stored for something that was refused. Of what
// a fault of ours cut off nobody knows whether it was done: they stay.
func (q *request) dropPhotos(why error) {
	if workflow.CodeOf(why) == workflow.CodeBusy && !errors.Is(why, desk.ErrSeen) && !errors.Is(why, desk.ErrStale) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), outcomeTime)
	defer cancel()
	for _, id := range q.stored {
		if err := q.console.o.Media.Delete(ctx, q.community(), id); err != nil {
			q.console.o.Logger.Warn("a photo of a refused form stays", "community", q.community(), "media", id, "cause", err)
		}
	}
	q.stored = nil
}

// attach puts photos into a change and gives them as a command takes them.
func (q *request) attach(w *deskWork, number int64, photos []desk.MediaFile) []workflow.Media {
	for _, p := range photos {
		p.Number = number
		w.Change.Media = append(w.Change.Media, p)
	}
	return q.pictures(photos)
}

// pictures are photos as a command takes them.
func (q *request) pictures(photos []desk.MediaFile) []workflow.Media {
	var out []workflow.Media
	for _, p := range photos {
		out = append(out, workflow.Media{ID: p.ID, Type: p.Type, By: q.me.ID})
	}
	return out
}

// onceForm is what newToken gives.
var onceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{20,64}$`)

// formName is the name of this page's forms, made with the page: by it a form that is
// sent twice is known. A browser that goes back to the page keeps it (desk.js).
func (q *request) formName() string {
	if q.name == "" {
		q.name = newToken()
	}
	return q.name
}

// once is the name of what was sent: of the form, with all that stands in it, so that
// what it makes is made once. Written anew it is something else.
func (q *request) once() (string, error) {
	name := q.PostFormValue("once")
	if !onceForm.MatchString(name) {
		return "", &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("a form without its name")}
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q\n", name, q.URL.Path)
	for _, field := range slices.Sorted(maps.Keys(q.PostForm)) {
		if !slices.Contains(ownFields, field) {
			fmt.Fprintf(sum, "%q %q\n", field, q.PostForm[field])
		}
	}
	if q.MultipartForm != nil {
		for _, field := range slices.Sorted(maps.Keys(q.MultipartForm.File)) {
			for _, f := range q.MultipartForm.File[field] {
				fmt.Fprintf(sum, "%q %q %d\n", field, f.Filename, f.Size)
			}
		}
	}
	return "page:" + q.myself() + ":" + hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// doneBefore leads to where the first of two sendings of the same form led, if this
// is the second: two taps, or a way back.
func (q *request) doneBefore() bool {
	if !q.own {
		return false
	}
	id, err := q.once()
	if err != nil {
		return false
	}
	was, ok, err := q.console.o.Desk.Journal().Delivered(q.Context(), q.community(), id)
	if err != nil || !ok || !strings.HasPrefix(was.Reply, q.path()) {
		return false
	}
	return q.on(was.Reply) == nil
}
