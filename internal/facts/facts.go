// Package facts carries what a validated token knows beyond its exported
// fields, from package validate to those that decide with it. Guards decide
// from these copies only: a handler that writes into a Token changes nothing.
package facts

import (
	"time"
)

// Facts belong to one token and are read-only once the token is returned, but for
// what a cache adds before anybody else has the token. A million of them may be in
// memory: texts are places in the payload, dates are numbers, and what few tokens
// have is elsewhere.
type Facts struct {
	By *Verifier // who made the token; nil: nobody of package validate

	Payload  string // as signed, or the introspection answer
	Audience []string

	Digest [32]byte // SHA-256 of the token as received
	Until  int64    // of a token in a cache: how long it stays there, in Unix nanoseconds

	Digested  bool // Digest is set
	Signed    bool // a key of the issuer verified it, and nobody was asked about it
	Bound     bool // cnf is present, or the token's type says that it is bound
	ByKey     bool // cnf.jkt is present: Key thumbprint JKT has to be proven
	ByCert    bool // cnf.x5t#S256 is present: certificate X5T has to be proven
	Delegated bool // act is present
	Client    bool // the token stands for a client, no user is involved
	strict    uint8

	issuer, subject, clientID, id, session, scope, acr place
	expiresAt, notBefore, issuedAt, authTime           moment
	rare                                               *rare
}

// Verifier is what all tokens of one verifier have in common.
type Verifier struct {
	Home   string // identifier of the configured issuer: the token's own, but for tenant templates
	Habits any    // *validate.Preset
}

// Said is what a token says.
type Said struct {
	Issuer, Subject, ClientID, ID, Session string

	Scope    string // space-delimited
	Audience []string
	ACR      string

	ExpiresAt, NotBefore, IssuedAt, AuthTime time.Time
}

// rare is what few tokens have.
type rare struct {
	jkt, x5t [32]byte
	texts    string // that do not stand in the payload as they are
}

// Keep copies what a token says, but for its Audience, which becomes the Facts'.
func (f *Facts) Keep(said *Said) {
	k := keeper{payload: f.Payload}
	if f.By == nil || said.Issuer != f.By.Home {
		f.issuer = k.place(said.Issuer)
	}
	f.subject, f.clientID, f.id = k.place(said.Subject), k.place(said.ClientID), k.place(said.ID)
	f.session, f.scope, f.acr = k.place(said.Session), k.place(said.Scope), k.place(said.ACR)
	if len(k.others) > 0 {
		f.further().texts = string(k.others)
	}
	f.Audience = said.Audience
	f.expiresAt, f.notBefore = momentOf(said.ExpiresAt), momentOf(roundUp(said.NotBefore))
	f.issuedAt, f.authTime = momentOf(said.IssuedAt), momentOf(said.AuthTime)
}

// Sealed reports that a verifier of package validate made the token.
func (f *Facts) Sealed() bool { return f.By != nil }

// Home is the identifier of the configured issuer.
func (f *Facts) Home() string {
	if f.By != nil {
		return f.By.Home
	}
	return f.Issuer()
}

// Issuer is iss.
func (f *Facts) Issuer() string {
	if f.By != nil && f.issuer == (place{}) {
		return f.By.Home
	}
	return f.text(f.issuer)
}

// Subject is sub.
func (f *Facts) Subject() string { return f.text(f.subject) }

// ClientID is client_id, or what stands for it.
func (f *Facts) ClientID() string { return f.text(f.clientID) }

// ID is jti.
func (f *Facts) ID() string { return f.text(f.id) }

// Session is sid.
func (f *Facts) Session() string { return f.text(f.session) }

// Scope is the issuer's scope claim, space-delimited.
func (f *Facts) Scope() string { return f.text(f.scope) }

// ACR is acr.
func (f *Facts) ACR() string { return f.text(f.acr) }

// ExpiresAt is exp, rounded down to microseconds; zero if absent, like the
// following.
func (f *Facts) ExpiresAt() time.Time { return f.expiresAt.time() }

// NotBefore is nbf, rounded up.
func (f *Facts) NotBefore() time.Time { return f.notBefore.time() }

// IssuedAt is iat.
func (f *Facts) IssuedAt() time.Time { return f.issuedAt.time() }

// AuthTime is auth_time.
func (f *Facts) AuthTime() time.Time { return f.authTime.time() }

// JKT is the thumbprint that ByKey is about.
func (f *Facts) JKT() (sum [32]byte) {
	if f.ByKey {
		return f.rare.jkt
	}
	return sum
}

// X5T is the thumbprint that ByCert is about.
func (f *Facts) X5T() (sum [32]byte) {
	if f.ByCert {
		return f.rare.x5t
	}
	return sum
}

// BindToKey says what JKT is.
func (f *Facts) BindToKey(sum [32]byte) { f.further().jkt, f.ByKey = sum, true }

// BindToCert says what X5T is.
func (f *Facts) BindToCert(sum [32]byte) { f.further().x5t, f.ByCert = sum, true }

func (f *Facts) further() *rare {
	if f.rare == nil {
		f.rare = &rare{}
	}
	return f.rare
}

// Codes are those that Deviates can be told of. Package validate sets them.
var Codes []string

// Strict is the code of the first RFC 9068 rule that compat let pass; "" if none.
func (f *Facts) Strict() string {
	if f.strict == 0 {
		return ""
	}
	return Codes[f.strict-1]
}

// Deviates notes a rule that compat let pass, if it is the first.
func (f *Facts) Deviates(code string) {
	for i, known := range Codes {
		if known == code && f.strict == 0 {
			f.strict = uint8(i + 1) // a test holds that there are few
		}
	}
}
