package introspect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"

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
	egress.ErrURL, egress.ErrScheme, egress.ErrAddress, egress.ErrPublic, egress.ErrRedirect, egress.ErrTooLarge,
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
	for _, known := range fixedTexts {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var (
		status  egress.StatusError
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		alert   tls.AlertError
		dns     *net.DNSError
		timeout net.Error
		op      *net.OpError
	)
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &cert), errors.As(err, &unknown):
		return "the server's certificate is not accepted"
	case errors.As(err, &alert):
		return "the server ended the TLS handshake; perhaps it does not accept the client certificate"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "the server's name is not resolved"
	case errors.As(err, &op):
		return "no connection to the server"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer was cut off"
	}
	return "asking failed"
}
