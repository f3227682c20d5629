package issuer

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/forge"
)

// signedAnswer is a kind of signed introspection answer.
type signedAnswer struct {
	Variant
	contentType string // in place of the right one
}

const (
	plainAnswer = "plain"
	unusable    = "introspection_invalid"
)

// signedAnswers are, but for the first two, wrong in one thing.
var signedAnswers = []signedAnswer{
	{Variant: Variant{Name: "valid", What: "a right answer"}},
	{Variant: Variant{Name: plainAnswer, What: "plain JSON, as of a server that does not sign; wrong where signatures are required"}},
	{Variant: Variant{Name: "wrong-typ", What: "typ is that of an access token", Code: unusable, header: members{"typ": "at+jwt"}}},
	{Variant: Variant{Name: "no-typ", What: "without typ", Code: unusable, header: members{"typ": nil}}},
	{Variant: Variant{Name: "wrong-iss", What: "iss is another server", Code: unusable, claims: members{"iss": "https://issuer.example.test"}}},
	{Variant: Variant{Name: "no-iss", What: "without iss", Code: unusable, claims: members{"iss": nil}}},
	{Variant: Variant{Name: "wrong-aud", What: "aud is another client", Code: unusable, claims: members{"aud": "client-9"}}},
	{Variant: Variant{Name: "no-aud", What: "without aud", Code: unusable, claims: members{"aud": nil}}},
	{Variant: Variant{Name: "no-iat", What: "without iat", Code: unusable, claims: members{"iat": nil}}},
	{Variant: Variant{Name: "future-iat", What: "iat is in an hour", Code: unusable, claims: members{"iat": hour}}},
	{Variant: Variant{Name: "type-iat", What: "iat is text", Code: unusable, claims: members{"iat": "now"}}},
	{Variant: Variant{Name: "no-member", What: "without token_introspection", Code: unusable, claims: members{"token_introspection": nil}}},
	{Variant: Variant{Name: "member-text", What: "token_introspection is text", Code: unusable, claims: members{"token_introspection": "active"}}},
	{Variant: Variant{Name: "member-array", What: "token_introspection is an array", Code: unusable, claims: members{"token_introspection": []any{members{"active": true}}}}},
	{Variant: Variant{Name: "active-outside", What: "active stands beside an empty token_introspection", Code: unusable, claims: members{"active": true, "token_introspection": members{}}}},
	{Variant: Variant{Name: "active-text", What: "active in token_introspection is text", Code: unusable, edit: activeText}},
	{Variant: Variant{Name: "duplicate", What: "iss stands twice", Code: unusable, edit: duplicateIssuer}},
	{Variant: Variant{Name: "bad-signature", What: "one bit of the signature is changed", Code: unusable, finish: flipped}},
	{Variant: Variant{Name: "wrong-key", What: "another key signed, under the kid of the right one", Code: unusable, edit: forge.StrangersKey}},
	{Variant: Variant{Name: "unknown-kid", What: "kid that the issuer does not publish", Code: unusable, header: members{"kid": "unknown-1"}}},
	{Variant: Variant{Name: "alg-none", What: "alg none, no signature", Code: unusable, header: members{"alg": "none"}, edit: forge.Unsigned}},
	{Variant: Variant{Name: "crit", What: "crit names an extension", Code: unusable, header: members{"crit": []string{"urn:example:extra"}, "urn:example:extra": true}}},
	{Variant: Variant{Name: "two-parts", What: "the signature and its dot are cut off", Code: unusable, finish: twoParts}},
	{Variant: Variant{Name: "json-type", What: "signed, but as application/json", Code: unusable}, contentType: jsonType},
	{Variant: Variant{Name: "jwt-type", What: "signed, but as application/jwt", Code: unusable}, contentType: jwtType},
}

// SignedAnswers returns every kind of signed introspection answer.
func SignedAnswers() []Variant {
	all := make([]Variant, 0, len(signedAnswers))
	for _, a := range signedAnswers {
		all = append(all, a.Variant)
	}
	return all
}

// Answer chooses the kind of signed introspection answers from now on, "valid"
// if it is empty. Answers are signed for clients that ask for it (RFC 9701).
func (s *Server) Answer(kind string) error {
	kind = cmp.Or(kind, signedAnswers[0].Name)
	if !slices.ContainsFunc(signedAnswers, func(a signedAnswer) bool { return a.Name == kind }) {
		var all []string
		for _, a := range signedAnswers {
			all = append(all, a.Name)
		}
		return fmt.Errorf("issuer: no kind of signed answer is named %q, there are: %s", kind, strings.Join(all, " "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.answer = kind
	return nil
}

func (s *Server) signing() signedAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(signedAnswers, func(a signedAnswer) bool { return a.Name == s.book.answer })
	return signedAnswers[max(i, 0)]
}

// answerSigned is RFC 9701 §5.
func (s *Server) answerSigned(w http.ResponseWriter, kind *signedAnswer, client string, answer members) {
	now := s.config.Now()
	forge.Merge(answer, liveFaults[s.broken(live)].members, now)
	token, err := s.mint(&kind.Variant, members{"typ": "token-introspection+jwt"}, members{
		"iss": s.url, "aud": client, "iat": now.Unix(), "token_introspection": answer,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.write(w, cmp.Or(kind.contentType, signedType), []byte(token))
}

func duplicateIssuer(d *draft) (err error) {
	d.RawClaims, err = forge.Repeated(d.Claims, "iss", "https://issuer.example.test")
	return err
}

func activeText(d *draft) error {
	if answer, ok := d.Claims["token_introspection"].(members); ok {
		answer["active"] = "true"
	}
	return nil
}
