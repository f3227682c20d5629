package middleware

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/validate"
)

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
	if len(want.ACR) > 0 && !slices.Contains(want.ACR, p.facts.ACR()) { // [AZ-16]
		return p.stepUp(validate.ErrAuthenticationContext, "acr")
	}
	if want.MaxAge > 0 && !p.recent(want.MaxAge) { // [AZ-16]
		return p.stepUp(validate.ErrAuthenticationAge, "auth_time")
	}
	return nil
}

func (p *pass) recent(age time.Duration) bool {
	at := p.facts.AuthTime()
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
	found = "acr " + p.facts.ACR()
	if !p.facts.AuthTime().IsZero() {
		found += " auth_time " + p.facts.AuthTime().UTC().Format(time.RFC3339)
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
	for rest := p.facts.Scope(); rest != ""; {
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
	return expected, p.facts.Scope()
}

// fixScopes names the claim in which a token without scopes seems to have them.
func fixScopes(p *pass) string {
	var claims struct {
		Scp         any `json:"scp"`
		Scopes      any `json:"scopes"`
		Permissions any `json:"permissions"`
	}
	if p.facts.Scope() != "" || p.token.Claims(&claims) != nil {
		return ""
	}
	for _, c := range []struct {
		name  string
		value any
	}{{"scp", claims.Scp}, {"scopes", claims.Scopes}, {"permissions", claims.Permissions}} {
		switch v := c.value.(type) {
		case string:
			return "the token has its scopes in " + c.name + ": set the issuer's scope_claim: {name: " + c.name + "} (ScopeClaim), or its preset"
		case []any:
			if len(v) > 0 {
				return "the token has its scopes in " + c.name + ": set the issuer's scope_claim: {name: " + c.name + ", type: array} (ScopeClaim), or its preset"
			}
		}
	}
	return ""
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
