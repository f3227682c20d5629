package server

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/middleware"
)

// echo answers with what it received.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	fmt.Fprintf(w, "%s %s\nHost: %s\n", r.Method, r.RequestURI, r.Host)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			fmt.Fprintf(w, "%s: %s\n", name, v)
		}
	}
	for name := range r.Trailer {
		fmt.Fprintf(w, "Trailer %s: %s\n", name, r.Trailer.Get(name))
	}
}

// lines of an echo.
func lines(a answer) []string { return strings.Split(strings.TrimSuffix(a.body, "\n"), "\n") }

func TestForwardsBytes(t *testing.T) {
	s := serve(t, echo, "rules:\n  - {match: /, public: true}\n")
	for _, target := range []string{
		"/", "/a", "/a/", "/a?", "/a??", "/a?x=1&y;z=%zz&%2f", "/a%2Fb", "/a%2fb%20c", "/%61", "/a//b", "//a", "//a/%2F?x",
		"/a/./b", "/a/../b", "/a/%2e%2e/b", "/é", "/%C3%A9", "/a|b", "/a;x=y", "/a:b@c", "/a/http://x/", "/a?http://x/",
		`/a"b`, "/a<>^`{}", "/a?\"<>é", "/" + strings.Repeat("a/", 10000),
	} {
		if a := s.ask("GET", target); a.StatusCode != 200 || lines(a)[0] != "GET "+target {
			t.Errorf("%.60q: got %d %.80q", target, a.StatusCode, lines(a)[0])
		}
	}
	for target, want := range map[string]string{ // absolute form: RFC 9112 §3.2.2
		"http://other.example/a%2F?x":  "GET /a%2F?x",
		"HTTP://other.example/a":       "GET /a",
		"http://other.example//x/../y": "GET //x/../y",
	} {
		if a := s.ask("GET", target); a.StatusCode != 200 || lines(a)[0] != want {
			t.Errorf("%s: got %d %s", target, a.StatusCode, a.body)
		}
	}
	for _, target := range []string{"//é", "//a|b"} { // cannot be written as received
		if a := s.ask("GET", target); a.StatusCode != 400 {
			t.Errorf("%s: got %d", target, a.StatusCode)
		}
	}
}

func TestTarget(t *testing.T) {
	upstream := &url.URL{Scheme: "http", Host: "h"}
	for _, query := range []string{"a b", "a\tb", "a\x7f", "a#b", "\x00"} { // HTTP/2 can carry them
		if u, ok := target(upstream, &http.Request{}, &middleware.Request{Method: "GET", RawPath: "/a", RawQuery: query}); ok {
			t.Errorf("%q: got %s", query, u)
		}
	}
	if u, ok := target(upstream, &http.Request{}, &middleware.Request{Method: "GET", RawPath: "//%zz"}); ok {
		t.Errorf("got %s", u)
	}
	for _, method := range []string{"", "GE T", "GET /evil HTTP/1.1", "G\x7f", "G\xe9", "(", "GET\t"} {
		if u, ok := target(upstream, &http.Request{}, &middleware.Request{Method: method, RawPath: "/a"}); ok {
			t.Errorf("%q: got %s", method, u)
		}
	}
	if _, ok := target(upstream, &http.Request{}, &middleware.Request{Method: "M-SEARCH", RawPath: "/a"}); !ok {
		t.Error("a method was refused")
	}
}

