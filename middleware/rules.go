package middleware

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// pass is one request on its way to a decision.
type pass struct {
	ctx    context.Context
	guard  *Guard
	policy *compiled
	r      *Request
	now    time.Time

	scheme string
	raw    string
	digest *[sha256.Size]byte // of raw; nil until it is needed
	token  *validate.Token
	facts  *facts.Facts
	issuer *Issuer
}

// rule is one named check of a request whose token was validated. Decide stops
// at the first refusal, Explain runs all.
type rule struct {
	name   string
	codes  []validate.Code
	source string
	check  func(*pass) error
	show   func(*pass) (expected, found string)
}

// requestRules read the request before any token is looked at.
var requestRules = []rule{
	{"early-data", []validate.Code{validate.ErrTooEarly}, "RFC 8470 §5.2", checkEarly, nil}, // [TR-20]
	{"credential", []validate.Code{validate.ErrTokenMissing, validate.ErrRequestMalformed, validate.ErrTokenRepeated, validate.ErrTokenTooLong, validate.ErrTokenMalformed}, "RFC 6750 §2.1, RFC 9110 §11.4", checkCredential, nil},
}

// routeRules come after the token was found valid, in the order in which a
// client can act on them: token, binding, step-up, client kind, scope, own
// check.
var routeRules = []rule{
	{"still-valid", []validate.Code{validate.ErrExpired, validate.ErrNotYetValid}, "RFC 7519 §4.1.4", checkTimes, nil}, // [CA-02 TR-18]
	{"route-issuer", []validate.Code{validate.ErrIssuerRefused}, "RFC 8725 §3.8", checkRouteIssuer, nil},
	{"route-profile", []validate.Code{validate.ErrProfileRefused}, "RFC 9068 §4", checkProfile, nil},
	{"route-audience", []validate.Code{validate.ErrRouteAudienceRefused}, "RFC 9700 §2.3", checkRouteAudience, showRouteAudience}, // [AZ-10]
	{"route-scheme", []validate.Code{validate.ErrSchemeRefused}, "RFC 9110 §11.1", checkScheme, nil},
	{"binding", []validate.Code{validate.ErrConfirmationUnproven}, "RFC 9449 §7.2, RFC 8705 §3", checkBinding, nil}, // [CL-21]
	{"authentication", []validate.Code{validate.ErrAuthenticationImpossible, validate.ErrAuthenticationContext, validate.ErrAuthenticationAge}, "RFC 9470 §3", checkAuthentication, showAuthentication},
	{"user", []validate.Code{validate.ErrUserRequired}, "RFC 9700 §4.15", checkUser, nil},                 // [CL-17]
	{"delegation", []validate.Code{validate.ErrDelegationRefused}, "RFC 8693 §4.1", checkDelegation, nil}, // [CL-26]
	{"route-scope", []validate.Code{validate.ErrScopeMissing}, "RFC 6750 §3.1", checkScopes, showScopes},  // [AZ-01]
	{"route-check", []validate.Code{validate.ErrCheckRefused}, "project", checkOwn, nil},
}

func checkEarly(p *pass) error {
	if p.r.early() {
		return refuse(validate.ErrTooEarly)
	}
	return nil
}

func checkCredential(p *pass) (err error) {
	p.scheme, p.raw, err = credential(p.r.header())
	return err
}

// checkRouteIssuer matters to nested guards: routing has refused the token of
// another issuer otherwise.
func checkRouteIssuer(p *pass) error {
	if !slices.Contains(p.policy.accepted, p.issuer) {
		return &validate.Error{Code: validate.ErrIssuerRefused, Claim: "iss"}
	}
	return nil
}

func checkTimes(p *pass) error {
	if p.facts.Sealed {
		return p.token.ValidAt(p.now, p.issuer.Leeway)
	}
	known := validate.Token{ExpiresAt: p.facts.ExpiresAt, NotBefore: p.facts.NotBefore}
	return known.ValidAt(p.now, p.issuer.Leeway)
}

