package zitadel

import (
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

const audience = "https://api.example.com"

// clock is the guards' clock: real time, moved forward at will.
type clock struct{ offset atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// basic is how the API introspects as one of the provider's clients.
func basic(client string) introspect.Auth {
	return introspect.Auth{Method: introspect.Basic, ClientID: client, Secret: secret}
}

// opaque configures the provider's opaque tokens. Its answers name no audience:
// it tells a client about that client's tokens only.
func (p *provider) opaque(auth introspect.Auth) bearward.Issuer {
	return bearward.Issuer{
		URL: p.URL(), AllowHTTP: true,
		Introspection: &bearward.Introspection{Auth: auth, TrustServer: true, NoJWT: true},
	}
}

// jwt configures its JWTs, which say typ JWT and name the client as audience.
func (p *provider) jwt() bearward.Issuer {
	return bearward.Issuer{
		URL: p.URL(), AllowHTTP: true, Audience: []string{jwtClient}, Profile: validate.Compat,
	}
}

func newGuard(t testing.TB, c *clock, issuers ...bearward.Issuer) *middleware.Guard {
	t.Helper()
	guard, err := bearward.New(t.Context(), bearward.Config{Resource: audience, Issuers: issuers, Clock: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guard.Close() })
	return guard
}

// newAPI protects a route that wants orders:read and one that wants
// orders:write, and returns how a request for one of them is answered.
func newAPI(t testing.TB, guard *middleware.Guard) func(route, token string) int {
	t.Helper()
	mux := http.NewServeMux()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := middleware.FromContext(r.Context())
		_, _ = io.WriteString(w, token.ClientID)
	})
	for _, scope := range []string{"read", "write"} {
		mux.Handle("GET /"+scope, httpauth.Protect(guard, middleware.Scopes("orders:"+scope))(hello))
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return func(route, token string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/"+route, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if challenged := resp.Header.Get("WWW-Authenticate") != ""; challenged != (resp.StatusCode == 401 || resp.StatusCode == 403) {
			t.Errorf("status %d, challenge: %v", resp.StatusCode, challenged)
		}
		if retry := resp.Header.Get("Retry-After") != ""; retry != (resp.StatusCode == 503) {
			t.Errorf("status %d, Retry-After: %v", resp.StatusCode, retry)
		}
		return resp.StatusCode
	}
}

func newRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
