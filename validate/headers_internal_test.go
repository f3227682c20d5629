package validate

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/jose"
)

// Only the header of a token with a good signature is remembered, and only if it
// is short.
func TestWhichHeadersAreRemembered(t *testing.T) {
	s, err := issuer.Start(issuer.Config{Algorithms: []string{"ES256"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	j, err := NewJWT(Config{Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}, Keys: oneKey{&Key{
		ID: s.KeyID("ES256"), Algorithm: "ES256", Public: s.Key("ES256"),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		header map[string]any
		change func(string) string
		want   bool
	}{
		"good":          {map[string]any{"x": t.Name()}, nil, true},
		"bad signature": {map[string]any{"x": t.Name() + "2"}, func(raw string) string { return raw[:len(raw)-4] + "AAAA" }, false},
		"crit":          {map[string]any{"x": t.Name(), "crit": []string{"x"}}, nil, false},
		"type refused":  {map[string]any{"x": t.Name(), "typ": "dpop+jwt"}, nil, false},
		"long":          {map[string]any{"x": strings.Repeat("x", maxRemembered)}, nil, false},
	} {
		raw, err := s.Sign(tt.header, s.Claims("user-1"))
		if err != nil {
			t.Fatal(err)
		}
		if tt.change != nil {
			raw = tt.change(raw)
		}
		_, _ = j.Verify(t.Context(), raw)
		part, _, _ := strings.Cut(raw, ".")
		got, ok := headers.Get(part)
		if ok != tt.want {
			t.Errorf("%s: remembered %v, want %v", name, ok, tt.want)
		}
		if want, _ := jose.ParseHeader(part); ok && got != want {
			t.Errorf("%s: remembered as %+v, want %+v", name, got, want)
		}
	}
}
