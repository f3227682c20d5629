package middleware

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// compiled is a Policy made ready for one Guard: checked, resolved, and with
// everything worked out that the request cannot change.
type compiled struct {
	guard    *Guard
	policy   Policy // a private copy
	issuers  *validate.Issuers
	accepted map[*Issuer]bool // nil: all
	scope    string           // what the challenge names
	acr      string
	maxAge   string
	details  []demand
	stepUp   bool
	narrowed bool // Audience is set

	offers  []string   // authentication schemes, in the order of challenges
	binding Binding    // demanded
	nonce   dpop.Nonce // demanded of proofs
}

// Prepare checks the policy once, reports all faults together, and returns a
// copy that costs nothing more on the request path. Protect, Unary and Stream
// call it. Fields of the result that are changed later are noticed: the policy
// is then prepared again on each request.
func (g *Guard) Prepare(p Policy) (Policy, error) {
	if !g.made() {
		return Policy{}, errUnmade
	}
	c, err := g.compile(p)
	if err != nil {
		return Policy{}, err
	}
	out := c.policy.clone()
	out.compiled = c
	g.metadata.add(c)
	return out, nil
}

func (p Policy) clone() Policy {
	for _, list := range []*[]string{&p.AllScopes, &p.AnyScope, &p.Audience, &p.Issuers, &p.Schemes, &p.ACR, &p.Roles, &p.Permissions, &p.Groups} {
		*list = slices.Clone(*list)
	}
	p.Details = cloneDetails(p.Details)
	p.compiled = nil
	return p
}

// compiledFor returns the prepared form, or prepares now.
func (g *Guard) compiledFor(p *Policy) (*compiled, error) {
	if c := p.compiled; c != nil && c.guard == g && c.unchanged(p) {
		return c, nil
	}
	return g.compile(*p)
}

// unchanged reports that p is what Prepare returned, field by field. A caller
// may have written into the lists as well: their elements are compared.
func (c *compiled) unchanged(p *Policy) bool {
	q := &c.policy
	return slices.Equal(p.AllScopes, q.AllScopes) && slices.Equal(p.AnyScope, q.AnyScope) &&
		slices.Equal(p.Audience, q.Audience) && slices.Equal(p.Issuers, q.Issuers) &&
		slices.Equal(p.Schemes, q.Schemes) && slices.Equal(p.ACR, q.ACR) &&
		slices.Equal(p.Roles, q.Roles) && slices.Equal(p.Permissions, q.Permissions) &&
		slices.Equal(p.Groups, q.Groups) && slices.EqualFunc(p.Details, q.Details, equalDetails) &&
		p.MaxAge == q.MaxAge && p.Profile == q.Profile && p.UserOnly == q.UserOnly &&
		p.NoDelegation == q.NoDelegation && p.Optional == q.Optional && p.Hide == q.Hide && p.ReportOnly == q.ReportOnly &&
		p.Binding == q.Binding && p.Nonce == q.Nonce && p.Route == q.Route && p.public == q.public &&
		identity(&p.Implies) == identity(&q.Implies) && identity(&p.Check) == identity(&q.Check)
}

// identity tells closures apart, which Go does not compare.
func identity[F any](f *F) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(f)) }

func (g *Guard) compile(p Policy) (*compiled, error) {
	c := &compiled{guard: g, policy: p.clone(), issuers: g.issuers}
	if p.public {
		if !reflect.DeepEqual(Policy{public: true, Route: p.Route}, c.policy) {
			return nil, errors.New("bearward: a public policy demands nothing: no other field may be set")
		}
		return c, nil
	}
	var faults []error
	faults = append(faults, c.checkWords()...)
	faults = append(faults, c.checkGrants()...)
	faults = append(faults, c.resolveIssuers()...)
	if p.MaxAge < 0 || p.MaxAge%time.Second != 0 {
		faults = append(faults, fmt.Errorf("MaxAge %v is not a number of whole seconds", p.MaxAge))
	}
	if p.Profile != "" && p.Profile != validate.RFC9068 {
		faults = append(faults, fmt.Errorf("profile %q: a route can only tighten to rfc9068", p.Profile))
	}
	faults = append(faults, c.resolveSenders()...)
	if len(faults) > 0 {
		return nil, fmt.Errorf("bearward: policy: %w", errors.Join(faults...))
	}
	c.precompute()
	return c, nil
}

