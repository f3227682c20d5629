package jwks

import (
	"errors"
	"fmt"
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
	discovery.ErrDocument, discovery.ErrIssuer,
	jose.ErrSet, jose.ErrTooManyKeys, jose.ErrEmptySet, jose.ErrNoUsableKey,
	errNoFit, errClosed, errPanic, errWaiting, errUnreadable,
}

// describe turns err into a short text for health and log: addresses, URLs and
// text from outside stay out.
func describe(err error) string {
	var missing discovery.MissingError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &missing):
		return missing.Error()
	}
	if text := egress.Describe(err, fixed...); text != "" {
		return text
	}
	return "fetching failed"
}
