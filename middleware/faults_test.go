package middleware_test

import (
	"maps"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// wrongs are things that can be wrong with one token at the same time.
var wrongs = []struct {
	name           string
	header, claims map[string]any
	after          func(string) string
}{
	{name: "none"},
	{name: "alg none", header: map[string]any{"alg": "none"}},
	{name: "typ", header: map[string]any{"typ": "JWT"}},
	{name: "other typ", header: map[string]any{"typ": "logout+jwt"}},
	{name: "unknown kid", header: map[string]any{"kid": "x"}},
	{name: "empty kid", header: map[string]any{"kid": ""}},
	{name: "kid type", header: map[string]any{"kid": 1}},
	{name: "crit", header: map[string]any{"crit": []string{"exp"}}},
	{name: "expired", claims: map[string]any{"exp": noon.Unix() - 3600}},
	{name: "no exp", claims: map[string]any{"exp": nil}},
	{name: "nbf", claims: map[string]any{"nbf": noon.Unix() + 3600}},
	{name: "iat", claims: map[string]any{"iat": noon.Unix() + 3600}},
	{name: "no iat", claims: map[string]any{"iat": nil}},
	{name: "aud", claims: map[string]any{"aud": "x"}},
	{name: "no aud", claims: map[string]any{"aud": nil}},
	{name: "iss", claims: map[string]any{"iss": "https://x.example.test"}},
	{name: "no iss", claims: map[string]any{"iss": nil}},
	{name: "no sub", claims: map[string]any{"sub": nil}},
	{name: "no client", claims: map[string]any{"client_id": nil}},
	{name: "azp type", claims: map[string]any{"azp": 1}},
	{name: "no jti", claims: map[string]any{"jti": nil}},
	{name: "at_hash", claims: map[string]any{"at_hash": "x"}},
	{name: "scope type", claims: map[string]any{"scope": 1}},
	{name: "acr type", claims: map[string]any{"acr": 1}},
	{name: "bound", claims: map[string]any{"cnf": map[string]any{"jkt": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}},
	{name: "cnf", claims: map[string]any{"cnf": map[string]any{"x": 1}}},
	{name: "act type", claims: map[string]any{"act": 1}},
	{name: "delegated", claims: map[string]any{"act": map[string]any{"sub": "x"}}},
	{name: "client", claims: map[string]any{"sub": "client-1"}},
	{name: "signature", after: func(s string) string { return s[:len(s)-10] + "AAAAAAAAAA" }},
	{name: "signature cut", after: func(s string) string { return s[:len(s)-1] }},
}

// TestFaultsTogether: whatever two things are wrong with a token, Explain names
// the one that Decide refuses for.
func TestFaultsTogether(t *testing.T) {
	policies := map[string]middleware.Policy{
		"any": {}, "scope": middleware.Scopes("x"), "step-up": middleware.Policy{}.WithACR("phr"),
		"strict": {Profile: validate.RFC9068, UserOnly: true, NoDelegation: true}, "optional": {Optional: true}, "hidden": {AllScopes: []string{"x"}, Hide: true},
	}
	for _, profile := range []validate.Profile{validate.RFC9068, validate.Compat} {
		s := newStand(t, func(c *bearward.Config) { c.Issuers[0].Profile = profile })
		for i, a := range wrongs {
			for _, b := range wrongs[i:] {
				header, claims := map[string]any{}, s.iss.Claims("")
				maps.Copy(header, a.header)
				maps.Copy(header, b.header)
				maps.Copy(claims, a.claims)
				maps.Copy(claims, b.claims)
				alg := header["alg"]
				delete(header, "alg")
				raw, err := s.iss.Sign(header, claims)
				if alg != nil {
					raw, err = s.iss.Mint("alg-none", claims)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, after := range []func(string) string{a.after, b.after} {
					if after != nil && alg == nil {
						raw = after(raw)
					}
				}
				for label, p := range policies {
					s.agree(t, string(profile)+": "+a.name+" and "+b.name+", "+label, bearer(raw), p)
				}
			}
		}
	}
}