// Nothing that could pass for our word, for a credential or for another
// request reaches the upstream, in whatever spelling.
func TestRemovedHeaders(t *testing.T) { // [PV-05 TR-13 TR-14 MC-04 MT-09]
	s := serve(t, echo, rules)
	forged := []string{
		"X-Auth-Subject: evil", "x-auth-subject: evil", "X_Auth_Subject: evil", "x_AUTH-subject: evil", "X.Auth.Subject: evil",
		"X-Auth_Client: evil", "x-auth-scope: evil", "X_AUTH_TENANT: evil",
		"X-Forwarded-For: evil", "X-Forwarded-Host: evil", "X-Forwarded-Proto: evil", "X_Forwarded_For: evil", "X-Forwarded-Prefix: evil",
		"X-Forwarded-User: evil", "Forwarded: for=evil", "X-Real-IP: evil", "X_Real_IP: evil",
		"X-Original-URL: /evil", "X-Original-Method: evil", "X-Rewrite-URL: /evil", "X_Rewrite_Url: /evil",
		"X-HTTP-Method-Override: evil", "X-HTTP-Method: evil", "X-Method-Override: evil", "x_http_method_override: evil",
		"Proxy-Authorization: Bearer evil", "Proxy_Authorization: Bearer evil", "HTTP2-Settings: evil", "DPoP: evil", "dPoP: evil",
		"Client-Cert: evil", "client_cert: evil", "Client-Cert-Chain: evil", "X-Forwarded-Client-Cert: evil", "X_Forwarded_Tls_Client_Cert_Info: evil",
		"X-SSL-Client-Cert: evil", "X_SSL_Client_S_DN: evil", "SSL-Client-Verify: evil", "SSL_CLIENT_CERT: evil", "X-Client-Cert: evil",
		"X-SSL-Cert: evil", "ssl_cert: evil", "X-Client-Verify: evil", "X-Client-DN: evil", "X-Client-S-DN: evil",
		"Cf-Client-Cert-Der-Base64: evil", "Cf-Cert-Verified: evil", "X-Goog-Client-Cert: evil", "x_goog_client_cert_hash: evil",
		"X-Amzn-Mtls-Clientcert-Leaf: evil", "X-ARR-ClientCert: evil", "X-TLS-Client-Subject: evil",
	}
	for _, path := range []string{"/read", "/open/x", "/maybe"} {
		fields := slices.Clone(forged)
		if path != "/maybe" {
			fields = append(fields, s.as("read"))
		}
		a := s.ask("GET", path, append(fields, "X-Auth: kept", "X-Other: kept", "Cookie: kept")...)
		if a.StatusCode != 200 || strings.Contains(a.body, "evil") || strings.Contains(a.body, "Bearer") || strings.Contains(a.body, "Authorization") {
			t.Errorf("%s: got %d %s", path, a.StatusCode, a.body)
		}
		for _, want := range []string{"X-Auth: kept", "X-Other: kept", "Cookie: kept", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: api.example.test", "X-Forwarded-Proto: http"} {
			if !slices.Contains(lines(a), want) {
				t.Errorf("%s: %s is missing in %s", path, want, a.body)
			}
		}
		if strings.HasPrefix(lines(a)[1], "Host: api") {
			t.Errorf("%s: the client chose the upstream's host: %s", path, a.body)
		}
		if identified := strings.Contains(a.body, "X-Auth-Subject: user-1"); identified != (path == "/read") {
			t.Errorf("%s: identity %v", path, identified)
		}
	}
}

func TestIdentity(t *testing.T) { // [PV-05]
	s := serve(t, echo, rules)
	token := s.issuer.JWT(bearwardtest.Claims{Scope: "read write", Extra: map[string]any{"tenant": "acme co"}})
	a := s.ask("GET", "/read", "Authorization: Bearer "+token, "Connection: x-auth-subject, X-Auth-Tenant, close")
	for _, want := range []string{"X-Auth-Subject: user-1", "X-Auth-Client: client-1", "X-Auth-Scope: read write", "X-Auth-Tenant: acme co"} {
		if !slices.Contains(lines(a), want) {
			t.Errorf("%s is missing in %d %s", want, a.StatusCode, a.body)
		}
	}
	if a := s.ask("GET", "/read", s.as("read")); strings.Contains(a.body, "X-Auth-Tenant") {
		t.Errorf("an absent claim has a header: %s", a.body)
	}
	for name, extra := range map[string]map[string]any{
		"line break":      {"sub": "a\r\nX-Auth-Client: admin"},
		"control":         {"sub": "a\x01"},
		"not ASCII":       {"sub": "Jos\u00e9"},
		"leading space":   {"sub": " admin"},
		"trailing space":  {"sub": "admin "},
		"number":          {"tenant": 5},
		"list":            {"tenant": []string{"a"}},
		"null":            {"tenant": jsonNull{}},
		"custom break":    {"tenant": "a\nb"},
		"custom trailing": {"tenant": "a\t"},
	} {
		token := s.issuer.JWT(bearwardtest.Claims{Scope: "read", Extra: extra})
		if a := s.ask("GET", "/read", "Authorization: Bearer "+token); a.StatusCode != 403 || a.Header.Get("Www-Authenticate") != "" {
			t.Errorf("%s: got %d %s", name, a.StatusCode, a.body)
		}
	}
}

