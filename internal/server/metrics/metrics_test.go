package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/redisstore"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
	"github.com/bearward/bearward/validate/dpop"
)

// everything is a state in which nothing is missing and no two numbers are the
// same.
func everything() State {
	asked := introspect.Health{
		Up: true, Answers: introspect.Answers{Active: 31, Inactive: 32, Unusable: 33, Refused: 34, Failed: 35}, Turned: 36, Hits: 37, Misses: 38, Entries: 39,
	}
	return State{
		Issuers: []middleware.Health{
			{Name: "main", Health: jwks.Health{
				Loaded: true, LastSuccess: time.Unix(1, 0), Age: 21 * time.Second, Keys: 22, Skipped: 23, Fetches: 24, Failures: 25, Suppressed: 26,
			}},
			{Name: "opaque", Health: jwks.Health{Loaded: true}, Introspection: &asked},
			{Name: "down", Health: jwks.Health{Stale: true, Fetches: 1, Failures: 1}, Introspection: &introspect.Health{Open: true}},
		},
		Cache:  &cache.Health{Hits: 41, Misses: 42, Entries: 43, Capacity: 44},
		Replay: &dpop.MemoryHealth{Entries: 51, Capacity: 52, Refused: 53, OverShare: 54},
		Redis:  &redisstore.Health{Up: true},
	}
}

