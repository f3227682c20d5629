package config

import "time"

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
	// Schemes lists the authentication schemes accepted here; by default bearer,
	// and dpop where that is on.
	Schemes []string `key:"schemes" enum:"bearer dpop"`
	// Binding says whether tokens must be sender-constrained: if-bound checks
	// those that are, bound demands it by key or certificate, dpop by key (RFC
	// 9449), mtls by certificate (RFC 8705).
	Binding string `key:"binding" default:"if-bound" enum:"if-bound bound dpop mtls"`
	// Nonce raises what dpop demands of the nonces of proofs; by default it is
	// the same here.
	Nonce string `key:"nonce" enum:"off adaptive required"`
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
	// Roles lists roles that the token needs, all of them.
	Roles []string `key:"roles"`
	// Permissions lists permissions that the token needs, all of them.
	Permissions []string `key:"permissions"`
	// Groups lists groups that the token needs, all of them.
	Groups []string `key:"groups"`
	// Details lists what authorization_details must grant, all of it (RFC
	// 9396).
	Details []Detail `key:"details"`
	// ReportOnly lets pass what this rule refuses, without credentials and
	// identity, and logs and counts it as refused.
	ReportOnly bool `key:"report_only"`
}

// Detail is what one object of authorization_details must grant.
type Detail struct {
	// Type is the object's type.
	Type string `key:"type" required:"true"`
	// Actions must all be granted.
	Actions []string `key:"actions"`
	// DataTypes must all be granted.
	DataTypes []string `key:"datatypes"`
	// Privileges must all be granted.
	Privileges []string `key:"privileges"`
	// Identifier is the resource that the grant must name.
	Identifier string `key:"identifier"`
	// Fields are further members that the type has and the values that this
	// rule is about.
	Fields map[string][]string `key:"fields"`
}
