package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bearward/bearward/internal/jose"
)

// algorithm says how keys of a signature algorithm are made and hashed.
type algorithm struct {
	hash     crypto.Hash
	generate func() (crypto.Signer, error)
}

var algorithms = map[string]algorithm{
	"RS256":   {crypto.SHA256, generateRSA},
	"PS256":   {crypto.SHA256, generateRSA},
	"ES256":   {crypto.SHA256, generateEC(elliptic.P256())},
	"ES384":   {crypto.SHA384, generateEC(elliptic.P384())},
	"ES512":   {crypto.SHA512, generateEC(elliptic.P521())},
	"Ed25519": {0, generateEd25519},
	"EdDSA":   {0, generateEd25519},
}

func generateRSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func generateEC(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

func generateEd25519() (crypto.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

// key is one signing key.
type key struct {
	id, alg string
	private crypto.Signer
}

func newKey(alg, id string) (*key, error) {
	private, err := algorithms[alg].generate()
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	return &key{id: id, alg: alg, private: private}, nil
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
			return s.keys.signing[k.alg] != k
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
	return k.private.Public()
}

// publicKey returns the issuer's own key that a header names, published or
// withdrawn and still signing.
func (s *Server) publicKey(header jose.Header) crypto.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := slices.AppendSeq(slices.Clone(s.keys.published), maps.Values(s.keys.signing))
	i := slices.IndexFunc(own, func(k *key) bool {
		return k.id == header.KeyID && jose.Canonical(k.alg) == jose.Canonical(header.Algorithm)
	})
	if i < 0 {
		return nil
	}
	return own[i].private.Public()
}
