package bearward_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

func update(t testing.TB, old *middleware.Guard, cfg bearward.Config) *middleware.Guard {
	t.Helper()
	g, err := bearward.Update(t.Context(), old, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// judged is the code of a refusal, or "".
func judged(t testing.TB, g *middleware.Guard, token string) validate.Code {
	t.Helper()
	_, d := g.Decide(t.Context(), asBearer(token), middleware.Policy{})
	if d.Allowed {
		return ""
	}
	return validate.CodeOf(d.Err)
}

// TestUpdateKeepsIssuers: what an issuer has told is not asked again where nothing
// has changed that it depends on.
func TestUpdateKeepsIssuers(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	old := iss.Guard(iss.Config())
	jwt, opaque := iss.JWT(), iss.Opaque()
	for _, token := range []string{jwt, opaque} {
		if code := judged(t, old, token); code != "" {
			t.Fatal(code)
		}
	}
	keys, asked := iss.Requests("/jwks"), iss.Requests("/introspect")
	if keys != 1 || asked != 1 {
		t.Fatalf("%d and %d requests", keys, asked)
	}
	for name, c := range map[string]struct {
		change      func(*bearward.Config)
		jwt, opaque validate.Code
		keys, asked int // requests more
	}{
		"nothing": {change: func(*bearward.Config) {}},
		"realm":   {change: func(c *bearward.Config) { c.Realm = "other" }},
		"resource": {change: func(c *bearward.Config) {
			c.Issuers[0].Audience = []string{c.Resource}
			c.Resource = "https://else.example.test"
		}, asked: 0},
		"name":     {change: func(c *bearward.Config) { c.Issuers[0].Name = "other" }},
		"observer": {change: func(c *bearward.Config) { c.Observer, c.Logger = middleware.LogObserver(quiet()), quiet() }},
		"audience": {change: func(c *bearward.Config) { c.Issuers[0].Audience = []string{"other"} }, jwt: validate.ErrAudienceRefused, opaque: validate.ErrAudienceRefused, asked: 1},
		"leeway":   {change: func(c *bearward.Config) { c.Issuers[0].Leeway = time.Second }, asked: 1},
		"secret":   {change: func(c *bearward.Config) { c.Issuers[0].Introspection.Auth.Secret += "x" }, opaque: validate.ErrIntrospectionRefused, asked: 1},
		"every":    {change: func(c *bearward.Config) { c.Issuers[0].Introspection.Every = time.Minute }, asked: 1}, // about the JWT
		"limits":   {change: func(c *bearward.Config) { c.Issuers[0].Introspection.Limits.Parallel = 5 }, asked: 1},
		"refresh":  {change: func(c *bearward.Config) { c.Issuers[0].Refresh.Cooldown = time.Minute }, keys: 1, asked: 0},
		"keys":     {change: func(c *bearward.Config) { c.Issuers[0].JWKSURL = iss.URL + "/jwks" }, keys: 1},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := iss.Config()
			c.change(&cfg)
			keys, asked := iss.Requests("/jwks"), iss.Requests("/introspect")
			g := update(t, old, cfg)
			if code := judged(t, g, jwt); code != c.jwt {
				t.Errorf("a JWT: %s, want %q", code, c.jwt)
			}
			if code := judged(t, g, opaque); code != c.opaque {
				t.Errorf("an opaque token: %s, want %q", code, c.opaque)
			}
			if code := judged(t, old, jwt); code != "" {
				t.Errorf("the old one: %s", code)
			}
			if keys, asked := iss.Requests("/jwks")-keys, iss.Requests("/introspect")-asked; keys != c.keys || asked != c.asked {
				t.Errorf("%d requests for keys and %d about tokens, want %d and %d", keys, asked, c.keys, c.asked)
			}
		})
	}
}

// TestUpdateOutlives: with the issuer down, tokens are judged by the keys of
// before, also after the Guard that loaded them is closed.
func TestUpdateOutlives(t *testing.T) {
	iss, other := bearwardtest.NewIssuer(t), bearwardtest.NewIssuer(t)
	both := iss.Config()
	both.Issuers = append(both.Issuers, other.Config().Issuers[0])
	both.Issuers[1].OpaquePrefix = "other"
	first := iss.Guard(both)
	if err := first.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	iss.Break(bearwardtest.Down)
	second := update(t, first, iss.Config())
	if code := judged(t, second, other.JWT()); code != validate.ErrIssuerUnknown {
		t.Errorf("a removed issuer: %q", code)
	}
	if code := judged(t, first, other.JWT()); code != "" {
		t.Errorf("the Guard before: %s", code)
	}
	third := update(t, second, iss.Config())
	for _, g := range []*middleware.Guard{first, second} {
		if err := errors.Join(g.Close(), g.Close()); err != nil {
			t.Error(err)
		}
		if code := judged(t, g, iss.JWT()); code != validate.ErrGuardClosed {
			t.Errorf("closed: %q", code)
		}
		if code := judged(t, third, iss.JWT()); code != "" {
			t.Errorf("the last: %s", code)
		}
	}
	if h := third.Health(); len(h) != 1 || !h[0].Loaded {
		t.Errorf("%+v", h)
	}
}

