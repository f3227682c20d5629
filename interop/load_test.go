package interop

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// What the load expects of a token right now.
const (
	passes    int32 = iota // 200 and nothing else
	refused                // 401 and nothing else
	uncertain              // the keys change at this moment: 200 or 401
	unknown                // its key cannot be looked up: 401 or 503, never 200
	unasked                // nobody can be asked about it: 503 and nothing else
)

// expected is a token under load with what is expected of it.
type expected struct {
	name  string
	token string
	want  atomic.Int32
}

func expect(name, token string, want int32) *expected {
	e := &expected{name: name, token: token}
	e.want.Store(want)
	return e
}

// fine reports whether the status fits what was expected before and after the
// request.
func (e *expected) fine(status int, before, after int32) bool {
	ok, no, away := status == http.StatusOK, status == http.StatusUnauthorized, status == http.StatusServiceUnavailable
	switch {
	case before != after:
		return ok || no || away && (before == unknown || after == unknown)
	case before == passes:
		return ok
	case before == refused:
		return no
	case before == unknown:
		return no || away
	case before == unasked:
		return away
	default:
		return ok || no
	}
}

// load sends tokens through all adapters, until it is stopped.
type load struct {
	tokens []*expected
	steps  chan struct{} // one for each request
	quit   chan struct{}
	wg     sync.WaitGroup
}

// startLoad starts four workers; each walks over tokens and adapters.
func startLoad(t testing.TB, s *stack, tokens ...*expected) *load {
	t.Helper()
	l := &load{tokens: tokens, steps: make(chan struct{}), quit: make(chan struct{})}
	for worker := range 4 {
		l.wg.Go(func() {
			for n := worker; ; n++ {
				e, adapter := tokens[n%len(tokens)], adapters[n/len(tokens)%len(adapters)]
				before := e.want.Load()
				status := s.call(t, adapter, e.token)
				if after := e.want.Load(); !e.fine(status, before, after) {
					t.Errorf("%s over %s: status %d, expected %d then %d", e.name, adapter, status, before, after)
				}
				select {
				case l.steps <- struct{}{}:
				case <-l.quit:
					return
				}
			}
		})
	}
	return l
}

// run lets the load make n more requests.
func (l *load) run(n int) {
	for range n {
		<-l.steps
	}
}

// stop ends the load after the requests under way.
func (l *load) stop() {
	close(l.quit)
	l.wg.Wait()
}
