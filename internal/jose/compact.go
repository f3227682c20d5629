package jose

import (
	"encoding/base64"
	"errors"
	"unsafe"
)

// MaxHeader is the largest decoded JOSE header that is read, in bytes.
const MaxHeader = 8 << 10

var (
	// ErrAlphabet says that a byte lies outside of base64url and the dot.
	ErrAlphabet = errors.New("byte outside of the base64url alphabet")
	// ErrParts says that the input is not three parts joined by dots.
	ErrParts = errors.New("not three parts")
	// ErrEncoding says that a part is not canonical unpadded base64url.
	ErrEncoding = errors.New("not canonical base64url")
)

// Compact is a JWS in compact serialisation (RFC 7515 §7.1), split but not
// decoded. The parts share the memory of the input.
type Compact struct {
	Header, Payload, Signature string
	Input                      string // what the signature covers
}

// Split cuts s at its dots in one pass and refuses every byte that base64url
// does not have: padding, white space and line breaks among them (RFC 8725
// §3.14). Exactly three parts are accepted; the last may be empty, so that an
// unsigned token is refused for its algorithm.
func Split(s string) (Compact, error) {
	var dots [2]int
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if base64url[c] {
			continue
		}
		if c != '.' { // [JO-15]
			return Compact{}, ErrAlphabet
		}
		if n == len(dots) { // [JO-14]
			return Compact{}, ErrParts
		}
		dots[n] = i
		n++
	}
	if n != len(dots) || dots[0] == 0 || dots[1] == dots[0]+1 { // [JO-14]
		return Compact{}, ErrParts
	}
	return Compact{
		Header:    s[:dots[0]],
		Payload:   s[dots[0]+1 : dots[1]],
		Signature: s[dots[1]+1:],
		Input:     s[:dots[1]],
	}, nil
}

// Decode decodes one part. Callers have scanned the alphabet with Split:
// Go's decoder skips line breaks even when it is strict.
func Decode(part string) ([]byte, error) {
	b, err := strict.DecodeString(part)
	if err != nil {
		return nil, ErrEncoding
	}
	return b, nil
}

// DecodeText decodes one part to text, with one allocation for what is usual.
func DecodeText(part string) (string, error) {
	var usual [2 << 10]byte
	buf := usual[:]
	if n := strict.DecodedLen(len(part)); n > len(buf) {
		buf = make([]byte, n)
	}
	n, err := strict.Decode(buf, View(part))
	if err != nil {
		return "", ErrEncoding
	}
	return string(buf[:n]), nil
}

// DecodeInto decodes one part to text that shares buf's memory if that has room:
// it is gone when buf is used again.
func DecodeInto(buf []byte, part string) (string, error) {
	n := strict.DecodedLen(len(part))
	if n > len(buf) {
		return DecodeText(part)
	}
	if _, err := strict.Decode(buf[:n], View(part)); err != nil {
		return "", ErrEncoding
	}
	return unsafe.String(unsafe.SliceData(buf), n), nil //nolint:gosec // buf is not written while the text lives
}

// DecodeAlone decodes base64url that did not come through Split.
func DecodeAlone(part string) ([]byte, error) {
	for i := 0; i < len(part); i++ {
		if !base64url[part[i]] {
			return nil, ErrAlphabet
		}
	}
	return Decode(part)
}

// View returns the bytes of s, which must not be written to. A copy for each
// reader that takes bytes would cost more than what it reads them for.
func View(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // its readers do not write

// Encode is unpadded base64url.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// AppendEncode appends unpadded base64url.
func AppendEncode(to, b []byte) []byte { return base64.RawURLEncoding.AppendEncode(to, b) }

var strict = base64.RawURLEncoding.Strict()

// base64url marks the bytes of the alphabet of RFC 4648 §5.
var base64url = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		set[c] = true
	}
	return set
}()