// TestUpdateStricter: what the Guard before has accepted is judged anew, whatever
// remembers it: a profile, a policy within a policy.
func TestUpdateStricter(t *testing.T) {
	s := newIssuer(t)
	cfg := bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Keys: static(t, s), Profile: validate.Compat}}}
	old := newGuard(t, cfg)
	token, err := s.Mint("typ-jwt", s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, d := old.Decide(t.Context(), asBearer(token), middleware.Policy{})
	if !d.Allowed {
		t.Fatal(d.Err)
	}
	cfg.Issuers[0].Profile = validate.RFC9068
	g := update(t, old, cfg)
	if code := judged(t, g, token); code != validate.ErrTypeRefused {
		t.Errorf("got %q", code)
	}
	if _, d := g.Decide(ctx, asBearer(token), middleware.Policy{}); validate.CodeOf(d.Err) != validate.ErrTypeRefused {
		t.Errorf("below the Guard before: %v", d.Err)
	}
	if code := judged(t, old, token); code != "" {
		t.Errorf("the Guard before: %s", code)
	}
}

// TestUpdateForgetsNothing: used proofs and revocations stay where the
// configuration does not name others.
func TestUpdateForgetsNothing(t *testing.T) { // [DP-21 RV-03]
	iss := bearwardtest.NewIssuer(t)
	client := iss.DPoP()
	list, err := validate.NewRevocationList(validate.RevocationListConfig{Clock: iss.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg := iss.Config()
	cfg.Revocation, cfg.DPoP, cfg.PublicURLs = list, &dpop.Config{}, []string{"https://api.example.test"}
	old := iss.Guard(cfg)
	token := client.JWT()
	r := middleware.Request{Method: "GET", RawPath: "/", Header: http.Header{
		"Authorization": {"DPoP " + token}, "Dpop": {client.Proof(bearwardtest.Proof{URL: "https://api.example.test/", Token: token})},
	}}
	use := func(g *middleware.Guard) validate.Code {
		_, d := g.Decide(t.Context(), r, middleware.Policy{})
		if d.Allowed {
			return ""
		}
		return validate.CodeOf(d.Err)
	}
	if code := use(old); code != "" {
		t.Fatal(code)
	}
	cfg.Revocation = nil
	g := old
	for _, c := range []*dpop.Config{{}, {Window: 5 * time.Minute}, nil, {Window: 5 * time.Minute, Nonce: dpop.NonceAdaptive}, {Window: 5 * time.Second}} {
		cfg.DPoP = c
		next := update(t, g, cfg)
		if c != nil {
			if code := use(next); code != validate.ErrProofReplayed && code != validate.ErrProofExpired {
				t.Errorf("%+v: the proof again: %q", c, code)
			}
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if c != nil {
			iss.Clock.Advance(61 * time.Second)
			if code := use(next); code == "" {
				t.Errorf("%+v: the proof again, later", c)
			}
			iss.Clock.Advance(-61 * time.Second)
		}
		g = next
	}
	plain := iss.JWT(bearwardtest.Claims{Subject: "gone"})
	if _, d := g.Decide(t.Context(), asBearer(plain), middleware.Policy{}); !d.Allowed {
		t.Fatalf("%#v", d.Err)
	}
	if err := list.Revoke(t.Context(), validate.RevocationEntry{Issuer: iss.URL, Subject: "gone", Before: iss.Clock.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if code := judged(t, g, plain); code != validate.ErrRevoked {
		t.Errorf("a revoked token: %q", code)
	}
}

// TestUpdateFaults: all faults at once, and nothing of the old Guard is touched or
// left behind.
func TestUpdateFaults(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	old := iss.Guard(iss.Config())
	if err := old.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	cfg := iss.Config()
	again := *cfg.Issuers[0].Introspection
	again.Limits.Parallel = 3
	cfg.Issuers[0].Introspection = &again // is made, and closed
	cfg.Issuers = append(cfg.Issuers, bearward.Issuer{URL: "http://plain.example.test"}, bearward.Issuer{URL: "https://b.example.test", Profile: "lax"})
	cfg.Realm, cfg.DPoP = "\n", &dpop.Config{Window: time.Hour}
	_, err := bearward.Update(t.Context(), old, cfg)
	for _, want := range []string{"issuer 2: ", "issuer 3: ", "realm", "window 1h0m0s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	iss.Break(bearwardtest.Down)
	if code := judged(t, old, iss.JWT()); code != "" {
		t.Errorf("the old Guard: %s", code)
	}
	if g := update(t, old, iss.Config()); judged(t, g, iss.JWT()) != "" {
		t.Error("an Update after the faulty one")
	}
}

func TestUpdateOfNoGuard(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	closed := iss.Guard(iss.Config())
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	own, err := middleware.New(middleware.Config{Resource: api, Issuers: []middleware.Issuer{{URL: iss.URL, Name: "a", Audience: []string{api}, Verifier: validate.VerifierFunc(nil)}}})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for name, g := range map[string]*middleware.Guard{"closed": closed, "none": nil, "zero": {}, "of another make": own} {
		if g, err := bearward.Update(t.Context(), g, iss.Config()); err == nil {
			_ = g.Close()
			t.Errorf("%s: updated", name)
		}
	}
}

// closing are keys of the program that notice their end.
type closing struct {
	validate.KeySource
	closed atomic.Int64
}

func (c *closing) Close() error {
	c.closed.Add(1)
	return nil
}

// TestUpdateOwnKeys: keys of the program are closed by the last Guard that has
// them, and not by a configuration that is refused.
func TestUpdateOwnKeys(t *testing.T) {
	s := newIssuer(t)
	keys := &closing{KeySource: static(t, s)}
	cfg := bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Keys: keys}, {URL: "https://b.example.test", Keys: keys}}}
	first := newGuard(t, cfg)
	faulty := cfg
	faulty.Realm = "\n"
	if _, err := bearward.Update(t.Context(), first, faulty); err == nil {
		t.Fatal("no fault")
	}
	other := &closing{KeySource: static(t, s)}
	one := bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Keys: keys}}}
	faulty = bearward.Config{Resource: api, Realm: "\n", Issuers: []bearward.Issuer{{URL: s.URL(), Keys: other}}}
	if _, err := bearward.Update(t.Context(), first, faulty); err == nil || other.closed.Load() != 0 {
		t.Errorf("closed %d times", other.closed.Load())
	}
	second := update(t, first, one)
	if _ = first.Close(); keys.closed.Load() != 0 {
		t.Error("closed while a Guard has them")
	}
	if code := judged(t, second, mint(t, s, nil)); code != "" {
		t.Error(code)
	}
	if _ = second.Close(); keys.closed.Load() != 1 {
		t.Errorf("closed %d times", keys.closed.Load())
	}
}

