package middleware_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bearward/bearward/introspect"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// server is an introspection that answers as the test says.
type server struct {
	opaque    *validate.Token
	err       error // of both
	confirmed []time.Duration
	verified  int
	flushed   []string
	loadErr   error
	closed    int
}

func (s *server) Verify(context.Context, string) (*validate.Token, error) {
	s.verified++
	return s.opaque, s.err
}

func (s *server) Confirm(_ context.Context, _ string, _ *validate.Token, maxAge time.Duration) error {
	s.confirmed = append(s.confirmed, maxAge)
	return s.err
}
func (s *server) Flush(raw string)           { s.flushed = append(s.flushed, raw) }
func (s *server) Load(context.Context) error { return s.loadErr }
func (s *server) Health() introspect.Health {
	return introspect.Health{Issuer: foreignIssuer, Up: true}
}
func (s *server) Close() error { s.closed++; return nil }

func asking(s *server, change func(*middleware.Issuer)) func(*middleware.Config) {
	return func(c *middleware.Config) {
		c.Issuers[0].Introspection = s
		if change != nil {
			change(&c.Issuers[0])
		}
	}
}

// A JWT that needs a live answer gets one on each request, and none where it
// does not. [RV-02]
func TestLiveStatus(t *testing.T) {
	confirm := func(age time.Duration) func(*middleware.Issuer) {
		return func(i *middleware.Issuer) { i.Confirm, i.ConfirmAge = true, age }
	}
	for name, c := range map[string]struct {
		change func(*middleware.Issuer)
		err    error
		asked  []time.Duration
		status int
	}{
		"not wanted":  {nil, validate.ErrInactive, nil, 0},
		"active":      {confirm(0), nil, []time.Duration{0}, 0},
		"an age":      {confirm(time.Minute), nil, []time.Duration{time.Minute}, 0},
		"inactive":    {confirm(0), validate.ErrInactive, []time.Duration{0}, 401},
		"unavailable": {confirm(0), validate.ErrIntrospectionUnavailable, []time.Duration{0}, 503},
		"no code":     {confirm(0), errors.New("odd"), []time.Duration{0}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{err: c.err}
			g := foreign(t, gives(foreignClaims(), nil), asking(s, c.change))
			_, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{})
			if d.Allowed != (c.status == 0) || !d.Allowed && d.Denial.Status != c.status {
				t.Errorf("%+v", d)
			}
			if len(s.confirmed) != len(c.asked) || len(c.asked) == 1 && s.confirmed[0] != c.asked[0] {
				t.Errorf("asked %v", s.confirmed)
			}
			if report := g.Explain(t.Context(), bearer(foreignToken), middleware.Policy{}); report.Allowed != d.Allowed {
				t.Errorf("%v", report)
			}
		})
	}
}

// An opaque token is judged by introspection, and not confirmed once more.
func TestOpaqueTokens(t *testing.T) {
	s := &server{opaque: foreignClaims()}
	g := foreign(t, gives(nil, validate.ErrExpired), asking(s, func(i *middleware.Issuer) { i.Opaque = true }))
	if _, d := g.Decide(t.Context(), bearer("opaque"), middleware.Policy{}); !d.Allowed || d.Token.Subject != "user-1" {
		t.Errorf("%+v", d)
	}
	_, d := g.Decide(t.Context(), bearer("opaque"), middleware.Scopes("write"))
	if d.Allowed || d.Denial.Status != 403 || d.Denial.Error != "insufficient_scope" {
		t.Errorf("%+v", d.Denial)
	}
	g = foreign(t, gives(foreignClaims(), nil), asking(s, func(i *middleware.Issuer) { i.Confirm = true }))
	_, d = g.Decide(t.Context(), bearer("opaque"), middleware.Policy{})
	if d.Allowed || d.Denial.Code != validate.ErrNotJWT || s.verified != 2 {
		t.Errorf("%+v after %d calls", d.Denial, s.verified)
	}
}

// denials is a revocation list.
type denials struct {
	revoked bool
	err     error
}

func (l denials) Revoked(context.Context, *validate.Token) (bool, error) { return l.revoked, l.err }

