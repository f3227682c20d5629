package jose

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"unsafe"
)

var (
	// ErrAlphabet says that a byte lies outside of base64url and the dot.
	ErrAlphabet = errors.New("byte outside of the base64url alphabet")
	// ErrEncoding says that a part is not canonical unpadded base64url.
	ErrEncoding = errors.New("not canonical base64url")
)

// Decode decodes unpadded base64url (RFC 4648 §5), in its one spelling: no
// padding, no line breaks, no stray bits.
func Decode(part string) ([]byte, error) { return decodeInto(nil, part) }

// DecodeText is Decode to text.
func DecodeText(part string) (string, error) { return DecodeInto(nil, part) }

// DecodeInto decodes to text that shares buf's memory if that has room: it is
// gone when buf is used again.
func DecodeInto(buf []byte, part string) (string, error) {
	b, err := decodeInto(buf, part)
	return unsafe.String(unsafe.SliceData(b), len(b)), err //nolint:gosec // buf is not written while the text lives
}

func decodeInto(buf []byte, part string) ([]byte, error) {
	n := decodedLen(len(part))
	if n > len(buf) {
		buf = make([]byte, n)
	}
	if err := decode(buf[:n], part); err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// View returns the bytes of s, which must not be written to. A copy for each
// reader that takes bytes would cost more than what it reads them for.
func View(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // its readers do not write

// Encode is unpadded base64url.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// AppendEncode appends unpadded base64url.
func AppendEncode(to, b []byte) []byte { return base64.RawURLEncoding.AppendEncode(to, b) }

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// foreign marks the bytes that the alphabet does not have.
const foreign = 0x80

// sextets holds the six bits of each byte of the alphabet.
var sextets = func() (set [256]byte) {
	for i := range set {
		set[i] = foreign
	}
	for i, c := range []byte(alphabet) {
		set[c] = byte(i)
	}
	return set
}()

func decodedLen(n int) int { return n/4*3 + n%4*6/8 }

// decode fills dst, which has decodedLen bytes. It is written out because the
// library's decoder skips line breaks, so that a second pass had to look for them.
func decode(dst []byte, src string) error {
	var seen byte
	for len(src) >= 8 && len(dst) >= 8 {
		a, b, c, d := sextets[src[0]], sextets[src[1]], sextets[src[2]], sextets[src[3]]
		e, f, g, h := sextets[src[4]], sextets[src[5]], sextets[src[6]], sextets[src[7]]
		seen |= a | b | c | d | e | f | g | h
		high := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		low := uint32(e)<<18 | uint32(f)<<12 | uint32(g)<<6 | uint32(h)
		binary.BigEndian.PutUint64(dst, uint64(high)<<40|uint64(low)<<16)
		src, dst = src[8:], dst[6:]
	}
	for len(src) >= 4 {
		a, b, c, d := sextets[src[0]], sextets[src[1]], sextets[src[2]], sextets[src[3]]
		seen |= a | b | c | d
		dst[0], dst[1], dst[2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
		src, dst = src[4:], dst[3:]
	}
	var stray byte // bits that no byte takes
	switch len(src) {
	case 1:
		seen |= sextets[src[0]]
		stray = 1
	case 2:
		a, b := sextets[src[0]], sextets[src[1]]
		seen |= a | b
		dst[0] = a<<2 | b>>4
		stray = b << 4
	case 3:
		a, b, c := sextets[src[0]], sextets[src[1]], sextets[src[2]]
		seen |= a | b | c
		dst[0], dst[1] = a<<2|b>>4, b<<4|c>>2
		stray = c << 6
	}
	switch {
	case seen&foreign != 0: // [JO-15]
		return ErrAlphabet
	case stray != 0: // [JO-15]
		return ErrEncoding
	}
	return nil
}

// spelled reports that s has bytes of the alphabet only.
func spelled(s string) bool {
	var seen byte
	for len(s) >= 4 {
		seen |= sextets[s[0]] | sextets[s[1]] | sextets[s[2]] | sextets[s[3]]
		s = s[4:]
	}
	for i := range len(s) {
		seen |= sextets[s[i]]
	}
	return seen&foreign == 0
}
