package prove

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/url"
	"time"

	"github.com/bearward/bearward/internal/forge"
	"github.com/bearward/bearward/internal/jose"
)

// Claims are what one proof says (RFC 9449 §4.2).
type Claims struct {
	Method string    // htm; default GET
	URL    string    // htu, absolute; user, query and fragment are left out; required
	Token  string    // the access token, for ath; empty: none, as at a token endpoint
	Nonce  string    // of the server; absent if empty
	ID     string    // jti; default random
	Time   time.Time // iat, in whole seconds; default now
}

// Sign returns a proof with these claims.
func (k *Key) Sign(c Claims) (string, error) {
	d, err := draft(k.pair, c)
	if err != nil {
		return "", err
	}
	return d.JWS()
}

// draft is a right proof by a key before it is signed.
func draft(by *forge.Key, c Claims) (*forge.Draft, error) {
	target, err := target(c.URL)
	if err != nil {
		return nil, err
	}
	now := c.Time
	if now.IsZero() {
		now = time.Now()
	}
	d := &forge.Draft{
		Header: forge.Members{"typ": "dpop+jwt", "alg": by.Algorithm, "jwk": by.JWK()},
		Claims: forge.Members{
			"jti": cmp.Or(c.ID, rand.Text()),
			"htm": cmp.Or(c.Method, "GET"),
			"htu": target.String(),
			"iat": now.Unix(),
		},
		Now: now, Key: by,
	}
	if c.Token != "" {
		d.Claims["ath"] = digest(c.Token)
	}
	if c.Nonce != "" {
		d.Claims["nonce"] = c.Nonce
	}
	return d, nil
}

// target is what htu says of a URL.
func target(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("prove: %q is no absolute URL", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}, nil
}

// digest is the value of ath.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return jose.Encode(sum[:])
}
