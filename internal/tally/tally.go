// Package tally counts what happens often and on all cores at once.
package tally

import (
	"math/rand/v2"
	"sync/atomic"
)

// cells are on cache lines of their own.
const cells = 8

// Counter is a number that grows. Adding takes one of several cells at random,
// so that cores seldom wait for each other. The zero Counter is ready for use,
// and must not be copied.
type Counter struct {
	cells [cells]struct {
		n atomic.Uint64
		_ [56]byte
	}
}

// Add counts one.
func (c *Counter) Add() {
	c.cells[rand.Uint32()%cells].n.Add(1) //nolint:gosec // nothing depends on which one
}

// Total is how often Add was called. Calls under way may be missing.
func (c *Counter) Total() (n uint64) {
	for i := range c.cells {
		n += c.cells[i].n.Load()
	}
	return n
}
