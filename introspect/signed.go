package introspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
	"github.com/bearward/bearward/validate"
)

const (
	signedType = "application/token-introspection+jwt"

	// maxSignedAge is how old the iat of a signed answer may be.
	maxSignedAge = 5 * time.Minute
	// maxCandidates is how many keys are tried, as for a token.
	maxCandidates = 4
)

var (
	errSigned          = errors.New("the signed answer is not a JWT that is understood")
	errSignedType      = errors.New("the signed answer's typ is not token-introspection+jwt")
	errSignedAlgorithm = errors.New("the signed answer's algorithm is not accepted")
	errSignedKey       = errors.New("the issuer publishes no key that fits the signed answer")
	errSignedKeys      = errors.New("the issuer's keys are not known, so the signed answer cannot be verified")
	errSignature       = errors.New("the signed answer's signature does not verify")
	errSignedClaims    = errors.New("the signed answer lacks a claim or has one of a wrong type")
	errSignedIssuer    = errors.New("the signed answer's iss is another issuer")
	errSignedAudience  = errors.New("the signed answer's aud is not us: see SignedAudience")
	errSignedTime      = errors.New("the signed answer's iat or exp is out of range")
)

// signed verifies signed answers (RFC 9701 §5).
type signed struct {
	issuer     string
	audience   []string
	algorithms []string
	keys       validate.KeySource
	leeway     time.Duration
	clock      func() time.Time
}

// newSigned expects a Config that was prepared.
func newSigned(c Config, leeway time.Duration) *signed {
	return &signed{
		issuer: c.Token.Issuer, audience: c.SignedAudience, algorithms: c.Token.Algorithms,
		keys: c.Token.Keys, leeway: leeway, clock: c.Token.Clock,
	}
}

// read returns the answer inside of body. Its errors concern the answer and
// never the token that was asked about.
func (s *signed) read(ctx context.Context, body string) (reply, error) {
	parts, err := jose.Split(body)
	if err != nil {
		return reply{}, errSigned
	}
	header, err := jose.ParseHeader(parts.Header)
	if err != nil || header.Critical { // [IN-19]
		return reply{}, errSigned
	}
	if typeOf(header.Type) != signedType { // [IN-19]
		return reply{}, errSignedType
	}
	if !slices.Contains(s.algorithms, jose.Canonical(header.Algorithm)) { // [IN-19]
		return reply{}, errSignedAlgorithm
	}
	inner, err := s.claims(parts.Payload)
	if err != nil {
		return reply{}, err
	}
	if err := s.verify(ctx, parts, header); err != nil { // [IN-19]
		return reply{}, err
	}
	return readAnswer(inner)
}

// typeOf is the media type that typ means (RFC 7515 §4.1.9).
func typeOf(typ string) string {
	typ = strings.ToLower(typ)
	if strings.Contains(typ, "/") {
		return typ
	}
	return "application/" + typ
}

// signedClaims is what is read of the outer claims. The members that describe
// the token are inside of token_introspection.
type signedClaims struct {
	issuer, inner     string
	audience          []string
	issuedAt, expires time.Time
	hasExpiresAt      bool
}

// claims checks the outer claims and returns the object inside.
func (s *signed) claims(payload string) (string, error) {
	raw, err := jose.DecodeText(payload)
	if err != nil {
		return "", errSigned
	}
	c, err := readSignedClaims(raw)
	if err != nil {
		return "", err
	}
	if c.issuer != s.issuer { // [IN-19]
		return "", errSignedIssuer
	}
	if !slices.ContainsFunc(c.audience, func(have string) bool { return slices.Contains(s.audience, have) }) { // [IN-19]
		return "", errSignedAudience
	}
	now := s.clock()
	if c.issuedAt.After(now.Add(s.leeway)) { // [IN-19]
		return "", errSignedTime
	}
	if c.issuedAt.Before(now.Add(-maxSignedAge - s.leeway)) { // [IN-19] as is one without iat
		return "", errSignedTime
	}
	if c.hasExpiresAt && !now.Before(c.expires.Add(s.leeway)) { // [IN-19]
		return "", errSignedTime
	}
	if c.inner == "" { // [IN-19]
		return "", errSignedClaims
	}
	return c.inner, nil
}

func readSignedClaims(raw string) (signedClaims, error) {
	var c signedClaims
	r := strictjson.Open(raw)
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "iss":
			c.issuer = r.Text()
		case "aud":
			c.audience = r.TextOrTexts()
		case "iat":
			c.issuedAt = r.Date()
		case "exp":
			c.expires, c.hasExpiresAt = r.Date(), true
		case "token_introspection":
			c.inner = r.Object()
		}
	}
	if r.Err() != nil { // [IN-19]
		return signedClaims{}, errSignedClaims
	}
	return c, nil
}

// verify asks the issuer's own keys, by the rules that hold for its tokens.
func (s *signed) verify(ctx context.Context, parts jose.Compact, header jose.Header) error {
	if header.HasKeyID && header.KeyID == "" {
		return errSignedKey
	}
	alg := jose.Canonical(header.Algorithm)
	signature, err := jose.Decode(parts.Signature)
	if err != nil {
		return errSigned
	}
	keys, err := s.keys.Keys(ctx, header.KeyID, alg)
	if err != nil {
		return fmt.Errorf("%w: %w", errSignedKeys, err)
	}
	tried := 0
	for _, k := range keys {
		if !fits(k, header.KeyID, alg) || tried == maxCandidates {
			continue
		}
		tried++
		if jose.Verify(alg, k.Public, []byte(parts.Input), signature) == nil {
			return nil
		}
	}
	if tried == 0 {
		return errSignedKey
	}
	return errSignature
}

// fits is asked at each use, because a key source may be anybody's.
func fits(k *validate.Key, kid, alg string) bool {
	if k == nil || jose.Canonical(k.Algorithm) != alg {
		return false
	}
	if kid != "" && k.ID != kid { // [IN-19]
		return false
	}
	return jose.Fits(alg, k.Public) == nil
}
