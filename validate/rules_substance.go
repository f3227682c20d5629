package validate

import (
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

func checkAlgorithm(s *state) *Error {
	if !slices.Contains(s.issuer.config.Algorithms, jose.Canonical(s.header.Algorithm)) {
		return refuseClaim(ErrAlgorithmRefused, "alg")
	}
	return nil
}

// checkType compares typ as a media type: without case, and a value without a
// slash stands for application/value (RFC 7515 §4.1.9).
func checkType(s *state) *Error {
	switch mediaType(s.header.Type) {
	case "application/at+jwt":
		return nil
	case "application/jwt", "":
		if s.header.HasType && s.header.Type == "" {
			break
		}
		return s.deviates(ErrTypeRefused, "typ")
	}
	return refuseClaim(ErrTypeRefused, "typ")
}

func mediaType(typ string) string {
	if typ == "at+jwt" {
		return "application/at+jwt"
	}
	typ = strings.ToLower(typ)
	if typ == "" || strings.Contains(typ, "/") {
		return typ
	}
	return "application/" + typ
}

func checkIssuer(s *state) *Error {
	if s.token.Issuer == "" {
		return refuseClaim(ErrClaimMissing, "iss")
	}
	c := &s.issuer.config
	if s.token.Issuer == c.Issuer {
		return nil
	}
	if c.tenant != (template{}) {
		if _, ok := c.tenant.tenant(s.token.Issuer); ok {
			return nil
		}
	}
	if as := c.habits.IssuerSpellings[s.token.Issuer]; as != "" && as == c.Issuer {
		s.token.Issuer = as // one principal, not two
		return nil
	}
	return refuseClaim(ErrIssuerUnknown, "iss")
}

func checkExpiry(s *state) *Error {
	if !s.claims.hasExpiry {
		return refuseClaim(ErrClaimMissing, "exp")
	}
	if expired(s.token.ExpiresAt, s.now, s.issuer.config.Leeway) {
		return refuseClaim(ErrExpired, "exp")
	}
	return nil
}

func checkNotBefore(s *state) *Error {
	if inFuture(s.token.NotBefore, s.now, s.issuer.config.Leeway) {
		return refuseClaim(ErrNotYetValid, "nbf")
	}
	return nil
}

func checkIssuedAt(s *state) *Error {
	if !s.claims.hasIssuedAt { // [CL-18]
		return s.deviates(ErrClaimMissing, "iat")
	}
	if inFuture(s.token.IssuedAt, s.now, s.issuer.config.Leeway) { // [CL-14]
		return refuseClaim(ErrIssuedInFuture, "iat")
	}
	return nil
}

func checkLifetime(s *state) *Error {
	ceiling := s.issuer.config.MaxLifetime
	if ceiling == 0 {
		return nil
	}
	if !s.claims.hasIssuedAt {
		return refuseClaim(ErrClaimMissing, "iat")
	}
	if s.token.ExpiresAt.Sub(s.token.IssuedAt) > ceiling {
		return refuseClaim(ErrLifetimeTooLong, "exp")
	}
	return nil
}

func checkAudience(s *state) *Error {
	if !s.claims.hasAudience {
		if s.issuer.config.habits.ClientsForAud && len(s.issuer.config.ClientIDs) > 0 {
			return nil // checkClient looks for the substitute
		}
		return refuseClaim(ErrClaimMissing, "aud")
	}
	for _, have := range s.token.Audience {
		if slices.Contains(s.issuer.config.Audience, have) { // [CL-11]
			return nil
		}
	}
	return refuseClaim(ErrAudienceRefused, "aud")
}

func expired(exp, now time.Time, leeway time.Duration) bool { return !now.Before(exp.Add(leeway)) }

func inFuture(t, now time.Time, leeway time.Duration) bool {
	return !t.IsZero() && t.After(now.Add(leeway))
}

func checkSubject(s *state) *Error {
	if s.token.Subject == "" {
		return refuseClaim(ErrClaimMissing, "sub")
	}
	return nil
}

func checkClient(s *state) *Error {
	if err := s.findClient(); err != nil {
		return err
	}
	accepted := s.issuer.config.ClientIDs
	if len(accepted) > 0 && !slices.Contains(accepted, s.token.ClientID) { // [CL-10]
		return refuseClaim(ErrClientRefused, "client_id")
	}
	return nil
}

func (s *state) findClient() *Error {
	s.token.ClientID = s.claims.clientID
	if s.token.ClientID != "" {
		return nil
	}
	if err := s.deviates(ErrClaimMissing, "client_id"); err != nil || s.claims.vendorClient == "" {
		return err
	}
	id, ok := text(s.claims.vendorClient)
	if !ok || s.claims.vendorConflict { // [CL-23]
		return refuseClaim(ErrClaimsInvalid, "azp")
	}
	s.token.ClientID = id
	return nil
}

func checkTokenID(s *state) *Error {
	if s.token.ID == "" {
		return s.deviates(ErrClaimMissing, "jti")
	}
	return nil
}

// checkKind refuses what carries the marks of another kind of JWT. Tokens with
// typ at+jwt have said what they are.
func checkKind(s *state) *Error {
	c := &s.claims
	c.boundType = c.payloadType == `"DPoP"` // also where cnf got lost [CL-21]
	if s.issuer.strict {
		return nil
	}
	if c.marker != "" && (!s.issuer.config.habits.IDToken || !strings.HasSuffix(c.marker, "_hash")) {
		return refuseClaim(ErrKindRefused, c.marker)
	}
	if c.tokenUse != "" && c.tokenUse != `"access"` && c.tokenUse != `"access_token"` {
		return refuseClaim(ErrKindRefused, "token_use")
	}
	if c.payloadType != "" && c.payloadType != `"Bearer"` && c.payloadType != `"DPoP"` {
		return refuseClaim(ErrKindRefused, "typ")
	}
	return nil
}
