package stuck

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/doctor"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
)

const (
	resource = "https://api.example.test"
	keySet   = `{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
)

// request carries a token with a scheme, or nothing if that is empty.
func request(method, path, credentials string) middleware.Request {
	h := http.Header{}
	if credentials != "" {
		h.Set("Authorization", credentials)
	}
	return middleware.Request{Method: method, Scheme: "https", Host: "api.example.test", RawPath: path, Header: h}
}

// explained is the report on a token.
func explained(t *testing.T, guard *middleware.Guard, token string, policy ...middleware.Policy) string {
	t.Helper()
	policy = append(policy, middleware.Policy{})
	report := guard.Explain(t.Context(), request("GET", "/", "Bearer "+token), policy[0])
	if report.Allowed {
		t.Errorf("it passes:\n%s", report)
	}
	return report.String()
}

// passes wants a token to be accepted.
func passes(t *testing.T, guard *middleware.Guard, token string) {
	t.Helper()
	if _, err := guard.Check(t.Context(), request("GET", "/", "Bearer "+token), middleware.Policy{}); err != nil {
		t.Errorf("the way out does not work: %v", err)
	}
}

// offline is a guard of an issuer that is not asked.
func offline(t *testing.T, issuer, preset string, change ...func(*bearward.Issuer)) (*middleware.Guard, error) {
	t.Helper()
	keys, err := jwks.StaticSet(keySet, nil)
	if err != nil {
		t.Fatal(err)
	}
	i := bearward.Issuer{URL: issuer, Preset: preset, Keys: keys}
	for _, c := range change {
		c(&i)
	}
	guard, err := bearward.New(t.Context(), bearward.Config{Resource: resource, Issuers: []bearward.Issuer{i}, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Cleanup(func() { _ = guard.Close() })
	}
	return guard, err
}

// unsigned is a token whose signature is nobody's.
func unsigned(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	parts := make([]string, 0, 3)
	for _, members := range []map[string]any{header, claims} {
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	return strings.Join(append(parts, strings.Repeat("A", 86)), ".")
}

// examined is what doctor says about a file; more goes on after the issuer's
// identifier.
func examined(t *testing.T, issuer, more string) string {
	t.Helper()
	return doctor.Run(t.Context(), file(t, issuer, more), doctor.Options{}).String()
}

func file(t *testing.T, issuer, more string) *config.File {
	t.Helper()
	f, err := config.Parse("serve.yaml", []byte(text(issuer, more)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(issuer, more string) string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
mode: forward-auth
forward_auth: {headers: x-forwarded}
trusted_proxies: [127.0.0.0/8]
resource: %s
log: {level: error}
rules: [{match: "GET /read", scopes: [read]}]
issuers:
  - issuer: %q
%s
`, resource, issuer, more)
}

// documents serves metadata, in which ISSUER is its own URL, and keys.
func documents(t *testing.T, metadata string, secure bool) string {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/jwks" {
			fmt.Fprint(w, keySet)
			return
		}
		fmt.Fprint(w, strings.ReplaceAll(metadata, "ISSUER", s.URL))
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// logged is a guard of the issuer and what it logs.
func logged(t *testing.T, iss *bearwardtest.Issuer) (*middleware.Guard, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	cfg := iss.Config()
	cfg.Logger = slog.New(slog.NewTextHandler(&b, nil))
	return iss.Guard(cfg), &b
}
