package benchmarks

import (
	"flag"
	"testing"
	"time"

	"github.com/bearward/bearward/benchmarks/rounds"
)

var plan rounds.Plan

func init() {
	flag.IntVar(&plan.Rounds, "rounds", 9, "interleaved rounds of each row")
	flag.DurationVar(&plan.Slice, "slice", 40*time.Millisecond, "CPU time of one side in a round")
}

// limit is what a number of a row shall not pass. The table of results judges by
// it; no test does.
type limit struct {
	number string
	least  bool // else it is the most
	value  float64
}

func most(number string, value float64) limit { return limit{number, false, value} }

func least(number string, value float64) limit { return limit{number, true, value} }

// hold reports the limits beside the numbers.
func hold(b *testing.B, limits ...limit) {
	b.Helper()
	for _, l := range limits {
		suffix := ":most"
		if l.least {
			suffix = ":least"
		}
		b.ReportMetric(l.value, l.number+suffix)
	}
}

// ratio measures run against floor and reports the medians.
func ratio(b *testing.B, floor, run func(), limits ...limit) {
	b.Helper()
	for b.Loop() {
		report(b, plan.Measure(floor, run))
	}
	hold(b, limits...)
}

// above is ratio that also reports, as more-ns, what run costs beyond floor and
// beside together.
func above(b *testing.B, floor, beside, run func(), limits ...limit) {
	b.Helper()
	for b.Loop() {
		r := plan.Measure(floor, run, beside)
		report(b, r)
		b.ReportMetric(r[1].CPU-r[0].CPU-r[2].CPU, "more-ns")
	}
	hold(b, limits...)
}

func report(b *testing.B, r []rounds.Result) {
	b.Helper()
	b.ReportMetric(r[0].CPU, "floor-cpu-ns")
	b.ReportMetric(r[1].CPU, "cpu-ns")
	b.ReportMetric(r[1].Wall, "wall-ns")
	b.ReportMetric(r[1].Ratio, "ratio")
	b.ReportMetric(r[1].Allocs, "allocs")
	b.ReportMetric(0, "ns/op")
}

func median(v []float64) float64 { return rounds.Median(v) }
