package validate_test

import (
	"slices"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// What a header says is judged anew for every token, whoever has accepted the
// same header before.
func TestKnownHeaders(t *testing.T) {
	a, b := mint(t, "ES256", "RS256"), mint(t, "ES256", "RS256")
	if a.KeyID("ES256") != b.KeyID("ES256") {
		t.Fatal("the issuers' headers differ")
	}
	ka := published(a, "ES256", "RS256")
	trusting := func(c *validate.Config) { c.Keys, c.Profile = ka, validate.Compat }
	accept := func(j *validate.JWT, raw string) {
		t.Helper()
		for range 2 { // read, and remembered
			_, err := j.Verify(t.Context(), raw)
			wantCode(t, err, "")
		}
	}
	plain := map[string]any{"typ": "JWT"}
	accept(verifier(t, a, trusting), token(t, a, plain, nil))
	accept(verifier(t, a, trusting), token(t, a, nil, nil))
	accept(verifier(t, a, trusting), token(t, a, map[string]any{"alg": "RS256"}, nil))

	t.Run("typ", func(t *testing.T) { // [CL-01]
		_, err := verifier(t, a, nil).Verify(t.Context(), token(t, a, plain, nil))
		wantCode(t, err, validate.ErrTypeRefused)
	})
	t.Run("algorithms", func(t *testing.T) { // [JO-12]
		j := verifier(t, a, func(c *validate.Config) { c.Keys, c.Algorithms = ka, []string{"ES256"} })
		_, err := j.Verify(t.Context(), token(t, a, map[string]any{"alg": "RS256"}, nil))
		wantCode(t, err, validate.ErrAlgorithmRefused)
	})
	t.Run("another issuer", func(t *testing.T) { // [CL-07]
		j := verifier(t, b, nil)
		accept(j, token(t, b, nil, nil))
		_, err := j.Verify(t.Context(), token(t, a, nil, map[string]any{"iss": b.URL()}))
		wantCode(t, err, validate.ErrSignatureInvalid)
	})
	t.Run("key removed", func(t *testing.T) { // [JK-18]
		k := published(a, "ES256")
		j := verifier(t, a, func(c *validate.Config) { c.Keys = k })
		accept(j, token(t, a, nil, nil))
		k.list = nil
		_, err := j.Verify(t.Context(), token(t, a, nil, nil))
		wantCode(t, err, validate.ErrKeyUnknown)
	})
	t.Run("key replaced", func(t *testing.T) {
		k := published(a, "ES256")
		j := verifier(t, a, func(c *validate.Config) { c.Keys = k })
		accept(j, token(t, a, nil, nil))
		k.list = published(b, "ES256").list // under the same kid
		_, err := j.Verify(t.Context(), token(t, a, nil, nil))
		wantCode(t, err, validate.ErrSignatureInvalid)
		_, err = j.Verify(t.Context(), token(t, b, nil, map[string]any{"iss": a.URL()}))
		wantCode(t, err, "")
	})
	t.Run("explained alike", func(t *testing.T) {
		j := verifier(t, a, nil)
		raw := token(t, a, map[string]any{"x": "never seen"}, nil)
		fresh, _ := j.Explain(t.Context(), raw)
		known, _ := j.Explain(t.Context(), raw)
		if !slices.Equal(fresh, known) {
			t.Errorf("fresh:\n%+v\nknown:\n%+v", fresh, known)
		}
	})
}

// The second verdict on a token is that of the first, whatever is remembered.
func TestVerdictsRepeat(t *testing.T) {
	s := mint(t, "ES256")
	for _, profile := range []validate.Profile{validate.RFC9068, validate.Compat} {
		j := verifier(t, s, func(c *validate.Config) { c.Profile = profile })
		for _, v := range issuer.Variants() {
			raw, err := s.Mint(v.Name, s.Claims(""))
			if err != nil {
				t.Fatal(err)
			}
			_, first := j.Verify(t.Context(), raw)
			_, again := j.Verify(t.Context(), raw)
			if validate.CodeOf(first) != validate.CodeOf(again) {
				t.Errorf("%s: %v, then %v", v.Name, first, again)
			}
		}
	}
}
