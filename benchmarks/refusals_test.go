package benchmarks

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

// refused is a router that remembers tokens, and tokens that it refuses for what
// can be seen without a signature check.
type refused struct {
	issuers *validate.Issuers
	tokens  map[string]string
	codes   map[string]validate.Code
}

func newRefused(tb testing.TB) refused {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	s, err := issuer.Start(issuer.Config{Algorithms: []string{"RS256"}})
	must(err)
	tb.Cleanup(func() { _ = s.Close() })
	source, err := jwks.Remote(jwks.Config{Issuer: s.URL(), AllowHTTP: true, Logger: slog.New(slog.DiscardHandler)})
	must(err)
	tb.Cleanup(func() { _ = source.Close() })
	must(source.Load(context.Background()))
	verifier, err := validate.NewJWT(validate.Config{Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}, Keys: source})
	must(err)
	r := refused{tokens: map[string]string{}, codes: map[string]validate.Code{
		"unknown-kid": validate.ErrKeyUnknown, "unknown-issuer": validate.ErrIssuerUnknown, "expired": validate.ErrExpired,
		"wrong-audience": validate.ErrAudienceRefused, "malformed": validate.ErrTokenMalformed,
	}}
	r.issuers, err = validate.NewIssuers(validate.Leaf{Issuer: s.URL(), JWT: verifier})
	must(err)
	memory, err := cache.New(cache.Config{})
	must(err)
	tb.Cleanup(func() { _ = memory.Close() })
	r.issuers.Remember(memory)
	for name, mint := range map[string]string{
		"unknown-kid": "unknown-kid", "unknown-issuer": "wrong-issuer", "expired": "expired", "wrong-audience": "wrong-audience", "malformed": "valid",
	} {
		r.tokens[name], err = s.Mint(mint, realistic(s))
		must(err)
	}
	r.tokens["malformed"] = strings.Replace(r.tokens["malformed"], ".", "\".", 1)
	return r
}

func (r refused) refuse(name string) func() {
	raw, want := r.tokens[name], r.codes[name]
	return func() {
		if _, err := r.issuers.Verify(context.Background(), raw); validate.CodeOf(err) != want {
			panic(err)
		}
	}
}

// BenchmarkRefusal has tokens that are refused, beside the digest of the token and
// the time. The kid is unknown within the cooldown: nobody fetches anything.
func BenchmarkRefusal(b *testing.B) {
	r := newRefused(b)
	for name, raw := range r.tokens {
		whole := []byte(raw)
		floor := func() {
			_ = sha256.Sum256(whole)
			_ = time.Now()
		}
		b.Run(name, func(b *testing.B) { ratio(b, floor, r.refuse(name), most("cpu-ns", 3000)) })
	}
}

// TestRefusalAllocations holds what does not depend on the machine.
func TestRefusalAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates too")
	}
	r := newRefused(t)
	for name, most := range map[string]float64{"unknown-kid": 14, "unknown-issuer": 6, "expired": 6, "wrong-audience": 6, "malformed": 2} {
		run := r.refuse(name)
		run()
		if got := testing.AllocsPerRun(200, run); got > most {
			t.Errorf("%s: %v allocations, want %v", name, got, most)
		}
	}
}
