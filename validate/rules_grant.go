package validate

import (
	"strings"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

// checkScope reads the issuer's scope claim. Absent is the empty set; another
// type than configured is refused, and nothing is merged.
func checkScope(s *state) *Error {
	claim := s.issuer.config.ScopeClaim
	raw := s.claims.scope
	if claim.Name != "scope" {
		raw = s.claim(claim.Name)
	}
	if raw == "" {
		return nil
	}
	scopes, ok := s.readScope(raw, claim.Array)
	if !ok { // [AZ-03 CL-23]
		return refuseClaim(ErrClaimsInvalid, claim.Name)
	}
	s.claims.scopes = scopes
	return nil
}

// readScope returns the scopes joined by spaces.
func (s *state) readScope(raw string, array bool) (string, bool) {
	if !array {
		scopes, ok := text(raw)
		return scopes, ok && scopeText(scopes)
	}
	r := strictjson.Open(`{"":` + raw + `}`)
	r.Next()
	list := r.Texts()
	if r.Err() != nil {
		return "", false
	}
	for _, scope := range list {
		if !ScopeToken(scope) {
			return "", false
		}
	}
	return strings.Join(list, " "), true
}

// ScopeToken reports whether s is one scope-token of RFC 6749 §3.3.
func ScopeToken(s string) bool { return s != "" && strings.IndexByte(s, ' ') < 0 && scopeText(s) }

func scopeText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			return false
		}
	}
	return true
}

// checkConfirmation makes every cnf count: an object whose members are all
// understood, or the token is refused. RFC 7800 would let unknown ones be
// ignored, which turns a bound token into a bearer token.
func checkConfirmation(s *state) *Error {
	raw := s.claims.confirmation
	if raw == "" {
		return nil
	}
	r := strictjson.Open(raw)
	cnf := &s.token.Confirmation
	members := 0
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		members++
		switch name {
		case "jkt":
			cnf.KeyThumbprint = r.Text()
		case "x5t#S256":
			cnf.CertificateThumbprint = r.Text()
		default:
			return refuseClaim(ErrConfirmationInvalid, "cnf")
		}
	}
	if r.Err() != nil || members == 0 || cnf.fill(&s.token.made.facts) != members {
		return refuseClaim(ErrConfirmationInvalid, "cnf")
	}
	return nil
}

// thumbprint decodes a SHA-256 value in base64url.
func thumbprint(s string) (sum [32]byte, ok bool) {
	raw, err := jose.Decode(s)
	return [32]byte(append(raw, sum[:]...)), err == nil && len(raw) == len(sum)
}

// checkActor reads act: who acts now, and the history inside of it. Other
// members of act mean nothing here (RFC 8693 §4.1).
func checkActor(s *state) *Error {
	if s.claims.actor == "" {
		return nil
	}
	actor, ok := readActor(s.claims.actor)
	if !ok {
		return refuseClaim(ErrClaimsInvalid, "act")
	}
	s.token.Actor = actor
	return nil
}

func readActor(raw string) (*Actor, bool) {
	r := strictjson.Open(raw)
	actor, inner := &Actor{}, ""
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "iss":
			actor.Issuer = r.Text()
		case "sub":
			actor.Subject = r.Text()
		case "client_id":
			actor.ClientID = r.Text()
		case "act":
			inner = r.Object()
		}
	}
	if r.Err() != nil {
		return nil, false
	}
	if inner != "" {
		var ok bool
		if actor.Actor, ok = readActor(inner); !ok {
			return nil, false
		}
	}
	return actor, true
}
