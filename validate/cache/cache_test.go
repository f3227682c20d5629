package cache_test

import (
	"context"
	"crypto/sha256"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/internal/facts"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/jwks"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stand is an issuer, its verifier, and a cache, on one clock.
type stand struct {
	t        *testing.T
	mu       sync.Mutex
	now      time.Time
	iss      *issuer.Server
	verifier *validate.JWT
	cache    *cache.Cache
}

func (s *stand) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stand) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func newStand(t *testing.T, c cache.Config) *stand {
	t.Helper()
	s := &stand{t: t, now: noon}
	var err error
	if s.iss, err = issuer.Start(issuer.Config{Now: s.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.iss.Close() })
	keys, err := jwks.Static(validate.Key{ID: s.iss.KeyID("ES256"), Algorithm: "ES256", Public: s.iss.Key("ES256")})
	if err != nil {
		t.Fatal(err)
	}
	s.verifier, err = validate.NewJWT(validate.Config{Issuer: s.iss.URL(), Audience: []string{issuer.DefaultAudience}, Keys: keys, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	c.Clock = s.clock
	if s.cache, err = cache.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close() })
	return s
}

func (s *stand) mint(claims map[string]any) (raw string, digest [32]byte) {
	s.t.Helper()
	all := s.iss.Claims("")
	for name, value := range claims {
		all[name] = value
	}
	raw, err := s.iss.Mint("", all)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw, sha256.Sum256([]byte(raw))
}

// put verifies a token through the cache.
func (s *stand) put(claims map[string]any) (digest [32]byte) {
	s.t.Helper()
	raw, digest := s.mint(claims)
	if _, err := s.cache.Share(s.t.Context(), digest, s.verify(raw)); err != nil {
		s.t.Fatal(err)
	}
	return digest
}

func (s *stand) verify(raw string) func(context.Context) (*validate.Token, error) {
	return func(ctx context.Context) (*validate.Token, error) { return s.verifier.Verify(ctx, raw) }
}

func TestConfig(t *testing.T) {
	for _, c := range []cache.Config{{Entries: -1}, {Entries: 1 << 30}, {TTL: -1}, {TTL: 6 * time.Minute}} { // [CA-01 CA-05]
		if made, err := cache.New(c); err == nil {
			_ = made.Close()
			t.Errorf("%+v is accepted", c)
		}
	}
}

// TestEnd: an entry ends with its token's exp or its TTL, whichever is sooner.
// [CA-01]
func TestEnd(t *testing.T) {
	for name, c := range map[string]struct {
		ttl, exp, end time.Duration
	}{
		"ttl by default": {0, time.Hour, 5 * time.Minute},
		"ttl":            {time.Minute, time.Hour, time.Minute},
		"exp":            {5 * time.Minute, 90 * time.Second, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, cache.Config{TTL: c.ttl})
			d := s.put(map[string]any{"exp": noon.Add(c.exp).Unix()})
			s.advance(c.end - time.Nanosecond)
			if s.cache.Get(d) == nil {
				t.Error("forgotten too early")
			}
			s.advance(time.Nanosecond)
			if s.cache.Get(d) != nil {
				t.Error("remembered for too long")
			}
		})
	}
	s := newStand(t, cache.Config{})
	raw, d := s.mint(map[string]any{"exp": noon.Add(-30 * time.Second).Unix()}) // within leeway
	if _, err := s.cache.Share(t.Context(), d, s.verify(raw)); err != nil || s.cache.Get(d) != nil {
		t.Errorf("%v; a token past its exp is remembered", err)
	}
}

// TestWhole: another digest is another token, in the same slot as well, and what
// was not made here is not remembered.
func TestWhole(t *testing.T) {
	s := newStand(t, cache.Config{Entries: 1000})
	d := s.put(nil)
	for n := range 5000 {
		other := sha256.Sum256([]byte(strconv.Itoa(n)))
		if s.cache.Get(other) != nil {
			t.Fatal("a token for a digest that is not its own")
		}
	}
	if s.cache.Get(d) == nil {
		t.Error("forgotten")
	}
	foreign := sha256.Sum256([]byte("foreign"))
	if _, err := s.cache.Share(t.Context(), foreign, func(context.Context) (*validate.Token, error) {
		return &validate.Token{Issuer: "x", ExpiresAt: noon.Add(time.Hour)}, nil
	}); err != nil || s.cache.Get(foreign) != nil {
		t.Errorf("%v; a token of a foreign verifier is remembered", err)
	}
	known, strange := s.mint(nil)
	if _, err := s.cache.Share(t.Context(), sha256.Sum256([]byte("another")), func(ctx context.Context) (*validate.Token, error) {
		token, err := s.verifier.Verify(ctx, known)
		f := facts.Of(token)
		f.Digest, f.Digested = strange, true
		return token, err
	}); err != nil || s.cache.Get(sha256.Sum256([]byte("another"))) != nil {
		t.Errorf("%v; a token is remembered by a digest that is not its own", err)
	}
	copied := sha256.Sum256([]byte("copied"))
	if _, err := s.cache.Share(t.Context(), copied, func(context.Context) (*validate.Token, error) {
		c := *s.cache.Get(d)
		return &c, nil
	}); err != nil || s.cache.Get(copied) != nil {
		t.Errorf("%v; a copy is remembered", err)
	}
}

