package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// longer is how long a proof is kept beyond its end: a process whose clock is
// behind accepts it for that much longer. It costs memory only.
const longer = 30 * time.Second

// Replay is a dpop.ReplayStore that all processes on one Redis share: of all of
// them, one gets to use a proof. If Redis cannot be asked, whether the proof
// was used is unknown, and it is refused. It is safe for concurrent use.
type Replay struct {
	redis *Redis
	queue queue

	mu     sync.Mutex
	marker string    // as it was found last
	since  time.Time // from then on Redis holds everything, by the clock of this process
	blind  bool      // Redis does not tell its run_id
}

var _ dpop.Forgetful = (*Replay)(nil)

// Replay returns the store of used proofs. It is one and the same for all
// guards, and closed with r.
func (r *Redis) Replay() *Replay {
	r.inspector.proofs.Store(true)
	r.inspector.due.Store(true)
	return r.proofs
}

// First puts the entry if it is absent and reports whether it was. It shares a
// pipeline with other calls of the moment, waits for none, and ends with ctx or
// Config.Timeout; the proof may have become a used one even so. The error is a
// *validate.Error with an *Outage inside: ErrReplayFull if Redis is out of
// memory, else ErrReplayUnavailable.
func (p *Replay) First(ctx context.Context, client, id [32]byte, until time.Time) (bool, error) {
	u := p.use(client, id, until)
	if err := p.put(u); err != nil { // [DP-22]
		return false, unavailable(err)
	}
	bounded, cancel := context.WithTimeout(ctx, p.redis.config.Timeout)
	defer cancel()
	select {
	case a := <-u.answer:
		if a.err != nil { // [DP-22]
			return false, unavailable(a.err)
		}
		return a.first, nil
	case <-bounded.Done():
		u.forsaken.Store(true)
		if ctx.Err() != nil {
			return false, unavailable(&Outage{text: errGivenUp, wait: pause})
		}
		return false, unavailable(&Outage{text: errSlow, wait: pause})
	}
}

func unavailable(err error) error {
	code := validate.ErrReplayUnavailable
	if errors.Is(err, errFull) {
		code = validate.ErrReplayFull
	}
	return &validate.Error{Code: code, Err: err}
}

// use says what to write: a name that tells nothing, and for how many
// milliseconds.
func (p *Replay) use(client, id [32]byte, until time.Time) *use {
	name := sha256.Sum256(append(client[:], id[:]...))
	keep := max(until.Sub(p.redis.config.Clock()), 0) + longer // [DP-21]
	return &use{
		key:    p.redis.config.Prefix + "p:" + base64.RawURLEncoding.EncodeToString(name[:]),
		keep:   keep.Milliseconds(),
		answer: make(chan answer, 1),
	}
}
