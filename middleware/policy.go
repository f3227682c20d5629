package middleware

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// Policy is what one route demands of a valid token. All fields given must
// hold; the zero Policy demands a valid token and nothing else.
type Policy struct {
	AllScopes []string // every one of them
	AnyScope  []string // at least one of them; the challenge names the first
	Audience  []string // at least one of them; a subset of the issuers' audiences
	Issuers   []string // names or identifiers of the issuers accepted here
	Schemes   []string // authentication schemes accepted here, without case

	ACR    []string      // authentication contexts, preferred first (RFC 9470)
	MaxAge time.Duration // of the user's authentication, whole seconds

	// What the token itself says beyond scopes: every one of each list has to be
	// in Token.Roles, Token.Permissions or Token.Groups. No client can ask for
	// these, so a missing one is not insufficient_scope but a plain 403.
	Roles, Permissions, Groups []string

	Details []Detail // each covered by one object of authorization_details (RFC 9396)

	// Binding is how the token has to be sender-constrained. Whatever it says,
	// a token that is bound has to be proven.
	Binding Binding
	// Nonce raises what the guard's DPoP configuration demands of proofs.
	Nonce dpop.Nonce

	Profile validate.Profile // RFC9068 tightens issuers with profile compat

	UserOnly     bool // refuse tokens that stand for a client
	NoDelegation bool // refuse delegated tokens (act)
	Optional     bool // a request without any Authorization value passes, without a token
	Hide         bool // answer 404 where it would be 403
	ReportOnly   bool // what is refused passes, without token and credentials, and is reported; see Config.ReportOnly

	// Implies reports that the scope have covers the scope need. It must be
	// pure. Equal scopes need no Implies. It serves AllScopes and AnyScope and
	// nothing else: challenges name the scopes needed, as they are.
	Implies func(have, need string) bool
	// Check is the route's own condition, asked last. Its error is a refusal
	// (403) unless its code says that a service is unavailable (503) or that
	// something is broken (500).
	Check func(context.Context, *validate.Token) error

	Route string // label for logs and metrics; default what the router calls it; decides nothing

	public   bool
	compiled *compiled
}

// Binding says how a route wants tokens to be sender-constrained.
type Binding uint8

// The bindings.
const (
	IfBound Binding = iota // tokens that are bound have to be proven, others pass
	Bound                  // bound to a key (DPoP) or to a certificate (mTLS)
	DPoP                   // bound to a key (RFC 9449)
	MTLS                   // bound to a certificate (RFC 8705)
)

// String returns the name that the server's file has for it.
func (b Binding) String() string {
	switch b {
	case IfBound:
		return "if-bound"
	case Bound:
		return "bound"
	case DPoP:
		return "dpop"
	case MTLS:
		return "mtls"
	}
	return fmt.Sprintf("Binding(%d)", uint8(b))
}

// Scopes is a Policy that demands every one of the scopes.
func Scopes(scopes ...string) Policy { return Policy{AllScopes: slices.Clone(scopes)} }

// Public is a Policy that reads no credentials and sets no token.
func Public() Policy { return Policy{public: true} }

// WithACR returns a copy that demands one of the authentication contexts.
func (p Policy) WithACR(acr ...string) Policy {
	p.ACR = slices.Clone(acr)
	return p
}

// WithMaxAge returns a copy that demands that the user signed in at most age
// ago.
func (p Policy) WithMaxAge(age time.Duration) Policy {
	p.MaxAge = age
	return p
}

// WithBinding returns a copy that demands a sender-constrained token, proven.
func (p Policy) WithBinding(b Binding) Policy {
	p.Binding = b
	return p
}

// WithDPoP returns a copy that demands a token bound to a key, with its proof.
func (p Policy) WithDPoP() Policy { return p.WithBinding(DPoP) }

// WithMTLS returns a copy that demands a token bound to a certificate, with
// that certificate.
func (p Policy) WithMTLS() Policy { return p.WithBinding(MTLS) }

// WithNonce returns a copy that demands a nonce of this server in proofs.
func (p Policy) WithNonce(n dpop.Nonce) Policy {
	p.Nonce = n
	return p
}

// WithAudience returns a copy that accepts these audiences only.
func (p Policy) WithAudience(audience ...string) Policy {
	p.Audience = slices.Clone(audience)
	return p
}

// WithIssuers returns a copy that accepts these issuers only.
func (p Policy) WithIssuers(issuers ...string) Policy {
	p.Issuers = slices.Clone(issuers)
	return p
}

// WithAnyScope returns a copy that also demands at least one of the scopes.
func (p Policy) WithAnyScope(scopes ...string) Policy {
	p.AnyScope = slices.Clone(scopes)
	return p
}

// WithRoles returns a copy that demands every one of the roles.
func (p Policy) WithRoles(roles ...string) Policy {
	p.Roles = slices.Clone(roles)
	return p
}

// WithPermissions returns a copy that demands every one of the permissions.
func (p Policy) WithPermissions(permissions ...string) Policy {
	p.Permissions = slices.Clone(permissions)
	return p
}

// WithGroups returns a copy that demands every one of the groups.
func (p Policy) WithGroups(groups ...string) Policy {
	p.Groups = slices.Clone(groups)
	return p
}

// WithDetails returns a copy that demands a grant for each of the details.
func (p Policy) WithDetails(details ...Detail) Policy {
	p.Details = cloneDetails(details)
	return p
}

// WithCheck returns a copy with the route's own condition.
func (p Policy) WithCheck(check func(context.Context, *validate.Token) error) Policy {
	p.Check = check
	return p
}
