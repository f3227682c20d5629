package bearward_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

// counted is a key source that counts, and whose keys can leave.
type counted struct {
	validate.KeySource
	asked atomic.Int64
	gone  atomic.Bool
}

func (c *counted) Keys(ctx context.Context, kid, alg string) ([]*validate.Key, error) {
	c.asked.Add(1)
	if c.gone.Load() {
		return nil, nil
	}
	return c.KeySource.Keys(ctx, kid, alg)
}

func (c *counted) Live(key *validate.Key) bool { return !c.gone.Load() && c.KeySource.Live(key) }

// remembering is a guard whose cache is on, and its keys.
func remembering(t *testing.T, change ...func(*bearward.Config)) (*middleware.Guard, *issuer.Server, *counted) {
	t.Helper()
	s := newIssuer(t)
	keys := &counted{KeySource: static(t, s)}
	cfg := bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Name: "a", Keys: keys}}}
	for _, f := range change {
		f(&cfg)
	}
	return newGuard(t, cfg), s, keys
}

// TestRepeatedToken is verified once, and judged anew on every request.
// [CA-01 CA-02]
func TestRepeatedToken(t *testing.T) {
	g, s, keys := remembering(t)
	token := mint(t, s, map[string]any{"scope": "a"})
	for range 5 {
		if d := decide(t, g, token); !d.Allowed {
			t.Fatal(d.Err)
		}
		if _, d := g.Decide(t.Context(), asBearer(token), middleware.Scopes("b")); validate.CodeOf(d.Err) != validate.ErrScopeMissing {
			t.Errorf("%v", d.Err)
		}
		if report := g.Explain(t.Context(), asBearer(token), middleware.Scopes("a")); !report.Allowed {
			t.Errorf("%s", report)
		}
	}
	if n := keys.asked.Load(); n != 6 { // reports verify by themselves
		t.Errorf("keys were asked for %d times", n)
	}
	off, s, keys := remembering(t, func(c *bearward.Config) { c.Cache = cache.Config{Disabled: true} })
	token = mint(t, s, nil)
	for range 3 {
		if d := decide(t, off, token); !d.Allowed {
			t.Fatal(d.Err)
		}
	}
	if n := keys.asked.Load(); n != 3 {
		t.Errorf("without a cache keys were asked for %d times", n)
	}
}

// TestRememberedDies: with its key, with its time, and with the revocation list,
// on the next request. [CA-01 CA-02 JK-18 RV-02]
func TestRememberedDies(t *testing.T) {
	now := atomic.Int64{}
	now.Store(time.Now().Unix())
	clock := func() time.Time { return time.Unix(now.Load(), 0) }
	list, err := validate.NewRevocationList(validate.RevocationListConfig{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	withClock := func(c *bearward.Config) { c.Clock, c.Revocation = clock, list }
	for _, c := range []struct {
		name string
		end  func(g *middleware.Guard, s *issuer.Server, keys *counted)
		code validate.Code
	}{
		{"key removed", func(_ *middleware.Guard, _ *issuer.Server, keys *counted) { keys.gone.Store(true) }, validate.ErrKeyUnknown},
		{"expired", func(*middleware.Guard, *issuer.Server, *counted) {
			now.Add(int64((issuer.Lifetime + time.Minute) / time.Second))
		}, validate.ErrExpired},
		{"revoked", func(_ *middleware.Guard, s *issuer.Server, _ *counted) {
			if err := list.Revoke(t.Context(), validate.RevocationEntry{Issuer: s.URL(), ClientID: "client-1"}); err != nil {
				t.Fatal(err)
			}
		}, validate.ErrRevoked},
	} {
		g, s, keys := remembering(t, withClock)
		token := mint(t, s, map[string]any{"iat": now.Load(), "exp": now.Load() + int64(issuer.Lifetime/time.Second)})
		for range 2 {
			if d := decide(t, g, token); !d.Allowed {
				t.Fatalf("%s: %v", c.name, d.Err)
			}
		}
		c.end(g, s, keys)
		for range 2 {
			if d := decide(t, g, token); validate.CodeOf(d.Err) != c.code {
				t.Errorf("%s: %v, want %s", c.name, d.Err, c.code)
			}
		}
	}
}

// TestRememberedElsewhere: a token that one route has accepted does not open one
// that accepts other issuers.
func TestRememberedElsewhere(t *testing.T) {
	other := newIssuer(t)
	g, s, _ := remembering(t, func(c *bearward.Config) {
		c.Issuers = append(c.Issuers, bearward.Issuer{URL: other.URL(), Name: "b", Keys: static(t, other)})
	})
	token := mint(t, s, nil)
	if d := decide(t, g, token); !d.Allowed {
		t.Fatal(d.Err)
	}
	if _, d := g.Decide(t.Context(), asBearer(token), middleware.Policy{}.WithIssuers("b")); validate.CodeOf(d.Err) != validate.ErrIssuerRefused {
		t.Errorf("%v", d.Err)
	}
}

// TestRememberedByAnother: a verdict holds for the configuration that made it.
// [CA-01]
func TestRememberedByAnother(t *testing.T) {
	s := newIssuer(t)
	keys := static(t, s)
	memory, err := cache.New(cache.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	token := mint(t, s, nil)
	if d := decide(t, sharing(t, s, memory, keys, api), token); !d.Allowed {
		t.Fatal(d.Err)
	}
	if d := decide(t, sharing(t, s, memory, keys, elsewhere), token); validate.CodeOf(d.Err) != validate.ErrAudienceRefused {
		t.Errorf("allowed %v, %v", d.Allowed, d.Err)
	}
}

// waiting is a key source that waits as long as it may.
type waiting struct {
	validate.KeySource
	asked func()
}

func (w *waiting) Keys(ctx context.Context, _, _ string) ([]*validate.Key, error) {
	w.asked()
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestLeaver: the first one who brings a token waits for its verification no
// longer than the request lasts, like those who come later.
func TestLeaver(t *testing.T) {
	s := newIssuer(t)
	ctx, leave := context.WithCancel(t.Context())
	g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), Keys: &waiting{static(t, s), leave}}}})
	if _, d := g.Decide(ctx, asBearer(mint(t, s, nil)), middleware.Policy{}); !errors.Is(d.Err, validate.ErrKeysUnavailable) || d.Allowed {
		t.Errorf("allowed %t, %v", d.Allowed, d.Err)
	}
}

