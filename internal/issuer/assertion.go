package issuer

import (
	"crypto"
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/internal/strictjson"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionLife = time.Hour // the longest that is accepted
	maxJTIs       = 10_000    // counted
)

// Assertions returns how many client assertions with a jti of their own were
// accepted, up to 10,000. One may be used until it expires.
func (s *Server) Assertions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.book.jtis)
}

// proof is the claims of a client assertion (RFC 7523 §3).
type proof struct {
	issuer, subject, id          string
	audience                     []string
	expires, issued, notBeforeAt time.Time
}

// assertion checks private_key_jwt.
func (s *Server) assertion(form url.Values) (Call, bool) {
	c, err := jose.Split(form.Get("client_assertion"))
	if err != nil || form.Get("client_assertion_type") != assertionType {
		return Call{}, false
	}
	header, err := jose.ParseHeader(c.Header)
	if err != nil || header.Critical || !slices.Contains([]string{"", "jwt", "client-authentication+jwt"}, strings.ToLower(header.Type)) {
		return Call{}, false
	}
	p, err := readProof(c.Payload)
	if err != nil || p.issuer != p.subject || p.id == "" || !p.current(s.config.Now()) {
		return Call{}, false
	}
	call, ok := s.one(func(client Client) bool {
		return client.Key != nil && client.ID == p.subject && verified(header.Algorithm, client.Key, c) == nil
	})
	accepted := slices.IndexFunc(p.audience, s.names)
	if !ok || accepted < 0 {
		return Call{}, false
	}
	call.Audience = p.audience[accepted]
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.book.jtis) < maxJTIs {
		s.book.jtis[sha256.Sum256([]byte(p.subject+"\x00"+p.id))] = struct{}{}
	}
	return call, true
}

// names reports whether an assertion for this audience is for this server.
func (s *Server) names(audience string) bool {
	origin := strings.TrimSuffix(s.url, s.config.Path)
	return slices.Contains([]string{s.url, origin + introspectionPath, origin + revocationPath, origin + tokenPath}, audience)
}

func readProof(part string) (proof, error) {
	text, err := jose.DecodeText(part)
	if err != nil {
		return proof{}, err
	}
	r := strictjson.Open(text)
	var p proof
	for name, ok := r.Next(); ok; name, ok = r.Next() {
		switch name {
		case "iss":
			p.issuer = r.Text()
		case "sub":
			p.subject = r.Text()
		case "jti":
			p.id = r.Text()
		case "aud":
			p.audience = r.TextOrTexts()
		case "exp":
			p.expires = r.Date()
		case "iat":
			p.issued = r.Date()
		case "nbf":
			p.notBeforeAt = r.Date()
		}
	}
	return p, r.Err()
}

// current allows the client's clock to be a minute ahead.
func (p *proof) current(now time.Time) bool {
	ahead := now.Add(time.Minute)
	return p.expires.After(now) && p.expires.Before(now.Add(assertionLife)) &&
		!p.issued.After(ahead) && !p.notBeforeAt.After(ahead)
}

// verified checks the signature of a JWS.
func verified(alg string, pub crypto.PublicKey, c jose.Compact) error {
	signature, err := jose.Decode(c.Signature)
	if err != nil {
		return err
	}
	if err := jose.Fits(alg, pub); err != nil {
		return err
	}
	return jose.Verify(alg, pub, []byte(c.Input), signature)
}
