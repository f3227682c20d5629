package adapters_test

import (
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/dpop"
	"github.com/bearward/bearward/validate/mtls"
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

// TestNestedForgery: a stranger's certificate header, which the outer guard
// removes, makes the request below no other one: the proof is not spent twice,
// and the token's binding is judged alike. [MT-07 DP-21]
func TestNestedForgery(t *testing.T) {
	s := newSenders(t)
	key, cert := s.token(s.byKey()), s.token(s.byCert())
	field := func(c *tls.Certificate) []string {
		return []string{":" + base64.StdEncoding.EncodeToString(c.Certificate[0]) + ":"}
	}
	for _, d := range s.all[:2] {
		w := d.(*tlsWeb)
		build := w.build
		w.build = func(g *middleware.Guard, p middleware.Policy, saw *sight) http.Handler {
			return httpauth.Protect(g, p)(build(g, p, saw))
		}
		for _, c := range []struct {
			name   string
			m      message
			values []string
			want   []validate.Code // of the decisions
			letter string
		}{
			{"a proof, no header", s.proven(d, key), nil, []validate.Code{"", ""}, ok},
			{"a proof", s.proven(d, key), field(s.own), []validate.Code{"", ""}, ok},
			{"a proof, garbage", s.proven(d, key), []string{":AAAA:", "garbage"}, []validate.Code{"", ""}, ok},
			{"a certificate that is there", message{authorize("Bearer", cert), s.own}, field(s.other), []validate.Code{"", ""}, ok},
			{"a certificate that is not", message{header: authorize("Bearer", cert)}, field(s.own), []validate.Code{validate.ErrCertificateMissing}, "T"},
			{"another one", message{authorize("Bearer", cert), s.other}, field(s.own), []validate.Code{validate.ErrCertificateMismatch}, "T"},
		} {
			t.Run(c.name+"/"+d.name(), func(t *testing.T) {
				s.t = t
				g := s.guarding(func(c *bearward.Config) {
					c.TrustedProxies, c.ClientCertHeader = elsewhere, mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440}
				})
				if c.values != nil {
					c.m.header["Client-Cert"] = c.values
				}
				s.events.take()
				got := d.send(t, g, read, c.m)
				got.is(t, c.letter)
				var codes []validate.Code
				for _, e := range s.events.take() {
					codes = append(codes, e.Code)
				}
				if !slices.Equal(codes, c.want) {
					t.Errorf("decisions %q, want %q", codes, c.want)
				}
				if len(got.saw.header["Client-Cert"]) > 0 {
					t.Error("the handler sees a forged header")
				}
				if c.m.header["Dpop"] != nil {
					again := d.send(t, g, read, c.m)
					s.expect(t, &again, "P", validate.ErrProofReplayed, "DPoP")
				}
			})
		}
	}
}

// TestNestedNonce: two policies that both have a fresh nonce to hand out hand out
// one, in what passes and in what is refused. [DP-26 ER-20]
func TestNestedNonce(t *testing.T) {
	s := newSenders(t)
	for _, d := range s.all[:2] {
		w := d.(*tlsWeb)
		t.Run(d.name(), func(t *testing.T) {
			s.t = t
			s.events.take()
			g, p := s.guarding(nil), read.WithNonce(dpop.NonceRequired)
			old := s.nonce(t, d, g, p)
			s.clock.advance(4 * time.Minute)
			build := w.build
			w.build = func(g *middleware.Guard, p middleware.Policy, saw *sight) http.Handler {
				return httpauth.Protect(g, p)(build(g, p, saw))
			}
			renewed := d.send(t, g, p, s.proven(d, s.token(s.byKey()), with(old)))
			if len(renewed.nonces) != 1 || renewed.nonces[0] == old || renewed.saw.runs != 1 || renewed.status != 200 {
				t.Errorf("%d, nonces %q, the handler ran %d times", renewed.status, renewed.nonces, renewed.saw.runs)
			}
			if cache := renewed.header.Values("Cache-Control"); len(cache) != 1 || cache[0] != "no-store" {
				t.Errorf("Cache-Control %q", cache)
			}
			w.build = func(g *middleware.Guard, p middleware.Policy, saw *sight) http.Handler {
				return httpauth.Protect(g, p)(build(g, middleware.Scopes("orders:write").WithNonce(dpop.NonceRequired), saw))
			}
			refused := d.send(t, g, p, s.proven(d, s.token(s.byKey()), with(old)))
			if len(refused.nonces) > 1 || refused.saw.runs != 0 || refused.status != 403 {
				t.Errorf("%d, nonces %q, the handler ran %d times", refused.status, refused.nonces, refused.saw.runs)
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
