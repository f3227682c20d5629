package jwks

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestCounts: Health counts fetches, those that failed, and unknown keys that
// caused none.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{body: setOf("a")}
		s, _ := remote(t, u, Config{})
		counts := func(fetches, failures, suppressed uint64) {
			t.Helper()
			if h := s.Health(); h.Fetches != fetches || h.Failures != failures || h.Suppressed != suppressed {
				t.Errorf("%d fetches, %d failures, %d suppressed; want %d, %d, %d", h.Fetches, h.Failures, h.Suppressed, fetches, failures, suppressed)
			}
		}
		counts(0, 0, 0)
		has(t, s, "a")
		has(t, s, "a")
		counts(1, 0, 0)
		hasNot(t, s, "b")
		counts(2, 0, 0)
		for range 5 {
			hasNot(t, s, "c")
		}
		counts(2, 0, 5)
		u.set(func(u *upstream) { u.status = http.StatusInternalServerError })
		time.Sleep(DefaultCooldown)
		hasNot(t, s, "d")
		counts(3, 1, 5)
	})
}