func checkProfile(p *pass) error {
	if p.policy.policy.Profile == validate.RFC9068 && (p.facts.Strict != "" || !p.facts.Sealed) {
		return &validate.Error{Code: validate.ErrProfileRefused, Err: validate.Code(p.facts.Strict)}
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

// checkBinding refuses every bound token: this guard has no means to check a
// proof, and a bound token without one is a stolen token.
func checkBinding(p *pass) error {
	if p.facts.Bound {
		return &validate.Error{Code: validate.ErrConfirmationUnproven, Claim: "cnf"}
	}
	return nil
}

// checkAuthentication is RFC 9470: a missing acr or auth_time does not satisfy
// the route, and a client cannot satisfy it at all.
func checkAuthentication(p *pass) error {
	if !p.policy.stepUp {
		return nil
	}
	if p.facts.Client { // [AZ-18]
		return refuse(validate.ErrAuthenticationImpossible)
	}
	want := &p.policy.policy
	if len(want.ACR) > 0 && !slices.Contains(want.ACR, p.facts.ACR) { // [AZ-16]
		return p.stepUp(validate.ErrAuthenticationContext, "acr")
	}
	if want.MaxAge > 0 && !p.recent(want.MaxAge) { // [AZ-16]
		return p.stepUp(validate.ErrAuthenticationAge, "auth_time")
	}
	return nil
}

func (p *pass) recent(age time.Duration) bool {
	at := p.facts.AuthTime
	return !at.IsZero() && !p.now.After(at.Add(age).Add(p.issuer.Leeway))
}

// stepUp names the scopes as well if they are missing too, so that the client
// asks once.
func (p *pass) stepUp(code validate.Code, claim string) error {
	err := error(&validate.Error{Code: code, Claim: claim})
	if checkScopes(p) != nil { // [AZ-15]
		return withScope{err}
	}
	return err
}

func showAuthentication(p *pass) (expected, found string) {
	if !p.policy.stepUp {
		return "any", ""
	}
	expected = strings.TrimSpace("acr " + p.policy.acr + " max_age " + p.policy.maxAge)
	found = "acr " + p.facts.ACR
	if !p.facts.AuthTime.IsZero() {
		found += " auth_time " + p.facts.AuthTime.UTC().Format(time.RFC3339)
	}
	return expected, found
}

func checkUser(p *pass) error {
	if p.policy.policy.UserOnly && p.facts.Client {
		return refuse(validate.ErrUserRequired)
	}
	return nil
}

func checkDelegation(p *pass) error {
	if p.policy.policy.NoDelegation && p.facts.Delegated {
		return &validate.Error{Code: validate.ErrDelegationRefused, Claim: "act"}
	}
	return nil
}

func checkScopes(p *pass) error {
	want := &p.policy.policy
	for _, need := range want.AllScopes {
		if !p.covers(need) {
			return &validate.Error{Code: validate.ErrScopeMissing, Claim: "scope"}
		}
	}
	if len(want.AnyScope) == 0 {
		return nil
	}
	for _, need := range want.AnyScope {
		if p.covers(need) { // [AZ-06]
			return nil
		}
	}
	return &validate.Error{Code: validate.ErrScopeMissing, Claim: "scope"}
}

// covers compares scopes whole and case-sensitively (RFC 6749 §3.3).
func (p *pass) covers(need string) bool {
	implies := p.policy.policy.Implies
	for rest := p.facts.Scope; rest != ""; {
		var have string
		have, rest, _ = strings.Cut(rest, " ")
		if have == need || (implies != nil && have != "" && implies(have, need)) { // [AZ-02 AZ-07]
			return true
		}
	}
	return false
}

func showScopes(p *pass) (expected, found string) {
	want := &p.policy.policy
	expected = strings.Join(want.AllScopes, " ")
	if len(want.AnyScope) > 0 {
		expected = strings.TrimSpace(expected + " one of " + strings.Join(want.AnyScope, " "))
	}
	if expected == "" {
		expected = "any"
	}
	return expected, p.facts.Scope
}

// checkOwn asks the route's own condition. Its error is a policy decision
// unless its code blames a service or a defect.
func checkOwn(p *pass) error {
	check := p.policy.policy.Check
	if check == nil {
		return nil
	}
	err := check(p.ctx, p.token)
	if err == nil {
		return nil
	}
	var code validate.Code
	var coded *validate.Error
	if errors.As(err, &coded) {
		code = coded.Code
	} else {
		errors.As(err, &code)
	}
	switch code.Class() {
	case validate.Unavailable:
		return err
	case validate.Internal:
		if code != "" {
			return err
		}
	}
	return &validate.Error{Code: validate.ErrCheckRefused, Err: err}
}
