package zitadel

import (
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/introspect"
)

// The provider's opaque tokens look like a JWE; they are accepted and refused
// by what it says about them, however the API authenticates itself.
func TestOpaque(t *testing.T) {
	key := newRSA(t)
	p := startProvider(t, &key.PublicKey)
	for name, auth := range map[string]introspect.Auth{
		"client_secret_basic": basic(opaqueClient),
		"private_key_jwt":     {Method: introspect.PrivateKeyJWT, ClientID: opaqueClient, Key: key, KeyID: keyID},
	} {
		t.Run(name, func(t *testing.T) {
			call := newAPI(t, newGuard(t, new(clock), p.opaque(auth)))
			good := p.token(opaqueClient, "openid orders:read")
			if parts := strings.Count(good, ".") + 1; parts != 5 {
				t.Fatalf("the provider's opaque token has %d parts", parts)
			}
			revoked := p.token(opaqueClient, "orders:read")
			p.revoke(opaqueClient, revoked)
			for _, c := range []struct {
				name, route, token string
				want               int
			}{
				{"good", "read", good, 200},
				{"good again", "read", good, 200},
				{"without a subject", "read", p.token(opaqueClient, "orders:read"), 200},
				{"both scopes", "write", p.token(opaqueClient, "orders:read orders:write"), 200},
				{"scope missing", "write", good, 403},
				{"somebody else's", "read", p.token(otherClient, "orders:read"), 401},
				{"revoked", "read", revoked, 401},
				{"of nobody", "read", "a.b.c.d.e", 401},
				{"of nobody, one part", "read", "2YotnFZFEjr1zCsicMWpAA", 401},
			} {
				if got := call(c.route, c.token); got != c.want {
					t.Errorf("%s: status %d, want %d", c.name, got, c.want)
				}
			}
		})
	}
}

// An answer without audience is not enough, unless the configuration says that
// the server answers per caller.
func TestOpaqueAudience(t *testing.T) {
	p := startProvider(t, nil)
	issuer := p.opaque(basic(opaqueClient))
	issuer.Introspection.TrustServer = false
	call := newAPI(t, newGuard(t, new(clock), issuer))
	if got := call("read", p.token(opaqueClient, "orders:read")); got != 401 {
		t.Errorf("status %d, want 401", got)
	}
}

// Revoked there, refused here: after the time that answers are remembered, at
// once after Flush, at once where nothing is remembered.
func TestOpaqueRevoked(t *testing.T) {
	p, now := startProvider(t, nil), new(clock)
	remembering, none := p.opaque(basic(opaqueClient)), p.opaque(basic(opaqueClient))
	none.Introspection.Cache = introspect.CacheConfig{Positive: -1, Negative: -1}
	guard := newGuard(t, now, remembering)
	call, direct := newAPI(t, guard), newAPI(t, newGuard(t, now, none))

	token, flushed := p.token(opaqueClient, "orders:read"), p.token(opaqueClient, "orders:read")
	expect := func(when string, call func(string, string) int, token string, want int) {
		t.Helper()
		if got := call("read", token); got != want {
			t.Errorf("%s: status %d, want %d", when, got, want)
		}
	}
	for _, token := range []string{token, flushed} {
		expect("valid", call, token, 200)
		expect("valid, nothing remembered", direct, token, 200)
		p.revoke(opaqueClient, token)
		expect("revoked, nothing remembered", direct, token, 401)
	}
	guard.Flush(flushed)
	expect("revoked and flushed", call, flushed, 401)
	now.advance(29 * time.Second)
	expect("revoked and remembered", call, token, 200)
	now.advance(2 * time.Second)
	expect("revoked and forgotten", call, token, 401)
}

// JWTs that need a live answer.
func TestJWTLive(t *testing.T) {
	p, now := startProvider(t, nil), new(clock)
	local, always, every := p.jwt(), p.jwt(), p.jwt()
	always.Introspection = &bearward.Introspection{
		Auth: basic(jwtClient), TrustServer: true, Always: true, Cache: introspect.CacheConfig{Positive: -1, Negative: -1},
	}
	every.Introspection = &bearward.Introspection{Auth: basic(jwtClient), TrustServer: true, Every: time.Minute}
	apis := map[string]func(string, string) int{
		"local":  newAPI(t, newGuard(t, now, local)),
		"always": newAPI(t, newGuard(t, now, always)),
		"every":  newAPI(t, newGuard(t, now, every)),
	}
	token := p.token(jwtClient, "orders:read")
	expect := func(when, route, token string, want map[string]int) {
		t.Helper()
		for name, call := range apis {
			if got := call(route, token); got != want[name] {
				t.Errorf("%s, %s: status %d, want %d", when, name, got, want[name])
			}
		}
	}
	expect("valid", "read", token, map[string]int{"local": 200, "always": 200, "every": 200})
	expect("scope missing", "write", token, map[string]int{"local": 403, "always": 403, "every": 403})
	p.revoke(jwtClient, token)
	expect("revoked", "read", token, map[string]int{"local": 200, "always": 401, "every": 200})
	now.advance(61 * time.Second)
	expect("a minute later", "read", token, map[string]int{"local": 200, "always": 401, "every": 401})

	fresh := p.token(jwtClient, "orders:read")
	p.down()
	expect("the server is down", "read", fresh, map[string]int{"local": 200, "always": 503, "every": 503})
	p.up()
	now.advance(time.Minute)
	expect("it is back", "read", fresh, map[string]int{"local": 200, "always": 200, "every": 200})
}
