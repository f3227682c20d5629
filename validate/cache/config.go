package cache

import (
	"errors"
	"fmt"
	"time"
)

// Defaults of Config.
const (
	DefaultEntries = 100_000
	DefaultTTL     = 5 * time.Minute
)

const (
	maxEntries = 1 << 27
	maxTTL     = 5 * time.Minute
)

// Config says how much is remembered, and for how long. The zero Config is on,
// with the defaults.
type Config struct {
	Entries  int              // tokens that are kept; a few that were refused a place may stay until theirs is needed; default 100,000
	TTL      time.Duration    // of an entry, never past the token's exp; default and at most 5 min
	Disabled bool             // nothing is remembered: every token's signature is verified on each request
	Clock    func() time.Time // nil: time.Now
}

func (c *Config) prepare() error {
	if c.Entries == 0 {
		c.Entries = DefaultEntries
	}
	if c.TTL == 0 {
		c.TTL = DefaultTTL
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	var faults []error
	if c.Entries < 1 || c.Entries > maxEntries { // [CA-05]
		faults = append(faults, fmt.Errorf("cache: %d entries are not within 1 to %d", c.Entries, maxEntries))
	}
	if c.TTL < 0 || c.TTL > maxTTL { // [CA-01]
		faults = append(faults, fmt.Errorf("cache: a TTL of %v is not within 0 to %v", c.TTL, maxTTL))
	}
	return errors.Join(faults...)
}