// scrape is what Prometheus reads, by series.
func scrape(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != 200 {
		t.Fatal(rec.Code, err)
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			if out[name], err = strconv.ParseFloat(value, 64); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	return out
}

// TestState: what Health says is what is shown, and what is not there is not.
func TestState(t *testing.T) {
	m := New()
	if got := scrape(t, m); len(got) == 0 || got["bearward_build_info"] != 0 {
		t.Errorf("before there is a state: %d series", len(got))
	}
	m.Watch(everything)
	got := scrape(t, m)
	for series, want := range map[string]float64{
		`bearward_jwks_usable{issuer="main"}`: 1, `bearward_jwks_usable{issuer="down"}`: 0, `bearward_jwks_stale{issuer="main"}`: 0, `bearward_jwks_stale{issuer="down"}`: 1,
		`bearward_jwks_age_seconds{issuer="main"}`: 21, `bearward_jwks_keys{issuer="main"}`: 22, `bearward_jwks_keys_skipped{issuer="main"}`: 23,
		`bearward_jwks_fetches_total{issuer="main"}`: 24, `bearward_jwks_fetch_failures_total{issuer="main"}`: 25, `bearward_jwks_refetches_suppressed_total{issuer="main"}`: 26,
		`bearward_introspection_up{issuer="opaque"}`: 1, `bearward_introspection_up{issuer="down"}`: 0,
		`bearward_introspection_breaker_open{issuer="opaque"}`: 0, `bearward_introspection_breaker_open{issuer="down"}`: 1,
		`bearward_introspection_calls_total{issuer="opaque",outcome="active"}`: 31, `bearward_introspection_calls_total{issuer="opaque",outcome="inactive"}`: 32,
		`bearward_introspection_calls_total{issuer="opaque",outcome="unusable"}`: 33, `bearward_introspection_calls_total{issuer="opaque",outcome="refused"}`: 34,
		`bearward_introspection_calls_total{issuer="opaque",outcome="failed"}`: 35, `bearward_introspection_suppressed_total{issuer="opaque"}`: 36,
		`bearward_introspection_cache_hits_total{issuer="opaque"}`: 37, `bearward_introspection_cache_misses_total{issuer="opaque"}`: 38,
		`bearward_introspection_cache_entries{issuer="opaque"}`: 39,
		`bearward_cache_hits_total`:                             41, `bearward_cache_misses_total`: 42, `bearward_cache_entries`: 43, `bearward_cache_capacity`: 44,
		`bearward_replay_entries`: 51, `bearward_replay_capacity`: 52, `bearward_replay_refusals_total{reason="full"}`: 53, `bearward_replay_refusals_total{reason="share"}`: 54,
		`bearward_redis_up`: 1,
	} {
		if v, ok := got[series]; !ok || v != want {
			t.Errorf("%s: %v, %t; want %v", series, v, ok, want)
		}
	}
	for _, absent := range []string{`bearward_jwks_usable{issuer="opaque"}`, `bearward_jwks_age_seconds{issuer="down"}`, `bearward_introspection_up{issuer="main"}`} {
		if _, ok := got[absent]; ok {
			t.Errorf("%s is shown", absent)
		}
	}
	m.Watch(func() State { return State{} }) // after a reload
	for series := range scrape(t, m) {
		if strings.Contains(series, "issuer=") || strings.HasPrefix(series, "bearward_redis") {
			t.Errorf("%s is shown of an empty state", series)
		}
	}
}

// TestDecisions: counted by reason and issuer, each in one series.
func TestDecisions(t *testing.T) {
	m := New()
	m.Know("main")
	see := func(n int, e middleware.Event) {
		for range n {
			m.Observe(t.Context(), e)
		}
	}
	see(3, middleware.Event{Allowed: true, Issuer: "main", Duration: time.Millisecond})
	see(1, middleware.Event{Allowed: true, Duration: time.Millisecond}) // public
	see(2, middleware.Event{Code: validate.ErrExpired, Issuer: "main", Duration: time.Second})
	see(4, middleware.Event{Code: validate.ErrTokenMissing})
	see(5, middleware.Event{Code: validate.ErrScopeMissing, Issuer: "main", Allowed: true, ReportOnly: true})
	see(6, middleware.Event{Code: validate.ErrNonceMissing, Issuer: "main"})
	got := scrape(t, m)
	for series, want := range map[string]float64{
		`bearward_decisions_total{class="accepted",code="accepted",issuer="main",report_only="false"}`:          3,
		`bearward_decisions_total{class="accepted",code="accepted",issuer="none",report_only="false"}`:          1,
		`bearward_decisions_total{class="bad_token",code="token_expired",issuer="main",report_only="false"}`:    2,
		`bearward_decisions_total{class="no_token",code="token_missing",issuer="none",report_only="false"}`:     4,
		`bearward_decisions_total{class="missing_scope",code="scope_missing",issuer="main",report_only="true"}`: 5,
		`bearward_decisions_total{class="use_nonce",code="nonce_missing",issuer="main",report_only="false"}`:    6,
		`bearward_dpop_nonce_challenges_total`:                                   6,
		`bearward_decision_duration_seconds_count{accepted="true"}`:              4,
		`bearward_decision_duration_seconds_count{accepted="false"}`:             17,
		`bearward_decision_duration_seconds_bucket{accepted="true",le="0.001"}`:  4,
		`bearward_decision_duration_seconds_bucket{accepted="true",le="0.0005"}`: 0,
	} {
		if got[series] != want {
			t.Errorf("%s: %v, want %v", series, got[series], want)
		}
	}
}

// TestLabelsAreBounded: what is in no table is one label, however much of it
// comes.
func TestLabelsAreBounded(t *testing.T) {
	m := New()
	m.Know("main")
	before := len(scrape(t, m))
	for i := range 10000 {
		odd := strconv.Itoa(i)
		m.Observe(t.Context(), middleware.Event{Code: validate.Code("odd " + odd), Issuer: "main"})
		m.Observe(t.Context(), middleware.Event{Code: validate.ErrExpired, Issuer: "https://" + odd + ".example.test"})
		m.Observe(t.Context(), middleware.Event{Code: validate.ErrExpired, Path: "/" + odd, Method: odd, Route: odd})
	}
	got := scrape(t, m)
	if grown := len(got) - before; grown > 3 {
		t.Errorf("%d more series", grown)
	}
	if n := len(*m.decisions.seen.Load()); n > 1 {
		t.Errorf("%d series are remembered", n)
	}
	for series, want := range map[string]float64{
		`bearward_decisions_total{class="internal",code="other",issuer="main",report_only="false"}`:           10000,
		`bearward_decisions_total{class="bad_token",code="token_expired",issuer="other",report_only="false"}`: 10000,
	} {
		if got[series] != want {
			t.Errorf("%s: %v", series, got[series])
		}
	}
}

// TestClasses: every class has a word of its own.
func TestClasses(t *testing.T) {
	codes, table := validate.Codes()
	seen := map[string]validate.Class{}
	for _, code := range codes {
		class := table[code].Class
		word := classes[class]
		if other, ok := seen[word]; word == "" || ok && other != class {
			t.Errorf("class %c is %q", class, word)
		}
		seen[word] = class
	}
}

// TestReloads survive each other.
func TestReloads(t *testing.T) {
	m := New()
	m.Loaded(time.Unix(100, 0), false)
	want := func(ok, failed, at, upToDate float64) {
		t.Helper()
		got := scrape(t, m)
		if got[`bearward_config_reloads_total{result="ok"}`] != ok || got[`bearward_config_reloads_total{result="failed"}`] != failed ||
			got["bearward_config_loaded_timestamp_seconds"] != at || got["bearward_config_last_reload_successful"] != upToDate {
			t.Errorf("%v, want %v %v %v %v", got, ok, failed, at, upToDate)
		}
	}
	want(0, 0, 100, 1)
	m.NotLoaded()
	want(0, 1, 100, 0)
	m.Loaded(time.Unix(200, 0), true)
	want(1, 1, 200, 1)
}

// TestObserveAllocates nothing once a series is there, and nobody waits for
// anybody.
func TestObserveAllocates(t *testing.T) {
	m := New()
	m.Know("main")
	e := middleware.Event{Allowed: true, Issuer: "main", Duration: time.Millisecond}
	if n := testing.AllocsPerRun(1000, func() { m.Observe(t.Context(), e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for code := range map[validate.Code]bool{validate.ErrExpired: true, validate.ErrInactive: true, "": true} {
				e := e
				e.Code = code
				m.Observe(t.Context(), e)
			}
			_ = scrape(t, m)
		})
	}
	all.Wait()
}

func BenchmarkObserve(b *testing.B) {
	m := New()
	m.Know("main")
	e := middleware.Event{Allowed: true, Issuer: "main", Duration: time.Millisecond}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Observe(b.Context(), e)
		}
	})
}
