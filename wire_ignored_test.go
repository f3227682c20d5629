package bearward_test

import (
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/introspect"
)

// A setting that would be ignored is a fault.
func TestSettingsThatWouldBeIgnored(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bearward.Issuer)
		says   string
	}{
		"metadata nobody reads": {func(i *bearward.Issuer) {
			i.DiscoveryURL, i.JWKSURL = "https://a.example.test/meta", "https://a.example.test/jwks"
		}, "DiscoveryURL and JWKSURL exclude each other"},
		"metadata beside own keys": {func(i *bearward.Issuer) {
			i.DiscoveryURL, i.Keys = "https://a.example.test/meta", static(t, newIssuer(t))
		}, "Keys excludes DiscoveryURL"},
		"metadata without a reader": {func(i *bearward.Issuer) {
			i.DiscoveryURL, i.Introspection.NoJWT = "https://a.example.test/meta", true
		}, "DiscoveryURL"},
		"a key set without JWTs": {func(i *bearward.Issuer) {
			i.JWKSURL, i.Introspection.NoJWT = "https://a.example.test/jwks", true
		}, "JWKSURL"},
		"keys without JWTs": {func(i *bearward.Issuer) {
			i.Keys, i.Introspection.NoJWT = static(t, newIssuer(t)), true
		}, "Keys"},
		"a profile without JWTs": {func(i *bearward.Issuer) {
			i.Profile, i.Introspection.NoJWT = "compat", true
		}, "Profile"},
	} {
		t.Run(name, func(t *testing.T) {
			i := bearward.Issuer{
				URL: "https://a.example.test", Audience: []string{api},
				Introspection: &bearward.Introspection{
					Endpoint: "https://a.example.test/introspect",
					Auth:     introspect.Auth{Method: introspect.Basic, ClientID: "api", Secret: "0123456789abcdef"},
				},
			}
			c.change(&i)
			g, err := bearward.New(t.Context(), bearward.Config{Issuers: []bearward.Issuer{i}, Logger: quiet()})
			if err == nil {
				_ = g.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
