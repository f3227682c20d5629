package validate

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bearward/bearward/internal/strictjson"
)

// claims is what one pass over the payload found beyond the Token's fields.
// Members whose meaning depends on the issuer are kept as they stand.
type claims struct {
	hasAudience, hasExpiry, hasIssuedAt bool

	scope, confirmation, actor string
	scopes                     string // the issuer's scope claim, space-delimited
	clientID                   string // client_id as text
	vendorClient               string // azp, appid or cid as it stands
	vendorConflict             bool   // they are there and differ
	marker                     string // a claim that only other kinds of JWT have
	tokenUse, payloadType      string // as they stand
	idType, grantType          string // as text
	details                    string // authorization_details as it stands
	tokenType                  string // token_type, as it stands; read in introspection answers only
	boundType                  bool   // token_type or the payload's typ says that the token is bound
}

// decodeClaims reads the second part of the token in one strict pass. Its size
// is bounded by that of the token.
func (s *state) decodeClaims() *Error {
	if err := s.parts.PayloadErr; err != nil {
		return refuseFor(ErrTokenMalformed, err)
	}
	return s.readClaims(s.parts.Payload)
}

// readClaims makes one strict pass over the claims.
func (s *state) readClaims(raw string) *Error {
	t := newToken(raw)
	r := strictjson.Open(raw)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		if !readRegistered(&r, name, t, &s.claims) {
			readOther(&r, name, &s.claims)
		}
	}
	switch err := r.Err(); {
	case errors.Is(err, strictjson.ErrType), errors.Is(err, strictjson.ErrRange):
		return &Error{Code: ErrClaimsInvalid, Claim: r.At(), Err: err}
	case err != nil:
		return refuseFor(ErrClaimsInvalid, err)
	}
	s.token = t
	return nil
}

// readRegistered reads a claim that has one type everywhere.
func readRegistered(r *strictjson.Reader, name string, t *Token, c *claims) bool {
	switch name {
	case "iss":
		t.Issuer = r.Text()
	case "sub":
		t.Subject = r.Text()
	case "aud":
		t.Audience, c.hasAudience = r.TextOrTexts(), true
	case "exp":
		t.ExpiresAt, c.hasExpiry = r.Date(), true
	case "iat":
		t.IssuedAt, c.hasIssuedAt = r.Date(), true
	case "nbf":
		t.NotBefore = r.Date()
	case "auth_time":
		t.AuthTime = r.Date()
	case "jti":
		t.ID = r.Text()
	case "client_id":
		c.clientID = r.Text()
	case "acr":
		t.ACR = r.Text()
	case "sid":
		t.Session = r.Text()
	case "amr":
		t.AMR = r.Texts()
	default:
		return false
	}
	return true
}

// readOther keeps what a later rule may need and passes over the rest: unknown
// claims are ignored (RFC 7519 §4).
func readOther(r *strictjson.Reader, name string, c *claims) {
	switch name {
	case "scope":
		c.scope = r.Raw()
	case "cnf":
		c.confirmation = r.Raw()
	case "authorization_details":
		c.details = r.Raw()
	case "act":
		c.actor = r.Raw()
	case "azp", "appid", "cid":
		c.vendorClients(r.Raw())
	case "token_use":
		c.tokenUse = r.Raw()
	case "token_type":
		c.tokenType = r.Raw()
	case "typ":
		c.payloadType = r.Raw()
	case "idtyp":
		c.idType = r.Text() // [CL-23]
	case "gty":
		c.grantType = r.Text() // [CL-23]
	case "at_hash", "c_hash", "s_hash", "events", "htm", "htu", "token_introspection", "status_list":
		if c.marker == "" || strings.HasSuffix(c.marker, "_hash") { // an ID token's marks count least
			c.marker = name
		}
	}
}

// claim finds any claim by name in a second pass and returns it as it stands,
// "" if absent. Only issuers with a scope claim of their own need it.
func (s *state) claim(want string) string {
	r := strictjson.Open(s.token.claims())
	found := ""
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		if name == want {
			found = r.Raw()
		}
	}
	return found
}

// text reads raw as a JSON string.
func text(raw string) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err == nil
}

// vendorClients takes one of several names for the client. Where they differ,
// nobody knows which is meant.
func (c *claims) vendorClients(raw string) {
	c.vendorConflict = c.vendorConflict || c.vendorClient != "" && c.vendorClient != raw
	c.vendorClient = raw
}
