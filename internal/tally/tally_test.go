package tally

import (
	"sync"
	"testing"
)

func TestTotal(t *testing.T) {
	var c Counter
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				c.Add()
			}
		})
	}
	all.Wait()
	if c.Total() != 8000 {
		t.Errorf("%d of 8000", c.Total())
	}
	if n := testing.AllocsPerRun(100, c.Add); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	var c Counter
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add()
		}
	})
}
