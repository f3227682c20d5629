package drive

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestBuckets: each duration is in a bucket that ends at it or up to 1/64 later,
// and buckets follow one another without a gap.
func TestBuckets(t *testing.T) {
	last := bucket(math.MaxInt64)
	if last >= buckets {
		t.Fatalf("the longest duration is in bucket %d of %d", last, buckets)
	}
	for i := range last {
		end := upper(i)
		if bucket(uint64(end)) != i || bucket(uint64(end)+1) != i+1 {
			t.Fatalf("bucket %d does not end at %d ns", i, end)
		}
		if i > 0 && float64(end-upper(i-1)-1) > float64(end)/64 {
			t.Fatalf("bucket %d is too wide", i)
		}
	}
}

func TestQuantile(t *testing.T) {
	var none Latency
	if none.Quantile(0.5) != 0 || none.Max() != 0 || none.Count() != 0 {
		t.Error("something in an empty histogram")
	}
	var all, half Latency
	var exact []time.Duration
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		d := time.Duration(r.ExpFloat64() * float64(time.Millisecond))
		exact = append(exact, d)
		if i%2 == 0 {
			all.Add(d)
		} else {
			half.Add(d)
		}
	}
	all.merge(&half)
	slices.Sort(exact)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := exact[max(int(q*10_000)-1, 0)]
		if got := all.Quantile(q); got < want || float64(got) > float64(want)*(1+1./64)+1 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if all.Count() != 10_000 || all.Max() != exact[9999] {
		t.Errorf("%d durations, the longest %v, want %v", all.Count(), all.Max(), exact[9999])
	}
	var backwards Latency
	backwards.Add(-1)
	if backwards.Max() != 0 || backwards.Count() != 1 {
		t.Error("a negative duration is not counted as none")
	}
}
