package dpop

import (
	"strings"
	"testing"
	"time"
)

const many = 5 * shardEntries / 2

func (b *bench) held() (n int) {
	for i := range b.shards {
		n += b.shards[i].held
	}
	return n
}

func (b *bench) chunks() (n int) {
	for i := range b.shards {
		n += len(b.shards[i].chunks)
	}
	return n
}

// What is over does not count, whether or not it was swept, for everybody and
// for one client; a call sweeps no more than a few; no memory is added.
func TestMemoryIdle(t *testing.T) {
	for name, idle := range map[string]time.Duration{"just over": 2*time.Minute + 1, "hours": 5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, many)
			for i := range many {
				in := time.Minute
				if i%2 == 0 {
					in *= 2
				}
				b.want(t, i%4, i, in, "first")
			}
			b.want(t, 4, many, time.Minute, "full")
			chunks := b.chunks()

			b.now = t0.Add(time.Minute + 1) // one half of every client's
			for i := range many / 2 {
				before := b.held()
				b.want(t, 1+i%2*2, many+i, time.Minute-1, "first")
				if swept := before + 1 - b.held(); swept > sweepSteps {
					t.Fatalf("%d entries swept by one call", swept)
				}
			}
			b.want(t, 0, -1, time.Minute, "full")

			b.now = t0.Add(idle) // all
			for i := range many {
				if i < 1000 { // some of the old ones again, most of which were not swept
					b.want(t, i%4, i, time.Minute, "first")
					b.want(t, i%4, i, time.Minute, "replay")
				} else {
					b.want(t, i%4, 2*many+i, time.Minute, "first")
				}
			}
			b.want(t, 0, -1, time.Minute, "full")
			for i := range 1000 {
				b.want(t, i%4, i, time.Minute, "replay")
			}
			if b.chunks() > chunks+chunks/20 {
				t.Errorf("%d chunks, %d before", b.chunks(), chunks)
			}
			for i := range b.shards {
				b.shards[i].check(t)
			}
		})
	}
}

// A client that leaves its share to expire gets it again at once.
func TestMemoryIdleClient(t *testing.T) { // [DP-22]
	b := newBench(t, many)
	for i := range many / 4 {
		b.want(t, 0, i, time.Minute, "first")
	}
	for i := range many / 4 * 3 {
		b.want(t, 1+i%3, many+i, time.Hour, "first")
	}
	b.now = t0.Add(time.Minute + 1)
	for i := range many / 4 {
		b.want(t, 0, 2*many+i, time.Minute, "first")
	}
}

// Entries that live longer than the wheel is wide are put off, a few by each
// call, and stay.
func TestMemoryPutOff(t *testing.T) {
	b := newBench(t, many)
	for i := range 1000 {
		b.want(t, 0, i, 24*time.Hour, "first")
	}
	for h := range 24 {
		b.now = t0.Add(time.Duration(h) * time.Hour)
		for i := range 50 {
			b.want(t, 1, 1000+50*h+i, time.Second, "first")
		}
	}
	b.now = t0.Add(24 * time.Hour)
	for i := range 1000 {
		b.want(t, 0, i, 0, "replay")
	}
	b.now = b.now.Add(1)
	for i := range 1000 {
		b.want(t, 0, i, 0, "first")
	}
}

// After a flood the memory is given back.
func TestMemoryShrinks(t *testing.T) {
	b := newBench(t, many)
	for i := range many {
		b.want(t, i%4, i, time.Minute, "first")
	}
	for i := range many / sweepSteps * 4 {
		b.now = b.now.Add(time.Minute + 1)
		b.want(t, 0, many+i, time.Second, "first")
	}
	if b.chunks() > len(b.shards) {
		t.Errorf("%d chunks for %d entries", b.chunks(), b.held())
	}
	for i := range b.shards {
		b.shards[i].check(t)
		if slots := len(b.shards[i].slots); slots != minSlots {
			t.Errorf("%d slots", slots)
		}
	}
}

// A clock that goes back brings no replay, no endless loop and no more entries
// than there is room for; it does not take hours to recover either.
func TestMemoryClockBack(t *testing.T) { // [DP-22]
	for _, back := range []time.Duration{1, time.Second, 5 * time.Minute, time.Hour, 1e9 * time.Second} {
		b := newBench(t, 40)
		for i := range 40 {
			b.want(t, i, i, time.Minute, "first")
		}
		b.now = t0.Add(-back)
		for i := range 40 {
			if got := b.says(i, i, time.Minute); got != "replay" && !strings.HasPrefix(got, "replay_unavailable") {
				t.Errorf("id %d again: %s", i, got)
			}
		}
		b.now = t0.Add(time.Minute + 1)
		if got := b.Health().Entries; got != 0 {
			t.Errorf("%d entries after their time", got)
		}
		b.now = t0.Add(-back)
		if got := b.says(99, 99, time.Second); got == "first" {
			t.Errorf("a new id at %v back: %s", back, got)
		}
		b.now = t0.Add(time.Minute + 1)
		b.want(t, 99, 99, time.Hour, "first")
		b.now = t0.Add(time.Minute - back)
		if got := b.says(0, 100, time.Second); back > 2*time.Second && !strings.HasPrefix(got, "replay_unavailable") {
			t.Errorf("an id that was over before: %s", got)
		}
		b.now = t0.Add(time.Minute + 1)
		b.want(t, 99, 99, time.Second, "replay")
		b.shards[0].check(t)
	}
}

// A client that chooses ids does not choose where they end up.
func TestMemoryRuns(t *testing.T) {
	b := newBench(t, many)
	for i := range many {
		b.want(t, i%4, i*1000, time.Minute, "first")
	}
	longest := 0
	for i := range b.shards {
		run := 0
		for _, slot := range b.shards[i].slots {
			if run++; slot == 0 {
				run = 0
			}
			longest = max(longest, run)
		}
	}
	if longest > 400 {
		t.Errorf("%d slots without a gap", longest)
	}
	other := newBench(t, many)
	if other.seed == b.seed {
		t.Error("two stores have the same seed")
	}
}
