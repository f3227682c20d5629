// Package jose is the part of JOSE that bearward needs: compact JWS, headers,
// algorithms and keys. It is the only importer of jwx.
package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// ErrSignature says that a signature does not verify.
var ErrSignature = errors.New("signature does not verify")

// algorithm is one row of the table of signature algorithms.
type algorithm struct {
	curve  elliptic.Curve // ECDSA only
	hash   crypto.Hash    // ECDSA and RSASSA-PSS only
	verify jws.Verifier   // nil: the standard library verifies
	family family
}

type family int

const (
	familyRSA family = iota
	familyEC
	familyEd
)

// algorithms holds every algorithm that can be allowed. HMAC and none are not
// in it and cannot be added by configuration (RFC 8725 §2.1, RFC 9068 §4).
var algorithms = map[string]*algorithm{
	"RS256":   {family: familyRSA, verify: jwxVerifier(jwa.RS256)},
	"RS384":   {family: familyRSA, verify: jwxVerifier(jwa.RS384)},
	"RS512":   {family: familyRSA, verify: jwxVerifier(jwa.RS512)},
	"PS256":   {family: familyRSA, hash: crypto.SHA256},
	"PS384":   {family: familyRSA, hash: crypto.SHA384},
	"PS512":   {family: familyRSA, hash: crypto.SHA512},
	"ES256":   {family: familyEC, curve: elliptic.P256(), hash: crypto.SHA256},
	"ES384":   {family: familyEC, curve: elliptic.P384(), hash: crypto.SHA384},
	"ES512":   {family: familyEC, curve: elliptic.P521(), hash: crypto.SHA512},
	"Ed25519": {family: familyEd},
}

func jwxVerifier(alg jwa.SignatureAlgorithm) jws.Verifier {
	v, err := jws.NewVerifier(alg)
	if err != nil {
		panic("jose: " + err.Error())
	}
	return v
}

// Canonical returns the one name that bearward compares: the deprecated EdDSA
// is Ed25519 here, because no other curve verifies it (RFC 9864 §2.2). Every
// other name is itself.
func Canonical(alg string) string {
	if alg == "EdDSA" { // [JO-11]
		return "Ed25519"
	}
	return alg
}

// Known reports whether alg, in its canonical form, can be allowed at all.
func Known(alg string) bool { return algorithms[Canonical(alg)] != nil }

// Fits reports why pub cannot verify alg, or nil: type, curve and size are
// bound to the algorithm (RFC 7518 §3.3, §3.4; RFC 8725 §3.1).
func Fits(alg string, pub crypto.PublicKey) error {
	a := algorithms[Canonical(alg)]
	if a == nil {
		return fmt.Errorf("algorithm %q is not supported", clip(alg))
	}
	switch key := pub.(type) {
	case *rsa.PublicKey:
		if a.family != familyRSA || key == nil { // [JO-06]
			break
		}
		return checkRSA(key)
	case *ecdsa.PublicKey:
		if a.family != familyEC || key == nil || key.Curve != a.curve { // [JO-06 JO-08]
			break
		}
		return nil
	case ed25519.PublicKey:
		if a.family != familyEd || len(key) != ed25519.PublicKeySize { // [JO-10 JO-11]
			break
		}
		return nil
	}
	return fmt.Errorf("a key of type %T does not fit %s", pub, alg)
}

const (
	minRSA, maxRSA = 2048, 8192
	maxExponent    = 1<<32 - 1
	maxSignature   = maxRSA / 8 // bytes; all others are shorter
)

func checkRSA(key *rsa.PublicKey) error {
	if key.N == nil || key.N.Sign() < 0 || key.N.Bit(0) == 0 { // [JO-09]
		return errors.New("RSA key without an odd modulus")
	}
	if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA { // [JO-09]
		return fmt.Errorf("RSA modulus of %d bits, want %d to %d", bits, minRSA, maxRSA)
	}
	if key.E < 3 || key.E&1 == 0 || int64(key.E) > maxExponent { // [JO-09]
		return fmt.Errorf("RSA exponent %d, want an odd number from 3 to %d", key.E, int64(maxExponent))
	}
	return nil
}

// Verify checks signature over input with a key that Fits. A key made by hand
// can fit and lack its numbers, over which libraries panic: it verifies nothing.
func Verify(alg string, pub crypto.PublicKey, input, signature []byte) (err error) {
	defer func() {
		if recover() != nil { // [JO-10]
			err = ErrSignature
		}
	}()
	a := algorithms[Canonical(alg)]
	if a == nil {
		return fmt.Errorf("algorithm %q is not supported", clip(alg))
	}
	switch {
	case a.family == familyEC:
		return verifyECDSA(a, pub, input, signature)
	case a.family == familyEd:
		return verifyEd25519(pub, input, signature)
	case a.verify == nil:
		return verifyPSS(a.hash, pub, input, signature)
	}
	if err := a.verify.Verify(input, signature, pub); err != nil {
		return ErrSignature
	}
	return nil
}

// verifyPSS demands a salt as long as the hash (RFC 7518 §3.5), which jwx
// does not.
func verifyPSS(hash crypto.Hash, pub crypto.PublicKey, input, signature []byte) error {
	key, ok := pub.(*rsa.PublicKey)
	if !ok {
		return ErrSignature
	}
	var buf [maxHash]byte
	sum := digest(hash, input, &buf)
	opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	if rsa.VerifyPSS(key, hash, sum, signature, opts) != nil {
		return ErrSignature
	}
	return nil
}

// clip bounds text from outside before it enters an error.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most]
	}
	return s
}
