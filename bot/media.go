package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// MediaStore keeps photos and recordings. Clean takes what is fetched to what
// may be kept: the right type and size, without EXIF; its errors mean that
// the file is refused for good.
type MediaStore interface {
	Clean(data []byte, kind string) (clean []byte, mime string, err error)
	Put(ctx context.Context, community, id string, data []byte) error
	Get(ctx context.Context, community, id string) ([]byte, error)
}

const (
	mediaLives = 72 * time.Hour // WeChat: media are kept for 3 days
	mediaLimit = 10 << 20       // bytes; WeChat: the largest kind is 10 MB
)

// mediaTask fetches one file from WeChat while WeChat still has it.
func (b *Bot) mediaTask(ctx context.Context, community string, t desk.Task) error {
	file, err := b.desk.Journal().Media(ctx, community, t.Key)
	if err != nil || file.Status != desk.MediaOwed {
		return err
	}
	status, mime, size, err := b.fetch(ctx, file)
	if err != nil {
		age := b.desk.Now().Sub(file.CreatedAt)
		if file.Spoken && age >= hearLimit { // its speaker waits no longer
			err = errors.Join(err, b.listened(ctx, file, ""))
		}
		if age < mediaLives {
			return err // again later: WeChat still has it
		}
		status = desk.MediaGone
	}
	mediaFetched.WithLabelValues(community, string(status)).Inc()
	switch {
	case !file.Spoken:
	case status == desk.MediaStored:
		status = desk.MediaUnheard
	default: // before its end is in the record, or a crash between would keep it from the speaker
		if err := b.listened(ctx, file, ""); err != nil {
			return err
		}
	}
	if err := b.desk.Journal().FinishMedia(ctx, community, file.ID, status, mime, size); err != nil || status != desk.MediaUnheard {
		return err
	}
	file.Status = status
	if err := b.desk.Drive().Add(ctx, community, desk.MediaTask(file), false); err != nil {
		b.log.Debug("the sweep queues it", "cause", err)
	}
	return nil
}

func (b *Bot) fetch(ctx context.Context, file desk.MediaFile) (status desk.MediaStatus, mime string, size int64, err error) {
	m, ok := b.o.Messenger(file.Community)
	if !ok {
		return "", "", 0, errors.New("bot: community has no account")
	}
	data, _, err := m.Download(ctx, file.WeChatID, mediaLimit)
	var api *wechat.APIError
	switch {
	case errors.Is(err, wechat.ErrTooLarge):
		return desk.MediaRefused, "", 0, nil
	case errors.As(err, &api) && api.Action() == wechat.MediaGone:
		return desk.MediaGone, "", 0, nil
	case err != nil:
		return "", "", 0, fmt.Errorf("bot: fetch media: %w", err)
	}
	clean, mime, err := b.o.Media.Clean(data, file.Type)
	if err != nil {
		b.log.Warn("media refused", "community", file.Community, "type", file.Type, "cause", err)
		return desk.MediaRefused, "", 0, nil
	}
	if err := b.o.Media.Put(ctx, file.Community, file.ID, clean); err != nil {
		return "", "", 0, fmt.Errorf("bot: keep media: %w", err)
	}
	return desk.MediaStored, mime, int64(len(clean)), nil
}

// errNoPicture: the picture is refused or gone, for good.
var errNoPicture = errors.New("bot: the picture is refused or gone")

// uploaded gives a stored picture to WeChat and returns its media id. A
// picture that is not yet fetched is fetched first.
func (b *Bot) uploaded(ctx context.Context, m Messenger, community, id string) (string, error) {
	file, err := b.desk.Journal().Media(ctx, community, id)
	if err != nil {
		return "", err
	}
	if file.Status == desk.MediaOwed {
		if err := b.mediaTask(ctx, community, desk.Task{Kind: desk.TaskMedia, Key: id}); err != nil {
			return "", err
		}
		if file, err = b.desk.Journal().Media(ctx, community, id); err != nil {
			return "", err
		}
	}
	if file.Status == desk.MediaRefused || file.Status == desk.MediaGone {
		return "", errNoPicture
	}
	data, err := b.o.Media.Get(ctx, community, id)
	if err != nil {
		return "", err
	}
	return m.UploadImage(ctx, id+".jpg", data)
}
