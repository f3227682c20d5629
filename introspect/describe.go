package introspect

import (
	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

// cause is an error whose text is fixed: addresses, URLs and text from outside
// stay out. What happened is inside.
type cause struct{ err error }

func (c cause) Error() string { return describe(c.err) }
func (c cause) Unwrap() error { return c.err }

// down is a failure that speaks for the server's state.
func down(err error) *failure {
	return &failure{code: validate.ErrIntrospectionUnavailable, err: cause{err}, counts: true}
}

// refused is a failure of our own credentials.
func refused(err error) *failure {
	return &failure{code: validate.ErrIntrospectionRefused, err: cause{err}, counts: true} // [IN-05]
}

// unusable is an answer that may concern this token only.
func unusable(err error) *failure {
	return &failure{code: validate.ErrIntrospectionInvalid, err: cause{err}}
}

// fixedTexts are errors whose own text is short and says nothing secret.
var fixedTexts = []error{
	discovery.ErrDocument, discovery.ErrIssuer, errNoEndpoint,
	errTokenSource, errAssertion,
	errContentType, errSyntax, errNoActive, errActive, errTokenInfo,
	errSigned, errSignedType, errSignedAlgorithm, errSignedKey, errSignedKeys, errSignature,
	errSignedIssuer, errSignedAudience, errSignedTime, errSignedClaims, errPhantom,
}

// describe turns err into a short text for health and log.
func describe(err error) string {
	if err == nil {
		return ""
	}
	if text := egress.Describe(err, fixedTexts...); text != "" {
		return text
	}
	return "asking failed"
}
