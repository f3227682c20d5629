package validate

import (
	"context"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/printable"
)

// Explain runs the rules of the token's issuer to their end. If the issuer is
// unknown and only one is configured, that one's rules show the difference.
func (i *Issuers) Explain(ctx context.Context, raw string) ([]Finding, *Token) {
	s := state{ctx: ctx, raw: raw}
	findings := s.explain(nil, shape)
	if n := failedAt(findings); n >= 0 && findings[n].Code == ErrNotJWT {
		if leaf, refusal := i.routeOpaque(raw, nil); leaf != nil || refusal != nil {
			return explainOpaque(ctx, raw, leaf, refusal, findings[:1:1])
		}
		findings[n].Fix = i.opaqueFix(findings[n].Fix)
	}
	claimed := ""
	if s.token != nil {
		claimed = s.token.Issuer
	}
	leaf, refusal := i.route(claimed)
	if refusal != nil {
		if j := i.single(claimed); j != nil { // its first rule refuses the issuer
			return j.explain(&s, findings)
		}
		return i.explainForeign(&s, nil, refusal, findings)
	}
	if j, ok := leaf.JWT.(*JWT); ok {
		return j.explain(&s, findings)
	}
	return i.explainForeign(&s, leaf, nil, findings)
}

// single returns the rules of the only issuer, if there is one and the token
// does not name it.
func (i *Issuers) single(claimed string) *JWT {
	if len(i.leaves) != 1 || i.byURL[claimed] != nil {
		return nil
	}
	j, _ := i.leaves[0].JWT.(*JWT)
	return j
}

// failedAt returns the index of the first failure, -1 if there is none.
func failedAt(findings []Finding) int {
	return slices.IndexFunc(findings, func(f Finding) bool { return f.Status == Failed })
}

func (i *Issuers) explainForeign(s *state, leaf *Leaf, refusal *Error, findings []Finding) ([]Finding, *Token) {
	line := Finding{Rule: "issuer", Status: Passed, Source: "RFC 9068 §4", Expected: "a configured issuer"}
	if s.token == nil {
		line.Status = NotReached
		return append(findings, line), nil
	}
	line.Found, line.Unverified = printable.Text(s.token.Issuer), true
	if refusal != nil {
		line.Status, line.Code, line.Fix = Failed, refusal.Code, i.fix(s, refusal.Code)
		return append(findings, line), nil
	}
	return ask("verifier", append(findings, line), func() (*Token, error) { return foreign(leaf, s) })
}

// fix names the trap that one of the configured presets knows for an issuer
// that is not configured: one on the same host, or one that the trap names.
func (i *Issuers) fix(s *state, code Code) string {
	for _, l := range i.leaves {
		j, ok := l.JWT.(*JWT)
		if !ok {
			continue
		}
		s.issuer = j
		t := s.trap("issuer")
		if t != nil && (len(t.Sign.Values) > 0 || t.Sign.Prefix != "" || host(l.Issuer) == host(s.token.Issuer)) {
			return t.Fix
		}
	}
	return code.Fix()
}

// host is that of an issuer's URL, "" if it has none.
func host(issuer string) string {
	_, rest, _ := strings.Cut(issuer, "://")
	before, _, _ := strings.Cut(rest, "/")
	return before
}

// explainOpaque says where an opaque token belongs and what is said there. Of
// the rules before, only that of its size is about it.
func explainOpaque(ctx context.Context, raw string, leaf *Leaf, refusal *Error, findings []Finding) ([]Finding, *Token) {
	line := Finding{Rule: "form", Status: Passed, Source: "RFC 6749 §1.4", Found: "opaque"}
	if refusal != nil {
		line.Status, line.Code, line.Fix = Failed, refusal.Code, refusal.Code.Fix()
		return append(findings, line), nil
	}
	line.Expected = "a token of " + printable.Text(leaf.Issuer)
	findings = append(findings, line)
	if v, ok := leaf.Opaque.(Explainer); ok {
		answered, token := v.Explain(ctx, raw)
		return append(findings, answered...), token
	}
	return ask("verifier", findings, func() (*Token, error) { return leaf.ask(ctx, raw) })
}

// opaqueFix names the fix of the presets for an opaque token where JWTs are
// expected.
func (i *Issuers) opaqueFix(fix string) string {
	for _, l := range i.leaves {
		if j, ok := l.JWT.(*JWT); ok {
			s := state{issuer: j}
			if t := s.trap("compact"); t != nil {
				return t.Fix
			}
		}
	}
	return fix
}

// ask is the line of a verifier that does not explain itself.
func ask(rule string, findings []Finding, verify func() (*Token, error)) ([]Finding, *Token) {
	line := Finding{Rule: rule, Status: Passed, Source: "project"}
	t, err := verify()
	if err != nil {
		line.Status, line.Code = Failed, CodeOf(err)
		line.Fix = line.Code.Fix()
		t = nil
	}
	return append(findings, line), t
}
