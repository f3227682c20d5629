package prove

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// by changes the key that signs and is in jwk.
func by(d *forge.Draft, k *forge.Key) {
	d.Header["alg"], d.Header["jwk"], d.Sign = k.Algorithm, k.JWK(), k.Sign
}

func weakKey(d *forge.Draft) error {
	private, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // too short on purpose
	if err == nil {
		by(d, &forge.Key{Algorithm: "RS256", Private: private})
	}
	return err
}

// shortCoordinate makes keys until the x of one begins with a zero, about 256 of
// them, and leaves the zero out.
func shortCoordinate(d *forge.Draft) error {
	for {
		k, err := forge.NewKey("ES256")
		if err != nil {
			return err
		}
		by(d, k)
		jwk := k.JWK()
		text, _ := jwk["x"].(string)
		x, err := jose.Decode(text)
		if err != nil {
			return err
		}
		if x[0] == 0 {
			jwk["x"] = jose.Encode(x[1:])
			d.Header["jwk"] = jwk
			return nil
		}
	}
}

// macOctet signs with the secret that is in jwk.
func macOctet(d *forge.Draft) error {
	d.Sign = forge.HMAC(make([]byte, 32))
	return nil
}

// derSignature writes R and S as X.509 does, or another signature as octets.
func derSignature(d *forge.Draft) error {
	key := d.Key
	d.Sign = func(input []byte) ([]byte, error) {
		plain, err := key.Sign(input)
		if err != nil || key.Algorithm[:2] != "ES" {
			der, _ := asn1.Marshal(plain) // never fails
			return der, err
		}
		half := len(plain) / 2
		return asn1.Marshal([]*big.Int{new(big.Int).SetBytes(plain[:half]), new(big.Int).SetBytes(plain[half:])})
	}
	return nil
}

func repeatedKeyType(d *forge.Draft) error {
	raw, err := forge.Repeated(d.Key.JWK(), "kty", "oct")
	d.Header["jwk"] = jsontext.Value(raw)
	return err
}

func repeatedMethod(d *forge.Draft) (err error) {
	d.RawClaims, err = forge.Repeated(d.Claims, "htm", "TRACE")
	return err
}
