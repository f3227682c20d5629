package jwks

import "time"

// Health is how a key source is doing. It contains nothing secret.
type Health struct {
	Issuer      string
	Loaded      bool // there is a set that may be used
	LastSuccess time.Time
	Age         time.Duration // of the set
	Keys        int           // usable, one per algorithm
	Skipped     int           // keys of the set that are not used
	LastError   string        // fixed text; empty after a success
	NextTry     time.Time     // not before; a use has to come as well
	Stale       bool          // older than its freshness
	Fetches     uint64        // begun since start
	Failures    uint64        // of those
	Suppressed  uint64        // tokens with an unknown key that caused no fetch: there was one a moment ago
}

// Health tells the state without starting anything.
func (s *Source) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	h := Health{Issuer: s.config.Issuer, LastError: describe(s.lastErr), NextTry: s.nextTry, Fetches: s.begun, Failures: s.failed, Suppressed: s.suppressed}
	st := s.state.Load()
	if st == nil {
		return h
	}
	h.Loaded = now.Before(st.usableUntil)
	h.LastSuccess = st.fetched // [JK-24]
	h.Age = now.Sub(st.fetched)
	h.Keys = len(st.set.live)            // [JK-24]
	h.Skipped = st.skipped               // [JK-24]
	h.Stale = !now.Before(st.freshUntil) // [JK-24]
	if h.NextTry.IsZero() {
		h.NextTry = st.refreshAt
	}
	return h
}
