package benchmarks

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

const (
	rounds = 9
	slice  = 40 * time.Millisecond // of CPU time for one side of one round
)

// ratio measures run against floor in interleaved rounds by the CPU time of
// this process and reports the medians and the median of the ratios, so that
// other load on the machine cancels out as far as it can.
func ratio(b *testing.B, floor, run func()) {
	b.Helper()
	floor()
	run()
	n := calibrate(floor)
	for b.Loop() {
		var floors, runs, ratios []float64
		for range rounds {
			f, r := cost(n, floor), cost(n, run)
			floors, runs, ratios = append(floors, f), append(runs, r), append(ratios, r/f)
		}
		b.ReportMetric(median(floors), "floor-cpu-ns")
		b.ReportMetric(median(runs), "cpu-ns")
		b.ReportMetric(median(ratios), "ratio")
		b.ReportMetric(testing.AllocsPerRun(100, run), "allocs")
		b.ReportMetric(0, "ns/op")
	}
}

// calibrate returns how many calls fill a slice.
func calibrate(f func()) int {
	n := 16
	for cost(n, f)*float64(n) < float64(slice) {
		n *= 2
	}
	return n
}

// cost is the CPU time of one call in nanoseconds, over n calls.
func cost(n int, f func()) float64 {
	before := cpu()
	for range n {
		f()
	}
	return float64(cpu()-before) / float64(n)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
