package issuer

import "github.com/bearward/bearward/internal/forge"

// JWK is a public key as published (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
type JWK struct {
	KeyType   string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	Modulus   string `json:"n,omitempty"`
	Exponent  string `json:"e,omitempty"`
}

// JWKS returns the published keys, the oldest first.
func (s *Server) JWKS() []JWK {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := make([]JWK, 0, len(s.keys.published))
	for _, k := range s.keys.published {
		set = append(set, jwk(k.Key, k.id))
	}
	return set
}

// jwk is the public half of a key under an id.
func jwk(k *forge.Key, id string) JWK {
	out := JWK{ID: id, Use: "sig", Algorithm: k.Algorithm}
	material := k.JWK()
	for name, field := range map[string]*string{
		"kty": &out.KeyType, "crv": &out.Curve, "x": &out.X, "y": &out.Y, "n": &out.Modulus, "e": &out.Exponent,
	} {
		*field, _ = material[name].(string)
	}
	return out
}
