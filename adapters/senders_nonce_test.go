package adapters_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// with puts a nonce into the proof.
func with(nonce string) func(*prove.Claims) { return func(c *prove.Claims) { c.Nonce = nonce } }

// dated makes a proof of another time than now.
func dated(by time.Duration) func(*prove.Claims) {
	return func(c *prove.Claims) { c.Time = c.Time.Add(by) }
}

// nonce lets the guard hand one out, to a request whose proof has none.
func (s *senders) nonce(t *testing.T, d delivery, g *middleware.Guard, p middleware.Policy) string {
	t.Helper()
	got := d.send(t, g, p, s.proven(d, s.token(s.byKey()), dated(-2*time.Minute)))
	s.expect(t, &got, "U", validate.ErrNonceMissing, "DPoP")
	if cache := got.header.Get("Cache-Control"); got.status != 0 && cache != "no-store" {
		t.Errorf("Cache-Control %q beside a nonce", cache)
	}
	if len(got.nonces) != 1 {
		t.Fatal("no nonce")
	}
	return got.nonces[0]
}

// TestNonceRequired: every proof needs a valid nonce, which a challenge hands
// out. [DP-23 DP-24 DP-25 DP-26 DP-27 DP-30 ER-09 ER-20]
func TestNonceRequired(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(nil)
		p := read.WithDPoP().WithNonce(dpop.NonceRequired)
		token := s.token(s.byKey())
		send := func(want string, code validate.Code, change ...func(*prove.Claims)) verdict {
			t.Helper()
			got := d.send(t, g, p, s.proven(d, token, change...))
			s.expect(t, &got, want, code, "DPoP", "DPoP")
			return got
		}
		nonce := send("U", validate.ErrNonceMissing).nonces[0]
		send(ok, "", with(nonce))
		send("U", validate.ErrNonceInvalid, with(nonce+"A"))
		send("U", validate.ErrNonceInvalid, with("eyJ7S_zG.eyJH0-Z.HX4w-7v"))
		foreign := s.guarding(func(c *bearward.Config) { c.DPoP.NonceKeys = [][]byte{make([]byte, 32)} })
		theirs := d.send(t, foreign, p, s.proven(d, token)).nonces[0]
		s.events.take()
		send("U", validate.ErrNonceInvalid, with(theirs))                                                    // [DP-24]
		send("U", validate.ErrNonceInvalid, with(theirs), dated(-time.Hour))                                 // [DP-30]
		send("U", validate.ErrNonceMissing, dated(-time.Hour))                                               // [DP-30]
		send(ok, "", with(nonce), dated(-2*time.Minute))                                                     // [DP-27]
		send(ok, "", with(nonce), dated(2*time.Minute))                                                      // [DP-27]
		send("P", validate.ErrProofExpired, with(nonce), dated(-61*time.Minute))                             // [DP-27]
		send("P", validate.ErrProofInFuture, with(nonce), dated(61*time.Minute))                             // [DP-27]
		send("P", validate.ErrProofMethodMismatch, func(c *prove.Claims) { c.Nonce, c.Method = "x", "PUT" }) // [DP-30]

		// The same proof stays known as long as its nonce would pass. [DP-21]
		token = s.mint(s.main, "", map[string]any{"scope": "orders:read", "cnf": s.byKey(), "exp": s.clock.Now().Add(time.Hour).Unix()})
		m := s.proven(d, token, with(nonce))
		first := d.send(t, g, p, m)
		s.expect(t, &first, ok, "", "")
		for _, later := range []time.Duration{71 * time.Second, 228 * time.Second} {
			s.clock.advance(later)
			again := d.send(t, g, p, m)
			s.expect(t, &again, "P", validate.ErrProofReplayed, "DPoP", "DPoP")
		}

		// Half-way through, answers that pass bring a fresh one. [DP-26]
		old := d.send(t, g, p, s.proven(d, token, with(nonce)))
		if len(old.nonces) != 1 || old.nonces[0] == nonce || old.saw.runs != 1 {
			t.Errorf("nonces %q after 299 s, the handler ran %d times", old.nonces, old.saw.runs)
		}
		if cache := old.header.Get("Cache-Control"); old.status != 0 && cache != "no-store" {
			t.Errorf("Cache-Control %q beside a nonce", cache)
		}
		s.events.take()
		s.clock.advance(2 * time.Second)
		send("U", validate.ErrNonceInvalid, with(nonce))
		send(ok, "", with(old.nonces[0]))
	})
}

// TestNonceAdaptive: only a proof whose time is out of the window needs one, and
// one that is there must be valid. [DP-23 DP-25]
func TestNonceAdaptive(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(func(c *bearward.Config) { c.DPoP.Nonce = dpop.NonceAdaptive })
		token := s.token(s.byKey())
		nonce := s.nonce(t, d, g, read)
		for _, c := range []struct {
			want   string
			code   validate.Code
			change []func(*prove.Claims)
		}{
			{ok, "", nil},
			{ok, "", []func(*prove.Claims){dated(-59 * time.Second)}},
			{ok, "", []func(*prove.Claims){with(nonce)}},
			{ok, "", []func(*prove.Claims){with(nonce), dated(-59 * time.Minute)}},
			{"U", validate.ErrNonceMissing, []func(*prove.Claims){dated(-61 * time.Second)}},
			{"U", validate.ErrNonceMissing, []func(*prove.Claims){dated(11 * time.Second)}},
			{"U", validate.ErrNonceMissing, []func(*prove.Claims){dated(48 * time.Hour)}},
			{"U", validate.ErrNonceInvalid, []func(*prove.Claims){with("none of ours")}},
			{"P", validate.ErrProofExpired, []func(*prove.Claims){with(nonce), dated(-61 * time.Minute)}},
		} {
			got := d.send(t, g, read, s.proven(d, token, c.change...))
			s.expect(t, &got, c.want, c.code, "DPoP")
		}
	})
}

// TestNonceOff: a nonce that nobody asked for is no reason for anything.
func TestNonceOff(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g, token := s.guarding(nil), s.token(s.byKey())
		got := d.send(t, g, read, s.proven(d, token, with("of the authorization server")))
		s.expect(t, &got, ok, "", "")
		late := d.send(t, g, read, s.proven(d, token, dated(-61*time.Second)))
		s.expect(t, &late, "P", validate.ErrProofExpired, "DPoP")
	})
}

// TestNonceForPages: a page of a browser may read the challenge and the nonce.
// [TR-17]
func TestNonceForPages(t *testing.T) {
	s := newSenders(t)
	for _, d := range s.all[:2] {
		t.Run(d.name(), func(t *testing.T) {
			s.t = t
			g, p := s.guarding(nil), read.WithNonce(dpop.NonceRequired)
			ask := func(change ...func(*prove.Claims)) http.Header {
				m := s.proven(d, s.token(s.byKey()), change...)
				m.header["Origin"] = []string{"https://shop.example"}
				return d.send(t, g, p, m).header
			}
			refused := ask()
			if got := refused.Values("Access-Control-Expose-Headers"); !slices.Equal(got, []string{"WWW-Authenticate", "DPoP-Nonce"}) {
				t.Errorf("exposed %q", got)
			}
			s.clock.advance(4 * time.Minute)
			if got := ask(with(refused.Get("Dpop-Nonce"))).Values("Access-Control-Expose-Headers"); !slices.Equal(got, []string{"DPoP-Nonce"}) {
				t.Errorf("exposed %q with a fresh nonce", got)
			}
		})
	}
}
