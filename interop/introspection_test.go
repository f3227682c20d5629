package interop

import (
	"net/http"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/introspect"
)

// basicAuth is the API's client whose identifier and secret need form-encoding
// before base64: the server refuses them without.
func basicAuth() introspect.Auth {
	return introspect.Auth{Method: introspect.Basic, ClientID: "urn:api:basic", Secret: `a:b c%41+d&e=f/~"\`}
}

// keyAuth is the API's client with a key. The server accepts each assertion
// once.
func keyAuth(key signingKey) introspect.Auth {
	return introspect.Auth{
		Method: introspect.PrivateKeyJWT, ClientID: "urn:api:keys", Key: key.private, KeyID: key.kid, Algorithm: "ES256",
	}
}

// introspecting configures a server's opaque tokens beside its JWTs.
func (p *oidcProvider) introspecting(i bearward.Introspection) bearward.Issuer {
	return bearward.Issuer{URL: p.URL(), AllowHTTP: true, Introspection: &i}
}

// apiKeys is everyKey with a key for the API.
func apiKeys(t testing.TB) keySet {
	keys := everyKey(t)
	key := newP256(t, "api")
	keys.api = &key
	return keys
}

// Opaque tokens pass every adapter or are refused by what the server says about
// them, however the API authenticates itself, signed or not.
func TestOpaque(t *testing.T) {
	requireServer(t)
	keys := apiKeys(t)
	p := startOIDCProvider(t, fixed(keys))
	for name, i := range map[string]bearward.Introspection{
		"client_secret_basic":                    {Auth: basicAuth()},
		"client_secret_basic, no negative cache": {Auth: basicAuth(), Cache: introspect.CacheConfig{Negative: -1}},
		"client_secret_basic, signed":            {Auth: basicAuth(), SignedResponse: introspect.Require},
		"private_key_jwt":                        {Auth: keyAuth(*keys.api)},
		"private_key_jwt, signed if it can":      {Auth: keyAuth(*keys.api), SignedResponse: introspect.Accept},
		"private_key_jwt, signed":                {Auth: keyAuth(*keys.api), SignedResponse: introspect.Require},
		"private_key_jwt, endpoint by hand":      {Auth: keyAuth(*keys.api), Endpoint: p.URL() + "/token/introspection"},
		"private_key_jwt, no hint of the token":  {Auth: keyAuth(*keys.api), NoTokenTypeHint: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, guardFor(t, new(clock), p.introspecting(i)))
			revoked := p.token(tokenRequest{opaque: true})
			p.revoke(revoked)
			for _, c := range []struct {
				name, token string
				want        int
			}{
				{"good", p.token(tokenRequest{opaque: true}), http.StatusOK},
				{"two scopes", p.token(tokenRequest{opaque: true, scope: "orders:write orders:read"}), http.StatusOK},
				{"a JWT of the same server", p.token(tokenRequest{}), http.StatusOK},
				{"scope missing", p.token(tokenRequest{opaque: true, scope: "orders:write"}), http.StatusForbidden},
				{"other audience", p.token(tokenRequest{opaque: true, audience: "https://other.example.com"}), http.StatusUnauthorized},
				{"revoked", revoked, http.StatusUnauthorized},
				{"of nobody", "2YotnFZFEjr1zCsicMWpAA", http.StatusUnauthorized},
				{"of nobody, one dot", "2YotnFZF.Ejr1zCsicMWpAA", http.StatusUnauthorized},
				{"of nobody, five parts", "a.b.c.d.e", http.StatusUnauthorized},
			} {
				for _, adapter := range adapters {
					if got := s.call(t, adapter, c.token); got != c.want {
						t.Errorf("%s over %s: status %d, want %d", c.name, adapter, got, c.want)
					}
				}
			}
		})
	}
}

// Revoked there, refused here with the next request: the server forbids to
// store its answers, so that nothing has to expire and nothing to be flushed.
func TestOpaqueRevoked(t *testing.T) {
	p := startOIDCProvider(t, everyKey)
	s := newStack(t, guardFor(t, new(clock), p.introspecting(bearward.Introspection{Auth: basicAuth()})))
	token := p.token(tokenRequest{opaque: true})
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		for _, adapter := range adapters {
			if got := s.call(t, adapter, token); got != want {
				t.Errorf("over %s: status %d, want %d", adapter, got, want)
			}
		}
		p.revoke(token)
	}
}

// The server goes away under load and comes back. Nobody is blamed for it, its
// JWTs go on, and nothing has to be restarted.
func TestOpaqueOutage(t *testing.T) {
	p, now := startOIDCProvider(t, everyKey), new(clock)
	s := newStack(t, guardFor(t, now, p.introspecting(bearward.Introspection{Auth: basicAuth()})))
	jwt, opaque := p.token(tokenRequest{}), p.token(tokenRequest{opaque: true})
	both := func(when string) {
		t.Helper()
		for _, adapter := range adapters {
			for name, token := range map[string]string{"JWT": jwt, "opaque": opaque} {
				if got := s.call(t, adapter, token); got != http.StatusOK {
					t.Errorf("%s, %s over %s: status %d", when, name, adapter, got)
				}
			}
		}
	}
	both("before")
	p.down()
	l := startLoad(t, s, expect("JWT", jwt, passes), expect("opaque", opaque, unasked))
	l.run(600)
	now.advance(time.Minute) // probes find it down as well
	l.run(600)
	l.stop()
	p.up()
	now.advance(time.Minute) // past every pause
	both("after")
}

// Signed answers go on when the server changes its keys, and plain ones are
// none where signed ones are required.
func TestOpaqueSignedRotation(t *testing.T) {
	keys := everyKey(t)
	p, now := startOIDCProvider(t, fixed(keys)), new(clock)
	s := newStack(t, guardFor(t, now, p.introspecting(bearward.Introspection{
		Auth: basicAuth(), SignedResponse: introspect.Require,
	})))
	token := p.token(tokenRequest{opaque: true})
	if got := s.call(t, "net/http", token); got != http.StatusOK {
		t.Fatalf("before: status %d", got)
	}
	keys.keys[0] = newRSA(t, "rsa-2")
	keys.signs["RS256"] = "rsa-2"
	p.publish(keys)
	now.advance(time.Minute) // past the cooldown
	for _, adapter := range adapters {
		if got := s.call(t, adapter, token); got != http.StatusOK {
			t.Errorf("other keys, over %s: status %d", adapter, got)
		}
	}
}
