package validate

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/facts"
)

// Token is a validated access token. One Token is shared by all requests that
// carry it, so it is for reading; guards decide from copies of their own.
type Token struct {
	Issuer   string   // iss, exactly as configured
	Subject  string   // sub; the principal is the pair of Issuer and Subject
	ClientID string   // client_id; with profile compat also azp, appid or cid
	ID       string   // jti, for revocation and audit: an access token is not single-use
	Audience []string // aud
	Scopes   []string // scope

	IssuedAt  time.Time // iat; zero if absent, like the following
	ExpiresAt time.Time // exp; of an introspection answer without it, the end of the answer's own life
	NotBefore time.Time // nbf
	AuthTime  time.Time // auth_time (RFC 9470 §6)
	ACR       string    // acr: how the user was authenticated
	AMR       []string  // amr
	Session   string    // sid, for revocation; empty if absent

	Confirmation Confirmation // cnf; zero for a plain bearer token
	Actor        *Actor       // act; nil unless the token is delegated

	made *made // of a token that was verified here; nil for others
}

// made is a token under construction with its facts, in one piece of memory.
type made struct {
	token Token
	facts facts.Facts
	key   *Key // that verified the signature; nil if none did
}

func newToken(claims string) *Token {
	m := &made{}
	m.token.made, m.facts.Payload = m, claims
	return &m.token
}

// claims is the payload as signed, or the introspection answer.
func (t *Token) claims() string {
	if t.made == nil {
		return ""
	}
	return t.made.facts.Payload
}

// habits are those of the issuer, none if t was not verified here.
func (t *Token) habits() *Preset {
	if t.made != nil && t.made.facts.By != nil {
		return t.made.facts.By.Habits.(*Preset)
	}
	return &Preset{}
}

// sealed reports that t was verified here and is the very token that was: a
// copy, or one that a reader has written another one over, says what its writer
// wants.
func (t *Token) sealed() bool { return t.made != nil && t.made.facts.Sealed() && &t.made.token == t }

// Confirmation is the cnf claim: the key a sender-constrained token is bound
// to (RFC 7800 §3.1). Each member that is set has to be proven.
type Confirmation struct {
	KeyThumbprint         string // jkt (RFC 9449 §6.1), base64url
	CertificateThumbprint string // x5t#S256 (RFC 8705 §3.1), base64url
}

// Actor is who acts for the subject (RFC 8693 §4.1). Only the outermost actor
// is current; the ones inside it are history and grant nothing.
type Actor struct {
	Issuer, Subject, ClientID string
	Actor                     *Actor
}

func init() {
	list, _ := Codes()
	for _, code := range list {
		facts.Codes = append(facts.Codes, string(code))
	}
	facts.Of = func(t any) *facts.Facts {
		if m := t.(*Token).made; m != nil {
			return &m.facts
		}
		return nil
	}
	facts.Whole = func(t any) bool { return t.(*Token).sealed() }
	facts.Known = func(t any) *facts.Facts { return t.(*Token).known() }
}

// known returns what guards decide from. A token of a verifier that is not ours
// has nothing of its own: its fields are copied now.
func (t *Token) known() *facts.Facts {
	if t.sealed() {
		return &t.made.facts
	}
	f := &facts.Facts{Bound: t.Confirmation != Confirmation{}, Delegated: t.Actor != nil, Client: t.Subject == t.ClientID}
	f.Keep(t.said(strings.Join(t.Scopes, " "), slices.Clone(t.Audience)))
	members := 0
	for _, member := range []string{t.Confirmation.KeyThumbprint, t.Confirmation.CertificateThumbprint} {
		if member != "" {
			members++
		}
	}
	if t.Confirmation.fill(f) != members { // one that cannot be read can never be proven
		f.ByKey, f.ByCert = false, false
	}
	return f
}

// said is what t says now.
func (t *Token) said(scope string, audience []string) *facts.Said {
	return &facts.Said{
		Issuer: t.Issuer, Subject: t.Subject, ClientID: t.ClientID, ID: t.ID, Session: t.Session,
		Scope: scope, Audience: audience, ACR: t.ACR,
		ExpiresAt: t.ExpiresAt, NotBefore: t.NotBefore, IssuedAt: t.IssuedAt, AuthTime: t.AuthTime,
	}
}

// fill decodes the thumbprints and returns how many could be read.
func (c Confirmation) fill(f *facts.Facts) (read int) {
	if sum, ok := thumbprint(c.KeyThumbprint); ok {
		f.BindToKey(sum)
		read++
	}
	if sum, ok := thumbprint(c.CertificateThumbprint); ok {
		f.BindToCert(sum)
		read++
	}
	return read
}

// HasScope reports whether the token has exactly this scope (RFC 6749 §3.3).
func (t *Token) HasScope(scope string) bool { return slices.Contains(t.Scopes, scope) }

// IsClient reports that the token stands for a client and no user is involved:
// sub equals client_id, idtyp is app, or gty is client-credentials.
func (t *Token) IsClient() bool {
	if !t.sealed() {
		return t.Subject == t.ClientID
	}
	return t.made.facts.Client
}

// KeyID returns the kid of the key that verified the token.
func (t *Token) KeyID() string {
	if !t.sealed() || t.made.key == nil {
		return ""
	}
	return t.made.key.ID
}

// errNoClaims says that a Token was not made from claims.
var errNoClaims = errors.New("the token carries no claims")

// Claims decodes the token's claims into v, strictly: names match exactly and
// a repeated name is an error. Use it for claims that Token has no field for.
// The text of an error may quote a claim: it is not for clients or logs.
func (t *Token) Claims(v any) error {
	claims := t.claims()
	if claims == "" {
		return errNoClaims
	}
	return json.UnmarshalRead(strings.NewReader(claims), v)
}

// LogValue describes the token for slog without printing it or any claim that
// could identify a person.
func (t *Token) LogValue() slog.Value {
	if t == nil {
		return slog.Value{}
	}
	return slog.GroupValue(
		slog.String("iss", t.Issuer),
		slog.String("client_id", t.ClientID),
		slog.String("sub_hash", t.SubjectHash()),
		slog.String("jti", t.ID),
		slog.Time("exp", t.ExpiresAt),
	)
}
