// Package config reads the file of bearward serve.
//
// The file is YAML with nothing in it that two readers could understand
// differently: no anchors, aliases, merge keys, tags, second documents,
// duplicate keys, null values or durations without unit. [Parse] reports all
// faults at once, each with its line and column.
//
// The types of this package are the reference of the file: a field's tags say
// its key, whether it is required, its default and what it may be.
package config

import (
	"crypto/sha256"
	"net/netip"
	"net/url"
	"time"
)

// File is the whole file. Its tags, and those of the types below, are read by
// the decoder: key (name in the file; ",scalar" takes one string in place of a
// list), required, default, enum, min and max of a duration, restart (true: only a
// restart can change it; presence: can add or remove it) and read (of a file that
// is named: own, what uses it reads it again by itself; start, nothing does; file,
// it is one although its key does not say so).
type File struct {
	// Listen is the address of the API, HOST:PORT. With tls it speaks https,
	// otherwise http. 0.0.0.0 is every address of IPv4, [::] those of IPv6 too.
	Listen string `key:"listen" required:"true" restart:"true"`
	// Admin is the address of /healthz, /readyz and /metrics, HOST:PORT, and, on
	// loopback, of /explain. Without it there is none.
	Admin string `key:"admin" restart:"true"`
	// Mode is what serve does with a request that may pass: proxy forwards it
	// to upstream. In the other modes a proxy asks about it, and forwards it
	// itself: forward-auth (nginx, Traefik, Caddy, HAProxy, Apache) or ext-authz
	// (Envoy).
	Mode string `key:"mode" required:"true" enum:"proxy forward-auth ext-authz" restart:"true"`
	// ForwardAuth says how the proxy asks; required in mode forward-auth.
	ForwardAuth *ForwardAuth `key:"forward_auth"`
	// Upstream is the origin of the API behind, http or https, without path:
	// the received path and query are forwarded as they are. Required in mode
	// proxy.
	Upstream *url.URL `key:"upstream"`
	// UpstreamCAFile is a PEM file of the authorities that are trusted for an
	// https upstream, in place of the system's.
	UpstreamCAFile string `key:"upstream_ca_file"`
	// UpstreamTimeouts bound the wait for upstream; what is late is answered 504.
	UpstreamTimeouts UpstreamTimeouts `key:"upstream_timeouts"`
	// ForwardCredentials forwards Authorization and DPoP to the upstream, and
	// client_cert_header as a trusted proxy sent it. It is then in possession of
	// its clients' tokens.
	ForwardCredentials bool `key:"forward_credentials"`
	// Resource is the identifier of this API (RFC 8707): the default audience
	// of each issuer, the default realm and the resource of the RFC 9728
	// document. Required unless every issuer has an audience.
	Resource string `key:"resource"`
	// Metadata serves the RFC 9728 document of resource, before the rules. A
	// resource that is no https URI has none.
	Metadata bool `key:"metadata" default:"true"`
	// Realm is the realm of challenges; by default resource.
	Realm string `key:"realm"`
	// TLS makes listen speak https.
	TLS *TLS `key:"tls" restart:"presence"`
	// PlainBehindTLS says that something in front of listen terminates TLS.
	// Without it plain http is served on loopback addresses only.
	PlainBehindTLS bool `key:"plain_behind_tls"`
	// PublicURL lists the URLs under which clients reach this API: an origin
	// each, and the prefix of the path that something in front takes off. Proofs
	// name them. Host picks one; a single one always applies. Without any, Host
	// itself is believed on loopback only. One string or a list.
	PublicURL []string `key:"public_url,scalar"`
	// TrustedProxies are the addresses, or ranges of them in CIDR notation, that
	// forwarded and client_cert_header are believed of. Where a proxy asks, it
	// is required, and nobody else gets an answer.
	TrustedProxies []netip.Prefix `key:"trusted_proxies"`
	// Forwarded is the family of headers in which trusted proxies say what
	// scheme and host the client used: x-forwarded (X-Forwarded-Proto and
	// X-Forwarded-Host), or rfc7239 (Forwarded). That of the nearest hop counts.
	Forwarded string `key:"forwarded" default:"none" enum:"none x-forwarded rfc7239"`
	// ClientCertHeader is the header in which trusted proxies forward the
	// client's certificate. By default only that of the connection counts.
	ClientCertHeader *ClientCertHeader `key:"client_cert_header"`
	// DPoP accepts tokens that are bound to a key, with their proofs (RFC 9449).
	// Without it they are refused.
	DPoP *DPoP `key:"dpop"`
	// FAPI holds everything to the FAPI 2.0 Security Profile: sender-constrained
	// tokens only, PS256, ES256 and Ed25519, and no tokens that were revoked.
	FAPI bool `key:"fapi"`
	// Issuers are the authorization servers whose tokens are accepted.
	Issuers []Issuer `key:"issuers" required:"true"`
	// Rules say which requests may pass. What no rule matches is refused.
	// Required without openapi.
	Rules []Rule `key:"rules"`
	// OpenAPI is a document, 3.0 or 3.1 in YAML or JSON, whose security
	// requirements are further rules (docs/openapi.md). One of rules for the same
	// pattern stands in for its operation.
	OpenAPI string `key:"openapi" read:"file"`
	// OpenAPIBasePath is the prefix of the document's paths in requests as they
	// arrive here; by default the path of its servers. / is none.
	OpenAPIBasePath string `key:"openapi_base_path"`
	// ReportOnly lets pass what any rule refuses, without credentials and
	// identity, and logs and counts it as refused. What no rule matches, and what
	// is broken here, is refused all the same.
	ReportOnly bool `key:"report_only"`
	// ForwardHeaders maps header names to claims of the token: sub,
	// client_id, scope, iss, jti, aud, acr or any claim that is a string.
	// Copies sent by the client never reach the upstream.
	ForwardHeaders map[string]string `key:"forward_headers"`
	// Implies lists the scopes that a scope includes, over any number of
	// steps.
	Implies map[string][]string `key:"implies"`
	// Cache remembers JWTs that were verified, so that a repeated one costs no
	// signature. What can change is judged on every request all the same.
	Cache Cache `key:"cache"`
	// Redis is what several instances share: answers of introspection,
	// revocations, and proofs that were used.
	Redis *Redis `key:"redis" restart:"presence"`
	// Revocation refuses tokens that were taken back.
	Revocation *Revocation `key:"revocation" restart:"true"`
	// Pprof shows profiles of the process on admin, below /debug/pprof/. It needs
	// admin to be a loopback address.
	Pprof bool `key:"pprof" restart:"true"`
	// WaitReady ends the start with an error if an issuer was not reached within
	// that time. By default serve goes on trying: it is not ready until then, and
	// answers 503 to the tokens of that issuer.
	WaitReady time.Duration `key:"wait_ready" min:"1s" max:"1h"`
	// Drain is how long serve goes on after it was told to stop and /readyz says
	// that: whoever sends requests needs the time to see it.
	Drain time.Duration `key:"drain" default:"0s" min:"0s" max:"5m"`
	// Log says what is written to standard error, and how.
	Log Log `key:"log"`

	name    string
	places  places
	secrets []string // values from the environment, longest first
	sum     [sha256.Size]byte
}

