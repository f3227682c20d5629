package introspect

import (
	"context"
	"time"

	"github.com/bearward/bearward/validate"
)

// asker makes one exchange with the server: no cache, no limits, bounded by
// its own timeout and ctx.
type asker interface {
	ask(ctx context.Context, raw string) (reply, *failure)
	load(ctx context.Context) *failure // finds the endpoint
	known() bool                       // it is known where to ask
	close()
}

// reply is what the server said about one token.
type reply struct {
	active bool
	// claims of an active answer: one JSON object, held to validate.Answers by
	// the caller.
	claims string
	// token is set instead where the answer was a JWT that the issuer's own
	// rules have verified.
	token *validate.Token
	// refusal is set instead of both where that JWT is the issuer's and its
	// rules refuse it.
	refusal *validate.Error

	noStore   bool          // Cache-Control: no-store or no-cache
	maxAge    time.Duration // the answer is used no longer
	hasMaxAge bool
}

// failure is an exchange that gave no answer.
type failure struct {
	code validate.Code // ErrIntrospectionUnavailable, ErrIntrospectionRefused or ErrIntrospectionInvalid
	err  error         // the cause, without secrets
	// counts says that it speaks for the server's state: no connection,
	// timeouts, 5xx, 401 and 403, other 4xx, redirects, a wrong content type.
	// Not so 400, 413, 414, 431 and unusable JSON, which may concern one token
	// only.
	counts bool
	pause  time.Duration // of Retry-After: ask nobody before; 1 s to 60 s
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }
