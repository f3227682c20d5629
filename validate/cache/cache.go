package cache

import (
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/internal/tally"
	"github.com/bearward/bearward/validate"
)

type digest = [sha256.Size]byte

// bufferedHits is after how many hits the store's goroutine is told about them:
// waking it up costs more than the hits.
const bufferedHits = 512

// frontBits is how large the table in front of the store is, as a power of two.
const frontBits = 12

// entry is a verified token. It is never written after it was stored.
type entry struct {
	digest digest
	token  *validate.Token
	until  int64 // unix nanoseconds
}

// Cache is a validate.Memory. Its store may forget any entry at any time, and
// compares no more than a hash: what it returns is right all the same, because an
// entry carries its whole digest and its own end.
type Cache struct {
	config Config
	seed   maphash.Seed

	front [1 << frontBits]atomic.Pointer[entry] // of the newest entry with a hash; read without a lock

	mu     sync.RWMutex // uses of the store against Flush and Close
	store  *ristretto.Cache[uint64, *entry]
	closed bool

	flights flights

	hits, misses tally.Counter
}

var _ validate.Memory = (*Cache)(nil)

// New returns an empty cache. Close it.
func New(c Config) (*Cache, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	store, err := ristretto.NewCache(&ristretto.Config[uint64, *entry]{
		NumCounters:        10 * int64(c.Entries),
		MaxCost:            int64(c.Entries), // [CA-05]
		BufferItems:        bufferedHits,
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, fmt.Errorf("cache of %d entries: %w", c.Entries, err)
	}
	return &Cache{config: c, seed: maphash.MakeSeed(), store: store}, nil
}

// Get returns the token with this digest, if its entry's time is not over.
func (c *Cache) Get(d digest) *validate.Token {
	t := c.find(d)
	if t != nil {
		c.hits.Add()
	}
	return t
}

func (c *Cache) find(d digest) *validate.Token {
	slot := c.slot(d)
	if e := c.front[slot>>(64-frontBits)].Load(); e != nil && e.digest == d {
		return c.valid(e)
	}
	return c.stored(slot, d)
}

// slot is where entries are: under a hash that nobody outside can aim at.
func (c *Cache) slot(d digest) uint64 { return maphash.Bytes(c.seed, d[:]) }

// valid is the entry's token, until the entry's time is over.
func (c *Cache) valid(e *entry) *validate.Token {
	if c.config.Clock().UnixNano() >= e.until { // [CA-01]
		return nil
	}
	return e.token
}

// stored takes an entry to the front, in one section: one that a Flush has taken
// out of the store must not come back.
func (c *Cache) stored(slot uint64, d digest) *validate.Token {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return nil
	}
	e, ok := c.store.Get(slot)
	if !ok || e == nil || e.digest != d { // [CA-01]
		return nil
	}
	t := c.valid(e)
	if t != nil {
		c.front[slot>>(64-frontBits)].Store(e)
	}
	return t
}

// put remembers the token until its exp, or for the TTL if that is sooner.
func (c *Cache) put(d digest, t *validate.Token) {
	f := facts.Of(t)
	if f == nil || !facts.Whole(t) { // not one of ours, or no longer
		return
	}
	now := c.config.Clock()
	ttl := min(c.config.TTL, f.ExpiresAt.Sub(now)) // [CA-01]
	if ttl <= 0 {                                  // the store would keep it for ever
		return
	}
	e, slot := &entry{d, t, now.Add(ttl).UnixNano()}, c.slot(d)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.closed {
		c.front[slot>>(64-frontBits)].Store(e)
		c.store.SetWithTTL(slot, e, 1, ttl)
	}
}

// Drop forgets an entry that is no longer good. It may come back if it was put
// just before, and is no better then.
func (c *Cache) Drop(d digest) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	c.remove(d, false)
}

// Flush forgets the token before it returns, also one that is being verified
// now.
func (c *Cache) Flush(d digest) {
	c.flights.spoil(d)
	c.mu.Lock() // against who has it in hand to take it to the front
	defer c.mu.Unlock()
	c.remove(d, true)
}

func (c *Cache) remove(d digest, wait bool) {
	slot := c.slot(d)
	if c.closed {
		return
	}
	c.store.Del(slot)
	if wait {
		c.store.Wait() // what was put and is still on its way
	}
	at := &c.front[slot>>(64-frontBits)]
	if e := at.Load(); e != nil && e.digest == d {
		at.CompareAndSwap(e, nil)
	}
}

// Entries is about how many tokens are remembered.
func (c *Cache) Entries() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return 0
	}
	return int(c.store.MaxCost() - c.store.RemainingCost())
}

// Close forgets everything and ends the store's goroutines. It waits for nobody
// and is idempotent; what is asked for later is not remembered.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.store.Close()
		for i := range c.front {
			c.front[i].Store(nil)
		}
	}
	return nil
}
