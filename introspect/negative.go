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

// refusals remembers tokens that were refused, exactly, so that the same junk is
// asked about once. The caller locks.
type refusals struct{ generations[refusal] }

func newRefusals() refusals { return refusals{newGenerations[refusal](refusalsSize)} }

func (r *refusals) get(d digest, now time.Time) *validate.Error {
	known, ok := r.generations.get(d)
	if !ok || !now.Before(known.until) { // [IN-13]
		return nil
	}
	return known.err
}

func (r *refusals) put(d digest, known refusal) { r.generations.put(d, known, 1) }
