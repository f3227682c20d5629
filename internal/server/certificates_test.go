package server

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

const mutual = `rules:
  - {match: "/read", scopes: [read]}
  - {match: "/mtls", binding: mtls}
  - {match: "/open", public: true}
`

// thumbprint is the value of cnf.x5t#S256 (RFC 8705 §3.1).
func thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return jose.Encode(sum[:])
}

// pair is a client's self-signed certificate, for connections and to look at.
func pair(t *testing.T) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	certFile, key, parsed := clientCertificate(t, t.TempDir())
	loaded, err := tls.LoadX509KeyPair(certFile, key)
	if err != nil {
		t.Fatal(err)
	}
	return loaded, parsed
}

// Tokens are held against the certificate of the connection, whoever issued it.
func TestCertificates(t *testing.T) { // [MT-01 MT-03 MT-05]
	mine, own := pair(t)
	other, _ := pair(t)
	certFile, keyFile, pool := keyPair(t)
	for _, asks := range []string{"", ", client_certs: request", ", client_certs: require", ", client_certs: none"} {
		paths := mutual
		if strings.Contains(asks, "none") {
			paths = strings.Replace(paths, ", binding: mtls", "", 1)
		}
		s := serve(t, echo, "tls: {cert_file: "+certFile+", key_file: "+keyFile+asks+"}\n"+paths)
		bound, plain := s.bound("x5t#S256", thumbprint(own)), s.token("read")
		for _, c := range []struct {
			name, path, token string
			certificates      []tls.Certificate
			want              int
		}{
			{"its certificate", "/read", bound, []tls.Certificate{mine}, 200},
			{"its certificate where one is demanded", "/mtls", bound, []tls.Certificate{mine}, 200},
			{"another certificate", "/read", bound, []tls.Certificate{other}, 401}, // [MT-04]
			{"no certificate", "/read", bound, nil, 401},
			{"plain token with a certificate", "/read", plain, []tls.Certificate{mine}, 200},
			{"plain token where a bound one is demanded", "/mtls", plain, []tls.Certificate{mine}, 401},
			{"plain token", "/read", plain, nil, 200},
		} {
			switch {
			case strings.Contains(asks, "require") && c.certificates == nil:
				c.want = 0
			case strings.Contains(asks, "none") && c.token == bound:
				c.want = 401
			case strings.Contains(asks, "none"):
				c.want = 200
			}
			for _, h2 := range []bool{false, true} {
				config := &tls.Config{RootCAs: pool, ServerName: "example.com", Certificates: c.certificates}
				if got := s.overTLS(config, h2, c.path, c.token); got != c.want {
					t.Errorf("%s (%s, HTTP/2 %v): got %d, want %d", c.name, asks, h2, got, c.want)
				}
			}
		}
	}
}

// overTLS returns the status of the answer, or 0 if there is no connection.
func (s *served) overTLS(config *tls.Config, h2 bool, path, token string) int {
	s.t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: h2}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", "https://"+s.api+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// A resumed session has the certificate that it began with, also where the
// client would present another one by now.
func TestResumedSession(t *testing.T) { // [MT-11]
	mine, own := pair(t)
	other, _ := pair(t)
	certFile, keyFile, pool := keyPair(t)
	s := serve(t, echo, "tls: {cert_file: "+certFile+", key_file: "+keyFile+"}\n"+mutual)
	present, resumed := mine, false
	config := &tls.Config{
		RootCAs: pool, ServerName: "example.com", ClientSessionCache: tls.NewLRUClientSessionCache(1),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &present, nil },
		VerifyConnection: func(state tls.ConnectionState) error {
			resumed = state.DidResume
			return nil
		},
	}
	bound := s.bound("x5t#S256", thumbprint(own))
	if got := s.overTLS(config, false, "/mtls", bound); got != 200 {
		t.Fatalf("got %d", got)
	}
	present = other
	if got := s.overTLS(config, false, "/mtls", bound); got != 200 || !resumed {
		t.Errorf("got %d, resumed %v", got, resumed)
	}
	config.ClientSessionCache = nil
	if got := s.overTLS(config, false, "/mtls", bound); got != 401 || resumed {
		t.Errorf("a new session with another certificate: got %d, resumed %v", got, resumed)
	}
}

