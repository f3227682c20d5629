package adapters_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/mtls"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// elsewhere is where nobody connects from.
var elsewhere = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}

// TestPublicURL: what a proof has to name comes from the configuration, and of
// what is received only from trusted proxies. [DP-10 DP-12]
func TestPublicURL(t *testing.T) {
	s := newSenders(t)
	type change = func(*bearward.Config)
	public := func(urls ...string) change { return func(c *bearward.Config) { c.PublicURLs = urls } }
	proxied := func(family middleware.Forwarded, from []netip.Prefix, urls ...string) change {
		return func(c *bearward.Config) { c.Forwarded, c.TrustedProxies, c.PublicURLs = family, from, urls }
	}
	x := func(proto, host string) http.Header {
		return http.Header{"X-Forwarded-Proto": {proto}, "X-Forwarded-Host": {host}}
	}
	rfc := func(v ...string) http.Header { return http.Header{"Forwarded": v} }
	const p, u = "P", "E"
	for _, c := range []struct {
		name   string
		guard  change
		header http.Header
		origin string // of the proof, with prefix; "": that of the connection
		want   string
	}{
		{"loopback", nil, nil, "", ok},
		{"loopback, another origin", nil, nil, "https://api.example.com", p},
		{"a single public URL", public("https://api.example.com"), nil, "https://api.example.com", ok},
		{"a single one, proof for the connection", public("https://api.example.com"), nil, "", p},
		{"with a prefix", public("https://api.example.com/v1/"), nil, "https://api.example.com/v1", ok},
		{"with a prefix, without it", public("https://api.example.com/v1"), nil, "https://api.example.com", p},
		{"a single one, beside what a proxy says", proxied(middleware.XForwarded, loopback, "https://api.example.com"), x("https", "evil.example"), "https://api.example.com", ok},
		{"a single one, not what a proxy says", proxied(middleware.XForwarded, loopback, "https://api.example.com"), x("https", "evil.example"), "https://evil.example", p},
		{"a single one, and the proxy says nothing", proxied(middleware.XForwarded, loopback, "https://api.example.com"), nil, "https://api.example.com", ok},
		{"a single one, and the proxy says garbage", proxied(middleware.RFC7239, loopback, "https://api.example.com"), rfc(`for="`), "https://api.example.com", ok},
		{"another origin that begins alike", public("https://api.example.com"), nil, "https://api.example.com.evil.example", p},
		{"another origin, with ours in its path", public("https://api.example.com"), nil, "https://evil.example/https://api.example.com", p},
		{"spelled otherwise", public("HTTPS://API.example.com:443"), nil, "https://api.example.com", ok},
		{"several, none fits Host", public("https://a.example", "https://b.example"), nil, "https://a.example", p},
		{"Origin decides nothing", nil, http.Header{"Origin": {"https://evil.example"}}, "https://evil.example", p},
		{"forwarded headers decide nothing by themselves", nil, x("https", "evil.example"), "https://evil.example", p},
		{"x-forwarded", proxied(middleware.XForwarded, loopback), x("https", "api.example.com"), "https://api.example.com", ok},
		{"x-forwarded, of http", proxied(middleware.XForwarded, loopback), x("http", "api.example.com:8080"), "http://api.example.com:8080", ok},
		{"x-forwarded, from a stranger", proxied(middleware.XForwarded, elsewhere), x("https", "evil.example"), "https://evil.example", p},
		{"x-forwarded, from a stranger, the connection's", proxied(middleware.XForwarded, elsewhere), x("https", "evil.example"), "", ok},
		{"x-forwarded, the nearest hop", proxied(middleware.XForwarded, loopback), x("http, https", "evil.example, api.example.com"), "https://api.example.com", ok},
		{"x-forwarded, an earlier hop", proxied(middleware.XForwarded, loopback), x("http, https", "evil.example, api.example.com"), "http://evil.example", p},
		{"x-forwarded, the nearest field", proxied(middleware.XForwarded, loopback), http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.example", "api.example.com"}}, "https://api.example.com", ok},
		{"x-forwarded, absent", proxied(middleware.XForwarded, loopback), nil, "", u},
		{"x-forwarded, half of it", proxied(middleware.XForwarded, loopback), http.Header{"X-Forwarded-Host": {"api.example.com"}}, "https://api.example.com", u},
		{"x-forwarded, garbage", proxied(middleware.XForwarded, loopback), x("gopher", "api.example.com"), "https://api.example.com", p},
		{"x-forwarded, a host that is none", proxied(middleware.XForwarded, loopback), x("https", "api.example.com/x?y"), "https://api.example.com", p},
		{"x-forwarded, a user before the host", proxied(middleware.XForwarded, loopback), x("https", "evil.example@api.example.com"), "https://api.example.com", p},
		{"x-forwarded, a URI for a host", proxied(middleware.XForwarded, loopback), x("https", "a/https://b"), "https://a/https://b", p},
		{"x-forwarded, the other family", proxied(middleware.XForwarded, loopback), rfc("proto=https;host=api.example.com"), "https://api.example.com", u},
		{"x-forwarded picks a public URL", proxied(middleware.XForwarded, loopback, "https://a.example/x", "https://b.example"), x("https", "a.example"), "https://a.example/x", ok},
		{"x-forwarded, none fits", proxied(middleware.XForwarded, loopback, "https://a.example/x", "https://b.example"), x("https", "c.example"), "https://c.example", p},
		{"x-forwarded picks by scheme", proxied(middleware.XForwarded, loopback, "https://a.example", "http://a.example/plain"), x("http", "A.example"), "http://a.example/plain", ok},
		{"rfc7239", proxied(middleware.RFC7239, loopback), rfc(`for=192.0.2.1;proto=https;host="api.example.com:8443"`), "https://api.example.com:8443", ok},
		{"rfc7239, capitals", proxied(middleware.RFC7239, loopback), rfc(`Proto=HTTPS ; HOST=api.example.com`), "https://api.example.com", ok},
		{"rfc7239, the nearest hop", proxied(middleware.RFC7239, loopback), rfc("proto=http;host=evil.example, proto=https;host=api.example.com"), "https://api.example.com", ok},
		{"rfc7239, an earlier hop", proxied(middleware.RFC7239, loopback), rfc("proto=https;host=evil.example, for=unknown"), "https://evil.example", p},
		{"rfc7239, twice", proxied(middleware.RFC7239, loopback), rfc("proto=https;host=a.example;host=b.example"), "https://b.example", p},
		{"rfc7239, unterminated", proxied(middleware.RFC7239, loopback), rfc(`for="x, proto=https;host=api.example.com`), "https://api.example.com", p},
		{"rfc7239, from a stranger", proxied(middleware.RFC7239, elsewhere), rfc("proto=https;host=evil.example"), "https://evil.example", p},
		{"rfc7239, absent", proxied(middleware.RFC7239, loopback), x("https", "api.example.com"), "https://api.example.com", u},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.each(t, func(t *testing.T, d delivery) {
				m := s.proven(d, s.token(s.byKey()), func(p *prove.Claims) {
					if c.origin != "" {
						_, rest, _ := strings.Cut(p.URL, "://")
						p.URL = c.origin + rest[strings.IndexByte(rest, '/'):]
					}
				})
				for name, values := range c.header {
					m.header[name] = values
				}
				got := d.send(t, s.guarding(c.guard), read, m)
				code := map[string]validate.Code{p: validate.ErrProofTargetMismatch, u: validate.ErrTargetUnknown}[c.want]
				s.expect(t, &got, c.want, code, "DPoP")
			})
		})
	}
}

