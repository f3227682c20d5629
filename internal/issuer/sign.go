package issuer

import (
	"crypto/rand"
	"time"

	"github.com/bearward/bearward/internal/forge"
)

// Lifetime is how long a token is valid unless its claims say otherwise.
const Lifetime = 5 * time.Minute

// Claims returns the claims that RFC 9068 §2.2 requires: iss, sub, aud, exp,
// iat, jti and client_id. An empty subject is "user-1"; without an audience it
// is the configured one.
func (s *Server) Claims(subject string, audience ...string) map[string]any {
	if subject == "" {
		subject = "user-1"
	}
	var aud any = s.config.Audience
	switch len(audience) {
	case 0:
	case 1:
		aud = audience[0]
	default:
		aud = audience
	}
	now := s.config.Now()
	return map[string]any{
		"iss":       s.url,
		"sub":       subject,
		"aud":       aud,
		"exp":       now.Add(Lifetime).Unix(),
		"iat":       now.Unix(),
		"jti":       rand.Text(),
		"client_id": "client-1",
	}
}

// Confirmation returns a claim cnf that binds a token to the key with the
// thumbprint jkt (RFC 9449 §6.1), to the certificate with the thumbprint x5t
// (RFC 8705 §3.1), or to both; an empty one is left out.
func Confirmation(jkt, x5t string) map[string]any {
	cnf := members{}
	if jkt != "" {
		cnf["jkt"] = jkt
	}
	if x5t != "" {
		cnf["x5t#S256"] = x5t
	}
	return cnf
}

// Sign makes a token of these claims. The header's alg chooses the key, the
// issuer's first algorithm if it is absent; typ and kid are set unless given.
// A nil value in header or claims leaves the member out; for a JSON null use
// jsontext.Value("null").
func (s *Server) Sign(header, claims map[string]any) (string, error) {
	d, err := s.begun(header, claims)
	if err != nil {
		return "", err
	}
	return d.JWS()
}

// SignBytes makes a token whose claims are these bytes, whatever they are.
func (s *Server) SignBytes(header map[string]any, claims []byte) (string, error) {
	d, err := s.begun(header, nil)
	if err != nil {
		return "", err
	}
	d.RawClaims = append([]byte{}, claims...)
	return d.JWS()
}

// draft is a token before it is signed.
type draft = forge.Draft

func (s *Server) begun(header, claims map[string]any) (*draft, error) {
	alg, _ := header["alg"].(string)
	k, err := s.signingKey(alg)
	if err != nil {
		return nil, err
	}
	d := &draft{
		Header: members{"alg": k.Algorithm, "typ": "at+jwt", "kid": k.id}, Claims: members{},
		Now: s.config.Now(), Key: k.Key,
	}
	d.Merge(header, claims)
	return d, nil
}
