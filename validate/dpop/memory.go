package dpop

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/validate"
)

const (
	defaultEntries = 4_000_000
	maxEntries     = 1 << 28
	shardEntries   = 1 << 14 // of a shard on average, at most
)

// MemoryConfig sizes a Memory. The zero value is complete.
type MemoryConfig struct {
	// Entries is how many proofs are remembered at a time at most; default
	// 4,000,000. An entry takes about 55 bytes, which are allocated as they
	// are used.
	Entries int
	Logger  *slog.Logger     // nil: slog.Default
	Clock   func() time.Time // nil: time.Now
}

// Memory is the ReplayStore of one process. It compares whole ids, and never
// forgets one before its time: while Entries are live, or a client has a
// quarter of them, it refuses new ones with ErrReplayFull. Times are whole
// seconds, rounded up. It needs no goroutine and no Close, and is safe for
// concurrent use.
type Memory struct {
	clock  func() time.Time
	logger *slog.Logger
	seed   maphash.Seed // clients choose ids, but not where those end up
	shards []shard      // a power of two
	quota  quota
	filled atomic.Bool // that it fills up was logged
}

// NewMemory returns an empty store, or what is wrong with the configuration.
func NewMemory(c MemoryConfig) (*Memory, error) {
	if c.Entries == 0 {
		c.Entries = defaultEntries
	}
	if c.Entries < 1 || c.Entries > maxEntries {
		return nil, fmt.Errorf("dpop: %d replay entries are not within 1 to %d", c.Entries, maxEntries)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	n := 1
	for n*shardEntries < c.Entries {
		n *= 2
	}
	m := &Memory{
		clock: c.Clock, logger: c.Logger, seed: maphash.MakeSeed(), shards: make([]shard, n),
		quota: quota{entries: c.Entries, share: max(c.Entries/4, 1)},
	}
	limit := c.Entries
	if n > 1 { // they are not equally full: an eighth more is over ten standard deviations
		limit = limit / n * 9 / 8
	}
	for i := range m.shards {
		m.shards[i].limit = limit
		m.shards[i].slots = make([]uint32, minSlots)
	}
	return m, nil
}

// outcome is what became of a call of First.
type outcome uint8

const (
	stored   outcome = iota
	replayed         // the id is there already
	full             // all entries are taken
	greedy           // the client has its share of them
	behind           // the clock went back to before the end of what was forgotten since
)

var (
	errFull   = errors.New("every entry is taken")
	errGreedy = errors.New("the client has a quarter of all entries")
	errBehind = errors.New("the clock went back, and entries that were over may be forgotten")
)

// First remembers id until the instant until, or to the end of the current
// second if that is later, and reports whether it was not there. An entry whose
// time is over is not there. The error has the code ErrReplayFull, or, for what
// may have been forgotten before the clock went back, ErrReplayUnavailable.
func (m *Memory) First(ctx context.Context, client, id [32]byte, until time.Time) (bool, error) {
	result, live := m.put(maphash.Bytes(m.seed, client[:]), &id, until)
	switch result {
	case stored:
		m.announce(ctx, live)
		return true, nil
	case replayed:
		return false, nil
	case greedy:
		return false, &validate.Error{Code: validate.ErrReplayFull, Err: errGreedy}
	case behind:
		return false, &validate.Error{Code: validate.ErrReplayUnavailable, Err: errBehind}
	case full:
	}
	return false, &validate.Error{Code: validate.ErrReplayFull, Err: errFull}
}

// put is First; client is a hash. It returns the number of live entries too if
// id was stored.
func (m *Memory) put(client uint64, id *[32]byte, until time.Time) (outcome, int) {
	hash := maphash.Bytes(m.seed, id[:])
	s := &m.shards[int(low(hash>>32))&(len(m.shards)-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	now := second(m.clock())
	end := max(second(until), now)
	if s.newest = max(s.newest, now); end < s.newest { // [DP-22]
		return behind, 0
	}
	s.sweep(now, sweepSteps)
	old := s.find(id, tagged(hash))
	if old != nil && old.until >= now { // [DP-20 DP-21]
		return replayed, 0
	}
	if old == nil && !s.room(now) { // [DP-22]
		m.quota.turnedAway()
		return full, 0
	}
	result, live := m.quota.take(client, end, now)
	switch {
	case result != stored: // [DP-22]
	case old != nil: // it is in a bucket that is swept in time
		old.until = end
	default:
		s.insert(id, tagged(hash), end)
	}
	return result, live
}

// announce logs that the store fills up, once, and that it no longer does.
func (m *Memory) announce(ctx context.Context, live int) {
	all := m.quota.entries
	switch filled := m.filled.Load(); {
	case !filled && live >= all-all/5 && m.filled.CompareAndSwap(false, true):
		m.logger.WarnContext(ctx, "the store of used DPoP proofs is 80 % full; when it is full, requests are answered 503", "live", live, "entries", all)
	case filled && live < all-all/10*3 && m.filled.CompareAndSwap(true, false):
		m.logger.InfoContext(ctx, "the store of used DPoP proofs is less than 70 % full again", "live", live, "entries", all)
	}
}

// MemoryHealth is how full a Memory is.
type MemoryHealth struct {
	Entries   int    // live now
	Capacity  int    // live at most
	Refused   uint64 // calls that were refused because every entry was taken
	OverShare uint64 // calls that were refused because the client had its share
}

// Health returns the state as of now. It is cheap.
func (m *Memory) Health() MemoryHealth { return m.quota.health(second(m.clock())) }

// second is the first whole second since 1970 that is not before t. Those that
// an entry has no room for become the first or the last.
func second(t time.Time) uint32 {
	s := min(max(t.Unix(), 0), math.MaxUint32-1)
	if t.Nanosecond() > 0 {
		s++
	}
	return uint32(s)
}

func low(hash uint64) uint32 { return uint32(hash & math.MaxUint32) }
