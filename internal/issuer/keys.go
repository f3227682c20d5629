package issuer

import (
	"crypto"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// key is one signing key.
type key struct {
	*forge.Key

	id string
}

func newKey(alg, id string) (*key, error) {
	made, err := forge.NewKey(alg)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	return &key{made, id}, nil
}

// keyRing holds what is published and, by algorithm, what signs.
type keyRing struct {
	generation int
	signing    map[string]*key
	published  []*key
}

func (k *keyRing) rotate(algs []string) error {
	next := map[string]*key{}
	for _, alg := range algs {
		id := strings.ToLower(alg) + "-" + strconv.Itoa(k.generation+1)
		made, err := newKey(alg, id)
		if err != nil {
			return err
		}
		next[alg] = made
	}
	for _, alg := range algs {
		k.published = append(k.published, next[alg])
	}
	k.signing = next
	k.generation++
	return nil
}

// Rotate makes a new signing key for each algorithm. The old ones stay
// published until Remove.
func (s *Server) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.rotate(s.config.Algorithms)
}

// Remove withdraws the keys with these kids, or, without any, all that no
// longer sign. A signing key that is withdrawn goes on signing.
func (s *Server) Remove(kids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.published = slices.DeleteFunc(s.keys.published, func(k *key) bool {
		if len(kids) == 0 {
			return s.keys.signing[k.Algorithm] != k
		}
		return slices.Contains(kids, k.id)
	})
}

// KeyID returns the kid of the key that signs with alg, or with the first
// algorithm if alg is empty; "" if there is none.
func (s *Server) KeyID(alg string) string {
	k, err := s.signingKey(alg)
	if err != nil {
		return ""
	}
	return k.id
}

func (s *Server) signingKey(alg string) (*key, error) {
	if alg == "" {
		alg = s.config.Algorithms[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys.signing[alg]; k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("issuer: no key for algorithm %q, there are %q", alg, s.config.Algorithms)
}

// Key returns the public half of the key that signs with alg, nil if there is
// none.
func (s *Server) Key(alg string) crypto.PublicKey {
	k, err := s.signingKey(alg)
	if err != nil {
		return nil
	}
	return k.Private.Public()
}

// publicKey returns the issuer's own key that a header names, published or
// withdrawn and still signing.
func (s *Server) publicKey(header jose.Header) crypto.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := slices.AppendSeq(slices.Clone(s.keys.published), maps.Values(s.keys.signing))
	i := slices.IndexFunc(own, func(k *key) bool {
		return k.id == header.KeyID && jose.Canonical(k.Algorithm) == jose.Canonical(header.Algorithm)
	})
	if i < 0 {
		return nil
	}
	return own[i].Private.Public()
}
