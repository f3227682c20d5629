package introspect

import (
	"context"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// Confirm asks whether the JWT raw, which the issuer's own rules accepted as
// t, is still active. The answer was asked for at most maxAge ago (capped at 5
// min; 0: the lifetime of active answers in the cache) and must fit the token.
// It need not name an audience. Errors are those of Verify.
func (v *Verifier) Confirm(ctx context.Context, raw string, t *validate.Token, maxAge time.Duration) error {
	allow := min(maxAge, maxPositive)
	if maxAge <= 0 {
		allow = v.config.Cache.Positive
	}
	known := v.resolve(ctx, &v.jwt, raw, allow)
	if known.err != nil { // [RV-02]
		return known.err
	}
	if claim := contradiction(known.token, t); claim != "" { // [IN-07]
		return &validate.Error{Code: validate.ErrClaimsInvalid, Claim: claim, Issuer: v.issuer, Err: errContradiction}
	}
	return nil
}

// contradiction names the claim in which an answer and the token that it is
// about differ; "" if there is none. What only one of them has does not count,
// but for a binding: the server's holds.
func contradiction(answer, t *validate.Token) string {
	a, b := facts.Known(answer), facts.Known(t)
	for _, pair := range [...]struct{ claim, a, b string }{
		{"iss", a.Issuer(), b.Issuer()},
		{"sub", a.Subject(), b.Subject()},
		{"client_id", a.ClientID(), b.ClientID()},
		{"jti", a.ID(), b.ID()},
	} {
		if pair.a != "" && pair.b != "" && pair.a != pair.b {
			return pair.claim
		}
	}
	switch confirmed := a.ByKey || a.ByCert; {
	case a.Bound && !confirmed && !b.ByKey: // its token_type says DPoP
		return "cnf"
	case confirmed && (a.ByKey != b.ByKey || a.ByCert != b.ByCert || a.JKT() != b.JKT() || a.X5T() != b.X5T()):
		return "cnf"
	}
	return ""
}
