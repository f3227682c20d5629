package validate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

// JWT judges the JWT access tokens of one issuer. It is a Verifier.
type JWT struct {
	config Config
	strict bool
}

// NewJWT checks the configuration, all of it at once, and makes no call.
func NewJWT(config Config) (*JWT, error) {
	if err := errors.Join(config.prepare(), config.prepareSignatures()); err != nil {
		return nil, err
	}
	return &JWT{config: config, strict: config.Profile == RFC9068}, nil
}

// state is one verification on its way through the rules.
type state struct {
	ctx    context.Context
	raw    string
	now    time.Time
	issuer *JWT // whose rules apply; nil until the token is routed

	parts    jose.Opened
	header   jose.Header
	recalled bool // header was read before
	claims   claims
	token    *Token // under construction
	tried    [maxCandidates]*Key
	keys     []*Key // those that fit, in tried
	key      *Key   // that verified the signature

	signature [256]byte // room for one of RSA with 2048 bits
}

// Verify runs every rule until one refuses the token. A token that is bound to
// a key or certificate passes: proving the binding is the caller's duty, see
// Token.Confirmation and package middleware.
func (j *JWT) Verify(ctx context.Context, raw string) (*Token, error) {
	s := begin(ctx, raw)
	defer s.end()
	if refusal := s.run(shape); refusal != nil {
		return nil, refusal
	}
	return j.judge(s)
}

var states = sync.Pool{New: func() any { return new(state) }}

// begin returns a state that the caller has to end. Nothing of it may be used
// after that.
func begin(ctx context.Context, raw string) *state {
	s := states.Get().(*state)
	s.ctx, s.raw = ctx, raw
	return s
}

// end forgets everything about the token.
func (s *state) end() {
	*s = state{}
	states.Put(s)
}

// judge runs the rules that depend on the issuer over a token whose shape is
// known already.
func (j *JWT) judge(s *state) (*Token, error) {
	return j.apply(s, substance)
}

// apply runs rules to the first refusal.
func (j *JWT) apply(s *state, rules []rule) (*Token, error) {
	if refusal := j.refuse(s, rules); refusal != nil {
		return nil, refusal
	}
	return s.seal(), nil
}

// refuse is apply without a token yet.
func (j *JWT) refuse(s *state, rules []rule) *Error {
	s.issuer, s.now = j, j.config.Clock()
	refusal := s.run(rules)
	if refusal != nil {
		refusal.Issuer = j.config.Issuer
	}
	return refusal
}

func (s *state) run(rules []rule) *Error {
	for i := range rules {
		if err := rules[i].check(s); err != nil {
			return err
		}
	}
	return nil
}

// deviates refuses what RFC 9068 does not allow, or, with profile compat,
// remembers it so that a route can tighten the profile later.
func (s *state) deviates(code Code, claim string) *Error {
	if s.issuer.strict {
		return refuseClaim(code, claim)
	}
	s.token.made.facts.Deviates(string(code))
	return nil
}

// seal copies what guards decide from, so that no reader of the Token can
// change a decision, and clips what is handed out.
func (s *state) seal() *Token {
	t := s.token
	f := &t.made.facts
	f.By, f.Signed, t.made.key = &s.issuer.config.maker, s.key != nil, s.key
	f.Keep(t.said(s.claims.scopes, s.lists()))
	f.Bound = s.claims.confirmation != "" || s.claims.boundType
	f.Delegated = t.Actor != nil
	f.Client = s.standsForClient()
	return t
}

// lists gives the token its scopes, and those and the audience one piece of memory,
// with a copy of the audience that it returns.
func (s *state) lists() (audience []string) {
	t, scopes := s.token, s.claims.scopes
	n := len(t.Audience)
	all := append(make([]string, 0, 2*n+strings.Count(scopes, " ")+1), t.Audience...)
	all = append(all, t.Audience...)
	t.Audience, t.AMR = all[:n:n], slices.Clip(t.AMR)
	if scopes != "" {
		for rest := scopes; rest != ""; {
			var scope string
			if scope, rest, _ = strings.Cut(rest, " "); scope != "" {
				all = append(all, scope)
			}
		}
		t.Scopes = slices.Clip(all[2*n:])
	}
	return all[n : 2*n : 2*n]
}

// standsForClient errs on the side of the client: a route for users refuses
// what this marks.
func (s *state) standsForClient() bool {
	if s.token.Subject == s.token.ClientID || s.token.Subject == "" { // [CL-17]
		return true
	}
	if s.claims.idType == "app" || s.claims.grantType == "client-credentials" {
		return true
	}
	for i := range s.issuer.config.habits.Client {
		if has, sure := s.bears(&s.issuer.config.habits.Client[i]); has || !sure { // [CL-17]
			return true
		}
	}
	return false
}

var _ Verifier = (*JWT)(nil)

// ValidAt checks the token's times again at now, as on every use of a token
// that was validated before. The error is ErrExpired or ErrNotYetValid.
func (t *Token) ValidAt(now time.Time, leeway time.Duration) error {
	exp, nbf := t.ExpiresAt, t.NotBefore
	if t.sealed() {
		exp, nbf = t.made.facts.ExpiresAt(), t.made.facts.NotBefore()
	}
	if exp.IsZero() {
		return refuseClaim(ErrClaimMissing, "exp")
	}
	if expired(exp, now, leeway) { // [CA-02 CL-12]
		return refuseClaim(ErrExpired, "exp")
	}
	if inFuture(nbf, now, leeway) {
		return refuseClaim(ErrNotYetValid, "nbf")
	}
	return nil
}

// Leeway returns the clock difference that this issuer is granted.
func (j *JWT) Leeway() time.Duration { return j.config.Leeway }

// NoAudience reports that tokens without aud are accepted, because their client
// is looked at in its place: no route can ask for an audience then.
func (j *JWT) NoAudience() bool {
	return j.config.habits.ClientsForAud && len(j.config.ClientIDs) > 0
}
