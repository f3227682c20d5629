package interop

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bearward/bearward/validate"
	"github.com/bearward/bearward/validate/mtls"
)

// paths have rules that accept tokens bound to a certificate: one demands it.
var paths = []string{"/accounts/1", "/orders/1"}

// A token that is bound to a certificate passes a proxy with that certificate
// and no other.
func TestProxyCertificate(t *testing.T) { // [MT-01 MT-05]
	eachProxy(t, func(t *testing.T, p proxy) {
		b := startBehind(t, p)
		right, authority := newIdentity(t, "right"), newIdentity(t, "authority", "authority.example.net")
		for name, c := range map[string]struct{ right, other identity }{
			"self-signed": {right, newIdentity(t, "right")},
			"issued":      {authority.issued(t, "right"), authority.issued(t, "right")},
		} {
			t.Run(name, func(t *testing.T) {
				bearer := "Authorization: Bearer " + b.token(t, toCertificate(c.right))
				for _, path := range paths {
					a := b.ask(t, &c.right, path, bearer)
					b.accepted(t, a)
					if vary := a.Header.Get("Vary"); !strings.EqualFold(vary, p.header.Name) { // [MT-10]
						t.Errorf("Vary: %s", vary)
					}
					b.refused(t, b.ask(t, &c.other, path, bearer), validate.ErrCertificateMismatch)
					b.refused(t, b.ask(t, nil, path, bearer), validate.ErrCertificateMissing)
				}
			})
		}
		unbound := "Authorization: Bearer " + b.token(t, nil)
		b.accepted(t, b.ask(t, &right, "/orders/1", unbound))
		b.accepted(t, b.ask(t, nil, "/orders/1", unbound))
		b.refused(t, b.ask(t, &right, "/accounts/1", unbound), validate.ErrBindingRequired)
	})
}

// Who resumes a TLS session is still the one who began it.
func TestProxyResumption(t *testing.T) { // [MT-11]
	eachProxy(t, func(t *testing.T, p proxy) {
		b := startBehind(t, p)
		own := newIdentity(t, "client")
		config := clientTLS(b.server, &own)
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		client := b.client(t, config)
		client.Transport.(*http.Transport).DisableKeepAlives = true
		for _, resumed := range []bool{false, true} {
			r := request(t, "/accounts/1")
			r.Header.Set("Authorization", "Bearer "+b.token(t, toCertificate(own)))
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			b.accepted(t, read(t, resp))
			if resp.TLS.DidResume != resumed {
				t.Errorf("resumed: %v, want %v", resp.TLS.DidResume, resumed)
			}
		}
	})
}

// client sends whatever it sends to the proxy.
func (b *behind) client(t testing.TB, config *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, b.at)
		},
		TLSClientConfig: config,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func request(t testing.TB, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "https://"+publicHost+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// forwarded is the header in which a proxy would forward the certificate.
func (i identity) forwarded(format mtls.Format) string {
	b64 := base64.StdEncoding.EncodeToString(i.Leaf.Raw)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Leaf.Raw}))
	switch format {
	case mtls.RFC9440:
		return ":" + b64 + ":"
	case mtls.PEMURLEncoded:
		return url.PathEscape(text)
	case mtls.PEMOneLine:
		return strings.ReplaceAll(text, "\n", " ")
	default:
		return b64
	}
}

// A thief of token and certificate, but not of its key, writes the header
// himself.
func TestProxySpoofed(t *testing.T) { // [MT-07 MT-09]
	eachProxy(t, func(t *testing.T, p proxy) {
		b := startBehind(t, p)
		victim, thief := newIdentity(t, "victim"), newIdentity(t, "thief")
		bearer := "Authorization: Bearer " + b.token(t, toCertificate(victim))
		value := ": " + victim.forwarded(p.header.Format)
		name := p.header.Name
		for spelling, fields := range map[string][]string{
			"as configured":  {name + value},
			"lower case":     {strings.ToLower(name) + value},
			"upper case":     {strings.ToUpper(name) + value},
			"underscores":    {strings.ReplaceAll(name, "-", "_") + value},
			"one underscore": {strings.Replace(name, "-", "_", 1) + value},
			"twice":          {name + value, name + value},
			"in two ways":    {strings.ToUpper(name) + value, strings.ReplaceAll(name, "-", "_") + value},
			"empty first":    {name + ":", name + value},
			"empty last":     {name + value, name + ":"},
			"chain":          {name + value, "Client-Cert-Chain" + value},
			"other headers": {
				"Client-Cert: " + victim.forwarded(mtls.RFC9440),
				"X-Client-Cert: " + victim.forwarded(mtls.PEMURLEncoded),
				"X-SSL-Client-Cert: " + victim.forwarded(mtls.PEMURLEncoded),
				"X-Forwarded-Tls-Client-Cert: " + victim.forwarded(mtls.Base64DER),
				`X-Forwarded-Client-Cert: Cert="` + victim.forwarded(mtls.PEMURLEncoded) + `"`,
			},
		} {
			t.Run(spelling, func(t *testing.T) {
				fields := append([]string{bearer}, fields...)
				for _, path := range paths {
					b.refused(t, b.ask(t, nil, path, fields...), validate.ErrCertificateMissing)
					b.refused(t, b.ask(t, &thief, path, fields...), validate.ErrCertificateMismatch)
				}
			})
		}
		t.Run("for one hop", func(t *testing.T) { // a proxy may take off its own header as well
			for _, own := range []*identity{nil, &thief} {
				a := b.ask(t, own, paths[0], bearer, name+value, "Connection: close, "+name)
				b.refused(t, a, validate.ErrCertificateMissing, validate.ErrCertificateMismatch)
			}
		})
		t.Run("past the proxy", func(t *testing.T) {
			for _, path := range paths {
				b.refused(t, b.pass(t, "127.0.0.2", path, bearer, name+value), validate.ErrCertificateMissing)
				b.accepted(t, b.pass(t, "127.0.0.1", path, bearer, name+value)) // where the proxy is
			}
		})
	})
}