// written is a certificate in each format.
func written(c *x509.Certificate) map[string]string {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	sum := sha256.Sum256(c.Raw)
	return map[string]string{
		"rfc9440":        ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":",
		"pem-urlencoded": url.PathEscape(text),
		"pem-oneline":    strings.TrimSpace(strings.ReplaceAll(text, "\n", " ")),
		"xfcc":           `Hash=` + hex.EncodeToString(sum[:]) + `;Cert="` + strings.ReplaceAll(url.QueryEscape(text), "+", "%20") + `"`,
		"base64-der":     base64.StdEncoding.EncodeToString(c.Raw),
	}
}

// Only a trusted proxy forwards certificates, in the configured header, and the
// upstream sees none of it.
func TestForwardedCertificates(t *testing.T) { // [MT-07 MT-09 MT-12]
	_, own := pair(t)
	_, other := pair(t)
	theirs := written(other)
	for format, value := range written(own) {
		names := []string{"X-Client", "Client-Cert"}
		if format == "xfcc" {
			names = []string{"X-Forwarded-Client-Cert"}
		}
		for _, name := range names {
			section := "client_cert_header: {name: " + name + ", format: " + format + "}\n" + mutual
			s := serve(t, echo, "trusted_proxies: [127.0.0.1]\n"+section)
			as := "Authorization: Bearer " + s.bound("x5t#S256", thumbprint(own))
			for _, c := range []struct {
				name   string
				fields []string
				want   int
			}{
				{"its certificate", []string{name + ": " + value}, 200},
				{"another one", []string{name + ": " + theirs[format]}, 401},
				{"none", nil, 401},
				{"an empty one", []string{name + ": "}, 401},
				{"a header that is not configured", []string{"Ssl-Client-Cert: " + value}, 401},
				{"another spelling", []string{strings.ReplaceAll(name, "-", "_") + ": " + value}, 401},
				{"two", []string{name + ": " + value, name + ": " + value}, 400}, // [MT-08]
				{"junk", []string{name + ": junk"}, 400},                         // [MT-08]
			} {
				a := s.ask("GET", "/mtls", append(c.fields, as)...)
				if a.StatusCode != c.want || c.want == 200 && seesCertificate(a, value) {
					t.Errorf("%s %s: %s: got %d, want %d: %s", format, name, c.name, a.StatusCode, c.want, a.body)
				}
			}
			s = serve(t, echo, "trusted_proxies: [192.0.2.1, '2001:db8::/32']\n"+section)
			refused(t, "a stranger: "+format, s.ask("GET", "/read", name+": "+value, "Authorization: Bearer "+s.bound("x5t#S256", thumbprint(own))), 401, "Bearer", "invalid_token")
			for _, path := range []string{"/read", "/open"} {
				if a := s.ask("GET", path, name+": "+value, strings.ReplaceAll(name, "-", "_")+": "+value, s.as("read")); a.StatusCode != 200 || seesCertificate(a, value) {
					t.Errorf("%s: the upstream sees a stranger's %s: %d %s", path, name, a.StatusCode, a.body)
				}
			}
		}
	}
}

// seesCertificate reports that the upstream got any header with the value, or
// one by which certificates go.
func seesCertificate(a answer, value string) bool {
	return strings.Contains(a.body, value) || strings.Contains(strings.ToLower(a.body), "client")
}

