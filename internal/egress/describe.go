package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
)

// fixed are errors of this package whose own text is short and says nothing
// secret.
var fixed = []error{ErrURL, ErrScheme, ErrAddress, ErrPublic, ErrRedirect, ErrTooLarge}

// Describe turns the error of an exchange into a short text for health and
// log: addresses, URLs and text from outside stay out. It is "" for an error
// of another kind. known are further errors whose own text is such a text.
func Describe(err error, known ...error) string {
	for _, list := range [][]error{known, fixed} {
		for _, one := range list {
			if errors.Is(err, one) {
				return one.Error()
			}
		}
	}
	var (
		status  StatusError
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
	return ""
}
