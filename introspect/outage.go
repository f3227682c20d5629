package introspect

import (
	"errors"
	"fmt"
	"time"

	"github.com/bearward/bearward/validate"
)

// notice is an error whose own text is short and says nothing secret.
type notice string

func (n notice) Error() string { return string(n) }

const (
	errClosed  notice = "the verifier is closed"
	errPanic   notice = "panic while asking"
	errWaiting notice = "the caller did not wait for the answer"
	errPaused  notice = "the authorization server asked for a pause"
	errBusy    notice = "more new tokens at once than may be asked about"

	errContradiction notice = "the introspection answer contradicts the token"
)

// Outage is why a token's state is not known now. It is the cause inside of a
// *validate.Error of class Unavailable.
type Outage struct {
	Issuer string
	wait   time.Duration
	err    error
}

// Error names the issuer and a fixed text, never a URL or anything of the
// token.
func (o *Outage) Error() string {
	return fmt.Sprintf("introspection at %s: %s", o.Issuer, explained(o.err))
}

// Unwrap returns what failed.
func (o *Outage) Unwrap() error { return o.err }

// RetryAfter returns when it is worth to ask again, at least one second.
func (o *Outage) RetryAfter() time.Duration { return max(o.wait, time.Second) }

// explained is a fixed text for err; describe knows those of an exchange.
func explained(err error) string {
	var own notice
	if errors.As(err, &own) {
		return string(own)
	}
	return describe(err)
}

// unknown is the refusal of a token whose state is not known.
func unknown(issuer string, code validate.Code, wait time.Duration, err error) *validate.Error {
	return &validate.Error{Code: code, Issuer: issuer, Err: &Outage{Issuer: issuer, wait: wait, err: err}}
}
