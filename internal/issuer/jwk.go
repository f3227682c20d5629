package issuer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
)

// JWK is a public key as published (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
type JWK struct {
	KeyType   string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	Modulus   string `json:"n,omitempty"`
	Exponent  string `json:"e,omitempty"`
}

// JWKS returns the published keys, the oldest first.
func (s *Server) JWKS() []JWK {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := make([]JWK, 0, len(s.keys.published))
	for _, k := range s.keys.published {
		set = append(set, k.jwk())
	}
	return set
}

func (k *key) jwk() JWK {
	out := JWK{ID: k.id, Use: "sig", Algorithm: k.alg}
	switch pub := k.private.Public().(type) {
	case *rsa.PublicKey:
		out.KeyType = "RSA"
		out.Modulus = encode(pub.N.Bytes())
		out.Exponent = encode(big.NewInt(int64(pub.E)).Bytes())
	case *ecdsa.PublicKey:
		size := (pub.Curve.Params().BitSize + 7) / 8
		point, _ := pub.Bytes() // 4, x, y; cannot fail for a key made here
		out.KeyType, out.Curve = "EC", pub.Curve.Params().Name
		out.X, out.Y = encode(point[1:1+size]), encode(point[1+size:])
	case ed25519.PublicKey:
		out.KeyType, out.Curve, out.X = "OKP", "Ed25519", encode(pub)
	}
	return out
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
