package server

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/challengetest"
)

// An allowed request has every identity header, so that the proxy replaces all
// of them.
func TestForwardAuthAllows(t *testing.T) { // [PV-05 TR-18]
	s := asksForward(t, "x-original", rules)
	want := func(name string, a answer, identity ...string) {
		t.Helper()
		var got []string
		for _, h := range []string{"X-Auth-Client", "X-Auth-Scope", "X-Auth-Subject", "X-Auth-Tenant"} {
			got = append(got, a.Header[h]...)
		}
		if a.StatusCode != 200 || a.body != "" || !slices.Equal(got, identity) || a.Header.Get("Cache-Control") != "no-store" || a.ContentLength != 0 && name != "head" {
			t.Errorf("%s: got %d %q %s", name, a.StatusCode, a.Header, a.body)
		}
	}
	tenant := s.issuer.JWT(bearwardtest.Claims{Scope: "read write", Extra: map[string]any{"tenant": "acme"}})
	want("all", s.about("GET", "/read", "Authorization: Bearer "+tenant), "client-1", "read write", "user-1", "acme")
	want("no tenant", s.about("GET", "/any/x?y", s.as("read")), "client-1", "read", "user-1", "")
	want("head", s.ask("HEAD", "/", append(question("GET", "/read"), s.as("read"))...), "client-1", "read", "user-1", "")
	want("another path", s.ask("POST", "/nowhere?a", append(question("GET", "/read"), s.as("read"), "Content-Length: 0")...), "client-1", "read", "user-1", "")
	for _, open := range []answer{
		s.about("GET", "/open/x", s.as("read")), s.about("GET", "/maybe"),
		s.about("OPTIONS", "/read", "Origin: https://a", "Access-Control-Request-Method: GET", s.as("read")),
	} {
		want("without identity", open, "", "", "", "")
	}
}

// Exactly the configured family is read.
func TestForwardAuthFamilies(t *testing.T) { // [DP-12]
	other := map[string]string{"x-original": "X-Forwarded-", "x-forwarded": "X-Original-"}
	for headers, prefix := range map[string]string{"x-original": "X-Original-", "x-forwarded": "X-Forwarded-"} {
		s := asksForward(t, headers, rules)
		family := func(prefix, method, uri string) []string {
			return []string{prefix + "Method: " + method, prefix + "URI: " + uri, prefix + "Proto: https", prefix + "Host: api.example.test"}
		}
		ask := func(fields ...[]string) int { return s.ask("GET", "/open/a", slices.Concat(fields...)...).StatusCode }
		open, closed := family(prefix, "GET", "/open/a"), family(prefix, "GET", "/nowhere")
		for name, c := range map[string]struct{ got, want int }{
			"the family":      {ask(open), 200},
			"another rule":    {ask(closed), 403},
			"none":            {ask(nil), 403},
			"the other":       {ask(family(other[headers], "GET", "/open/a")), 403},
			"other forged":    {ask(closed, family(other[headers], "GET", "/open/a")), 403},
			"other is noise":  {ask(open, family(other[headers], "GET", "/nowhere")), 200},
			"underscores":     {ask(closed, []string{strings.ReplaceAll(prefix, "-", "_") + "URI: /open/a"}), 403},
			"method missing":  {ask(open[1:]), 403},
			"uri missing":     {ask(open[:1], open[2:]), 403},
			"proto missing":   {ask(open[:2], open[3:]), 200},
			"host missing":    {ask(open[:3]), 200},
			"method twice":    {ask(open, open[:1]), 403},
			"uri twice":       {ask(open, []string{prefix + "Uri: /open/b"}), 403},
			"proto twice":     {ask(open, open[2:3]), 403},
			"host twice":      {ask(open, open[3:]), 403},
			"joined":          {ask(open[:1], []string{prefix + "Uri: /open/a, /nowhere"}), 403},
			"not a host":      {ask(open[:3], []string{prefix + "Host: a/b"}), 403},
			"no scheme":       {ask(open[:2], []string{prefix + "Proto: gopher"}), 403},
			"not a path":      {ask(open[:1], []string{prefix + "Uri: https://api.example.test/open/a"}), 403},
			"of another kind": {ask(open, []string{"X-Original-URL: /nowhere"}), 200},
		} {
			if c.got != c.want {
				t.Errorf("%s, %s: got %d, want %d", headers, name, c.got, c.want)
			}
		}
	}
}

