package forge

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The edits make a Draft wrong in one way before it is signed.

// Unsigned leaves the signature empty.
func Unsigned(d *Draft) error {
	d.Sign = func([]byte) ([]byte, error) { return nil, nil }
	return nil
}

// StrangersKey signs with another key; the header stays.
func StrangersKey(d *Draft) error {
	_, err := Stranger(d)
	return err
}

// Stranger is StrangersKey that returns the key.
func Stranger(d *Draft) (*Key, error) {
	stranger, err := NewKey(d.Key.Algorithm)
	if err == nil {
		d.Sign = stranger.Sign
	}
	return stranger, err
}

// MacPEM is the confusion of RFC 8725 §2.1: the secret of an HMAC is the public
// key, which everybody has.
func MacPEM(d *Draft) error {
	der, err := x509.MarshalPKIXPublicKey(d.Key.Private.Public())
	if err == nil {
		d.Sign = HMAC(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return err
}

// MacJWK is MacPEM with the JWK as secret.
func MacJWK(d *Draft) error {
	secret, err := JSON(d.Key.JWK())
	if err == nil {
		d.Sign = HMAC(secret)
	}
	return err
}

// HMAC signs with a shared secret (HS256).
func HMAC(secret []byte) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) {
		h := hmac.New(sha256.New, secret)
		h.Write(input)
		return h.Sum(nil), nil
	}
}

// LowerAlgorithm writes alg in small letters.
func LowerAlgorithm(d *Draft) error {
	d.Header["alg"] = strings.ToLower(d.Key.Algorithm)
	return nil
}

// RepeatedAlgorithm puts a second alg in front.
func RepeatedAlgorithm(d *Draft) (err error) {
	d.RawHeader, err = Repeated(d.Header, "alg", "none")
	return err
}

// Repeated encodes object with one more member in front, whose name it has
// already.
func Repeated(object Members, name, value string) ([]byte, error) {
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out, jsontext.AllowDuplicateNames(true))
	for _, t := range []jsontext.Token{jsontext.BeginObject, jsontext.String(name), jsontext.String(value)} {
		if err := enc.WriteToken(t); err != nil {
			return nil, err
		}
	}
	for _, member := range slices.Sorted(maps.Keys(object)) {
		value, err := encode(object[member])
		if err != nil {
			return nil, err
		}
		if err := enc.WriteToken(jsontext.String(member)); err != nil {
			return nil, err
		}
		if err := enc.WriteValue(value); err != nil {
			return nil, err
		}
	}
	if err := enc.WriteToken(jsontext.EndObject); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
