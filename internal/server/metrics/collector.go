package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/cache"
	"github.com/bearward/bearward/validate/dpop"
)

// State is what the server tells about itself without a call. What is nil is
// not there.
type State struct {
	Issuers []middleware.Health
	Cache   *cache.Health
	Replay  *dpop.MemoryHealth
	Redis   *redisstore.Health
}

// Describe tells every metric that Collect may send.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, f := range families {
		to <- f.desc
	}
}

// Collect sends the state of now.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	state := m.state.Load()
	if state == nil {
		return
	}
	now := (*state)()
	send := sender(to)
	for i := range now.Issuers {
		send.issuer(&now.Issuers[i])
	}
	if c := now.Cache; c != nil {
		send.value(cacheHits, float64(c.Hits))
		send.value(cacheMisses, float64(c.Misses))
		send.value(cacheEntries, float64(c.Entries))
		send.value(cacheCapacity, float64(c.Capacity))
	}
	if r := now.Replay; r != nil {
		send.value(replayEntries, float64(r.Entries))
		send.value(replayCapacity, float64(r.Capacity))
		send.value(replayRefused, float64(r.Refused), "full")
		send.value(replayRefused, float64(r.OverShare), "share")
	}
	if r := now.Redis; r != nil {
		send.value(redisUp, truth(r.Up))
	}
}

type sender chan<- prometheus.Metric

func (to sender) value(f *family, v float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...)
}

func (to sender) issuer(h *middleware.Health) {
	if h.Fetches > 0 || !h.Loaded { // else it has no keys to fetch
		to.value(jwksUsable, truth(h.Loaded), h.Name)
		to.value(jwksStale, truth(h.Stale), h.Name)
		to.value(jwksFetches, float64(h.Fetches), h.Name)
		to.value(jwksFailures, float64(h.Failures), h.Name)
		to.value(jwksSuppressed, float64(h.Suppressed), h.Name)
		if !h.LastSuccess.IsZero() {
			to.value(jwksAge, h.Age.Seconds(), h.Name)
			to.value(jwksKeys, float64(h.Keys), h.Name)
			to.value(jwksSkipped, float64(h.Skipped), h.Name)
		}
	}
	asked := h.Introspection
	if asked == nil {
		return
	}
	to.value(askedUp, truth(asked.Up), h.Name)
	to.value(askedOpen, truth(asked.Open), h.Name)
	for _, c := range []struct {
		outcome string
		n       uint64
	}{
		{"active", asked.Answers.Active},
		{"inactive", asked.Answers.Inactive},
		{"unusable", asked.Answers.Unusable},
		{"refused", asked.Answers.Refused},
		{"failed", asked.Answers.Failed},
	} {
		to.value(askedCalls, float64(c.n), h.Name, c.outcome)
	}
	to.value(askedSuppressed, float64(asked.Turned), h.Name)
	to.value(askedHits, float64(asked.Hits), h.Name)
	to.value(askedMisses, float64(asked.Misses), h.Name)
	to.value(askedEntries, float64(asked.Entries), h.Name)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
