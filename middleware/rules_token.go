package middleware

import (
	"slices"
	"strings"

	"github.com/bearward/bearward/validate"
)

func checkEarly(p *pass) error {
	if p.r.early() {
		return refuse(validate.ErrTooEarly)
	}
	return nil
}

func checkCredential(p *pass) (err error) {
	p.scheme, p.raw, err = p.guard.credential(p.r)
	return err
}

// checkRouteIssuer matters to nested guards: routing has refused the token of
// another issuer otherwise.
func checkRouteIssuer(p *pass) error {
	if accepted := p.policy.accepted; accepted != nil && !accepted[p.issuer] {
		return &validate.Error{Code: validate.ErrIssuerRefused, Claim: "iss"}
	}
	return nil
}

func checkTimes(p *pass) error {
	if p.facts.Sealed() {
		return p.token.ValidAt(p.now, p.issuer.Leeway)
	}
	known := validate.Token{ExpiresAt: p.facts.ExpiresAt(), NotBefore: p.facts.NotBefore()}
	return known.ValidAt(p.now, p.issuer.Leeway)
}

func checkProfile(p *pass) error {
	if p.policy.policy.Profile == validate.RFC9068 && (p.facts.Strict() != "" || !p.facts.Sealed()) {
		return &validate.Error{Code: validate.ErrProfileRefused, Err: validate.Code(p.facts.Strict())}
	}
	return nil
}

func checkRouteAudience(p *pass) error {
	if !p.policy.narrowed {
		return nil
	}
	for _, aud := range p.facts.Audience {
		if slices.Contains(p.policy.policy.Audience, aud) {
			return nil
		}
	}
	return &validate.Error{Code: validate.ErrRouteAudienceRefused, Claim: "aud"}
}

func showRouteAudience(p *pass) (expected, found string) {
	if !p.policy.narrowed {
		return "any", ""
	}
	return "one of " + strings.Join(p.policy.policy.Audience, " "), strings.Join(p.facts.Audience, " ")
}

func checkScheme(p *pass) error {
	schemes := p.policy.policy.Schemes
	if len(schemes) == 0 {
		return nil
	}
	for _, s := range schemes {
		if strings.EqualFold(s, p.scheme) {
			return nil
		}
	}
	return refuse(validate.ErrSchemeRefused)
}
