package bearwardtest

import (
	"maps"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// Claims are what a test wants to say in a token. The zero value is a right
// token without scopes.
type Claims struct {
	Subject   string        // sub; default "user-1"
	ClientID  string        // client_id; default "client-1"
	Scope     string        // scope: names separated by one space; absent if empty
	Audience  []string      // aud; default the issuer's resource
	ID        string        // jti; default random
	ExpiresIn time.Duration // exp is the Clock's time and this, in whole seconds; default 5 min, negative has expired
	ACR       string        // acr; absent if empty
	AuthTime  time.Time     // auth_time, in whole seconds; absent if zero

	DPoP        *Client      // cnf.jkt: the token is bound to the client's key
	Certificate *Certificate // cnf.x5t#S256: the token is bound to the certificate

	// Extra holds further claims, or others in place of those above. Values
	// are encoded as JSON; times are NumericDates, seconds since 1970 as a
	// number: Clock.Now().Unix(). A nil value leaves the claim out.
	Extra map[string]any
}

// JWT returns a right access token (RFC 9068) with these claims, signed by the
// current key. At most one Claims is used.
func (i *Issuer) JWT(claims ...Claims) string {
	i.tb.Helper()
	return i.mint("", claims)
}

// Wrong returns a token that is wrong on purpose in one way. Kinds lists every
// kind and the code of its refusal; among them are
//
//	expired           not-yet-valid      issued-in-future
//	wrong-audience    wrong-issuer       id-token
//	alg-none          hs256-pem          hs256-jwk
//	bad-signature     wrong-key          unknown-kid
//	no-sub, no-exp …  type-sub, type-exp …
//	duplicate-claim   case-claim         crit
//	cnf-jkt           cnf-x5t            cnf-unknown
//	huge              deep               five-parts
//
// At most one Claims is used; what makes the token wrong wins over it.
func (i *Issuer) Wrong(kind string, claims ...Claims) string {
	i.tb.Helper()
	return i.mint(kind, claims)
}

// Opaque returns an access token that says nothing by itself: a guard has to
// ask the issuer what it means (RFC 7662), as guards of Config do. The issuer
// says what the claims say, true or not, as long as exp and nbf allow it; with
// a claim active in Extra it says that whenever it is asked. So a wrong answer
// is one with wrong claims:
//
//	iss.Opaque(Claims{Audience: []string{"https://other.example.test"}})
//	iss.Opaque(Claims{ExpiresIn: -time.Hour, Extra: map[string]any{"active": true}})
//
// The issuer also answers as the presets "curity" and "google-access" ask, the latter
// at /tokeninfo with the client_id as aud. At most one Claims is used.
func (i *Issuer) Opaque(claims ...Claims) string {
	i.tb.Helper()
	token, err := i.server.Opaque(i.members(one(i.tb, claims)))
	if err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
	return token
}

// Revoke makes a token inactive at the issuer. A guard that has accepted it
// goes on to do so until it asks again: advance the Clock by a minute, or Flush
// the token there. A JWT is asked about by guards that are told to, with Always
// or Every of bearward.Introspection.
func (i *Issuer) Revoke(token string) {
	i.tb.Helper()
	if err := i.server.Revoke(token); err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
}

func (i *Issuer) mint(kind string, claims []Claims) string {
	i.tb.Helper()
	token, err := i.server.Mint(kind, i.members(one(i.tb, claims)))
	if err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
	return token
}

func (i *Issuer) members(c Claims) map[string]any {
	m := i.server.Claims(c.Subject, c.Audience...)
	for name, text := range map[string]string{"client_id": c.ClientID, "scope": c.Scope, "jti": c.ID, "acr": c.ACR} {
		if text != "" {
			m[name] = text
		}
	}
	if c.ExpiresIn != 0 {
		m["exp"] = i.Clock.Now().Add(c.ExpiresIn).Unix()
	}
	if !c.AuthTime.IsZero() {
		m["auth_time"] = c.AuthTime.Unix()
	}
	if cnf := c.confirmation(); len(cnf) > 0 {
		m["cnf"] = cnf
	}
	maps.Copy(m, c.Extra)
	return m
}

func (c *Claims) confirmation() map[string]any {
	jkt, x5t := "", ""
	if c.DPoP != nil {
		jkt = c.DPoP.Thumbprint()
	}
	if c.Certificate != nil {
		x5t = c.Certificate.Thumbprint()
	}
	return issuer.Confirmation(jkt, x5t)
}

// Kind is a kind of token that Wrong returns, of proof that WrongProof returns, or of
// answer that SignedAnswer chooses.
type Kind struct {
	Name string
	What string // what is different from a right one
	// Code is why Guard refuses it, or "" for the few that are unusual and
	// right. A guard without introspection calls token_not_jwt what is
	// opaque_unassigned here.
	Code validate.Code
}

// Kinds returns every kind, so that a test can send each of them to an API.
func Kinds() []Kind {
	kinds := kindsOf(issuer.Variants())
	for n := range kinds {
		if kinds[n].Code == validate.ErrNotJWT {
			kinds[n].Code = validate.ErrOpaqueUnassigned // Guard knows opaque tokens, but not such
		}
	}
	return kinds
}

func kindsOf(variants []issuer.Variant) []Kind {
	out := make([]Kind, len(variants))
	for n, v := range variants {
		out[n] = Kind{Name: v.Name, What: v.What, Code: validate.Code(v.Code)}
	}
	return out
}
