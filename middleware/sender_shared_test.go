package middleware_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// common is a replay store that says of itself that other processes use it too.
type common struct{ *dpop.Memory }

func (common) Since() time.Time { return time.Time{} }

// process is one of several that share a store, with a configuration of its own.
func (s *stand) process(store dpop.ReplayStore, c dpop.Config, clock func() time.Time) func(middleware.Request) middleware.Decision {
	s.t.Helper()
	c.Replay = store
	g, err := bearward.New(s.t.Context(), bearward.Config{
		Resource: api, Issuers: []bearward.Issuer{{URL: s.iss.URL(), AllowHTTP: true}}, PublicURLs: []string{public}, DPoP: &c, Clock: clock,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = g.Close() })
	return func(r middleware.Request) middleware.Decision {
		_, d := g.Decide(s.t.Context(), r, middleware.Policy{})
		return d
	}
}

// TestOneStoreOfManyProcesses: a proof that one process took passes nowhere, at any
// time, while processes get another configuration one after the other.
// [DP-21 DP-22]
func TestOneStoreOfManyProcesses(t *testing.T) {
	secret := func(n byte) [][]byte { return [][]byte{bytes.Repeat([]byte{n}, 32)} }
	strict := dpop.Config{Window: 5 * time.Second, NonceKeys: secret(1)}
	usual := dpop.Config{NonceKeys: secret(1)}
	lax := dpop.Config{Window: 5 * time.Minute, NonceKeys: secret(1)}
	nonces := dpop.Config{Nonce: dpop.NonceRequired, NonceKeys: secret(2)}
	adaptive := dpop.Config{Nonce: dpop.NonceAdaptive, NonceKeys: secret(2)}
	for _, c := range []struct {
		name        string
		first, then dpop.Config
		nonce       bool          // the proof has one that the second process issued
		iat         time.Duration // of the proof, from noon
	}{
		{"a longer window", usual, lax, false, 0},
		{"a far longer window", strict, lax, false, -5 * time.Second},
		{"a longer window, and a clock ahead", usual, lax, false, 10 * time.Second},
		{"a shorter window", lax, strict, false, 0},
		{"nonces", usual, nonces, true, 0},
		{"nonces, from old proofs", lax, nonces, true, -5 * time.Minute},
		{"adaptive nonces", strict, adaptive, true, -5 * time.Second},
		{"nonces of before", nonces, lax, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var passed atomic.Int64 // keys are fetched in the background
			clock := func() time.Time { return noon.Add(time.Duration(passed.Load())) }
			store := common{inMemory(t, clock)}
			s := newStand(t, withDPoP)
			first, then := s.process(store, c.first, clock), s.process(store, c.then, clock)
			dated := func(p *prove.Claims) { p.Time = noon.Add(c.iat) }
			nonce := ""
			for _, ask := range []func(middleware.Request) middleware.Decision{first, then} {
				old := ask(s.proven(newKey(t), func(p *prove.Claims) { p.Time = noon.Add(-30 * time.Minute) }))
				if old.Allowed {
					t.Fatal("a proof that is too old")
				}
				if value := old.Denial.Header.Get("DPoP-Nonce"); value != "" {
					nonce = value
				}
			}
			used := s.proven(newKey(t), dated, func(p *prove.Claims) {
				if c.nonce || c.first.Nonce == dpop.NonceRequired {
					p.Nonce = nonce
				}
			})
			if d := first(used); !d.Allowed {
				t.Fatal(d.Err)
			}
			for after := time.Duration(0); after <= 6*time.Minute; after += time.Second {
				passed.Store(int64(after))
				if d := then(used); d.Allowed {
					t.Fatalf("after %v the used proof passes", after)
				} else if after < 4*time.Second {
					refused(t, after.String(), d, validate.ErrProofReplayed)
				}
			}
		})
	}
}