// UpstreamTimeouts bound the wait for the upstream.
type UpstreamTimeouts struct {
	// Connect is for a connection, and once more for its TLS.
	Connect time.Duration `key:"connect" default:"10s" min:"10ms" max:"5m"`
	// Answer is for the headers of an answer, from the end of the request on; 0s
	// is no limit. There is none for its body: it may be a stream.
	Answer time.Duration `key:"answer" default:"60s" min:"0s" max:"24h"`
}

// TLS is the certificate of listen.
type TLS struct {
	// CertFile is the PEM file of the certificate and its chain.
	CertFile string `key:"cert_file" required:"true"`
	// KeyFile is the PEM file of its private key.
	KeyFile string `key:"key_file" required:"true"`
	// ClientCerts says whether clients are asked for a certificate: request
	// asks, require refuses connections without, none does not ask. Any is
	// taken, whoever issued it: what counts is that the client has its key, and
	// that the token is bound to it (RFC 8705 §6.2). Browsers that are asked may
	// ask their users.
	ClientCerts string `key:"client_certs" default:"request" enum:"request require none" restart:"true"`
}

// Issuer is one authorization server.
type Issuer struct {
	// Issuer is its identifier, exactly as in its tokens' iss.
	Issuer string `key:"issuer" required:"true"`
	// Name is short and unique: a metric label, and what rules refer to. By
	// default the host and path of issuer.
	Name string `key:"name"`
	// Preset names a provider's habits (docs/providers.md), which are the
	// defaults of the keys below; generic is RFC 9068.
	Preset string `key:"preset" default:"generic"`
	// Audience lists the accepted values of aud, any of them; by default
	// resource. One string or a list.
	Audience []string `key:"audience,scalar"`
	// Profile is rfc9068, or compat for issuers whose tokens do not follow it.
	// By default the preset's; that of generic is rfc9068.
	Profile string `key:"profile" enum:"rfc9068 compat"`
	// Algorithms is the allow-list; by default RS256, PS256, ES256, ES384 and
	// Ed25519.
	Algorithms []string `key:"algorithms"`
	// Leeway is the tolerated difference of clocks.
	Leeway time.Duration `key:"leeway" default:"60s" min:"0s" max:"5m"`
	// MaxLifetime is the ceiling on exp - iat; by default there is none.
	MaxLifetime time.Duration `key:"max_lifetime" min:"1s"`
	// DiscoveryURL is where the metadata is fetched when that is not the
	// well-known place of issuer.
	DiscoveryURL *url.URL `key:"discovery_url"`
	// JWKSURI is where the keys are fetched, without discovery.
	JWKSURI *url.URL `key:"jwks_uri"`
	// JWKSFile is a file with the keys, in place of any network.
	JWKSFile string `key:"jwks_file" read:"own"`
	// AllowPrivate permits https to private and loopback addresses.
	AllowPrivate bool `key:"allow_private"`
	// AllowHTTP permits http to private and loopback addresses; it includes
	// allow_private.
	AllowHTTP bool `key:"allow_http"`
	// CAFile is a PEM file of the authorities that are trusted for this
	// issuer, in place of the system's.
	CAFile string `key:"ca_file"`
	// JWKS says how its keys are kept.
	JWKS JWKS `key:"jwks"`
	// ScopeClaim says where its tokens have their scopes; by default the
	// preset's, a string named scope.
	ScopeClaim *ScopeClaim `key:"scope_claim"`
	// RolesClaim is where its tokens have their roles: a claim, members inside
	// of it by dots, or a JSON Pointer. By default the preset's, roles.
	RolesClaim string `key:"roles_claim"`
	// ClientIDs lists the clients whose tokens are accepted; by default all.
	// With some presets they stand in for a missing aud.
	ClientIDs []string `key:"client_ids"`
	// Tenants lists the accepted tenants of an issuer that contains
	// {tenantid}, or says any.
	Tenants []string `key:"tenants,scalar"`
	// Require lists the accepted values of further claims: whose tokens are
	// meant, where the issuer has them for everybody. A claim must be a string;
	// members inside of it by dots, or as a JSON Pointer.
	Require map[string][]string `key:"require"`
	// OpaquePrefix is how its opaque tokens begin. All issuers with opaque
	// tokens but one need it.
	OpaquePrefix string `key:"opaque_prefix"`
	// Introspection asks the issuer about its tokens (RFC 7662). Without it
	// opaque tokens are refused.
	Introspection *Introspection `key:"introspection"`
}

