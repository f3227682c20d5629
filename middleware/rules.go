package middleware

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// pass is one request on its way to a decision.
type pass struct {
	ctx    context.Context
	guard  *Guard
	policy *compiled
	r      *Request // what was given, below
	given  Request
	now    time.Time

	scheme string // of the credential, as challenges write it; "" if it is not known
	raw    string
	sum    [sha256.Size]byte // of raw, once it was needed
	summed bool
	outer  *carried // the decision of an outer policy about this request; nil: none
	token  *validate.Token
	facts  *facts.Facts
	issuer *Issuer

	certificate *x509.Certificate // the client's; nil if none
	forwarded   bool              // a proxy said which
	proof       dpop.Proof        // that was verified; zero with other schemes
	proven      bool              // in a report: it may be spent
	disregarded bool              // it was refused, and passes all the same: ReportOnly
	response    http.Header       // what an answer that passes gets
	remove      []string          // headers of the request that nobody must believe
}

// passes are used again: nothing of a pass outlives its decision.
var passes = sync.Pool{New: func() any { return new(pass) }}

func (g *Guard) begin(ctx context.Context, r Request) *pass {
	p := passes.Get().(*pass)
	p.ctx, p.guard, p.given = ctx, g, r
	p.r = &p.given
	return p
}

// end forgets everything about the request.
func (p *pass) end() {
	*p = pass{}
	passes.Put(p)
}

// respond adds to the answer of a request that passes.
func (p *pass) respond(name, value string) {
	if p.response == nil {
		p.response = http.Header{}
	}
	p.response.Add(name, value)
}

// digest is the SHA-256 of the token as received.
func (p *pass) digest() [sha256.Size]byte {
	if !p.summed && p.facts != nil && p.facts.Digested {
		if _, ours := p.issuer.Verifier.(*validate.JWT); ours { // others may return the token of another text
			return p.facts.Digest
		}
	}
	if !p.summed {
		p.sum, p.summed = sha256.Sum256(jose.View(p.raw)), true
	}
	return p.sum
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

// explained are the rules that a report shows in another way than by asking
// them.
var explained = map[string]func(*pass) []validate.Finding{"proof": explainProof, "replay": explainReplay}

// fixes say more about a failure than its code does, where the token shows why.
var fixes = map[string]func(*pass) string{"route-scope": fixScopes}

// requestRules read the request before any token is looked at.
var requestRules = []rule{
	{"early-data", []validate.Code{validate.ErrTooEarly}, "RFC 8470 §5.2", checkEarly, nil}, // [TR-20]
	{"credential", []validate.Code{validate.ErrTokenMissing, validate.ErrRequestMalformed, validate.ErrTokenRepeated, validate.ErrTokenTooLong, validate.ErrTokenMalformed}, "RFC 6750 §2.1, RFC 9110 §11.4", checkCredential, nil},
	{"certificate-field", []validate.Code{validate.ErrCertificateField}, "RFC 9440 §2", checkCertificateField, nil}, // [MT-08]
}

// statusRules ask what the token itself cannot tell: whether it was taken back
// since it was issued. A nested policy relies on the outer one's answer.
var statusRules = []rule{
	{"live-status", []validate.Code{validate.ErrInactive, validate.ErrIntrospectionUnavailable, validate.ErrIntrospectionRefused, validate.ErrIntrospectionInvalid, validate.ErrIntrospectionBusy}, "RFC 7662 §2.2", checkLive, nil},
	{"revocation", []validate.Code{validate.ErrRevoked, validate.ErrLifetimeTooLong, validate.ErrRevocationUnavailable}, "RFC 7009 §2.1", checkRevocation, nil}, // [RV-02 RV-03]
}

// proofCodes are what a proof can be refused with.
var proofCodes = append([]validate.Code{validate.ErrTargetUnknown}, dpop.Codes()...)

// routeRules come after the token was found valid, in the order in which a
// client can act on them: token, binding, step-up, client kind, scope, details,
// roles, own check.
var routeRules = []rule{
	{"still-valid", []validate.Code{validate.ErrExpired, validate.ErrNotYetValid}, "RFC 7519 §4.1.4", checkTimes, nil},            // [CA-02 TR-18]
	{"route-issuer", []validate.Code{validate.ErrIssuerRefused}, "RFC 8725 §3.8", checkRouteIssuer, nil},                          // [CL-08]
	{"route-profile", []validate.Code{validate.ErrProfileRefused}, "RFC 9068 §4", checkProfile, nil},                              // [CL-01]
	{"route-audience", []validate.Code{validate.ErrRouteAudienceRefused}, "RFC 9700 §2.3", checkRouteAudience, showRouteAudience}, // [AZ-10]
	{"route-scheme", []validate.Code{validate.ErrSchemeRefused}, "RFC 9110 §11.1", checkScheme, nil},
	{"binding", []validate.Code{validate.ErrTokenNotBound, validate.ErrConfirmationUnproven, validate.ErrBindingRequired}, "RFC 9449 §7.1, §7.2, RFC 8705 §3", checkBinding, showBinding}, // [CL-21 DP-16 DP-17]
	{"stray-proof", []validate.Code{validate.ErrProofStray}, "RFC 9449 §7.1", checkStray, nil},
	{"proof", proofCodes, "RFC 9449 §4.3", checkProof, nil},                                                                                                                     // [DP-01 DP-29]
	{"certificate", []validate.Code{validate.ErrCertificateMissing, validate.ErrCertificateMismatch}, "RFC 8705 §3", checkCertificate, showCertificate},                         // [MT-01]
	{"replay", []validate.Code{validate.ErrProofReplayed, validate.ErrProofExpired, validate.ErrReplayFull, validate.ErrReplayUnavailable}, "RFC 9449 §11.1", checkReplay, nil}, // [DP-21]
	{"authentication", []validate.Code{validate.ErrAuthenticationImpossible, validate.ErrAuthenticationContext, validate.ErrAuthenticationAge}, "RFC 9470 §3", checkAuthentication, showAuthentication},
	{"user", []validate.Code{validate.ErrUserRequired}, "RFC 9700 §4.15", checkUser, nil},                                            // [CL-17]
	{"delegation", []validate.Code{validate.ErrDelegationRefused}, "RFC 8693 §4.1", checkDelegation, nil},                            // [CL-26]
	{"route-scope", []validate.Code{validate.ErrScopeMissing}, "RFC 6750 §3.1", checkScopes, showScopes},                             // [AZ-01]
	{"route-details", []validate.Code{validate.ErrDetailsMissing}, "RFC 9396 §9", checkDetails, showDetails},                         // [AZ-14]
	{"route-roles", []validate.Code{validate.ErrClaimsInvalid, validate.ErrRoleMissing}, "RFC 9068 §2.2.3.1", checkRoles, showRoles}, // [AZ-08]
	{"route-check", []validate.Code{validate.ErrCheckRefused}, "project", checkOwn, nil},
}
