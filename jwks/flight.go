package jwks

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/bearward/bearward/validate"
)

const (
	// flightTimeout bounds metadata and keys together; each answer is bounded
	// by egress.DefaultTimeout.
	flightTimeout = 10 * time.Second
	// missWait is how long a request waits because its kid is unknown.
	missWait = 3 * time.Second

	flightKey = "keys"
)

// justNow stands for the number of fetches begun when a request arrived, where
// the request has not looked yet.
const justNow uint64 = math.MaxUint64

// begin starts a fetch, or joins the one in flight. The caller holds mu. The
// fetch is detached from the caller: whoever goes away harms nobody.
func (s *Source) begin() <-chan singleflight.Result {
	if !s.busy {
		s.busy = true
		s.begun++
		s.due.Store(math.MaxInt64)
		s.flying.Add(1)
	}
	return s.group.DoChan(flightKey, s.fly)
}

// fly is one fetch. It leaves the group while mu is held, so that busy and the
// group never disagree.
func (s *Source) fly() (any, error) {
	defer s.flying.Done()
	next, err := s.fetch()
	s.mu.Lock()
	s.busy = false
	s.group.Forget(flightKey)
	note := s.settle(next, err)
	s.mu.Unlock()
	s.log(note)
	return next, err
}

// fetch brings a new state. A panic in it becomes an error.
func (s *Source) fetch() (next *state, err error) {
	defer func() {
		if r := recover(); r != nil { // [PV-07]
			next, err = nil, fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	ctx, cancel := context.WithTimeout(s.ctx, flightTimeout)
	defer cancel()
	doc, err := s.fetcher.fetch(ctx)
	if err != nil {
		return nil, err
	}
	var prev *keySet
	if st := s.state.Load(); st != nil {
		prev = st.set
	}
	set, err := newSet(doc.keys, s.config.Algorithms, prev)
	if err != nil {
		return nil, err
	}
	now := s.config.Now()
	life := min(lifetime(doc.header, now, s.config.Refresh), s.config.MaxStale)
	next = &state{
		set: set, skipped: len(doc.skipped), fetched: now,
		refreshAt:   now.Add(time.Duration(float64(life) * (0.8 + 0.1*s.random()))),
		freshUntil:  now.Add(life),
		usableUntil: now.Add(s.config.MaxStale),
	}
	for _, skipped := range doc.skipped {
		if skipped.Private {
			next.private++
		}
	}
	return next, nil
}

// refresh starts a background fetch if it is still time for one. Who cannot
// have the lock at once leaves it to who has it.
func (s *Source) refresh() {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	if !s.closed && !s.busy && s.clock(s.config.Now()) >= s.due.Load() { // [JK-15]
		s.begin()
	}
}

// load waits for a usable set. All callers share one fetch; during back-off
// they are told at once. arrived is for miss.
func (s *Source) load(ctx context.Context) (st *state, arrived uint64, err error) {
	s.mu.Lock()
	now := s.config.Now()
	st, arrived = s.state.Load(), s.begun
	if st != nil && now.Before(st.usableUntil) {
		s.mu.Unlock()
		return st, arrived, nil
	}
	if s.closed {
		s.mu.Unlock()
		return nil, 0, unavailable(s.config.Issuer, 0, errClosed)
	}
	if !s.busy && now.Before(s.nextTry) { // [JK-17]
		defer s.mu.Unlock()
		return nil, 0, unavailable(s.config.Issuer, s.nextTry.Sub(now), s.lastErr)
	}
	landed := s.begin()
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, 0, unavailable(s.config.Issuer, 0, ctx.Err())
	case r := <-landed:
		if r.Err != nil {
			return nil, 0, s.unavailable(r.Err)
		}
		return r.Val.(*state), arrived, nil
	}
}

// miss answers for a kid that the current set does not have. It waits for a
// fetch in flight, then for one of its own if the cooldown allows, and no
// longer than missWait in all.
func (s *Source) miss(ctx context.Context, kid, alg string, arrived uint64) ([]*validate.Key, error) {
	var wait context.Context // bounded by missWait and ctx
	for {
		keys, landed := s.look(kid, alg, &arrived)
		if len(keys) > 0 {
			return keys, nil
		}
		if landed == nil {
			return nil, s.unknown(nil)
		}
		if wait == nil {
			var cancel context.CancelFunc
			wait, cancel = context.WithTimeout(ctx, missWait) //nolint:fatcontext // once
			defer cancel()
		}
		select {
		case <-wait.Done():
			return nil, s.unknown(errWaiting)
		case r := <-landed:
			if r.Err != nil {
				return nil, s.unknown(r.Err)
			}
		}
	}
}

// look looks again and decides, in one step, whether there is a fetch worth
// waiting for. A set whose fetch began after the request arrived is the last
// word. Fetches for other reasons do not use up the cooldown.
func (s *Source) look(kid, alg string, arrived *uint64) ([]*validate.Key, <-chan singleflight.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, now := s.state.Load(), s.config.Now()
	if s.closed || st == nil {
		return nil, nil
	}
	if keys := st.set.find(kid, alg); len(keys) > 0 {
		return keys, nil
	}
	if *arrived == justNow {
		*arrived = s.begun
	}
	if s.busy {
		return nil, s.begin()
	}
	if st.seq > *arrived { // [JK-13]
		return nil, nil
	}
	if !s.forced.IsZero() && now.Sub(s.forced) < s.config.Cooldown { // [JK-13]
		s.suppressed++
		return nil, nil
	}
	s.forced = now // [JK-13]
	return nil, s.begin()
}

// unknown is nil, "the issuer has no such key", while the set is fresh. Past
// that a new key may exist that we could not fetch.
func (s *Source) unknown(err error) error {
	st := s.state.Load()
	if st != nil && s.config.Now().Before(st.freshUntil) { // [JK-13]
		return nil
	}
	return s.unavailable(err)
}

func (s *Source) unavailable(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		err = errClosed
	case err == nil && s.lastErr != nil:
		err = s.lastErr
	case err == nil:
		err = errWaiting
	}
	return unavailable(s.config.Issuer, s.nextTry.Sub(s.config.Now()), err)
}
