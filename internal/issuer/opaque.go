package issuer

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// MaxTokens is how many opaque tokens, and how many revocations, a Server
// remembers.
const MaxTokens = 200_000

// book is what the live side remembers.
type book struct {
	opaque  map[string]members
	revoked map[[32]byte]struct{} // digests of JWTs
	jtis    map[[32]byte]struct{} // of client assertions
	last    Call
	leaks   int
	answer  string            // name of a signedAnswer
	kept    map[string]string // opaque tokens of kind opaque-kept, by what was asked for
}

func newBook() book {
	return book{opaque: map[string]members{}, revoked: map[[32]byte]struct{}{}, jtis: map[[32]byte]struct{}{}, kept: map[string]string{}}
}

// forms lists the fixed parts of opaque tokens; an empty one is random.
var forms = map[string][]string{
	"":           {""},
	"one-dot":    {"", ""},
	"two-dots":   {"", "", ""}, // as many as a JWT has, but no JSON
	"five-parts": {jose.Encode([]byte(`{"alg":"dir","enc":"A256GCM"}`)), "", "", "", ""},
}

// Opaque makes an access token that says nothing by itself, and remembers its
// claims for introspection. Members are as for Sign. They are answered as they
// are; exp and nbf decide whether the token is active, unless there is a claim
// active, which then is answered whatever it is.
func (s *Server) Opaque(claims map[string]any) (string, error) { return s.OpaqueAs("", claims) }

// OpaqueAs is Opaque for tokens of another form: "one-dot", "two-dots" or
// "five-parts".
func (s *Server) OpaqueAs(form string, claims map[string]any) (string, error) {
	fixed, ok := forms[form]
	if !ok {
		return "", fmt.Errorf("issuer: no form of token is named %q, there are %q", form, slices.Sorted(maps.Keys(forms)))
	}
	parts := slices.Clone(fixed)
	for i, text := range parts {
		if text == "" {
			var random [32]byte
			_, _ = rand.Read(random[:])
			parts[i] = jose.Encode(random[:])
		}
	}
	token := s.config.OpaquePrefix + strings.Join(parts, ".")
	kept := members{}
	forge.Merge(kept, claims, s.config.Now())
	if _, err := forge.JSON(kept); err != nil {
		return "", fmt.Errorf("issuer: claims: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.book.opaque) >= MaxTokens {
		return "", fmt.Errorf("issuer: %d opaque tokens are remembered already", MaxTokens)
	}
	s.book.opaque[token] = kept
	return token, nil
}

// Revoke makes a token inactive: one from Opaque, or a JWT.
func (s *Server) Revoke(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.book.opaque[token]; ok {
		delete(s.book.opaque, token)
		return nil
	}
	if len(s.book.revoked) >= MaxTokens {
		return fmt.Errorf("issuer: %d revoked tokens are remembered already", MaxTokens)
	}
	s.book.revoked[sha256.Sum256([]byte(token))] = struct{}{}
	return nil
}

// lookup returns the claims of an active token, nil for any other string.
func (s *Server) lookup(token string) members {
	s.mu.Lock()
	claims, opaque := s.book.opaque[token]
	_, revoked := s.book.revoked[sha256.Sum256([]byte(token))]
	s.mu.Unlock()
	if revoked {
		return nil
	}
	if !opaque {
		claims = s.ownClaims(token)
	}
	if claims == nil {
		return nil
	}
	if _, forced := claims["active"]; !forced && !current(claims, s.config.Now()) {
		return nil
	}
	return maps.Clone(claims)
}

// current compares exp and nbf, where they are numbers.
func current(claims members, now time.Time) bool {
	seconds := float64(now.UnixNano()) / 1e9
	exp, ends := number(claims["exp"])
	nbf, begins := number(claims["nbf"])
	return !(ends && exp <= seconds) && !(begins && nbf > seconds)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// ownClaims returns the claims of a JWT that this issuer signed as an access
// token, nil for any other string.
func (s *Server) ownClaims(token string) members {
	c, err := jose.Split(token)
	if err != nil {
		return nil
	}
	header, err := jose.ParseHeader(c.Header)
	if err != nil || header.Critical || !slices.Contains([]string{"", "jwt", "at+jwt", "application/at+jwt"}, strings.ToLower(header.Type)) {
		return nil
	}
	pub := s.publicKey(header)
	if pub == nil || verified(header.Algorithm, pub, c) != nil {
		return nil
	}
	raw, err := jose.Decode(c.Payload)
	if err != nil {
		return nil
	}
	claims := members{}
	if err := json.Unmarshal(raw, &claims); err != nil || claims["iss"] != s.url {
		return nil
	}
	delete(claims, "active")
	return claims
}
