package dpop

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const callers = 64

// together runs f in many goroutines that begin at once.
func together(f func(caller int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range callers {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

// Of all who bring the same id at once, one is first.
func TestMemoryRace(t *testing.T) { // [DP-21]
	b := newBench(t, defaultEntries)
	const ids = 500
	var firsts [ids]atomic.Int32
	client := b.client(0)
	together(func(caller int) {
		for i := range ids {
			id := i
			if caller%2 == 0 {
				id = ids - 1 - i
			}
			switch got := says(b.First(t.Context(), client, number(id), t0.Add(time.Minute))); got {
			case "first":
				firsts[id].Add(1)
			case "replay":
			default:
				t.Errorf("got %s", got)
			}
		}
	})
	for id := range firsts {
		if n := firsts[id].Load(); n != 1 {
			t.Errorf("id %d was first %d times", id, n)
		}
	}
}

// One id again and again, as soon as it is over: in each second, one is first.
func TestMemoryRaceAgain(t *testing.T) { // [DP-21]
	b := newBench(t, 16)
	client := b.client(0)
	for range 200 {
		var firsts atomic.Int32
		together(func(int) {
			if says(b.First(t.Context(), client, number(1), b.now)) == "first" {
				firsts.Add(1)
			}
		})
		if n := firsts.Load(); n != 1 {
			t.Fatalf("first %d times", n)
		}
		b.now = b.now.Add(time.Second)
	}
}

// Nobody gets more than there is, whoever comes at once.
func TestMemoryRaceFull(t *testing.T) { // [DP-22]
	b := newBench(t, 2*shardEntries)
	var clients [8][32]byte
	for i := range clients {
		clients[i] = b.client(i)
	}
	var stored [len(clients)]atomic.Int64
	together(func(caller int) {
		for i := range 1000 {
			n := caller % len(clients)
			if n > 2 {
				n = 0 // most are one client
			}
			if says(b.First(t.Context(), clients[n], number(caller*1000+i), t0.Add(time.Minute))) == "first" {
				stored[n].Add(1)
			}
			b.Health()
		}
	})
	if got := stored[0].Load(); got != shardEntries/2 {
		t.Errorf("the greedy client got %d", got)
	}
	want := shardEntries/2 + 2*8*1000
	if got := b.Health().Entries; got != want {
		t.Errorf("%d entries, want %d", got, want)
	}
	for i := range b.shards {
		b.shards[i].check(t)
	}
}
