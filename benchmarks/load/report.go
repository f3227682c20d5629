package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/bearward/bearward/benchmarks/machine"
)

// targets are the ratios to none that rows shall reach.
var targets = map[[2]string]float64{
	{repeated, "cached"}: 0.97,
	{rotating, "cached"}: 0.90,
}

// write prints everything as Markdown.
func (r *results) write(w io.Writer, m machine.Machine, command string) {
	fmt.Fprint(w, "# Load over the socket\n\n")
	wrk := "wrk " + r.wrk
	if r.wrk == "" {
		wrk = "wrk is not installed: its rows are missing"
	}
	m.Write(w, wrk)
	fmt.Fprintf(w, "- `%s`\n\n", command)
	fmt.Fprintf(w, `Rounds: %d, of %v for each row. Connections: %d. Tokens: %s, %d in rotation. Numbers
are medians of the rounds; max is that of all. Ratios are to the rate of %s in the same
round, with the least and the most of the rounds beside. Client and server share the
cores; CPU is what the server takes for one request. floor takes the digest of the token
and copies the request, which a cache of tokens cannot do without.
`, r.rounds, r.time, r.connections, r.algorithm, r.tokens, without)
	var part cell
	for _, c := range slices.SortedStableFunc(slices.Values(r.cells), func(a, b cell) int {
		return cmp.Compare(r.place(a), r.place(b))
	}) {
		if part.workload != c.workload || part.driver != c.driver {
			part = c
			fmt.Fprintf(w, "\n## %s, by %s\n\n", c.workload, c.driver)
			fmt.Fprintln(w, "| server | requests/s | ratio | target | CPU | p50 | p90 | p99 | p99.9 | max |")
			fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
		}
		r.row(w, c)
	}
	r.bound(w)
}

// place orders the parts of the report as they were first measured: drivers
// within workloads.
func (r *results) place(c cell) int {
	return slices.IndexFunc(r.cells, func(o cell) bool { return o.workload == c.workload && o.driver == c.driver })
}

func (r *results) row(w io.Writer, c cell) {
	s := r.samples[c]
	fmt.Fprintf(w, "| %s | %.0f | %s | %s |", c.variant, median(s, func(s sample) float64 { return s.rate }), r.ratios(c), target(c))
	for _, of := range []func(sample) time.Duration{
		func(s sample) time.Duration { return s.cpu },
		func(s sample) time.Duration { return s.p50 },
		func(s sample) time.Duration { return s.p90 },
		func(s sample) time.Duration { return s.p99 },
		func(s sample) time.Duration { return s.p999 },
	} {
		fmt.Fprintf(w, " %s |", short(median(s, of)))
	}
	longest := slices.MaxFunc(s, func(a, b sample) int { return cmp.Compare(a.max, b.max) })
	fmt.Fprintf(w, " %s |\n", short(longest.max))
}

func target(c cell) string {
	if t, ok := targets[[2]string{c.workload, c.variant}]; ok {
		return fmt.Sprintf(">= %.2f", t)
	}
	return ""
}

// ratios are those of each round to none.
func (r *results) ratios(c cell) string {
	base := r.samples[cell{c.workload, c.driver, without}]
	var all []float64
	for i, s := range r.samples[c] {
		all = append(all, s.rate/base[i].rate)
	}
	if c.variant == without {
		return "1"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(all, func(f float64) float64 { return f }), slices.Min(all), slices.Max(all))
}

// bound sets the rate of proofs beside the one that no server on these cores can
// exceed.
func (r *results) bound(w io.Writer) {
	none, dpop := r.samples[cell{fresh, "drive", without}], r.samples[cell{fresh, "drive", "dpop"}]
	cores := runtime.NumCPU()
	most := float64(cores) / r.verify.Seconds()
	rate := median(dpop, func(s sample) float64 { return s.rate })
	fmt.Fprintf(w, "\nOne raw check of an ES256 signature takes %s of CPU time, so that %d cores with nothing\n"+
		"else to do would make %.0f a second. dpop answers %.2f of that, beside its client.\n", short(r.verify), cores, most, rate/most)
	of := func(s sample) time.Duration { return s.cpu }
	if with, bare := median(dpop, of), median(none, of); with > 0 && bare > 0 {
		fmt.Fprintf(w, "A proof costs the server %s more than none: %.2f raw checks.\n", short(with-bare), float64(with-bare)/float64(r.verify))
	}
}

// median is the upper one.
func median[T any, N cmp.Ordered](all []T, of func(T) N) N {
	v := make([]N, len(all))
	for i, x := range all {
		v[i] = of(x)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// short prints three digits at most.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < 100*time.Microsecond:
		return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}
