package middleware

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"time"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// carried is the context of an accepted request: the parent, the token, and
// what the Guard decided about, so that a nested policy of the same Guard does
// not verify twice.
type carried struct {
	context.Context
	token *validate.Token
	facts *facts.Facts // what was decided from; a handler may have written into token
	by    *Guard       // nil: planted for tests, never a credential
	proof *dpop.Proof  // that was spent; nil with other schemes
	about about
}

// carry is the context of a request that is accepted, in one piece of memory.
func (p *pass) carry() *carried {
	if p.scheme != dpopScheme {
		return &carried{Context: p.ctx, token: p.token, facts: p.facts, by: p.guard, about: p.about()}
	}
	proven := &struct {
		carried
		proof dpop.Proof
	}{carried{Context: p.ctx, token: p.token, facts: p.facts, by: p.guard, about: p.about()}, p.proof}
	proven.carried.proof = &proven.proof
	return &proven.carried
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
// that needs a token has to look. Requests with the same token share it: it is
// for reading only.
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
	proof                             fingerprint
	certificate                       *x509.Certificate // of the connection
	peer                              netip.Addr
	forwarded                         fingerprint // what a proxy says of the client
}

// about is asked for at most once on a plain request, after the token was
// found valid: nothing is computed over what is refused.
func (p *pass) about() about {
	r := p.r
	a := about{
		method: r.Method, scheme: r.Scheme, host: r.Host, path: r.RawPath, query: r.RawQuery,
		authentication: p.scheme, credential: p.digest(), proof: fingerprintOf(r, proofField),
		certificate: r.Certificate, peer: r.Peer,
	}
	if p.scheme == dpopScheme { // a proof is about the target, others are not
		a.host = r.host()
	}
	if len(p.guard.believed) > 0 && p.guard.trusts(r) { // what strangers say is removed
		a.forwarded = fingerprintOf(r, p.guard.believed)
	}
	return a
}

// fingerprint tells values apart by 128 bits under keys that nobody outside of
// this process can know. Zero: there is nothing.
type fingerprint [2]uint64

var fingerprintSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// proofField is where proofs are.
var proofField = []string{"Dpop"}

// fingerprintOf covers every value of the fields, so that a changed proof or
// certificate is never taken for the one that was judged.
func fingerprintOf(r *Request, fields []string) (f fingerprint) {
	for n, field := range fields {
		for i, v := range r.values(field) {
			for k := range f {
				var place [10]byte // what came before, the field, and that there is another value
				binary.LittleEndian.PutUint64(place[:], f[k])
				place[8], place[9] = byte(n), byte(i)
				var h maphash.Hash
				h.SetSeed(fingerprintSeeds[k])
				_, _ = h.Write(place[:])
				_, _ = h.WriteString(v)
				f[k] = h.Sum64()
			}
		}
	}
	return f
}

// accepted returns the decision by which this Guard accepted this very request. A
// token that a handler has written another one over is verified anew.
func (p *pass) accepted() *carried {
	c, ok := p.ctx.Value(carriedKey{}).(*carried)
	for ok && c.by != p.guard { // another guard's, or planted for tests
		c, ok = c.Context.Value(carriedKey{}).(*carried)
	}
	if !ok || c.token == nil || c.facts.Sealed() && !facts.Whole(c.token) || c.about != p.about() {
		return nil
	}
	return c
}
