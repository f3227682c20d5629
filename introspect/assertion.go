package introspect

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for sign
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/jose"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	assertionLife  = 5 * time.Minute
	assertionRenew = 30 * time.Second // before its expiry a new one is made
	assertionLast  = 5 * time.Second  // before its expiry it is used no more
	assertionRetry = time.Second      // after a failure to make one
)

// assertions makes client assertions (RFC 7523 §3). One is used for many
// requests, until shortly before it expires, or until a server turns out to
// accept each once only.
type assertions struct {
	header string // encoded
	claims assertionClaims
	alg    string
	key    crypto.Signer
	clock  func() time.Time
}

// assertionClaims is encoded in this order.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// assertionHeader is encoded in this order.
type assertionHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid,omitzero"`
}

func newAssertions(a Auth, issuer string, clock func() time.Time) *renewed[string] {
	alg, _ := signatureAlgorithm(a.Key.Public(), a.Algorithm)
	audience := a.Audience
	if audience == "" {
		audience = issuer // [IN-02]
	}
	header, _ := json.Marshal(assertionHeader{alg, "JWT", a.KeyID})
	made := &assertions{
		header: jose.Encode(header), alg: alg, key: a.Key, clock: clock,
		claims: assertionClaims{Issuer: a.ClientID, Subject: a.ClientID, Audience: audience},
	}
	return newRenewed(clock, assertionRetry, made.make)
}

func (a *assertions) make(context.Context) (item[string], error) {
	claims, now := a.claims, a.clock()
	expires := now.Add(assertionLife)
	claims.ID = rand.Text() // [IN-02]
	claims.IssuedAt, claims.Expires = now.Unix(), expires.Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		return item[string]{}, fmt.Errorf("%w: %w", errAssertion, err)
	}
	input := a.header + "." + jose.Encode(payload)
	signature, err := sign(a.key, a.alg, []byte(input))
	if err != nil {
		return item[string]{}, fmt.Errorf("%w: %w", errAssertion, err)
	}
	return item[string]{
		value: input + "." + jose.Encode(signature),
		renew: expires.Add(-assertionRenew),
		until: expires.Add(-assertionLast),
	}, nil
}

// signatureAlgorithm returns the algorithm to sign with: the wanted one if the
// key can, or what fits the key.
func signatureAlgorithm(pub crypto.PublicKey, wanted string) (string, error) {
	alg := wanted
	if alg == "" {
		switch key := pub.(type) {
		case *rsa.PublicKey:
			alg = "RS256"
		case *ecdsa.PublicKey:
			alg = map[int]string{256: "ES256", 384: "ES384"}[key.Curve.Params().BitSize]
		case ed25519.PublicKey:
			alg = "EdDSA"
		}
	}
	switch alg {
	case "RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519":
		return alg, jose.Fits(alg, pub)
	case "":
		return "", fmt.Errorf("a key of type %T cannot sign assertions: RSA, P-256, P-384 or Ed25519 can", pub)
	}
	return "", fmt.Errorf("algorithm %q is not one of RS256 PS256 ES256 ES384 EdDSA", wanted)
}

// sign makes the signature of RFC 7518 §3.3 to §3.5 or RFC 8037 §3.1. The key
// may live elsewhere.
func sign(key crypto.Signer, alg string, input []byte) ([]byte, error) {
	hash := crypto.SHA256
	if alg == "ES384" {
		hash = crypto.SHA384
	}
	var opts crypto.SignerOpts = hash
	switch alg {
	case "EdDSA", "Ed25519":
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	case "PS256":
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	h := hash.New()
	h.Write(input)
	signature, err := key.Sign(rand.Reader, h.Sum(nil), opts)
	if err != nil || alg[0] != 'E' {
		return signature, err
	}
	return fixed(signature, hash.Size()) // P-256 and P-384 are as long as their hash
}

// fixed turns the ASN.1 of crypto.Signer into R and S side by side (RFC 7518
// §3.4).
func fixed(der []byte, size int) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil || len(rest) != 0 || !within(pair.R, size) || !within(pair.S, size) {
		return nil, errors.New("the key made no ECDSA signature")
	}
	out := make([]byte, 2*size)
	pair.R.FillBytes(out[:size])
	pair.S.FillBytes(out[size:])
	return out, nil
}

func within(n *big.Int, size int) bool { return n.Sign() > 0 && n.BitLen() <= 8*size }
