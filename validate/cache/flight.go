package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bearward/bearward/validate"
)

// flightTime bounds one verification, with the wait for keys that it may need.
const flightTime = 15 * time.Second

// flights are verifications under way. Whoever asks about a token that somebody
// verifies already waits for that one.
type flights struct {
	mu    sync.Mutex
	under map[digest]*flight
}

// flight is run by the caller who began it, on the caller's own goroutine: another
// one costs a third of a signature check.
type flight struct {
	done    chan struct{}
	token   *validate.Token
	err     error
	left    bool // its caller went away before there was an answer
	spoiled bool // the token was dropped meanwhile; guarded by flights.mu
}

type verification = func(context.Context) (*validate.Token, error)

// Share runs verify, once for all who ask about one digest at the same time, and
// remembers a token that it returns. verify gets the caller's context, with an
// end after 15 seconds at most. If that caller goes away, the next one of those
// who wait verifies in turn; nobody's going away fails the others.
func (c *Cache) Share(ctx context.Context, d digest, verify func(context.Context) (*validate.Token, error)) (*validate.Token, error) {
	c.misses.Add()
	for {
		f, first := c.flights.join(d)
		if first {
			return c.fly(ctx, d, f, verify)
		}
		select {
		case <-f.done:
			if !f.left {
				return f.token, f.err
			}
		case <-ctx.Done():
			return nil, &validate.Error{Code: validate.ErrUnavailable, Err: ctx.Err()}
		}
	}
}

// fly runs the verification of a flight. An error of somebody who went away may
// be due to that.
func (c *Cache) fly(ctx context.Context, d digest, f *flight, verify verification) (*validate.Token, error) {
	defer c.land(d, f)
	bounded, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	f.err = errNeither // should the goroutine be made to end
	f.token, f.err = guarded(bounded, verify)
	f.left = f.err != nil && ctx.Err() != nil
	return f.token, f.err
}

var errNeither = &validate.Error{Code: validate.ErrInternal, Err: errors.New("a verification ended with neither token nor error")}

// guarded makes a panic a refusal: others wait for the answer.
func guarded(ctx context.Context, verify verification) (t *validate.Token, err error) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			t, err = nil, &validate.Error{Code: validate.ErrInternal, Err: fmt.Errorf("panic: %T", v)}
		}
	}()
	if t, err = verify(ctx); t == nil && err == nil {
		err = errNeither
	}
	return t, err
}

// land ends a flight. What was dropped while it was under way is not remembered.
func (c *Cache) land(d digest, f *flight) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if c.flights.under[d] == f {
		delete(c.flights.under, d)
	}
	if f.err == nil && f.token != nil && !f.spoiled {
		c.put(d, f.token)
	}
	close(f.done)
}

// join returns the flight about a digest and whether the caller has begun it.
func (f *flights) join(d digest) (*flight, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under := f.under[d]; under != nil {
		return under, false
	}
	if f.under == nil {
		f.under = map[digest]*flight{}
	}
	begun := &flight{done: make(chan struct{})}
	f.under[d] = begun
	return begun, true
}

// spoil keeps the flight about a digest from being remembered, and from being
// joined by anybody who asks from now on.
func (f *flights) spoil(d digest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under := f.under[d]; under != nil {
		under.spoiled = true
		delete(f.under, d)
	}
}
