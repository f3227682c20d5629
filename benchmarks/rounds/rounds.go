// Package rounds measures functions against a floor by the CPU time of this
// process, in interleaved rounds, so that other load on the machine cancels out
// as far as it can.
package rounds

import (
	"slices"
	"testing"
	"time"
)

// Plan says how long to measure. The zero Plan has the defaults.
type Plan struct {
	Rounds int           // default 9
	Slice  time.Duration // of CPU time for one function in one round; default 40 ms
}

// Result is what one call costs.
type Result struct {
	CPU    float64 // nanoseconds of this process, garbage collector and all; the median of the rounds
	Wall   float64 // nanoseconds that passed; the median of the rounds
	Ratio  float64 // to the floor in the same round; the median of the rounds
	Allocs float64
}

// Measure returns the cost of the floor, and then that of each run.
func (p Plan) Measure(floor func(), runs ...func()) []Result {
	if p.Rounds == 0 {
		p.Rounds = 9
	}
	if p.Slice == 0 {
		p.Slice = 40 * time.Millisecond
	}
	all := append([]func(){floor}, runs...)
	calls := make([]int, len(all))
	for i, f := range all {
		calls[i] = p.calibrate(f)
	}
	costs, walls, ratios := make([][]float64, len(all)), make([][]float64, len(all)), make([][]float64, len(all))
	for range p.Rounds {
		var base float64
		for i, f := range all {
			began := time.Now()
			c := cost(calls[i], f)
			if i == 0 {
				base = c
			}
			walls[i] = append(walls[i], float64(time.Since(began))/float64(calls[i]))
			costs[i], ratios[i] = append(costs[i], c), append(ratios[i], c/base)
		}
	}
	results := make([]Result, len(all))
	for i, f := range all {
		results[i] = Result{Median(costs[i]), Median(walls[i]), Median(ratios[i]), testing.AllocsPerRun(min(100, calls[i]), f)}
	}
	return results
}

// calibrate returns how many calls fill a slice, after a first one that has what
// is done only once.
func (p Plan) calibrate(f func()) int {
	f()
	n := 16
	for cost(n, f)*float64(n) < float64(p.Slice) {
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

// Median returns the upper median of v, which must not be empty.
func Median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
