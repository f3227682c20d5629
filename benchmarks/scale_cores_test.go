package benchmarks

import (
	"context"
	"crypto/sha256"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/benchmarks/load/stand"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

const (
	coreRounds = 25
	coreSlice  = 50 * time.Millisecond
)

// BenchmarkCores has how much more tokens in the cache are validated in the same
// time by two goroutines on two cores than by one on one, beside the same of
// digests of the same tokens and nothing else. The target of the ratio is 0.9.
// It is wall time, so this one needs a machine of its own.
func BenchmarkCores(b *testing.B) {
	if testing.Short() || runtime.NumCPU() < 2 {
		b.Skip("needs two cores and some time")
	}
	for name, n := range map[string]int{"one-token": 1, "10000-tokens": 10_000} {
		b.Run(name, func(b *testing.B) {
			tokens, issuers := newSeen(b, n)
			raw := make([][]byte, n)
			for i := range raw {
				raw[i] = []byte(tokens[i])
			}
			digest := func(i int) { _ = sha256.Sum256(raw[i]) }
			lookup := func(i int) {
				if _, err := issuers.Verify(context.Background(), tokens[i]); err != nil {
					panic(err)
				}
			}
			for b.Loop() {
				var floors, lookups, ratios []float64
				for range coreRounds {
					f, l := scaling(n, digest), scaling(n, lookup)
					floors, lookups, ratios = append(floors, f), append(lookups, l), append(ratios, l/f)
				}
				b.ReportMetric(median(floors), "floor-scaling")
				b.ReportMetric(median(lookups), "scaling")
				b.ReportMetric(median(ratios), "ratio")
				b.ReportMetric(0, "ns/op")
			}
			hold(b, least("ratio", 0.9))
		})
	}
}

// newSeen has n tokens and a router whose cache knows them.
func newSeen(tb testing.TB, n int) ([]string, *validate.Issuers) {
	tb.Helper()
	server, err := stand.NewIssuer("ES256")
	if err != nil {
		tb.Fatal(err)
	}
	defer server.Close()
	tokens, err := stand.Mint(context.Background(), server, n, "")
	if err != nil {
		tb.Fatal(err)
	}
	source, err := jwks.Static(validate.Key{ID: server.KeyID(""), Algorithm: "ES256", Public: server.Key("ES256")})
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := validate.NewJWT(validate.Config{Issuer: server.URL(), Audience: []string{issuer.DefaultAudience}, Keys: source})
	if err != nil {
		tb.Fatal(err)
	}
	issuers, err := validate.NewIssuers(validate.Leaf{Issuer: server.URL(), JWT: verifier})
	if err != nil {
		tb.Fatal(err)
	}
	memory, err := cache.New(cache.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = memory.Close() })
	issuers.Remember(memory)
	for _, raw := range tokens {
		if _, err := issuers.Verify(context.Background(), raw); err != nil {
			tb.Fatal(err)
		}
	}
	return tokens, issuers
}

// scaling is the rate of run on two cores by that on one.
func scaling(n int, run func(i int)) float64 {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	return perCores(2, n, run) / perCores(1, n, run)
}

// perCores is how often run is done in a slice, with n numbers in turn. Each
// goroutine begins elsewhere among them.
func perCores(cores, n int, run func(i int)) float64 {
	runtime.GOMAXPROCS(cores)
	done := make([]int, cores)
	var all sync.WaitGroup
	start := time.Now()
	for core := range cores {
		all.Go(func() {
			calls := 0
			for i := core * n / cores; time.Since(start) < coreSlice; {
				for range 64 {
					run(i % n)
					i++
				}
				calls += 64
			}
			done[core] = calls
		})
	}
	all.Wait()
	sum := 0
	for _, calls := range done {
		sum += calls
	}
	return float64(sum) / time.Since(start).Seconds()
}
