package main

import (
	"net/http/httptest"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
)

// Each issuer's tokens pass by its own rules, and by no other's.
func TestThreeIssuersOnOneGuard(t *testing.T) {
	clock := new(bearwardtest.Clock)
	start := func(path string) *bearwardtest.Issuer {
		return bearwardtest.NewIssuer(t, bearwardtest.Config{Resource: "https://api.example.com", Path: path, Clock: clock})
	}
	strict, keycloak, partners := start(""), start("/realms/staff"), start("")
	cfg := config("set below")
	for n, i := range []*bearwardtest.Issuer{strict, keycloak, partners} {
		asked := i.Config().Issuers[0]
		cfg.Issuers[n].URL, cfg.Issuers[n].AllowHTTP = asked.URL, true
		if cfg.Issuers[n].Introspection != nil {
			cfg.Issuers[n].Introspection.Auth = asked.Introspection.Auth
			cfg.Issuers[n].Introspection.Endpoint = asked.Introspection.Endpoint
		}
	}
	handler := api(strict.Guard(cfg))
	plain := bearwardtest.Claims{Scope: "orders:read"}
	staff := bearwardtest.Claims{Scope: "orders:read", Extra: map[string]any{
		"typ": "Bearer", "realm_access": map[string]any{"roles": []string{"admin"}},
	}}
	for name, c := range map[string]struct {
		method, token string
		want          int
	}{
		"strict JWT":                              {"GET", strict.JWT(plain), 200},
		"strict, typ JWT":                         {"GET", strict.Wrong("typ-jwt", plain), 401},
		"keycloak JWT":                            {"GET", keycloak.Wrong("typ-jwt", staff), 200},
		"keycloak ID token":                       {"GET", keycloak.Wrong("typ-jwt", bearwardtest.Claims{Extra: map[string]any{"typ": "ID"}}), 401},
		"keycloak, no mark":                       {"GET", keycloak.JWT(plain), 401},
		"opaque":                                  {"GET", partners.Opaque(plain), 200},
		"opaque, without scope":                   {"GET", partners.Opaque(), 403},
		"opaque, for another API":                 {"GET", partners.Opaque(bearwardtest.Claims{Scope: "orders:read", Audience: []string{"https://other.example"}}), 401},
		"JWT of the issuer that has none":         {"GET", partners.JWT(plain), 401},
		"opaque token of an issuer that has none": {"GET", strict.Opaque(plain), 401},
		"role":                   {"DELETE", keycloak.Wrong("typ-jwt", staff), 200},
		"no role":                {"DELETE", keycloak.Wrong("typ-jwt", bearwardtest.Claims{Extra: map[string]any{"typ": "Bearer"}}), 403},
		"role of another issuer": {"DELETE", strict.JWT(staff), 401},
	} {
		r := httptest.NewRequest(c.method, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Header().Get("WWW-Authenticate"), c.want)
		}
	}
	for _, i := range []*bearwardtest.Issuer{strict, keycloak} {
		if n := i.Requests("/introspect"); n != 0 {
			t.Errorf("an issuer was asked %d times about tokens of another", n)
		}
	}
}
