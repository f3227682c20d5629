package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// notice is an error whose text is fixed and says nothing secret.
type notice string

func (n notice) Error() string { return "redis " + string(n) }

const (
	errSlow        notice = "does not answer in time"
	errUnreachable notice = "cannot be reached"
	errUntrusted   notice = "has a certificate that is not trusted"
	errNonsense    notice = "answers what cannot be understood"
	errPanic       notice = "made its client panic"
	errGivenUp     notice = "was not waited for"
	errBusy        notice = "has no connection free"
	errCrowded     notice = "has too many callers waiting"
	errCredentials notice = "refuses the user and password"
	errReply       notice = "answers with an error"
	errNotPermits  notice = "does not permit a command that is needed"
	errFull        notice = "is out of memory"
	errReadOnly    notice = "is a replica and takes no writes"
	errUnsaved     notice = "cannot save and takes no writes"
	errForeign     notice = "holds a value that is not of this program"
	errTooLarge    notice = "holds a value that is too large"
	errClosed      notice = "is closed here"
	errEvicts      notice = "may drop what it has to keep: set maxmemory-policy to noeviction"
)

// Outage says that Redis could not be used. Its text is fixed.
type Outage struct {
	text notice
	wait time.Duration
}

// Error says what is the matter, never where or with what.
func (o *Outage) Error() string { return o.text.Error() }

// Unwrap returns context.DeadlineExceeded if Redis did not answer in time.
func (o *Outage) Unwrap() error {
	if o.text == errSlow {
		return context.DeadlineExceeded
	}
	return nil
}

// RetryAfter returns when it is worth to try again.
func (o *Outage) RetryAfter() time.Duration { return o.wait }

// failure is what an error says about Redis.
type failure struct {
	text   notice
	counts bool // Redis as a whole does not work, not just this operation
	own    bool // it says nothing about Redis at all
}

// replies are the errors that Redis names by a first word.
var replies = []struct {
	word string
	failure
}{
	{"NOAUTH", failure{text: errCredentials, counts: true}},
	{"WRONGPASS", failure{text: errCredentials, counts: true}},
	{"NOPERM", failure{text: errNotPermits}},
	{"OOM", failure{text: errFull}},
	{"READONLY", failure{text: errReadOnly}},
	{"MISCONF", failure{text: errUnsaved}},
	{"NOREPLICAS", failure{text: errUnsaved}},
	{"WRONGTYPE", failure{text: errForeign}},
}

// judge returns nil for a success.
func judge(err error) *failure {
	var own notice
	var timeout net.Error
	var reply redis.Error
	var op *net.OpError
	var call *os.SyscallError // what the client leaves of a refused connection
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		return nil
	case errors.As(err, &own):
		return &failure{text: own, counts: own == errPanic || own == errNonsense}
	case errors.Is(err, redis.ErrClosed):
		return &failure{text: errClosed, own: true}
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return &failure{text: errBusy, own: true}
	case errors.As(err, &reply):
		return refusal(reply.Error())
	case errors.Is(err, context.Canceled):
		return &failure{text: errGivenUp, own: true}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &failure{text: errSlow, counts: true}
	case untrusted(err):
		return &failure{text: errUntrusted, counts: true}
	case errors.As(err, &op), errors.As(err, &call), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &failure{text: errUnreachable, counts: true}
	}
	return &failure{text: errNonsense, counts: true}
}

func untrusted(err error) bool {
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &cert) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

func refusal(text string) *failure {
	for _, r := range replies {
		if strings.HasPrefix(text, r.word+" ") {
			f := r.failure
			return &f
		}
	}
	return &failure{text: errReply, counts: true}
}
