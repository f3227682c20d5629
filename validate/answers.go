package validate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AnswerLife is how long an introspection answer without exp may be used: its
// token has this as ExpiresAt.
const AnswerLife = 5 * time.Minute

// Answers judges what an authorization server says about its tokens (RFC 7662
// §2.2): the server vouches for the token, and the same claims are held to the
// same rules as those of a JWT. It makes no calls; package introspect does.
type Answers struct {
	rules JWT
}

// NewAnswers checks the configuration, all of it at once. Keys and Algorithms
// are not used.
func NewAnswers(config Config) (*Answers, error) {
	config.Profile, config.answers = Compat, true
	err := config.prepare()
	if IsTemplate(config.Issuer) {
		err = errors.Join(err, fmt.Errorf("issuer %q: nobody can be asked about the tokens of many issuers", config.Issuer))
	}
	if err != nil {
		return nil, err
	}
	return &Answers{rules: JWT{config: config}}, nil
}

// Judge returns the token that an active answer describes. claims is one JSON
// object, the answer itself; its member active is not looked at.
func (a *Answers) Judge(claims string) (*Token, error) {
	s := state{raw: claims}
	return a.rules.apply(&s, statement)
}

// Explain runs every rule over an active answer.
func (a *Answers) Explain(claims string) ([]Finding, *Token) {
	s := state{raw: claims}
	findings, token := a.rules.explainBy(&s, nil, statement)
	for i := range findings {
		findings[i].Unverified = false // the server itself says so
	}
	return findings, token
}

// Dialect says how the preset's servers are asked; see AnswerHabits.
func (a *Answers) Dialect() string { return a.rules.config.habits.Answer.Dialect }

// EndpointHint returns where the preset's servers are asked, below the issuer,
// if their metadata does not say; "" if it is not known.
func (a *Answers) EndpointHint() string { return a.rules.config.habits.Answer.Endpoint }

// Leeway returns the clock difference that this issuer is granted.
func (a *Answers) Leeway() time.Duration { return a.rules.config.Leeway }

// NoAudience reports that answers without aud are accepted: no route can ask
// for an audience then.
func (a *Answers) NoAudience() bool { return a.rules.config.TrustServer || a.rules.NoAudience() }

// ClientIDs returns the clients whose tokens are accepted; empty: any.
func (a *Answers) ClientIDs() []string { return slices.Clone(a.rules.config.ClientIDs) }

// statement holds the rules for an active answer.
var statement = []rule{
	{"answer", 0, haveClaims, []Code{ErrClaimsInvalid}, "RFC 7662 §2.2", checkStatement, nil},
	{"issuer", haveClaims, haveIssuer, []Code{ErrIssuerUnknown}, "RFC 7662 §2.2", checkStatedIssuer, showIssuer}, // [IN-07]
	{"expiry", haveClaims, 0, []Code{ErrExpired}, "RFC 7662 §4", checkStatedExpiry, showExpiry},                  // [IN-07]
	{"not-before", haveClaims, 0, []Code{ErrNotYetValid}, "RFC 7662 §4", checkNotBefore, showNotBefore},          // [IN-07]
	{"issued-at", haveClaims, 0, []Code{ErrIssuedInFuture, ErrClaimMissing}, "RFC 7519 §4.1.6", checkIssuedAt, showIssuedAt},
	{"lifetime", haveClaims, 0, []Code{ErrLifetimeTooLong, ErrClaimMissing}, "RFC 7009 §3", checkStatedLifetime, showLifetime},
	{"audience", haveClaims, 0, []Code{ErrAudienceRefused, ErrClaimMissing}, "RFC 7662 §4", checkStatedAudience, showAudience}, // [IN-08]
	{"client", haveClaims, 0, []Code{ErrClientRefused, ErrClaimsInvalid}, "RFC 7662 §2.2", checkClient, nil},
	{"kind", haveClaims, 0, []Code{ErrKindRefused}, "RFC 7662 §2.2", checkStatedKind, showKind}, // [IN-12]
	{"marks", haveClaims, 0, []Code{ErrKindRefused}, "project", checkMarks, showMarks},
	{"require", haveClaims, 0, []Code{ErrClaimRefused}, "RFC 8725 §3.8", checkDemands, showDemands},
	{"scope", haveClaims, 0, []Code{ErrClaimsInvalid}, "RFC 7662 §2.2", checkScope, nil}, // [IN-09]
	{"details", haveClaims, 0, []Code{ErrClaimsInvalid}, "RFC 9396 §9.2", checkDetails, nil},
	{"confirmation", haveClaims, 0, []Code{ErrConfirmationInvalid}, "RFC 9449 §6.2, RFC 8705 §3.2", checkConfirmation, nil}, // [IN-07 IN-11]
	{"actor", haveClaims, 0, []Code{ErrClaimsInvalid}, "RFC 8693 §4.1", checkActor, nil},
}

func checkStatement(s *state) *Error {
	if err := s.readClaims(s.raw); err != nil {
		return err
	}
	s.token.made.facts.Deviates(string(ErrNotJWT)) // whatever the answer says, RFC 9068 is about JWTs
	if s.claims.tokenType == "" {
		return nil
	}
	var ok bool
	if s.claims.tokenType, ok = text(s.claims.tokenType); !ok {
		return refuseClaim(ErrClaimsInvalid, "token_type")
	}
	return nil
}

// checkStatedIssuer takes the configured issuer where the answer names none:
// it is the one that was asked.
func checkStatedIssuer(s *state) *Error {
	if s.token.Issuer == "" {
		s.token.Issuer = s.issuer.config.Issuer
		return nil
	}
	return checkIssuer(s)
}

func checkStatedExpiry(s *state) *Error {
	if !s.claims.hasExpiry {
		s.token.ExpiresAt = s.now.Add(AnswerLife)
		return nil
	}
	return checkExpiry(s)
}

func checkStatedLifetime(s *state) *Error {
	if !s.claims.hasExpiry {
		return nil
	}
	return checkLifetime(s)
}

func checkStatedAudience(s *state) *Error {
	if !s.claims.hasAudience && s.issuer.config.TrustServer {
		return nil
	}
	return checkAudience(s)
}

// accessTokenTypes are the values of token_type that an access token may have
// in an answer: those of RFC 6749 §7.1 and RFC 8693 §3.
var accessTokenTypes = []string{"bearer", "dpop", "access_token", "urn:ietf:params:oauth:token-type:access_token"}

// checkStatedKind refuses refresh tokens and ID tokens, which some servers
// introspect as well.
func checkStatedKind(s *state) *Error {
	if err := checkKind(s); err != nil {
		return err
	}
	kind := strings.ToLower(s.claims.tokenType)
	if kind != "" && !slices.Contains(accessTokenTypes, kind) {
		return refuseClaim(ErrKindRefused, "token_type")
	}
	s.claims.boundType = s.claims.boundType || kind == "dpop" // [IN-10]
	return nil
}
