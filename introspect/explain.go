package introspect

import (
	"context"
	"errors"

	"github.com/bearward/bearward/validate"
)

const source = "RFC 7662 §2.2"

// Explain says what became of each rule, in order. It makes the same calls as
// Verify, and no more. The Token is nil unless every rule passed.
func (v *Verifier) Explain(ctx context.Context, raw string) ([]validate.Finding, *validate.Token) {
	known := v.resolve(ctx, &v.opaque, raw, v.config.Cache.Positive)
	asked := validate.Finding{Rule: "introspection", Status: validate.Passed, Source: source}
	active := validate.Finding{Rule: "active", Status: validate.Passed, Source: source}
	switch {
	case !known.answered:
		active.Status = validate.NotReached
		return []validate.Finding{failing(asked, known.err), active}, nil
	case known.err != nil && known.err.Code == validate.ErrInactive:
		return []validate.Finding{asked, failing(active, known.err)}, nil
	}
	findings := []validate.Finding{asked, active}
	if known.claims != "" {
		rules, token := v.opaque.answers.Explain(known.claims)
		if token != nil {
			token = known.token // whose life counts from when it was asked
		}
		return append(findings, rules...), token
	}
	answer := validate.Finding{Rule: "answer", Status: validate.Passed, Source: source}
	if known.err != nil { // remembered without the answer itself
		return append(findings, failing(answer, known.err)), nil
	}
	return append(findings, answer), known.token
}

func failing(f validate.Finding, err *validate.Error) validate.Finding {
	f.Status, f.Code, f.Claim, f.Fix = validate.Failed, err.Code, err.Claim, err.Code.Fix()
	var outage *Outage
	if errors.As(err.Err, &outage) { // a fixed text
		f.Found = outage.Error()
	}
	return f
}
