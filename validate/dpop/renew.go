package dpop

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/internal/same"
	"github.com/bearward/bearward/validate"
)

// lineage is what Verifiers that were made from each other by Renew have in common.
type lineage struct {
	open atomic.Int64 // how many are in use
}

// past is a Verifier that another one took the place of.
type past struct {
	config Config
	nonces *nonces
	until  time.Time // when; what it let be forgotten it did before
}

// remembered is how long a past Verifier matters: a proof that it has judged is of
// no use any more after that.
const remembered = maxDrift + maxWindow + maxFuture

// Renew returns a Verifier by another configuration that shares the used proofs
// with v: those of v.Replay, unless the configuration brings another store. Both
// decide, each by its own, until they are closed. A proof that was used with one
// of them is used for both, whatever their windows are.
func (v *Verifier) Renew(c Config) (*Verifier, error) {
	if c.Replay == nil {
		c.Replay = v.replay
	}
	next, err := New(c)
	if err != nil || next.shared || !same.Settings(&next.replay, &v.replay) {
		return next, err
	}
	next.lineage = v.lineage
	next.lineage.open.Add(1)
	now := next.config.Clock() // after that v's entries last
	next.pasts = slices.DeleteFunc(slices.Clone(v.pasts), func(p past) bool {
		return now.Sub(p.until) > remembered || same.Settings(&p.config, &v.config)
	})
	next.pasts = append(next.pasts, past{v.config, v.nonces, now})
	return next, nil
}

// Close ends the use of v's configuration, for the sake of the Verifiers that
// share its used proofs. It waits for nobody, and is idempotent.
func (v *Verifier) Close() {
	if v.closed.CompareAndSwap(false, true) {
		v.lineage.open.Add(-1)
	}
}

// lasting reports that entries have to live for as long as any configuration could
// accept the proof, and not only this one.
func (v *Verifier) lasting() bool { return v.shared || v.lineage.open.Load() > 1 }

// held is the last instant at which the proof would surely be among the used ones,
// had it been used before this Verifier took the place of others: those
// forgot it when they accepted it no longer. Zero: it could not have been used
// before. nonced says that they knew its nonce.
func (s *state) held() (end time.Time, nonced bool) {
	for i := range s.verifier.pasts {
		p := &s.verifier.pasts[i]
		could, until, known := s.claims.issued.Add(-p.config.Future), s.claims.issued.Add(p.config.Window), false
		if s.claims.hasNonce {
			var made time.Time
			if made, known = p.nonces.made(s.claims.nonce, s.in.Now); known {
				could, until = made.Add(-nonceFuture), made.Add(nonceLife)
			}
		}
		if !could.After(p.until) && (end.IsZero() || until.Before(end)) {
			end, nonced = until, known
		}
	}
	return end, nonced
}

// checkHeld refuses what may have been used and forgotten since. A proof whose nonce
// is too old for the routes that looked at it may come again with a fresh one.
func checkHeld(s *state) error {
	end, nonced := s.held()
	switch {
	case end.IsZero() || !s.in.Now.After(end):
		s.limit = end
		return nil
	case nonced: // [DP-21]
		return refuse(validate.ErrNonceInvalid)
	}
	return refuseClaim(validate.ErrProofExpired, "iat") // [DP-21]
}
