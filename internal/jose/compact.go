package jose

import (
	"errors"
	"strings"
)

// MaxHeader is the largest decoded JOSE header that is read, in bytes.
const MaxHeader = 8 << 10

// ErrParts says that the input is not three parts joined by dots.
var ErrParts = errors.New("not three parts")

// Compact is a JWS in compact serialisation (RFC 7515 §7.1), split but not
// decoded. The parts share the memory of the input.
type Compact struct {
	Header, Payload, Signature string
	Input                      string // what the signature covers
}

// Split cuts s at its dots and refuses every byte that base64url does not have:
// padding, white space and line breaks among them (RFC 8725 §3.14). Exactly three
// parts are accepted; the last may be empty, so that an unsigned token is refused
// for its algorithm.
func Split(s string) (Compact, error) {
	c, err := cut(s)
	if err != nil || !spelled(c.Header) || !spelled(c.Payload) || !spelled(c.Signature) {
		return Compact{}, wrong(s)
	}
	return c, nil
}

func cut(s string) (Compact, error) {
	first := strings.IndexByte(s, '.')
	if first <= 0 { // [JO-14]
		return Compact{}, ErrParts
	}
	second := strings.IndexByte(s[first+1:], '.') + first + 1
	if second <= first+1 || strings.IndexByte(s[second+1:], '.') >= 0 { // [JO-14]
		return Compact{}, ErrParts
	}
	return Compact{
		Header:    s[:first],
		Payload:   s[first+1 : second],
		Signature: s[second+1:],
		Input:     s[:second],
	}, nil
}

// wrong tells what is wrong first with what is no three parts of base64url.
func wrong(s string) error {
	dots := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '.':
			if dots++; dots > 2 { // [JO-14]
				return ErrParts
			}
		case sextets[s[i]] == foreign: // [JO-15]
			return ErrAlphabet
		}
	}
	return ErrParts
}

// Opened is a JWS in compact serialisation, of which everything but the header is
// decoded.
type Opened struct {
	Header    string // as received
	Input     string // what the signature covers, as received
	Payload   string
	Signature []byte

	PayloadErr   error // ErrEncoding: base64url, but not in its one spelling
	SignatureErr error // the same, or ErrSignature: longer than any
}

// Open is Split that decodes the payload and the signature on the way, into the
// memory given if that has room: what they need of it is gone when it is used
// again.
func Open(s string, payload, signature []byte) (o Opened, err error) {
	c, err := cut(s)
	if err == nil && spelled(c.Header) {
		o.Header, o.Input = c.Header, c.Input
		o.Payload, o.PayloadErr = DecodeInto(payload, c.Payload)
		o.Signature, o.SignatureErr = decodeSignature(signature, c.Signature)
		if !errors.Is(o.PayloadErr, ErrAlphabet) && !errors.Is(o.SignatureErr, ErrAlphabet) {
			return o, nil
		}
	}
	return Opened{}, wrong(s)
}

func decodeSignature(buf []byte, part string) ([]byte, error) {
	switch {
	case decodedLen(len(part)) <= maxSignature:
		return decodeInto(buf, part)
	case spelled(part):
		return nil, ErrSignature
	}
	return nil, ErrAlphabet
}
