package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/prove"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Envoy is told what to set and what to take off.
func TestExtAuthz(t *testing.T) { // [PV-05 TR-13 TR-16 MT-09]
	s := asks(t, "ext-authz", "client_cert_header: {name: X-Forwarded-Client-Cert, format: xfcc}\n"+rules)
	const remove = "authorization,dpop,proxy-authorization,x-original-url,x-forwarded-client-cert"
	a := s.ask("GET", "/read?x", s.as("read"))
	if a.StatusCode != 200 || a.body != "" || a.Header.Get("X-Auth-Subject") != "user-1" || len(a.Header["X-Auth-Tenant"]) != 1 || a.Header.Get("X-Auth-Tenant") != "" {
		t.Errorf("got %d %q %s", a.StatusCode, a.Header, a.body)
	}
	if got := a.Header.Get(removeField); got != remove {
		t.Errorf("to remove: %s", got)
	}
	a = s.ask("OPTIONS", "/read", "Origin: https://a", "Access-Control-Request-Method: GET", s.as("read"))
	if got := a.Header.Get(removeField); a.StatusCode != 200 || got != remove+",cookie" || a.Header.Get("X-Auth-Subject") != "" {
		t.Errorf("preflight: got %d %q", a.StatusCode, a.Header)
	}
	// Headers that name another request are noise.
	denied(t, "forged question", s.ask("GET", "/nowhere", append(question("GET", "/open/a"), "X-Forwarded-Uri: /open/a", "X-Forwarded-Method: GET")...), 403)
	a = s.ask("GET", "/read")
	denied(t, "no token", a, 401)
	if len(a.Header["Www-Authenticate"]) != 1 || len(a.Header[removeField]) != 0 {
		t.Errorf("refused: %q", a.Header)
	}
}

// Everything on the listener is a question, and the document no answer to one.
func TestExtAuthzDocument(t *testing.T) {
	s := asks(t, "ext-authz", rules)
	const path = "/.well-known/oauth-protected-resource"
	denied(t, "a question about it", s.ask("GET", path), 403)
	s.api = s.admin
	if a := s.ask("GET", path); a.StatusCode != 200 || !strings.Contains(a.body, fmt.Sprintf(`"resource":%q`, resource)) {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
}

// What Envoy's own connection has is not the client's.
func TestExtAuthzConnection(t *testing.T) { // [DP-12 MT-01]
	s := asks(t, "ext-authz", "dpop: {}\n"+strings.Replace(proven, "https://api.example.test", "[https://api.example.test, http://api.example.test]", 1))
	h := s.holder()
	for _, scheme := range []string{"http", "https"} {
		proof, err := h.key.Sign(prove.Claims{Method: "GET", URL: scheme + "://api.example.test/dpop", Token: h.token, Time: s.clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		refused(t, scheme, s.ask("GET", "/dpop", "Authorization: DPoP "+h.token, "DPoP: "+proof), 401, "DPoP", "invalid_dpop_proof")
	}

	_, parsed := pair(t)
	service, err := New(t.Context(), s.file, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	in := middleware.Request{
		Method: "GET", Host: "api.example.test", RawPath: "/read", Peer: netip.MustParseAddr("127.0.0.1"), Certificate: parsed,
		Header: http.Header{"Authorization": {"Bearer " + s.bound("x5t#S256", thumbprint(parsed))}},
	}
	if reply := service.extAuthz().Ask(t.Context(), in); reply.Denial == nil || reply.Denial.Code != validate.ErrCertificateMissing {
		t.Errorf("the certificate: got %+v", reply)
	}
}

func TestExtAuthzProof(t *testing.T) { // [DP-09 DP-10 DP-12]
	s := asks(t, "ext-authz", "dpop: {}\n"+strings.Replace(proven, "https://api.example.test", "[https://api.example.test, https://b]", 1))
	h := s.holder()
	if a := h.get("/dpop", ""); a.StatusCode != 200 {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	refused(t, "another path", s.ask("GET", "/dpop", "Authorization: DPoP "+h.token, h.proof("GET", "/read", "")), 401, "DPoP", "invalid_dpop_proof")
	refused(t, "another host", s.raw("GET", "GET /dpop HTTP/1.1\r\nHost: c\r\nAuthorization: DPoP "+h.token+"\r\n"+h.proof("GET", "/dpop", "")+"\r\n\r\n"), 401, "DPoP", "invalid_dpop_proof")
}
