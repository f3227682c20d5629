package dpop

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is what a Memory has to do, in its simplest form.
type model struct {
	entries, share int
	ids            map[int]uint32 // to the second they live in last
	counts         []counted
}

type counted struct {
	client int
	until  uint32
}

// live counts entries of the client, or all with -1.
func (m *model) live(client int, now uint32) (n int) {
	for _, c := range m.counts {
		if c.until >= now && (client < 0 || c.client == client) {
			n++
		}
	}
	return n
}

func (m *model) first(client, id int, until, now uint32) string {
	switch known, ok := m.ids[id]; {
	case ok && known >= now:
		return "replay"
	case m.live(-1, now) >= m.entries:
		return "full"
	case m.live(client, now) >= m.share:
		return "share"
	}
	m.ids[id] = max(until, now)
	m.counts = append(m.counts, counted{client, coarse(m.ids[id], now)})
	return "first"
}

// Whatever comes in whatever order, a Memory does what the model does, and
// its parts fit together.
func TestMemoryModel(t *testing.T) { // [DP-20 DP-21 DP-22]
	const clients = 6
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.OneOf(rapid.IntRange(1, 12), rapid.IntRange(1, 60)).Draw(t, "entries")
		b := newBench(t, entries)
		want := model{entries: entries, share: max(entries/4, 1), ids: map[int]uint32{}}

		seconds := rapid.SampledFrom([]time.Duration{0, 1, 2, 3, 60, 70, 300, buckets - 1, buckets, buckets + 1, 2 * buckets, 511, 512, 513, 4000, 1e8})
		parts := rapid.SampledFrom([]time.Duration{0, 0, 1, 500 * time.Millisecond, time.Second - 1})
		draw := func(name string) time.Duration {
			return seconds.Draw(t, name)*time.Second + parts.Draw(t, name+" parts")
		}
		t.Repeat(map[string]func(*rapid.T){
			"first": func(t *rapid.T) {
				client, id := rapid.IntRange(0, clients-1).Draw(t, "client"), rapid.IntRange(0, 2*entries).Draw(t, "id")
				until := b.now.Add(draw("until") - 2*time.Second)
				if got, want := says(b.First(t.Context(), b.client(client), number(id), until)), want.first(client, id, second(until), second(b.now)); got != want {
					t.Fatalf("id %d of client %d at %v until %v: %s, want %s", id, client, b.now, until, got, want)
				}
			},
			"later": func(*rapid.T) { b.now = b.now.Add(draw("later")) },
			"": func(t *rapid.T) {
				if got, want := b.Health().Entries, want.live(-1, second(b.now)); got != want {
					t.Fatalf("%d live entries, want %d", got, want)
				}
				for i := range b.shards {
					b.shards[i].check(t)
				}
			},
		})
	})
}

// check finds entries that are not exactly once in a slot and in a bucket, or
// free.
func (s *shard) check(t rapid.TB) {
	t.Helper()
	placed, due := 0, 0
	for _, slot := range s.slots {
		if slot == 0 {
			continue
		}
		if e := s.at(slot & numberMask); s.find(&e.id, e.tag) != e {
			t.Fatalf("entry %d is hidden", slot&numberMask)
		}
		placed++
	}
	for _, n := range s.wheel {
		for ; n != 0; n = s.at(n).due {
			due++
		}
	}
	free := 0
	for n := s.free; n != 0; n = s.at(n).due {
		free++
	}
	if placed != s.held || due != s.held || free+s.held != int(s.used) || s.held > s.limit {
		t.Fatalf("%d entries of %d: %d placed, %d due, %d free of %d", s.held, s.limit, placed, due, free, s.used)
	}
}
