package server

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
)

func TestRefusals(t *testing.T) {
	var reached atomic.Int32
	s := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) }, rules)
	plain := `Bearer realm="https://api.example.test", scope="read"`
	for _, c := range []struct {
		name, method, target string
		fields               []string
		status               int
		challenge            string // a part of it; "" for none
	}{
		{"no rule", "GET", "/nothing", nil, 403, ""},                                          // [PV-08]
		{"no rule, good token", "GET", "/nothing", []string{s.as("read")}, 403, ""},           // [PV-08]
		{"no rule, broken token", "GET", "/nothing", []string{"Authorization: x"}, 403, ""},   // [PV-08]
		{"no rule for the method", "PUT", "/read", []string{s.as("read write")}, 403, ""},     // [PV-08]
		{"method in the header", "GET", "/nothing", []string{"X-HTTP-Method: POST"}, 403, ""}, // [PV-08]
		{"ambiguous path", "GET", "/open/../read", nil, 400, `error="invalid_request"`},       // [PV-08]
		{"encoded dots", "GET", "/open/%2e%2e/read", nil, 400, `error="invalid_request"`},     // [PV-08]
		{"parameter", "GET", "/read;x", nil, 400, `error="invalid_request"`},                  // [PV-08]
		{"NUL", "GET", "/open/%00", nil, 400, `error="invalid_request"`},
		{"backslash", "GET", `/open/..\read`, nil, 400, `error="invalid_request"`},
		{"fragment", "GET", "/open/x#y", nil, 400, `error="invalid_request"`},
		{"fragment in the query", "GET", "/open/x?a#y", nil, 400, `error="invalid_request"`},
		{"asterisk", "OPTIONS", "*", nil, 400, `error="invalid_request"`},
		{"tunnel", "CONNECT", "h:443", nil, 403, ""},
		{"tunnel with a path", "CONNECT", "/open/x", nil, 403, ""},

		{"no token", "GET", "/read", nil, 401, plain + ", resource_metadata="},
		{"token in the query", "GET", "/read?access_token=" + s.token("read"), nil, 401, plain},
		{"token for a proxy", "GET", "/read", []string{"Proxy-" + s.as("read")}, 401, plain}, // [TR-14]
		{"HEAD is GET", "HEAD", "/read", nil, 401, plain},
		{"expired", "GET", "/read", []string{"Authorization: Bearer " + s.issuer.Wrong("expired")}, 401, `error="invalid_token"`},
		{"bound token", "GET", "/read", []string{"Authorization: Bearer " + s.issuer.Wrong("cnf-jkt")}, 401, `error="invalid_token"`},
		{"two tokens", "GET", "/read", []string{s.as("read"), s.as("read")}, 400, `error="invalid_request"`},
		{"scope", "POST", "/read", []string{s.as("read")}, 403, `error="insufficient_scope"`},
		{"hidden", "GET", "/users-only", []string{"Authorization: Bearer " + s.issuer.JWT(bearwardtest.Claims{Subject: "client-1"})}, 404, ""},
		{"step-up", "GET", "/step-up", []string{s.as("read")}, 401, `error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="phr", max_age="300"`},
		{"broken token where it is optional", "GET", "/maybe", []string{"Authorization: Bearer x"}, 401, `error="invalid_token"`},
		{"OPTIONS without Origin", "OPTIONS", "/any/x", []string{"Access-Control-Request-Method: GET"}, 401, plain},                                                   // [TR-16]
		{"preflight for a method without rule", "OPTIONS", "/read", []string{"Origin: https://app", "Access-Control-Request-Method: PUT"}, 403, ""},                   // [TR-16]
		{"two methods", "OPTIONS", "/any/x", []string{"Origin: https://app", "Access-Control-Request-Method: GET", "Access-Control-Request-Method: PUT"}, 401, plain}, // [TR-16]
		{"header too long", "GET", "/open/x", []string{"X-Long: " + strings.Repeat("a", 80<<10)}, http.StatusRequestHeaderFieldsTooLarge, ""},                         // [TR-15]
		{"length twice", "GET", "/open/x", []string{"Content-Length: 1", "Content-Length: 2"}, 400, ""},
	} {
		a := s.ask(c.method, c.target, c.fields...)
		challenge := a.Header.Get("WWW-Authenticate")
		if a.StatusCode != c.status || !strings.Contains(challenge, c.challenge) || c.challenge == "" && challenge != "" {
			t.Errorf("%s: got %d %q, want %d %q", c.name, a.StatusCode, challenge, c.status, c.challenge)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the upstream was reached %d times", n)
	}
}

func TestAllowed(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, rules)
	aged := s.issuer.JWT(bearwardtest.Claims{ACR: "phr", AuthTime: s.issuer.Clock.Now().Add(-time.Minute)})
	for _, c := range []struct {
		name, method, target string
		fields               []string
	}{
		{"scope", "GET", "/read", []string{s.as("read")}},
		{"HEAD by the rule for GET", "HEAD", "/read", []string{s.as("read")}},
		{"scope implied in one step", "GET", "/read", []string{s.as("write")}},
		{"scope implied in two steps", "GET", "/read", []string{s.as("admin")}},
		{"public", "GET", "/open/x", nil},
		{"public with a broken token", "GET", "/open/x", []string{"Authorization: Bearer x"}},
		{"optional", "GET", "/maybe", nil},
		{"user", "GET", "/users-only", []string{s.as("")}},
		{"step-up", "GET", "/step-up", []string{"Authorization: Bearer " + aged}},
		{"preflight", "OPTIONS", "/read", []string{"Origin: https://app", "Access-Control-Request-Method: GET"}},           // [TR-16]
		{"preflight for HEAD", "OPTIONS", "/read", []string{"Origin: https://app", "Access-Control-Request-Method: HEAD"}}, // [TR-16]
		{"slash form", "GET", "/open", nil},
	} {
		if a := s.ask(c.method, c.target, c.fields...); a.StatusCode != 204 {
			t.Errorf("%s: got %d %s", c.name, a.StatusCode, a.body)
		}
	}
}

func TestEachRequestIsJudged(t *testing.T) { // [TR-18]
	s := serve(t, echo, rules)
	request := func(field string) string { return "GET /read HTTP/1.1\r\nHost: h\r\n" + field + "\r\n" }
	from := s.connect(request(s.as("read")+"\r\n") + request(""))
	if a := read(t, from, "GET"); a.StatusCode != 200 {
		t.Errorf("with a token: got %d", a.StatusCode)
	}
	if a := read(t, from, "GET"); a.StatusCode != 401 {
		t.Errorf("the same connection without: got %d", a.StatusCode)
	}
}

func TestMetadata(t *testing.T) {
	const path = "/.well-known/oauth-protected-resource"
	s := serve(t, echo, rules)
	a := s.ask("GET", path)
	if a.StatusCode != 200 || !strings.Contains(a.body, `"resource":"https://api.example.test"`) || !strings.Contains(a.body, `"read"`) {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	if a := s.ask("POST", path); a.StatusCode != 405 {
		t.Errorf("POST: got %d", a.StatusCode)
	}
	if a := s.ask("GET", path+"/x"); a.StatusCode != 403 {
		t.Errorf("below it: got %d", a.StatusCode)
	}
	s = serve(t, echo, "metadata: false\n"+rules)
	if a := s.ask("GET", path); a.StatusCode != 403 {
		t.Errorf("metadata: false: got %d", a.StatusCode)
	}
}
