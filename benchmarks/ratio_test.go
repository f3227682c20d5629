package benchmarks

import (
	"testing"

	"github.com/bearward/bearward/benchmarks/rounds"
)

// ratio measures run against floor and reports the medians.
func ratio(b *testing.B, floor, run func()) {
	b.Helper()
	for b.Loop() {
		r := rounds.Plan{}.Measure(floor, run)
		b.ReportMetric(r[0].CPU, "floor-cpu-ns")
		b.ReportMetric(r[1].CPU, "cpu-ns")
		b.ReportMetric(r[1].Ratio, "ratio")
		b.ReportMetric(r[1].Allocs, "allocs")
		b.ReportMetric(0, "ns/op")
	}
}

func median(v []float64) float64 { return rounds.Median(v) }
