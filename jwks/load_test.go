package jwks

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

func TestStampedeOnFirstUse(t *testing.T) { // [JK-17]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a"), block: make(chan struct{})}
		s, _ := remote(t, u, Config{})
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { has(t, s, "a") })
		}
		synctest.Wait()
		calls(t, u, 1)
		close(u.block)
		wg.Wait()
		calls(t, u, 1)
	})
}

func TestNeverLoadedIsUnavailable(t *testing.T) { // [JK-17]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{err: errDown}
		s, _ := remote(t, u, Config{})
		if retry := nobodyKnows(t, s, "a"); retry != time.Second {
			t.Errorf("retry after %v", retry)
		}
		began := time.Now()
		for range 1000 { // during back-off everybody is told at once
			nobodyKnows(t, s, "a")
			nobodyKnows(t, s, "")
		}
		if !time.Now().Equal(began) {
			t.Error("somebody waited during back-off")
		}
		calls(t, u, 1)
		time.Sleep(time.Second)
		if retry := nobodyKnows(t, s, "a"); retry != 2*time.Second {
			t.Errorf("retry after %v", retry)
		}
		calls(t, u, 2)
		if s.Live(&validate.Key{}) {
			t.Error("live without a set")
		}
		u.fail(nil)
		u.publish("a")
		time.Sleep(2 * time.Second)
		has(t, s, "a")
	})
}

// Metadata and keys together take no longer than the flight.
func TestFirstUseIsBounded(t *testing.T) { // [JK-07]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{block: make(chan struct{})}
		s, _ := remote(t, u, Config{})
		began := time.Now()
		nobodyKnows(t, s, "a")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("waited %v", took)
		}
		if h := s.Health(); h.LastError != "timeout" {
			t.Errorf("health %+v", h)
		}
	})
}

func TestCallersLeaveAlone(t *testing.T) { // [JK-17]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a"), block: make(chan struct{})}
		s, _ := remote(t, u, Config{})
		first, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Keys(first, "a", "EdDSA"); !errors.Is(err, context.Canceled) || !errors.Is(err, validate.ErrKeysUnavailable) {
				t.Errorf("the first caller: %v", err)
			}
		})
		synctest.Wait()
		for range 200 {
			wg.Go(func() { has(t, s, "a") })
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		close(u.block)
		wg.Wait()
		calls(t, u, 1)

		u.set(func(u *upstream) { u.block = make(chan struct{}) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if keys, err := s.Keys(ctx, "b", "EdDSA"); err != nil || keys != nil || time.Since(began) != time.Second {
			t.Errorf("unknown kid with a short context: %v, %v after %v", keys, err, time.Since(began))
		}
	})
}

func TestPanicIsContained(t *testing.T) { // [PV-07]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{panics: true}
		s, _ := remote(t, u, Config{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := s.Keys(t.Context(), "a", "EdDSA"); validate.CodeOf(err) != validate.ErrInternal {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		u.set(func(u *upstream) { u.panics, u.body = false, setOf("a") })
		time.Sleep(time.Second)
		has(t, s, "a")
	})
}

func TestLoad(t *testing.T) { // [JK-24]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{err: errDown}
		s, _ := remote(t, u, Config{})
		if err := s.Load(t.Context()); !errors.Is(err, validate.ErrKeysUnavailable) {
			t.Errorf("got %v", err)
		}
		u.fail(nil)
		u.publish("a")
		time.Sleep(time.Second)
		for range 2 {
			if err := s.Load(t.Context()); err != nil {
				t.Error(err)
			}
		}
		calls(t, u, 2)
	})
}

