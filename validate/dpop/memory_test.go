package dpop

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bearward/bearward/validate"
)

var t0 = time.Unix(1_800_000_000, 0)

// bench is a Memory, its clock and clients that share no account.
type bench struct {
	*Memory

	now     time.Time
	clients [][32]byte
}

func newBench(t rapid.TB, entries int) *bench {
	t.Helper()
	b := &bench{now: t0}
	m, err := NewMemory(MemoryConfig{Entries: entries, Clock: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.Memory = m
	return b
}

func number(n int) (id [32]byte) {
	binary.BigEndian.PutUint64(id[24:], uint64(n))
	return id
}

// client returns the client i.
func (b *bench) client(i int) [32]byte {
	for n := 0; len(b.clients) <= i; n++ {
		if c := number(n); b.apart(c) {
			b.clients = append(b.clients, c)
		}
	}
	return b.clients[i]
}

func (b *bench) apart(c [32]byte) bool {
	for _, other := range b.clients {
		x, y := b.slots(c), b.slots(other)
		if x[0] == y[0] || x[1] == y[1] {
			return false
		}
	}
	return true
}

func (b *bench) slots(c [32]byte) [2]uint64 {
	h := maphash.Bytes(b.seed, c[:])
	return [2]uint64{h % accounts, h >> 32 % accounts}
}

// says is what First said in short.
func says(first bool, err error) string {
	switch {
	case err == nil && first:
		return "first"
	case err == nil:
		return "replay"
	case first:
		return "both"
	case !errors.Is(err, validate.ErrReplayFull):
		return err.Error()
	case errors.Is(err, errFull):
		return "full"
	case errors.Is(err, errGreedy):
		return "share"
	}
	return err.Error()
}

func (b *bench) says(client, id int, in time.Duration) string {
	return says(b.First(context.Background(), b.client(client), number(id), b.now.Add(in)))
}

func (b *bench) want(t *testing.T, client, id int, in time.Duration, want string) {
	t.Helper()
	if got := b.says(client, id, in); got != want {
		t.Errorf("id %d of client %d at %v: %s, want %s", id, client, b.now.Sub(t0), got, want)
	}
}

func TestNewMemory(t *testing.T) {
	for _, entries := range []int{-1, maxEntries + 1, math.MinInt} {
		if m, err := NewMemory(MemoryConfig{Entries: entries}); err == nil || m != nil {
			t.Errorf("%d entries: no fault", entries)
		}
	}
	m, err := NewMemory(MemoryConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if got := says(m.First(t.Context(), number(1), number(1), time.Now().Add(time.Minute))); got != "first" {
		t.Errorf("got %s", got)
	}
	if diff := cmp.Diff(MemoryHealth{Entries: 1, Capacity: 4_000_000}, m.Health()); diff != "" {
		t.Error(diff)
	}
}

// What a First has to do at most follows from the size of a shard.
func TestMemoryShards(t *testing.T) {
	for _, entries := range []int{1, 4, shardEntries, shardEntries + 1, 100_000, 1_000_000, defaultEntries} {
		m := newBench(t, entries)
		total := 0
		for i := range m.shards {
			limit := m.shards[i].limit
			if total += limit; limit > shardEntries*9/8 || limit > numberMask {
				t.Errorf("%d entries: %d in one shard", entries, limit)
			}
		}
		if total < entries || total > entries*9/8 {
			t.Errorf("%d entries: room for %d", entries, total)
		}
	}
}

func TestMemoryExpiry(t *testing.T) { // [DP-20 DP-21]
	const ms = time.Millisecond
	tests := []struct {
		name        string
		start       time.Duration // after a whole second
		until       time.Duration // after start
		live, ended time.Duration // after start: the last instant, and the one after
	}{
		{"whole second", 0, time.Minute, time.Minute, time.Minute + 1},
		{"within a second", 0, 59*time.Second + 300*ms, time.Minute, time.Minute + 1},
		{"from within a second", 300 * ms, time.Minute, 60*time.Second + 700*ms, 60*time.Second + 700*ms + 1},
		{"a nanosecond", 0, 1, time.Second, time.Second + 1},
		{"now", 0, 0, 0, 1},
		{"now, within a second", 300 * ms, 0, 700 * ms, 700*ms + 1},
		{"past", 0, -time.Hour, 0, 1},
		{"past, within a second", 300 * ms, -time.Hour, 700 * ms, 700*ms + 1},
		{"last bucket", 0, (buckets - 1) * time.Second, (buckets - 1) * time.Second, (buckets-1)*time.Second + 1},
		{"once around", 0, buckets * time.Second, buckets * time.Second, buckets*time.Second + 1},
		{"five times around", 0, 5*buckets*time.Second + 1, (5*buckets + 1) * time.Second, (5*buckets+1)*time.Second + 1},
		{"a year", 0, 365 * 24 * time.Hour, 365 * 24 * time.Hour, 365*24*time.Hour + 1},
	}
	for _, test := range tests {
		for _, busy := range []bool{false, true} { // with others, so that everything is swept
			b := newBench(t, 1000)
			start, others := t0.Add(test.start), 100
			at := func(d time.Duration, want string) {
				t.Helper()
				b.now = start.Add(d)
				if busy {
					others++
					b.want(t, 1, others, -1, "first")
				}
				if got := says(b.First(t.Context(), b.client(0), number(1), start.Add(test.until))); got != want {
					t.Errorf("%s, busy %v, after %v: %s, want %s", test.name, busy, d, got, want)
				}
			}
			at(0, "first")
			at(0, "replay")
			at(test.live/2, "replay")
			at(test.live, "replay")
			at(test.ended, "first")
			at(test.ended, "replay")
		}
	}
}

// A time that nothing has room for is as near as it gets.
func TestMemoryTimes(t *testing.T) {
	years := func(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 1, time.UTC) }
	times := []time.Time{{}, years(-5000), years(1969), years(2106), years(2107), years(9999), time.Unix(math.MaxInt64, 999_999_999), time.Unix(math.MinInt64, 0)}
	for _, now := range times {
		for _, until := range times {
			b := newBench(t, 100)
			b.now = now
			for _, want := range []string{"first", "replay"} {
				if got := says(b.First(t.Context(), number(1), number(1), until)); got != want {
					t.Errorf("now %v, until %v: %s, want %s", now, until, got, want)
				}
			}
		}
	}
	b := newBench(t, 100)
	first, err := b.First(t.Context(), number(1), number(1), time.Unix(math.MaxInt64, 999_999_999))
	b.now = years(2100)
	again, errAgain := b.First(t.Context(), number(1), number(1), b.now)
	if got := says(first, err) + " " + says(again, errAgain); got != "first replay" {
		t.Errorf("an entry without an end: %s", got)
	}
}

func TestMemoryFull(t *testing.T) { // [DP-22]
	for _, entries := range []int{1, 2, 8, 100} {
		b := newBench(t, entries)
		for i := range entries {
			b.want(t, i, i, time.Minute, "first")
		}
		for i := range 3 {
			b.want(t, entries+i, entries+i, time.Minute, "full")
		}
		for i := range entries { // nothing had to go
			b.want(t, i, i, time.Minute, "replay")
		}
		_, err := b.First(t.Context(), number(1), number(-1), b.now)
		if validate.CodeOf(err).Class() != validate.Unavailable {
			t.Errorf("%v is not answered 503", err)
		}
		if diff := cmp.Diff(MemoryHealth{Entries: entries, Capacity: entries, Refused: 4}, b.Health()); diff != "" {
			t.Error(diff)
		}
		b.now = t0.Add(time.Minute + 1)
		if got := b.Health().Entries; got != 0 {
			t.Errorf("%d entries after their time", got)
		}
		for i := range entries { // those that were refused are not there
			b.want(t, i, entries+i, time.Minute, "first")
		}
		b.want(t, entries, 2*entries, time.Minute, "full")
	}
}

func TestMemoryShare(t *testing.T) { // [DP-22]
	for entries, share := range map[int]int{1: 1, 4: 1, 7: 1, 8: 2, 1000: 250} {
		b := newBench(t, entries)
		for i := range share {
			b.want(t, 0, i, time.Minute, "first")
		}
		if entries == 1 {
			continue
		}
		b.want(t, 0, share, time.Minute, "share")
		b.want(t, 0, share-1, time.Minute, "replay")
		b.want(t, 1, share, 2*time.Minute, "first") // not stored, and nobody else's matter
		if diff := cmp.Diff(MemoryHealth{Entries: share + 1, Capacity: entries, OverShare: 1}, b.Health()); diff != "" {
			t.Error(diff)
		}
		b.now = t0.Add(time.Minute + 1)
		for i := range share {
			b.want(t, 0, i, time.Minute, "first")
		}
		b.want(t, 0, share, time.Minute, "replay")
		b.want(t, 0, share+1, time.Minute, "share")
	}
}

// Clients that share one account are told apart by the other, whose entries end
// in time too.
func TestMemorySharedAccount(t *testing.T) {
	for row := range 2 {
		b := newBench(t, 400)
		greedy, n := b.slots(b.client(0)), 0
		for b.slots(number(n))[row] != greedy[row] || b.slots(number(n)) == greedy {
			n++
		}
		b.clients = append(b.clients, number(n))
		for i := range 100 {
			b.want(t, 1, i, time.Minute, "first")
		}
		b.now = t0.Add(time.Minute + 1)
		for i := range 100 {
			b.want(t, 0, 1000+i, time.Minute, "first")
		}
		b.want(t, 0, 2000, time.Minute, "share")
		for i := range 100 {
			b.want(t, 1, 3000+i, time.Minute, "first")
		}
		b.want(t, 1, 4000, time.Minute, "share")
	}
}

// Entries that may live for long count for a little longer, so that the number
// of spans is bounded.
func TestCoarse(t *testing.T) {
	now, spans := second(t0), map[uint32]bool{}
	for in := uint32(0); in < 1<<20; in++ {
		until := coarse(now+in, now)
		if until < now+in || until-now-in > in/256 || in < 512 && until != now+in {
			t.Fatalf("%d seconds count as %d", in, until-now)
		}
		spans[until] = true
	}
	if len(spans) > 512+256*11+11 {
		t.Errorf("%d spans", len(spans))
	}
	if got := coarse(math.MaxUint32, 0); got != math.MaxUint32 {
		t.Errorf("the end of time is %d", got)
	}
}

func TestMemoryAnnounces(t *testing.T) {
	var log bytes.Buffer
	b := newBench(t, 100)
	b.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}}))
	lines := func(want string) {
		t.Helper()
		if got := strings.Join(strings.Split(strings.TrimSpace(log.String()), "\n"), "; "); got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
	const rose, fell = "level=WARN live=80 entries=100", "level=INFO live=69 entries=100"
	for i := range 79 {
		b.want(t, i, i, time.Duration(i)*time.Second, "first")
	}
	lines("")
	for i := range 21 {
		b.want(t, 100+i, 100+i, time.Hour, "first")
	}
	for i := range 10 {
		b.want(t, 200, 200+i, time.Hour, "full")
	}
	lines(rose)
	b.now = t0.Add(30 * time.Second) // 30 are gone
	b.want(t, 0, 1000, time.Hour, "first")
	lines(rose)
	b.now = t0.Add(33 * time.Second)
	b.want(t, 0, 1001, time.Hour, "first")
	lines(rose + "; " + fell)
	b.now = t0.Add(50 * time.Second)
	for i := range 27 {
		b.want(t, i, 2000+i, time.Hour, "first")
	}
	lines(rose + "; " + fell)
	b.want(t, 50, 3000, time.Hour, "first")
	lines(rose + "; " + fell + "; " + rose)
}
