// Package forge makes signed JWTs, right ones and wrong ones on purpose: what
// the embedded issuer and the DPoP client for tests share. It takes what it is
// given, so that anything can be sent to a verifier.
package forge

import (
	"maps"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/jose"
)

// Members of a header or of claims. A nil value leaves the member out where they
// are merged.
type Members = map[string]any

// After is a value of Members: a NumericDate so far from now.
type After time.Duration

// Null is a value of Members: the JSON null.
var Null = jsontext.Value("null")

// Merge copies members over to; a nil value removes one.
func Merge(to, members Members, now time.Time) {
	maps.Copy(to, members)
	for name, value := range members {
		switch v := value.(type) {
		case nil:
			delete(to, name)
		case After:
			to[name] = now.Add(time.Duration(v)).Unix()
		}
	}
}

// JSON encodes members in the order of their names.
func JSON(members Members) ([]byte, error) { return encode(members) }

// encode lets raw values repeat names: they may be wrong on purpose.
func encode(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true), jsontext.AllowDuplicateNames(true))
}

// Draft is a JWT before it is signed.
type Draft struct {
	Header, Claims       Members
	RawHeader, RawClaims []byte // if set, signed in place of the members
	Now                  time.Time
	Key                  *Key                               // the right one
	Sign                 func(input []byte) ([]byte, error) // default Key.Sign
	Respell              func(encodedClaims string) string  // default: as encoded
}

// Merge merges members over those of the draft.
func (d *Draft) Merge(header, claims Members) {
	Merge(d.Header, header, d.Now)
	Merge(d.Claims, claims, d.Now)
}

// JWS signs the draft and returns its compact serialisation (RFC 7515 §7.1).
func (d *Draft) JWS() (string, error) {
	header, err := bytesOf(d.RawHeader, d.Header)
	if err != nil {
		return "", err
	}
	claims, err := bytesOf(d.RawClaims, d.Claims)
	if err != nil {
		return "", err
	}
	encoded := jose.Encode(claims)
	if d.Respell != nil {
		encoded = d.Respell(encoded)
	}
	sign := d.Sign
	if sign == nil {
		sign = d.Key.Sign
	}
	input := jose.Encode(header) + "." + encoded
	signature, err := sign([]byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + jose.Encode(signature), nil
}

func bytesOf(raw []byte, members Members) ([]byte, error) {
	if raw != nil {
		return raw, nil
	}
	return JSON(members)
}
