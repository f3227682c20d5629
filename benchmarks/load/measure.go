package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bearward/bearward/benchmarks/load/drive"
	"github.com/bearward/bearward/benchmarks/load/stand"
)

const (
	repeated = "repeated token"
	rotating = "rotating tokens"
	fresh    = "DPoP, fresh proofs"
)

// without is the variant that all others are compared with.
const without = "none"

// cell is a row of the results.
type cell struct{ workload, driver, variant string }

// sample is one measurement of it.
type sample struct {
	rate                     float64       // answers per second
	cpu                      time.Duration // of the server for one request; 0: not known
	p50, p90, p99, p999, max time.Duration
}

// results are all measurements of all cells, by round.
type results struct {
	options

	cells   []cell // in the order of the report
	samples map[cell][]sample
	verify  time.Duration // raw check of one proof's signature
	wrk     string        // its version; empty: there is none
}

// bench is everything that runs.
type bench struct {
	*results

	dir      string
	loads    []workload
	children map[[2]string]*child // by workload and variant
}

func measure(ctx context.Context, o options) (*results, error) {
	dir, err := os.MkdirTemp("", "load")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	own, err := stand.NewIssuer(o.algorithm)
	if err != nil {
		return nil, err
	}
	defer own.Close() //nolint:errcheck // nothing is lost
	b := &bench{
		results: &results{options: o, samples: map[cell][]sample{}, wrk: wrkVersion(ctx)},
		dir:     dir, children: map[[2]string]*child{},
	}
	if b.loads, err = b.prepare(ctx, own); err != nil {
		return nil, err
	}
	defer func() {
		for _, c := range b.children {
			c.stop()
		}
	}()
	if err := b.start(ctx, own.URL()); err != nil {
		return nil, err
	}
	if b.verify, err = rawVerify(); err != nil {
		return nil, err
	}
	for round := range o.rounds {
		if err := b.round(ctx, round); err != nil {
			return nil, err
		}
	}
	return b.results, nil
}

// start makes one process for each variant and workload, so that what one
// workload leaves in memory costs no other.
func (b *bench) start(ctx context.Context, issuer string) error {
	binary, err := build(ctx, b.dir)
	if err != nil {
		return err
	}
	binaries := map[string]string{}
	for _, v := range slices.Concat([]variant{{without, binary}, {"floor", binary}, {"cached", binary}, {"uncached", binary}, {"dpop", binary}}, b.rivals) {
		if binaries[v.name] != "" {
			return fmt.Errorf("two variants have the name %s", v.name)
		}
		binaries[v.name] = v.binary
	}
	for _, w := range b.loads {
		for _, name := range w.variants {
			c, err := start(ctx, variant{name, binaries[name]}, issuer, b.limit)
			if err != nil {
				return err
			}
			b.children[[2]string{w.name, name}] = c
		}
	}
	return nil
}

// round measures everything once, every other round in the opposite order.
func (b *bench) round(ctx context.Context, round int) error {
	for _, w := range b.loads {
		order := slices.Clone(w.variants)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, name := range order {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s, %s\n", round+1, b.rounds, w.name, name)
			if err := b.one(ctx, w, b.children[[2]string{w.name, name}]); err != nil {
				return fmt.Errorf("%s, %s: %w", w.name, name, err)
			}
		}
	}
	return nil
}

// one measures a workload on a variant, after a run that does not count.
func (b *bench) one(ctx context.Context, w workload, c *child) error {
	run, err := w.credentials(c.address)
	if err != nil {
		return err
	}
	warm := drive.Plan{Address: c.address, Path: path, Connections: b.connections, Duration: patience, Credentials: run.warm, Once: true}
	if _, err := right(warm.Run(ctx)); err != nil {
		return err
	}
	s, err := timed(c, func() (sample, uint64, error) {
		p := drive.Plan{Address: c.address, Path: path, Connections: b.connections, Duration: b.time, Credentials: run.counted, Once: w.once}
		if w.once {
			p.Duration = patience
		}
		return summary(right(p.Run(ctx)))
	})
	if err != nil {
		return err
	}
	b.add(cell{w.name, "drive", c.name}, s)
	if w.file == "" || b.wrk == "" {
		return nil
	}
	s, err = timed(c, func() (sample, uint64, error) {
		return b.runWrk(ctx, c.address, filepath.Join(b.dir, w.file))
	})
	if err != nil {
		return err
	}
	b.add(cell{w.name, "wrk", c.name}, s)
	return nil
}

func (b *bench) add(c cell, s sample) {
	if len(b.samples[c]) == 0 {
		b.cells = append(b.cells, c)
	}
	b.samples[c] = append(b.samples[c], s)
}

// timed adds the CPU time of the server.
func timed(c *child, run func() (sample, uint64, error)) (sample, error) {
	before, known := c.cpu()
	s, count, err := run()
	after, ok := c.cpu()
	if err == nil && known && ok {
		s.cpu = (after - before) / time.Duration(count)
	}
	return s, err
}