// With forward_credentials the upstream judges tokens itself: it gets what the
// trusted proxy said, and nothing that anybody else could have.
func TestForwardCertificates(t *testing.T) { // [MT-09]
	_, own := pair(t)
	value := written(own)["rfc9440"]
	const section = "forward_credentials: true\nclient_cert_header: {name: client-cert, format: rfc9440}\n"
	spoken := []string{"Client-Cert: " + value, "client_cert: " + value, "Client-Cert-Chain: " + value, "X-SSL-Client-Cert: " + value, "X-Forwarded-Client-Cert: " + value}
	s := serve(t, echo, "trusted_proxies: [127.0.0.1]\n"+section+mutual)
	fields := append(slices.Clone(spoken), "Authorization: Bearer "+s.bound("x5t#S256", thumbprint(own)))
	if a := s.ask("GET", "/mtls", fields...); a.StatusCode != 200 || strings.Count(a.body, value) != 1 || !slices.Contains(lines(a), "Client-Cert: "+value) {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	if a := s.ask("OPTIONS", "/mtls", append(fields, "Origin: https://app", "Access-Control-Request-Method: GET")...); a.StatusCode != 200 || strings.Contains(a.body, value) {
		t.Errorf("preflight: got %d %s", a.StatusCode, a.body)
	}
	s = serve(t, echo, "trusted_proxies: [192.0.2.1]\n"+section+mutual)
	if a := s.ask("GET", "/read", append(spoken, s.as("read"))...); a.StatusCode != 200 || strings.Contains(a.body, value) {
		t.Errorf("a stranger: got %d %s", a.StatusCode, a.body)
	}
}

// Answers that depend on a forwarded certificate say so beside what they vary
// by already.
func TestVary(t *testing.T) { // [MT-10]
	_, own := pair(t)
	value := written(own)["rfc9440"]
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Vary"] = []string{"Accept-Encoding", "Origin"}
		if r.URL.Query().Has("early") {
			w.WriteHeader(http.StatusEarlyHints)
		}
	}, "trusted_proxies: [127.0.0.1]\nclient_cert_header: {name: Client-Cert, format: rfc9440}\n"+mutual)
	bound := "Authorization: Bearer " + s.bound("x5t#S256", thumbprint(own))
	for _, target := range []string{"/mtls", "/mtls?early"} {
		from := s.connect("GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nClient-Cert: " + value + "\r\n" + bound + "\r\n\r\n")
		a := read(t, from, "GET")
		if a.StatusCode == http.StatusEarlyHints {
			a = read(t, from, "GET")
		}
		if got := a.Header.Values("Vary"); a.StatusCode != 200 || !slices.Equal(got, []string{"Accept-Encoding", "Origin", "Client-Cert"}) {
			t.Errorf("%s: got %d %q", target, a.StatusCode, got)
		}
	}
	if a := s.ask("GET", "/open", "Client-Cert: "+value); !slices.Equal(a.Header.Values("Vary"), []string{"Accept-Encoding", "Origin"}) {
		t.Errorf("public: got %q", a.Header.Values("Vary"))
	}
}

// Forged headers are logged, now and then.
func TestForgedCertificatesAreLogged(t *testing.T) { // [MT-09]
	var told notes
	s := serve(t, echo, "trusted_proxies: [192.0.2.1]\nclient_cert_header: {name: Client-Cert, format: rfc9440}\n"+mutual, told.log)
	count := func(text string) int { return strings.Count(told.String(), text) }
	for range 100 {
		s.ask("GET", "/open", "Client-Cert: :AAAA:")
	}
	if n := count("not a trusted proxy"); n != 1 {
		t.Errorf("got %d lines for 100 requests", n)
	}
	s.clock.Advance(61 * time.Second)
	for range 100 {
		s.ask("GET", "/open", "Client-Cert: :AAAA:")
	}
	if n := count("not a trusted proxy"); n != 2 || count("since_start=101") != 1 || count("AAAA") != 0 {
		t.Errorf("got %d lines a minute later: %s", n, told.String())
	}
}
