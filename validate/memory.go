package validate

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/bearward/bearward/internal/jose"
)

// Memory remembers tokens that were verified, so that the next request with the
// same one costs a digest in place of a signature: package cache has one. It is
// asked for nothing but that; everything that can change is judged again on each
// request. It belongs to one router, and is safe for concurrent use.
type Memory interface {
	// Get returns the token with this SHA-256, or nil.
	Get(digest [sha256.Size]byte) *Token
	// Share runs verify, once for all who ask about one digest at the same time,
	// and remembers a token that it returns. A caller's context ends its own
	// waiting only.
	Share(ctx context.Context, digest [sha256.Size]byte, verify func(context.Context) (*Token, error)) (*Token, error)
	// Drop forgets a token that is no longer good.
	Drop(digest [sha256.Size]byte)
}

// Remember lets the router use what m remembers of JWTs. It has to be called
// before the router is used or narrowed. Tokens of verifiers that are not ours,
// and those that an issuer is asked about, are never remembered there.
func (i *Issuers) Remember(m Memory) { i.memory = m }

// recall returns a remembered token with this digest, if nothing that its
// validity rests on has changed since: the same verifier would judge it, and its
// signing key is still one of its issuer's.
func (i *Issuers) recall(digest [sha256.Size]byte) (*Token, *Leaf) {
	t := i.memory.Get(digest)
	if t == nil {
		return nil, nil
	}
	var leaf *Leaf
	if t.sealed() {
		leaf = i.byURL[t.made.facts.Home()]
	}
	if leaf != nil {
		if j, ok := leaf.JWT.(*JWT); ok && t.made.facts.By == &j.config.maker && j.config.live(t) { // [CA-01 JK-18]
			return t, leaf
		}
	}
	i.memory.Drop(digest)
	return nil, nil
}

// live reports that the key that verified t still belongs to the issuer.
func (c *Config) live(t *Token) bool {
	return t.made.facts.Signed && c.Keys.Live(t.made.key)
}

// remembered verifies a token whose digest is not known, together with whoever
// asks about the same one now.
func (i *Issuers) remembered(s *state, j *JWT, digest [sha256.Size]byte) (*Token, error) {
	t, err := i.memory.Share(s.ctx, digest, func(ctx context.Context) (*Token, error) {
		if t, _ := i.recall(digest); t != nil { // it was remembered meanwhile
			return t, nil
		}
		s.ctx = ctx
		t, err := j.apply(s, signed)
		if t != nil {
			t.made.facts.Digest, t.made.facts.Digested = digest, true
		}
		return t, err
	})
	if t != nil && (t.made == nil || t.made.facts.By != &j.config.maker) { // [CA-01] a memory that another router uses too
		return nil, &Error{Code: ErrInternal, Err: errForeignVerdict}
	}
	return t, err
}

var errForeignVerdict = errors.New("another verifier judged the token: a memory belongs to one router")

// digestOf is asked for once per request, and for no token that is too long to
// be one.
func digestOf(raw string) (sum [sha256.Size]byte) { return sha256.Sum256(jose.View(raw)) }
