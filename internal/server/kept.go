package server

import (
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
}

func (k *kept) close() error {
	if k.redis == nil {
		return nil
	}
	return k.redis.Close()
}
