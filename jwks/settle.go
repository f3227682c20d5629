package jwks

import "time"

// maxBackoff is the longest pause between failed fetches.
const maxBackoff = 30 * time.Second

// note is what a fetch has to tell the log, once mu is free.
type note struct {
	failed, stale, recovered bool
	err                      error
	skipped, private         int // where they changed
}

// settle takes over the outcome of a fetch. The caller holds mu.
func (s *Source) settle(next *state, err error) note {
	if s.closed {
		return note{}
	}
	prev, now := s.state.Load(), s.config.Now()
	if err != nil { // [JK-16]
		n := note{err: err, failed: s.failures == 0}
		s.failures++
		s.failed++
		s.lastErr = err
		s.nextTry = now.Add(s.backoff())
		s.due.Store(s.clock(s.nextTry))
		if prev != nil && !s.staleLog && !now.Before(prev.freshUntil) {
			n.stale, s.staleLog = true, true
		}
		return n
	}
	n := note{recovered: s.failures > 0}
	if prev == nil || prev.private != next.private {
		n.private = next.private
	}
	if prev == nil || prev.skipped != next.skipped {
		n.skipped = next.skipped
	}
	s.failures, s.lastErr, s.nextTry, s.staleLog = 0, nil, time.Time{}, false
	next.seq = s.begun
	s.state.Store(next) // [JK-18]
	s.due.Store(s.clock(next.refreshAt))
	return n
}

// backoff is 1, 2, 4 … 30 s, shortened by up to a fifth.
func (s *Source) backoff() time.Duration {
	pause := maxBackoff
	if s.failures <= 5 { // [JK-16]
		pause = min(time.Second<<(s.failures-1), maxBackoff)
	}
	return pause - time.Duration(0.2*s.random()*float64(pause))
}

// log writes what happened. Key ids stay out: they come from outside.
func (s *Source) log(n note) {
	defer func() { _ = recover() }() // a logger that panics must not end the process
	l := s.config.Logger.With("issuer", s.config.Issuer)
	if n.private > 0 { // [JK-09]
		l.Error("the issuer publishes private keys: they are not used and must be revoked", "keys", n.private)
	}
	if n.skipped > 0 {
		l.Warn("keys of the issuer are not usable and skipped", "keys", n.skipped)
	}
	if n.failed {
		l.Warn("the issuer's keys cannot be fetched", "error", describe(n.err))
	}
	if n.stale { // [JK-16]
		l.Error("the issuer's keys are older than their freshness and still used", "error", describe(n.err))
	}
	if n.recovered { // [JK-16]
		l.Info("the issuer's keys are fetched again")
	}
}