// TestForgets: flushed, dropped and closed.
func TestForgets(t *testing.T) {
	s := newStand(t, cache.Config{})
	for name, forget := range map[string]func([32]byte){"flushed": s.cache.Flush, "dropped": s.cache.Drop} {
		d, other := s.put(nil), s.put(nil)
		forget(d)
		if s.cache.Get(d) != nil || s.cache.Get(other) == nil {
			t.Errorf("%s: the token is remembered, or another one is not", name)
		}
	}
	d := s.put(nil)
	_, _ = s.cache.Close(), s.cache.Close()
	if s.cache.Get(d) != nil || s.cache.Entries() != 0 {
		t.Error("a closed cache remembers")
	}
	s.cache.Flush(d)
	if d = s.put(nil); s.cache.Get(d) != nil { // verified all the same
		t.Error("a closed cache remembers what comes later")
	}
}

// TestFlushIsNotUndone by who has found the token and takes it to the front: the
// clock is asked in between.
func TestFlushIsNotUndone(t *testing.T) {
	s := newStand(t, cache.Config{})
	raw, d := s.mint(nil)
	var between func()
	remembering, err := cache.New(cache.Config{Clock: func() time.Time {
		if now := between; now != nil {
			between = nil
			now()
		}
		return noon
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = remembering.Close() }()
	if _, err := remembering.Share(t.Context(), d, s.verify(raw)); err != nil {
		t.Fatal(err)
	}
	remembering.Settle()
	flushed := make(chan struct{})
	between = func() {
		go func() {
			defer close(flushed)
			remembering.Flush(d)
		}()
		remembering.AwaitFlush(flushed)
	}
	if remembering.Get(d) == nil {
		t.Error("not found in the store")
	}
	<-flushed
	if remembering.Get(d) != nil {
		t.Error("a token that was flushed is remembered")
	}
}

// TestConfused: a token that stands where another one should be is not taken for it.
// [CA-01]
func TestConfused(t *testing.T) {
	s := newStand(t, cache.Config{})
	d, other := s.put(nil), sha256.Sum256([]byte("other"))
	s.cache.Confuse(d, other)
	if s.cache.Get(other) != nil {
		t.Error("taken out of the front")
	}
	s.cache.Settle()
	if s.cache.Get(other) != nil {
		t.Error("taken out of the store")
	}
	if s.cache.Get(d) == nil {
		t.Error("forgotten")
	}
}

// TestEvicted: what the store gives up is in front no longer, so that nobody counts
// it twice. [CA-05]
func TestEvicted(t *testing.T) {
	s := newStand(t, cache.Config{Entries: 8})
	var known [][32]byte
	stored, evicted := map[[32]byte]bool{}, 0
	for range 100 {
		known = append(known, s.put(nil))
		for _, d := range known {
			front, store := s.cache.Where(d)
			if stored[d] && !store {
				if evicted++; front {
					t.Fatal("a token that the store gave up is in front")
				}
			}
			stored[d] = store
		}
	}
	if evicted == 0 {
		t.Error("nothing was evicted")
	}
}

// TestPutTwice: a token that is remembered keeps its time.
func TestPutTwice(t *testing.T) {
	s := newStand(t, cache.Config{})
	d := s.put(map[string]any{"exp": noon.Add(time.Hour).Unix()})
	s.advance(time.Minute)
	again := func(context.Context) (*validate.Token, error) { return s.cache.Get(d), nil }
	other := sha256.Sum256([]byte("other"))
	for _, digest := range [][32]byte{d, other} {
		if _, err := s.cache.Share(t.Context(), digest, again); err != nil {
			t.Error(err)
		}
	}
	if s.cache.Get(other) != nil {
		t.Error("remembered by another digest")
	}
	s.advance(4 * time.Minute)
	if s.cache.Get(d) != nil {
		t.Error("remembered for too long")
	}
}

// TestConcurrently mixes everything, for the race detector.
func TestConcurrently(t *testing.T) {
	s := newStand(t, cache.Config{Entries: 16})
	type sent struct {
		raw    string
		digest [32]byte
	}
	tokens := make([]sent, 64)
	for i := range tokens {
		tokens[i].raw, tokens[i].digest = s.mint(nil)
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 200 {
				x := &tokens[(n*7+g)%len(tokens)]
				if got := s.cache.Get(x.digest); got != nil && got.Issuer == "" {
					t.Error("an empty token")
				}
				got, err := s.cache.Share(t.Context(), x.digest, s.verify(x.raw))
				if err != nil || got == nil {
					t.Error(err)
				}
				if n%17 == 0 {
					s.cache.Flush(x.digest)
				}
			}
		})
	}
	all.Wait()
}
