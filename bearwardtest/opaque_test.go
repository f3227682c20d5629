package bearwardtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// fails demands a refusal with this code.
func fails(t *testing.T, guard *middleware.Guard, token string, code validate.Code) {
	t.Helper()
	if d := decide(t, guard, token); d.Allowed || validate.CodeOf(d.Err) != code {
		t.Errorf("allowed %t, %v, want %s", d.Allowed, d.Err, code)
	}
}

func TestOpaque(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	token := iss.Opaque(bearwardtest.Claims{Subject: "alice", Scope: "a b"})
	for range 2 {
		d := decide(t, guard, token, "a")
		if !d.Allowed || d.Token.Subject != "alice" || d.Token.Issuer != iss.URL || len(d.Token.Scopes) != 2 {
			t.Fatalf("%+v", d)
		}
	}
	if iss.Requests("/introspect") != 1 || iss.Requests("/jwks") != 0 {
		t.Errorf("asked %d times", iss.Requests("/introspect"))
	}
	allowed(t, guard, iss.JWT())
	if iss.Requests("/introspect") != 1 {
		t.Error("asked about a JWT")
	}
}

// TestOpaqueWrong: the claims decide, although the issuer says active.
func TestOpaqueWrong(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	for _, test := range []struct {
		name   string
		claims bearwardtest.Claims
		code   validate.Code
	}{
		{"expired", bearwardtest.Claims{ExpiresIn: -time.Hour}, validate.ErrInactive},
		{"expired and active", bearwardtest.Claims{ExpiresIn: -time.Hour, Extra: map[string]any{"active": true}}, validate.ErrExpired},
		{"another API", bearwardtest.Claims{Audience: []string{"https://other.example.test"}}, validate.ErrAudienceRefused},
		{"active as text", bearwardtest.Claims{Extra: map[string]any{"active": "true"}}, validate.ErrIntrospectionInvalid},
	} {
		t.Run(test.name, func(t *testing.T) { fails(t, guard, iss.Opaque(test.claims), test.code) })
	}
}

func TestRevoke(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	token := iss.Opaque()
	iss.Revoke(token)
	fails(t, guard, token, validate.ErrInactive)

	token = iss.Opaque()
	allowed(t, guard, token)
	iss.Revoke(token)
	iss.Clock.Advance(time.Minute)
	fails(t, guard, token, validate.ErrInactive)
}

func TestRevokeJWT(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	cfg := iss.Config()
	cfg.Issuers[0].Introspection.Every = time.Minute
	guard := iss.Guard(cfg)
	token := iss.JWT()
	allowed(t, guard, token)
	iss.Revoke(token)
	iss.Clock.Advance(2 * time.Minute)
	fails(t, guard, token, validate.ErrInactive)
	allowed(t, iss.Guard(), token)
}

// TestOpaqueOfTwoIssuers: each is asked about its own tokens only.
func TestOpaqueOfTwoIssuers(t *testing.T) {
	a := bearwardtest.NewIssuer(t)
	b := bearwardtest.NewIssuer(t, bearwardtest.Config{Clock: a.Clock})
	cfg := a.Config()
	cfg.Issuers = append(cfg.Issuers, b.Config().Issuers...)
	guard := a.Guard(cfg)
	for _, iss := range []*bearwardtest.Issuer{a, b} {
		d := decide(t, guard, iss.Opaque())
		if !d.Allowed || d.Token.Issuer != iss.URL || iss.Requests("/introspect") != 1 {
			t.Errorf("%+v, asked %d times", d, iss.Requests("/introspect"))
		}
	}
	fails(t, guard, "opaque", validate.ErrOpaqueUnassigned)
}

