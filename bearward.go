package bearward

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/bearward/bearward/internal/shares"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
)

// Config describes the API and the issuers whose tokens it accepts. The zero
// value of every field is the strict choice.
type Config struct {
	// Resource is this API's identifier: the audience that tokens must name,
	// the resource of its metadata document (RFC 9728) and the realm of its
	// challenges, unless told otherwise.
	Resource string
	Issuers  []Issuer // at least one

	// Cache remembers verified JWTs, so that a repeated one costs no signature: on
	// unless Disabled. Time, revocation, possession and policy are judged on
	// every request, and an entry dies with its signing key.
	Cache cache.Config

	// DPoP accepts tokens that are bound to a key (RFC 9449), with their proof;
	// nil: the scheme DPoP is not offered, and such tokens are refused.
	DPoP *dpop.Config
	// PublicURLs are the URLs under which clients reach this API: an origin
	// each, and the prefix that a proxy took off the path. Proofs name them. The
	// Host header, or that of a trusted proxy, picks one; a single one always
	// applies. Without any, Host itself is believed on loopback only.
	PublicURLs []string
	// TrustedProxies may forward what they saw of the client, in the headers
	// that Forwarded and ClientCertHeader name and in no other.
	TrustedProxies []netip.Prefix
	// Forwarded is the family of headers that has scheme and host of the
	// client's request; default none.
	Forwarded middleware.Forwarded
	// ClientCertHeader is the header with the client's certificate, for tokens
	// that are bound to one (RFC 8705); by default only that of the connection
	// counts.
	ClientCertHeader mtls.Header
	// FAPI holds everything to the FAPI 2.0 Security Profile: every token is
	// sender-constrained, PS256, ES256 and Ed25519 are the only algorithms, and
	// something must tell whether tokens were revoked.
	FAPI bool

	// ReportOnly lets pass what any policy refuses, without token and
	// credentials, and reports it to Observer and Logger: to find out what would
	// be refused before it is. What no policy covers, and what is broken here, is
	// refused all the same. Policy.ReportOnly does it for one route.
	ReportOnly bool

	Realm      string // of challenges; default Resource
	NoMetadata bool   // no metadata document and no resource_metadata in challenges

	// Revocation is asked about every valid token before it is accepted:
	// validate.NewRevocationList, a list on Redis, or your own; nil: none.
	Revocation validate.Revocation

	Observer middleware.Observer // told of every decision; nil: Logger is, if set
	Logger   *slog.Logger        // refusals and the state of keys; nil: keys go to slog.Default

	RootCAs     *x509.CertPool // for calls to issuers; nil: the system's
	EgressProxy *url.URL       // for calls to issuers; nil: none, whatever the environment says

	Clock func() time.Time // nil: time.Now
}

// Issuer is one authorization server.
type Issuer struct {
	// URL is the issuer identifier: https, and equal to the tokens' iss code
	// point by code point, a final slash included.
	URL      string
	Name     string   // short and unique, for policies and labels; default host and path
	Audience []string // accepted audiences, any of; default Config.Resource

	Profile     validate.Profile // default validate.RFC9068
	Algorithms  []string         // default validate.DefaultAlgorithms
	Leeway      time.Duration    // default 60 s, at most 300 s; negative: none
	MaxLifetime time.Duration    // ceiling on exp - iat; 0: none
	ScopeClaim  validate.ScopeClaim

	Preset     string   // a provider's habits, see validate.Presets; default "generic": RFC 9068
	RolesClaim string   // where the roles are, see validate.ListClaim; default the preset's
	ClientIDs  []string // the clients whose tokens are accepted; empty: any
	Tenants    []string // with {tenantid} in URL: the accepted tenants, or "any" alone

	// Require lists the accepted values of further claims: whose tokens are
	// meant, where the issuer has them for everybody. See validate.Config.
	Require map[string][]string

	// Introspection asks the issuer about its opaque tokens, and about its
	// JWTs where it says so; nil: opaque tokens are refused.
	Introspection *Introspection
	OpaquePrefix  string // how its opaque tokens begin, where several issuers have some

	// Where the keys come from: by default the issuer's metadata at its
	// well-known locations names the key set. At most one of these is set.
	DiscoveryURL string             // metadata elsewhere
	JWKSURL      string             // the key set, without metadata
	Keys         validate.KeySource // own keys: jwks.Static, jwks.File, …

	AllowPrivate bool           // let https calls go to private and loopback addresses
	AllowHTTP    bool           // let plain http go to such addresses too; for development
	RootCAs      *x509.CertPool // default Config.RootCAs
	Refresh      Refresh
}

