package adapters_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/mtls"
)

// line is a request by its request line, over a socket without TLS: the form
// that no client library would send. url is what its proof names.
type line struct{ target, url string }

// write sends it byte by byte, with Host: api.example.test.
func (s *senders) write(t *testing.T, w *web, g *middleware.Guard, p middleware.Policy, l line, fields ...string) (v verdict) {
	t.Helper()
	token := s.token(s.byKey())
	proof, err := s.key.Sign(prove.Claims{Method: http.MethodGet, URL: l.url, Token: token, Time: s.clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	w.current.Store(handler{w.build(g, p, &v.saw)})
	c := &testCase{header: append(fields, "DPoP: "+proof)}
	res := w.raw(t, http.MethodGet, l.target, c, []string{"DPoP " + token})
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	v.status, v.header = res.StatusCode, res.Header
	v.challenges, v.nonces = res.Header["Www-Authenticate"], res.Header["Dpop-Nonce"]
	return v
}

// bare protects a handler outside of every router, which would redirect some of
// these requests.
func bare(g *middleware.Guard, p middleware.Policy, saw *sight) http.Handler {
	return httpauth.Protect(g, p)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		saw.see(middleware.FromContext(r.Context()))
		saw.header = r.Header
	}))
}

func webs(t *testing.T) []*web {
	return []*web{newWeb(t, "net/http", bare), newWeb(t, "gin", onGin)}
}

// TestRequestLine: the request line says which path was called, in the one way
// in which the router reads it too, and never on which origin. What could be
// read in two ways is the URI of no proof. [DP-10 DP-12]
func TestRequestLine(t *testing.T) {
	s := newSenders(t)
	single := func(c *bearward.Config) { c.PublicURLs = []string{"https://api.example.test"} }
	several := func(c *bearward.Config) {
		c.PublicURLs = []string{"https://api.example.test", "http://b.example/plain", "https://b.example"}
	}
	const orders, p = "https://api.example.test/orders", "P"
	all := webs(t)
	for _, c := range []struct {
		name  string
		guard func(*bearward.Config)
		line
		want string
	}{
		{"origin form", single, line{"/orders", orders}, ok},
		{"a query", single, line{"/orders?a=b", orders}, ok},
		{"a query that looks like a URI", single, line{"/admin?x=://y/orders", orders}, p},
		{"absolute form", single, line{"http://api.example.test/orders", orders}, ok},
		{"absolute form, another origin", single, line{"http://evil.example/orders", orders}, ok},
		{"absolute form, a proof for that origin", single, line{"http://evil.example/orders", "http://evil.example/orders"}, p},
		{"absolute form, another path", single, line{"http://api.example.test/admin", orders}, p},
		{"absolute form, no path", single, line{"http://api.example.test", orders}, p},
		{"absolute form, no path but a query", single, line{"http://api.example.test?/orders", orders}, p},
		{"absolute form, a port", single, line{"x://y:1/admin?/orders", orders}, p},
		{"absolute form, a URI as its path", single, line{"http://y/http://api.example.test/orders", orders}, p},
		{"a scheme without an authority", single, line{"x:/admin?://y/orders", orders}, p},
		{"a scheme without an authority, of its own path", single, line{"x:/orders", orders}, p},
		{"http without an authority", single, line{"http:/admin?://y/orders", orders}, p},

		{"one of several, by Host", several, line{"/orders", orders}, ok},
		{"one of several, by the absolute form", several, line{"https://b.example/orders", "http://b.example/plain/orders"}, ok},
		{"the scheme is the connection's", several, line{"https://b.example/orders", "https://b.example/orders"}, p},
		{"none of several", several, line{"https://evil.example/orders", "https://evil.example/orders"}, p},
		{"none of several, and Host is one", several, line{"https://evil.example/orders", orders}, p},

		{"a fragment", single, line{"/orders#1", orders}, p},
		{"a fragment, of its own path", single, line{"/orders#1", "https://api.example.test/orders%231"}, p},
		{"a fragment and a path", single, line{"/orders#/../admin", orders}, p},
		{"a fragment and a query", single, line{"/orders#?a=1", orders}, p},
		{"absolute form, a fragment", single, line{"http://api.example.test/orders#1", orders}, p},
		{"an escaped question mark", single, line{"/orders%3Fa", orders}, p},
		{"an escaped question mark, of its own path", single, line{"/orders%3fa", "https://api.example.test/orders%3Fa"}, ok},
		{"an escaped number sign", single, line{"/orders%23a", orders}, p},
		{"an escaped number sign, of its own path", single, line{"/orders%23a", "https://api.example.test/orders%23a"}, ok},
		{"on loopback, a fragment", nil, line{"/orders#1", "http://api.example.test/orders"}, p},
		{"on loopback, an escaped question mark", nil, line{"/orders%3Fa", "http://api.example.test/orders"}, p},
		{"on loopback, a scheme without an authority", nil, line{"x:/admin?://y/orders", "http://api.example.test/orders"}, p},
	} {
		for _, w := range all {
			t.Run(c.name+"/"+w.name, func(t *testing.T) {
				s.t = t
				s.events.take()
				got := s.write(t, w, s.guarding(c.guard), read, c.line)
				code := map[string]validate.Code{p: validate.ErrProofTargetMismatch}[c.want]
				s.expect(t, &got, c.want, code, "DPoP")
			})
		}
	}
}

// TestForgedSpellings: a stranger's certificate header is removed in every
// spelling in which a gateway behind the guard could take it for the proxy's,
// and changes nothing else. [MT-07]
func TestForgedSpellings(t *testing.T) {
	s := newSenders(t)
	for _, w := range webs(t) {
		t.Run(w.name, func(t *testing.T) {
			s.t = t
			guard := func(from []netip.Prefix) *middleware.Guard {
				return s.guarding(func(c *bearward.Config) {
					c.PublicURLs = []string{"https://api.example.test"}
					c.TrustedProxies, c.ClientCertHeader = from, mtls.Header{Name: "X-Client-Cert", Format: mtls.RFC9440}
				})
			}
			build := w.build
			w.build = func(g *middleware.Guard, p middleware.Policy, saw *sight) http.Handler {
				h := build(g, p, saw)
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					r.Header["x-CLIENT-cert"] = []string{"7"} // no server spells it so, but what stands before the guard may
					h.ServeHTTP(rw, r)
				})
			}
			forged := []string{"X-Client-Cert: 1", "x_client_cert: 2", "X_CLIENT-Cert: 3", "X-Client_Cert: 4", "Client-Cert-Chain: 5", "client_cert_chain: 6"}
			got := s.write(t, w, guard(elsewhere), read, line{"/orders", "https://api.example.test/orders"}, append(forged, "X-Client-Certs: stays")...)
			s.expect(t, &got, ok, "", "")
			for name, values := range got.saw.header {
				if name != "X-Client-Certs" && strings.Contains(strings.ToLower(name), "cert") {
					t.Errorf("the handler sees %q: %q", name, values)
				}
			}
			if len(got.saw.header["X-Client-Certs"]) != 1 {
				t.Error("another header was removed too")
			}
			// The proxy's word is read in the configured spelling, and refused in it.
			got = s.write(t, w, guard(loopback), read, line{"/orders", "https://api.example.test/orders"}, "X-Client-Cert: garbage")
			s.expect(t, &got, "R", validate.ErrCertificateField, "DPoP")
		})
	}
}