// A refusal is that of the other modes, as far as the proxy can pass it on.
func TestForwardAuthRefuses(t *testing.T) { // [ER-17 ER-18]
	const more = "dpop: {}\npublic_url: https://api.example.test\n" + "rules:\n  - {match: /read, scopes: [read]}\n  - {match: /hidden, user_only: true, hide: true}\n"
	plain := asksForward(t, "x-original", more)
	line := asksForward(t, "x-original, single_line_challenge: true, status_for_400: 401", more, plain)
	forbidden := asksForward(t, "x-original, status_for_400: 403", more, plain)
	for _, c := range []struct {
		name, uri      string
		fields         []string
		status, listed int // without and with settings
		scheme, code   string
	}{
		{"no token", "/read", nil, 401, 401, "Bearer", ""},
		{"no scope", "/read", []string{plain.as("write")}, 403, 403, "Bearer", "insufficient_scope"},
		{"two tokens", "/read", []string{"Authorization: Bearer a", "Authorization: Bearer a"}, 400, 401, "Bearer", "invalid_request"},
		{"bad path", "/read/%zz", nil, 400, 401, "Bearer", "invalid_request"},
		{"no proof", "/read", []string{"Authorization: DPoP " + plain.token("read")}, 401, 401, "DPoP", "invalid_token"},
		{"bad proof", "/read", []string{"Authorization: dpop a b"}, 400, 401, "DPoP", "invalid_request"},
		{"client token", "/hidden", []string{"Authorization: Bearer " + plain.issuer.JWT(bearwardtest.Claims{Subject: "client-1"})}, 404, 404, "", ""},
	} {
		a, b := plain.about("GET", c.uri, c.fields...), line.about("GET", c.uri, c.fields...)
		denied(t, c.name, a, c.status)
		denied(t, c.name+", listed", b, c.listed)
		if c.status == 400 {
			denied(t, c.name+", forbidden", forbidden.about("GET", c.uri, c.fields...), 403)
		}
		two, one := a.Header["Www-Authenticate"], b.Header["Www-Authenticate"]
		if c.scheme == "" {
			if len(two)+len(one) != 0 {
				t.Errorf("%s: %q %q", c.name, two, one)
			}
			continue
		}
		if len(two) != 2 || len(one) != 1 {
			t.Errorf("%s: %q %q", c.name, two, one)
			continue
		}
		if c.scheme == "DPoP" {
			slices.Reverse(two)
		}
		first, err := challengetest.Parse(two[0])
		if err != nil || one[0] != strings.Join(two, ", ") || first.Scheme != c.scheme || first.Params["error"] != c.code {
			t.Errorf("%s: %v %q %q", c.name, err, two, one)
		}
	}
}

// Proofs are about what the client asked the proxy for.
func TestForwardAuthProof(t *testing.T) { // [DP-09 DP-10 DP-12 DP-25]
	for name, public := range map[string]string{
		"one public URL": "public_url: https://api.example.test\n", "several": "public_url: [https://api.example.test, https://b]\n", "none": "",
	} {
		s := asksForward(t, "x-original", "dpop: {}\n"+public+strings.TrimPrefix(proven, "public_url: https://api.example.test\n"))
		h := s.holder()
		as := "Authorization: DPoP " + h.token
		if a := s.about("GET", "/dpop?x", as, h.proof("GET", "/dpop", "")); a.StatusCode != 200 || a.Header.Get("X-Auth-Subject") != "user-1" {
			t.Errorf("%s: got %d %s %q", name, a.StatusCode, a.body, a.Header)
		}
		refused(t, name+", the question's method", s.about("PUT", "/dpop", as, h.proof("GET", "/dpop", "")), 401, "DPoP", "invalid_dpop_proof")
		refused(t, name+", the question's path", s.about("GET", "/dpop", as, h.proof("GET", "/_bearward", "")), 401, "DPoP", "invalid_dpop_proof")
		a := s.about("GET", "/nonce", as, h.proof("GET", "/nonce", ""))
		refused(t, name, a, 401, "DPoP", "use_dpop_nonce")
		if a = s.about("GET", "/nonce", as, h.proof("GET", "/nonce", nonce(t, a))); a.StatusCode != 200 {
			t.Errorf("%s, with a nonce: got %d %s", name, a.StatusCode, a.body)
		}
		fields := question("GET", "/dpop")
		other := s.ask("GET", "/", append(fields[:3:3], "X-Original-Host: evil.example", as, h.proof("GET", "/dpop", ""))...)
		silent := s.ask("GET", "/", append(fields[:2:2], as, h.proof("GET", "/dpop", ""))...)
		want := map[string][2]int{"one public URL": {200, 200}, "several": {401, 500}, "none": {401, 500}}[name]
		if got := [2]int{other.StatusCode, silent.StatusCode}; got != want {
			t.Errorf("%s: another host, none: got %v, want %v", name, got, want)
		}
	}
}

// The certificate is what the proxy says; that of its own connection is nobody's.
func TestForwardAuthCertificate(t *testing.T) { // [MT-01 MT-07]
	certFile, keyFile, pool := keyPair(t)
	own, parsed := pair(t)
	s := asksForward(t, "x-original", "tls: {cert_file: "+certFile+", key_file: "+keyFile+"}\nclient_cert_header: {name: Client-Cert, format: base64-der}\n"+mutual)
	bearer := "Bearer " + s.bound("x5t#S256", thumbprint(parsed))
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: pool, ServerName: "example.com",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			t.Error("the proxy is asked for a certificate")
			return &own, nil
		},
	}}
	defer transport.CloseIdleConnections()
	get := func(header string) int {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, "https://"+s.api+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range question("GET", "/mtls") {
			name, value, _ := strings.Cut(f, ": ")
			r.Header.Set(name, value)
		}
		r.Header.Set("Authorization", bearer)
		if header != "" {
			r.Header.Set("Client-Cert", header)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if with, without := get(written(parsed)["base64-der"]), get(""); with != 200 || without != 401 {
		t.Errorf("with the header %d, without %d", with, without)
	}
}

// The document is for those whom the proxy sends here, and no answer to a
// question.
func TestForwardAuthDocument(t *testing.T) {
	s := asksForward(t, "x-original", rules)
	const path = "/.well-known/oauth-protected-resource"
	if a := s.ask("GET", path); a.StatusCode != 200 || !strings.Contains(a.body, fmt.Sprintf(`"resource":%q`, resource)) {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	denied(t, "a question about it", s.about("GET", path), 403)
	denied(t, "a question at it", s.ask("GET", path, question("GET", "/nowhere")...), 403)
	denied(t, "half a question", s.ask("GET", path, "X-Original-URI: /read"), 403)
	denied(t, "elsewhere", s.ask("GET", path+"/x"), 403)
}
