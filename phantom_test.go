package bearward_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/introspect"
)

// Where the answer to an opaque token is a JWT, the issuer was asked: it is not
// asked twice where JWTs need a live answer. Its keys are looked after although
// clients never send a JWT.
func TestPhantomTokensAreAskedAboutOnceAndHaveKeys(t *testing.T) { // [IN-16 RV-02]
	s := newIssuer(t)
	jwt := mint(t, s, map[string]any{"purpose": "access_token"})
	var calls atomic.Int32
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = io.WriteString(w, jwt)
	}))
	t.Cleanup(endpoint.Close)
	for name, in := range map[string]bearward.Introspection{
		"always": {Always: true},
		"no JWT": {NoJWT: true},
	} {
		t.Run(name, func(t *testing.T) {
			calls.Store(0)
			in.Endpoint = endpoint.URL
			in.Auth = introspect.Auth{Method: introspect.Basic, ClientID: "api", Secret: "0123456789abcdef"}
			g := newGuard(t, bearward.Config{Issuers: []bearward.Issuer{{
				URL: s.URL(), Audience: []string{api}, Preset: "curity", AllowHTTP: true, Introspection: &in,
			}}})
			if err := g.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if h := g.Health()[0]; h.Keys == 0 {
				t.Errorf("no keys were loaded: %+v", h.Health)
			}
			if d := decide(t, g, "opaque"); !d.Allowed {
				t.Errorf("got %v", d.Err)
			}
			if got := calls.Load(); got != 1 {
				t.Errorf("%d calls", got)
			}
		})
	}
}
