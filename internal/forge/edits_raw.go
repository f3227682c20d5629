package forge

import (
	"bytes"
	"strings"
)

// TrailingHeader puts a second object after the header.
func TrailingHeader(d *Draft) (err error) {
	d.RawHeader, err = wrapped("", d.Header, "{}")
	return err
}

// Trailing puts a second object after the claims.
func Trailing(d *Draft) (err error) {
	d.RawClaims, err = wrapped("", d.Claims, "{}")
	return err
}

// ByteOrderMark puts one before the claims.
func ByteOrderMark(d *Draft) (err error) {
	d.RawClaims, err = wrapped("\ufeff", d.Claims, "")
	return err
}

// ClaimsArray makes the claims the one element of an array.
func ClaimsArray(d *Draft) (err error) {
	d.RawClaims, err = wrapped("[", d.Claims, "]")
	return err
}

func wrapped(before string, object Members, behind string) ([]byte, error) {
	raw, err := JSON(object)
	return append(append([]byte(before), raw...), behind...), err
}

// ClaimsText writes plain text in place of the claims.
func ClaimsText(d *Draft) error {
	d.RawClaims = []byte("not JSON")
	return nil
}

// InvalidUTF8 adds a claim that is not UTF-8.
func InvalidUTF8(d *Draft) (err error) {
	const stand = "~~here~~"
	d.Claims["extra"] = stand
	raw, err := JSON(d.Claims)
	d.RawClaims = bytes.Replace(raw, []byte(stand), []byte{0xff, 0xfe}, 1)
	return err
}

// NonCanonical pads the claims until base64url leaves bits over at their end,
// and sets one of them. The signature covers this spelling.
func NonCanonical(d *Draft) error {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for pad := ""; ; pad += "x" {
		d.Claims["extra"] = pad
		raw, err := JSON(d.Claims)
		if err != nil {
			return err
		}
		if len(raw)%3 != 0 {
			d.RawClaims = raw
			break
		}
	}
	d.Respell = func(part string) string {
		last := len(part) - 1
		at := strings.IndexByte(alphabet, part[last]) | 1
		return part[:last] + alphabet[at:at+1]
	}
	return nil
}

// Letters is text of n bytes.
func Letters(n int) string { return strings.Repeat("x", n) }

// Nested is a value of so many arrays.
func Nested(depth int) any {
	var v any = 1
	for range depth {
		v = []any{v}
	}
	return v
}

// Flip changes the first letter of a part, all of whose bits count.
func Flip(part string) string {
	first := "A"
	if part[0] == 'A' {
		first = "B"
	}
	return first + part[1:]
}
