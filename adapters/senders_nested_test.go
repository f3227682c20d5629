package adapters_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
)

// TestNestedProof: below another policy of the same guard a proof is not
// verified and spent again; what the outer one did not prove is refused.
func TestNestedProof(t *testing.T) {
	s := newSenders(t)
	d := s.all[0].(*tlsWeb)
	g := s.guarding(nil)
	nonce := s.nonce(t, d, g, read.WithNonce(dpop.NonceRequired))
	required, adaptive := read.WithNonce(dpop.NonceRequired), read.WithNonce(dpop.NonceAdaptive)
	key, both := s.token(s.byKey()), s.token(s.byBoth())
	plain := message{header: authorize("Bearer", s.token(nil))}
	for _, c := range []struct {
		name         string
		outer, inner middleware.Policy
		m            message
		want         string
		code         validate.Code
	}{
		{"same", read, read, s.proven(d, key), ok, ""},
		{"key demanded inside", read, read.WithDPoP(), s.proven(d, key), ok, ""},
		{"key demanded inside of a plain token", read, read.WithDPoP(), plain, "T", validate.ErrBindingRequired},
		{"certificate demanded inside", read, read.WithMTLS(), s.proven(d, key), "T", validate.ErrBindingRequired},
		{"both", read.WithDPoP(), read.WithMTLS(), message{s.proven(d, both).header, s.own}, ok, ""},
		{"nonce demanded inside, absent", read, required, s.proven(d, key), "U", validate.ErrNonceMissing},
		{"nonce demanded inside, there", read, required, s.proven(d, key, with(nonce)), ok, ""},
		{"nonce demanded inside, bad", read, required, s.proven(d, key, with("bad")), "U", validate.ErrNonceInvalid},
		{"adaptive inside, absent", read, adaptive, s.proven(d, key), ok, ""},
		{"adaptive inside, bad", read, adaptive, s.proven(d, key, with("bad")), "U", validate.ErrNonceInvalid},
		{"demanded outside only", required, read, s.proven(d, key, with(nonce)), ok, ""},
		{"public outside", middleware.Public(), read.WithDPoP(), s.proven(d, key), ok, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			d.build = func(g *middleware.Guard, _ middleware.Policy, saw *sight) http.Handler {
				return httpauth.Protect(g, c.outer)(onMux(g, c.inner, saw))
			}
			s.events.take()
			got := d.send(t, g, read, c.m)
			if got.is(t, c.want); len(got.nonces) > 1 { // [ER-20]
				t.Errorf("nonces %q", got.nonces)
			}
			events := s.events.take()
			if len(events) != 2 || !events[0].Allowed || events[1].Code != c.code {
				t.Errorf("%+v, want two decisions, the second with code %q", events, c.code)
			}
			// What passed is spent, and what did not as well: the outer policy let
			// it pass.
			if c.m.header.Get("Dpop") != "" && c.name != "public outside" {
				again := d.send(t, g, read, c.m)
				again.is(t, "P")
			}
		})
	}
}

// TestNestedChangedProof: another proof than the one that was judged is judged
// anew.
func TestNestedChangedProof(t *testing.T) {
	s := newSenders(t)
	d := s.all[0].(*tlsWeb)
	g, token := s.guarding(nil), s.token(s.byKey())
	first, second := s.proven(d, token), s.proven(d, token)
	spent := s.proven(d, token)
	before := d.send(t, g, read, spent)
	before.is(t, ok)
	for _, c := range []struct {
		name   string
		change func(http.Header)
		want   string
	}{
		{"another right one", func(h http.Header) { h["Dpop"] = second.header["Dpop"] }, ok},
		{"one that was used", func(h http.Header) { h["Dpop"] = spent.header["Dpop"] }, "P"},
		{"none", func(h http.Header) { h.Del("Dpop") }, "P"},
		{"one more", func(h http.Header) { h.Add("Dpop", "x") }, "P"},
	} {
		d.build = func(g *middleware.Guard, _ middleware.Policy, saw *sight) http.Handler {
			inner := onMux(g, read, saw)
			return httpauth.Protect(g, read)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.change(r.Header)
				inner.ServeHTTP(w, r)
			}))
		}
		got := d.send(t, g, read, first)
		t.Log(c.name)
		got.is(t, c.want)
		first = s.proven(d, token)
	}
}

// TestOneOfMany sends one request 64 times at once: exactly one passes.
// [DP-21]
func TestOneOfMany(t *testing.T) {
	s := newSenders(t)
	d := s.all[0].(*tlsWeb)
	g, token := s.guarding(nil), s.token(s.byKey())
	var ran atomic.Int64
	h := httpauth.Protect(g, read)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) }))
	server := httptest.NewServer(h)
	defer server.Close()
	for round := range 20 {
		proof, err := s.key.Sign(prove.Claims{Method: "GET", URL: server.URL + "/orders", Token: token, Time: s.clock.Now().Add(-time.Duration(round) * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 64 {
			all.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/orders", nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header = s.proven(d, token).header
				r.Header["Dpop"] = []string{proof}
				<-start
				res, err := server.Client().Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != 200 && res.StatusCode != 401 {
					t.Errorf("status %d", res.StatusCode)
				}
			})
		}
		close(start)
		all.Wait()
		if n := ran.Swap(0); n != 1 {
			t.Errorf("the handler ran %d times for one proof", n)
		}
	}
}
