package middleware

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// Decide judges one request by one policy. If the decision allows, the context
// carries the token, and the handler has to run with it. Decide never panics:
// a panic on the way is a refusal.
func (g *Guard) Decide(ctx context.Context, r Request, p Policy) (context.Context, Decision) {
	if !g.made() { // [PV-07]
		return ctx, unmade()
	}
	run := g.begin(ctx, r)
	defer run.end()
	if !g.gate.enter() {
		return ctx, g.refuse(run, refuse(validate.ErrGuardClosed))
	}
	defer g.gate.leave()
	out, err := run.decide(&p)
	if err != nil && !run.disregarded {
		return ctx, g.refuse(run, err)
	}
	d := Decision{Allowed: true, Token: run.token, Err: err, Header: run.response, Remove: run.remove, by: run.policy}
	g.observe(run, &d)
	return out, d
}

// refuse makes the refusal and tells the Observer.
func (g *Guard) refuse(p *pass, err error) Decision {
	d := Decision{Err: err, Denial: g.denial(denied{p.r, p.policy, p.scheme, err})}
	g.observe(p, &d)
	return d
}

// denial is deny that survives a Header or an error that panics.
func (g *Guard) denial(why denied) (d *Denial) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			d = newDenial(outcomes[validate.Internal], validate.ErrInternal)
		}
	}()
	return g.deny(why)
}

// Check is Decide for callers that need the token or the reason only. It
// returns no token and no error for a public policy, and for an optional one
// without credentials. A CORS preflight has no token and is an error here, and
// so is what ReportOnly lets pass.
func (g *Guard) Check(ctx context.Context, r Request, p Policy) (*validate.Token, error) {
	_, d := g.Decide(ctx, r, p)
	if d.Err != nil {
		return nil, d.Err
	}
	if d.Token == nil && !p.public && !p.Optional {
		return nil, refuse(validate.ErrTokenMissing)
	}
	return d.Token, nil
}

// Deny is the refusal of a request that no policy covers: an unlisted method,
// an unmatched route, a malformed path. It reads no token.
func (g *Guard) Deny(ctx context.Context, r Request, code validate.Code) Decision {
	if !g.made() {
		return unmade()
	}
	run := g.begin(ctx, r)
	defer run.end()
	return g.refuse(run, refuse(code))
}

// decide runs the rules and recovers: an internal error is a refusal. It
// returns the error of a refusal that is disregarded, too.
func (p *pass) decide(policy *Policy) (ctx context.Context, err error) {
	defer func() {
		if v := recover(); v != nil { // [PV-07]
			ctx, err, p.disregarded = p.ctx, &validate.Error{Code: validate.ErrInternal, Err: fmt.Errorf("panic: %T", v)}, false
			p.guard.complain("bearward: panic while deciding", "panic", fmt.Sprintf("%T", v))
		}
	}()
	ctx, err = p.judge(policy)
	if err != nil && p.policy != nil && p.policy.reports(validate.CodeOf(err)) {
		ctx, p.disregarded = p.disregard(err), true
	}
	return ctx, err
}

// judge holds the request to the policy.
func (p *pass) judge(policy *Policy) (_ context.Context, err error) {
	p.now = p.guard.config.Clock()
	if p.policy, err = p.guard.compiledFor(policy); err != nil {
		p.guard.complain("bearward: faulty policy", "error", err)
		return p.ctx, &validate.Error{Code: validate.ErrPolicyInvalid, Err: err}
	}
	p.remove = p.guard.forged(p.r)
	if p.policy.policy.public || p.r.Preflight() { // [TR-16]
		return p.ctx, nil
	}
	if err := p.run(requestRules); err != nil {
		if p.policy.policy.Optional && len(p.r.values("Authorization")) == 0 && errors.Is(err, validate.ErrTokenMissing) {
			return p.ctx, nil
		}
		return p.ctx, err
	}
	return p.admit()
}

// admit verifies the token, unless an outer policy of this Guard has accepted
// it for this very request, and applies the route's rules.
func (p *pass) admit() (context.Context, error) {
	if err := p.identify(); err != nil {
		return p.ctx, err
	}
	if p.outer == nil {
		if err := p.run(statusRules); err != nil {
			return p.ctx, err
		}
	}
	if err := p.run(routeRules); err != nil {
		return p.ctx, err
	}
	p.renew()
	p.vary()
	return p.carry(), nil
}

// identify finds out whose token it is: as an outer policy did, or now.
func (p *pass) identify() error {
	if c := p.accepted(); c != nil {
		p.outer = c
		if c.proof != nil {
			p.proof = *c.proof
		}
		return p.know(c.token, c.facts)
	}
	token, err := p.policy.issuers.Verify(p.ctx, p.raw)
	if err != nil {
		return err
	}
	return p.know(token, nil)
}

func (p *pass) run(rules []rule) error {
	for i := range rules {
		if err := rules[i].check(p); err != nil {
			return err
		}
	}
	return nil
}

var errNoToken = errors.New("a verifier returned neither token nor error")

// know takes the facts of a validated token, those of an outer decision if
// there is one.
func (p *pass) know(token *validate.Token, known *facts.Facts) error {
	if token == nil {
		return &validate.Error{Code: validate.ErrInternal, Err: errNoToken}
	}
	if known == nil {
		known = facts.Known(token)
	}
	p.token, p.facts = token, known
	if p.issuer = p.guard.home(p.facts); p.issuer == nil {
		return &validate.Error{Code: validate.ErrIssuerUnknown, Claim: "iss"}
	}
	return nil
}

// home is the configured issuer of a token.
func (g *Guard) home(f *facts.Facts) *Issuer {
	if f.Home() != "" {
		return g.byURL[f.Home()]
	}
	return g.byURL[f.Issuer()]
}

// expiry is the instant from which a token with these facts is refused.
func (g *Guard) expiry(f *facts.Facts) time.Time {
	if i := g.home(f); i != nil {
		return f.ExpiresAt().Add(i.Leeway)
	}
	return f.ExpiresAt()
}

// Expiry returns how long an allowed stream may go on, and the refusal that
// ends it. ok is false where no token limits it.
func (g *Guard) Expiry(r Request, d Decision) (left time.Duration, denial *Denial, ok bool) {
	if !d.Allowed || d.Token == nil {
		return 0, nil, false
	}
	left = g.expiry(facts.Known(d.Token)).Sub(g.config.Clock())
	scheme, _, _ := g.credential(&r)                                                 // it was read before
	return left, g.deny(denied{&r, d.by, scheme, refuse(validate.ErrExpired)}), true // [TR-19]
}