func TestHealth(t *testing.T) { // [JK-24]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: `{"keys":[` + jwkOf("a", "a", "") + `,{"kty":"AKP"}]}`}
		s, _ := remote(t, u, Config{})
		if h := s.Health(); h != (Health{Issuer: issuer}) {
			t.Errorf("before the first use: %+v", h)
		}
		has(t, s, "a")
		loaded := time.Now()
		time.Sleep(time.Minute)
		want := Health{
			Issuer: issuer, Loaded: true, LastSuccess: loaded, Age: time.Minute, Keys: 1, Skipped: 1,
			NextTry: loaded.Add(12 * time.Minute), Fetches: 1,
		}
		if h := s.Health(); h != want {
			t.Errorf("got %+v, want %+v", h, want)
		}
		u.fail(errDown)
		time.Sleep(15 * time.Minute)
		has(t, s, "a")
		synctest.Wait()
		want.Age, want.Stale, want.LastError, want.NextTry = 16*time.Minute, true, "fetching failed", time.Now().Add(time.Second)
		want.Fetches, want.Failures = 2, 1
		if h := s.Health(); h != want {
			t.Errorf("got %+v, want %+v", h, want)
		}
		calls(t, u, 2)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, log := remote(t, u, Config{})
		has(t, s, "a")
		keys, _ := s.Keys(t.Context(), "a", "EdDSA")
		u.set(func(u *upstream) { u.block = make(chan struct{}) })
		var wg sync.WaitGroup
		wg.Go(func() { nobodyKnows(t, s, "b") })
		synctest.Wait()
		began := time.Now()
		for range 3 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		if !time.Now().Equal(began) {
			t.Error("Close waited for the server")
		}
		nobodyKnows(t, s, "a")
		if s.Live(keys[0]) || s.Load(t.Context()) == nil || s.Health().Loaded {
			t.Error("usable after Close")
		}
		calls(t, u, 2)
		if log.count("cannot be fetched") != 0 {
			t.Error("Close was logged as a failure")
		}
	}) // the bubble ends only when no goroutine is left
}

func TestPrivateKeysRaiseAnAlarm(t *testing.T) { // [JK-09]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: `{"keys":[` + jwkOf("a", "a", "") + `,` + jwkOf("secret-kid", "b", `,"d":"AAAA"`) + `]}`}
		s, log := remote(t, u, Config{})
		has(t, s, "a")
		hasNot(t, s, "secret-kid")
		if n := log.count("publishes private keys"); n != 1 {
			t.Errorf("%d alarms", n)
		}
		if log.count("secret-kid") != 0 { // kids are never logged
			t.Error("a kid was logged")
		}
	})
}

func TestIssuersAreNotPooled(t *testing.T) { // [JK-11]
	synctest.Test(t, func(t *testing.T) {
		one, _ := remote(t, &upstream{body: setOf("a")}, Config{Issuer: "https://one.example.com"})
		two, _ := remote(t, &upstream{body: setOf("b")}, Config{Issuer: "https://two.example.com"})
		has(t, one, "a")
		has(t, two, "b")
		hasNot(t, one, "b")
		hasNot(t, two, "a")
		keys, _ := one.Keys(t.Context(), "a", "EdDSA")
		if two.Live(keys[0]) {
			t.Error("one issuer's key is live at the other")
		}
	})
}

func TestReadsDoNotAllocate(t *testing.T) {
	s, _ := remote(t, &upstream{body: setOf("a")}, Config{})
	has(t, s, "a")
	ctx := t.Context()
	keys, _ := s.Keys(ctx, "a", "EdDSA")
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Keys(ctx, "a", "EdDSA"); _ = s.Live(keys[0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// With an injected clock time only moves when it is told to.
func TestInjectedClock(t *testing.T) { // [PV-09]
	var mu sync.Mutex
	now := time.Unix(1_700_000_000, 0)
	u := &upstream{body: setOf("a")}
	s, _ := remote(t, u, Config{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	has(t, s, "a")
	u.publish("a", "b")
	has(t, s, "b") // the clock did not move since the first load
	mu.Lock()
	now = now.Add(25 * time.Hour)
	mu.Unlock()
	u.publish("c")
	has(t, s, "c")
	hasNot(t, s, "a")
}
