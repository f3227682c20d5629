//go:build race

package benchmarks

// raceDetector adds allocations of its own.
const raceDetector = true