// TestOpaqueDialects: the issuer is asked in the manners of two providers.
func TestOpaqueDialects(t *testing.T) {
	for preset, change := range map[string]func(*bearwardtest.Issuer, *bearward.Issuer){
		"curity": func(*bearwardtest.Issuer, *bearward.Issuer) {},
		"google-access": func(iss *bearwardtest.Issuer, i *bearward.Issuer) {
			i.ClientIDs, i.Introspection.NoJWT = []string{"client-1"}, true
			i.Introspection.Endpoint, i.Introspection.Auth = iss.URL+"/tokeninfo", introspect.Auth{Method: introspect.None}
		},
	} {
		t.Run(preset, func(t *testing.T) {
			iss := bearwardtest.NewIssuer(t)
			cfg := iss.Config()
			cfg.Issuers[0].Preset = preset
			change(iss, &cfg.Issuers[0])
			guard := iss.Guard(cfg)
			d := decide(t, guard, iss.Opaque(bearwardtest.Claims{Subject: "alice", Scope: "a", Extra: map[string]any{"purpose": "access_token"}}), "a")
			if !d.Allowed || d.Token.Subject != "alice" {
				t.Fatalf("%v", d.Err)
			}
			revoked := iss.Opaque()
			iss.Revoke(revoked)
			fails(t, guard, revoked, validate.ErrInactive)
		})
	}
}

func TestBreakIntrospection(t *testing.T) {
	right := []bearwardtest.Fault{bearwardtest.NoStore, bearwardtest.MaxAge}
	for _, fault := range append(right,
		bearwardtest.Down, bearwardtest.Status500, bearwardtest.Garbage, bearwardtest.Huge, bearwardtest.Redirect,
		bearwardtest.HTML, bearwardtest.Status400, bearwardtest.Status401, bearwardtest.Status403, bearwardtest.Status429,
		bearwardtest.Status503, bearwardtest.RedirectPost, bearwardtest.Empty, bearwardtest.ActiveText,
		bearwardtest.ActiveNumber, bearwardtest.ActiveNull, bearwardtest.ActiveMissing, bearwardtest.Duplicate,
		bearwardtest.Array, bearwardtest.Trailing, bearwardtest.Deep, bearwardtest.PlainText,
	) {
		t.Run(string(fault), func(t *testing.T) {
			iss := bearwardtest.NewIssuer(t)
			guard := iss.Guard()
			iss.BreakIntrospection(fault)
			d := decide(t, guard, iss.Opaque())
			if fault == bearwardtest.NoStore || fault == bearwardtest.MaxAge {
				if !d.Allowed {
					t.Errorf("%v", d.Err)
				}
			} else if d.Allowed || validate.CodeOf(d.Err).Class() != validate.Unavailable || d.Denial.Status != 503 {
				t.Errorf("allowed %t, %v", d.Allowed, d.Err)
			}
			allowed(t, guard, iss.JWT())
			iss.HealIntrospection()
			iss.Clock.Advance(time.Minute)
			allowed(t, guard, iss.Opaque())
			if iss.Requests("/moved/introspect") != 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

func TestSignedAnswers(t *testing.T) {
	for _, kind := range bearwardtest.SignedAnswers() {
		t.Run(kind.Name, func(t *testing.T) {
			iss := bearwardtest.NewIssuer(t)
			cfg := iss.Config()
			cfg.Issuers[0].Introspection.SignedResponse = introspect.Require
			guard := iss.Guard(cfg)
			iss.SignedAnswer(kind.Name)
			if kind.Name == "valid" {
				allowed(t, guard, iss.Opaque())
				return
			}
			if kind.Name == "plain" {
				kind.Code = validate.ErrIntrospectionInvalid
			}
			fails(t, guard, iss.Opaque(), kind.Code)
			iss.SignedAnswer("")
			iss.Clock.Advance(time.Minute)
			allowed(t, guard, iss.Opaque())
		})
	}
}

func TestIntrospectionMisuse(t *testing.T) {
	for want, misuse := range map[string]func(*bearwardtest.Issuer){
		"empty-set":      func(i *bearwardtest.Issuer) { i.BreakIntrospection(bearwardtest.EmptySet) },
		"active-text":    func(i *bearwardtest.Issuer) { i.Break(bearwardtest.ActiveText) },
		"no such kind":   func(i *bearwardtest.Issuer) { i.SignedAnswer("no such kind") },
		"configurations": func(i *bearwardtest.Issuer) { i.Opaque(bearwardtest.Claims{}, bearwardtest.Claims{}) },
		"func":           func(i *bearwardtest.Issuer) { i.Opaque(bearwardtest.Claims{Extra: map[string]any{"f": func() {}}}) },
	} {
		if got := failure(func(tb testing.TB) { misuse(bearwardtest.NewIssuer(tb)) }); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
