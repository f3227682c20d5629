package validate

import (
	"errors"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/jose"
)

func checkSize(s *state) *Error {
	if len(s.raw) > MaxToken { // [TR-15 JO-31]
		return refuse(ErrTokenTooLong)
	}
	return nil
}

func showSize(s *state) (expected, found string) {
	return "at most " + strconv.Itoa(MaxToken) + " bytes", strconv.Itoa(len(s.raw)) + " bytes"
}

// checkCompact tells a token that is not for us to read from bytes that no
// token has.
func checkCompact(s *state) *Error {
	var err error
	if s.parts, err = jose.Open(s.raw, nil, s.signature[:]); err == nil {
		return nil
	}
	if !isToken68(s.raw) { // [TR-04]
		return refuse(ErrTokenMalformed)
	}
	return refuseFor(ErrNotJWT, err)
}

func checkHeader(s *state) *Error {
	if s.recallHeader() {
		return nil
	}
	if !strings.HasPrefix(s.parts.Header, "ey") && !looksLikeObject(s.parts.Header) {
		return refuse(ErrNotJWT)
	}
	var err error
	if s.header, err = jose.ParseHeader(s.parts.Header); err != nil { // [JO-16 JO-17 JO-18 JO-23 CL-23]
		return refuseFor(ErrHeaderInvalid, err)
	}
	return nil
}

// looksLikeObject tells an opaque token with two dots from a JWT whose header
// starts unusually, with a space for example.
func looksLikeObject(part string) bool {
	raw, err := jose.Decode(part)
	return err == nil && strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{")
}

var errNotUnderstood = errors.New("no critical extension is understood")

func checkCritical(s *state) *Error {
	if s.header.Critical {
		return refuseFor(ErrCriticalHeader, errNotUnderstood)
	}
	return nil
}

func checkClaims(s *state) *Error { return s.decodeClaims() }

// isToken68 reports whether s is a token68 (RFC 9110 §11.2), the grammar of a
// bearer token: letters, digits and -._~+/, then padding at the end only.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	if body == "" {
		return false
	}
	for i := 0; i < len(body); i++ {
		if !token68[body[i]] {
			return false
		}
	}
	return true
}

var token68 = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/" {
		set[c] = true
	}
	return set
}()
