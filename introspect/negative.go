package introspect

import (
	"time"

	"github.com/bearward/bearward/validate"
)

// refusalsSize is how many refusals each of the two generations holds.
const refusalsSize = 4096

// refusal is why a token is not accepted, for a short time.
type refusal struct {
	err   *validate.Error
	until time.Time
}

// refusals remembers tokens that were refused. It is exact, so that the same
// junk is asked about once, and small: junk pushes out older junk and nothing
// else. The zero value is ready; the caller locks.
type refusals struct {
	young, old map[digest]refusal
}

func (r *refusals) get(d digest, now time.Time) *validate.Error {
	known, ok := r.young[d]
	if !ok {
		known, ok = r.old[d]
	}
	if !ok || !now.Before(known.until) { // [IN-13]
		return nil
	}
	return known.err
}

func (r *refusals) put(d digest, known refusal) {
	if len(r.young) >= refusalsSize { // [CA-05]
		r.old, r.young = r.young, nil
	}
	if r.young == nil {
		r.young = make(map[digest]refusal)
	}
	r.young[d] = known
}

func (r *refusals) remove(d digest) {
	delete(r.young, d)
	delete(r.old, d)
}