const elsewhere = "https://other.example.test"

// sharing is a guard for one audience whose cache other guards use too.
func sharing(t *testing.T, s *issuer.Server, memory *cache.Cache, keys validate.KeySource, audience string) *middleware.Guard {
	t.Helper()
	now := time.Now()
	clock := func() time.Time { return now }
	v, err := validate.NewJWT(validate.Config{Issuer: s.URL(), Audience: []string{audience}, Keys: keys, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	g, err := middleware.New(middleware.Config{Resource: audience, Cache: memory, Clock: clock, Issuers: []middleware.Issuer{{URL: s.URL(), Name: "a", Audience: []string{audience}, Verifier: v}}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// holding is a key source that gives its keys when it is let go.
type holding struct {
	validate.KeySource
	asked, free chan struct{}
}

func (h *holding) Keys(ctx context.Context, kid, alg string) ([]*validate.Key, error) {
	close(h.asked)
	<-h.free
	return h.KeySource.Keys(ctx, kid, alg)
}

// TestAwaitedFromAnother: whoever waits for a verification that another verifier
// began gets no token of it, though its configuration be the same. [CA-01]
func TestAwaitedFromAnother(t *testing.T) {
	s := newIssuer(t)
	keys := static(t, s)
	token := mint(t, s, nil)
	for name, second := range map[string]string{"another audience": elsewhere, "the same one": api} {
		t.Run(name, func(t *testing.T) {
			memory, err := cache.New(cache.Config{Clock: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			defer memory.Close()
			slow := &holding{KeySource: keys}
			one, other := sharing(t, s, memory, slow, api), sharing(t, s, memory, keys, second)
			synctest.Test(t, func(t *testing.T) {
				slow.asked, slow.free = make(chan struct{}), make(chan struct{})
				var begun, joined middleware.Decision
				var all sync.WaitGroup
				all.Go(func() { _, begun = one.Decide(t.Context(), asBearer(token), middleware.Policy{}) })
				<-slow.asked
				all.Go(func() { _, joined = other.Decide(t.Context(), asBearer(token), middleware.Policy{}) })
				synctest.Wait() // until that waits for the other's verification
				close(slow.free)
				all.Wait()
				if !begun.Allowed {
					t.Errorf("who began it: %v", begun.Err)
				}
				want := validate.ErrInternal
				if second == elsewhere { // its own rules refuse what they can before it waits
					want = validate.ErrAudienceRefused
				}
				if joined.Allowed || joined.Token != nil || validate.CodeOf(joined.Err) != want {
					t.Fatalf("who waited: allowed %t, %v", joined.Allowed, joined.Err)
				}
				if d := joined.Denial; want == validate.ErrInternal && (d.Status != 500 || d.Reason != "" || d.Error != "" || len(d.Header["Www-Authenticate"]) != 0) {
					t.Errorf("%+v", d)
				}
			})
			// Once there is nobody to wait for, it is judged by its own rules.
			if d := decide(t, other, token); d.Allowed != (second == api) || !d.Allowed && validate.CodeOf(d.Err) != validate.ErrAudienceRefused {
				t.Errorf("afterwards: allowed %t, %v", d.Allowed, d.Err)
			}
		})
	}
}

// TestRememberedOverwritten: a handler that writes another token over the one
// that requests share changes no decision.
func TestRememberedOverwritten(t *testing.T) {
	g, s, keys := remembering(t)
	weak, strong := mint(t, s, map[string]any{"scope": "read"}), mint(t, s, map[string]any{"scope": "admin"})
	admin := decide(t, g, strong).Token
	for name, write := range map[string]func(*validate.Token){
		"by another token": func(to *validate.Token) { *to = *admin },
		"by one made up": func(to *validate.Token) {
			*to = validate.Token{Issuer: s.URL(), Subject: "root", Scopes: []string{"admin"}}
		},
		"its fields": func(to *validate.Token) { to.Scopes, to.Subject = []string{"admin"}, "root" },
	} {
		write(decide(t, g, weak).Token)
		before := keys.asked.Load()
		for range 2 {
			if _, d := g.Decide(t.Context(), asBearer(weak), middleware.Scopes("admin")); validate.CodeOf(d.Err) != validate.ErrScopeMissing {
				t.Errorf("%s: %v", name, d.Err)
			}
		}
		if n := keys.asked.Load() - before; n > 1 || n == 0 && name != "its fields" {
			t.Errorf("%s: keys were asked for %d times", name, n)
		}
	}
}

// TestFlushedToken is verified anew.
func TestFlushedToken(t *testing.T) {
	g, s, keys := remembering(t)
	token := mint(t, s, nil)
	decide(t, g, token)
	g.Flush(token)
	decide(t, g, token)
	if n := keys.asked.Load(); n != 2 {
		t.Errorf("keys were asked for %d times", n)
	}
}

// asBearer is GET /orders with a token.
func asBearer(token string) middleware.Request {
	return middleware.Request{Method: "GET", Scheme: "https", Host: "api.example.test", RawPath: "/orders", Header: http.Header{"Authorization": {"Bearer " + token}}}
}
