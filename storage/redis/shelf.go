package redis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Keep keeps something for a while under a name of the caller's, for another
// replica to take up: the second step of a form. It can be lost like all else here,
// and stands in Redis's append-only file: who keeps what others may not read seals
// it before.
func (d *Drive) Keep(ctx context.Context, community, name string, data []byte, ttl time.Duration) error {
	return d.c.Set(ctx, key(community, "shelf", name), data, ttl).Err()
}

// Kept is what was kept; ok is false where it is there no more.
func (d *Drive) Kept(ctx context.Context, community, name string) (data []byte, ok bool, err error) {
	data, err = d.c.Get(ctx, key(community, "shelf", name)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// Discard forgets what was kept.
func (d *Drive) Discard(ctx context.Context, community, name string) error {
	return d.c.Del(ctx, key(community, "shelf", name)).Err()
}