// TestForwardedCertificate: a header has the client's certificate only where a
// trusted proxy says so. [MT-07 MT-08 MT-10 MT-12]
func TestForwardedCertificate(t *testing.T) {
	s := newSenders(t)
	field := func(certs ...[]byte) []string {
		out := []string{}
		for _, der := range certs {
			out = append(out, ":"+base64.StdEncoding.EncodeToString(der)+":")
		}
		return out
	}
	own, other := s.own.Certificate[0], s.other.Certificate[0]
	guard := func(from []netip.Prefix) func(*bearward.Config) {
		return func(c *bearward.Config) {
			c.TrustedProxies, c.ClientCertHeader = from, mtls.Header{Name: "client-cert", Format: mtls.RFC9440}
		}
	}
	for _, c := range []struct {
		name   string
		guard  func(*bearward.Config)
		values []string
		extra  http.Header
		direct bool // the connection has the right certificate
		want   string
		code   validate.Code
		stays  bool // the handler sees the header
	}{
		{"right", guard(loopback), field(own), nil, false, ok, "", true},
		{"another", guard(loopback), field(other), nil, false, "T", validate.ErrCertificateMismatch, false},
		{"none", guard(loopback), nil, nil, false, "T", validate.ErrCertificateMissing, false},
		{"empty", guard(loopback), []string{""}, nil, false, "T", validate.ErrCertificateMissing, false},
		{"empty sequence", guard(loopback), []string{"::"}, nil, false, "T", validate.ErrCertificateMissing, false},
		{"placeholder", guard(loopback), []string{":{http.request.tls.client.certificate_der_base64}:"}, nil, false, "T", validate.ErrCertificateMissing, false},
		{"twice", guard(loopback), field(own, own), nil, false, "R", validate.ErrCertificateField, false},
		{"a list", guard(loopback), []string{strings.Join(field(own, own), ", ")}, nil, false, "R", validate.ErrCertificateField, false},
		{"garbage", guard(loopback), []string{"garbage"}, nil, false, "R", validate.ErrCertificateField, false},
		{"the proxy's own certificate is not the client's", guard(loopback), nil, nil, true, "T", validate.ErrCertificateMissing, false},
		{"from a stranger", guard(elsewhere), field(own), nil, false, "T", validate.ErrCertificateMissing, false},
		{"from a stranger who has the certificate", guard(elsewhere), field(other), nil, true, ok, "", false},
		{"from a stranger, twice", guard(elsewhere), field(other, other), nil, true, ok, "", false},
		{"not configured", nil, field(own), nil, false, "T", validate.ErrCertificateMissing, false},
		{"another header of the same proxy", guard(loopback), nil, http.Header{"X-Client-Cert": field(own)}, false, "T", validate.ErrCertificateMissing, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.each(t, func(t *testing.T, d delivery) {
				m := message{header: authorize("Bearer", s.token(s.byCert()))}
				if c.values != nil {
					m.header["Client-Cert"] = c.values
				}
				for name, values := range c.extra {
					m.header[name] = values
				}
				if c.direct {
					m.certificate = s.own
				}
				got := d.send(t, s.guarding(c.guard), read, m)
				s.expect(t, &got, c.want, c.code, "Bearer")
				if c.want != ok {
					return
				}
				if seen := len(got.saw.header["Client-Cert"]) > 0; seen != c.stays {
					t.Errorf("the handler sees the header: %t, want %t", seen, c.stays)
				}
				if vary := got.header.Get("Vary"); got.status != 0 && (vary == "Client-Cert") != c.stays { // [MT-10]
					t.Errorf("Vary %q", vary)
				}
			})
		})
	}
}

