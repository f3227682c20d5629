package interop

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/ginauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate/dpop"
)

// routes are those of every server that checks senders.
var routes = map[string]middleware.Policy{
	"/off":      middleware.Scopes("orders:read"),
	"/adaptive": middleware.Scopes("orders:read").WithNonce(dpop.NonceAdaptive),
	"/required": middleware.Scopes("orders:read").WithNonce(dpop.NonceRequired),
	"/dpop":     middleware.Scopes("orders:read").WithDPoP(),
	"/mtls":     middleware.Scopes("orders:read").WithMTLS(),
	"/write":    middleware.Scopes("orders:write"),
}

// world is an authorization server, clients that nobody here wrote, and the
// same API three times: over net/http, over gin, and behind bearward serve. All
// speak https and ask for client certificates.
type world struct {
	*clients
	provider *oidcProvider
	servers  map[string]string // URLs
}

func newWorld(t testing.TB) *world {
	t.Helper()
	requireServer(t)
	server := newIdentity(t, "server", "localhost", "127.0.0.1")
	keys := everyKey(t)
	keys.tls = &server
	w := &world{
		clients: startClients(t, server, map[string]identity{
			"right": newIdentity(t, "client"), "other": newIdentity(t, "client"),
		}),
		provider: startOIDCProvider(t, fixed(keys)),
	}
	guard, err := bearward.New(t.Context(), bearward.Config{
		Resource: audience,
		Issuers: []bearward.Issuer{{
			URL: w.provider.URL(), AllowPrivate: true, RootCAs: server.roots(),
			Introspection: &bearward.Introspection{Auth: basicAuth()},
		}},
		DPoP: &dpop.Config{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guard.Close() })
	w.servers = map[string]string{
		"net/http": listenTLS(t, server, netHTTP(guard)),
		"gin":      listenTLS(t, server, ginRouter(guard)),
		"serve":    w.serve(t, server),
	}
	return w
}

func listenTLS(t testing.TB, server identity, handler http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{server.Certificate},
		ClientAuth:   tls.RequestClientCert, MinVersion: tls.VersionTLS12,
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func netHTTP(guard *middleware.Guard) http.Handler {
	mux := http.NewServeMux()
	for path, policy := range routes {
		mux.Handle(path, httpauth.Protect(guard, policy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, _ := middleware.FromContext(r.Context())
			_, _ = io.WriteString(w, token.ClientID)
		})))
	}
	return mux
}

func ginRouter(guard *middleware.Guard) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	for path, policy := range routes {
		router.Any(path, ginauth.Protect(guard, policy), func(c *gin.Context) {
			token, _ := ginauth.Token(c)
			c.String(http.StatusOK, token.ClientID)
		})
	}
	return router
}

// serve is bearward serve with the same routes, in front of an API without any
// protection.
func (w *world) serve(t testing.TB, server identity) string {
	t.Helper()
	certificate, key, _ := server.files(t)
	auth := basicAuth()
	t.Setenv("API_CLIENT_SECRET", auth.Secret)
	return "https://" + serve(t, fmt.Sprintf(`listen: 127.0.0.1:0
mode: proxy
upstream: %s
resource: %s
tls: {cert_file: %q, key_file: %q, client_certs: request}
dpop: {enabled: true}
issuers:
  - issuer: %s
    allow_private: true
    ca_file: %[3]q
    introspection: {auth: client_secret_basic, client_id: "%[6]s", client_secret: "${API_CLIENT_SECRET}"}
forward_headers: {X-Auth-Client: client_id}
rules:
  - {match: /off, scopes: ["orders:read"]}
  - {match: /adaptive, scopes: ["orders:read"], nonce: adaptive}
  - {match: /required, scopes: ["orders:read"], nonce: required}
  - {match: /dpop, scopes: ["orders:read"], binding: dpop}
  - {match: /mtls, scopes: ["orders:read"], binding: mtls}
  - {match: /write, scopes: ["orders:write"]}
`, newAPI(t).URL, audience, certificate, key, w.provider.URL(), auth.ClientID))
}
