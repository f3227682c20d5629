package cache

import "runtime"

// Settle waits for the store and empties the front, as other tokens would.
func (c *Cache) Settle() {
	c.store.Wait()
	for i := range c.front {
		c.front[i].Store(nil)
	}
}

// AwaitFlush returns when a Flush is over or waits for its turn.
func (c *Cache) AwaitFlush(over <-chan struct{}) {
	for c.mu.TryRLock() {
		c.mu.RUnlock()
		select {
		case <-over:
			return
		default:
			runtime.Gosched()
		}
	}
}

// Where tells whether a token is in front, and in the store when that is done with
// its work.
func (c *Cache) Where(d [32]byte) (front, store bool) {
	c.store.Wait()
	hash := c.hash(d)
	t, _ := c.store.Get(hash)
	return is(c.place(hash).Load(), d) != nil, is(t, d) != nil
}

// Confuse takes a token for one with another digest, everywhere.
func (c *Cache) Confuse(d, other [32]byte) {
	t := c.place(c.hash(d)).Load()
	c.place(c.hash(other)).Store(t)
	c.store.Set(c.hash(other), t, 1)
	c.store.Wait()
}
