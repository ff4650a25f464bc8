package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestClusterSharesTheSlotsAndMovesThem(t *testing.T) {
	c := RedisCluster(t)
	options := &redis.ClusterOptions{}
	for _, u := range strings.Split(c.URL(), ",") {
		one, err := redis.ParseURL(u)
		if err != nil {
			t.Fatal(err)
		}
		options.Addrs = append(options.Addrs, one.Addr)
	}
	client := redis.NewClusterClient(options)
	t.Cleanup(func() { _ = client.Close() })
	holders := map[*Server]bool{}
	for i := range 100 {
		key := fmt.Sprintf("{%d}", i)
		holders[c.Holder(key)] = true
		if err := client.Set(t.Context(), key, i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if len(holders) != masters {
		t.Errorf("%d nodes hold keys, want %d", len(holders), masters)
	}

	for i := range 10 {
		if err := client.Set(t.Context(), fmt.Sprintf("{7}%d", i), "there", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	held := func() {
		t.Helper()
		for i := range 10 {
			if v, err := client.Get(t.Context(), fmt.Sprintf("{7}%d", i)).Result(); err != nil || v != "there" {
				t.Errorf("key %d: %q, %v", i, v, err)
			}
		}
	}
	before := c.Holder("{7}")
	c.Move("{7}", held)
	held()
	if c.Holder("{7}") == before {
		t.Error("the slot did not move")
	}

	before = c.Holder("{7}")
	before.Kill()
	before.Restart()
	c.Settle()
	held() // its file has them
	c.Flush()
	if n := client.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys after a flush", n)
	}
}
