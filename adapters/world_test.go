package adapters_test

import (
	"context"
	"io"
	"log/slog"
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

const (
	api   = issuer.DefaultAudience
	admin = "https://admin.example.test"
)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// recorder keeps the events of decisions.
type recorder struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (r *recorder) Observe(_ context.Context, e middleware.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// take returns the events since the last call.
func (r *recorder) take() []middleware.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.events
	r.events = nil
	return out
}

// world is two issuers and the guards that accept both.
type world struct {
	t           *testing.T
	clock       *clock
	main, other *issuer.Server
	strict      *middleware.Guard
	compat      *middleware.Guard // profile compat for main
	events      *recorder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}, events: &recorder{}}
	w.main, w.other = w.issuer(), w.issuer()
	w.strict, w.compat = w.guard(validate.RFC9068), w.guard(validate.Compat)
	return w
}

func (w *world) issuer() *issuer.Server {
	s, err := issuer.Start(issuer.Config{Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) guard(profile validate.Profile) *middleware.Guard {
	g, err := bearward.New(w.t.Context(), bearward.Config{
		Resource: api,
		Issuers: []bearward.Issuer{
			{URL: w.main.URL(), Name: "main", Audience: []string{api, admin}, Profile: profile, AllowHTTP: true},
			{URL: w.other.URL(), Name: "other", Audience: []string{api}, AllowHTTP: true},
		},
		Observer: w.events, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: w.clock.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = g.Close() })
	return g
}

// load fetches the keys, so that an outage afterwards finds them.
func (w *world) load() {
	for _, g := range []*middleware.Guard{w.strict, w.compat} {
		if err := g.Load(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// mint makes a token of the kind with claims over the usual ones.
func (w *world) mint(s *issuer.Server, kind string, claims map[string]any) string {
	all := s.Claims("")
	for name, value := range claims {
		all[name] = value
	}
	token, err := s.Mint(kind, all)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *world) fault(f issuer.Fault) {
	if err := w.main.Break(f); err != nil {
		w.t.Fatal(err)
	}
}
