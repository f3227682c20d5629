package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/server/config"
)

const grants = `rules:
  - {match: "GET /read", scopes: [read]}
  - {match: "GET /admin", roles: [admin]}
  - {match: "GET /stock", permissions: ["stock:write"]}
  - {match: "GET /staff", groups: [staff]}
  - {match: "GET /pay", details: [{type: payment, actions: [initiate]}]}
`

// asked is a running server, and an issuer that it asks about tokens.
type asked struct {
	*served
	server *issuer.Server
}

// startIssuer starts one that dates by the clock.
func startIssuer(t *testing.T, clock *bearwardtest.Clock, c issuer.Config) *issuer.Server {
	t.Helper()
	c.Now, c.Audience = clock.Now, resource
	if c.Clients == nil {
		c.Clients = []issuer.Client{{ID: "api", Secret: "s%cr:t"}}
	}
	s, err := issuer.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

const basic = `auth: client_secret_basic, client_id: api, client_secret: "s%cr:t"`

// inquire serves one issuer whose introspection is configured by keys, in
// front of an upstream that answers 200.
func inquire(t *testing.T, c issuer.Config, keys string, more ...string) *asked {
	t.Helper()
	clock := new(bearwardtest.Clock)
	i := startIssuer(t, clock, c)
	file := introspecting(t, []string{fmt.Sprintf(`{issuer: "%s", allow_http: true, introspection: {%s}}`, i.URL(), keys)}, strings.Join(more, ""))
	return &asked{served: startAt(t, clock, file), server: i}
}

// introspecting is a file with these issuers.
func introspecting(t *testing.T, issuers []string, more string) *config.File {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(behind.Close)
	text := "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nmode: proxy\nupstream: " + behind.URL + "\nresource: " + resource + "\nissuers:\n"
	for _, i := range issuers {
		text += "  - " + i + "\n"
	}
	if !strings.Contains(more, "rules:") {
		more += grants
	}
	file, err := config.Parse("serve.yaml", []byte(text+more))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// opaque is a token with scope read and further claims.
func (a *asked) opaque(claims ...map[string]any) string {
	a.t.Helper()
	all := a.server.Claims("")
	all["scope"] = "read"
	for _, c := range claims {
		maps.Copy(all, c)
	}
	token, err := a.server.Opaque(all)
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

func (a *asked) jwt(claims ...map[string]any) string {
	a.t.Helper()
	all := a.server.Claims("")
	all["scope"] = "read"
	for _, c := range claims {
		maps.Copy(all, c)
	}
	token, err := a.server.Mint("", all)
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

// get sends a token and wants a status.
func (s *served) get(path, token string, want int) answer {
	s.t.Helper()
	got := s.ask("GET", path, "Authorization: Bearer "+token)
	if got.StatusCode != want {
		s.t.Errorf("%s: got %d, want %d: %v", path, got.StatusCode, want, got.Header)
	}
	if challenge := got.Header.Get("WWW-Authenticate"); (want == 503 || want == 200) && challenge != "" {
		s.t.Errorf("%s: %d with a challenge: %s", path, want, challenge)
	}
	if want == 503 && got.Header.Get("Retry-After") == "" {
		s.t.Errorf("%s: 503 without Retry-After", path)
	}
	return got
}

// calls is how often the issuer was asked about a token.
func (a *asked) calls() int { return a.server.Requests("/introspect") }

func TestOpaqueTokens(t *testing.T) { // [IN-01]
	a := inquire(t, issuer.Config{}, basic)
	token := a.opaque()
	a.get("/read", token, 200)
	a.get("/read", token, 200)
	if a.calls() != 1 {
		t.Errorf("asked %d times about a token", a.calls())
	}
	a.get("/read", a.jwt(), 200)
	a.get("/read", "nobody-made-this", 401)
	a.get("/read", a.opaque(map[string]any{"aud": "https://other.example.test"}), 401)
	a.get("/read", a.opaque(map[string]any{"aud": nil}), 401)
	a.get("/read", a.opaque(map[string]any{"active": "true"}), 503)
	if got := a.get("/read", a.opaque(map[string]any{"scope": "write"}), 403); !strings.Contains(got.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("got %v", got.Header)
	}
	if err := a.server.Revoke(token); err != nil {
		t.Fatal(err)
	}
	a.get("/read", token, 200)
	a.clock.Advance(31 * time.Second)
	a.get("/read", token, 401)
}

// The upstream learns who calls, from the issuer's answer, and not the token.
func TestIdentityOfOpaqueTokens(t *testing.T) {
	a := inquire(t, issuer.Config{}, basic, "forward_headers: {X-Auth-Subject: sub, X-Auth-Scope: scope, X-Auth-Tenant: tenant}\n", grants)
	token := a.opaque(map[string]any{"sub": "alice", "tenant": "acme"})
	for range 2 { // asked, and remembered
		got := a.get("/read", token, 200)
		for _, want := range []string{"X-Auth-Subject: alice\n", "X-Auth-Scope: read\n", "X-Auth-Tenant: acme\n"} {
			if !strings.Contains(got.body, want) {
				t.Errorf("no %q in %s", want, got.body)
			}
		}
		if strings.Contains(got.body, token) {
			t.Error("the token is forwarded")
		}
	}
	a.get("/read", a.opaque(map[string]any{"tenant": "a\r\nX-Auth-Scope: admin"}), 403)
}

func TestGrants(t *testing.T) { // [AZ-08]
	a := inquire(t, issuer.Config{}, basic)
	claims := map[string]any{
		"roles": []string{"admin"}, "permissions": []string{"stock:write"}, "groups": []string{"staff"},
		"authorization_details": []any{map[string]any{"type": "payment", "actions": []string{"initiate"}}},
	}
	for name, minted := range map[string]func(...map[string]any) string{"opaque": a.opaque, "JWT": a.jwt} {
		with, without := minted(claims), minted(map[string]any{
			"roles": []string{"user"}, "permissions": []string{"stock"},
			"authorization_details": []any{map[string]any{"type": "payment", "actions": []string{"list"}}},
		})
		for _, path := range []string{"/admin", "/stock", "/staff", "/pay"} {
			a.get(path, with, 200)
			got := a.get(path, without, 403)
			if c := got.Header.Get("WWW-Authenticate"); path != "/pay" && c != "" {
				t.Errorf("%s: %s: a challenge: %s", name, path, c)
			}
		}
	}
}

// While the issuer is down nothing passes that is not known, and nothing is
// called wrong. It recovers by itself.
func TestIntrospectionOutage(t *testing.T) { // [IN-16]
	a := inquire(t, issuer.Config{}, basic)
	a.loaded()
	known := a.opaque()
	a.get("/read", known, 200)
	for _, fault := range []issuer.Fault{issuer.Down, issuer.Status500, issuer.Status401, issuer.Garbage, issuer.Redirect, issuer.Status429} {
		if err := a.server.BreakIntrospection(fault); err != nil {
			t.Fatal(err)
		}
		fresh := a.opaque()
		for range 7 { // past the breaker
			a.get("/read", fresh, 503)
		}
		a.get("/read", known, 200)
		a.get("/read", a.jwt(), 200)
		a.server.HealIntrospection()
		a.clock.Advance(29 * time.Second)
		a.get("/read", fresh, 200)
		a.clock.Advance(2 * time.Second)
		a.get("/read", known, 200)
	}
	if status, body := a.state("/readyz"); status != 200 {
		t.Errorf("an outage took readiness back: %d %s", status, body)
	}
}

func TestAlwaysAndEvery(t *testing.T) { // [RV-02]
	for keys, delay := range map[string]time.Duration{"always: true": 30 * time.Second, "every: 10s": 10 * time.Second} {
		t.Run(keys, func(t *testing.T) {
			a := inquire(t, issuer.Config{}, basic+", "+keys)
			token := a.jwt()
			a.get("/read", token, 200)
			a.get("/read", token, 200)
			if a.calls() != 1 {
				t.Errorf("asked %d times", a.calls())
			}
			if err := a.server.Revoke(token); err != nil {
				t.Fatal(err)
			}
			a.clock.Advance(delay - time.Second)
			a.get("/read", token, 200)
			a.clock.Advance(2 * time.Second)
			a.get("/read", token, 401)
			if err := a.server.BreakIntrospection(issuer.Down); err != nil {
				t.Fatal(err)
			}
			a.get("/read", a.jwt(), 503)
			before := a.calls()
			a.get("/read", strings.TrimSuffix(token, token[len(token)-10:])+"AAAAAAAAAA", 401)
			if a.calls() != before {
				t.Error("a bad signature was asked about")
			}
		})
	}
}

// What an issuer does not have is not asked about.
func TestKindsOfTokens(t *testing.T) {
	a := inquire(t, issuer.Config{}, basic+", opaque: false, always: true")
	a.get("/read", a.jwt(), 200)
	before := a.calls()
	a.get("/read", a.opaque(), 401)
	if a.calls() != before {
		t.Error("opaque: false was asked about an opaque token")
	}
	a = inquire(t, issuer.Config{}, basic+", jwt: false")
	a.get("/read", a.opaque(), 200)
	before = a.calls()
	a.get("/read", a.jwt(), 401)
	if a.calls() != before || a.server.Requests("/jwks") != 0 {
		t.Error("jwt: false was asked about a JWT, or fetches keys")
	}
}

func TestTrustServer(t *testing.T) {
	a := inquire(t, issuer.Config{}, basic+", audience: trust_server")
	a.get("/read", a.opaque(map[string]any{"aud": nil}), 200)
	a.get("/read", a.opaque(map[string]any{"aud": "https://other.example.test"}), 401)
	a.get("/read", a.jwt(map[string]any{"aud": nil}), 401) // is about opaque tokens only
}

func TestCacheOff(t *testing.T) { // [IN-13]
	a := inquire(t, issuer.Config{}, basic+", cache: {positive: 0s, negative: 0s}")
	token := a.opaque()
	a.get("/read", token, 200)
	a.get("/read", token, 200)
	a.get("/read", "nobody-made-this", 401)
	a.get("/read", "nobody-made-this", 401)
	if a.calls() != 4 {
		t.Errorf("asked %d times", a.calls())
	}
}

// An answer that must not be kept is used once, unless the file says otherwise.
func TestNoStore(t *testing.T) { // [IN-13]
	for keys, want := range map[string]int{"": 2, ", cache: {ignore_no_store: true}": 1} {
		a := inquire(t, issuer.Config{}, basic+keys)
		if err := a.server.BreakIntrospection(issuer.NoStore); err != nil {
			t.Fatal(err)
		}
		token := a.opaque()
		a.get("/read", token, 200)
		a.get("/read", token, 200)
		if a.calls() != want {
			t.Errorf("%s: asked %d times", keys, a.calls())
		}
	}
}

func TestSignedAnswers(t *testing.T) { // [IN-19]
	for _, c := range []struct {
		mode, answer string
		want         int
	}{
		{"off", "", 200},
		{"accept", "", 200},
		{"accept", "plain", 200},
		{"accept", "bad-signature", 503},
		{"require", "", 200},
		{"require", "plain", 503},
		{"require", "wrong-aud", 503},
	} {
		t.Run(c.mode+" "+c.answer, func(t *testing.T) {
			a := inquire(t, issuer.Config{}, basic+", signed_response: "+c.mode)
			if err := a.server.Answer(c.answer); err != nil {
				t.Fatal(err)
			}
			a.get("/read", a.opaque(), c.want)
		})
	}
}

// Two issuers with opaque tokens are told apart by how these begin. What
// begins like neither is sent to nobody.
func TestOpaquePrefix(t *testing.T) {
	clock := new(bearwardtest.Clock)
	first := startIssuer(t, clock, issuer.Config{OpaquePrefix: "first_"})
	second := startIssuer(t, clock, issuer.Config{OpaquePrefix: "second_"})
	entry := func(name string, s *issuer.Server, more string) string {
		return fmt.Sprintf(`{name: %s, issuer: "%s", allow_http: true, introspection: {%s}%s}`, name, s.URL(), basic, more)
	}
	file := introspecting(t, []string{entry("first", first, ", opaque_prefix: first_"), entry("second", second, ", opaque_prefix: second_")}, "")
	s := startAt(t, clock, file)
	a, b := &asked{served: s, server: first}, &asked{served: s, server: second}
	s.get("/read", a.opaque(), 200)
	s.get("/read", b.opaque(), 200)
	s.get("/read", "third_x", 401)
	s.get("/read", "first_"+b.opaque(), 401) // asked of the first, which does not know it
	if a.calls() != 2 || b.calls() != 1 {
		t.Errorf("asked %d and %d times", a.calls(), b.calls())
	}

	file = introspecting(t, []string{entry("first", first, ""), entry("second", second, "")}, `rules:
  - {match: "GET /first", issuers: [first]}
  - {match: "GET /both"}
`)
	_, err := New(t.Context(), file, quiet)
	if err == nil || !strings.Contains(err.Error(), "serve.yaml:11:5: ") || strings.Contains(err.Error(), ":10:") || !strings.Contains(err.Error(), "opaque_prefix") {
		t.Errorf("got %v", err)
	}
}

// Every method, as the issuer saw it.
func TestClientAuthentication(t *testing.T) { // [IN-02]
	dir := t.TempDir()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	secret := issuer.Client{ID: "api:1", Secret: "s%cr:t +ü"}
	for _, c := range []struct {
		name   string
		client issuer.Client
		keys   string
		want   string
	}{
		{"basic", secret, `auth: client_secret_basic, client_id: "api:1", client_secret: "s%cr:t +ü"`, "client_secret_basic"},
		{"basic, file", secret, `auth: client_secret_basic, client_id: "api:1", client_secret_file: ` + place(t, dir, "secret", "s%cr:t +ü\r\n"), "client_secret_basic"},
		{"raw", issuer.Client{ID: "api", Secret: "s%cr:t", Raw: true}, strings.Replace(basic, "basic", "basic_raw", 1), "client_secret_basic"},
		{"post", secret, `auth: client_secret_post, client_id: "api:1", client_secret: "s%cr:t +ü"`, "client_secret_post"},
		{"PKCS 8", issuer.Client{ID: "api", Key: ec.Public()}, "auth: private_key_jwt, client_id: api, key_id: k1, key_file: " + keyFile(t, dir, "pkcs8", "PRIVATE KEY", pkcs8), "private_key_jwt"},
		{"SEC 1", issuer.Client{ID: "api", Key: ec.Public()}, "auth: private_key_jwt, client_id: api, key_file: " + keyFile(t, dir, "sec1", "EC PRIVATE KEY", sec1), "private_key_jwt"},
		{"PKCS 1", issuer.Client{ID: "api", Key: rsaKey.Public()}, "auth: private_key_jwt, client_id: api, algorithm: PS256, key_file: " + keyFile(t, dir, "pkcs1", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "private_key_jwt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := inquire(t, issuer.Config{Clients: []issuer.Client{c.client}}, c.keys)
			a.get("/read", a.opaque(), 200)
			if call := a.server.LastCall(); call.ClientID != c.client.ID || call.Method != c.want || call.Hint != "access_token" {
				t.Errorf("got %+v", call)
			}
		})
	}
}

// place writes a file.
func place(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyFile writes a private key behind another PEM block, as some tools do.
func keyFile(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	text := append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{5, 0}}), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	return place(t, dir, name, string(text))
}

// The token for the endpoint is read again when its file is replaced.
func TestBearerFile(t *testing.T) { // [IN-02]
	dir := t.TempDir()
	path := place(t, dir, "token", "old\n")
	a := inquire(t, issuer.Config{Clients: []issuer.Client{{ID: "api", Bearer: "new"}}}, "auth: bearer, token_file: "+path)
	a.get("/read", a.opaque(), 503)
	place(t, dir, "token", "new\n")
	a.get("/read", a.opaque(), 200)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	a.get("/read", a.opaque(), 503)
	place(t, dir, "token", " \n")
	a.get("/read", a.opaque(), 503)
}

func TestAuthNone(t *testing.T) { // [IN-02]
	clock := new(bearwardtest.Clock)
	i := startIssuer(t, clock, issuer.Config{Clients: []issuer.Client{{ID: "other", Secret: "x"}}})
	s := startAt(t, clock, introspecting(t, []string{fmt.Sprintf(`{issuer: "%s", allow_http: true, introspection: {auth: none}}`, i.URL())}, ""))
	a := &asked{served: s, server: i}
	a.get("/read", a.opaque(), 503) // this one wants credentials
	if a.calls() != 1 {
		t.Errorf("asked %d times", a.calls())
	}
}

func TestTLSClient(t *testing.T) { // [IN-02]
	dir := t.TempDir()
	certFile, key, certificate := clientCertificate(t, dir)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	for method, c := range map[string]issuer.Config{
		"tls_client_auth":             {Clients: []issuer.Client{{ID: "api", DNSName: "api.example.test"}}, ClientCAs: pool},
		"self_signed_tls_client_auth": {Clients: []issuer.Client{{ID: "api", Certificate: certificate}}},
	} {
		t.Run(method, func(t *testing.T) {
			clock := new(bearwardtest.Clock)
			c.TLS = true
			i := startIssuer(t, clock, c)
			ca := authority(t, dir, i)
			entry := func(more string) string {
				return fmt.Sprintf(`{issuer: "%s", allow_private: true%s, introspection: {auth: %s, client_id: api, cert_file: %s, key_file: %s}}`, i.URL(), more, method, certFile, key)
			}
			a := &asked{served: startAt(t, clock, introspecting(t, []string{entry(", ca_file: " + ca)}, "")), server: i}
			a.get("/read", a.opaque(), 200)
			if call := i.LastCall(); call.Method != method {
				t.Errorf("got %+v", call)
			}
			b := startAt(t, clock, introspecting(t, []string{entry("")}, ""))
			b.get("/read", a.opaque(), 503) // its certificate is not trusted without ca_file
		})
	}
}

// clientCertificate makes a self-signed one.
func clientCertificate(t *testing.T, dir string) (certFile, key string, certificate *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "api"}, DNSNames: []string{"api.example.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certFile = place(t, dir, "client.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return certFile, keyFile(t, dir, "client.key", "PRIVATE KEY", pkcs8), certificate
}

// authority writes what a test server's certificate is verified with.
func authority(t *testing.T, dir string, i *issuer.Server) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(i.URL(), "https://"), &tls.Config{RootCAs: i.RootCAs()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	der := conn.ConnectionState().PeerCertificates[0].Raw
	return place(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// Presets whose issuers are asked in another way.
func TestPresetsThatAsk(t *testing.T) {
	clock := new(bearwardtest.Clock)
	phantom := startIssuer(t, clock, issuer.Config{Phantom: true})
	entry := fmt.Sprintf(`{issuer: "%s", preset: curity, allow_http: true, introspection: {%s}}`, phantom.URL(), basic)
	a := &asked{served: startAt(t, clock, introspecting(t, []string{entry}, "")), server: phantom}
	a.get("/read", a.opaque(map[string]any{"purpose": "access_token"}), 200)
	a.get("/read", a.opaque(map[string]any{"purpose": "id"}), 401)
	a.get("/read", a.opaque(map[string]any{"purpose": "access_token", "aud": "https://other.example.test"}), 401)
	a.get("/read", "nobody-made-this", 401)

	info := startIssuer(t, clock, issuer.Config{TokenInfo: true})
	entry = fmt.Sprintf(`{issuer: "%s", preset: google-access, client_ids: [client-1], allow_http: true, introspection: {auth: none, jwt: false, endpoint: "%s/tokeninfo"}}`, info.URL(), info.URL())
	b := &asked{served: startAt(t, clock, introspecting(t, []string{entry}, "")), server: info}
	b.get("/read", b.opaque(), 200)
	b.get("/read", b.opaque(map[string]any{"client_id": "other"}), 401)
	b.get("/read", "nobody-made-this", 401)
	b.get("/read", b.opaque(map[string]any{"scope": "write"}), 403)
}
