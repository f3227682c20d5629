package jose

import (
	"errors"

	"github.com/bearward/bearward/internal/strictjson"
)

// MaxKeyID is the longest kid that is looked up, in bytes (RFC 8725 §3.10).
const MaxKeyID = 1 << 10

// ErrKeyID says that kid is longer than MaxKeyID.
var ErrKeyID = errors.New("kid is too long")

// Header is what bearward reads of a JOSE header. Members that could point to
// a key (jku, x5u, jwk, x5c) are never read: RFC 8725 §3.10.
type Header struct {
	Algorithm, Type, KeyID string
	HasType, HasKeyID      bool
	Critical               bool // crit or b64 is present
}

// ParseHeader decodes and reads the first part of a compact JWS.
func ParseHeader(part string) (Header, error) {
	if len(part) > MaxHeader*4/3 { // [JO-31]
		return Header{}, strictjson.ErrSyntax
	}
	raw, err := DecodeText(part)
	if err != nil {
		return Header{}, err
	}
	r := strictjson.Open(raw)
	var h Header
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "alg":
			h.Algorithm = r.Text()
		case "typ":
			h.Type, h.HasType = r.Text(), true
		case "kid":
			h.KeyID, h.HasKeyID = r.Text(), true
		case "crit", "b64":
			h.Critical = true
		}
	}
	if err := r.Err(); err != nil {
		return Header{}, err
	}
	if len(h.KeyID) > MaxKeyID { // [JO-23]
		return Header{}, ErrKeyID
	}
	return h, nil
}
