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

type identityHeader struct {
	header, claim string
	field         field // zero: the claim has none
}

func identityOf(headers map[string]string) identity {
	out := make(identity, 0, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		out = append(out, identityHeader{http.CanonicalHeaderKey(name), headers[name], fields[headers[name]]})
	}
	return out
}

// field is a claim that a token has as a field, text or a list of words.
type field struct {
	text func(*validate.Token) string
	list func(*validate.Token) []string
}

var fields = map[string]field{
	"sub":       {text: func(t *validate.Token) string { return t.Subject }},
	"client_id": {text: func(t *validate.Token) string { return t.ClientID }},
	"scope":     {list: func(t *validate.Token) []string { return t.Scopes }},
	"iss":       {text: func(t *validate.Token) string { return t.Issuer }},
	"jti":       {text: func(t *validate.Token) string { return t.ID }},
	"aud":       {list: func(t *validate.Token) []string { return t.Audience }},
	"acr":       {text: func(t *validate.Token) string { return t.ACR }},
}

// check refuses a token whose claims cannot be headers: a part of an identity
// is another identity.
func (id identity) check(_ context.Context, t *validate.Token) error {
	var claims map[string]any
	for i := range id {
		if err := id[i].fits(t, &claims); err != nil {
			return err
		}
	}
	return nil
}

// of returns the values for a token, in the order of id; nil has none. A claim
// that is absent is empty.
func (id identity) of(t *validate.Token) ([]string, error) {
	values := make([]string, len(id))
	if t == nil {
		return values, nil
	}
	var claims map[string]any
	for i := range id {
		h := &id[i]
		if err := h.fits(t, &claims); err != nil {
			return nil, err
		}
		switch {
		case h.field.text != nil:
			values[i] = h.field.text(t)
		case h.field.list != nil:
			values[i] = strings.Join(h.field.list(t), " ")
		default:
			values[i], _ = claims[h.claim].(string)
		}
	}
	return values, nil
}

// fits refuses a token whose claim is no text, or not what a header can hold.
// claims are all those of the token, once they were needed.
func (h *identityHeader) fits(t *validate.Token, claims *map[string]any) error {
	ok := true
	switch {
	case h.field.text != nil:
		ok = isValue(h.field.text(t))
	case h.field.list != nil: // joined by spaces, which no member may then contain
		ok = !slices.ContainsFunc(h.field.list(t), func(s string) bool { return s == "" || strings.Contains(s, " ") || !isValue(s) })
	default:
		if *claims == nil {
			if err := t.Claims(claims); err != nil {
				return fmt.Errorf("claims: %w", err)
			}
		}
		if claim, present := (*claims)[h.claim]; present {
			text, isText := claim.(string)
			ok = isText && isValue(text)
		}
	}
	if !ok { // [PV-05]
		return fmt.Errorf("the claim %q cannot be a header", h.claim)
	}
	return nil
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
