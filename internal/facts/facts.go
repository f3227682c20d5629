// Package facts carries what a validated token knows beyond its exported
// fields, from package validate to those that decide with it. Guards decide
// from these copies only: a handler that writes into a Token changes nothing.
package facts

import "time"

// Facts belong to one token and are read-only once the token is returned.
type Facts struct {
	Sealed bool // made by a verifier of package validate
	Self   any  // the *validate.Token that was made

	KeyID  string // of the key that verified the token
	Key    any    // *validate.Key
	Type   string // header typ as received
	Strict string // code of the first RFC 9068 rule that compat let pass

	Home string // identifier of the configured issuer: Issuer, but for tenant templates

	Issuer, Subject, ClientID, ID, Session string

	Scope    string // space-delimited
	Audience []string

	ExpiresAt, NotBefore, IssuedAt, AuthTime time.Time

	ACR       string
	Bound     bool // cnf is present, or the token's type says that it is bound
	ByKey     bool // cnf.jkt is present: Key thumbprint JKT has to be proven
	ByCert    bool // cnf.x5t#S256 is present: certificate X5T has to be proven
	Delegated bool // act is present
	Client    bool // the token stands for a client, no user is involved

	JKT, X5T [32]byte

	Digest   [32]byte // SHA-256 of the token as received
	Digested bool     // Digest is set
	Until    int64    // of a token in a cache: how long it stays there, in Unix nanoseconds
}

// Of returns the facts of a *validate.Token, its own, nil if it has none. Package
// validate sets it.
var Of func(token any) *Facts

// Whole reports that a *validate.Token is as it was verified, and neither a copy
// nor overwritten. Package validate sets it.
var Whole func(token any) bool

// Known returns the facts to decide by: the token's own if it is sealed, else,
// for a verifier that is not ours, a copy of what the token says now. Package
// validate sets it.
var Known func(token any) *Facts
