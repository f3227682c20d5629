package bearwardtest_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestExpiryByClock(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	token := iss.JWT()
	allowed(t, guard, token)
	iss.Clock.Advance(5*time.Minute + validate.DefaultLeeway - time.Second)
	allowed(t, guard, token)
	iss.Clock.Advance(time.Second)
	if d := decide(t, guard, token); validate.CodeOf(d.Err) != validate.ErrExpired {
		t.Errorf("%v", d.Err)
	}
	allowed(t, guard, iss.JWT())
}

// refused demands a refusal because the key is not published.
func refused(t *testing.T, guard *middleware.Guard, token string) {
	t.Helper()
	if d := decide(t, guard, token); d.Allowed || validate.CodeOf(d.Err) != validate.ErrKeyUnknown {
		t.Fatalf("allowed %t, %v", d.Allowed, d.Err)
	}
}

func TestRotateAndRemove(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	first, old := iss.KeyID(), iss.JWT()
	allowed(t, guard, old)
	iss.Rotate()
	if iss.KeyID() == first {
		t.Error("the same key signs")
	}
	allowed(t, guard, iss.JWT())
	allowed(t, guard, old)

	iss.Clock.Advance(time.Minute)
	iss.Rotate()
	iss.Remove(first)
	allowed(t, guard, iss.JWT())
	refused(t, guard, old)
}

func TestRemoveSeenByClock(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	guard := iss.Guard()
	old := iss.JWT(bearwardtest.Claims{ExpiresIn: 48 * time.Hour})
	allowed(t, guard, old)
	iss.Rotate()
	iss.Remove()
	allowed(t, guard, old) // nothing made the guard look
	iss.Clock.Advance(25 * time.Hour)
	refused(t, guard, old)
	allowed(t, guard, iss.JWT())
}

func TestBreakAndHeal(t *testing.T) {
	for _, fault := range []bearwardtest.Fault{
		bearwardtest.Down, bearwardtest.Status500, bearwardtest.Garbage, bearwardtest.EmptySet, bearwardtest.Huge,
		bearwardtest.Redirect, bearwardtest.HTML, bearwardtest.WrongIssuer,
	} {
		t.Run(string(fault), func(t *testing.T) {
			iss := bearwardtest.NewIssuer(t)
			guard := iss.Guard()
			iss.Break(fault)
			d := decide(t, guard, iss.JWT())
			if d.Allowed || validate.CodeOf(d.Err) != validate.ErrKeysUnavailable || d.Denial.Status != 503 {
				t.Fatalf("%+v: %v", d.Denial, d.Err)
			}
			if iss.Requests("") == 0 || iss.Requests("/moved/jwks") != 0 {
				t.Errorf("%d requests, %d redirected", iss.Requests(""), iss.Requests("/moved/jwks"))
			}
			iss.Heal()
			iss.Clock.Advance(time.Minute)
			allowed(t, guard, iss.JWT())
		})
	}
}

// held starts a decision that waits for the issuer.
func held(ctx context.Context, iss *bearwardtest.Issuer, guard *middleware.Guard) <-chan middleware.Decision {
	iss.Break(bearwardtest.Slow)
	token := iss.JWT()
	done := make(chan middleware.Decision, 1)
	go func() {
		_, d := guard.Decide(ctx, request("Bearer "+token), middleware.Policy{})
		done <- d
	}()
	for iss.Requests("") == 0 {
		runtime.Gosched()
	}
	return done
}

func TestSlowHeals(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	done := held(t.Context(), iss, iss.Guard())
	iss.Heal()
	if d := <-done; !d.Allowed {
		t.Errorf("%v", d.Err)
	}
}

// TestSlowEnds leaves a held request behind; goleak looks for what remains.
func TestSlowEnds(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := held(ctx, iss, iss.Guard())
	cancel()
	if d := <-done; d.Allowed {
		t.Error("accepted without keys")
	}
}

