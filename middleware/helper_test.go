package middleware_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const api = issuer.DefaultAudience

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (r *recorder) Observe(_ context.Context, e middleware.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) take() []middleware.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.events
	r.events = nil
	return out
}

// stand is an issuer at noon and a guard that has its keys.
type stand struct {
	t      testing.TB
	iss    *issuer.Server
	guard  *middleware.Guard
	events *recorder
	log    *bytes.Buffer // of everything that the guard logs itself
}

func newStand(t testing.TB, change ...func(*bearward.Config)) *stand {
	t.Helper()
	s := &stand{t: t, events: &recorder{}, log: &bytes.Buffer{}}
	var err error
	if s.iss, err = issuer.Start(issuer.Config{Now: atNoon}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.iss.Close() })
	cfg := bearward.Config{
		Resource: api, Issuers: []bearward.Issuer{{URL: s.iss.URL(), Name: "main", AllowHTTP: true}},
		Observer: s.events, Logger: slog.New(slog.NewTextHandler(s.log, nil)), Clock: atNoon,
	}
	for _, f := range change {
		f(&cfg)
	}
	if s.guard, err = bearward.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.guard.Close() })
	if err := s.guard.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stand) mint(kind string, claims map[string]any) string {
	s.t.Helper()
	all := s.iss.Claims("")
	maps.Copy(all, claims)
	token, err := s.iss.Mint(kind, all)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// request is GET /orders with these Authorization values.
func request(values ...string) middleware.Request {
	r := middleware.Request{Method: "GET", Scheme: "https", Host: "api.example.test", RawPath: "/orders", Header: http.Header{}}
	if values != nil {
		r.Header = http.Header{"Authorization": values}
	}
	return r
}

func bearer(token string) middleware.Request { return request("Bearer " + token) }

func (s *stand) decide(r middleware.Request, p middleware.Policy) middleware.Decision {
	_, d := s.guard.Decide(s.t.Context(), r, p)
	return d
}

// foreign is a guard whose only verifier is v, and a token that is routed to
// it.
const (
	foreignIssuer = "https://issuer.example.test"
	foreignToken  = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlLnRlc3QifQ."
)

func foreign(t testing.TB, v validate.VerifierFunc, change ...func(*middleware.Config)) *middleware.Guard {
	t.Helper()
	cfg := middleware.Config{
		Resource: api, Clock: atNoon, Logger: slog.New(slog.DiscardHandler),
		Issuers: []middleware.Issuer{{URL: foreignIssuer, Name: "foreign", Audience: []string{api}, Verifier: v}},
	}
	for _, f := range change {
		f(&cfg)
	}
	g, err := middleware.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func gives(token *validate.Token, err error) validate.VerifierFunc {
	return func(context.Context, string) (*validate.Token, error) { return token, err }
}

// foreignClaims is a right token of the foreign verifier.
func foreignClaims() *validate.Token {
	return &validate.Token{
		Issuer: foreignIssuer, Subject: "user-1", ClientID: "client-1", Audience: []string{api},
		Scopes: []string{"read"}, ExpiresAt: noon.Add(time.Minute),
	}
}