// Refresh times the fetching of an issuer's keys; zero values are the defaults.
type Refresh struct {
	Interval time.Duration // where the server says nothing; default 15 min
	Cooldown time.Duration // between fetches for unknown keys; default 30 s
	MaxStale time.Duration // how long the last good keys serve through an outage; default 24 h
}

// Introspection is how an issuer is asked about tokens (RFC 7662).
type Introspection struct {
	Endpoint string          // default: what the issuer's metadata names
	Auth     introspect.Auth // how this API authenticates itself; required

	NoOpaque bool          // the issuer has no opaque tokens: only Always or Every use this
	NoJWT    bool          // the issuer has no JWTs, and need not publish keys
	Always   bool          // JWTs need a live answer as well, as old as Cache.Positive allows
	Every    time.Duration // or: one that is at most so old; up to 5 min

	TrustServer     bool // answers may lack aud: the server answers each caller about its own tokens only
	NoTokenTypeHint bool
	SignedResponse  introspect.SignedResponse // RFC 9701; default introspect.Off
	SignedAudience  []string                  // aud of signed answers; default Auth.ClientID

	Cache     introspect.CacheConfig
	Limits    introspect.Limits
	Shared    introspect.Store // second level for several processes; nil: none
	SharedKey []byte           // seals it; default derived from the secret in Auth
}

// New checks the configuration, reports all faults at once, and makes a Guard.
// It makes no call: keys are loaded by Guard.Load or by the first request that
// needs them. ctx is for start-up only. Close the Guard after the servers that
// use it.
func New(ctx context.Context, cfg Config) (*middleware.Guard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return build(cfg, &shared{})
}

// Update makes a Guard by another configuration that goes on with what old has
// learned: used proofs, nonces and, of every issuer about which nothing changed
// that matters to them, its keys, and the answers and limits of its introspection.
// A DPoP.Replay or Revocation that is nil is that of old: neither used proofs nor
// revocations are forgotten by leaving them out.
//
// Both Guards decide, each by its own configuration. Let new requests use the new
// one, prepare their policies for it, and then Close old. What both use stays until
// the last of them is closed. What stays goes on with the Logger and Clock that it
// was made with. Verified tokens are not taken over: each Guard verifies anew.
//
// Update makes no call and reports all faults at once; then nothing has changed. It
// is an error if old is closed. ctx is for the Update only.
func Update(ctx context.Context, old *middleware.Guard, cfg Config) (*middleware.Guard, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	release, open := old.Hold()
	if !open {
		return nil, errClosed
	}
	defer release()
	before, ok := shares.Of(old).(*shared)
	if !ok {
		return nil, errForeign
	}
	if cfg.Revocation == nil {
		cfg.Revocation = before.revocation
	}
	return build(cfg, before)
}

var (
	errClosed  = errors.New("bearward: the Guard to update is closed")
	errForeign = errors.New("bearward: the Guard to update was not made by New or Update")
)

// build makes a Guard that takes over what it can.
func build(cfg Config, before *shared) (*middleware.Guard, error) {
	w := &wiring{cfg: cfg, before: before, made: &shared{}}
	core, faults := w.wire()
	guard, err := middleware.New(core)
	if err := errors.Join(faults, err); err != nil {
		for _, made := range core.Issuers {
			abandon(made)
		}
		if core.Cache != nil {
			_ = core.Cache.Close()
		}
		if core.DPoP != nil {
			core.DPoP.Close()
		}
		return nil, err
	}
	shares.Put(guard, w.made)
	return guard, nil
}
