package middleware

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
)

// carried is the context of an accepted request: the parent, the token, and
// what the Guard decided about, so that a nested policy of the same Guard does
// not verify twice.
type carried struct {
	context.Context
	token *validate.Token
	facts *facts.Facts // what was decided from; a handler may have written into token
	by    *Guard       // nil: planted for tests, never a credential
	about about
}

type carriedKey struct{}

// Value makes the token visible to FromContext.
func (c *carried) Value(key any) any {
	if key == (carriedKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// FromContext returns the token that was accepted for this request. It returns
// false on public routes and where an optional token was not sent: a handler
// that needs a token has to look.
func FromContext(ctx context.Context) (*validate.Token, bool) {
	if c, ok := ctx.Value(carriedKey{}).(*carried); ok && c.token != nil {
		return c.token, true
	}
	return nil, false
}

// WithToken plants a token for tests of handlers. It is visible to FromContext
// only: no Guard takes it for a credential.
func WithToken(ctx context.Context, token *validate.Token) context.Context {
	return &carried{Context: ctx, token: token}
}

// UntilExpiry returns a context that ends when the token of ctx expires, for
// handlers that stream (server-sent events, WebSocket). Without a token it is
// ctx with a cancel function.
func UntilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	c, ok := ctx.Value(carriedKey{}).(*carried)
	if !ok || c.by == nil || c.token == nil {
		return context.WithCancel(ctx)
	}
	left := c.by.expiry(c.facts).Sub(c.by.config.Clock())
	return context.WithDeadlineCause(ctx, time.Now().Add(left), refuse(validate.ErrExpired)) // [TR-19]
}

// about identifies the request that a decision was about. It holds digests in
// place of secrets.
type about struct {
	method, scheme, host, path, query string
	authentication                    string // scheme of the credential
	credential                        [sha256.Size]byte
	proof                             [sha256.Size]byte
	certificate                       *x509.Certificate
}

// about is asked for at most once on a plain request, after the token was
// found valid: nothing is computed over what is refused.
func (p *pass) about() about {
	r := p.r
	if p.digest == nil {
		sum := sha256.Sum256([]byte(p.raw))
		p.digest = &sum
	}
	return about{
		method: r.Method, scheme: r.Scheme, host: r.Host, path: r.RawPath, query: r.RawQuery,
		authentication: p.scheme, credential: *p.digest, proof: proofDigest(r), certificate: r.Certificate,
	}
}

// proofDigest covers every DPoP value, so that a changed proof is never taken
// for the one that was judged.
func proofDigest(r *Request) (sum [sha256.Size]byte) {
	values := r.header().Values("Dpop")
	if len(values) == 0 {
		return sum
	}
	h := sha256.New()
	for _, v := range values {
		h.Write([]byte(v))
		h.Write([]byte{0})
	}
	h.Sum(sum[:0])
	return sum
}

// accepted returns the token that this Guard accepted for this very request.
func (p *pass) accepted() (*validate.Token, *facts.Facts) {
	c, ok := p.ctx.Value(carriedKey{}).(*carried)
	if !ok || c.by != p.guard || c.token == nil || c.about != p.about() {
		return nil, nil
	}
	return c.token, c.facts
}
