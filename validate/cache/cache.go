package cache

import (
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
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

// heard is one out of how many hits in front of the store it is told about.
const heard = 16

// Cache is a validate.Memory. Its store may forget any token at any time, and
// compares no more than a hash: what it returns is right all the same, because a
// token carries its whole digest and its own end.
type Cache struct {
	config Config
	seed   maphash.Seed

	front []atomic.Pointer[validate.Token] // the latest one for each place; read without a lock
	shift int                              // of a hash, to its place there

	mu     sync.RWMutex // uses of the store against Flush and Close
	store  *ristretto.Cache[uint64, *validate.Token]
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
	made := &Cache{config: c, seed: maphash.MakeSeed()}
	width := bits.Len(uint(c.Entries - 1)) // enough for all entries
	made.front, made.shift = make([]atomic.Pointer[validate.Token], 1<<width), 64-width
	var err error
	made.store, err = ristretto.NewCache(&ristretto.Config[uint64, *validate.Token]{
		NumCounters:        10 * int64(c.Entries),
		MaxCost:            int64(c.Entries), // [CA-05]
		BufferItems:        bufferedHits,
		IgnoreInternalCost: true,
		OnEvict:            func(i *ristretto.Item[*validate.Token]) { made.forget(i.Key, i.Value) },
	})
	if err != nil {
		return nil, fmt.Errorf("cache of %d entries: %w", c.Entries, err)
	}
	return made, nil
}

// Get returns the token with this digest, if its time in the cache is not over.
func (c *Cache) Get(d digest) *validate.Token {
	t := c.find(d)
	if t != nil {
		c.hits.Add()
	}
	return t
}

func (c *Cache) find(d digest) *validate.Token {
	hash := c.hash(d)
	t := c.place(hash).Load()
	f := is(t, d)
	if f == nil {
		return c.stored(hash, d)
	}
	if rand.Uint32()%heard == 0 { //nolint:gosec // nothing depends on which one
		c.hear(hash)
	}
	return c.valid(t, f)
}

// hash is where tokens are: one that nobody outside can aim at.
func (c *Cache) hash(d digest) uint64 { return maphash.Bytes(c.seed, d[:]) }

func (c *Cache) place(hash uint64) *atomic.Pointer[validate.Token] { return &c.front[hash>>c.shift] }

// is returns the facts of a token in the cache, nil if it has another digest. A
// handler may have written another token over it.
func is(t *validate.Token, d digest) *facts.Facts {
	if t == nil {
		return nil
	}
	if f := facts.Of(t); f != nil && f.Digested && f.Digest == d { // [CA-01]
		return f
	}
	return nil
}

// valid is the token, until its time in the cache is over.
func (c *Cache) valid(t *validate.Token, f *facts.Facts) *validate.Token {
	if c.config.Clock().UnixNano() >= f.Until { // [CA-01]
		return nil
	}
	return t
}

// stored takes a token to the front, in one section: one that a Flush has taken
// out of the store must not come back.
func (c *Cache) stored(hash uint64, d digest) *validate.Token {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return nil
	}
	t, _ := c.store.Get(hash)
	f := is(t, d)
	if f == nil || c.valid(t, f) == nil {
		return nil
	}
	c.place(hash).Store(t)
	return t
}

// hear lets the store know that a token is in use, for it will give up others.
func (c *Cache) hear(hash uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.closed {
		c.store.Get(hash)
	}
}

// put remembers the token until its exp, or for the TTL if that is sooner. Nobody
// else has a new token yet.
func (c *Cache) put(d digest, t *validate.Token) {
	f := facts.Of(t)
	if f == nil || !facts.Whole(t) { // not one of ours, or no longer
		return
	}
	if f.Until != 0 || f.Digested && f.Digest != d { // in a cache already, or by another digest
		return
	}
	now := c.config.Clock()
	ttl := min(c.config.TTL, f.ExpiresAt().Sub(now)) // [CA-01]
	if ttl <= 0 {                                    // the store would keep it for ever
		return
	}
	f.Digest, f.Digested, f.Until = d, true, now.Add(ttl).UnixNano()
	hash := c.hash(d)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.closed {
		c.place(hash).Store(t)
		c.store.SetWithTTL(hash, t, 1, ttl)
	}
}

// forget takes a token out of the front, if it is there.
func (c *Cache) forget(hash uint64, t *validate.Token) { c.place(hash).CompareAndSwap(t, nil) }

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
	hash := c.hash(d)
	if c.closed {
		return
	}
	c.store.Del(hash)
	if wait {
		c.store.Wait() // what was put and is still on its way
	}
	if t := c.place(hash).Load(); is(t, d) != nil {
		c.forget(hash, t)
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
