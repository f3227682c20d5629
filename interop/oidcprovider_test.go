package interop

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Tokens of a real server pass every adapter, whatever they are signed with,
// and are refused for what they lack.
func TestOIDCProvider(t *testing.T) {
	p := startOIDCProvider(t, everyKey)
	s := newStack(t, newGuard(t, p.URL(), new(clock)))

	good := p.token(tokenRequest{})
	for _, c := range []struct {
		name  string
		token string
		want  int
	}{
		{"RS256", p.token(tokenRequest{alg: "RS256"}), http.StatusOK},
		{"PS256", p.token(tokenRequest{alg: "PS256"}), http.StatusOK},
		{"ES256", p.token(tokenRequest{alg: "ES256"}), http.StatusOK},
		{"EdDSA", p.token(tokenRequest{alg: "EdDSA"}), http.StatusOK},
		{"more scopes", p.token(tokenRequest{scope: "orders:write orders:read"}), http.StatusOK},
		{"other scope", p.token(tokenRequest{scope: "orders:write"}), http.StatusForbidden},
		{"other audience", p.token(tokenRequest{audience: "https://other.example.com"}), http.StatusUnauthorized},
		{"audience with slash", p.token(tokenRequest{audience: audience + "/"}), http.StatusUnauthorized},
		{"broken signature", breakSignature(good), http.StatusUnauthorized},
		{"other server's token", foreignToken(t), http.StatusUnauthorized},
	} {
		for _, adapter := range adapters {
			t.Run(c.name+"/"+adapter, func(t *testing.T) {
				if got := s.call(t, adapter, c.token); got != c.want {
					t.Errorf("status %d, want %d", got, c.want)
				}
			})
		}
	}
}

// Keys rotate while requests come in: tokens of the old key pass as long as it
// is published, those of the new key from their first request on, and those of
// a withdrawn key never again once the new set is known.
func TestOIDCProviderRotationUnderLoad(t *testing.T) {
	first, second, third := newP256(t, "first"), newRSA(t, "second"), newP256(t, "third")
	p := startOIDCProvider(t, fixed(keySet{
		keys: []signingKey{first, second}, signs: map[string]string{"ES256": "first", "RS256": "second"},
	}))
	now := new(clock)
	s := newStack(t, newGuard(t, p.URL(), now))

	old := expect("old key", p.token(tokenRequest{alg: "ES256"}), passes)
	stays := expect("key that stays", p.token(tokenRequest{alg: "RS256"}), passes)
	broken := expect("broken signature", breakSignature(old.token), refused)
	foreign := expect("other server", foreignToken(t), refused)
	l := startLoad(t, s, old, stays, broken, foreign)
	defer l.stop()
	l.run(600)

	// The new key is published beside the old one and signs.
	p.publish(keySet{
		keys: []signingKey{first, second, third}, signs: map[string]string{"ES256": "third", "RS256": "second"},
	})
	if got := s.call(t, "net/http", p.token(tokenRequest{alg: "ES256"})); got != http.StatusOK {
		t.Errorf("first request with the new key: %d", got)
	}
	l.run(600)

	// The old key is withdrawn, another one appears; its first token brings the
	// new set once the cooldown since the last unknown kid is over.
	fourth := newP256(t, "fourth")
	old.want.Store(uncertain)
	p.publish(keySet{
		keys: []signingKey{second, fourth}, signs: map[string]string{"ES256": "fourth", "RS256": "second"},
	})
	now.advance(time.Minute)
	if got := s.call(t, "gRPC", p.token(tokenRequest{alg: "ES256"})); got != http.StatusOK {
		t.Errorf("first request with the third key: %d", got)
	}
	old.want.Store(refused)
	for _, adapter := range adapters {
		if got := s.call(t, adapter, old.token); got != http.StatusUnauthorized {
			t.Errorf("withdrawn key over %s: %d", adapter, got)
		}
	}
	l.run(600)
}

// The server crashes and comes back while requests come in: what could be
// judged before is judged the same way through the outage, and nobody is
// blamed for it.
func TestOIDCProviderRestartUnderLoad(t *testing.T) {
	keys := keySet{keys: []signingKey{newP256(t, "old"), newRSA(t, "rsa")}, signs: map[string]string{"ES256": "old", "RS256": "rsa"}}
	p := startOIDCProvider(t, fixed(keys))
	now := new(clock)
	s := newStack(t, newGuard(t, p.URL(), now))
	cold := newStack(t, newGuard(t, p.URL(), now))

	good := expect("valid", p.token(tokenRequest{alg: "ES256"}), passes)
	other := expect("valid RS256", p.token(tokenRequest{}), passes)
	broken := expect("broken signature", breakSignature(good.token), refused)
	stranger := expect("unknown kid", unknownKid(t, good.token), unknown)
	l := startLoad(t, s, good, other, broken, stranger)
	defer l.stop()
	l.run(600)

	p.kill()
	l.run(300)
	now.advance(time.Hour) // the set is past its freshness; refreshing fails
	l.run(600)
	for _, adapter := range adapters {
		if got := cold.call(t, adapter, good.token); got != http.StatusServiceUnavailable {
			t.Errorf("no keys were ever loaded, over %s: status %d, want 503", adapter, got)
		}
	}

	keys.keys = append(keys.keys, newP256(t, "new"))
	keys.signs["ES256"] = "new"
	p.restart(keys)
	l.run(300)
	now.advance(time.Hour) // past every back-off and cooldown
	fresh := p.token(tokenRequest{alg: "ES256"})
	for _, adapter := range adapters {
		for name, stack := range map[string]*stack{"warm": s, "cold": cold} {
			for _, token := range []string{fresh, good.token} {
				if got := stack.call(t, adapter, token); got != http.StatusOK {
					t.Errorf("after the restart, %s, over %s: status %d", name, adapter, got)
				}
			}
		}
	}
	l.run(600)
}

// breakSignature changes one character in the middle of the signature.
func breakSignature(token string) string {
	n := strings.LastIndexByte(token, '.') + 20
	swap := byte('A')
	if token[n] == swap {
		swap = 'B'
	}
	return token[:n] + string(swap) + token[n+1:]
}
