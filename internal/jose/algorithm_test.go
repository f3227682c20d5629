package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/bearward/bearward/internal/jose"
)

func TestKnown(t *testing.T) {
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"} {
		if !jose.Known(alg) {
			t.Errorf("%s is not known", alg)
		}
	}
	// [JO-01 JO-03 JO-04 JO-11 JO-12]
	for _, alg := range []string{"", "none", "None", "NONE", "HS256", "HS384", "HS512", "rs256", "ES256K", "ESP256", "ESB256", "Ed448", "ed25519", "RSA-OAEP", "ML-DSA-44"} {
		if jose.Known(alg) {
			t.Errorf("%s is known", alg)
		}
		if jose.Fits(alg, testKeys().rsa.Public()) == nil {
			t.Errorf("%s fits", alg)
		}
		if jose.Verify(alg, testKeys().rsa.Public(), []byte("x"), nil) == nil {
			t.Errorf("%s verifies", alg)
		}
	}
}

func TestFits(t *testing.T) { // [JO-06 JO-08 JO-09]
	k := testKeys()
	rsaAlgs := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	small := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	tests := map[string]struct {
		pub  crypto.PublicKey
		algs []string
	}{
		"RSA":                 {k.rsa.Public(), rsaAlgs},
		"P-256":               {k.p256.Public(), []string{"ES256"}},
		"P-384":               {k.p384.Public(), []string{"ES384"}},
		"P-521":               {k.p521.Public(), []string{"ES512"}},
		"Ed25519":             {k.ed.Public(), []string{"Ed25519", "EdDSA"}},
		"RSA-1024":            {small, nil},
		"RSA, even exponent":  {&rsa.PublicKey{N: k.rsa.N, E: 65536}, nil},
		"RSA, exponent 1":     {&rsa.PublicKey{N: k.rsa.N, E: 1}, nil},
		"RSA, large exponent": {&rsa.PublicKey{N: k.rsa.N, E: 1<<32 + 1}, nil},
		"RSA, no modulus":     {&rsa.PublicKey{}, nil},
		"RSA, even modulus":   {&rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int), 2047, 1), E: 65537}, nil},
		"RSA, negative":       {&rsa.PublicKey{N: new(big.Int).Neg(k.rsa.N), E: 65537}, nil},
		"nil RSA":             {(*rsa.PublicKey)(nil), nil},
		"nil EC":              {(*ecdsa.PublicKey)(nil), nil},
		"short Ed25519":       {ed25519.PublicKey{1}, nil},
		"secret":              {[]byte("secret"), nil},
		"nil":                 {nil, nil},
	}
	for name, tt := range tests {
		for _, alg := range append(rsaAlgs, "ES256", "ES384", "ES512", "Ed25519", "EdDSA") {
			if got := jose.Fits(alg, tt.pub) == nil; got != slices.Contains(tt.algs, alg) {
				t.Errorf("%s and %s: got %v", name, alg, got)
			}
		}
	}
}

func TestVerify(t *testing.T) {
	k, input := testKeys(), []byte("input")
	h256, h384 := sha256.Sum256(input), sha512.Sum384(input)
	pkcs, err1 := rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA256, h256[:])
	pss, err2 := rsa.SignPSS(rand.Reader, k.rsa, crypto.SHA256, h256[:], &rsa.PSSOptions{SaltLength: 32})
	salt, err3 := rsa.SignPSS(rand.Reader, k.rsa, crypto.SHA256, h256[:], &rsa.PSSOptions{SaltLength: 20})
	der, err4 := ecdsa.SignASN1(rand.Reader, k.p384, h384[:])
	r, s, err5 := ecdsa.Sign(rand.Reader, k.p384, h384[:])
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	fixed := append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...)
	ed := ed25519.Sign(k.ed, input)
	tests := map[string]struct {
		alg       string
		pub       crypto.PublicKey
		signature []byte
		ok        bool
	}{
		"RS256":             {"RS256", k.rsa.Public(), pkcs, true},
		"RS256 as PS256":    {"PS256", k.rsa.Public(), pkcs, false},
		"RS256 as RS384":    {"RS384", k.rsa.Public(), pkcs, false},
		"RS256, empty":      {"RS256", k.rsa.Public(), nil, false},
		"PS256":             {"PS256", k.rsa.Public(), pss, true},
		"PS256, other salt": {"PS256", k.rsa.Public(), salt, false},
		"PS256, EC key":     {"PS256", k.p256.Public(), pss, false},
		"ES384":             {"ES384", k.p384.Public(), fixed, true},
		"ES384, DER":        {"ES384", k.p384.Public(), der, false},              // [JO-08]
		"ES384, cut":        {"ES384", k.p384.Public(), fixed[:95], false},       // [JO-08]
		"ES384, longer":     {"ES384", k.p384.Public(), append(fixed, 0), false}, // [JO-08]
		"ES384, zero":       {"ES384", k.p384.Public(), make([]byte, 96), false}, // [JO-08]
		"ES384, swapped":    {"ES384", k.p384.Public(), append(fixed[48:96:96], fixed[:48]...), false},
		"Ed25519":           {"Ed25519", k.ed.Public(), ed, true},
		"EdDSA":             {"EdDSA", k.ed.Public(), ed, true}, // [JO-11]
		"Ed25519, cut":      {"Ed25519", k.ed.Public(), ed[:63], false},
		"Ed25519, longer":   {"Ed25519", k.ed.Public(), append(ed, 0), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := jose.Verify(tt.alg, tt.pub, input, tt.signature); (err == nil) != tt.ok {
				t.Errorf("got %v, want ok %v", err, tt.ok)
			}
			if err := jose.Verify(tt.alg, tt.pub, []byte("inpuT"), tt.signature); err == nil {
				t.Error("another input verifies")
			}
		})
	}
}
