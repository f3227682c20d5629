package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// prepareSenders makes ready what is needed to tell who sends a token.
func (g *Guard) prepareSenders() (faults []error) {
	c := &g.config
	c.TrustedProxies = slices.Clone(c.TrustedProxies)
	c.ClientCertHeader.Name = http.CanonicalHeaderKey(c.ClientCertHeader.Name)
	if err := checkProxies(c); err != nil {
		faults = append(faults, err)
	}
	var err error
	if g.origins, err = newOrigins(c.PublicURLs); err != nil {
		faults = append(faults, err)
	}
	g.schemes = []string{bearer}
	if c.DPoP != nil {
		g.schemes = append(g.schemes, dpopScheme)
		if c.FAPI && c.DPoP.Mode() == dpop.NonceAdaptive { // [DP-25]
			faults = append(faults, errAdaptive)
		}
	}
	g.believed = slices.Clone(forwardedFields[c.Forwarded])
	if c.ClientCertHeader.Name != "" {
		g.believed = append(g.believed, c.ClientCertHeader.Name)
	}
	return faults
}

// Replay returns the store of used proofs, for its health: a *dpop.Memory unless
// the configuration brought another one. Without DPoP it is nil.
func (g *Guard) Replay() dpop.ReplayStore {
	if !g.made() || g.config.DPoP == nil {
		return nil
	}
	return g.config.DPoP.Replay()
}

var errAdaptive = errors.New("adaptive nonces are no part of FAPI 2.0: require them, or switch them off")

// resolveSenders works out which schemes a route offers, and what it demands of
// proofs.
func (c *compiled) resolveSenders() (faults []error) {
	p, d := &c.policy, c.guard.config.DPoP
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, s := range p.Schemes {
		if !slices.ContainsFunc(c.guard.schemes, func(offered string) bool { return strings.EqualFold(s, offered) }) {
			fault("scheme %q is not offered by this guard", s)
		}
	}
	if c.binding = p.Binding; c.binding == IfBound && c.guard.config.FAPI { // [HS-03]
		c.binding = Bound
	}
	if p.Binding > MTLS || p.Nonce > dpop.NonceRequired {
		fault("binding %v or nonce %v does not exist", p.Binding, p.Nonce)
	}
	if d == nil && (p.Binding == DPoP || p.Nonce != dpop.NonceOff) {
		fault("binding %v and nonce %v need DPoP to be configured", p.Binding, p.Nonce)
	}
	for _, scheme := range c.guard.schemes {
		wanted := len(p.Schemes) == 0 || slices.ContainsFunc(p.Schemes, func(s string) bool { return strings.EqualFold(s, scheme) })
		if wanted && (scheme != bearer || c.binding != DPoP) { // [DP-18]
			c.offers = append(c.offers, scheme)
		}
	}
	if len(c.offers) == 0 && len(faults) == 0 {
		fault("binding %v with schemes %q leaves no way to send a token", p.Binding, p.Schemes)
	}
	if d != nil {
		c.nonce = max(p.Nonce, d.Mode()) // [DP-23]
	}
	if p.Nonce != dpop.NonceOff && !slices.Contains(c.offers, dpopScheme) && len(faults) == 0 {
		fault("nonce %v means nothing where the scheme DPoP is not accepted", p.Nonce)
	}
	if c.guard.config.FAPI && p.Nonce == dpop.NonceAdaptive { // [DP-25]
		faults = append(faults, errAdaptive)
	}
	return faults
}

// checkBinding holds scheme, token and route against each other: a token that
// is bound to a key never passes as a bearer token, one that is not never as a
// DPoP token, whatever the route demands (RFC 9449 §7.1, §7.2).
func checkBinding(p *pass) error {
	f := p.facts
	switch byDPoP := p.scheme == dpopScheme; {
	case byDPoP && !f.ByKey: // [DP-17]
		return refuse(validate.ErrTokenNotBound)
	case f.ByKey && !byDPoP: // [DP-16 CL-21]
		return &validate.Error{Code: validate.ErrConfirmationUnproven, Claim: "cnf"}
	case f.Bound && !f.ByKey && !f.ByCert: // [CL-22 IN-10]
		return &validate.Error{Code: validate.ErrConfirmationUnproven, Claim: "cnf"}
	}
	var met bool
	switch p.policy.binding {
	case IfBound:
		met = true
	case Bound: // [HS-03]
		met = f.ByKey || f.ByCert
	case DPoP: // [DP-18]
		met = f.ByKey
	case MTLS:
		met = f.ByCert
	}
	if !met {
		return refuse(validate.ErrBindingRequired)
	}
	return nil
}

