package forge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for algorithms
	_ "crypto/sha512"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/bearward/bearward/internal/jose"
)

// algorithm says how keys of a signature algorithm are made and hashed.
type algorithm struct {
	hash     crypto.Hash
	generate func() (crypto.Signer, error)
}

var algorithms = map[string]algorithm{
	"RS256":   {crypto.SHA256, generateRSA},
	"PS256":   {crypto.SHA256, generateRSA},
	"ES256":   {crypto.SHA256, generateEC(elliptic.P256())},
	"ES384":   {crypto.SHA384, generateEC(elliptic.P384())},
	"ES512":   {crypto.SHA512, generateEC(elliptic.P521())},
	"Ed25519": {0, generateEd25519},
	"EdDSA":   {0, generateEd25519},
}

func generateRSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func generateEC(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

func generateEd25519() (crypto.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

// Algorithms returns those that there are keys for: RS256, PS256, ES256, ES384,
// ES512, Ed25519 and its old name EdDSA.
func Algorithms() []string { return slices.Sorted(maps.Keys(algorithms)) }

// Known reports whether there are keys for alg.
func Known(alg string) bool {
	_, ok := algorithms[alg]
	return ok
}

// Key signs with one algorithm, which must be Known and fit Private. It is safe
// for concurrent use.
type Key struct {
	Algorithm string
	Private   crypto.Signer // *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey
}

// NewKey makes a key for alg.
func NewKey(alg string) (*Key, error) {
	if !Known(alg) {
		return nil, fmt.Errorf("no keys are made for algorithm %q", alg)
	}
	private, err := algorithms[alg].generate()
	return &Key{alg, private}, err
}

// Sign makes the signature of RFC 7518 §3.3 to §3.5 or RFC 8037 §3.1.
func (k *Key) Sign(input []byte) ([]byte, error) {
	hash := algorithms[k.Algorithm].hash
	digest := input
	if hash != 0 {
		h := hash.New()
		h.Write(input)
		digest = h.Sum(nil)
	}
	switch private := k.Private.(type) {
	case *rsa.PrivateKey:
		if k.Algorithm == "PS256" {
			return rsa.SignPSS(rand.Reader, private, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(nil, private, hash, digest)
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest)
		if err != nil {
			return nil, err
		}
		size := (private.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	default:
		return k.Private.Sign(nil, input, crypto.Hash(0))
	}
}

// JWK returns the public half: the members that RFC 7518 §6 and RFC 8037 §2
// require, and no others.
func (k *Key) JWK() Members {
	switch pub := k.Private.Public().(type) {
	case *rsa.PublicKey:
		return Members{"kty": "RSA", "n": jose.Encode(pub.N.Bytes()), "e": jose.Encode(big.NewInt(int64(pub.E)).Bytes())}
	case *ecdsa.PublicKey:
		size := (pub.Curve.Params().BitSize + 7) / 8
		point, _ := pub.Bytes() // 4, x, y; cannot fail for a key with a private half
		return Members{"kty": "EC", "crv": pub.Curve.Params().Name, "x": jose.Encode(point[1 : 1+size]), "y": jose.Encode(point[1+size:])}
	case ed25519.PublicKey:
		return Members{"kty": "OKP", "crv": "Ed25519", "x": jose.Encode(pub)}
	}
	return nil
}
