package issuer_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

func bytesOf(t *testing.T, part string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	must(t, err)
	return b
}

func payload(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts in %q", len(parts), token)
	}
	return string(bytesOf(t, parts[1]))
}

// public reads a published key by the standard library alone.
func public(t *testing.T, k issuer.JWK) crypto.PublicKey {
	t.Helper()
	number := func(s string) *big.Int { return new(big.Int).SetBytes(bytesOf(t, s)) }
	switch k.KeyType {
	case "RSA":
		return &rsa.PublicKey{N: number(k.Modulus), E: int(number(k.Exponent).Int64())}
	case "OKP":
		return ed25519.PublicKey(bytesOf(t, k.X))
	}
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Curve]
	point := slices.Concat([]byte{4}, bytesOf(t, k.X), bytesOf(t, k.Y))
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	must(t, err)
	return key
}

// published is a key source over what the server publishes now.
type published struct {
	t *testing.T
	s *issuer.Server
}

func (p published) Keys(_ context.Context, kid, alg string) (out []*validate.Key, _ error) {
	for _, k := range p.s.JWKS() {
		if kid == "" || k.ID == kid {
			out = append(out, &validate.Key{ID: k.ID, Algorithm: k.Algorithm, Public: public(p.t, k)})
		}
	}
	return out, nil
}

func (p published) Live(*validate.Key) bool { return true }

func verifier(t *testing.T, s *issuer.Server, now time.Time) *validate.JWT {
	t.Helper()
	v, err := validate.NewJWT(validate.Config{
		Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}, Keys: published{t, s},
		Algorithms: []string{"RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519"},
		Clock:      func() time.Time { return now },
	})
	must(t, err)
	return v
}

var start2030 = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func fixedTime() time.Time { return start2030 }

func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			s := start(t, issuer.Config{Algorithms: []string{alg}, Now: fixedTime})
			token, err := s.Sign(nil, s.Claims("alice"))
			must(t, err)
			got, err := verifier(t, s, start2030).Verify(t.Context(), token)
			must(t, err)
			if got.Subject != "alice" || got.KeyID() != strings.ToLower(alg)+"-1" || got.KeyID() != s.KeyID("") {
				t.Errorf("%+v by %s", got, got.KeyID())
			}
			if got.ExpiresAt.Sub(start2030) != issuer.Lifetime || !got.IssuedAt.Equal(start2030) {
				t.Errorf("from %v to %v", got.IssuedAt, got.ExpiresAt)
			}
			if !s.Key("").(interface{ Equal(crypto.PublicKey) bool }).Equal(public(t, s.JWKS()[0])) {
				t.Error("Key and JWKS differ")
			}
		})
	}
}

func TestSignChoosesKeyAndOmits(t *testing.T) {
	s := start(t, issuer.Config{Algorithms: []string{"ES256", "Ed25519"}, Now: fixedTime})
	claims := s.Claims("", "https://a.test", "https://b.test")
	claims["client_id"] = nil
	token, err := s.Sign(map[string]any{"alg": "Ed25519", "typ": nil, "extra": 1}, claims)
	must(t, err)
	header := string(bytesOf(t, strings.Split(token, ".")[0]))
	if want := `{"alg":"Ed25519","extra":1,"kid":"ed25519-1"}`; header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	body := payload(t, token)
	if strings.Contains(body, "client_id") || !strings.Contains(body, `"aud":["https://a.test","https://b.test"]`) {
		t.Errorf("claims %s", body)
	}
	if _, err := s.Sign(map[string]any{"alg": "RS256"}, claims); err == nil {
		t.Error("signed without a key")
	}
	if s.KeyID("RS256") != "" || s.Key("RS256") != nil {
		t.Error("a key for RS256")
	}
}

func kids(s *issuer.Server) (out []string) {
	for _, k := range s.JWKS() {
		out = append(out, k.ID)
	}
	return out
}

func TestRotateAndRemove(t *testing.T) {
	s := start(t, issuer.Config{Algorithms: []string{"ES256", "Ed25519"}})
	want := func(signs string, published ...string) {
		t.Helper()
		if got := kids(s); !slices.Equal(got, published) || s.KeyID("") != signs {
			t.Fatalf("%s signs, %q published; want %s, %q", s.KeyID(""), got, signs, published)
		}
	}
	want("es256-1", "es256-1", "ed25519-1")
	must(t, s.Rotate())
	want("es256-2", "es256-1", "ed25519-1", "es256-2", "ed25519-2")
	s.Remove("es256-1")
	want("es256-2", "ed25519-1", "es256-2", "ed25519-2")
	s.Remove()
	want("es256-2", "es256-2", "ed25519-2")
	s.Remove("es256-2")
	want("es256-2", "ed25519-2")
}