// Introspection is how an issuer is asked about its tokens.
type Introspection struct {
	// Endpoint is where; by default what the issuer's metadata names.
	Endpoint *url.URL `key:"endpoint"`
	// Auth is how this server authenticates itself there.
	Auth string `key:"auth" required:"true" enum:"client_secret_basic client_secret_basic_raw client_secret_post private_key_jwt tls_client_auth self_signed_tls_client_auth bearer none"`
	// ClientID is who it is there.
	ClientID string `key:"client_id"`
	// ClientSecret is its secret, best as ${NAME}.
	ClientSecret string `key:"client_secret"`
	// ClientSecretFile is a file with the secret alone.
	ClientSecretFile string `key:"client_secret_file"`
	// KeyFile is the PEM file of the private key that signs assertions
	// (private_key_jwt), or of the client certificate's key.
	KeyFile string `key:"key_file"`
	// KeyID is the kid of assertions.
	KeyID string `key:"key_id"`
	// Algorithm signs assertions; by default what fits the key.
	Algorithm string `key:"algorithm" enum:"RS256 PS256 ES256 ES384 EdDSA Ed25519"`
	// AssertionAudience is the aud of assertions; by default the issuer.
	AssertionAudience string `key:"assertion_audience"`
	// CertFile is the PEM file of the client certificate.
	CertFile string `key:"cert_file"`
	// TokenFile is a file with the token of auth bearer. It is read for each
	// call: replace it as a whole.
	TokenFile string `key:"token_file" read:"own"`
	// Always asks about JWTs too.
	Always bool `key:"always"`
	// Every asks about JWTs too, if the last answer is older than this.
	Every time.Duration `key:"every" min:"1s" max:"5m"`
	// Opaque says that the issuer has opaque tokens.
	Opaque bool `key:"opaque" default:"true"`
	// JWT says that the issuer has JWTs, and publishes keys for them.
	JWT bool `key:"jwt" default:"true"`
	// TokenTypeHint sends token_type_hint=access_token.
	TokenTypeHint bool `key:"token_type_hint" default:"true"`
	// Audience is required, or trust_server where the server answers each
	// caller only about tokens that are meant for it.
	Audience string `key:"audience" default:"required" enum:"required trust_server"`
	// SignedResponse asks for signed answers (RFC 9701); require takes no
	// others.
	SignedResponse string `key:"signed_response" default:"off" enum:"off accept require"`
	// SignedAudience lists the accepted aud of signed answers; by default
	// client_id.
	SignedAudience []string `key:"signed_audience,scalar"`
	// Cache says how long answers are used.
	Cache IntrospectionCache `key:"cache"`
	// Limits bound what is asked of the issuer.
	Limits IntrospectionLimits `key:"limits"`
}

