package jwks

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

func TestRefreshInBackground(t *testing.T) { // [JK-15]
	for name, use := range map[string]func(*Source, *validate.Key){
		"Keys": func(s *Source, _ *validate.Key) { has(t, s, "a") },
		"Live": func(s *Source, key *validate.Key) {
			if !s.Live(key) {
				t.Error("not live")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{body: setOf("a")}
				s, _ := remote(t, u, Config{})
				has(t, s, "a")
				keys, _ := s.Keys(t.Context(), "a", "EdDSA")
				calls(t, u, 1)
				time.Sleep(12*time.Minute - time.Nanosecond) // 80 % of 15 min
				use(s, keys[0])
				synctest.Wait()
				calls(t, u, 1)

				u.set(func(u *upstream) { u.block = make(chan struct{}) })
				time.Sleep(time.Nanosecond)
				before := time.Now()
				for range 100 { // requests keep using the current set
					use(s, keys[0])
				}
				synctest.Wait()
				if !time.Now().Equal(before) {
					t.Error("a use waited for the refresh")
				}
				calls(t, u, 2)
				u.publish("a", "b")
				close(u.block)
				synctest.Wait()
				has(t, s, "a", "b")
				calls(t, u, 2)
				if !s.Live(keys[0]) { // [JK-18] unchanged keys keep their pointer
					t.Error("an unchanged key is not live after the refresh")
				}
			})
		})
	}
}

func TestJitterDelaysARefresh(t *testing.T) { // [JK-15]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{Refresh: 100 * time.Second})
		s.random = func() float64 { return 0.5 }
		has(t, s, "a")
		if want := time.Now().Add(85 * time.Second); !s.Health().NextTry.Equal(want) {
			t.Errorf("next at %v, want %v", s.Health().NextTry, want)
		}
	})
}

func TestServersFreshnessIsUsed(t *testing.T) { // [JK-14]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a"), header: http.Header{"Cache-Control": {"max-age=600"}}}
		s, _ := remote(t, u, Config{Refresh: time.Hour})
		has(t, s, "a")
		time.Sleep(480 * time.Second)
		has(t, s, "a")
		synctest.Wait()
		calls(t, u, 2)
	})
}

// Nothing happens without a use: no goroutine of its own, no traffic.
func TestNoUseNoFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		time.Sleep(time.Hour)
		calls(t, u, 0)
		has(t, s, "a")
		time.Sleep(time.Hour)
		calls(t, u, 1)
	})
}

func TestRemovedKeyIsNotLive(t *testing.T) { // [JK-18]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a", "b")}
		s, _ := remote(t, u, Config{})
		a, _ := s.Keys(t.Context(), "a", "EdDSA")
		b, _ := s.Keys(t.Context(), "b", "EdDSA")
		if !s.Live(a[0]) || !s.Live(b[0]) || s.Live(&validate.Key{ID: "a"}) || s.Live(nil) {
			t.Error("live is wrong before the removal")
		}
		u.publish("b")
		time.Sleep(13 * time.Minute)
		s.Live(a[0])
		synctest.Wait()
		if s.Live(a[0]) || !s.Live(b[0]) {
			t.Error("live is wrong after the removal")
		}
		u.set(func(u *upstream) { u.body = `{"keys":[` + jwkOf("b", "another", "") + `]}` })
		time.Sleep(13 * time.Minute)
		s.Live(b[0])
		synctest.Wait()
		if s.Live(b[0]) { // replaced under the same kid
			t.Error("a replaced key is live")
		}
	})
}

func TestFailuresBackOff(t *testing.T) { // [JK-16]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		u.fail(errDown)
		time.Sleep(12 * time.Minute)
		for range 120 * 4 { // two minutes of uses
			has(t, s, "a")
			time.Sleep(250 * time.Millisecond)
		}
		var pauses []time.Duration
		for i := 2; i < len(u.times); i++ {
			pauses = append(pauses, u.times[i].Sub(u.times[i-1]))
		}
		want := []time.Duration{1, 2, 4, 8, 16, 30, 30}
		if len(pauses) != len(want) {
			t.Fatalf("pauses %v", pauses)
		}
		for i := range want {
			if pauses[i] != want[i]*time.Second {
				t.Errorf("pauses %v, want %v s", pauses, want)
			}
		}
		s.random = func() float64 { return 1 }
		time.Sleep(time.Minute)
		has(t, s, "a")
		synctest.Wait()
		if wait := time.Until(s.Health().NextTry); wait != 24*time.Second {
			t.Errorf("with jitter: %v", wait)
		}
	})
}

