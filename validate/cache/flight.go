package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/bearward/bearward/validate"
)

// flights are verifications under way. Whoever asks about a token that somebody
// verifies already waits for that one.
type flights struct {
	mu    sync.Mutex
	under map[digest]*flight
}

type flight struct {
	done    chan struct{}
	token   *validate.Token
	err     error
	spoiled bool // the token was dropped meanwhile; guarded by flights.mu
}

// Share runs verify, once for all who ask about one digest at the same time, and
// remembers a token that it returns. verify gets a context that does not end
// with the caller's, so that nobody's going away fails the others; it has to
// bound itself. A caller's context ends its own waiting for somebody else only.
func (c *Cache) Share(ctx context.Context, d digest, verify func(context.Context) (*validate.Token, error)) (*validate.Token, error) {
	f, first := c.flights.join(d)
	if !first {
		select {
		case <-f.done:
			return f.token, f.err
		case <-ctx.Done():
			return nil, &validate.Error{Code: validate.ErrUnavailable, Err: ctx.Err()}
		}
	}
	defer c.land(d, f)
	f.token, f.err = guarded(context.WithoutCancel(ctx), verify)
	return f.token, f.err
}

// guarded makes a panic a refusal: others wait for the answer.
func guarded(ctx context.Context, verify func(context.Context) (*validate.Token, error)) (t *validate.Token, err error) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			t, err = nil, &validate.Error{Code: validate.ErrInternal, Err: fmt.Errorf("panic: %T", v)}
		}
	}()
	if t, err = verify(ctx); t == nil && err == nil {
		err = &validate.Error{Code: validate.ErrInternal, Err: errNeither}
	}
	return t, err
}

var errNeither = errors.New("a verification returned neither token nor error")

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
