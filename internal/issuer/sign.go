package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for algorithms
	_ "crypto/sha512"
	"maps"
	"time"

	"github.com/go-json-experiment/json"
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

// Sign makes a token of these claims. The header's alg chooses the key, the
// issuer's first algorithm if it is absent; typ and kid are set unless given.
// A nil value in header or claims leaves the member out; for a JSON null use
// jsontext.Value("null").
func (s *Server) Sign(header, claims map[string]any) (string, error) {
	d, err := s.begun(header, claims)
	if err != nil {
		return "", err
	}
	return d.sign()
}

// SignBytes makes a token whose claims are these bytes, whatever they are.
func (s *Server) SignBytes(header map[string]any, claims []byte) (string, error) {
	d, err := s.begun(header, nil)
	if err != nil {
		return "", err
	}
	d.rawClaims = append([]byte{}, claims...)
	return d.sign()
}

// draft is a token before it is signed.
type draft struct {
	header, claims       map[string]any
	rawHeader, rawClaims []byte // if set, signed in place of the maps
	now                  time.Time
	key                  *key                              // whose kid and alg the header names
	respell              func(encodedClaims string) string // nil: as encoded
	signature            func(input []byte) ([]byte, error)
}

func (s *Server) begun(header, claims map[string]any) (*draft, error) {
	alg, _ := header["alg"].(string)
	k, err := s.signingKey(alg)
	if err != nil {
		return nil, err
	}
	d := &draft{
		header: map[string]any{"alg": k.alg, "typ": "at+jwt", "kid": k.id},
		claims: map[string]any{},
		now:    s.config.Now(),
		key:    k, signature: k.sign,
	}
	merge(d.header, header, d.now)
	merge(d.claims, claims, d.now)
	return d, nil
}

// after is a claim value: a NumericDate so far from now.
type after time.Duration

// merge copies members over to; a nil value removes one.
func merge(to, members map[string]any, now time.Time) {
	maps.Copy(to, members)
	for name, value := range members {
		switch v := value.(type) {
		case nil:
			delete(to, name)
		case after:
			to[name] = now.Add(time.Duration(v)).Unix()
		}
	}
}

func (d *draft) sign() (string, error) {
	header, err := bytesOf(d.rawHeader, d.header)
	if err != nil {
		return "", err
	}
	claims, err := bytesOf(d.rawClaims, d.claims)
	if err != nil {
		return "", err
	}
	encoded := encode(claims)
	if d.respell != nil {
		encoded = d.respell(encoded)
	}
	input := encode(header) + "." + encoded
	signature, err := d.signature([]byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + encode(signature), nil
}

func bytesOf(raw []byte, members map[string]any) ([]byte, error) {
	if raw != nil {
		return raw, nil
	}
	return json.Marshal(members, json.Deterministic(true))
}

// sign makes the signature of RFC 7518 §3.3 to §3.5 or RFC 8037 §3.1.
func (k *key) sign(input []byte) ([]byte, error) {
	hash := algorithms[k.alg].hash
	digest := input
	if hash != 0 {
		h := hash.New()
		h.Write(input)
		digest = h.Sum(nil)
	}
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		if k.alg == "PS256" {
			return rsa.SignPSS(rand.Reader, private, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(nil, private, hash, digest)
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest)
		if err != nil {
			return nil, err
		}
		size := (private.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	default:
		return k.private.(ed25519.PrivateKey).Sign(nil, input, crypto.Hash(0))
	}
}
