package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/jose"
)

// vectors decodes a file of public test vectors, which lie beside the
// repository, and skips the test where they are not there.
func vectors(t *testing.T, name string, out any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("test vectors are not beside the repository: ../shared/vectors/%s", name)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatal(err)
	}
}

var testKeys = sync.OnceValue(func() (k struct {
	rsa              *rsa.PrivateKey
	p256, p384, p521 *ecdsa.PrivateKey
	ed               ed25519.PrivateKey
},
) {
	var err error
	check := func(e error) {
		if err == nil {
			err = e
		}
	}
	var e error
	k.rsa, e = rsa.GenerateKey(rand.Reader, 2048)
	check(e)
	k.p256, e = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(e)
	k.p384, e = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	check(e)
	k.p521, e = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	check(e)
	_, k.ed, e = ed25519.GenerateKey(rand.Reader)
	check(e)
	if err != nil {
		panic(err)
	}
	return k
})

// number is the base64url of an odd number of so many bits.
func number(bits int) string {
	b := bytes.Repeat([]byte{0xff}, (bits+7)/8)
	if extra := bits % 8; extra != 0 {
		b[0] >>= 8 - extra
	}
	return jose.Encode(b)
}

func coordinates(t *testing.T, pub *ecdsa.PublicKey) (x, y string) {
	t.Helper()
	point, err := pub.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := len(point) / 2
	return jose.Encode(point[1 : 1+half]), jose.Encode(point[1+half:])
}

func ecJWK(t *testing.T, pub *ecdsa.PublicKey, more string) string {
	t.Helper()
	x, y := coordinates(t, pub)
	return `{"kty":"EC","crv":"` + pub.Params().Name + `","x":"` + x + `","y":"` + y + `"` + more + `}`
}

func rsaJWK(n, more string) string { return `{"kty":"RSA","e":"AQAB","n":"` + n + `"` + more + `}` }

func edJWK(pub crypto.PublicKey, more string) string {
	return `{"kty":"OKP","crv":"Ed25519","x":"` + jose.Encode(pub.(ed25519.PublicKey)) + `"` + more + `}`
}
