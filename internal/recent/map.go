// Package recent remembers what was worked out, for a bounded number of keys.
package recent

import (
	"hash/maphash"
	"sync"
)

// maxShards is how many locks a map has at most. Keys are spread over them by a
// secret hash, so that nobody can choose keys that crowd one shard.
const maxShards = 16

// minShard is how many entries a shard has at least, if there is more than one:
// keys never spread evenly.
const minShard = 128

// Map holds the entries that were used last, in two generations per shard: a
// full generation becomes the previous one and that before it is dropped. So
// every step is O(1) and nothing is ever swept. What it held can be gone at any
// time. It is safe for concurrent use.
type Map[K comparable, V any] struct {
	seed   maphash.Seed
	shards []shard[K, V]
}

type shard[K comparable, V any] struct {
	mu                sync.RWMutex
	half              int // entries of a generation
	current, previous map[K]V
	_                 [64]byte // locks of their own cache lines
}

// New returns a map of at most limit entries, but of two at least. Of a shard,
// the half that was used last is always there.
func New[K comparable, V any](limit int) *Map[K, V] {
	shards := 1
	for shards < maxShards && limit/(2*shards) >= minShard {
		shards *= 2
	}
	m := &Map[K, V]{seed: maphash.MakeSeed(), shards: make([]shard[K, V], shards)}
	for i := range m.shards {
		m.shards[i].half = max(limit/shards/2, 1)
		m.shards[i].current = map[K]V{}
	}
	return m
}

// Get returns the value of k and whether it is there. A use keeps an entry: it
// moves to the current generation.
func (m *Map[K, V]) Get(k K) (V, bool) {
	s := m.shard(k)
	s.mu.RLock()
	v, ok := s.current[k]
	if !ok {
		if v, ok = s.previous[k]; ok {
			s.mu.RUnlock()
			return s.forward(k)
		}
	}
	s.mu.RUnlock()
	return v, ok
}

// Put remembers v for k, in place of what was there.
func (m *Map[K, V]) Put(k K, v V) {
	s := m.shard(k)
	s.mu.Lock()
	s.put(k, v)
	s.mu.Unlock()
}

func (m *Map[K, V]) shard(k K) *shard[K, V] {
	if len(m.shards) == 1 {
		return &m.shards[0]
	}
	return &m.shards[maphash.Comparable(m.seed, k)%uint64(len(m.shards))]
}

// forward moves k to the current generation, unless somebody else was quicker.
func (s *shard[K, V]) forward(k K) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.current[k]; ok {
		return v, true
	}
	v, ok := s.previous[k]
	if ok {
		s.put(k, v)
	}
	return v, ok
}

// put is called with mu locked.
func (s *shard[K, V]) put(k K, v V) {
	if _, ok := s.current[k]; !ok && len(s.current) >= s.half {
		s.previous, s.current = s.current, s.previous // whose memory is used again
		if s.current == nil {
			s.current = make(map[K]V, s.half)
		}
		clear(s.current)
	}
	s.current[k] = v
}
