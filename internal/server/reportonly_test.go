package server

import (
	"strings"
	"testing"

	"github.com/bearward/bearward/bearwardtest"
)

const reporting = `forward_credentials: true
client_cert_header: {name: Client-Cert, format: rfc9440}
trusted_proxies: [127.0.0.0/8]
dpop: {enabled: true}
rules:
  - {match: "/reports", scopes: [read], report_only: true}
  - {match: "/maybe", optional: true, report_only: true}
  - {match: "/demands", scopes: [read]}
  - {match: "/open", public: true}
forward_headers: {X-Auth-Subject: sub}
`

// TestReportOnly: what a rule only reports reaches the upstream without identity
// and credentials, whatever is forwarded otherwise.
func TestReportOnly(t *testing.T) {
	s := serve(t, echo, reporting)
	expired := "Authorization: Bearer " + s.issuer.Wrong("expired", bearwardtest.Claims{Scope: "read"})
	forged := "X-Auth-Subject: admin"
	for name, c := range map[string]struct {
		path   string
		fields []string
		status int
		clean  bool
	}{
		"no token":      {"/reports", []string{forged}, 200, true},
		"expired":       {"/reports", []string{expired, forged, "DPoP: proof"}, 200, true},
		"scope missing": {"/reports", []string{s.as("write"), forged}, 200, true},
		"two tokens":    {"/reports", []string{s.as("read"), s.as("read")}, 200, true},
		"certificate":   {"/reports", []string{expired, "Client-Cert: :AAAA:"}, 200, true},
		"malformed":     {"/reports", []string{s.as("read"), "Client-Cert: junk"}, 200, true},
		"optional":      {"/maybe", []string{expired}, 200, true},
		"accepted":      {"/reports", []string{s.as("read")}, 200, false},
		"elsewhere":     {"/demands", []string{expired}, 401, false},
		"unmatched":     {"/none", []string{expired}, 403, false},
		"ambiguous":     {"/reports/%2e%2e/open", []string{expired}, 400, false},
	} {
		a := s.ask("GET", c.path, c.fields...)
		if a.StatusCode != c.status || a.Header.Get("Www-Authenticate") != "" && c.status == 200 {
			t.Errorf("%s: %d %v", name, a.StatusCode, a.Header)
		}
		for _, field := range []string{"Authorization:", "Dpop:", "X-Auth-Subject:", "Client-Cert:"} {
			if c.clean && strings.Contains(a.body, field) {
				t.Errorf("%s: the upstream gets %s", name, a.body)
			}
		}
		if name == "accepted" && (!strings.Contains(a.body, "Authorization: Bearer") || !strings.Contains(a.body, "X-Auth-Subject: ")) {
			t.Errorf("%s: the upstream gets %s", name, a.body)
		}
	}
}

// TestReportOnlyEverywhere: for all rules, said at the start.
func TestReportOnlyEverywhere(t *testing.T) {
	log := &notes{}
	s := serve(t, echo, "report_only: true\n"+rules, log.log)
	if a := s.ask("GET", "/step-up"); a.StatusCode != 200 {
		t.Errorf("got %d", a.StatusCode)
	}
	if a := s.ask("GET", "/none"); a.StatusCode != 403 {
		t.Errorf("no rule matches: got %d", a.StatusCode)
	}
	if text := log.String(); !strings.Contains(text, "report_only: what these rules refuse is let through") || !strings.Contains(text, "/step-up") || strings.Contains(text, "/open/") {
		t.Errorf("at the start: %s", text)
	} else if !strings.Contains(text, `msg="request would be refused" code=token_missing`) {
		t.Errorf("the refusal: %s", text)
	}
}

// TestReportOnlyAsked: a proxy that asks is told to let pass, and nothing of who
// that is; a credential that it can be told to remove is named.
func TestReportOnlyAsked(t *testing.T) {
	const rest = `rules:
  - {match: "/reports", scopes: [read], report_only: true}
  - {match: "/demands", scopes: [read]}
forward_headers: {X-Auth-Subject: sub}
`
	forward := asksForward(t, "x-original", rest)
	ext := asks(t, "ext-authz", rest, forward)
	expired := "Authorization: Bearer " + forward.issuer.Wrong("expired")
	for mode, ask := range map[string]func(string, string, ...string) answer{"forward-auth": forward.about, "ext-authz": ext.ask} {
		for _, fields := range [][]string{{expired}, {forward.as("write")}, nil} {
			a := ask("GET", "/reports", fields...)
			if a.StatusCode != 200 || a.Header.Get("Www-Authenticate") != "" {
				t.Errorf("%s: %d %v", mode, a.StatusCode, a.Header)
			}
			if subject := a.Header["X-Auth-Subject"]; len(subject) != 1 || subject[0] != "" {
				t.Errorf("%s: identity %q", mode, subject)
			}
			if mode == "ext-authz" && !strings.Contains(a.Header.Get("X-Envoy-Auth-Headers-To-Remove"), "authorization,dpop") {
				t.Errorf("%s: removes %q", mode, a.Header.Get("X-Envoy-Auth-Headers-To-Remove"))
			}
		}
		denied(t, mode, ask("GET", "/demands", expired), 401)
		denied(t, mode+" unmatched", ask("GET", "/none", expired), 403)
		denied(t, mode+" forged", ask("GET", "/reports", "X-Auth-Subject: admin"), 403)
		if a := ask("GET", "/reports", forward.as("read")); a.StatusCode != 200 || a.Header.Get("X-Auth-Subject") == "" {
			t.Errorf("%s accepted: %d %v", mode, a.StatusCode, a.Header)
		}
	}
}
