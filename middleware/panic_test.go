package middleware_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// later is an error that knows when to come back, in milliseconds.
type later int

func (l later) Error() string             { return "later" }
func (l later) RetryAfter() time.Duration { return time.Duration(l) * time.Millisecond }

// trap is a Header that panics when it is asked for one name.
type trap struct {
	name   string
	values []string
}

func (h trap) Values(name string) []string {
	if name == h.name {
		panic("header: " + name)
	}
	if name == "Authorization" {
		return h.values
	}
	return nil
}

// broken is an error whose methods panic.
type broken struct{}

func (broken) Error() string { panic("error text") }
func (broken) As(any) bool   { panic("As") }

type panicking struct{}

func (panicking) Observe(context.Context, middleware.Event) { panic("observer") }

// TestPanics: whatever panics on the way, the answer is a refusal, and Decide
// and Explain return. [PV-07]
func TestPanics(t *testing.T) {
	verifier := validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) { panic("verifier") })
	implies := middleware.Policy{AllScopes: []string{"x"}, Implies: func(string, string) bool { panic("implies") }}
	check := middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { panic("check") })
	checkOdd := middleware.Policy{}.WithCheck(func(context.Context, *validate.Token) error { return broken{} })
	good := []string{"Bearer " + foreignToken}
	for name, c := range map[string]struct {
		verifier validate.Verifier
		header   middleware.Header
		policy   middleware.Policy
	}{
		"verifier":               {verifier, trap{values: good}, middleware.Policy{}},
		"verifier's error":       {gives(nil, broken{}), trap{values: good}, middleware.Policy{}},
		"nil map in a verifier":  {gives(foreignClaims(), nil), trap{"Authorization", nil}, middleware.Policy{}},
		"header: Early-Data":     {gives(foreignClaims(), nil), trap{"Early-Data", good}, middleware.Policy{}},
		"header: Origin":         {gives(nil, validate.ErrExpired), trap{"Origin", good}, middleware.Policy{}},
		"header: Dpop":           {gives(foreignClaims(), nil), trap{"Dpop", good}, middleware.Policy{}},
		"implies":                {gives(foreignClaims(), nil), trap{values: good}, implies},
		"check":                  {gives(foreignClaims(), nil), trap{values: good}, check},
		"check's error":          {gives(foreignClaims(), nil), trap{values: good}, checkOdd},
		"nil verifier's pointer": {(*validate.JWT)(nil), trap{values: good}, middleware.Policy{}},
	} {
		t.Run(name, func(t *testing.T) {
			events := &recorder{}
			g := foreign(t, nil, func(cfg *middleware.Config) { cfg.Issuers[0].Verifier, cfg.Observer = c.verifier, events })
			r := middleware.Request{Method: "POST", RawPath: "/", Header: c.header}
			ctx, d := g.Decide(t.Context(), r, c.policy)
			if d.Allowed || d.Denial == nil || d.Denial.Status != 500 || d.Denial.GRPC != 13 || d.Denial.Reason != "" || d.Token != nil || ctx != t.Context() {
				t.Errorf("%+v", d)
			}
			if d.Denial.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%v", d.Denial.Header)
			}
			if report := g.Explain(t.Context(), r, c.policy); report.Allowed && name != "header: Dpop" {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestObserverDecidesNothing: not even by a panic.
func TestObserverDecidesNothing(t *testing.T) {
	g := foreign(t, gives(foreignClaims(), nil), func(c *middleware.Config) { c.Observer = panicking{} })
	if _, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{}); !d.Allowed {
		t.Error(d.Err)
	}
	if _, d := g.Decide(t.Context(), request(), middleware.Policy{}); d.Allowed || d.Denial.Status != 401 {
		t.Errorf("%+v", d)
	}
}

// TestForeignVerifier is believed about its own issuer only, and not asked to
// know about bindings. [CL-21 ER-23]
func TestForeignVerifier(t *testing.T) {
	with := func(f func(*validate.Token)) *validate.Token {
		token := foreignClaims()
		f(token)
		return token
	}
	for name, c := range map[string]struct {
		token  *validate.Token
		err    error
		policy middleware.Policy
		status int
		code   validate.Code
	}{
		"right":            {foreignClaims(), nil, middleware.Scopes("read").WithAudience(api), 0, ""},
		"neither":          {nil, nil, middleware.Policy{}, 500, validate.ErrInternal},
		"another issuer":   {with(func(t *validate.Token) { t.Issuer = "https://x.test" }), nil, middleware.Policy{}, 500, validate.ErrInternal},
		"no issuer":        {with(func(t *validate.Token) { t.Issuer = "" }), nil, middleware.Policy{}, 500, validate.ErrInternal},
		"no expiry":        {with(func(t *validate.Token) { t.ExpiresAt = time.Time{} }), nil, middleware.Policy{}, 401, validate.ErrClaimMissing},
		"expired":          {with(func(t *validate.Token) { t.ExpiresAt = noon }), nil, middleware.Policy{}, 401, validate.ErrExpired},
		"not yet valid":    {with(func(t *validate.Token) { t.NotBefore = noon.Add(1) }), nil, middleware.Policy{}, 401, validate.ErrNotYetValid},
		"bound to a key":   {with(func(t *validate.Token) { t.Confirmation.KeyThumbprint = "x" }), nil, middleware.Policy{}, 401, validate.ErrConfirmationUnproven},
		"bound to a cert":  {with(func(t *validate.Token) { t.Confirmation.CertificateThumbprint = "x" }), nil, middleware.Policy{}, 401, validate.ErrConfirmationUnproven},
		"strict profile":   {foreignClaims(), nil, middleware.Policy{Profile: validate.RFC9068}, 401, validate.ErrProfileRefused},
		"scope":            {foreignClaims(), nil, middleware.Scopes("write"), 403, validate.ErrScopeMissing},
		"a client":         {with(func(t *validate.Token) { t.Subject = "client-1" }), nil, middleware.Policy{UserOnly: true}, 403, validate.ErrUserRequired},
		"nobody":           {with(func(t *validate.Token) { t.Subject, t.ClientID = "", "" }), nil, middleware.Policy{UserOnly: true}, 403, validate.ErrUserRequired},
		"delegated":        {with(func(t *validate.Token) { t.Actor = &validate.Actor{} }), nil, middleware.Policy{NoDelegation: true}, 403, validate.ErrDelegationRefused},
		"coded error":      {nil, &validate.Error{Code: validate.ErrSignatureInvalid}, middleware.Policy{}, 401, validate.ErrSignatureInvalid},
		"token and error":  {foreignClaims(), validate.ErrExpired, middleware.Policy{}, 401, validate.ErrExpired},
		"own error":        {nil, errors.New("the token expired"), middleware.Policy{}, 500, validate.ErrInternal},
		"empty code":       {nil, &validate.Error{}, middleware.Policy{}, 500, ""},
		"code of its own":  {nil, validate.Code("mine"), middleware.Policy{}, 500, "mine"},
		"caller went away": {nil, context.Canceled, middleware.Policy{}, 500, validate.ErrInternal},
		"unavailable":      {nil, validate.ErrUnavailable, middleware.Policy{}, 503, validate.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			g := foreign(t, gives(c.token, c.err))
			token, err := g.Check(t.Context(), bearer(foreignToken), c.policy)
			if c.status == 0 {
				if err != nil || token != c.token {
					t.Errorf("%v %v", token, err)
				}
				return
			}
			_, d := g.Decide(t.Context(), bearer(foreignToken), c.policy)
			if token != nil || validate.CodeOf(err) != c.code || d.Denial.Status != c.status {
				t.Errorf("%v, status %d, want %s %d", err, d.Denial.Status, c.code, c.status)
			}
			report := g.Explain(t.Context(), bearer(foreignToken), c.policy)
			if report.Allowed || report.Code != c.code || report.Status != c.status {
				t.Errorf("Explain: %s", report)
			}
		})
	}
}

// TestForeignFacts: what a handler writes into the token of a foreign verifier
// does not reach the policies inside.
func TestForeignFacts(t *testing.T) {
	token := foreignClaims()
	g := foreign(t, gives(token, nil))
	ctx, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Scopes("read"))
	if !d.Allowed {
		t.Fatal(d.Err)
	}
	token.Scopes[0] = "admin"
	token.Audience[0] = "https://other.example.test"
	token.Subject, token.ACR, token.AuthTime = "root", "phr", noon
	token.ExpiresAt = noon.Add(-time.Hour)
	for name, p := range map[string]middleware.Policy{
		"admin": middleware.Scopes("admin"), "acr": middleware.Policy{}.WithACR("phr"), "age": middleware.Policy{}.WithMaxAge(time.Hour),
	} {
		_, d := g.Decide(ctx, bearer(foreignToken), p)
		if d.Allowed || d.Denial.Code.Class() != validate.MissingScope && d.Denial.Code.Class() != validate.StepUp {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if _, d := g.Decide(ctx, bearer(foreignToken), middleware.Scopes("read").WithAudience(api)); !d.Allowed {
		t.Error(d.Err)
	}
}
