package bearwardtest

import (
	"net/http"
	"time"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
)

// Client is an OAuth client with a key of its own, to which its tokens are
// bound (DPoP, RFC 9449). It is safe for concurrent use. Its methods fail the test
// where they cannot do what they are asked for.
type Client struct {
	issuer *Issuer
	key    *prove.Key
}

// DPoP returns a client with a new key for ES256, or for another algorithm:
// ES384, ES512, RS256, PS256, Ed25519, EdDSA. At most one is used.
func (i *Issuer) DPoP(alg ...string) *Client {
	i.tb.Helper()
	key, err := prove.NewKey(one(i.tb, alg))
	if err != nil {
		i.tb.Fatalf("bearwardtest: %v", err)
	}
	return &Client{i, key}
}

// Thumbprint returns the thumbprint of the client's key, cnf.jkt in its tokens
// (RFC 9449 §6.1).
func (c *Client) Thumbprint() string { return c.key.Thumbprint() }

// JWT is Issuer.JWT for a token that is bound to the client's key.
func (c *Client) JWT(claims ...Claims) string {
	c.issuer.tb.Helper()
	return c.issuer.JWT(c.bound(claims))
}

// Opaque is Issuer.Opaque for a token that is bound to the client's key.
func (c *Client) Opaque(claims ...Claims) string {
	c.issuer.tb.Helper()
	return c.issuer.Opaque(c.bound(claims))
}

func (c *Client) bound(claims []Claims) Claims {
	c.issuer.tb.Helper()
	out := one(c.issuer.tb, claims)
	out.DPoP = c
	return out
}

// Proof is what a proof is for.
type Proof struct {
	Method string    // htm; default GET
	URL    string    // htu, as the client calls it; query and fragment are left out; required
	Token  string    // that the proof is sent with, for ath; left out if empty
	Nonce  string    // of the API, from its header DPoP-Nonce; left out if empty
	ID     string    // jti; default random
	Time   time.Time // iat, in whole seconds; default the Clock's
}

// Proof returns the value of the header DPoP for one request. It can be used
// once: a guard refuses it the second time.
func (c *Client) Proof(p Proof) string {
	c.issuer.tb.Helper()
	proof, err := c.key.Sign(c.claims(p))
	if err != nil {
		c.issuer.tb.Fatalf("bearwardtest: %v", err)
	}
	return proof
}

// WrongProof returns the values of the header DPoP with a proof that is wrong on
// purpose in one way: one value, none or two. ProofKinds lists every kind and
// the code of its refusal. A Proof needs URL and Token here.
//
//	r.Header["Dpop"] = client.WrongProof("htu-host", bearwardtest.Proof{URL: url, Token: token})
func (c *Client) WrongProof(kind string, p Proof) []string {
	c.issuer.tb.Helper()
	values, err := c.key.Wrong(kind, c.claims(p))
	if err != nil {
		c.issuer.tb.Fatalf("bearwardtest: %v", err)
	}
	return values
}

func (c *Client) claims(p Proof) prove.Claims {
	if p.Time.IsZero() {
		p.Time = c.issuer.Clock.Now()
	}
	return prove.Claims(p)
}

// ProofKinds returns every kind of proof, so that a test can send each of them
// to an API. The codes are those of a guard of Issuer.Config that demands no
// nonce.
func ProofKinds() []Kind {
	variants := prove.Variants()
	out := make([]Kind, len(variants))
	for n, v := range variants {
		out[n] = Kind{Name: v.Name, What: v.What, Code: validate.Code(v.Code)}
	}
	return out
}

// Transport returns a transport for an http.Client that sends the token with
// each request, and a proof of its own. It repeats a request once where the API
// asks for a nonce (RFC 9449 §9), and remembers the nonces that it is given. base
// sends the requests; nil: a transport that is closed when the test ends.
func (c *Client) Transport(token string, base http.RoundTripper) http.RoundTripper {
	if base == nil {
		own := &http.Transport{}
		c.issuer.tb.Cleanup(own.CloseIdleConnections)
		base = own
	}
	return &prove.Transport{Base: base, Key: c.key, Token: token, Now: c.issuer.Clock.Now}
}
