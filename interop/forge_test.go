package interop

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// foreignToken is a flawless token of an issuer that nobody configured.
func foreignToken(t testing.TB) string {
	t.Helper()
	now := time.Now().Unix()
	return newP256(t, "foreign").sign(t, map[string]any{
		"iss": "https://login.example.net", "sub": clientID, "client_id": clientID, "aud": audience,
		"iat": now, "exp": now + 3600, "jti": "foreign", "scope": "orders:read",
	})
}

// unknownKid is the token signed anew with a key that the server never had.
func unknownKid(t testing.TB, token string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return newP256(t, "never-published").sign(t, claims)
}

// sign makes an access token with an ES256 key.
func (k signingKey) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	input := part(t, map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": k.kid}) + "." + part(t, claims)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, k.private.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func part(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
