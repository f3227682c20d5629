package validate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

// Profile says how closely an issuer's tokens follow RFC 9068.
type Profile string

// The profiles. The zero value is RFC9068.
const (
	// RFC9068 demands typ at+jwt and every claim that RFC 9068 §2.2 requires.
	RFC9068 Profile = "rfc9068"
	// Compat is for issuers that cannot: typ may be JWT or absent, client_id
	// may be azp, appid or cid, iat and jti may be missing. Whatever shows
	// that a token is of another kind still refuses it.
	Compat Profile = "compat"
)

// MaxLeeway is the largest clock difference that can be configured.
const MaxLeeway = 300 * time.Second

// DefaultLeeway is used where Config.Leeway is zero.
const DefaultLeeway = 60 * time.Second

// DefaultAlgorithms is the allow-list used where Config.Algorithms is nil.
// EdDSA and Ed25519 are one.
func DefaultAlgorithms() []string {
	return []string{"RS256", "PS256", "ES256", "ES384", "Ed25519"}
}

// ScopeClaim says where an issuer puts the scopes. The zero value is the
// string claim "scope" (RFC 9068 §2.2.3).
type ScopeClaim struct {
	Name  string // default "scope"
	Array bool   // an array of strings in place of one space-delimited string
}

// Config describes one issuer's JWT access tokens.
type Config struct {
	Issuer      string        // compared code point by code point with iss
	Audience    []string      // accepted values of aud, any of; required
	Keys        KeySource     // required
	Profile     Profile       // default RFC9068
	Algorithms  []string      // default DefaultAlgorithms
	Leeway      time.Duration // default 60 s, at most 300 s; negative is none
	MaxLifetime time.Duration // ceiling on exp - iat; 0 is none
	ScopeClaim  ScopeClaim
	Clock       func() time.Time // default time.Now
}

// prepare fills in the defaults and returns every fault at once.
func (c *Config) prepare() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Issuer == "" {
		fault("issuer is empty")
	}
	if c.Keys == nil {
		fault("issuer %q has no key source", c.Issuer)
	}
	if len(c.Audience) == 0 || slices.Contains(c.Audience, "") {
		fault("issuer %q needs at least one non-empty audience", c.Issuer)
	}
	switch c.Profile {
	case "":
		c.Profile = RFC9068
	case RFC9068, Compat:
	default:
		fault("issuer %q: profile %q is not rfc9068 or compat", c.Issuer, c.Profile)
	}
	if c.Algorithms == nil {
		c.Algorithms = DefaultAlgorithms()
	}
	if len(c.Algorithms) == 0 { // [JO-01]
		fault("issuer %q: the list of algorithms is empty", c.Issuer)
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	for i, alg := range c.Algorithms {
		if !jose.Known(alg) {
			fault("issuer %q: algorithm %q cannot be allowed", c.Issuer, alg)
		}
		c.Algorithms[i] = jose.Canonical(alg)
	}
	faults = append(faults, c.prepareTimes()...)
	if c.ScopeClaim.Name == "" {
		c.ScopeClaim.Name = "scope"
	}
	c.Audience = slices.Clone(c.Audience)
	return errors.Join(faults...)
}

func (c *Config) prepareTimes() (faults []error) {
	switch {
	case c.Leeway == 0:
		c.Leeway = DefaultLeeway
	case c.Leeway < 0:
		c.Leeway = 0
	case c.Leeway > MaxLeeway: // [CL-13]
		faults = append(faults, fmt.Errorf("issuer %q: leeway %v is above %v", c.Issuer, c.Leeway, MaxLeeway))
	}
	if c.MaxLifetime < 0 {
		faults = append(faults, fmt.Errorf("issuer %q: max lifetime is negative", c.Issuer))
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return faults
}
