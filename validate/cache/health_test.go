package cache_test

import (
	"testing"

	"github.com/bearward/bearward/validate/cache"
)

// TestHealth counts what was remembered and what had to be verified, and costs a
// hit no memory.
func TestHealth(t *testing.T) {
	s := newStand(t, cache.Config{Entries: 50})
	digest := s.put(nil)
	_ = s.put(map[string]any{"jti": "another"})
	for range 4 {
		if s.cache.Get(digest) == nil {
			t.Fatal("it is not remembered")
		}
	}
	_ = s.cache.Get([32]byte{1})
	if h := s.cache.Health(); h.Hits != 4 || h.Misses != 2 || h.Capacity != 50 {
		t.Errorf("%+v", h)
	}
	if n := testing.AllocsPerRun(100, func() { _ = s.cache.Get(digest) }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}
