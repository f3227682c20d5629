package server

import (
	"net/http"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/internal/server/metrics"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// kept is what no reload changes: what would be lost with it was a decision
// about somebody.
type kept struct {
	redis       *redisstore.Redis        // nil: none
	revocations *validate.RevocationList // nil: none in memory
	proofs      *dpop.Memory             // used ones; nil: none in memory
	metrics     *metrics.Metrics         // nil: nobody can read them
	sources     sources
	front       Front // nil: none
}

// Front stands before a handler of mode ext-authz and answers questions of other
// forms itself.
type Front func(*ExtAuthz) http.Handler

// sources are what reads a file again by itself. They are the same as long as what
// they read is: an issuer whose source is another one is another issuer.
type sources map[string]any

// source returns what is called so in the file before, or what is made now.
func source[T any](b *builder, name string, create func() (T, error)) (T, error) {
	out, ok := b.before[name].(T)
	if !ok {
		var err error
		if out, err = create(); err != nil {
			return out, err
		}
	}
	if b.kept.sources == nil {
		b.kept.sources = sources{}
	}
	b.kept.sources[name] = out
	return out, nil
}

func (k *kept) close() error {
	if k.redis == nil {
		return nil
	}
	return k.redis.Close()
}
