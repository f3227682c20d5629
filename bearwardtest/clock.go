package bearwardtest

import (
	"sync"
	"time"
)

// Clock is a clock that stands still until it is moved. The zero Clock begins
// at the real time of its first use, in whole seconds. It is safe for
// concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read()
}

// Advance moves the clock, back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.read().Add(d)
}

// Set moves the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *Clock) read() time.Time {
	if c.now.IsZero() {
		c.now = time.Now().UTC().Truncate(time.Second)
	}
	return c.now
}
