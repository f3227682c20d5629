package introspect

import (
	"context"
	"sync/atomic"
	"time"
)

// renewed keeps a value and makes a new one in good time. One caller does it;
// the others use the old one meanwhile, or wait where there is none. A failure
// does not take away a value that is still usable.
type renewed[T any] struct {
	clock   func() time.Time
	create  func(ctx context.Context) (item[T], error)
	retry   time.Duration // after a failure
	current atomic.Pointer[item[T]]
	slot    chan struct{} // held by who makes a new one
}

type item[T any] struct {
	value T
	made  time.Time
	renew time.Time
	until time.Time // it is used no longer; zero: always
}

func newRenewed[T any](clock func() time.Time, retry time.Duration, create func(context.Context) (item[T], error)) *renewed[T] {
	return &renewed[T]{clock: clock, create: create, retry: retry, slot: make(chan struct{}, 1)}
}

func (i *item[T]) usable(now time.Time) bool {
	return i != nil && (i.until.IsZero() || now.Before(i.until))
}

func (i *item[T]) fresh(now time.Time) bool { return i.usable(now) && now.Before(i.renew) }

// get returns a usable value or why there is none.
func (r *renewed[T]) get(ctx context.Context) (T, error) {
	now, held := r.clock(), r.current.Load()
	if held.fresh(now) {
		return held.value, nil
	}
	if held.usable(now) {
		select {
		case r.slot <- struct{}{}:
		default:
			return held.value, nil
		}
	} else {
		select {
		case r.slot <- struct{}{}:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
	defer func() { <-r.slot }()
	if held = r.current.Load(); held.fresh(now) { // [IN-02]
		return held.value, nil // somebody else was quicker
	}
	next, err := r.create(ctx)
	if err != nil {
		if !held.usable(now) {
			return next.value, err
		}
		next = *held
		next.renew = now.Add(r.retry)
	}
	next.made = now
	r.current.Store(&next)
	return next.value, nil
}

// doubt lets the value be made anew at its next use, but not within the pause
// after it was made.
func (r *renewed[T]) doubt(pause time.Duration) {
	held := r.current.Load()
	if held == nil {
		return
	}
	if early := held.made.Add(pause); early.Before(held.renew) {
		next := *held
		next.renew = early
		r.current.CompareAndSwap(held, &next)
	}
}
