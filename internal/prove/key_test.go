package prove_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/prove"
)

func TestNewKey(t *testing.T) {
	if got := newKey(t, "").Algorithm(); got != "ES256" {
		t.Errorf("the default is %s", got)
	}
	for _, alg := range algorithms {
		key := newKey(t, alg)
		if key.Algorithm() != alg {
			t.Errorf("%s: %s", alg, key.Algorithm())
		}
		for name := range key.JWK() {
			if !strings.Contains(" kty crv x y n e ", " "+name+" ") {
				t.Errorf("%s: jwk has %s", alg, name)
			}
		}
		key.JWK()["kty"] = "changed"
		if key.JWK()["kty"] == "changed" {
			t.Error("JWK shares its map")
		}
	}
	for _, alg := range []string{"none", "HS256", "es256"} {
		if _, err := prove.NewKey(alg); err == nil {
			t.Errorf("a key for %s", alg)
		}
	}
}

func TestPEM(t *testing.T) {
	for alg, want := range map[string]string{
		"ES256": "ES256", "ES384": "ES384", "ES512": "ES512", "RS256": "PS256", "PS256": "PS256", "Ed25519": "Ed25519", "EdDSA": "Ed25519",
	} {
		key := newKey(t, alg)
		text, err := key.PEM()
		must(t, err)
		again, err := prove.ParsePEM(text)
		must(t, err)
		if again.Algorithm() != want || again.Thumbprint() != key.Thumbprint() || !cmp.Equal(again.JWK(), key.JWK()) {
			t.Errorf("%s: %s, %v", alg, again.Algorithm(), again.JWK())
		}
	}
}

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestParsePEMRefuses(t *testing.T) {
	right, err := newKey(t, "").PEM()
	must(t, err)
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	agreement, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	for name, text := range map[string][]byte{
		"nothing":  nil,
		"no PEM":   []byte("key"),
		"DER":      pemBytes(right),
		"public":   bytes.ReplaceAll(right, []byte("PRIVATE"), []byte("PUBLIC")),
		"SEC 1":    bytes.ReplaceAll(right, []byte("PRIVATE"), []byte("EC PRIVATE")),
		"two":      append(bytes.Clone(right), right...),
		"garbage":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("key")}),
		"header":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4"}, Bytes: pemBytes(right)}),
		"too long": append(bytes.Repeat([]byte("\n"), 16<<10), right...),
		"P-224":    pkcs8(t, small),
		"X25519":   pkcs8(t, agreement),
		"RSA-1024": pkcs8(t, short),
	} {
		if key, err := prove.ParsePEM(text); err == nil {
			t.Errorf("%s: read %s", name, key.Algorithm())
		}
	}
}

func pemBytes(text []byte) []byte {
	block, _ := pem.Decode(text)
	return block.Bytes
}

// FuzzParsePEM wants each key that is read to sign what verifies.
func FuzzParsePEM(f *testing.F) {
	for _, alg := range algorithms {
		text, err := newKey(f, alg).PEM()
		must(f, err)
		f.Add(text)
	}
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := prove.ParsePEM(text)
		if err != nil {
			return
		}
		proof, err := key.Sign(request)
		must(t, err)
		if got := verify(t, proof).Thumbprint; jose.Encode(got[:]) != key.Thumbprint() {
			t.Errorf("%s, want %s", jose.Encode(got[:]), key.Thumbprint())
		}
	})
}