// TestUpdateInAnyOrder: whatever is updated from what and closed when, those that
// are open decide, and nothing is left when all are closed.
func TestUpdateInAnyOrder(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	before := goleak.IgnoreCurrent()
	for range 3 {
		guards := []*middleware.Guard{iss.Guard(iss.Config())}
		for len(guards) > 0 {
			n := rand.IntN(len(guards))
			if made := rand.IntN(3) > 0 && len(guards) < 5; made {
				cfg := iss.Config()
				cfg.Issuers[0].Leeway = time.Duration(rand.IntN(3)) * time.Second
				guards = append(guards, update(t, guards[n], cfg))
			} else {
				if err := guards[n].Close(); err != nil {
					t.Fatal(err)
				}
				guards = append(guards[:n:n], guards[n+1:]...)
			}
			for _, g := range guards {
				for _, token := range []string{iss.JWT(), iss.Opaque()} {
					if code := judged(t, g, token); code != "" {
						t.Fatal(code)
					}
				}
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// TestUpdateConcurrently: Updates of a Guard that is being closed and used are
// either refused or whole.
func TestUpdateConcurrently(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	jwt := iss.JWT()
	for range 5 {
		old := iss.Guard(iss.Config())
		if code := judged(t, old, jwt); code != "" {
			t.Fatal(code)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				g, err := bearward.Update(t.Context(), old, iss.Config())
				if err != nil {
					if !strings.Contains(err.Error(), "closed") {
						t.Error(err)
					}
					return
				}
				if code := judged(t, g, jwt); code != "" {
					t.Errorf("updated: %s", code)
				}
				if err := g.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Go(func() { judged(t, old, jwt) })
		all.Go(func() { _ = old.Close() })
		all.Wait()
	}
}

// TestUpdateWaits: a stream that has begun keeps its Guard's share until it ends.
func TestUpdateWaits(t *testing.T) {
	iss := bearwardtest.NewIssuer(t)
	old := iss.Guard(iss.Config())
	release, _ := old.Hold()
	g := update(t, old, iss.Config())
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = old.Close()
	}()
	for judged(t, old, iss.JWT()) != validate.ErrGuardClosed { // Close has begun
	}
	select {
	case <-closed:
		t.Error("closed under a stream")
	default:
	}
	release()
	<-closed
	if code := judged(t, g, iss.Opaque()); code != "" {
		t.Error(code)
	}
}
