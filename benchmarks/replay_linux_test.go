package benchmarks

import (
	"cmp"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// BenchmarkReplayPause has the longest of all calls: while the store grows to
// 1,000,000 entries, while they are turned over, and after all of them ended
// while nothing called. The target is 1 ms. It is the CPU time of the thread,
// which other programs do not add to, but the garbage collector does.
func BenchmarkReplayPause(b *testing.B) {
	for name, owner := range owners {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := newReplay(b, liveProofs, owner)
				for _, phase := range []string{"grow", "turn", "idle"} {
					if phase == "idle" {
						r.now = r.now.Add(2 * proofLife)
					}
					longest := r.longest(liveProofs)
					b.ReportMetric(float64(longest[0].Microseconds()), phase+"-max-µs")
					b.ReportMetric(float64(longest[len(longest)/10_000].Microseconds()), phase+"-p99.99-µs")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// longest returns how long n calls took, in descending order.
func (r *replay) longest(n int) []time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took := make([]time.Duration, n)
	for i := range took {
		start := threadCPU()
		r.first()
		took[i] = threadCPU() - start
	}
	slices.SortFunc(took, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	return took
}

func threadCPU() time.Duration {
	const thread = 3 // CLOCK_THREAD_CPUTIME_ID: unlike getrusage, it does not count in ticks
	var t syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, thread, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic(errno)
	}
	return time.Duration(t.Nano())
}
