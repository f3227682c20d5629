package jwks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

// Fixed is a set of given keys. It is a validate.KeySource.
type Fixed struct{ set *keySet }

// Static returns a source of the given keys. Each needs an Algorithm that fits
// it; ID may be empty. It reports all faults at once.
func Static(keys ...validate.Key) (*Fixed, error) {
	var (
		jwks   []jose.JWK
		algs   []string
		faults []error
	)
	for i, key := range keys {
		alg := jose.Canonical(key.Algorithm)
		if err := jose.Fits(alg, key.Public); err != nil { // [JK-23 JO-06]
			faults = append(faults, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		thumbprint, err := jose.Thumbprint(key.Public)
		if err != nil {
			faults = append(faults, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		jwks = append(jwks, jose.JWK{ID: key.ID, Algorithm: alg, Public: key.Public, Issuer: key.Issuer, Thumbprint: thumbprint})
		if !slices.Contains(algs, alg) {
			algs = append(algs, alg)
		}
	}
	if len(keys) == 0 {
		faults = append(faults, jose.ErrEmptySet)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return newFixed(jwks, algs)
}

// StaticSet returns a source of the keys of a JWK Set, with the same rules as
// for a fetched one; private keys in it are an error. algorithms is the
// allow-list, nil for validate.DefaultAlgorithms.
func StaticSet(doc string, algorithms []string) (*Fixed, error) {
	algs, err := allowList(algorithms)
	if err != nil {
		return nil, err
	}
	keys, skipped, err := jose.ParseSet(doc, maxKeys)
	for _, s := range skipped {
		if s.Private { // [JK-09]
			return nil, fmt.Errorf("key %d: %w", s.Index, s.Err)
		}
	}
	if err != nil {
		return nil, err
	}
	return newFixed(keys, algs)
}

func newFixed(keys []jose.JWK, algorithms []string) (*Fixed, error) {
	set, err := newSet(keys, algorithms, nil)
	if err != nil {
		return nil, err
	}
	return &Fixed{set}, nil
}

// Keys never fails and never waits.
func (f *Fixed) Keys(_ context.Context, kid, alg string) ([]*validate.Key, error) {
	return f.set.find(kid, jose.Canonical(alg)), nil
}

// Live reports whether key is one of the set's.
func (f *Fixed) Live(key *validate.Key) bool { return f.set.live[key] }

// Health says how many keys there are.
func (f *Fixed) Health() Health { return Health{Loaded: true, Keys: len(f.set.live)} }

// Load has nothing to do.
func (f *Fixed) Load(context.Context) error { return nil }

// Close has nothing to do.
func (f *Fixed) Close() error { return nil }
