package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server/config"
)

// asks starts a server that a proxy asks, on loopback, with the issuer of
// another one perhaps.
func asks(t *testing.T, mode, rest string, others ...*served) *served {
	t.Helper()
	var issuer *bearwardtest.Issuer
	if len(others) > 0 {
		issuer = others[0].issuer
	} else {
		issuer = bearwardtest.NewIssuer(t)
	}
	text := fmt.Sprintf(`listen: 127.0.0.1:0
admin: 127.0.0.1:0
mode: %s
trusted_proxies: [127.0.0.0/8]
resource: %s
issuers:
  - {issuer: "%s", allow_http: true}
%s`, mode, resource, issuer.URL, rest)
	file, err := config.Parse("serve.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, issuer, file)
}

// asksForward is asks in mode forward-auth with a family of headers, and more
// settings perhaps.
func asksForward(t *testing.T, headers, rest string, others ...*served) *served {
	t.Helper()
	return asks(t, "forward-auth", "forward_auth: {headers: "+headers+"}\n"+rest, others...)
}

// question is the fields in which nginx asks about a request.
func question(method, uri string) []string {
	return []string{"X-Original-Method: " + method, "X-Original-URI: " + uri, "X-Original-Proto: https", "X-Original-Host: api.example.test"}
}

// about asks about a request.
func (s *served) about(method, uri string, fields ...string) answer {
	s.t.Helper()
	return s.ask("GET", "/_bearward", append(question(method, uri), fields...)...)
}

// denied reports an answer other than this refusal.
func denied(t *testing.T, name string, a answer, status int) {
	t.Helper()
	want := fmt.Sprintf(`{"title":%q,"status":%d`, http.StatusText(status), status)
	if a.StatusCode != status || !strings.HasPrefix(a.body, want) || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: got %d %q %s", name, a.StatusCode, a.Header, a.body)
	}
}

// Who is not one of the proxies gets no answer but 403, whatever the question.
func TestStrangersAsk(t *testing.T) { // [PV-05]
	for mode, rest := range map[string]string{"forward-auth": "forward_auth: {headers: x-original}\n", "ext-authz": ""} {
		s := asks(t, mode, rest+rules)
		s.file.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		for _, a := range []answer{s.about("GET", "/open/a"), s.ask("GET", "/open/a"), s.about("GET", "/read", s.as("read")), s.ask("GET", "/.well-known/oauth-protected-resource")} {
			denied(t, mode, a, 403)
			if len(a.Header["Www-Authenticate"]) != 0 {
				t.Errorf("%s: a challenge", mode)
			}
		}
	}
}

// What cannot be removed is refused: in every spelling, also where nothing else
// is asked for.
func TestForgedIdentity(t *testing.T) { // [PV-05]
	for mode, ask := range modes(t, rules) {
		for _, name := range []string{"X-Auth-Subject", "x-auth-subject", "X_Auth_Subject", "x-AUTH_scope", "X-Auth_Tenant", "X.Auth.Client"} {
			for _, path := range []string{"/open/a", "/read", "/nowhere"} {
				for _, value := range []string{": admin", ":"} {
					denied(t, mode+" "+name, ask("GET", path, name+value), 403)
				}
			}
		}
		denied(t, mode+" preflight", ask("OPTIONS", "/read", "Origin: https://a", "Access-Control-Request-Method: GET", "X-Auth-Subject: a"), 403)
		if a := ask("GET", "/open/a", "X-Auth-Subjects: admin", "X-Auth: admin"); a.StatusCode != 200 {
			t.Errorf("%s: another header: got %d", mode, a.StatusCode)
		}
	}
}

// A certificate that the proxy did not set, in a spelling that the API could
// take for its.
func TestForgedCertificate(t *testing.T) { // [MT-09]
	for mode, ask := range modes(t, "client_cert_header: {name: X-Cert, format: base64-der}\n"+rules) {
		for _, name := range []string{"X_Cert", "x_cert", "X.Cert"} {
			denied(t, mode+" "+name, ask("GET", "/open/a", "X-Cert:", name+": a"), 403)
		}
		if a := ask("GET", "/open/a", "x-cert:", "x-certs: a"); a.StatusCode != 200 {
			t.Errorf("%s: got %d", mode, a.StatusCode)
		}
	}
}

// A header that asks for another method or path than the one judged.
func TestOverrides(t *testing.T) { // [PV-08]
	for mode, ask := range modes(t, rules) {
		for _, name := range []string{"X-HTTP-Method-Override", "x_http_method_override", "X-HTTP-Method", "X-Method-Override", "X-Rewrite-URL", "X_Original_URL", "X-Original_Url"} {
			denied(t, mode+" "+name, ask("GET", "/open/a", name+": DELETE"), 400)
		}
	}
}

// modes asks in each mode about requests.
func modes(t *testing.T, rest string) map[string]func(method, uri string, fields ...string) answer {
	t.Helper()
	forward := asksForward(t, "x-original", rest)
	ext := asks(t, "ext-authz", rest, forward)
	return map[string]func(string, string, ...string) answer{"forward-auth": forward.about, "ext-authz": ext.ask}
}

// The rule of a request is that of the proxy mode.
func TestAskedRules(t *testing.T) { // [PV-08 TR-16]
	const page, wants = "Origin: https://a", "Access-Control-Request-Method: "
	for mode, ask := range modes(t, rules) {
		for _, c := range []struct {
			method, uri string
			want        int
			fields      []string
		}{
			{"GET", "/open/a?b", 200, nil},
			{"DELETE", "/open/a", 200, nil},
			{"GET", "/maybe", 200, nil},
			{"GET", "/read", 401, nil},
			{"GET", "/nowhere", 403, nil},
			{"PUT", "/read", 403, nil},
			{"CONNECT", "/open/a", 403, nil},
			{"get", "/read", 403, nil},
			{"GET", "/open/../read", 400, nil},
			{"GET", "/open//../read", 400, nil},
			{"GET", "/open/%2e%2e/read", 400, nil},
			{"GET", "/open/..;/read", 400, nil},
			{"GET", "/open/%252e%252e/read", 400, nil},
			{"GET", "/open\\..\\read", 400, nil},
			{"GET", "/read?x=/open/", 401, nil},
			{"OPTIONS", "/read", 403, nil},
			{"OPTIONS", "/read", 200, []string{page, wants + "GET"}},
			{"OPTIONS", "/read", 403, []string{page, wants + "PUT"}},
			{"GET", "/read", 401, []string{page, wants + "GET"}},
		} {
			if a := ask(c.method, c.uri, c.fields...); a.StatusCode != c.want || (a.StatusCode == 401 || a.StatusCode == 400) != (len(a.Header["Www-Authenticate"]) == 1) {
				t.Errorf("%s: %s %s %q: got %d %q %s, want %d", mode, c.method, c.uri, c.fields, a.StatusCode, a.Header, a.body, c.want)
			}
		}
	}
}
