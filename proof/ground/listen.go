package ground

import (
	"context"
	"time"

	"github.com/wishdesk/wishdesk/wechatsim"
)

// Listen gives hear all that is said on every phone of the stand-in, in its order,
// until ctx ends. Between two looks it rests for pause: of many wakes one is enough.
func Listen(ctx context.Context, platform *wechatsim.Platform, pause time.Duration, hear func(wechatsim.Said)) {
	var after int64
	for {
		fresh, more := platform.Since(after)
		for _, said := range fresh {
			after = said.ID
			hear(said)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
