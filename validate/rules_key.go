package validate

import (
	"errors"

	"github.com/bearward/bearward/internal/jose"
)

// maxCandidates is how many keys are tried for one token.
const maxCandidates = 4

var errNoKeyID = errors.New("the token has no kid and several keys fit")

// checkKey asks the issuer's own key source, never another one's (RFC 8725
// §3.8).
func checkKey(s *state) *Error {
	if s.header.HasKeyID && s.header.KeyID == "" {
		return refuseClaim(ErrKeyUnknown, "kid")
	}
	alg := jose.Canonical(s.header.Algorithm)
	keys, err := s.issuer.config.Keys.Keys(s.ctx, s.header.KeyID, alg)
	if err != nil {
		return keysUnavailable(err)
	}
	s.keys = s.tried[:0]
	for _, k := range keys {
		if fits(k, s.header.KeyID, alg) && s.keyOfIssuer(k) && len(s.keys) < maxCandidates {
			s.keys = append(s.keys, k)
		}
	}
	if len(s.keys) == 0 {
		return refuseClaim(ErrKeyUnknown, "kid")
	}
	if len(s.keys) > 1 && !s.header.HasKeyID {
		if refusal := s.deviates(ErrKeyAmbiguous, "kid"); refusal != nil { // [JK-12]
			refusal.Err = errNoKeyID
			return refusal
		}
	}
	return nil
}

// fits is asked at each use, because a key source may be anybody's: the kid is
// the one asked for and the key serves this algorithm.
func fits(k *Key, kid, alg string) bool {
	if k == nil || jose.Canonical(k.Algorithm) != alg { // [JO-06]
		return false
	}
	if kid != "" && k.ID != kid { // [JK-11]
		return false
	}
	return jose.Fits(alg, k.Public) == nil // [JO-08 JO-09]
}

// keysUnavailable is never the client's fault: nobody knows whether the key
// exists, or something is broken.
func keysUnavailable(err error) *Error {
	var known *Error
	if errors.As(err, &known) && known != nil {
		if class := known.Code.Class(); class == Unavailable || class == Internal {
			own := *known // the original is shared with everybody who waited
			return &own
		}
	}
	return refuseFor(ErrKeysUnavailable, err) // [JK-17 ER-23]
}

func checkSignature(s *state) *Error {
	if err := s.parts.SignatureErr; errors.Is(err, jose.ErrEncoding) {
		return refuseFor(ErrTokenMalformed, err)
	}
	for _, k := range s.keys {
		if jose.Verify(s.header.Algorithm, k.Public, jose.View(s.parts.Input), s.parts.Signature) == nil {
			s.key = k
			s.rememberHeader()
			return nil
		}
	}
	return refuse(ErrSignatureInvalid)
}
