package bearward

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/bearward/bearward/internal/same"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// shared is what an updated Guard may go on using of the one before: what learns
// while it is used. Everything else is made anew, and costs nothing.
type shared struct {
	keys       []*part[validate.KeySource]
	asked      []*part[*introspect.Verifier]
	proofs     *dpop.Verifier // the last one that there was; nil: none
	revocation validate.Revocation
}

// part is used by one or more Guards. The last of them closes it.
type part[T any] struct {
	value T
	own   bool // the program made it: it is closed with a Guard only
	uses  atomic.Int64
}

func newPart[T any](value T, own bool) *part[T] { return &part[T]{value: value, own: own} }

// use adds a Guard. The caller has one open that uses the part already, if it is
// not new.
func (p *part[T]) use() *use {
	p.uses.Add(1)
	return &use{end: func(faulty bool) error {
		if p.uses.Add(-1) > 0 || faulty && p.own {
			return nil
		}
		if c, ok := any(p.value).(io.Closer); ok {
			return c.Close()
		}
		return nil
	}}
}

// use is that of one Guard. It ends once, with the Guard, or with a configuration
// that is faulty.
type use struct {
	once sync.Once
	end  func(faulty bool) error
}

// Close is called by the Guard.
func (u *use) Close() (err error) {
	u.once.Do(func() { err = u.end(false) })
	return err
}

func (u *use) abandon() { u.once.Do(func() { _ = u.end(true) }) }

// usedKeys are a part of one Guard.
type usedKeys struct {
	middleware.Keys
	*use
}

func (k usedKeys) Close() error { return k.use.Close() }

// usedAnswers are a part of one Guard.
type usedAnswers struct {
	*introspect.Verifier
	use *use
}

func (a usedAnswers) Close() error { return a.use.Close() }

// abandon ends the uses of an issuer of a configuration that is refused.
func abandon(made middleware.Issuer) {
	if k, ok := made.Keys.(usedKeys); ok {
		k.abandon()
	}
	if a, ok := made.Introspection.(usedAnswers); ok {
		a.use.abandon()
	}
}

// source returns what fetches the keys by c: that of the Guard before, with its
// keys, if it would do just the same.
func (s *shared) source(c jwks.Config) (*part[validate.KeySource], error) {
	for _, p := range s.keys {
		if source, ok := p.value.(*jwks.Source); ok && !p.own && source.Serves(c) {
			return p, nil
		}
	}
	made, err := jwks.Remote(c)
	if err != nil {
		return nil, err
	}
	return newPart[validate.KeySource](made, false), nil
}

// given returns the part that is the program's own source of keys.
func given(keys validate.KeySource, among ...*part[validate.KeySource]) *part[validate.KeySource] {
	for _, p := range among {
		if p.own && same.Settings(&p.value, &keys) {
			return p
		}
	}
	return newPart(keys, true)
}

// verifier returns who is asked by c, as source does.
func (s *shared) verifier(c introspect.Config) (*part[*introspect.Verifier], error) {
	for _, p := range s.asked {
		if p.value.Serves(c) {
			return p, nil
		}
	}
	made, err := introspect.New(c)
	if err != nil {
		return nil, err
	}
	return newPart(made, false), nil
}

// judge returns what judges proofs by c, with the used ones of the Guard before.
func (s *shared) judge(c dpop.Config) (*dpop.Verifier, error) {
	if s.proofs == nil {
		return dpop.New(c)
	}
	return s.proofs.Renew(c)
}
