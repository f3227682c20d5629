package cache

// Health is how the cache is doing.
type Health struct {
	Hits, Misses uint64 // tokens that were remembered, and those that had to be verified, since start
	Entries      int    // about
	Capacity     int    // entries at most
}

// Health returns the state as of now. It is cheap.
func (c *Cache) Health() Health {
	return Health{Hits: c.hits.Total(), Misses: c.misses.Total(), Entries: c.Entries(), Capacity: c.config.Entries}
}
