package zitadel

import (
	"context"
	"crypto/rsa"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The clients of the provider. It answers a client about the tokens that were
// issued to it and about no others, so the API introspects as the client that
// its callers use.
const (
	opaqueClient = "orders" // gets opaque tokens: five base64url parts, a JWE
	jwtClient    = "jwt"    // gets JWTs
	otherClient  = "other"  // opaque tokens too, for somebody else
	redirectURI  = "http://localhost:9999/auth/callback"
	keyID        = "api"
)

// secret needs form-encoding before base64 (RFC 6749 §2.3.1), and is no ASCII.
const secret = "a:b c%41+d&e=f/~ü€"

// registerClients fills a table that all providers of the process share.
var registerClients = sync.OnceFunc(func() {
	for _, id := range []string{opaqueClient, jwtClient, otherClient} {
		storage.RegisterClients(storage.WebClient(id, secret, redirectURI))
	}
})

// provider is a running server. Its methods belong to one goroutine.
type provider struct {
	t       testing.TB
	handler http.Handler
	addr    string
	server  *httptest.Server // nil: down
}

// startProvider starts a server on a port of its own and ends it with the test.
// key is the API's own, for private_key_jwt with RS256, the only algorithm
// there; nil: none.
func startProvider(t testing.TB, key *rsa.PublicKey) *provider {
	t.Helper()
	registerClients()
	p := &provider{t: t, addr: "127.0.0.1:0"}
	listener := p.listen()
	p.addr = listener.Addr().String()
	users := storage.NewUserStore(p.URL())
	p.handler = exampleop.SetupServer(p.URL(), store{storage.NewStorage(users), key}, slog.New(slog.DiscardHandler), false)
	p.serve(listener)
	t.Cleanup(p.down)
	return p
}

func (p *provider) listen() net.Listener {
	p.t.Helper()
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	return listener
}

func (p *provider) serve(listener net.Listener) {
	p.server = httptest.NewUnstartedServer(p.handler)
	_ = p.server.Listener.Close()
	p.server.Listener = listener
	p.server.Start()
}

// URL is the issuer identifier.
func (p *provider) URL() string { return "http://" + p.addr }

// down resets connections and refuses new ones; nothing is forgotten.
func (p *provider) down() {
	if p.server != nil {
		p.server.CloseClientConnections()
		p.server.Close()
		p.server = nil
	}
}

// up brings the server back on its port.
func (p *provider) up() { p.serve(p.listen()) }

// store is the example's storage with one client that gets JWTs, the API's
// scopes and the API's own key.
type store struct {
	*storage.Storage

	key *rsa.PublicKey
}

func (s store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	return client{c}, err
}

func (s store) GetKeyByIDAndClientID(_ context.Context, kid, id string) (*jose.JSONWebKey, error) {
	if kid != keyID || id != opaqueClient || s.key == nil {
		return nil, errors.New("no such key")
	}
	return &jose.JSONWebKey{KeyID: kid, Use: "sig", Key: s.key}, nil
}

// GetPrivateClaimsFromScopes puts the API's scopes into JWTs, which have no
// claim scope otherwise.
func (s store) GetPrivateClaimsFromScopes(_ context.Context, _, _ string, scopes []string) (map[string]any, error) {
	return map[string]any{"scope": strings.Join(scopes, " ")}, nil
}

type client struct{ op.Client }

func (client) IsScopeAllowed(scope string) bool { return strings.HasPrefix(scope, "orders:") }

func (c client) AccessTokenType() op.AccessTokenType {
	if c.GetID() == jwtClient {
		return op.AccessTokenTypeJWT
	}
	return op.AccessTokenTypeBearer
}