func TestLastGoodSetUntilMaxStale(t *testing.T) { // [JK-16 JK-17 CA-04]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, log := remote(t, u, Config{})
		has(t, s, "a")
		keys, _ := s.Keys(t.Context(), "a", "EdDSA")
		u.fail(errDown)
		began := time.Now()
		for time.Since(began) < 24*time.Hour-20*time.Minute {
			time.Sleep(10 * time.Minute)
			has(t, s, "a")
			if time.Since(began) > time.Hour && !s.Health().Stale {
				t.Fatal("health does not say stale")
			}
		}
		synctest.Wait()
		if n := log.count("older than their freshness"); n != 1 {
			t.Errorf("stale use logged %d times", n)
		}
		if n := log.count("cannot be fetched"); n != 1 {
			t.Errorf("the failure logged %d times", n)
		}
		time.Sleep(24*time.Hour - time.Since(began) - time.Nanosecond)
		if !s.Live(keys[0]) {
			t.Error("not live just before max_stale")
		}
		synctest.Wait()
		time.Sleep(time.Nanosecond)
		if s.Live(keys[0]) {
			t.Error("live after max_stale")
		}
		nobodyKnows(t, s, "a")
		if h := s.Health(); h.Loaded {
			t.Errorf("health after max_stale: %+v", h)
		}
		u.fail(nil)
		time.Sleep(time.Minute)
		has(t, s, "a")
		if keys2, _ := s.Keys(t.Context(), "a", "EdDSA"); keys2[0] != keys[0] || !s.Live(keys[0]) {
			t.Error("an unchanged key lost its pointer")
		}
		if n := log.count("fetched again"); n != 1 {
			t.Errorf("recovery logged %d times", n)
		}
	})
}

func TestMaxStaleOverrulesTheServer(t *testing.T) { // [JK-16]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a"), header: http.Header{"Cache-Control": {"max-age=86400"}}}
		s, _ := remote(t, u, Config{MaxStale: 10 * time.Minute})
		has(t, s, "a")
		time.Sleep(8 * time.Minute)
		has(t, s, "a")
		synctest.Wait()
		calls(t, u, 2)
		u.fail(errDown)
		time.Sleep(10 * time.Minute)
		nobodyKnows(t, s, "a")
	})
}

// A bad answer is a failure: it never replaces a good set.
func TestBadAnswersKeepTheSet(t *testing.T) { // [JK-16]
	many := "{}"
	for range maxKeys {
		many += ",{}"
	}
	tests := map[string]func(*upstream){
		"empty set":   func(u *upstream) { u.body = `{"keys":[]}` },
		"none usable": func(u *upstream) { u.body = `{"keys":[{"kty":"AKP"}]}` },
		"none fits":   func(u *upstream) { u.body = `{"keys":[` + jwkOf("a", "a", `,"alg":"EdDSA","use":"enc"`) + `]}` },
		"HTML":        func(u *upstream) { u.body = `<html></html>` },
		"garbage":     func(u *upstream) { u.body = "\x00\xff" },
		"nothing":     func(u *upstream) { u.body = "" },
		"repeated":    func(u *upstream) { u.body = `{"keys":[],` + setOf("b")[1:] }, // [JK-10]
		"101 keys":    func(u *upstream) { u.body = `{"keys":[` + many + `]}` },      // [JK-07]
		"500":         func(u *upstream) { u.status, u.body = 500, setOf("b") },      // [JK-05]
		"201":         func(u *upstream) { u.status, u.body = 201, setOf("b") },      // [JK-05]
		"down":        func(u *upstream) { u.err = errDown },
		"panic":       func(u *upstream) { u.panics = true },
	}
	for name, breaks := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{body: setOf("a")}
				s, _ := remote(t, u, Config{})
				has(t, s, "a")
				u.set(breaks)
				time.Sleep(13 * time.Minute)
				has(t, s, "a")
				synctest.Wait()
				calls(t, u, 2)
				has(t, s, "a")
				if h := s.Health(); h.LastError == "" || !h.Loaded || h.Keys != 1 {
					t.Errorf("health %+v", h)
				}
			})
		})
	}
}
