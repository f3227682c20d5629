package metrics

import "github.com/prometheus/client_golang/prometheus"

// family is one metric that is read from the state when it is asked for.
type family struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	desc       *prometheus.Desc
}

var families []*family

func register(kind prometheus.ValueType, name, help string, labels ...string) *family {
	f := &family{"bearward_" + name, help, kind, labels, prometheus.NewDesc("bearward_"+name, help, labels, nil)}
	families = append(families, f)
	return f
}

func gauge(name, help string, labels ...string) *family {
	return register(prometheus.GaugeValue, name, help, labels...)
}

func counter(name, help string, labels ...string) *family {
	return register(prometheus.CounterValue, name, help, labels...)
}

// The metrics of issuers. Their counters begin anew with a source that a reload
// replaced.
var (
	jwksUsable     = gauge("jwks_usable", "1 if there is a key set that may be used.", "issuer")
	jwksStale      = gauge("jwks_stale", "1 if the key set is older than its freshness.", "issuer")
	jwksAge        = gauge("jwks_age_seconds", "Age of the key set in use.", "issuer")
	jwksKeys       = gauge("jwks_keys", "Usable keys, one for each algorithm.", "issuer")
	jwksSkipped    = gauge("jwks_keys_skipped", "Keys of the set that cannot be used.", "issuer")
	jwksFetches    = counter("jwks_fetches_total", "Fetches of the key set that have begun.", "issuer")
	jwksFailures   = counter("jwks_fetch_failures_total", "Fetches of the key set that failed.", "issuer")
	jwksSuppressed = counter("jwks_refetches_suppressed_total", "Tokens with an unknown key that caused no fetch, because there had been one a moment ago.", "issuer")

	askedUp         = gauge("introspection_up", "1 if the last call was answered, or there was none yet.", "issuer")
	askedOpen       = gauge("introspection_breaker_open", "1 while only probes are sent, after failures in a row.", "issuer")
	askedCalls      = counter("introspection_calls_total", "Calls by what came of them: active, inactive, unusable, refused (our credentials), failed.", "issuer", "outcome")
	askedSuppressed = counter("introspection_suppressed_total", "Questions that were not asked: the server is down or paused, or a limit is reached.", "issuer")
	askedHits       = counter("introspection_cache_hits_total", "Tokens judged by a remembered answer.", "issuer")
	askedMisses     = counter("introspection_cache_misses_total", "Tokens about which there was none.", "issuer")
	askedEntries    = gauge("introspection_cache_entries", "Active answers that are remembered, about.", "issuer")
)

// The metrics of what all issuers share.
var (
	cacheHits     = counter("cache_hits_total", "JWTs that were verified before.")
	cacheMisses   = counter("cache_misses_total", "JWTs that had to be verified.")
	cacheEntries  = gauge("cache_entries", "JWTs that are remembered, about.")
	cacheCapacity = gauge("cache_capacity", "JWTs that are remembered at most.")

	replayEntries  = gauge("replay_entries", "Used proofs in memory that are live.")
	replayCapacity = gauge("replay_capacity", "Used proofs that memory has room for.")
	replayRefused  = counter("replay_refusals_total", "Proofs that were refused for want of room, by reason: full, share (of one client).", "reason")

	redisUp = gauge("redis_up", "1 if the last operation on Redis succeeded, or there was none yet.")
)
