// Package prove is the client's side of DPoP (RFC 9449): keys, proofs that are
// right, proofs that are wrong on purpose, and a transport that sends them. It
// serves tests, the demo and the command line.
package prove

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// DefaultAlgorithm is what keys are for unless something else is asked for.
const DefaultAlgorithm = "ES256"

// Key is a client's key pair. It is safe for concurrent use.
type Key struct {
	pair       *forge.Key
	thumbprint string
}

// NewKey makes a key for a signature algorithm: ES256 (also if alg is empty),
// ES384, ES512, RS256, PS256, Ed25519 or its old name EdDSA.
func NewKey(alg string) (*Key, error) {
	pair, err := forge.NewKey(cmp.Or(alg, DefaultAlgorithm))
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	return keyOf(pair)
}

func keyOf(pair *forge.Key) (*Key, error) {
	public := pair.Private.Public()
	if err := jose.Fits(pair.Algorithm, public); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	sum, err := jose.Thumbprint(public)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	return &Key{pair, jose.Encode(sum[:])}, nil
}

// Algorithm returns the name that proofs have in alg.
func (k *Key) Algorithm() string { return k.pair.Algorithm }

// Thumbprint returns the value of cnf.jkt in tokens that are bound to the key
// (RFC 9449 §6.1, RFC 7638).
func (k *Key) Thumbprint() string { return k.thumbprint }

// JWK returns the public half, with the required members only. The map is the
// caller's.
func (k *Key) JWK() map[string]any { return k.pair.JWK() }

const (
	pemType = "PRIVATE KEY" // PKCS #8
	maxPEM  = 16 << 10      // bytes; RSA keys of 8192 bits have half of it
)

// PEM returns the private key as PKCS #8.
func (k *Key) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.pair.Private)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

var errPEM = errors.New(`prove: not one block "PRIVATE KEY" (PKCS #8)`)

// ParsePEM reads what PEM returns. The algorithm is what fits the key: RSA keys
// are for PS256, those on edwards25519 for Ed25519.
func ParsePEM(text []byte) (*Key, error) {
	if len(text) > maxPEM {
		return nil, errPEM
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(block.Headers) > 0 || len(rest) > 0 {
		return nil, errPEM
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPEM, err)
	}
	switch private := private.(type) {
	case *rsa.PrivateKey:
		return keyOf(&forge.Key{Algorithm: "PS256", Private: private})
	case *ecdsa.PrivateKey:
		return keyOf(&forge.Key{Algorithm: curves[private.Curve.Params().Name], Private: private})
	case ed25519.PrivateKey:
		return keyOf(&forge.Key{Algorithm: "Ed25519", Private: private})
	}
	return nil, fmt.Errorf("prove: no proofs are signed with a key of type %T", private)
}

// curves names the algorithm that fits each; a curve that is not here fits none.
var curves = map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
