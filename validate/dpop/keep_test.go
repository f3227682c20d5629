package dpop_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// kept is a store of one process that notes how long it has to keep a proof.
type kept struct{ until time.Time }

func (k *kept) First(_ context.Context, _, _ [32]byte, until time.Time) (bool, error) {
	k.until = until
	return true, nil
}

// shared is one that several processes use.
type shared struct {
	kept
	since time.Time
}

func (s *shared) Since() time.Time { return s.since }

func secret(n byte) [][]byte { return [][]byte{bytes.Repeat([]byte{n}, 32)} }

// issued is a nonce of the secret 1, or of another one.
func issued(t *testing.T, of byte, at time.Time) string {
	t.Helper()
	return newVerifier(t, func(c *dpop.Config) { c.NonceKeys, c.Clock = secret(of), func() time.Time { return at } }).FreshNonce()
}

// TestKept: a store of one process keeps a proof for as long as this
// configuration accepts it, one that is shared for as long as any does, and a
// proof that could have been used before a shared store holds everything is
// refused. [DP-21 DP-22]
func TestKept(t *testing.T) {
	const minute = time.Minute
	none := ""
	ours, old, theirs := issued(t, 1, noon), issued(t, 1, noon.Add(-4*minute)), issued(t, 2, noon)
	key := newKey(t, "ES256")
	for _, c := range []struct {
		name     string
		window   time.Duration
		mode     dpop.Nonce
		nonce    string
		iat      time.Duration // from noon, which is now
		own      time.Duration // from now, how long one process keeps it
		together time.Duration // how long several do
		earliest time.Duration // of a use that could have been
	}{
		{"no nonce", 0, dpop.NonceOff, none, 0, minute, 5 * minute, -10 * time.Second},
		{"no nonce, old", 0, dpop.NonceOff, none, -minute, 0, 4 * minute, -70 * time.Second},
		{"no nonce, from the future", 0, dpop.NonceOff, none, 10 * time.Second, 70 * time.Second, 310 * time.Second, 0},
		{"a short window", 5 * time.Second, dpop.NonceOff, none, 0, 5 * time.Second, 5 * minute, -10 * time.Second},
		{"the longest window", 5 * minute, dpop.NonceOff, none, 0, 5 * minute, 5 * minute, -10 * time.Second},
		{"a nonce that nobody asked for", 0, dpop.NonceOff, ours, 0, 5 * minute, 5 * minute, -10 * time.Second},
		{"an old nonce that nobody asked for", 0, dpop.NonceOff, old, 0, minute, 5 * minute, -250 * time.Second},
		{"a foreign nonce", 0, dpop.NonceOff, theirs, 0, minute, 310 * time.Second, -time.Hour},
		{"garbage for a nonce", 0, dpop.NonceOff, "garbage", -minute, 0, 310 * time.Second, -minute - time.Hour},
		{"a nonce", 0, dpop.NonceRequired, ours, 0, 5 * minute, 5 * minute, -10 * time.Second},
		{"an old nonce", 0, dpop.NonceRequired, old, 0, minute, 5 * minute, -250 * time.Second},
		{"a nonce, iat long ago", 0, dpop.NonceRequired, ours, -59 * minute, 5 * minute, 5 * minute, -10 * time.Second},
		{"a nonce, iat far ahead", 0, dpop.NonceRequired, ours, 59 * minute, 5 * minute, 64 * minute, -10 * time.Second},
		{"a nonce, adaptive, iat far ahead", 0, dpop.NonceAdaptive, ours, 59 * minute, 5 * minute, 64 * minute, -10 * time.Second},
	} {
		proof, err := key.Sign(prove.Claims{Method: "GET", URL: target, Token: token, Nonce: c.nonce, Time: noon.Add(c.iat)})
		if err != nil {
			t.Fatal(err)
		}
		spend := func(store dpop.ReplayStore) error {
			v := newVerifier(t, func(cfg *dpop.Config) { cfg.Window, cfg.NonceKeys, cfg.Replay = c.window, secret(1), store })
			in := presented(t, key, proof)
			in.Nonce = c.mode
			p, err := v.Verify(in)
			if err != nil {
				t.Fatal(c.name, err)
			}
			return v.Spend(t.Context(), &p)
		}
		own, together := &kept{}, &shared{since: noon.Add(c.earliest)}
		if err := spend(own); err != nil || own.until.Sub(noon) != c.own {
			t.Errorf("%s: %v, kept for %v, want %v", c.name, err, own.until.Sub(noon), c.own)
		}
		if err := spend(together); err != nil || together.until.Sub(noon) != c.together {
			t.Errorf("%s, shared: %v, kept for %v, want %v", c.name, err, together.until.Sub(noon), c.together)
		}
		if err := spend(&shared{since: noon.Add(c.earliest + 1)}); validate.CodeOf(err) != validate.ErrReplayUnavailable {
			t.Errorf("%s, shared, by a store that holds everything since %v: %v", c.name, c.earliest, err)
		}
	}
}

// TestTwoNonces: a proof that says nonce twice says nothing. [DP-08]
func TestTwoNonces(t *testing.T) {
	key, v := newKey(t, "ES256"), newVerifier(t, func(c *dpop.Config) { c.NonceKeys = secret(1) })
	ours := issued(t, 1, noon)
	for name, again := range map[string]string{"the same": ours, "another": "x"} {
		proof, err := key.Sign(prove.Claims{Method: "GET", URL: target, Token: token, Nonce: ours, Time: noon})
		if err != nil {
			t.Fatal(err)
		}
		in := presented(t, key, twice(t, proof, again))
		in.Nonce = dpop.NonceRequired
		if _, err := v.Verify(in); validate.CodeOf(err) != validate.ErrProofMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// twice puts another nonce into the claims. Its signature is of before: what is
// said twice is refused before anybody looks at it.
func twice(t *testing.T, proof, nonce string) string {
	t.Helper()
	parts := strings.Split(proof, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims = append(bytes.TrimSuffix(claims, []byte("}")), `,"nonce":"`+nonce+`"}`...)
	parts[1] = base64.RawURLEncoding.EncodeToString(claims)
	return strings.Join(parts, ".")
}
