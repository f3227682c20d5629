package validate

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/bearward/bearward/internal/printable"
)

// Issuers routes a token to the one issuer that it names. The unverified iss
// only selects from this fixed list: an issuer that is not in it costs no
// network traffic (RFC 8725 §3.8, §3.10). It is a Verifier.
type Issuers struct {
	byURL   map[string]Verifier
	refused map[string]bool // configured, but not accepted here
}

// NewIssuers takes a verifier for each issuer identifier.
func NewIssuers(byURL map[string]Verifier) (*Issuers, error) {
	if len(byURL) == 0 {
		return nil, errors.New("no issuer is configured")
	}
	var faults []error
	for url, v := range byURL {
		if url == "" || v == nil {
			faults = append(faults, fmt.Errorf("issuer %q has no name or no verifier", url))
		}
	}
	return &Issuers{byURL: maps.Clone(byURL)}, errors.Join(faults...)
}

// Only returns a router that accepts fewer issuers. Every url must be one of
// this router's.
func (i *Issuers) Only(urls ...string) (*Issuers, error) {
	only := &Issuers{byURL: map[string]Verifier{}, refused: map[string]bool{}}
	for url := range i.byURL {
		only.refused[url] = true
	}
	for _, url := range urls {
		v, ok := i.byURL[url]
		if !ok {
			return nil, fmt.Errorf("issuer %q is not configured", url)
		}
		only.byURL[url] = v
		delete(only.refused, url)
	}
	return only, nil
}

// Verify asks the verifier of the token's own issuer.
func (i *Issuers) Verify(ctx context.Context, raw string) (*Token, error) {
	s := state{ctx: ctx, raw: raw}
	if refusal := s.run(shape); refusal != nil {
		return nil, refusal
	}
	v, refusal := i.route(s.token.Issuer)
	if refusal != nil {
		return nil, refusal
	}
	if j, ok := v.(*JWT); ok {
		return j.judge(&s)
	}
	return i.foreign(v, &s)
}

func (i *Issuers) route(issuer string) (Verifier, *Error) {
	if v, ok := i.byURL[issuer]; ok {
		return v, nil
	}
	switch {
	case issuer == "":
		return nil, refuseClaim(ErrClaimMissing, "iss")
	case i.refused[issuer]:
		return nil, refuseClaim(ErrIssuerRefused, "iss")
	}
	return nil, refuseClaim(ErrIssuerUnknown, "iss") // [CL-08]
}

var errBadVerifier = errors.New("a verifier returned neither the issuer's token nor an error")

// foreign asks a verifier that is not ours and believes it only about the
// issuer that was asked for.
func (i *Issuers) foreign(v Verifier, s *state) (*Token, error) {
	t, err := v.Verify(s.ctx, s.raw)
	if err != nil {
		return nil, err
	}
	if t == nil || t.Issuer != s.token.Issuer {
		return nil, refuseFor(ErrInternal, errBadVerifier)
	}
	return t, nil
}

// Explain runs the rules of the token's issuer to their end. If the issuer is
// unknown and only one is configured, that one's rules show the difference.
func (i *Issuers) Explain(ctx context.Context, raw string) ([]Finding, *Token) {
	s := state{ctx: ctx, raw: raw}
	findings := s.explain(nil, shape)
	claimed := ""
	if s.token != nil {
		claimed = s.token.Issuer
	}
	v, refusal := i.route(claimed)
	if refusal != nil && len(i.byURL) == 1 && !i.refused[claimed] {
		for _, v = range i.byURL {
			if j, ok := v.(*JWT); ok { // its first rule refuses the issuer
				return j.explain(&s, findings)
			}
		}
	}
	if j, ok := v.(*JWT); ok && refusal == nil {
		return j.explain(&s, findings)
	}
	return i.explainForeign(&s, v, refusal, findings)
}

func (i *Issuers) explainForeign(s *state, v Verifier, refusal *Error, findings []Finding) ([]Finding, *Token) {
	line := Finding{Rule: "issuer", Status: Passed, Source: "RFC 9068 §4", Expected: "a configured issuer"}
	if s.token == nil {
		line.Status = NotReached
		return append(findings, line), nil
	}
	line.Found, line.Unverified = printable.Text(s.token.Issuer), true
	if refusal != nil {
		line.Status, line.Code, line.Fix = Failed, refusal.Code, refusal.Code.Fix()
		return append(findings, line), nil
	}
	findings = append(findings, line)
	line = Finding{Rule: "verifier", Status: Passed, Source: "project"}
	t, err := i.foreign(v, s)
	if err != nil {
		line.Status, line.Code = Failed, CodeOf(err)
		line.Fix = line.Code.Fix()
		t = nil
	}
	return append(findings, line), t
}
