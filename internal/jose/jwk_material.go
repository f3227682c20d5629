package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// curves are the curves of RFC 7518 §6.2.1.1 with the length of a coordinate.
var curves = map[string]struct {
	curve elliptic.Curve
	size  int
}{
	"P-256": {elliptic.P256(), 32},
	"P-384": {elliptic.P384(), 48},
	"P-521": {elliptic.P521(), 66},
}

// purpose refuses keys that are not meant for verifying (RFC 7517 §4.2, §4.3).
func (m *members) purpose() error {
	if m.hasUse && m.use != "sig" { // [JO-07]
		return ErrKeyUse
	}
	if m.hasOps && !slices.Contains(m.ops, "verify") { // [JO-07]
		return ErrKeyUse
	}
	return nil
}

// public builds the public key. Points are whole as the standard library reads
// them, and proofs of possession bring a key each. RSA numbers are judged here
// before jwx sees them; it gets a document made of the judged values only.
func (m *members) public() (crypto.PublicKey, error) {
	switch m.kty {
	case "RSA":
		return m.rsa()
	case "EC":
		return m.ec()
	case "OKP":
		return m.okp()
	}
	return nil, ErrKeyType
}

func (m *members) rsa() (crypto.PublicKey, error) {
	n, err := unsigned(m.n)
	if err != nil {
		return nil, fmt.Errorf("%w: n", err)
	}
	e, err := unsigned(m.e)
	if err != nil {
		return nil, fmt.Errorf("%w: e", err)
	}
	// jwx cuts longer values instead of refusing them.
	if len(n)*8 > maxRSA || len(e) > 4 { // [JO-09]
		return nil, fmt.Errorf("%w: modulus or exponent too long", ErrKeyStrength)
	}
	var key rsa.PublicKey
	if err := build(`{"kty":"RSA","n":"`+m.n+`","e":"`+m.e+`"}`, &key); err != nil {
		return nil, err
	}
	if err := checkRSA(&key); err != nil { // [JO-09]
		return nil, fmt.Errorf("%w: %w", ErrKeyStrength, err)
	}
	return &key, nil
}

func (m *members) ec() (crypto.PublicKey, error) {
	c, ok := curves[m.crv]
	if !ok { // [JO-08]
		return nil, ErrKeyType
	}
	var room [1 + 2*maxCoordinate]byte
	point := room[:1+2*c.size]
	point[0] = 4
	if err := sized(point[1:1+c.size], m.x); err != nil {
		return nil, fmt.Errorf("%w: x", err)
	}
	if err := sized(point[1+c.size:], m.y); err != nil {
		return nil, fmt.Errorf("%w: y", err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(c.curve, point)
	if err != nil { // [JO-10]
		return nil, ErrOffCurve
	}
	return key, nil
}

func (m *members) okp() (crypto.PublicKey, error) {
	if m.crv != "Ed25519" { // [JO-11]
		return nil, ErrKeyType
	}
	key := make(ed25519.PublicKey, ed25519.PublicKeySize)
	if err := sized(key, m.x); err != nil { // [JO-10]
		return nil, fmt.Errorf("%w: x", err)
	}
	return key, nil
}

func build(doc string, out any) error {
	key, err := jwk.ParseKey([]byte(doc))
	if err == nil {
		err = key.Raw(out)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyMember, err)
	}
	return nil
}

// unsigned decodes a Base64urlUInt: no leading zero (RFC 7518 §2).
func unsigned(s string) ([]byte, error) {
	b, err := Decode(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyMember, err)
	}
	if len(b) == 0 || b[0] == 0 { // [JK-08]
		return nil, ErrKeyMember
	}
	return b, nil
}

// sized decodes a value of exactly as many bytes as to has (RFC 7518 §6.2.1.2,
// RFC 8037 §2).
func sized(to []byte, s string) error {
	if decodedLen(len(s)) == len(to) {
		if err := decode(to, s); err != nil {
			return fmt.Errorf("%w: %w", ErrKeyMember, err)
		}
		return nil
	}
	if !spelled(s) {
		return fmt.Errorf("%w: %w", ErrKeyMember, ErrAlphabet)
	}
	return ErrKeyMember // [JO-10]
}

// checkChain demands that the first certificate holds the same key (RFC 7517
// §4.7). The chain itself decides nothing: trust comes from where the set was
// fetched.
func checkChain(chain []string, pub crypto.PublicKey) error {
	if len(chain) == 0 { // [JK-19]
		return ErrCertificate
	}
	der, err := base64.StdEncoding.DecodeString(chain[0])
	if err != nil {
		return ErrCertificate
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return ErrCertificate
	}
	same, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !same.Equal(pub) { // [JK-19]
		return ErrCertificate
	}
	return nil
}
