package middleware

import (
	"context"
	"crypto/sha256"
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

// statusRules ask what the token itself cannot tell: whether it was taken back
// since it was issued. A nested policy relies on the outer one's answer.
var statusRules = []rule{
	{"live-status", []validate.Code{validate.ErrInactive, validate.ErrIntrospectionUnavailable, validate.ErrIntrospectionRefused, validate.ErrIntrospectionInvalid, validate.ErrIntrospectionBusy}, "RFC 7662 §2.2", checkLive, nil},
	{"revocation", []validate.Code{validate.ErrRevoked, validate.ErrLifetimeTooLong, validate.ErrRevocationUnavailable}, "RFC 7009 §2.1", checkRevocation, nil}, // [RV-02 RV-03]
}

// routeRules come after the token was found valid, in the order in which a
// client can act on them: token, binding, step-up, client kind, scope, details,
// roles, own check.
var routeRules = []rule{
	{"still-valid", []validate.Code{validate.ErrExpired, validate.ErrNotYetValid}, "RFC 7519 §4.1.4", checkTimes, nil},            // [CA-02 TR-18]
	{"route-issuer", []validate.Code{validate.ErrIssuerRefused}, "RFC 8725 §3.8", checkRouteIssuer, nil},                          // [CL-08]
	{"route-profile", []validate.Code{validate.ErrProfileRefused}, "RFC 9068 §4", checkProfile, nil},                              // [CL-01]
	{"route-audience", []validate.Code{validate.ErrRouteAudienceRefused}, "RFC 9700 §2.3", checkRouteAudience, showRouteAudience}, // [AZ-10]
	{"route-scheme", []validate.Code{validate.ErrSchemeRefused}, "RFC 9110 §11.1", checkScheme, nil},
	{"binding", []validate.Code{validate.ErrConfirmationUnproven}, "RFC 9449 §7.2, RFC 8705 §3", checkBinding, nil}, // [CL-21]
	{"authentication", []validate.Code{validate.ErrAuthenticationImpossible, validate.ErrAuthenticationContext, validate.ErrAuthenticationAge}, "RFC 9470 §3", checkAuthentication, showAuthentication},
	{"user", []validate.Code{validate.ErrUserRequired}, "RFC 9700 §4.15", checkUser, nil},                                            // [CL-17]
	{"delegation", []validate.Code{validate.ErrDelegationRefused}, "RFC 8693 §4.1", checkDelegation, nil},                            // [CL-26]
	{"route-scope", []validate.Code{validate.ErrScopeMissing}, "RFC 6750 §3.1", checkScopes, showScopes},                             // [AZ-01]
	{"route-details", []validate.Code{validate.ErrDetailsMissing}, "RFC 9396 §9", checkDetails, showDetails},                         // [AZ-14]
	{"route-roles", []validate.Code{validate.ErrClaimsInvalid, validate.ErrRoleMissing}, "RFC 9068 §2.2.3.1", checkRoles, showRoles}, // [AZ-08]
	{"route-check", []validate.Code{validate.ErrCheckRefused}, "project", checkOwn, nil},
}
