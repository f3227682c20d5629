package validate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bearward/bearward/internal/jose"

	"github.com/bearward/bearward/internal/facts"
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

	Preset     string   // name of a Preset, whose habits are the defaults of what is not set; default "generic"
	RolesClaim string   // where the roles are, see ListClaim.Path; default the preset's
	ClientIDs  []string // the clients whose tokens are accepted; empty: any. With some presets in place of a missing aud
	Tenants    []string // with {tenantid} in Issuer: the accepted tenants, or "any" alone

	// Require lists the accepted values of further claims, beside the preset's:
	// every claim named here must be a string and one of its values. For what
	// a claim is called see ListClaim.Path.
	Require map[string][]string

	// TrustServer accepts introspection answers without aud, because the
	// server answers each caller only about tokens that are meant for it. An
	// aud that is present must match all the same. It means nothing for JWTs.
	TrustServer bool

	answers bool // it judges introspection answers, not JWTs
	habits  Preset
	maker   facts.Verifier // of its tokens
	tenant  template
	demands []Mark // Require
}

// prepare fills in the defaults and returns every fault at once.
func (c *Config) prepare() error {
	faults := []error{c.preparePreset()}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Issuer == "" {
		fault("issuer is empty")
	}
	substituted := c.habits.ClientsForAud && len(c.ClientIDs) > 0
	if len(c.Audience) == 0 && !substituted && !c.TrustServer || slices.Contains(c.Audience, "") {
		fault("issuer %q needs at least one non-empty audience", c.Issuer)
	}
	if slices.Contains(c.ClientIDs, "") {
		fault("issuer %q: a client id is empty", c.Issuer)
	}
	switch c.Profile {
	case "":
		c.Profile = RFC9068
	case RFC9068, Compat:
	default:
		fault("issuer %q: profile %q is not rfc9068 or compat", c.Issuer, c.Profile)
	}
	c.Audience, c.ClientIDs = slices.Clone(c.Audience), slices.Clone(c.ClientIDs)
	faults = append(faults, c.prepareTenants(), c.prepareDemands())
	habits := c.habits
	c.maker = facts.Verifier{Home: c.Issuer, Habits: &habits}
	return errors.Join(append(faults, c.prepareTimes()...)...)
}

// preparePreset fills in what the preset says and the configuration does not.
func (c *Config) preparePreset() (err error) {
	if c.habits, err = presetOf(c.Preset); err != nil {
		return fmt.Errorf("issuer %q: %w", c.Issuer, err)
	}
	if c.Profile == "" {
		c.Profile = c.habits.Profile
	}
	if c.ScopeClaim == (ScopeClaim{}) && !c.answers {
		c.ScopeClaim = c.habits.Scope // [AZ-04]
	}
	if c.ScopeClaim.Name == "" {
		c.ScopeClaim.Name = "scope"
	}
	if c.RolesClaim != "" {
		c.habits.Roles.Path = c.RolesClaim
	}
	err = c.checkForm()
	c.habits.Require = c.concerning(c.habits.Require)
	c.habits.Client = c.concerning(c.habits.Client)
	c.habits.Traps = slices.DeleteFunc(slices.Clone(c.habits.Traps), func(t Trap) bool { return !t.Sign.concerns(c) })
	return err
}

// concerning returns those of the marks that mean anything here.
func (c *Config) concerning(marks []Mark) []Mark {
	return slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool { return !m.concerns(c) })
}

// prepareSignatures is the part of the configuration that only JWTs need.
func (c *Config) prepareSignatures() error {
	var faults []error
	if c.Keys == nil {
		faults = append(faults, fmt.Errorf("issuer %q has no key source", c.Issuer))
	}
	if c.Algorithms == nil {
		c.Algorithms = DefaultAlgorithms()
	}
	if len(c.Algorithms) == 0 { // [JO-01]
		faults = append(faults, fmt.Errorf("issuer %q: the list of algorithms is empty", c.Issuer))
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	for i, alg := range c.Algorithms {
		if !jose.Known(alg) {
			faults = append(faults, fmt.Errorf("issuer %q: algorithm %q cannot be allowed", c.Issuer, alg))
		}
		c.Algorithms[i] = jose.Canonical(alg)
	}
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
