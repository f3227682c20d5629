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
	"net/url"
	"time"
)

// File is the whole file. Its tags, and those of the types below, are read by
// the decoder: key (name in the file; ",scalar" takes one string in place of a
// list), required, default, enum, min and max of a duration. The tags of the
// blank fields list what the contract has and this version does not: later
// (keys) and, on a field, later (values).
type File struct {
	// Listen is the address of the API, HOST:PORT. With tls it speaks https,
	// otherwise http.
	Listen string `key:"listen" required:"true"`
	// Admin is the address of /healthz and /readyz, HOST:PORT. Without it
	// there is none.
	Admin string `key:"admin"`
	// Mode is what serve does with a request that may pass: proxy forwards it
	// to upstream.
	Mode string `key:"mode" required:"true" enum:"proxy" later:"forward-auth ext-authz"`
	// Upstream is the origin of the API behind, http or https, without path:
	// the received path and query are forwarded as they are.
	Upstream *url.URL `key:"upstream" required:"true"`
	// ForwardCredentials forwards Authorization and DPoP to the upstream. It
	// is then in possession of its clients' tokens.
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
	TLS *TLS `key:"tls"`
	// PlainBehindTLS says that something in front of listen terminates TLS.
	// Without it plain http is served on loopback addresses only.
	PlainBehindTLS bool `key:"plain_behind_tls"`
	// Issuers are the authorization servers whose tokens are accepted.
	Issuers []Issuer `key:"issuers" required:"true"`
	// Rules say which requests may pass. What no rule matches is refused.
	Rules []Rule `key:"rules" required:"true"`
	// ForwardHeaders maps header names to claims of the token: sub,
	// client_id, scope, iss, jti, aud, acr or any claim that is a string.
	// Copies sent by the client never reach the upstream.
	ForwardHeaders map[string]string `key:"forward_headers"`
	// Implies lists the scopes that a scope includes, over any number of
	// steps.
	Implies map[string][]string `key:"implies"`
	// Log says what is written to standard error, and how.
	Log Log `key:"log"`

	_ struct{} `later:"public_url trusted_proxies forward_auth forwarded client_cert_header dpop cache redis openapi report_only fapi revocation wait_ready pprof"`

	name   string
	places places
}

// TLS is the certificate of listen.
type TLS struct {
	// CertFile is the PEM file of the certificate and its chain.
	CertFile string `key:"cert_file" required:"true"`
	// KeyFile is the PEM file of its private key.
	KeyFile string `key:"key_file" required:"true"`

	_ struct{} `later:"client_certs"`
}

// Issuer is one authorization server.
type Issuer struct {
	// Issuer is its identifier, exactly as in its tokens' iss.
	Issuer string `key:"issuer" required:"true"`
	// Name is short and unique: a metric label, and what rules refer to. By
	// default the host and path of issuer.
	Name string `key:"name"`
	// Preset names a vendor's habits; generic is RFC 9068.
	Preset string `key:"preset" default:"generic" enum:"generic rfc9068" later:"auth0 cognito curity entra frontegg github google hydra keycloak kubernetes okta ory pingfederate pingone salesforce zitadel"`
	// Audience lists the accepted values of aud, any of them; by default
	// resource. One string or a list.
	Audience []string `key:"audience,scalar"`
	// Profile is rfc9068, or compat for issuers whose tokens do not follow it.
	Profile string `key:"profile" default:"rfc9068" enum:"rfc9068 compat"`
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
	JWKSFile string `key:"jwks_file"`
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
	// ScopeClaim says where its tokens have their scopes.
	ScopeClaim ScopeClaim `key:"scope_claim"`

	_ struct{} `later:"roles_claim client_ids tenants opaque_prefix introspection"`
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

// Rule is what a request must bring to pass.
type Rule struct {
	// Match is a pattern of Go's ServeMux without host, "[METHOD ]/PATH". The
	// most specific rule decides; GET covers HEAD.
	Match string `key:"match" required:"true"`
	// Scopes lists scopes that the token needs, all of them.
	Scopes []string `key:"scopes"`
	// AnyScope lists scopes of which the token needs one.
	AnyScope []string `key:"any_scope"`
	// Audience lists the accepted values of aud: a part of what the issuers
	// accept. One string or a list.
	Audience []string `key:"audience,scalar"`
	// Profile rfc9068 is demanded of issuers with profile compat, too.
	Profile string `key:"profile" enum:"rfc9068"`
	// Issuers lists the names of the issuers accepted here; by default all.
	Issuers []string `key:"issuers"`
	// Schemes lists the authentication schemes accepted here.
	Schemes []string `key:"schemes" enum:"bearer" later:"dpop"`
	// Binding says whether tokens must be sender-constrained: if-bound checks
	// those that are.
	Binding string `key:"binding" default:"if-bound" enum:"if-bound" later:"bound dpop mtls"`
	// ACR lists the accepted authentication contexts, preferred first (RFC
	// 9470).
	ACR []string `key:"acr"`
	// MaxAge is the greatest age of the user's authentication, in whole
	// seconds (RFC 9470).
	MaxAge time.Duration `key:"max_age" min:"1s"`
	// Optional passes requests without any Authorization, without identity.
	Optional bool `key:"optional"`
	// Public passes every request unread, without identity.
	Public bool `key:"public"`
	// UserOnly refuses tokens that stand for a client.
	UserOnly bool `key:"user_only"`
	// NoDelegation refuses delegated tokens (act).
	NoDelegation bool `key:"no_delegation"`
	// Hide answers 404 where it would be 403.
	Hide bool `key:"hide"`

	_ struct{} `later:"roles report_only nonce details"`
}

// Log says what is logged, and how.
type Log struct {
	// Level is the least level that is written.
	Level string `key:"level" default:"info" enum:"debug info warn error"`
	// Format is text (key=value) or json.
	Format string `key:"format" default:"text" enum:"text json"`
}
