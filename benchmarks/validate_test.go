// Package benchmarks measures bearward against floors that are measured in the
// same run: the raw signature check and the digest of the token, which nobody
// can do without.
package benchmarks

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
)

// algorithms has what the whole validation of a token may be, by algorithm. PS256
// has no target of its own.
var algorithms = []struct {
	name          string
	ratio, allocs float64
}{{"RS256", 1.10, 16}, {"PS256", 1.10, 18}, {"ES256", 1.08, 18}, {"EdDSA", 1.06, 8}}

// scene is one issuer, one realistic token and the verifier that judges it.
type scene struct {
	raw, alg string
	issuer   string
	key      *validate.Key
	verifier *validate.JWT
}

func newScene(tb testing.TB, alg string) scene {
	tb.Helper()
	s, err := issuer.Start(issuer.Config{Algorithms: []string{alg}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	raw, err := s.Sign(nil, realistic(s))
	if err != nil {
		tb.Fatal(err)
	}
	key := validate.Key{ID: s.KeyID(alg), Algorithm: jose.Canonical(alg), Public: s.Key(alg)}
	source, err := jwks.Static(key)
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := validate.NewJWT(validate.Config{Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}, Keys: source})
	if err != nil {
		tb.Fatal(err)
	}
	return scene{raw: raw, alg: alg, issuer: s.URL(), key: &key, verifier: verifier}
}

// realistic are claims as authorization servers send them.
func realistic(s *issuer.Server) map[string]any {
	claims := s.Claims("5ba552d67-3f2b-4c1e-9a57-0c7c1b1f5e1d", issuer.DefaultAudience, "https://other.example.test")
	claims["nbf"] = time.Now().Add(-time.Minute).Unix()
	claims["scope"] = "openid profile orders:read orders:write customers:read invoices:read"
	claims["realm_access"] = map[string]any{"roles": []string{"offline_access", "uma_authorization", "default-roles"}}
	claims["resource_access"] = map[string]any{"account": map[string]any{"roles": []string{"manage-account", "view-profile"}}}
	return claims
}

// floor is the digest of the token and the signature check of the standard
// library, with everything prepared that can be.
func (s scene) floor(tb testing.TB) func() {
	tb.Helper()
	dot := strings.LastIndexByte(s.raw, '.')
	input, whole := []byte(s.raw[:dot]), []byte(s.raw)
	signature, err := jose.Decode(s.raw[dot+1:])
	if err != nil {
		tb.Fatal(err)
	}
	check := rawCheck(tb, s.alg, s.key.Public, signature)
	return func() {
		_ = sha256.Sum256(whole)
		if !check(input) {
			panic("the floor does not verify")
		}
	}
}

func rawCheck(tb testing.TB, alg string, pub crypto.PublicKey, signature []byte) func([]byte) bool {
	tb.Helper()
	switch key := pub.(type) {
	case *rsa.PublicKey:
		if alg == "PS256" {
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return func(input []byte) bool {
				sum := sha256.Sum256(input)
				return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, opts) == nil
			}
		}
		return func(input []byte) bool {
			sum := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
		}
	case *ecdsa.PublicKey:
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			tb.Fatal(err)
		}
		return func(input []byte) bool {
			sum := sha256.Sum256(input)
			return ecdsa.VerifyASN1(key, sum[:], der)
		}
	case ed25519.PublicKey:
		return func(input []byte) bool { return ed25519.Verify(key, input, signature) }
	}
	tb.Fatalf("no floor for %T", pub)
	return nil
}

func (s scene) full(ctx context.Context) func() {
	return func() {
		if _, err := s.verifier.Verify(ctx, s.raw); err != nil {
			panic(err)
		}
	}
}

// BenchmarkValidate has the whole validation of a token, every rule on, beside
// its floor: `make bench` prints the ratios.
func BenchmarkValidate(b *testing.B) {
	for _, alg := range algorithms {
		s := newScene(b, alg.name)
		b.Run(alg.name, func(b *testing.B) {
			ratio(b, s.floor(b), s.full(context.Background()), most("ratio", alg.ratio), most("allocs", alg.allocs))
		})
	}
}

// TestAllocations holds the number of allocations, which do not depend on the
// machine; times are never asserted.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates too")
	}
	for _, alg := range algorithms {
		run := newScene(t, alg.name).full(t.Context())
		run()
		if got := testing.AllocsPerRun(200, run); got > alg.allocs {
			t.Errorf("the whole validation of a token of %s makes %v allocations, want %v", alg.name, got, alg.allocs)
		}
	}
}