// IntrospectionLimits bound what is asked of an issuer; what is beyond is
// answered 503. A quarter is kept for tokens that were active before.
type IntrospectionLimits struct {
	// Parallel is the number of calls at once.
	Parallel int `key:"parallel" default:"64" min:"1" max:"10000"`
	// PerSecond is the number of calls in a second, and at once after a pause.
	PerSecond int `key:"per_second" default:"500" min:"1" max:"1000000"`
	// Timeout ends a call.
	Timeout time.Duration `key:"timeout" default:"3s" min:"10ms" max:"30s"`
}

// IntrospectionCache says how long answers are used; 0s is not at all.
type IntrospectionCache struct {
	// Positive is for active tokens, never past their exp: the delay of a
	// revocation.
	Positive time.Duration `key:"positive" default:"30s" min:"0s" max:"5m"`
	// Negative is for all others.
	Negative time.Duration `key:"negative" default:"5s" min:"0s" max:"10s"`
	// Entries is the number of active tokens that are remembered; a large
	// answer counts as several.
	Entries int `key:"entries" default:"100000" min:"1" max:"10000000"`
	// IgnoreNoStore uses answers although the server says Cache-Control:
	// no-store, which some say about every answer.
	IgnoreNoStore bool `key:"ignore_no_store"`
}

// Cache says how many verified JWTs are remembered, and for how long.
type Cache struct {
	// Disabled verifies the signature of every token on every request. Nothing
	// else is set then.
	Disabled bool `key:"disabled"`
	// Entries is the number of tokens.
	Entries int `key:"entries" default:"100000" min:"1" max:"100000000"`
	// TTL is how long each is remembered, never past its exp.
	TTL time.Duration `key:"ttl" default:"5m" min:"1s" max:"5m"`
}

// Redis is shared by several instances.
type Redis struct {
	// URL is redis://, rediss:// or unix://, with user, password and database.
	URL string `key:"url" required:"true" restart:"true"`
	// Prefix begins every key.
	Prefix string `key:"prefix" default:"bearward:" restart:"true"`
	// Timeout bounds each call.
	Timeout time.Duration `key:"timeout" default:"250ms" min:"10ms" max:"5s" restart:"true"`
	// CAFile is a PEM file of the authorities that are trusted for rediss, in
	// place of the system's.
	CAFile string `key:"ca_file" restart:"true" read:"start"`
	// KeyFile is a file with a secret of 32 bytes or more, the same for all
	// instances, that seals what is shared; by default it is derived from each
	// issuer's client_secret.
	KeyFile string `key:"key_file"`
}

// Revocation says which list is asked before a token is accepted.
type Revocation struct {
	// List is memory, filled by bearward revoke and lost with the process, or
	// redis, shared.
	List string `key:"list" required:"true" enum:"memory redis"`
	// Retention is how long entries are kept. Tokens that are valid for longer
	// are refused.
	Retention time.Duration `key:"retention" default:"720h" min:"1h"`
}

// JWKS says how an issuer's keys are kept.
type JWKS struct {
	// Refresh is the age at which keys are fetched again if their server says
	// nothing.
	Refresh time.Duration `key:"refresh" default:"15m" min:"1m" max:"24h"`
	// Cooldown is the least time between two fetches for unknown keys.
	Cooldown time.Duration `key:"cooldown" default:"30s" min:"1s" max:"1h"`
	// MaxStale is how long the last good keys serve when no new ones can be
	// had.
	MaxStale time.Duration `key:"max_stale" default:"24h" min:"1m"`
}

// ScopeClaim is the claim with the scopes.
type ScopeClaim struct {
	// Name is the claim.
	Name string `key:"name" default:"scope"`
	// Type is string (space-delimited, RFC 9068) or array.
	Type string `key:"type" default:"string" enum:"string array"`
}

// Log says what is logged, and how.
type Log struct {
	// Level is the least level that is written.
	Level string `key:"level" default:"info" enum:"debug info warn error"`
	// Format is text (key=value) or json.
	Format string `key:"format" default:"text" enum:"text json" restart:"true"`
}
