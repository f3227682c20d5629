package middleware

import (
	"strings"

	"github.com/bearward/bearward/validate"
)

// Scheme names as they are written in challenges.
const (
	bearer     = "Bearer"
	dpopScheme = "DPoP"
)

// credential returns the one token of the request and the scheme it came with,
// which is known also where the token cannot be read. Only the Authorization
// field is read: RFC 6750 §2.1, RFC 9449 §7.1.
func (g *Guard) credential(r *Request) (scheme, token string, err error) {
	values := r.values("Authorization")
	switch len(values) {
	case 0:
		return "", "", refuse(validate.ErrTokenMissing)
	case 1:
	default:
		return "", "", refuse(validate.ErrTokenRepeated) // [TR-05 TR-06 GR-02]
	}
	name, rest := values[0], ""
	for i := 0; i < len(name); i++ { // the scheme is short, the token is not
		if name[i] == ' ' || name[i] == '\t' {
			name, rest = name[:i], name[i:]
			break
		}
	}
	switch {
	case strings.EqualFold(name, bearer): // [TR-02]
		scheme = bearer
	case g.config.DPoP != nil && strings.EqualFold(name, dpopScheme): // [TR-02]
		scheme = dpopScheme
	default: // [TR-07]
		return "", "", refuse(validate.ErrTokenMissing)
	}
	token = strings.TrimLeft(rest, " ")
	return scheme, token, checkToken(token)
}

// checkToken finds what is the request's fault: several parts or none. Length
// and characters are the token's, and its rules look at them.
func checkToken(token string) error {
	if token == "" || strings.IndexByte(token, ' ') >= 0 || strings.IndexByte(token, '\t') >= 0 { // [TR-03 ER-05]
		return refuse(validate.ErrRequestMalformed)
	}
	if strings.IndexByte(token, ',') >= 0 { // [TR-06]
		return refuse(validate.ErrTokenRepeated)
	}
	return nil
}

func refuse(code validate.Code) error { return &validate.Error{Code: code} }
