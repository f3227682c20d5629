package introspect

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

func TestOneCallForAll(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, answer := &fake{}, make(chan struct{})
		s.holds(answer)
		v, _ := fronting(t, s, nil)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { passes(t, v, "a") })
		}
		synctest.Wait()
		asks(t, s, 1)
		close(answer)
		wg.Wait()
		passes(t, v, "a")
		asks(t, s, 1)
	})
}

// Nobody who comes while a flight ends asks once more.
func TestOneCallInARush(t *testing.T) { // [IN-16]
	s := &fake{}
	v, _ := fronting(t, s, nil)
	for i := range 50 {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { passes(t, v, strconv.Itoa(i)) })
		}
		wg.Wait()
	}
	asks(t, s, 50)
}

func TestCallersMayLeave(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, answer := &fake{}, make(chan struct{})
		s.holds(answer)
		v, _ := fronting(t, s, nil)
		first, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			token, err := v.Verify(first, "a")
			isRefusal(t, token, err, validate.ErrIntrospectionUnavailable)
		})
		synctest.Wait()
		wg.Go(func() { passes(t, v, "a") })
		synctest.Wait()
		start := time.Now()
		leave()
		synctest.Wait()
		close(answer)
		wg.Wait()
		if time.Since(start) != 0 {
			t.Errorf("the caller waited %v", time.Since(start))
		}
		token, err := v.Verify(first, "b") // gone before it asked
		isRefusal(t, token, err, validate.ErrIntrospectionUnavailable)
		asks(t, s, 1)
		if token, err := v.Verify(first, "a"); err != nil || token == nil {
			t.Errorf("a hit waits for nobody: %v", err)
		}
	})
}

// A call that nobody ends has an end.
func TestCallsEnd(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		s.holds(make(chan struct{}))
		v, _ := fronting(t, s, nil)
		start := time.Now()
		refuses(t, v, "a", validate.ErrIntrospectionUnavailable)
		if got := time.Since(start); got != defaultTimeout {
			t.Errorf("it took %v", got)
		}
	})
}

func TestPanicIsAnError(t *testing.T) { // [PV-07]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		s.panics = true
		v, _ := fronting(t, s, nil)
		for i := range 2 * defaultParallel { // and opens no breaker and keeps no turn
			refuses(t, v, strconv.Itoa(i), validate.ErrInternal)
		}
		s.set(func() { s.panics = false })
		passes(t, v, "a")
		v.clock = func() time.Time { return time.Now() }
		v.gate = nil
		refuses(t, v, "b", validate.ErrInternal)
	})
}

// What may lie in one token stops calls for it, for a moment, and no others.
func TestFailureOfOneToken(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		s.failing(odd())
		v, _ := fronting(t, s, nil)
		for range 3 {
			refuses(t, v, "a", validate.ErrIntrospectionInvalid)
		}
		asks(t, s, 1)
		refuses(t, v, "b", validate.ErrIntrospectionInvalid)
		asks(t, s, 2)
		time.Sleep(failedToken)
		s.working()
		passes(t, v, "a")
		asks(t, s, 3)
	})
}

// Failures of the server are no answers: the next caller asks again.
func TestFailuresAreNotKept(t *testing.T) { // [IN-13]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, _ := fronting(t, s, nil)
		s.failing(outOfOrder(errDown))
		refuses(t, v, "a", validate.ErrIntrospectionUnavailable)
		refuses(t, v, "a", validate.ErrIntrospectionUnavailable)
		s.working()
		passes(t, v, "a")
		asks(t, s, 3)
	})
}

func TestFlush(t *testing.T) { // [IN-15 RV-02]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, _ := fronting(t, s, nil)
		jwt := &validate.Token{ClientID: "api"}
		passes(t, v, "a")
		if err := v.Confirm(t.Context(), "a", jwt, 0); err != nil {
			t.Error(err)
		}
		s.answers(reply{})
		refuses(t, v, "b", validate.ErrInactive)
		passes(t, v, "a")
		asks(t, s, 3)
		v.Flush("a")
		refuses(t, v, "a", validate.ErrInactive)
		if err := v.Confirm(t.Context(), "a", jwt, 0); !errors.Is(err, validate.ErrInactive) {
			t.Errorf("got %v", err)
		}
		s.working()
		v.Flush("b")
		passes(t, v, "b")
		asks(t, s, 6)
	})
}

// An answer that was asked for before a Flush is not kept, and nobody who
// comes after it gets it.
func TestFlushInFlight(t *testing.T) { // [IN-15]
	synctest.Test(t, func(t *testing.T) {
		s, answer := &fake{}, make(chan struct{})
		s.holds(answer)
		v, _ := fronting(t, s, nil)
		var wg sync.WaitGroup
		wg.Go(func() { passes(t, v, "a") })
		synctest.Wait()
		v.Flush("a")
		s.set(func() { s.block, s.says = nil, func(string) (reply, *failure) { return reply{}, nil } })
		refuses(t, v, "a", validate.ErrInactive)
		s.working()
		close(answer)
		wg.Wait()
		refuses(t, v, "a", validate.ErrInactive) // still what was asked for after it
		asks(t, s, 2)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, log := fronting(t, s, nil)
		passes(t, v, "a")
		s.holds(make(chan struct{}))
		var wg sync.WaitGroup
		for i := range 2 * breakAfter {
			wg.Go(func() { refuses(t, v, "b"+strconv.Itoa(i), validate.ErrIntrospectionUnavailable) })
		}
		synctest.Wait()
		start := time.Now()
		for range 2 {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		if time.Since(start) != 0 || s.closed != 1 {
			t.Errorf("closing took %v and closed %d times", time.Since(start), s.closed)
		}
		refuses(t, v, "a", validate.ErrIntrospectionUnavailable)
		if err := v.Load(t.Context()); !errors.Is(err, validate.ErrIntrospectionUnavailable) {
			t.Errorf("Load: %v", err)
		}
		v.Flush("a")
		if v.Health().Entries != 0 || log.count("level=") != 0 {
			t.Errorf("entries %d, log %s", v.Health().Entries, log.buf.String())
		}
	})
}

// Close harms nobody who verifies at the same time.
func TestCloseInUse(t *testing.T) {
	v, _ := fronting(t, &fake{}, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if token, err := v.Verify(t.Context(), "a"); err != nil {
					isRefusal(t, token, err, validate.ErrIntrospectionUnavailable)
				}
				v.Flush("b")
				v.Health()
			}
		})
	}
	wg.Go(func() { _ = v.Close() })
	wg.Wait()
}

func TestLoad(t *testing.T) { // [PV-07]
	synctest.Test(t, func(t *testing.T) {
		s := &fake{}
		v, _ := fronting(t, s, nil)
		if err := v.Load(t.Context()); err != nil {
			t.Error(err)
		}
		s.loads = &failure{code: validate.ErrIntrospectionUnavailable, err: errDown}
		isRefusal(t, nil, v.Load(t.Context()), validate.ErrIntrospectionUnavailable)
		s.panics = true
		isRefusal(t, nil, v.Load(t.Context()), validate.ErrInternal)
	})
}