// jsonNull is encoded as null, which a nil in Extra is not.
type jsonNull struct{}

func (jsonNull) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func TestEveryIdentityClaim(t *testing.T) {
	s := serve(t, echo, "rules: [{match: /}]\nforward_headers: {A-Iss: iss, A-Aud: aud, A-Jti: jti, A-Acr: acr}\n")
	token := s.issuer.JWT(bearwardtest.Claims{Audience: []string{resource, "other"}, ID: "id-1", ACR: "phr"})
	a := s.ask("GET", "/", "Authorization: Bearer "+token)
	for _, want := range []string{"A-Iss: " + s.issuer.URL, "A-Aud: " + resource + " other", "A-Jti: id-1", "A-Acr: phr"} {
		if !slices.Contains(lines(a), want) {
			t.Errorf("%s is missing in %d %s", want, a.StatusCode, a.body)
		}
	}
	token = s.issuer.JWT(bearwardtest.Claims{Audience: []string{resource, "a b"}})
	if a := s.ask("GET", "/", "Authorization: Bearer "+token); a.StatusCode != 403 {
		t.Errorf("two audiences that read like three: got %d", a.StatusCode)
	}
}

func TestForwardCredentials(t *testing.T) { // [TR-13 TR-16]
	s := serve(t, echo, "forward_credentials: true\nplain_behind_tls: true\n"+rules)
	as := s.as("read")
	a := s.ask("GET", "/read", as, "DPoP: proof", "Proxy-Authorization: Basic x")
	for _, want := range []string{as, "Dpop: proof", "X-Forwarded-Proto: https"} {
		if !slices.Contains(lines(a), want) {
			t.Errorf("%s is missing in %d %s", want, a.StatusCode, a.body)
		}
	}
	a = s.ask("OPTIONS", "/read", as, "DPoP: proof", "Cookie: c", "X-Auth-Subject: evil", "Origin: https://app", "Access-Control-Request-Method: GET")
	for _, not := range []string{"Authorization", "Dpop", "Cookie", "X-Auth-"} {
		if a.StatusCode != 200 || strings.Contains(a.body, not) {
			t.Errorf("preflight with %s: got %d %s", not, a.StatusCode, a.body)
		}
	}
}

func TestTrailers(t *testing.T) { // [TR-14 PV-05]
	s := serve(t, echo, rules)
	request := func(path, field string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + field + "Transfer-Encoding: chunked\r\nTrailer: Authorization, X-Auth-Subject\r\n\r\n" +
			"1\r\nx\r\n0\r\nAuthorization: Bearer " + s.token("read") + "\r\nX-Auth-Subject: evil\r\n\r\n"
	}
	if a := s.raw("POST", request("/any/x", "")); a.StatusCode != 401 {
		t.Errorf("credentials in a trailer: got %d", a.StatusCode)
	}
	if a := s.raw("POST", request("/open/x", "")); a.StatusCode != 200 || strings.Contains(a.body, "Trailer ") {
		t.Errorf("trailers were forwarded: %d %s", a.StatusCode, a.body)
	}
}