// The list is asked last and decides; its outage is no pass. [RV-02 RV-03]
func TestRevocation(t *testing.T) {
	for name, c := range map[string]struct {
		list   validate.Revocation
		token  error
		code   validate.Code
		status int
	}{
		"none":         {nil, nil, "", 0},
		"not revoked":  {denials{}, nil, "", 0},
		"revoked":      {denials{revoked: true}, nil, validate.ErrRevoked, 401},
		"no answer":    {denials{err: errors.New("timeout")}, nil, validate.ErrRevocationUnavailable, 503},
		"both":         {denials{revoked: true, err: errors.New("timeout")}, nil, validate.ErrRevocationUnavailable, 503},
		"its own code": {denials{err: &validate.Error{Code: validate.ErrLifetimeTooLong}}, nil, validate.ErrLifetimeTooLong, 401},
		"bad token":    {denials{revoked: true}, validate.ErrExpired, validate.ErrExpired, 401},
	} {
		t.Run(name, func(t *testing.T) {
			g := foreign(t, gives(foreignClaims(), c.token), func(cfg *middleware.Config) { cfg.Revocation = c.list })
			_, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Scopes("no-such-scope").WithAnyScope())
			if c.status == 0 {
				if d.Denial.Code != validate.ErrScopeMissing {
					t.Errorf("%+v", d.Denial)
				}
				return
			}
			if d.Allowed || d.Denial.Code != c.code || d.Denial.Status != c.status {
				t.Errorf("%+v", d.Denial)
			}
			if challenge := d.Denial.Header.Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
				t.Errorf("challenge %q", challenge)
			}
			if report := g.Explain(t.Context(), bearer(foreignToken), middleware.Policy{}); report.Allowed || report.Code != c.code {
				t.Errorf("%v", report)
			}
		})
	}
}

func TestIntrospectionIsWired(t *testing.T) {
	s := &server{opaque: foreignClaims(), loadErr: errors.New("no endpoint")}
	g := foreign(t, gives(foreignClaims(), nil), asking(s, func(i *middleware.Issuer) { i.Opaque = true }))
	g.Flush("opaque")
	if len(s.flushed) != 1 || s.flushed[0] != "opaque" {
		t.Errorf("flushed %q", s.flushed)
	}
	if err := g.Load(t.Context()); !errors.Is(err, s.loadErr) {
		t.Errorf("loaded: %v", err)
	}
	if h := g.Health(); len(h) != 1 || h[0].Introspection == nil || !h[0].Introspection.Up {
		t.Errorf("health %+v", h)
	}
	_, _ = g.Close(), g.Close()
	if s.closed != 1 {
		t.Errorf("closed %d times", s.closed)
	}
	(*middleware.Guard)(nil).Flush("x")
}

// Settings that would mean nothing, and tokens that could belong to several
// issuers, are said at start. [IN-17 IN-08]
func TestIntrospectionFaults(t *testing.T) {
	verifier := gives(foreignClaims(), nil)
	for name, i := range map[string]middleware.Issuer{
		"opaque without it":  {Verifier: verifier, Opaque: true},
		"a prefix":           {Verifier: verifier, OpaquePrefix: "a_"},
		"confirm without it": {Verifier: verifier, Confirm: true},
		"age without":        {Verifier: verifier, Introspection: &server{}, ConfirmAge: time.Minute},
		"negative age":       {Verifier: verifier, Introspection: &server{}, Confirm: true, ConfirmAge: -1},
		"nothing":            {Introspection: &server{}},
	} {
		i.URL, i.Name, i.Audience = foreignIssuer, "a", []string{api}
		if _, err := middleware.New(middleware.Config{Resource: api, Issuers: []middleware.Issuer{i}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	two := []middleware.Issuer{
		{URL: foreignIssuer, Name: "a", Audience: []string{api}, Introspection: &server{}, Opaque: true},
		{URL: foreignIssuer + "/b", Name: "b", Audience: []string{api}, Introspection: &server{}, Opaque: true, NoAudience: true},
	}
	g, err := middleware.New(middleware.Config{Resource: api, Issuers: two})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		policy middleware.Policy
		fault  bool
	}{
		"ambiguous":         {middleware.Policy{}, true},
		"one of them":       {middleware.Policy{}.WithIssuers("a"), false},
		"public":            {middleware.Public(), false},
		"audience":          {middleware.Policy{}.WithIssuers("a").WithAudience(api), false},
		"audience, without": {middleware.Policy{}.WithIssuers("b").WithAudience(api), true},
	} {
		if _, err := g.Prepare(c.policy); (err != nil) != c.fault {
			t.Errorf("%s: %v", name, err)
		}
	}
}
