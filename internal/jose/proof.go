package jose

import "github.com/bearward/bearward/internal/strictjson"

// ProofHeader is what is read of the header of a proof of possession: the one
// kind of JWS that is verified with the key in its own header (RFC 9449 §4.2).
// Other members that could point to a key are never read.
type ProofHeader struct {
	Algorithm, Type string
	JWK             string // as it stands; "" if absent or no object
	Critical        bool   // crit or b64 is present
}

// ParseProofHeader decodes and reads the first part of a proof. What it returns
// may share buf's memory: it is gone when that is used again.
func ParseProofHeader(part string, buf []byte) (ProofHeader, error) {
	if len(part) > MaxHeader*4/3 { // [JO-31]
		return ProofHeader{}, strictjson.ErrSyntax
	}
	raw, err := DecodeInto(buf, part)
	if err != nil {
		return ProofHeader{}, err
	}
	r := strictjson.Open(raw)
	var h ProofHeader
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "alg":
			h.Algorithm = r.Text()
		case "typ":
			h.Type = r.Text()
		case "jwk":
			if h.JWK = r.Raw(); len(h.JWK) > 0 && h.JWK[0] != '{' {
				h.JWK = ""
			}
		case "crit", "b64":
			h.Critical = true
		}
	}
	return h, r.Err()
}
