package bearwardtest

import (
	"io"
	"log/slog"
	"sync"
	"testing"
)

// testLog writes into the output of a test and stops when the test ends:
// writing later would be a panic.
type testLog struct {
	mu  sync.Mutex
	out io.Writer // nil: the test has ended
}

func newLog(tb testing.TB) *slog.Logger {
	l := &testLog{out: tb.Output()}
	tb.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.out = nil
	})
	return slog.New(slog.NewTextHandler(l, nil))
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return len(p), nil
	}
	return l.out.Write(p)
}
