package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// signingKey is a private key with its name.
type signingKey struct {
	kid     string
	private crypto.Signer
}

func newRSA(t testing.TB, kid string) signingKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signingKey{kid, key}
}

func newP256(t testing.TB, kid string) signingKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signingKey{kid, key}
}

func newEd25519(t testing.TB, kid string) signingKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signingKey{kid, key}
}

// jwk writes the private key as RFC 7518 §6 and RFC 8037 §2 say.
func (k signingKey) jwk(t testing.TB) map[string]string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	num := func(n *big.Int) string { return b64(n.Bytes()) }
	switch key := k.private.(type) {
	case *rsa.PrivateKey:
		return map[string]string{
			"kty": "RSA", "kid": k.kid, "use": "sig",
			"n": num(key.N), "e": num(big.NewInt(int64(key.E))), "d": num(key.D),
			"p": num(key.Primes[0]), "q": num(key.Primes[1]),
			"dp": num(key.Precomputed.Dp), "dq": num(key.Precomputed.Dq), "qi": num(key.Precomputed.Qinv),
		}
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes() // 4 || x || y
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{
			"kty": "EC", "crv": "P-256", "kid": k.kid, "use": "sig",
			"x": b64(point[1:33]), "y": b64(point[33:]), "d": b64(d),
		}
	case ed25519.PrivateKey:
		return map[string]string{
			"kty": "OKP", "crv": "Ed25519", "kid": k.kid, "use": "sig",
			"x": b64(key.Public().(ed25519.PublicKey)), "d": b64(key.Seed()),
		}
	}
	t.Fatalf("no JWK for %T", k.private)
	return nil
}

// keySet is what the server publishes; signs names the key for each algorithm.
// api is the API's own key (ES256): the server gets its public half. With tls
// it speaks https.
type keySet struct {
	keys  []signingKey
	signs map[string]string
	api   *signingKey
	tls   *identity
}

// file writes the set for server.mjs.
func (s keySet) file(t testing.TB) string {
	t.Helper()
	jwks := make([]map[string]string, 0, len(s.keys))
	for _, key := range s.keys {
		jwks = append(jwks, key.jwk(t))
	}
	content := map[string]any{"keys": jwks, "sign": s.signs}
	if s.api != nil {
		public := s.api.jwk(t)
		delete(public, "d")
		content["api"] = []any{public}
	}
	if s.tls != nil {
		certificate, key := s.tls.pem(t)
		content["tls"] = map[string]string{"cert": certificate, "key": key}
	}
	raw, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everyKey is one key of each type: the RSA key, published without alg, signs
// RS256 and PS256, as many servers do.
func everyKey(t testing.TB) keySet {
	t.Helper()
	return keySet{
		keys:  []signingKey{newRSA(t, "rsa"), newP256(t, "ec"), newEd25519(t, "okp")},
		signs: map[string]string{"RS256": "rsa", "PS256": "rsa", "ES256": "ec", "EdDSA": "okp"},
	}
}

// fixed is the way to start a server with keys that exist already.
func fixed(keys keySet) func(testing.TB) keySet {
	return func(testing.TB) keySet { return keys }
}
