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
