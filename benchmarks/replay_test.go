package benchmarks

import (
	"context"
	"encoding/binary"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/validate/dpop"
)

const (
	liveProofs = 1_000_000
	proofLife  = 70 * time.Second
)

// replay is a store and the time there, which each call moves on by as much as
// keeps so many entries live.
type replay struct {
	store *dpop.Memory
	live  int
	now   time.Time
	n     uint64 // calls
	owner func(n uint64) uint64
}

var owners = map[string]func(n uint64) uint64{
	"one-client":   func(uint64) uint64 { return 1 },
	"many-clients": func(n uint64) uint64 { return n },
}

func newReplay(tb testing.TB, live int, owner func(n uint64) uint64) *replay {
	tb.Helper()
	r := &replay{live: live, now: time.Unix(1_800_000_000, 0), owner: owner}
	var err error
	if r.store, err = dpop.NewMemory(dpop.MemoryConfig{
		Entries: 5 * live, Logger: slog.New(slog.DiscardHandler),
		Clock: func() time.Time {
			_ = time.Now() // what a clock costs
			return r.now
		},
	}); err != nil {
		tb.Fatal(err)
	}
	return r
}

// scattered numbers the ids that digests are: one after the other, they would
// be kinder to caches.
func scattered(n uint64) (id [32]byte) {
	for i := range 4 {
		n = (n ^ n>>31) * 0x9e3779b97f4a7c15
		binary.LittleEndian.PutUint64(id[8*i:], n)
	}
	return id
}

func (r *replay) first() {
	r.n++
	r.now = r.now.Add(proofLife / time.Duration(r.live))
	first, err := r.store.First(context.Background(), scattered(r.owner(r.n)), scattered(r.n), r.now.Add(proofLife-time.Second))
	if err != nil || !first {
		panic(err)
	}
}

// fill makes all entries and then turns them over once.
func (r *replay) fill() {
	for range 2 * r.live {
		r.first()
	}
}

// plain is the floor: a map under a mutex that forgets in turn, and neither
// knows of time nor of clients.
type plain struct {
	mu   sync.Mutex
	ids  map[[32]byte]time.Time
	ring [][32]byte
	n    uint64
}

func newPlain() *plain {
	p := &plain{ids: map[[32]byte]time.Time{}, ring: make([][32]byte, liveProofs)}
	for range 2 * liveProofs {
		p.first()
	}
	return p
}

func (p *plain) first() {
	p.n++
	id, now := scattered(p.n), time.Now()
	_ = scattered(p.n)
	p.mu.Lock()
	defer p.mu.Unlock()
	if until, ok := p.ids[id]; ok && now.Before(until) {
		panic("replay")
	}
	oldest := &p.ring[p.n%liveProofs]
	delete(p.ids, *oldest)
	*oldest, p.ids[id] = id, now.Add(proofLife)
}

// BenchmarkReplay has one First among 1,000,000 live entries, one of which ends
// for each that begins, beside the same in a plain map.
func BenchmarkReplay(b *testing.B) {
	floor := newPlain()
	for name, owner := range owners {
		b.Run(name, func(b *testing.B) {
			r := newReplay(b, liveProofs, owner)
			r.fill()
			ratio(b, floor.first, r.first)
		})
	}
}

// TestReplayBytes holds what an entry takes of the heap at 1,000,000 entries.
func TestReplayBytes(t *testing.T) {
	for name, owner := range owners {
		t.Run(name, func(t *testing.T) {
			if raceDetector {
				t.Skip("the race detector takes memory too")
			}
			before := heap()
			r := newReplay(t, liveProofs, owner)
			for range liveProofs {
				r.first()
			}
			live := r.store.Health().Entries
			each := float64(heap()-before) / float64(live)
			t.Logf("%d entries, %.1f bytes each", live, each)
			if live < liveProofs*95/100 || each > 100 {
				t.Errorf("%d entries take %.1f bytes each, want at most 100", live, each)
			}
			runtime.KeepAlive(r)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestReplayAllocatesNothing holds that a store which has grown allocates no
// more.
func TestReplayAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates too")
	}
	r := newReplay(t, 50_000, owners["many-clients"])
	r.fill()
	if got := testing.AllocsPerRun(10_000, r.first); got != 0 {
		t.Errorf("a call makes %v allocations", got)
	}
}
