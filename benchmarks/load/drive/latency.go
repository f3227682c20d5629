package drive

import (
	"math/bits"
	"time"
)

const (
	fineBits = 6                           // a power of two has 64 buckets
	buckets  = (64 - fineBits) << fineBits // enough for every duration
	fine     = uint64(1) << fineBits       // below it each nanosecond has its own
)

// Latency is a histogram of durations, exact to 1/64. The zero Latency is empty.
type Latency struct {
	counts  []uint64
	total   uint64
	longest time.Duration
}

// Add counts one duration. A negative one counts as none at all.
func (l *Latency) Add(d time.Duration) {
	if l.counts == nil {
		l.counts = make([]uint64, buckets)
	}
	d = max(d, 0)
	l.counts[bucket(uint64(d))]++
	l.total++
	l.longest = max(l.longest, d)
}

// merge adds what other counted.
func (l *Latency) merge(other *Latency) {
	if l.counts == nil {
		l.counts = make([]uint64, buckets)
	}
	for i, n := range other.counts {
		l.counts[i] += n
	}
	l.total += other.total
	l.longest = max(l.longest, other.longest)
}

// Count is how many durations were added.
func (l *Latency) Count() uint64 { return l.total }

// Max is the longest duration.
func (l *Latency) Max() time.Duration { return l.longest }

// Quantile is the duration that the share q of all did not exceed, at most 1/64
// too long; 0 if there is none.
func (l *Latency) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(l.total))
	var seen uint64
	for i, n := range l.counts {
		if seen += n; n > 0 && seen >= rank {
			return min(upper(i), l.longest)
		}
	}
	return l.longest
}

// bucket is where a number of nanoseconds is counted: by its highest bit and the
// six that follow.
func bucket(ns uint64) int {
	if ns < fine {
		return int(ns)
	}
	shift := bits.Len64(ns) - 1 - fineBits
	return shift<<fineBits + int(ns>>shift)
}

// upper is the longest duration of a bucket.
func upper(i int) time.Duration {
	if uint64(i) < fine {
		return time.Duration(i)
	}
	shift := i>>fineBits - 1
	return time.Duration((uint64(i)-uint64(shift)<<fineBits+1)<<shift - 1)
}
