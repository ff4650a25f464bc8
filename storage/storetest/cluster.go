package storetest

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Cluster is a Redis Cluster of one test: three masters on loopback that share the
// slots. A node that is killed is missed; there are no replicas. Its methods are for
// one goroutine at a time.
type Cluster struct {
	t     testing.TB
	nodes []*node
}

type node struct {
	*Server
	port  int // of its clients
	bus   int // of the other nodes
	admin *redis.Client
	id    string
}

const (
	masters = 3
	slots   = 16384
	// missed is when a node counts as away, by the others; ms.
	missed = "1000"
)

// RedisCluster starts one; it ends with the test. Making it takes about three
// seconds: Redis lets a new cluster settle.
func RedisCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for range masters {
		n := &node{port: freePort(t), bus: freePort(t)}
		n.Server = newServer(t, "--port", strconv.Itoa(n.port), "--bind", "127.0.0.1",
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(n.bus), "--cluster-node-timeout", missed)
		n.admin = redis.NewClient(&redis.Options{Network: "unix", Addr: n.socket(), MaxRetries: -1, DialerRetries: 1})
		t.Cleanup(func() { _ = n.admin.Close() })
		c.nodes = append(c.nodes, n)
	}
	for i, n := range c.nodes {
		c.must(n.admin.ClusterAddSlotsRange(c.t.Context(), i*slots/masters, (i+1)*slots/masters-1).Err())
		var err error
		n.id, err = n.admin.ClusterMyID(t.Context()).Result()
		c.must(err)
		for _, other := range c.nodes {
			if other != n {
				c.must(other.admin.Do(c.t.Context(), "cluster", "meet", "127.0.0.1", n.port, n.bus).Err())
			}
		}
	}
	c.Settle()
	return c
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (c *Cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("the Redis Cluster: %v", err)
	}
}

// URL is how the product's settings name the cluster: its nodes, by commas.
func (c *Cluster) URL() string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, fmt.Sprintf("redis://127.0.0.1:%d", n.port))
	}
	return strings.Join(urls, ",")
}

// Settle waits until every node takes commands and knows every other.
func (c *Cluster) Settle() {
	c.t.Helper()
	settled := func(n *node) bool {
		info, err := n.admin.ClusterInfo(c.t.Context()).Result()
		return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", masters)) &&
			strings.Contains(info, fmt.Sprintf("cluster_slots_ok:%d", slots))
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		all := true
		for _, n := range c.nodes {
			all = all && settled(n)
		}
		if all {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the Redis Cluster did not settle within %v", startTimeout)
		}
	}
}

// Flush loses everything that the cluster holds.
func (c *Cluster) Flush() {
	c.t.Helper()
	for _, n := range c.nodes {
		c.must(errors.Join(n.admin.FlushAll(c.t.Context()).Err(), n.admin.ScriptFlush(c.t.Context()).Err()))
	}
}

// Holder is the node that has a key's slot.
func (c *Cluster) Holder(key string) *Server { return c.holder(c.slot(key)).Server }

func (c *Cluster) slot(key string) int {
	c.t.Helper()
	slot, err := c.nodes[0].admin.ClusterKeySlot(c.t.Context(), key).Result()
	c.must(err)
	return int(slot)
}

func (c *Cluster) holder(slot int) *node {
	c.t.Helper()
	shards, err := c.nodes[0].admin.ClusterShards(c.t.Context()).Result()
	c.must(err)
	for _, shard := range shards {
		for _, r := range shard.Slots {
			for _, n := range c.nodes {
				if r.Start <= int64(slot) && int64(slot) <= r.End && n.id == shard.Nodes[0].ID {
					return n
				}
			}
		}
	}
	c.t.Fatalf("nobody has slot %d", slot)
	return nil
}

// Move moves the slot of a key to another node, as an operator does who adds a node:
// key by key, while the cluster is used. halfway is called when half of its keys are
// there and who asks for one is sent on by ASK; after Move they are by MOVED.
func (c *Cluster) Move(key string, halfway func()) {
	c.t.Helper()
	slot := c.slot(key)
	from := c.holder(slot)
	to := c.nodes[0]
	if to == from {
		to = c.nodes[1]
	}
	set := func(n *node, how ...any) {
		c.t.Helper()
		c.must(n.admin.Do(c.t.Context(), append([]any{"cluster", "setslot", slot}, how...)...).Err())
	}
	set(to, "importing", from.id)
	set(from, "migrating", to.id)
	count, err := from.admin.ClusterCountKeysInSlot(c.t.Context(), slot).Result()
	c.must(err)
	move := func(most int64) {
		c.t.Helper()
		keys, err := from.admin.ClusterGetKeysInSlot(c.t.Context(), slot, int(most)).Result()
		c.must(err)
		for _, k := range keys {
			err := from.admin.Migrate(c.t.Context(), "127.0.0.1", strconv.Itoa(to.port), k, 0, housekeeping).Err()
			c.must(err)
		}
	}
	if move(count / 2); halfway != nil {
		halfway()
	}
	for left := int64(1); left > 0; {
		move(100)
		left, err = from.admin.ClusterCountKeysInSlot(c.t.Context(), slot).Result()
		c.must(err)
	}
	for _, n := range []*node{to, from} {
		set(n, "node", to.id)
	}
	for _, n := range c.nodes {
		if n != to && n != from {
			set(n, "node", to.id)
		}
	}
}
