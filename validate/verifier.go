package validate

import (
	"context"
	"crypto"
)

// MaxToken is the longest token that is read, in bytes.
const MaxToken = 16 << 10

// Verifier judges the tokens of one issuer. Verify returns the validated token
// or an *Error; it never returns neither. A Verifier is safe for concurrent
// use, and everything that adds to it (a cache, routing) is one again.
type Verifier interface {
	Verify(ctx context.Context, raw string) (*Token, error)
}

// VerifierFunc is a function that is a Verifier.
type VerifierFunc func(ctx context.Context, raw string) (*Token, error)

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, raw string) (*Token, error) { return f(ctx, raw) }

// Key is one public key of an issuer, bound to one algorithm. Its identity
// within the issuer is its thumbprint (RFC 7638) and its algorithm. A Key is
// read-only, and a KeySource keeps the pointer as long as the key stays.
type Key struct {
	ID        string // kid, "" if the key has none
	Algorithm string // one of RS256 … Ed25519
	Public    crypto.PublicKey
	Issuer    string // the key's own issuer member, where a vendor shares one key set among tenants; "" if absent
}

// Explainer is a Verifier that can say what became of each of its rules.
type Explainer interface {
	Explain(ctx context.Context, raw string) ([]Finding, *Token)
}

// Revocation knows which tokens are revoked. It is asked for every valid token
// before it is accepted, so it has to be quick and safe for concurrent use. An
// error is answered 503, unless it is an *Error with a code of its own.
type Revocation interface {
	Revoked(ctx context.Context, t *Token) (bool, error)
}

// KeySource holds the keys of one issuer. It is safe for concurrent use.
type KeySource interface {
	// Keys returns the keys that may have signed a token with this kid and
	// alg: with a kid only exact matches, without ("") every fitting key, at
	// most four. An empty answer means that the issuer has no such key; an
	// error means that nobody knows, and is answered 503. Keys bounds its own
	// waiting, and stops it when ctx ends: that caller went away. What it waits
	// for should go on, because others wait for the same.
	Keys(ctx context.Context, kid, alg string) ([]*Key, error)
	// Live reports without locking whether the key still belongs to the set
	// and the set is not older than may be. It counts as a use of the set.
	Live(key *Key) bool
}
