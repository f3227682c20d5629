package rounds

import (
	"strings"
	"testing"
	"time"
)

var sink string

func TestMeasure(t *testing.T) {
	calls := make([]int, 2)
	results := Plan{Rounds: 3, Slice: time.Millisecond}.Measure(
		func() { calls[0]++ },
		func() { calls[1]++; sink = strings.Repeat("a", 1000) },
	)
	if len(results) != 2 || results[0].Ratio != 1 {
		t.Fatalf("Measure = %+v, want a ratio of 1 first, and one more", results)
	}
	for i, allocs := range []float64{0, 1} {
		if r := results[i]; r.CPU <= 0 || r.Wall <= 0 || r.Ratio <= 0 || r.Allocs != allocs {
			t.Errorf("result %d = %+v, want costs and %v allocations", i, r, allocs)
		}
		if calls[i] < 4*16 {
			t.Errorf("function %d was called %d times", i, calls[i])
		}
	}
}

func TestMedian(t *testing.T) {
	for want, v := range map[float64][]float64{1: {1}, 2: {3, 1, 2}, 3: {4, 1, 3, 2}} {
		if got := Median(v); got != want {
			t.Errorf("Median(%v) = %v, want %v", v, got, want)
		}
	}
}
