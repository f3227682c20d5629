package providers

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// accepts asks the guard that serve makes of the file for the right token in the
// preset's fixtures, with the names that the page uses. The keys come from a
// file in place of the provider.
func accepts(t *testing.T, file *config.File, preset string) {
	t.Helper()
	as, err := issuer.Start(issuer.Config{Algorithms: []string{"RS256"}})
	if err != nil {
		t.Fatal(err)
	}
	defer as.Close()
	i := &file.Issuers[0]
	i.JWKSURI, i.DiscoveryURL, i.JWKSFile = nil, nil, keyFile(t, as, i.Issuer)
	service, err := server.New(t.Context(), file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	header, claims := right(t, preset, i)
	raw, err := as.Sign(header, claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := service.Guard.Check(t.Context(), middleware.Request{
		Method: "GET", Host: "api.example.com", RawPath: "/", Header: http.Header{"Authorization": {"Bearer " + raw}},
	}, middleware.Policy{})
	if err != nil || token.Subject != claims["sub"] {
		t.Errorf("a right token: %v", err)
	}
	for claim := range i.Require {
		if _, plain := claims[claim]; !plain {
			continue
		}
		claims[claim] = "another"
		if raw, err = as.Sign(header, claims); err != nil {
			t.Fatal(err)
		}
		if _, err := service.Guard.Check(t.Context(), middleware.Request{
			Method: "GET", Host: "api.example.com", RawPath: "/", Header: http.Header{"Authorization": {"Bearer " + raw}},
		}, middleware.Policy{}); validate.CodeOf(err) != validate.ErrClaimRefused {
			t.Errorf("another %s: %v", claim, err)
		}
	}
}

// right is the fixture's right token, made for the page's configuration.
func right(t *testing.T, preset string, i *config.Issuer) (header, claims map[string]any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), "validate", "testdata", "presets", preset+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct{ Header, Claims map[string]any }
	if err := json.Unmarshal(raw, &fixture); err != nil {
		t.Fatal(err)
	}
	claims = fixture.Claims
	claims["iss"] = i.Issuer
	if len(i.Tenants) > 0 {
		claims["iss"], claims["tid"] = strings.Replace(i.Issuer, "{tenantid}", i.Tenants[0], 1), i.Tenants[0]
	}
	if len(i.ClientIDs) > 0 {
		claims["client_id"] = i.ClientIDs[0]
	}
	if claims["aud"] != nil {
		claims["aud"] = i.Audience[0]
	}
	for name, at := range map[string]time.Duration{"iat": -time.Minute, "nbf": -time.Minute, "auth_time": -time.Minute, "exp": time.Hour} {
		if claims[name] != nil {
			claims[name] = time.Now().Add(at).Unix()
		}
	}
	return fixture.Header, claims
}

// keyFile writes the key set of as, whose keys name the issuer where one set
// serves many.
func keyFile(t *testing.T, as *issuer.Server, of string) string {
	t.Helper()
	type tenantKey struct {
		issuer.JWK
		Issuer string `json:"issuer,omitempty"`
	}
	var set struct {
		Keys []tenantKey `json:"keys"`
	}
	for _, k := range as.JWKS() {
		key := tenantKey{JWK: k}
		if validate.IsTemplate(of) {
			key.Issuer = of
		}
		set.Keys = append(set.Keys, key)
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
