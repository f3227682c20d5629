package jwks

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/validate"
)

func TestRotationIsSeenAtFirstSight(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		u.publish("a", "b") // at the same instant: the first load uses up nothing
		has(t, s, "b")
		calls(t, u, 2)
		u.publish("c")
		hasNot(t, s, "c") // within the cooldown
		calls(t, u, 2)
		time.Sleep(DefaultCooldown)
		has(t, s, "c")
		hasNot(t, s, "a")
		calls(t, u, 3)
	})
}

// A refresh that is due does not use up the cooldown either.
func TestRefreshLeavesTheCooldown(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		u.set(func(u *upstream) { u.block = make(chan struct{}) })
		time.Sleep(13 * time.Minute)
		has(t, s, "a") // begins the refresh
		synctest.Wait()
		var wg sync.WaitGroup
		wg.Go(func() { hasNot(t, s, "b") }) // waits for it, then asks once more
		synctest.Wait()
		calls(t, u, 2)
		close(u.block)
		wg.Wait()
		calls(t, u, 3)
	})
}

// A set that was fetched for this very request is the last word.
func TestUnknownKidOnFirstUse(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		hasNot(t, s, "b")
		calls(t, u, 1)
		u.publish("a", "b") // and the cooldown is unused
		has(t, s, "b")
		calls(t, u, 2)
	})
}

func TestRandomKidsCauseOneFetch(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		for i := range 50 {
			hasNot(t, s, fmt.Sprint("random-", i))
		}
		calls(t, u, 2)
		has(t, s, "a")
	})
}

func TestBadKidsOverManyCooldowns(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a"), header: http.Header{"Cache-Control": {"max-age=86400"}}}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		for i := range 100 { // 10 s apart: 990 s hold 33 whole cooldowns
			hasNot(t, s, fmt.Sprint("random-", i))
			time.Sleep(10 * time.Second)
		}
		calls(t, u, 1+34)
		if n := len(s.state.Load().set.kids); n != 1 {
			t.Errorf("%d kids remembered", n)
		}
	})
}

func TestStampedeOnUnknownKid(t *testing.T) { // [JK-13]
	for _, published := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{body: setOf("a")}
			s, _ := remote(t, u, Config{})
			has(t, s, "a")
			u.set(func(u *upstream) { u.block = make(chan struct{}) })
			if published {
				u.publish("a", "b")
			}
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() {
					if published {
						has(t, s, "b")
					} else {
						hasNot(t, s, "b")
					}
				})
			}
			synctest.Wait()
			calls(t, u, 2)
			close(u.block)
			wg.Wait()
			calls(t, u, 2)
		})
	}
}

func TestUnknownKidWaitsThreeSeconds(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		u.set(func(u *upstream) { u.block = make(chan struct{}) })
		began := time.Now()
		hasNot(t, s, "b") // the set is fresh: the token is bad
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("waited %v", took)
		}
		time.Sleep(time.Minute)
		began = time.Now()
		has(t, s, "a")
		if time.Since(began) != 0 {
			t.Error("a known kid waited")
		}
	})
}

// A refetch that fails: bad token while the set is fresh, nobody knows after.
func TestUnknownKidDuringAnOutage(t *testing.T) { // [JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		u.fail(errDown)
		hasNot(t, s, "b")
		calls(t, u, 2)
		time.Sleep(15*time.Minute - time.Nanosecond)
		hasNot(t, s, "b")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		for range 10 { // in the cooldown as well
			if retry := nobodyKnows(t, s, "b"); retry < time.Second || retry > 30*time.Second {
				t.Errorf("retry after %v", retry)
			}
		}
		has(t, s, "a")
		u.fail(nil)
		u.publish("a", "b")
		time.Sleep(DefaultCooldown)
		has(t, s, "b")
	})
}

// What a newer set cannot change causes no traffic.
func TestKnownKidNeverFetches(t *testing.T) { // [JK-11 JK-13]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: `{"keys":[` + jwkOf("a", "a", `,"alg":"EdDSA"`) + `]}`}
		s, _ := remote(t, u, Config{})
		has(t, s, "a")
		for range 50 { // bad signatures: the same kid again and again
			has(t, s, "a")
		}
		for _, alg := range []string{"RS256", "HS256", "none", "", "ES512"} {
			if keys, err := s.Keys(t.Context(), "a", alg); err != nil || len(keys) != 0 {
				t.Errorf("%s: %v, %v", alg, keys, err)
			}
		}
		for _, alg := range []string{"HS256", "none", "ES512"} { // not in the allow-list
			if keys, err := s.Keys(t.Context(), "b", alg); err != nil || len(keys) != 0 {
				t.Errorf("%s: %v, %v", alg, keys, err)
			}
		}
		calls(t, u, 1)
	})
}

func TestWithoutKid(t *testing.T) { // [JK-12]
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a", "b", "c", "d", "e")}
		s, _ := remote(t, u, Config{})
		keys, err := s.Keys(t.Context(), "", "EdDSA")
		if err != nil || len(keys) != 4 || keys[0].ID != "a" {
			t.Errorf("got %v, %v", keys, err)
		}
		if keys, err := s.Keys(t.Context(), "", "RS256"); err != nil || len(keys) != 0 {
			t.Errorf("got %v, %v", keys, err)
		}
		calls(t, u, 2) // an issuer without kids may have changed its algorithm
	})
}

func TestEqualKids(t *testing.T) { // [JK-11]
	synctest.Test(t, func(t *testing.T) {
		body := `{"keys":[` + jwkOf("a", "0", "")
		for i := range 5 {
			body += "," + jwkOf("a", fmt.Sprint(i), "")
		}
		u := &upstream{body: body + `]}`}
		s, _ := remote(t, u, Config{})
		keys, err := s.Keys(t.Context(), "a", "EdDSA")
		if err != nil || len(keys) != 4 {
			t.Errorf("got %v, %v", keys, err)
		}
		if h := s.Health(); h.Keys != 5 { // the first two are the same key
			t.Errorf("%d keys", h.Keys)
		}
		_ = append(keys, &validate.Key{}) // cannot reach the set
		if again, _ := s.Keys(t.Context(), "a", "EdDSA"); len(again) != 4 {
			t.Error("the set was changed")
		}
	})
}
