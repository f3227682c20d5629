package jwks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/bearward/bearward/internal/discovery"
	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

var (
	errClosed  = errors.New("the key source is closed")
	errPanic   = errors.New("panic while fetching")
	errWaiting = errors.New("the authorization server did not answer in time")
)

// Outage is why an issuer's keys are not known now. It is the cause inside of
// a *validate.Error with code ErrKeysUnavailable.
type Outage struct {
	Issuer string
	wait   time.Duration
	err    error
}

// Error names the issuer and a fixed text, never a URL of the metadata.
func (o *Outage) Error() string { return fmt.Sprintf("keys of %s: %s", o.Issuer, describe(o.err)) }

// Unwrap returns what failed.
func (o *Outage) Unwrap() error { return o.err }

// RetryAfter returns when it is worth to ask again, at least one second.
func (o *Outage) RetryAfter() time.Duration { return max(o.wait, time.Second) }

func unavailable(issuer string, wait time.Duration, err error) *validate.Error {
	code := validate.ErrKeysUnavailable
	if errors.Is(err, errPanic) { // [PV-07]
		code = validate.ErrInternal
	}
	return &validate.Error{Code: code, Err: &Outage{Issuer: issuer, wait: wait, err: err}}
}

// fixed are errors whose own text is short and says nothing secret.
var fixed = []error{
	egress.ErrURL, egress.ErrScheme, egress.ErrAddress, egress.ErrRedirect, egress.ErrTooLarge,
	discovery.ErrDocument, discovery.ErrIssuer,
	jose.ErrSet, jose.ErrTooManyKeys, jose.ErrEmptySet, jose.ErrNoUsableKey,
	errNoFit, errClosed, errPanic, errWaiting, errUnreadable,
}

// describe turns err into a short text for health and log: addresses, URLs and
// text from outside stay out.
func describe(err error) string {
	if err == nil {
		return ""
	}
	for _, known := range fixed {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var (
		status  egress.StatusError
		missing discovery.MissingError
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		dns     *net.DNSError
		timeout net.Error
		op      *net.OpError
	)
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.As(err, &missing):
		return missing.Error()
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &cert), errors.As(err, &unknown):
		return "the server's certificate is not accepted"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "the server's name is not resolved"
	case errors.As(err, &op):
		return "no connection to the server"
	}
	return "fetching failed"
}
