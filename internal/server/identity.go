package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/bearward/bearward/validate"
)

// identity is what the upstream is told of a token, in a fixed order.
type identity []identityHeader

type identityHeader struct{ header, claim string }

func identityOf(headers map[string]string) identity {
	out := make(identity, 0, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		out = append(out, identityHeader{http.CanonicalHeaderKey(name), headers[name]})
	}
	return out
}

// known are the claims that a token has as fields.
var known = map[string]func(*validate.Token) (string, bool){
	"sub":       func(t *validate.Token) (string, bool) { return t.Subject, true },
	"client_id": func(t *validate.Token) (string, bool) { return t.ClientID, true },
	"scope":     func(t *validate.Token) (string, bool) { return words(t.Scopes) },
	"iss":       func(t *validate.Token) (string, bool) { return t.Issuer, true },
	"jti":       func(t *validate.Token) (string, bool) { return t.ID, true },
	"aud":       func(t *validate.Token) (string, bool) { return words(t.Audience) },
	"acr":       func(t *validate.Token) (string, bool) { return t.ACR, true },
}

// words joins a list by spaces, which no member may then contain.
func words(list []string) (string, bool) {
	return strings.Join(list, " "), !slices.ContainsFunc(list, func(s string) bool { return s == "" || strings.Contains(s, " ") })
}

// check refuses a token whose claims cannot be headers: a part of an identity
// is another identity.
func (id identity) check(_ context.Context, t *validate.Token) error {
	_, err := id.of(t)
	return err
}

// of returns the headers of a token; nil has none. A claim that is absent has
// no header.
func (id identity) of(t *validate.Token) (http.Header, error) {
	out := make(http.Header, len(id))
	if t == nil {
		return out, nil
	}
	var claims map[string]any
	for _, h := range id {
		var value string
		var ok bool
		if field := known[h.claim]; field != nil {
			value, ok = field(t)
		} else {
			if claims == nil {
				if err := t.Claims(&claims); err != nil {
					return nil, fmt.Errorf("claims: %w", err)
				}
			}
			var claim any
			if claim, ok = claims[h.claim]; !ok {
				continue
			}
			value, ok = claim.(string)
		}
		if !ok || !isValue(value) { // [PV-05]
			return nil, fmt.Errorf("the claim %q cannot be a header", h.claim)
		}
		if value != "" {
			out[h.header] = []string{value}
		}
	}
	return out, nil
}

// isValue accepts what every server reads back as it was: visible ASCII and
// inner spaces (RFC 9110 §5.5).
func isValue(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return strings.TrimSpace(s) == s
}
