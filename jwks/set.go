package jwks

import (
	"errors"
	"slices"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

const (
	// maxKeys is how many keys of a set are read.
	maxKeys = 100
	// maxCandidates is how many keys one token may be tried with.
	maxCandidates = 4
)

var errNoFit = errors.New("no key of the set fits the allowed algorithms")

// keySet is the usable keys of one issuer, prepared for lookup. It is never
// written after newSet; callers get slices without spare capacity.
type keySet struct {
	algorithms []string
	exact      map[lookup][]*validate.Key
	fitting    map[string][]*validate.Key
	kids       map[string]bool
	live       map[*validate.Key]bool
	known      map[identity]*validate.Key
}

var (
	_ validate.KeySource = (*Source)(nil)
	_ validate.KeySource = (*Fixed)(nil)
	_ validate.KeySource = (*FileSource)(nil)
)

type lookup struct{ kid, alg string }

// identity is what makes a key the same key in the next set.
type identity struct {
	thumbprint       [32]byte
	alg, kid, issuer string
}

// newSet binds keys to algorithms: a JWK with alg serves that one, a JWK
// without serves all allowed ones that fit. Keys that prev had keep their
// pointer, so that verdicts made with them stay valid.
func newSet(keys []jose.JWK, algorithms []string, prev *keySet) (*keySet, error) {
	s := &keySet{
		algorithms: algorithms,
		exact:      map[lookup][]*validate.Key{},
		fitting:    map[string][]*validate.Key{},
		kids:       map[string]bool{},
		live:       map[*validate.Key]bool{},
		known:      map[identity]*validate.Key{},
	}
	for _, jwk := range keys {
		for _, alg := range algorithms {
			if jwk.Algorithm != "" && jwk.Algorithm != alg { // [JO-06]
				continue
			}
			if jose.Fits(alg, jwk.Public) != nil { // [JK-11 JO-06]
				continue
			}
			s.add(jwk, alg, prev)
		}
	}
	if len(s.live) == 0 {
		return nil, errNoFit
	}
	return s, nil
}

func (s *keySet) add(jwk jose.JWK, alg string, prev *keySet) {
	id := identity{jwk.Thumbprint, alg, jwk.ID, jwk.Issuer}
	if s.known[id] != nil {
		return
	}
	key := &validate.Key{ID: jwk.ID, Algorithm: alg, Public: jwk.Public}
	key.Issuer = jwk.Issuer // [JK-22]
	if prev != nil && prev.known[id] != nil {
		key = prev.known[id]
	}
	s.known[id], s.live[key], s.kids[jwk.ID] = key, true, true
	at := lookup{jwk.ID, alg}
	if len(s.exact[at]) < maxCandidates { // [JK-11]
		s.exact[at] = slices.Clip(append(s.exact[at], key))
	}
	if len(s.fitting[alg]) < maxCandidates { // [JK-12]
		s.fitting[alg] = slices.Clip(append(s.fitting[alg], key))
	}
}

// find returns the keys for a token's kid and canonical alg.
func (s *keySet) find(kid, alg string) []*validate.Key {
	if kid == "" {
		return s.fitting[alg] // [JK-12]
	}
	return s.exact[lookup{kid, alg}]
}

// worthAsking reports whether a newer set could answer what find could not: a
// kid that is known with another algorithm, or an algorithm that is not
// allowed, causes no traffic.
func (s *keySet) worthAsking(kid, alg string) bool {
	return slices.Contains(s.algorithms, alg) && (kid == "" || !s.kids[kid])
}
