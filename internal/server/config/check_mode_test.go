package config

import (
	"strings"
	"testing"
)

// asking is the smallest file of a mode in which a proxy asks.
func asking(mode, rest string) string {
	return strings.Replace(change("mode: "+mode), "upstream: http://127.0.0.1:9100\n", "", 1) + rest + "\n"
}

// Each mode has what it needs, and nothing that it would ignore.
func TestCheckModes(t *testing.T) {
	const proxies = "trusted_proxies: [127.0.0.1]\n"
	const forward = "forward_auth: {headers: x-original}\n" + proxies
	for _, c := range []struct{ text, want string }{
		{change("mode: forward"), `2:7: "forward" is not proxy, forward-auth or ext-authz`},
		{change("mode: proxy"), ""},
		{asking("proxy", ""), "2:7: mode proxy needs upstream"},
		{change("forward_auth: {headers: x-forwarded}"), `9:15: "forward_auth" is not used in mode proxy`},

		{asking("forward-auth", forward), ""},
		{asking("forward-auth", strings.Replace(forward, "x-original", "x-forwarded, single_line_challenge: true, status_for_400: 401", 1)), ""},
		{asking("forward-auth", strings.Replace(forward, "x-original", "x-forwarded, status_for_400: 403", 1)), ""},
		{asking("forward-auth", "forward_auth: {headers: x-original}"), "2:7: mode forward-auth needs trusted_proxies"}, // [PV-05]
		{asking("forward-auth", proxies), "2:7: mode forward-auth needs forward_auth"},
		{asking("forward-auth", forward+"upstream: http://a"), `"upstream" is not used in mode forward-auth`},
		{asking("forward-auth", forward+"upstream_ca_file: a"), `"upstream_ca_file" is not used in mode forward-auth`},
		{asking("ext-authz", proxies+"upstream_timeouts: {connect: 1s}"), `"upstream_timeouts" is not used in mode ext-authz`},
		{asking("forward-auth", forward+"forward_credentials: false"), `"forward_credentials" is not used in mode forward-auth`},
		{asking("forward-auth", forward+"forwarded: x-forwarded"), `"forwarded" is not used in mode forward-auth`},
		{asking("forward-auth", forward+"tls: {cert_file: a, key_file: b}"), ""},
		{asking("forward-auth", forward+"tls: {cert_file: a, key_file: b, client_certs: require}"), `10:48: "tls.client_certs" is not used in mode forward-auth`},
		{asking("forward-auth", "trusted_proxies: []\nforward_auth: {headers: x-original}"), "this list is empty"},
		{asking("forward-auth", "trusted_proxies: ['::/0']\nforward_auth: {headers: x-original}"), "this trusts everybody"},
		{asking("forward-auth", proxies+"forward_auth: {}"), `"headers" is missing`},
		{asking("forward-auth", proxies+"forward_auth: {headers: rfc7239}"), `"rfc7239" is not x-forwarded or x-original`},
		{asking("forward-auth", proxies+"forward_auth: {headers: x-original, status_for_400: 402}"), "this is 400, 401 or 403"},
		{asking("forward-auth", proxies+"forward_auth: {headers: x-original, status_for_400: 500}"), "is not a number from 400 to 403"},
		{asking("forward-auth", proxies+"forward_auth: {headers: x-original, single_line_challenge: 1}"), "this must be true or false"},
		{asking("forward-auth", forward+"dpop: {}"), ""},

		{asking("ext-authz", proxies), ""},
		{asking("ext-authz", ""), "2:7: mode ext-authz needs trusted_proxies"}, // [PV-05]
		{asking("ext-authz", forward), `"forward_auth" is not used in mode ext-authz`},
		{asking("ext-authz", proxies+"upstream: http://a"), `"upstream" is not used in mode ext-authz`},
		{asking("ext-authz", proxies+"dpop: {}"), "9:7: in mode ext-authz proofs can only be judged with public_url"}, // [DP-12]
		{asking("ext-authz", proxies+"dpop: {}\npublic_url: https://a"), ""},

		// a certificate of the connection is the proxy's
		{strings.Replace(asking("forward-auth", forward+"tls: {cert_file: a, key_file: b}"), "scopes: [read]", "binding: mtls", 1), "binding mtls needs client certificates"}, // [MT-01]
		{strings.Replace(asking("forward-auth", forward+"client_cert_header: {name: Client-Cert, format: rfc9440}"), "scopes: [read]", "binding: mtls", 1), ""},
	} {
		expect(t, c.text, c.want)
	}
}

// Two spellings are one header exactly if they fold to the same.
func TestSpells(t *testing.T) {
	for _, c := range []struct {
		name string
		want bool
	}{
		{"X-Auth-Subject", true},
		{"x_auth_subject", true},
		{"X.AUTH~Subject", true},
		{"X-Auth-Subject1", false},
		{"X-Auth-Subjec", false},
		{"X1Auth-Subject", false},
		{"", false},
	} {
		if got := Spells(c.name, "x-auth-subject"); got != c.want || got != (Fold(c.name) == "x-auth-subject") {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}
