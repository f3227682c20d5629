package prove_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
)

func TestSign(t *testing.T) {
	for _, alg := range algorithms {
		key := newKey(t, alg)
		proof, err := key.Sign(prove.Claims{
			Method: "POST", URL: "https://user:secret@api.example.test:8443/a%2Fb/c?d=e#f", Token: "token", Nonce: "nonce-1", ID: "id-1", Time: start,
		})
		must(t, err)
		got := verify(t, proof).Thumbprint
		if jose.Encode(got[:]) != key.Thumbprint() {
			t.Errorf("%s: signed by %s", alg, jose.Encode(got[:]))
		}
		header, claims := open(t, proof)
		if diff := cmp.Diff(map[string]any{"typ": "dpop+jwt", "alg": alg, "jwk": key.JWK()}, header); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{
			"jti": "id-1", "htm": "POST", "htu": "https://api.example.test:8443/a%2Fb/c", "iat": float64(start.Unix()),
			"ath": "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A", "nonce": "nonce-1",
		}, claims); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSignDefaults(t *testing.T) {
	key := newKey(t, "")
	ids := map[any]bool{}
	for range 2 {
		before := time.Now().Truncate(time.Second)
		proof, err := key.Sign(prove.Claims{URL: "https://api.example.test"})
		must(t, err)
		_, claims := open(t, proof)
		issued := time.Unix(int64(claims["iat"].(float64)), 0)
		if issued.Before(before) || issued.After(time.Now()) {
			t.Errorf("iat %v", issued)
		}
		ids[claims["jti"]] = true
		delete(claims, "iat")
		delete(claims, "jti")
		if diff := cmp.Diff(map[string]any{"htm": "GET", "htu": "https://api.example.test"}, claims); diff != "" {
			t.Error(diff)
		}
	}
	if len(ids) != 2 {
		t.Errorf("jti: %v", ids)
	}
}

func TestSignRefuses(t *testing.T) {
	for _, url := range []string{"", "/orders", "api.example.test/orders", "https:", "https:orders", "https://[::1", "https://a\x00/"} {
		if _, err := newKey(t, "").Sign(prove.Claims{URL: url}); err == nil || !strings.HasPrefix(err.Error(), "prove: ") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
