package recent_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bearward/bearward/internal/recent"
)

func TestMap(t *testing.T) {
	m := recent.New[string, int](4) // one shard, two generations of two
	if v, ok := m.Get("a"); ok || v != 0 {
		t.Errorf("an empty map has %d", v)
	}
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("a", 3) // no entry more
	holds(t, m, "a", 3)
	holds(t, m, "b", 2)
	m.Put("c", 4) // a and b grow old
	holds(t, m, "a", 3)
	m.Put("d", 5) // c and a grow old, b is dropped
	holds(t, m, "a", 3)
	holds(t, m, "c", 4)
	if _, ok := m.Get("b"); ok {
		t.Error("b outlived two generations that did without it")
	}
}

func TestPutReplacesWhatIsOld(t *testing.T) {
	m := recent.New[string, int](4)
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("c", 3)
	m.Put("a", 4)
	holds(t, m, "a", 4)
}

func holds(t *testing.T, m *recent.Map[string, int], key string, want int) {
	t.Helper()
	if got, ok := m.Get(key); !ok || got != want {
		t.Errorf("%s: got %d, %v, want %d", key, got, ok, want)
	}
}

func TestBound(t *testing.T) {
	for limit, most := range map[int]int{-1: 2, 0: 2, 1: 2, 2: 2, 3: 2, 4: 4, 100: 100, 512: 512, 10_000: 10_000} {
		m := recent.New[int, int](limit)
		keys := 5*most + 10
		for i := range keys {
			m.Put(i, -i)
			if v, ok := m.Get(i); !ok || v != -i {
				t.Fatalf("limit %d: what was just put is %d, %v", limit, v, ok)
			}
		}
		// Looking at all of it in an order that moves nothing: what is new first.
		held := 0
		for i := keys - 1; i >= 0; i-- {
			if v, ok := m.Get(i); ok {
				held++
				if v != -i {
					t.Fatalf("limit %d: %d has the value of another", limit, i)
				}
			}
		}
		if held > most || held == 0 || limit > 100 && held < most/4 {
			t.Errorf("limit %d: holds %d", limit, held)
		}
	}
}

func TestUseKeeps(t *testing.T) {
	m := recent.New[string, int](1000)
	m.Put("used", 1)
	for i := range 100_000 {
		m.Put(strconv.Itoa(i), i)
		if _, ok := m.Get("used"); !ok {
			t.Fatalf("dropped after %d others", i)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := recent.New[string, int](300)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 5000 {
				n := (i*(g+1) + g) % 700
				key := strconv.Itoa(n)
				if v, ok := m.Get(key); ok && v != n {
					t.Errorf("%s has the value %d", key, v)
				}
				m.Put(key, n)
			}
		})
	}
	wg.Wait()
}

func TestGetAllocatesNothing(t *testing.T) {
	m := recent.New[string, int](10_000)
	key := strings.Repeat("k", 1<<10)
	m.Put(key, 1)
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := m.Get(key); !ok {
			t.Error("not there")
		}
		m.Get("absent")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkGet(b *testing.B) {
	m := recent.New[string, int](10_000)
	var keys [256]string
	for i := range keys {
		keys[i] = strings.Repeat("k", 200) + strconv.Itoa(i)
		m.Put(keys[i], i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, ok := m.Get(keys[i%len(keys)]); !ok {
				b.Error("not there")
			}
		}
	})
}