// checkWords refuses what could not be written into a challenge.
func (c *compiled) checkWords() (faults []error) {
	p := &c.policy
	for _, s := range slices.Concat(p.AllScopes, p.AnyScope) {
		if !validate.ScopeToken(s) { // [ER-14]
			faults = append(faults, fmt.Errorf("%q is not a scope (RFC 6749 §3.3)", s))
		}
	}
	for _, s := range p.ACR {
		if !validate.ScopeToken(s) { // [AZ-15]
			faults = append(faults, fmt.Errorf("%q cannot be an acr value in a challenge", s))
		}
	}
	return faults
}

// checkGrants refuses what no token could satisfy, or any token by accident.
func (c *compiled) checkGrants() (faults []error) {
	for i := range memberships {
		m := &memberships[i]
		if slices.ContainsFunc(m.need(&c.policy), bad) { // [AZ-08]
			faults = append(faults, fmt.Errorf("an entry of %s is empty or not UTF-8", m.name))
		}
	}
	for i := range c.policy.Details {
		if err := c.policy.Details[i].check(); err != nil { // [AZ-12]
			faults = append(faults, err)
		}
	}
	return faults
}

func (c *compiled) resolveIssuers() (faults []error) {
	accepted := c.guard.list
	if names := c.policy.Issuers; len(names) > 0 {
		accepted = nil
		for _, name := range names {
			i := c.guard.issuer(name)
			if i == nil {
				faults = append(faults, fmt.Errorf("issuer %q is not configured", name))
				continue
			}
			accepted = append(accepted, i)
		}
		c.accepted = map[*Issuer]bool{}
		for _, i := range accepted {
			c.accepted[i] = true
		}
		if len(faults) == 0 {
			c.issuers = c.guard.only(accepted)
		}
	}
	if err := c.issuers.Ambiguous(); err != nil && len(faults) == 0 { // [IN-17]
		faults = append(faults, err)
	}
	c.narrowed = len(c.policy.Audience) > 0
	for _, i := range accepted {
		if c.narrowed && i.NoAudience { // [IN-08]
			faults = append(faults, fmt.Errorf("the tokens of issuer %q need not name an audience, so no route can ask for one", i.Name))
		}
		for _, aud := range c.policy.Audience {
			if !slices.Contains(i.Audience, aud) { // [AZ-10]
				faults = append(faults, fmt.Errorf("audience %q is not accepted from issuer %q, so no route can ask for it", aud, i.Name))
			}
		}
	}
	return faults
}

func (c *compiled) precompute() {
	p := &c.policy
	need := slices.Clone(p.AllScopes)
	if len(p.AnyScope) > 0 && !slices.Contains(need, p.AnyScope[0]) {
		need = append(need, p.AnyScope[0]) // [AZ-06]
	}
	c.scope = strings.Join(suggestible(need), " ")
	c.acr = strings.Join(p.ACR, " ")
	if p.MaxAge > 0 {
		c.maxAge = strconv.FormatInt(int64(p.MaxAge/time.Second), 10)
	}
	c.stepUp = len(p.ACR) > 0 || p.MaxAge > 0
	for _, d := range p.Details {
		c.details = append(c.details, demand{d, d.wants()})
	}
}

// suggestible leaves out what a resource server does not ask clients to ask
// for.
func suggestible(scopes []string) []string {
	return slices.DeleteFunc(scopes, func(s string) bool {
		return s == "offline_access" || s == "openid" // [MC-07]
	})
}
