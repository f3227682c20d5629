package dpop_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// heirs are Verifiers that were made from each other, on one clock.
type heirs struct {
	t   testing.TB
	now time.Time
	key *prove.Key
}

func (h *heirs) clock() time.Time { return h.now }

func (h *heirs) config(t *rapid.T) dpop.Config {
	secret := func(b byte) []byte { return []byte{31: b} }
	return dpop.Config{
		Window: time.Duration(rapid.SampledFrom([]int{5, 60, 300}).Draw(t, "window")) * time.Second,
		Future: time.Duration(rapid.SampledFrom([]int{-1, 10, 60}).Draw(t, "future")) * time.Second,
		NonceKeys: rapid.SampledFrom([][][]byte{
			{secret(1)}, {secret(2), secret(1)}, {secret(1), secret(2)},
		}).Draw(t, "keys"),
		Clock: h.clock,
	}
}

// accepts reports whether the proof passes and is spent.
func (h *heirs) accepts(v *dpop.Verifier, proof string, mode dpop.Nonce) bool {
	in := presented(h.t, h.key, proof)
	in.Now, in.Nonce = h.now, mode
	p, err := v.Verify(in)
	return err == nil && v.Spend(h.t.Context(), &p) == nil
}

// TestOnceWhateverChanges: a proof passes once, whichever of two Verifiers judges
// it first, before or after one was made from the other, by whatever window and
// mode each has. [DP-21]
func TestOnceWhateverChanges(t *testing.T) {
	key := newKey(t, "Ed25519")
	modes := rapid.SampledFrom([]dpop.Nonce{dpop.NonceOff, dpop.NonceAdaptive, dpop.NonceRequired})
	seconds := func(r *rapid.T, what string, from ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(from).Draw(r, what)) * time.Second
	}
	rapid.Check(t, func(r *rapid.T) {
		h := &heirs{t: t, now: noon, key: key}
		one, err := dpop.New(h.config(r))
		if err != nil {
			r.Fatal(err)
		}
		two := one
		mode := map[*dpop.Verifier]dpop.Nonce{one: modes.Draw(r, "mode")} // of the route, in each configuration
		renew := func() {
			if two, err = one.Renew(h.config(r)); err != nil {
				r.Fatal(err)
			}
			mode[two] = modes.Draw(r, "next mode")
		}
		before := rapid.Bool().Draw(r, "renewed before the use")
		if before {
			renew()
		}
		c := prove.Claims{Method: "GET", URL: target, Token: token, Time: h.now.Add(seconds(r, "iat", -280, -50, -5, 0, 9, 50, 400))}
		if rapid.Bool().Draw(r, "nonce") {
			c.Nonce = two.FreshNonce()
		}
		proof, err := key.Sign(c)
		if err != nil {
			r.Fatal(err)
		}
		wait := func(what string) { h.now = h.now.Add(seconds(r, what, 0, 1, 5, 30, 61, 150, 290, 301, 400)) }
		wait("until it is used")
		judge := func(what string) bool {
			v := one
			if rapid.Bool().Draw(r, what+" by the next") {
				v = two
			}
			return h.accepts(v, proof, mode[v])
		}
		passed := judge("first")
		wait("until the change")
		if !before {
			renew()
		}
		if rapid.Bool().Draw(r, "closed") {
			one.Close()
			one = two
		}
		wait("until it is used again")
		if again := judge("second"); passed && again {
			r.Fatal("a proof passed twice")
		}
	})
}

// A change of nothing refuses nobody, and one of the window refuses only what
// was made before it.
func TestRenewedRefusesNobody(t *testing.T) {
	now := noon
	clock := func() time.Time { return now }
	key := newKey(t, "Ed25519")
	sign := func(age time.Duration, nonce string) string {
		proof, err := key.Sign(prove.Claims{Method: "GET", URL: target, Token: token, Time: now.Add(-age), Nonce: nonce})
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	use := func(v *dpop.Verifier, mode dpop.Nonce, proof string) error {
		in := presented(t, key, proof)
		in.Now, in.Nonce = now, mode
		p, err := v.Verify(in)
		if err != nil {
			return err
		}
		return v.Spend(t.Context(), &p)
	}
	old := newVerifier(t, func(c *dpop.Config) { c.Clock = clock })
	nonce := old.FreshNonce()
	next, err := old.Renew(dpop.Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	old.Close()
	old.Close()
	for age := range 60 {
		for _, n := range []string{"", nonce, "foreign"} {
			if err := use(next, dpop.NonceOff, sign(time.Duration(age)*time.Second, n)); err != nil {
				t.Fatalf("%d s old, with nonce %q: %v", age, n, err)
			}
		}
		if err := use(next, dpop.NonceRequired, sign(time.Duration(age)*time.Minute, nonce)); err != nil {
			t.Fatalf("%d min old, with a nonce: %v", age, err)
		}
	}
	wider, err := next.Renew(dpop.Config{Window: 5 * time.Minute, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
	if err := use(wider, dpop.NonceOff, sign(2*time.Minute, "")); !errors.Is(err, validate.ErrProofExpired) {
		t.Errorf("what the window before had forgotten: %v", err)
	}
	now = now.Add(6 * time.Minute) // the nonce is too old for those that look at it
	if err := use(wider, dpop.NonceOff, sign(0, nonce)); !errors.Is(err, validate.ErrNonceInvalid) {
		t.Errorf("a proof with an old nonce: %v, want a fresh one asked for", err)
	}
	if err := use(wider, dpop.NonceOff, sign(4*time.Minute, "")); err != nil {
		t.Errorf("within the wider window: %v", err)
	}
}

// Another store knows nothing of what was used before.
func TestRenewWithAnotherStore(t *testing.T) {
	old := newVerifier(t)
	memory, err := dpop.NewMemory(dpop.MemoryConfig{})
	if err != nil {
		t.Fatal(err)
	}
	next, err := old.Renew(dpop.Config{Replay: memory})
	if err != nil || next.Replay() != dpop.ReplayStore(memory) {
		t.Fatalf("%v, %v", next, err)
	}
	if next, err = old.Renew(dpop.Config{}); err != nil || next.Replay() != old.Replay() {
		t.Fatalf("%v, %v", next, err)
	}
	if _, err := old.Renew(dpop.Config{Window: time.Hour}); err == nil {
		t.Error("a faulty configuration")
	}
}
