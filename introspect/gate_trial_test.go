package introspect

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

// tripped is a Verifier whose breaker has just opened.
func tripped(t *testing.T) (*fake, *Verifier, *lines) {
	t.Helper()
	s := &fake{}
	v, log := fronting(t, s, nil)
	s.failing(outOfOrder(errDown))
	for i := range breakAfter {
		refuses(t, v, fmt.Sprint("first", i), validate.ErrIntrospectionUnavailable)
	}
	return s, v, log
}

// Junk that the server cannot answer, sent all the time, does not keep the
// breaker open after an outage.
func TestJunkDoesNotTakeEveryProbe(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, v, _ := tripped(t)
		s.set(func() {
			s.delay = 10 * time.Millisecond
			s.says = func(raw string) (reply, *failure) {
				if raw == "good" {
					return active(""), nil
				}
				return reply{}, odd()
			}
		})
		ctx, stop := context.WithCancel(t.Context())
		var junk sync.WaitGroup
		for n := range 20 {
			junk.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					_, _ = v.Verify(ctx, fmt.Sprint("junk", n, "-", i))
					time.Sleep(time.Millisecond)
				}
			})
		}
		time.Sleep(probeEvery + 20*time.Millisecond)
		passes(t, v, "good")
		stop()
		junk.Wait()
		passes(t, v, "good")
		if h := v.Health(); !h.Up || !h.NextTry.IsZero() {
			t.Errorf("%+v", h)
		}
	})
}

// A trial ends with the first call that fails, and is no news for the log.
func TestTrialEndsWithAFailure(t *testing.T) { // [IN-16]
	synctest.Test(t, func(t *testing.T) {
		s, v, log := tripped(t)
		for range 3 {
			time.Sleep(probeEvery)
			s.failing(odd())
			refuses(t, v, fmt.Sprint("junk", s.count()), validate.ErrIntrospectionInvalid)
			refuses(t, v, fmt.Sprint("junk", s.count()), validate.ErrIntrospectionInvalid) // nobody waits
			before := s.count()
			s.failing(outOfOrder(errDown))
			refuses(t, v, fmt.Sprint("bad", before), validate.ErrIntrospectionUnavailable)
			asks(t, s, before+1)
			refuses(t, v, fmt.Sprint("next", before), validate.ErrIntrospectionUnavailable)
			asks(t, s, before+1)
			time.Sleep(probeEvery - time.Nanosecond)
			refuses(t, v, fmt.Sprint("early", before), validate.ErrIntrospectionUnavailable)
			asks(t, s, before+1)
		}
		if n := log.count("level=ERROR"); n != 1 {
			t.Errorf("%d errors logged", n)
		}
		time.Sleep(probeEvery)
		s.working()
		passes(t, v, "good")
		if log.count("endpoint answers again") != 1 {
			t.Error("the end is not logged")
		}
	})
}

// What is no answer at all gives no trial: a pause, or a fault of ours.
func TestNoTrialWithoutAnAnswer(t *testing.T) { // [IN-16]
	for name, f := range map[string]*failure{
		"429":   {code: validate.ErrIntrospectionUnavailable, err: errDown, pause: time.Second},
		"panic": {code: validate.ErrInternal, err: errPanic},
	} {
		g := newGate(Limits{Parallel: 10, PerSecond: 100})
		now := time.Now()
		for range breakAfter {
			g.leave(turn{}, now, outOfOrder(errDown))
		}
		now = now.Add(probeEvery)
		one, err := g.enter(fakeIssuer, false, now)
		if err != nil || !one.probe {
			t.Fatal(err)
		}
		g.leave(one, now, f)
		now = now.Add(2 * time.Second)
		if two, err := g.enter(fakeIssuer, false, now); err != nil || !two.probe {
			t.Errorf("%s: %+v, %v", name, two, err)
		}
		if _, err := g.enter(fakeIssuer, false, now); err == nil {
			t.Errorf("%s: two at once", name)
		}
	}
}