// TestForgedHeaderOnPublicRoutes: nobody after the guard sees what only a proxy
// may say, also where no token is read.
func TestForgedHeaderOnPublicRoutes(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		g := s.guarding(func(c *bearward.Config) {
			c.TrustedProxies, c.ClientCertHeader = elsewhere, mtls.Header{Name: "Client-Cert", Format: mtls.RFC9440}
		})
		for _, p := range []middleware.Policy{middleware.Public(), {Optional: true}} {
			got := d.send(t, g, p, message{header: http.Header{"Client-Cert": {"forged"}}})
			s.expect(t, &got, nothing, "", "")
			if len(got.saw.header["Client-Cert"]) > 0 {
				t.Error("the handler sees a forged header")
			}
		}
	})
}

// TestFAPI: one setting demands sender-constrained tokens everywhere.
// [HS-01 HS-02 HS-03]
func TestFAPI(t *testing.T) {
	s := newSenders(t)
	s.each(t, func(t *testing.T, d delivery) {
		list, err := validate.NewRevocationList(validate.RevocationListConfig{Clock: s.clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		g := s.guarding(func(c *bearward.Config) { c.FAPI, c.Revocation = true, list })
		bound := d.send(t, g, read, s.proven(d, s.token(s.byKey())))
		if bound.saw.runs != 1 {
			t.Errorf("%+v", bound)
		}
		s.events.take()
		unbound := d.send(t, g, read, message{header: authorize("Bearer", s.token(nil))})
		unbound.is(t, "T")
		if events := s.events.take(); len(events) != 1 || events[0].Code != validate.ErrBindingRequired {
			t.Errorf("%+v", events)
		}
		scope := d.send(t, g, middleware.Scopes("orders:write"), s.proven(d, s.token(s.byKey())))
		scope.is(t, "S")
	})
}