func TestTwoIssuers(t *testing.T) {
	a := bearwardtest.NewIssuer(t)
	b := bearwardtest.NewIssuer(t, bearwardtest.Config{Path: "/realms/b", Algorithms: []string{"EdDSA"}, Clock: a.Clock})
	cfg := a.Config()
	cfg.Issuers = append(cfg.Issuers, b.Config().Issuers...)
	guard := a.Guard(cfg)
	allowed(t, guard, a.JWT())
	allowed(t, guard, b.JWT())
	if d := decide(t, a.Guard(), b.JWT()); validate.CodeOf(d.Err) != validate.ErrIssuerUnknown {
		t.Errorf("%v", d.Err)
	}
	if a.Clock != b.Clock {
		t.Error("two clocks")
	}
}

func TestGuardFillsIn(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	allowed(t, iss.Guard(bearward.Config{Realm: "orders"}), iss.JWT())
	guard := iss.Guard(bearward.Config{Resource: "https://other.example.test"})
	if d := decide(t, guard, iss.JWT()); validate.CodeOf(d.Err) != validate.ErrAudienceRefused {
		t.Errorf("%v", d.Err)
	}
	allowed(t, guard, iss.JWT(bearwardtest.Claims{Audience: []string{"https://other.example.test"}}))
}

func TestMisuseFailsTheTest(t *testing.T) {
	for want, test := range map[string]func(testing.TB){
		`"none"`:                    func(tb testing.TB) { bearwardtest.NewIssuer(tb, bearwardtest.Config{Algorithms: []string{"none"}}) },
		"2 configurations":          func(tb testing.TB) { bearwardtest.NewIssuer(tb, bearwardtest.Config{}, bearwardtest.Config{}) },
		`no kind of token is named`: func(tb testing.TB) { bearwardtest.NewIssuer(tb).Wrong("nonsense") },
		`no fault "flood"`:          func(tb testing.TB) { bearwardtest.NewIssuer(tb).Break("flood") },
		"bearwardtest: json": func(tb testing.TB) {
			bearwardtest.NewIssuer(tb).JWT(bearwardtest.Claims{Extra: map[string]any{"a": func() {}}})
		},
		"issuer.example.test/?query": func(tb testing.TB) { badGuard(tb) },
	} {
		if got := failure(test); !strings.Contains(got, want) {
			t.Errorf("failed with %q, want %q", got, want)
		}
	}
}

func badGuard(tb testing.TB) {
	iss := bearwardtest.NewIssuer(tb)
	iss.Guard(bearward.Config{Issuers: []bearward.Issuer{{URL: "https://issuer.example.test/?query"}}})
}

func TestClock(t *testing.T) {
	var c bearwardtest.Clock
	first := c.Now()
	if first.IsZero() || first.Nanosecond() != 0 || !c.Now().Equal(first) {
		t.Errorf("the zero clock shows %v", first)
	}
	c.Advance(90 * time.Second)
	if got := c.Now().Sub(first); got != 90*time.Second {
		t.Errorf("advanced by %v", got)
	}
	want := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	c.Set(want)
	c.Advance(-time.Second)
	if got := c.Now(); !got.Equal(want.Add(-time.Second)) {
		t.Errorf("set to %v", got)
	}
}

// TestGuardCloses: that the issuer closes as well, goleak sees.
func TestGuardCloses(t *testing.T) {
	f := &fakeTB{TB: t}
	iss := bearwardtest.NewIssuer(f)
	guard, token := iss.Guard(), iss.JWT()
	allowed(t, guard, token)
	f.close()
	if d := decide(t, guard, token); validate.CodeOf(d.Err) != validate.ErrGuardClosed {
		t.Errorf("the guard lives on: %v", d.Err)
	}
}

// TestLog: the reason of a refusal is in the test's output, the token is not,
// and nothing is written once the test has ended.
func TestLog(t *testing.T) {
	f := &fakeTB{TB: t}
	iss := bearwardtest.NewIssuer(f)
	guard, logger := iss.Guard(), iss.Config().Logger
	token := iss.Wrong("expired")
	decide(t, guard, token)
	if got := f.output.String(); !strings.Contains(got, string(validate.ErrExpired)) || strings.Contains(got, token) {
		t.Errorf("output %q", got)
	}
	f.close()
	size := f.output.Len()
	logger.Log(t.Context(), slog.LevelError, "late")
	if f.output.Len() != size {
		t.Errorf("written after the end: %q", f.output.String()[size:])
	}
}
