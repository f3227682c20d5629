package middleware_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// upstream is the part of an issuer that is loaded, asked and closed.
type upstream struct {
	name   string
	load   func(context.Context) error
	closed atomic.Int32
	err    error
}

func (u *upstream) Load(ctx context.Context) error {
	if u.load == nil {
		return nil
	}
	return u.load(ctx)
}

func (u *upstream) Health() jwks.Health {
	return jwks.Health{Issuer: u.name, LastError: "of " + u.name}
}

func (u *upstream) Close() error {
	u.closed.Add(1)
	return u.err
}

// TestCloseWaits for decisions and holds that have begun, and refuses later
// ones.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, on := make(chan struct{}), make(chan struct{})
		keys := &upstream{}
		g := foreign(t, func(context.Context, string) (*validate.Token, error) {
			begun <- struct{}{}
			<-on
			return foreignClaims(), nil
		}, func(c *middleware.Config) { c.Issuers[0].Keys = keys })

		decided, closed := make(chan bool), make(chan error, 2)
		go func() {
			_, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{})
			decided <- d.Allowed
		}()
		<-begun
		release, ok := g.Hold()
		if !ok {
			t.Fatal("an open guard cannot be held")
		}
		if other, ok := g.Hold(); ok {
			other()
			other() // counts once
		}
		for range 2 {
			go func() { closed <- g.Close() }()
		}
		synctest.Wait()
		if _, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{}); validate.CodeOf(d.Err) != validate.ErrGuardClosed || d.Denial.Status != 503 {
			t.Errorf("%+v", d)
		}
		if _, ok := g.Hold(); ok {
			t.Error("a closed guard can be held")
		}
		on <- struct{}{}
		if !<-decided {
			t.Error("the decision that had begun was refused")
		}
		synctest.Wait()
		if len(closed) != 0 || keys.closed.Load() != 0 {
			t.Error("Close did not wait for the hold")
		}
		release()
		for range 2 {
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}
		if err := g.Close(); err != nil || keys.closed.Load() != 1 {
			t.Errorf("%v, released %d times", err, keys.closed.Load())
		}
	})
}

// TestCloseConcurrently lets 64 goroutines decide, hold and close.
func TestCloseConcurrently(t *testing.T) {
	for range 50 {
		keys := &upstream{}
		var inside atomic.Int32
		g := foreign(t, func(context.Context, string) (*validate.Token, error) {
			inside.Add(1)
			defer inside.Add(-1)
			if keys.closed.Load() != 0 {
				t.Error("a decision runs after the release")
			}
			return foreignClaims(), nil
		}, func(c *middleware.Config) { c.Issuers[0].Keys = keys })
		var all sync.WaitGroup
		start := make(chan struct{})
		for n := range 64 {
			all.Go(func() {
				<-start
				switch {
				case n%16 == 0:
					if err := g.Close(); err != nil {
						t.Error(err)
					}
					if inside.Load() != 0 || keys.closed.Load() > 1 {
						t.Error("Close returned while a decision ran")
					}
				case n%4 == 0:
					if release, ok := g.Hold(); ok {
						if keys.closed.Load() != 0 {
							t.Error("a hold after the release")
						}
						release()
					}
				default:
					if _, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{}); !d.Allowed && validate.CodeOf(d.Err) != validate.ErrGuardClosed {
						t.Error(d.Err)
					}
				}
			})
		}
		close(start)
		all.Wait()
		if err := g.Close(); err != nil || keys.closed.Load() != 1 {
			t.Fatalf("%v, released %d times", err, keys.closed.Load())
		}
	}
}

// three is a guard with three issuers, the last without anything to load.
func three(t *testing.T, a, b *upstream) *middleware.Guard {
	t.Helper()
	return foreign(t, gives(foreignClaims(), nil), func(c *middleware.Config) {
		c.Issuers[0].Keys = a
		c.Issuers = append(c.Issuers,
			middleware.Issuer{URL: "https://b.test", Name: "b", Verifier: gives(nil, nil), Keys: b},
			middleware.Issuer{URL: "https://c.test", Name: "c", Verifier: gives(nil, nil)})
	})
}

// TestLoad asks all issuers at the same time and returns every failure.
// [JK-24]
func TestLoad(t *testing.T) {
	both := make(chan struct{})
	a, b := &upstream{name: "a"}, &upstream{name: "b"}
	a.load = func(context.Context) error { both <- struct{}{}; return errors.New("a is down") }
	b.load = func(context.Context) error { <-both; return validate.ErrKeysUnavailable }
	g := three(t, a, b)
	if err := g.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "a is down") || !errors.Is(err, validate.ErrKeysUnavailable) {
		t.Errorf("%v", err)
	}
	a.load, b.load = nil, nil
	if err := g.Load(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHealth lists issuers in configured order. [JK-24]
func TestHealth(t *testing.T) {
	g := three(t, &upstream{name: "a"}, &upstream{name: "b"})
	h := g.Health()
	if len(h) != 3 || h[0].Name != "foreign" || h[0].LastError != "of a" || h[1].Name != "b" || h[1].Issuer != "b" || h[2].Issuer != "https://c.test" || !h[2].Loaded {
		t.Errorf("%+v", h)
	}
}

// TestCloseReportsFaults of every issuer, once.
func TestCloseReportsFaults(t *testing.T) {
	g := three(t, &upstream{err: errors.New("a stays")}, &upstream{err: errors.New("b stays")})
	if err := g.Close(); err == nil || !strings.Contains(err.Error(), "a stays") || !strings.Contains(err.Error(), "b stays") {
		t.Errorf("%v", err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// TestConfigFaults are reported at once.
func TestConfigFaults(t *testing.T) {
	_, err := middleware.New(middleware.Config{
		Realm: "ä", Resource: "https://api.example.test/#x",
		Issuers: []middleware.Issuer{
			{URL: "https://a.test", Name: "a", Verifier: gives(nil, nil)},
			{URL: "https://a.test", Name: "b", Verifier: gives(nil, nil)},
			{URL: "https://c.test", Name: "b", Verifier: gives(nil, nil)},
			{URL: "https://d.test", Verifier: gives(nil, nil)},
			{Name: "e", Verifier: gives(nil, nil)},
			{URL: "https://f.test", Name: "f"},
		},
	})
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{"realm", "fragment", `"https://a.test" is configured twice`, `"b" is empty or used twice`, `"" is empty`, `issuer "" has no name`, `"https://f.test" has no name or no verifier`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if _, err := middleware.New(middleware.Config{}); err == nil || !strings.Contains(err.Error(), "no issuer") {
		t.Errorf("%v", err)
	}
}

// TestExpiryLimits what has a token.
func TestExpiryLimits(t *testing.T) {
	token := foreignClaims()
	g := foreign(t, gives(token, nil))
	_, d := g.Decide(t.Context(), bearer(foreignToken), middleware.Policy{})
	left, denial, ok := g.Expiry(bearer(foreignToken), d)
	if !ok || left != token.ExpiresAt.Sub(noon) || denial.Status != 401 || denial.Code != validate.ErrExpired {
		t.Errorf("%v %+v %t", left, denial, ok)
	}
	for _, d := range []middleware.Decision{{}, {Allowed: true}, {Token: token}} {
		if _, _, ok := g.Expiry(request(), d); ok {
			t.Errorf("%+v is limited", d)
		}
	}
}