func showBinding(p *pass) (expected, found string) {
	found = "a bearer token"
	switch f := p.facts; {
	case f.ByKey && f.ByCert:
		found = "bound to a key and a certificate"
	case f.ByKey:
		found = "bound to a key"
	case f.ByCert:
		found = "bound to a certificate"
	case f.Bound:
		found = "bound to nothing that can be proven"
	}
	return p.policy.binding.String(), found + ", sent as " + p.scheme
}

// checkStray looks at a proof that came with a bearer token.
func checkStray(p *pass) error {
	d := p.guard.config.DPoP
	if d == nil || !d.RefusesStray() || p.scheme == dpopScheme {
		return nil
	}
	if len(p.r.values("Dpop")) > 0 { // [DP-19]
		return refuse(validate.ErrProofStray)
	}
	return nil
}

// checkProof verifies the proof, or, below another policy of this guard, judges
// what that one remembers of it.
func checkProof(p *pass) error {
	if p.scheme != dpopScheme {
		return nil
	}
	if p.outer != nil {
		return p.proof.Demand(p.policy.nonce)
	}
	in, err := p.presented()
	if err != nil {
		return err
	}
	p.proof, err = p.guard.config.DPoP.Verify(in)
	return err
}

// presented is the proof and what it has to prove.
func (p *pass) presented() (dpop.Presented, error) {
	target, err := p.guard.target(p.r)
	if err != nil {
		p.guard.tell(&p.guard.unknownTold, "bearward: a proof cannot be judged: "+validate.ErrTargetUnknown.Fix(), "error", err)
	}
	return dpop.Presented{
		Values: p.r.values("Dpop"), Method: p.r.Method, Target: target,
		Token: p.digest(), Key: p.facts.JKT(), Nonce: p.policy.nonce, Now: p.now,
	}, err
}

// explainProof is checkProof in a report.
func explainProof(p *pass) []validate.Finding {
	if p.scheme != dpopScheme {
		return []validate.Finding{{Rule: "proof", Source: "RFC 9449 §4.3", Status: validate.Passed, Found: "none is needed"}}
	}
	in, err := p.presented()
	if err != nil {
		return append([]validate.Finding{failed("proof-url", err)}, dpop.NotReached()...)
	}
	findings, _, ok := p.guard.config.DPoP.Explain(in)
	p.proven = ok
	return findings
}

// checkReplay spends the proof. It is the last check of what the client has
// proven, so that nothing that is refused for another reason is spent.
func checkReplay(p *pass) error {
	if p.scheme != dpopScheme || p.outer != nil {
		return nil
	}
	return p.guard.config.DPoP.Spend(p.ctx, &p.proof) // [DP-21]
}

// explainReplay spends nothing: the report would make the client's own request a
// replay.
func explainReplay(p *pass) []validate.Finding {
	f := validate.Finding{Rule: "replay", Source: "RFC 9449 §11.1", Status: validate.Passed}
	switch {
	case p.scheme == dpopScheme && !p.proven:
		f.Status = validate.NotReached
	case p.scheme == dpopScheme:
		f.Found = "not spent"
	}
	return []validate.Finding{f}
}

// renew puts a fresh nonce into the answer to a request whose nonce will soon be
// too old, so that the client need not be refused first (RFC 9449 §8.2).
func (p *pass) renew() {
	if p.scheme == dpopScheme && p.policy.nonce == dpop.NonceRequired && p.proof.Renew { // [DP-26]
		p.handOut()
		p.proof.Renew = false // a policy below has nothing to add [ER-20]
	}
}

// handOut puts a nonce into the answer to a request that passes.
func (p *pass) handOut() {
	p.respond(nonceField, p.guard.config.DPoP.FreshNonce())
	p.respond("Cache-Control", "no-store")
	if p.r.fromPage() {
		p.respond(exposeField, nonceField) // [TR-17]
	}
}

func encode(sum [32]byte) string { return jose.Encode(sum[:]) }
