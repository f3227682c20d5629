package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// Thumbprint returns the SHA-256 thumbprint of a public key (RFC 7638 §3, RFC
// 8037 §2): the required members only, in the order of their names, without
// white space. Its wire form is Encode of the bytes.
func Thumbprint(pub crypto.PublicKey) ([32]byte, error) {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		if key == nil || key.N == nil {
			return [32]byte{}, ErrKeyMember
		}
		e := big.NewInt(int64(key.E)).Bytes()
		return sum(`{"e":"`, Encode(e), `","kty":"RSA","n":"`, Encode(key.N.Bytes()), `"}`), nil // [JO-28]
	case *ecdsa.PublicKey:
		if key == nil || key.Curve == nil {
			return [32]byte{}, ErrKeyType
		}
		c, ok := curves[key.Params().Name]
		if !ok {
			return [32]byte{}, ErrKeyType
		}
		point, err := uncompressed(key)
		if err != nil {
			return [32]byte{}, err
		}
		x, y := point[1:1+c.size], point[1+c.size:]
		return sum(`{"crv":"`, key.Params().Name, `","kty":"EC","x":"`, Encode(x), `","y":"`, Encode(y), `"}`), nil // [JO-28]
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return [32]byte{}, ErrKeyMember
		}
		return sum(`{"crv":"Ed25519","kty":"OKP","x":"`, Encode(key), `"}`), nil // [JO-28]
	}
	return [32]byte{}, ErrKeyType
}

// thumbprint is that of a key that was read from these members: their text is
// canonical, so it is the text of Thumbprint.
func (m *members) thumbprint() [32]byte {
	switch m.kty {
	case "RSA":
		return sum(`{"e":"`, m.e, `","kty":"RSA","n":"`, m.n, `"}`) // [JO-28]
	case "EC":
		return sum(`{"crv":"`, m.crv, `","kty":"EC","x":"`, m.x, `","y":"`, m.y, `"}`) // [JO-28]
	}
	return sum(`{"crv":"`, m.crv, `","kty":"OKP","x":"`, m.x, `"}`) // [JO-28]
}

func sum(parts ...string) [32]byte {
	var usual [512]byte
	b := usual[:0]
	for _, p := range parts {
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// uncompressed is Bytes for keys that were made by hand too: without
// coordinates the standard library panics.
func uncompressed(key *ecdsa.PublicKey) (point []byte, err error) {
	defer func() {
		if recover() != nil {
			err = ErrOffCurve
		}
	}()
	if point, err = key.Bytes(); err != nil {
		return nil, ErrOffCurve
	}
	return point, nil
}
