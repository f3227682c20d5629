package config

import (
	"net/url"
	"strings"
	"testing"
)

// change replaces the block of smallest that starts with the same key as text,
// or adds text.
func change(text string) string {
	key, _, _ := strings.Cut(text, ":")
	before, after, found := strings.Cut("\n"+smallest, "\n"+key+":")
	if !found {
		return smallest + text + "\n"
	}
	lines := strings.SplitAfter(after, "\n")[1:]
	for len(lines) > 0 && strings.HasPrefix(lines[0], " ") {
		lines = lines[1:]
	}
	return strings.TrimPrefix(before+"\n", "\n") + text + "\n" + strings.Join(lines, "")
}

func TestCheck(t *testing.T) {
	const rules = "rules:\n  - {match: /, "
	const keyless = "issuers:\n  - {issuer: https://login.example.com, introspection: {auth: bearer, token_file: t, jwt: false}, "
	const opaque = keyless + "leeway: 30s}\n"
	for _, c := range []struct{ text, want string }{
		// listeners
		{"listen: 127.0.0.1:0", ""},
		{"listen: localhost:9000", ""},
		{"listen: '[::1]:9000'", ""},
		{"listen: ':9000'", "1:9: plain http is served on loopback addresses only"}, // [TR-12]
		{"listen: 0.0.0.0:9000", "1:9: plain http is served on loopback"},           // [TR-12]
		{"listen: '[::]:9000'", "1:9: plain http is served on loopback"},            // [TR-12]
		{"listen: 192.168.1.5:9000", "1:9: plain http is served on loopback"},       // [TR-12]
		{"listen: api.example.com:9000", "1:9: plain http is served on loopback"},   // [TR-12]
		{"listen: ':9000'\nplain_behind_tls: true", ""},
		{"listen: ':9000'\ntls: {cert_file: a, key_file: b}", ""},
		{"plain_behind_tls: true\ntls: {cert_file: a, key_file: b}", "9:19: plain_behind_tls and tls exclude each other"},
		{"listen: localhost", "1:9: this is not an address"},
		{"listen: 127.0.0.1:http", "1:9: this is not an address"},
		{"listen: 127.0.0.1:65536", "1:9: this is not an address"},
		{"listen: http://127.0.0.1:80", "1:9: this is not an address"},
		{"admin: 127.0.0.1:9000", "9:8: admin needs another address than listen"},
		{"listen: 127.0.0.1:0\nadmin: 127.0.0.1:0", ""},
		{"admin: nowhere", "9:8: this is not an address"},

		// upstream
		{"upstream: http://127.0.0.1:9100/", ""},
		{"upstream: ftp://127.0.0.1", "3:11: \"ftp://127.0.0.1\" is not an http or https URL"},
		{"upstream: 127.0.0.1:9100", "3:11: \"127.0.0.1:9100\" is not an http or https URL"},
		{"upstream: http://user:pw@h/", "is not an http or https URL"},
		{"upstream: 'http://h/#x'", "is not an http or https URL"},
		{"upstream_ca_file: ca.pem", "9:19: upstream_ca_file is not used: upstream is no https URL"},
		{"upstream: https://127.0.0.1\nupstream_ca_file: ca.pem", ""},
		{"upstream_timeouts: {answer: 0s}", ""},
		{"upstream_timeouts: {connect: 0s}", `"0s" is below 10ms`},
		{"upstream_timeouts: {connect: 10}", `has no unit`},
		{"upstream: http://h/base", "3:11: upstream is scheme, host and port only"},
		{"upstream: http://h/?x", "3:11: upstream is scheme, host and port only"},
		{"upstream: http://h/?", "3:11: upstream is scheme, host and port only"},

		{"upstream: http://127.0.0.1:65536", "is not an http or https URL"},
		{"upstream: http://127.0.0.1:0", "is not an http or https URL"},
		{"upstream: http://127.0.0.1:9000", "3:11: upstream is the address of listen: this server would ask itself"},
		{"upstream: http://localhost:9000", "3:11: upstream is the address of listen"},
		{"upstream: https://127.0.0.1\nadmin: 127.0.0.1:443", "upstream is the address of admin"},
		{"upstream: http://127.0.0.2:9000", ""},

		// resource
		{"resource: https://u:p@a", "4:11: resource is shown to everybody"},
		{"resource: 'https://a/#x'", "4:11: resource is a URI without fragment"}, // [AZ-09]
		{"resource: 'a b'", "4:11: resource is a URI without fragment"},
		{"resource: my-api", ""},
		{"resource: my-api\nmetadata: true", "5:11: only an https resource has a metadata document"},     // [MD-02]
		{"resource: http://api\nmetadata: true", "5:11: only an https resource has a metadata document"}, // [MD-02]
		{"realm: 'a\"b'", "9:8: a realm is printable ASCII"},

		// what instances share
		{"redis: {url: 'redis://127.0.0.1'}", "9:8: nothing here uses redis"},
		{"redis: {}", `"url" is missing`},
		{"redis: {url: 'redis://127.0.0.1'}\nrevocation: {list: redis}", ""},
		{"revocation: {list: redis}", "9:20: a list on redis needs redis"},
		{"revocation: {list: memory}", "9:20: a list in memory is filled over admin: set admin to a loopback address"},
		{"revocation: {list: memory}\nadmin: 192.168.1.1:9001", "a list in memory is filled over admin"},
		{"revocation: {list: memory}\nadmin: 127.0.0.1:9001", ""},
		{"revocation: {list: memory, retention: 5m}\nadmin: 127.0.0.1:9001", `"5m" is below 1h`},
		{rules + "details: [{actions: [a]}]}", `"type" is missing`},
		{rules + "roles: []}", "this list is empty"},

		// the cache, the document of rules, profiles
		{"cache: {disabled: true}", ""},
		{"cache: {disabled: false, ttl: 1m}", ""},
		{"cache: {disabled: true, ttl: 1m}", "9:30: ttl is not used: the cache is disabled"},
		{"cache: {entries: 5, disabled: true}", "9:18: entries is not used: the cache is disabled"},
		{opaque + "cache: {ttl: 1m}", "7:8: the cache is about JWTs, and no issuer has any"},
		{opaque, ""},
		{keyless + "algorithms: [RS256]}\n", "6:111: algorithms is not used: with jwt: false nothing is verified with keys"},
		{keyless + "jwks_uri: https://a/keys}\n", "jwks_uri is not used"},
		{keyless + "jwks_file: keys.json}\n", "jwks_file is not used"},
		{keyless + "jwks: {refresh: 5m}}\n", "jwks is not used"},
		{strings.Replace(keyless, "jwt: false", "jwt: false, signed_response: accept", 1) + "algorithms: [RS256]}\n", ""},
		{"cache: {entries: 0}", `"0" is not a number from 1 to`},
		{"cache: {ttl: 6m}", `"6m" is above 5m`},
		{"openapi: api.yaml", ""},
		{"openapi: api.yaml\nopenapi_base_path: /", ""},
		{"openapi: api.yaml\nopenapi_base_path: /v1/x%20y", ""},
		{"openapi_base_path: /v1", "9:20: openapi_base_path is not used: there is no openapi"},
		{"openapi: api.yaml\nopenapi_base_path: v1", `10:20: "v1" is not the beginning of a path, like /v1`},
		{"openapi: api.yaml\nopenapi_base_path: /v1/", `"/v1/" is not the beginning of a path`},
		{"openapi: api.yaml\nopenapi_base_path: '/{v}'", `is not the beginning of a path`},
		{"openapi: api.yaml\nopenapi_base_path: 'GET /v1'", `is not the beginning of a path`},
		{"openapi: api.yaml\nopenapi_base_path: '/v1?x'", `is not the beginning of a path`},
		{"openapi: ''", "9:10: this is empty"},
		{"pprof: true", "profiles are shown to this machine only"},
		{"pprof: true\nadmin: 0.0.0.0:9001", "profiles are shown to this machine only"},
		{"pprof: true\nadmin: 127.0.0.1:9001", ""},
		{"pprof: false", ""},
		{"preset: keycloak", `"preset"`},

		// rules
		{rules + "report_only: true}", ""},
		{rules + "public: true, report_only: true}", `"report_only" is not used on a public rule`},
		{rules + "schemes: [basic]}", `8:26: "basic" is not bearer or dpop`},
		{rules + "profile: compat}", `8:25: "compat" is not rfc9068`},
		{rules + "scopes: ['a b']}", `8:25: "a b" is not a scope`},        // [ER-14]
		{rules + "any_scope: ['a\"']}", `is not a scope`},                 // [ER-14]
		{rules + "acr: ['a b']}", `8:22: "a b" cannot be an acr value`},   // [AZ-15]
		{rules + "max_age: 1500ms}", `8:25: max_age is counted in whole`}, // [AZ-15]
		{rules + "max_age: 0s}", `8:25: "0s" is below 1s`},
		{rules + "max_age: -5s}", `8:25: "-5s" is below 1s`},
		{rules + "max_age: 1d}", `8:25: "1d" is not a duration`},
		{rules + "max_age: '0'}", `8:25: "0" is not a duration`},
		{rules + "issuers: [login.exampl.com]}", `8:26: there is no issuer with the name "login.exampl.com"; did you mean "login.example.com"?`},
		{rules + "audience: other}", `8:26: audience "other" is not accepted from issuer "login.example.com": a rule can only narrow`}, // [AZ-10]
		{rules + "public: true, scopes: [a]}", `8:38: "scopes" is not used on a public rule`},
		{rules + "public: true, optional: true}", `8:40: "optional" is not used on a public rule`},
		{rules + "public: false, scopes: [a]}", ""},
		{"rules: []", "7:8: this list is empty"},
		{"rules:\n  - {scopes: [a]}", `8:5: "match" is missing`},
		{"rules:\n  - {match: example.com/}", "8:13: a pattern has no host"},
		{"rules:\n  - {match: /a//b}", "8:13: a path with empty segments can never match"},
		{"rules:\n  - {match: '/{x}/b'}\n  - {match: '/a/{x}'}", `9:13: "/a/{x}" and the rule in line 8 match some requests in common`},

		// identity headers
		{"forward_headers: {Host: sub}", `9:19: "Host" has a meaning of its own`},
		{"forward_headers: {Authorization: sub}", `has a meaning of its own`},
		{"forward_headers: {dpop: sub}", `has a meaning of its own`},
		{"forward_headers: {Connection: sub}", `has a meaning of its own`},
		{"forward_headers: {TE: sub}", `has a meaning of its own`},
		{"forward_headers: {transfer_encoding: sub}", `has a meaning of its own`},
		{"forward_headers: {Content-Length: sub}", `has a meaning of its own`},
		{"forward_headers: {X-Forwarded-User: sub}", `has a meaning of its own`},
		{"forward_headers: {X_HTTP_Method_Override: sub}", `has a meaning of its own`},
		{"forward_headers: {Client-Cert: sub}", `has a meaning of its own`},
		{"forward_headers: {X_SSL_Client_S_DN: sub}", `has a meaning of its own`},
		{"forward_headers: {X-Client-Verify: sub}", `has a meaning of its own`},
		{"forward_headers: {X-Client-Id: sub}", ""},
		{"forward_headers: {X Auth: sub}", `is not a header name`},
		{"forward_headers: {'X-Auth:': sub}", `is not a header name`},
		{"forward_headers: {X-Äuth: sub}", `is not a header name`},
		{"forward_headers: {'': sub}", `is not a header name`},
		{"forward_headers: {X-Auth-Sub: sub, x_auth_sub: iss}", `9:36: "X-Auth-Sub" and "x_auth_sub" are one header to many servers`},
		{"forward_headers: {X-Auth: ''}", `this is empty`},
		{"forward_headers: {X-Auth: sub, X-Exp: exp}", `9:32: the claim "exp" is not text and cannot be a header: every token would be refused`},
		{"forward_headers: {X-Amr: amr}", `is not text`},
		{"implies: {'a b': [c]}", `9:11: "a b" is not a scope`},
		{"implies: {a: ['c d']}", `9:15: "c d" is not a scope`}, // [ER-14]
	} {
		expect(t, change(c.text), c.want)
	}
}

func TestLeads(t *testing.T) {
	for _, c := range []struct {
		upstream, address string
		want              bool
	}{
		{"http://[::1]:9000", ":9000", true},
		{"http://localhost", "[::]:80", true},
		{"https://127.0.0.1", "0.0.0.0:443", true},
		{"http://[::1]:9000", "[::1]:9000", true},
		{"http://api:9000", "api:9000", true},
		{"http://other:9000", ":9000", false},
		{"http://127.0.0.2:9000", "127.0.0.1:9000", false},
		{"http://127.0.0.1:9001", "127.0.0.1:9000", false},
		{"https://127.0.0.1", "127.0.0.1:80", false},
	} {
		u, err := url.Parse(c.upstream)
		if err != nil || leads(u, c.address) != c.want {
			t.Errorf("%s to %s: got %v, %v", c.upstream, c.address, !c.want, err)
		}
	}
}

// What a fault says of a value from the environment is not the value.
func TestCheckShowsNoSecrets(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	for _, text := range []string{
		`implies: {a: ["${SECRET} b"]}`, `rules: [{match: "${SECRET}"}]`, `rules: [{match: "${SECRET} /a"}]`, `rules: [{match: "/${SECRET}/../a"}]`,
		`rules: [{match: /, acr: ["${SECRET} b"]}]`, `rules: [{match: /, issuers: ["${SECRET}"]}]`, `rules: [{match: /, audience: ["${SECRET}"]}]`,
		`issuers: [{issuer: "https://a", algorithms: ["${SECRET}"]}]`, `realm: "${SECRET}\\"`, `forward_headers: {X-A: "${SECRET}", "X A": sub}`,
	} {
		_, err := Parse("a", []byte(change(text)))
		if err == nil || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestCheckIssuers(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"issuer: https://a/, name: x}\n  - {issuer: https://b, name: x", `7:31: "x" is also that of the issuer in line 6`},
		{"issuer: https://a}\n  - {issuer: https://a, name: b", `7:14: "https://a" is also that of the issuer in line 6`},
		{"name: x", `6:5: "issuer" is missing`},
		{"issuer: http://a", "6:14: an http issuer needs allow_http"}, // [JK-01 JK-04]
		{"issuer: http://a, allow_http: true", ""},
		{"issuer: http://a, jwks_uri: https://a/k", ""},
		{"issuer: http://a, jwks_file: k", ""},
		{"issuer: login", "6:14: an issuer is an https URL"},                            // [JK-01]
		{"issuer: ftp://a", "6:14: an issuer is an https URL"},                          // [JK-01]
		{"issuer: 'https://a/?x'", "6:14: an issuer is an https URL"},                   // [JK-01]
		{"issuer: 'https://a/#x'", "6:14: an issuer is an https URL"},                   // [JK-01]
		{"issuer: https://a, jwks_uri: http://a/k", "6:35: http needs allow_http"},      // [JK-04]
		{"issuer: https://a, discovery_url: http://a/k", "6:40: http needs allow_http"}, // [JK-04]
		{"issuer: https://a, jwks_uri: https://a/k, discovery_url: https://a/d", "exclude each other"},
		{"issuer: https://a, jwks_file: k, jwks: {refresh: 5m}", `"jwks" is not used with jwks_file`},
		{"issuer: https://a, jwks_file: k, jwks_uri: https://a/k", `"jwks_uri" is not used with jwks_file`},
		{"issuer: https://a, algorithms: [none]", `6:38: algorithm "none" cannot be allowed`},   // [JO-01]
		{"issuer: https://a, algorithms: [HS256]", `6:38: algorithm "HS256" cannot be allowed`}, // [JO-04]
		{"issuer: https://a, algorithms: [rs256]", `cannot be allowed`},
		{"issuer: https://a, algorithms: []", `6:37: this list is empty`}, // [JO-01]
		{"issuer: https://a, leeway: 301s", `6:33: "301s" is above 5m`},
		{"issuer: https://a, leeway: -1s", `6:33: "-1s" is below 0s`},
		{"issuer: https://a, max_lifetime: 0s", `is below 1s`},
		{"issuer: https://a, jwks: {refresh: 10s}", `is below 1m`},
		{"issuer: https://a, jwks: {refresh: 2h, max_stale: 1h}", `max_stale is below refresh`},
		{"issuer: https://a, preset: rfc9O68", `6:33: "rfc9O68" is not a preset; did you mean "rfc9068"? (there are auth0 `},
		{"issuer: https://a, preset: keycloak, roles_claim: x, client_ids: [x]", ""},
		{"issuer: https://a, tenants: [x]", "6:34: tenants are for an issuer that contains {tenantid}"},
		{"issuer: 'https://a/{tenantid}', tenants: any, discovery_url: https://a/d", `6:14: preset "generic" has no issuers with {tenantid}`}, // [JK-22]
		{"issuer: 'https://a/{tenantid}', preset: entra, discovery_url: https://a/d", "6:14: an issuer with {tenantid} needs tenants"},        // [JK-22]
		{"issuer: 'https://a/{tenantid}', preset: entra, tenants: any", "6:14: an issuer with {tenantid} has no metadata of its own"},
		{"issuer: 'https://a/{tenantid}', preset: entra, tenants: any, discovery_url: https://a/d", ""},
		{"issuer: https://a, opaque_prefix: x", "6:40: opaque tokens need introspection"},

		// introspection
		{"issuer: https://a, introspection: {}", `"auth" is missing`},                                         // [IN-02]
		{"issuer: https://a, introspection: {auth: basic}", `"basic" is not client_secret_basic, client_sec`}, // [IN-02]
		{"issuer: https://a, introspection: {auth: client_secret_basic}", "client_secret_basic needs client_id"},
		{"issuer: https://a, introspection: {auth: client_secret_basic, client_id: a}", "needs client_secret or client_secret_file"},
		{"issuer: https://a, introspection: {auth: client_secret_post, client_id: a, client_secret: b, client_secret_file: c}", "client_secret and client_secret_file exclude each other"},
		{"issuer: https://a, introspection: {auth: client_secret_post, client_id: a, client_secret: b, key_file: c}", "key_file is not used by client_secret_post"},
		{"issuer: https://a, introspection: {auth: private_key_jwt, client_id: a}", "private_key_jwt needs key_file"},
		{"issuer: https://a, introspection: {auth: tls_client_auth, client_id: a, cert_file: b}", "tls_client_auth needs key_file"},
		{"issuer: https://a, introspection: {auth: bearer}", "bearer needs token_file"},
		{"issuer: https://a, introspection: {auth: none}", "auth none is for loopback and private endpoints"}, // [IN-02]
		{"issuer: https://a, allow_private: true, introspection: {auth: none}", ""},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, endpoint: http://a}", "http needs allow_http"}, // [JK-04]
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, always: true, every: 5s}", "always and every exclude each other"},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, every: 6m}", `"6m" is above 5m`},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, jwt: false, always: true}", "jwt: false leaves nothing for always and every"},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, opaque: false}", "nothing is asked about"},
		{"issuer: https://a, opaque_prefix: x, introspection: {auth: bearer, token_file: t, opaque: false, always: true}", "opaque: false leaves nothing for opaque_prefix"},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, opaque: false, always: true, audience: trust_server}", "trust_server is about opaque tokens"},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, signed_audience: x}", "signed_audience is not used"},
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, cache: {positive: 6m}}", `"6m" is above 5m`},                    // [IN-13]
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, cache: {negative: 11s}}", `"11s" is above 10s`},                 // [IN-13]
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, limits: {parallel: 0}}", `"0" is not a number from 1 to 10000`}, // [IN-16]
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, limits: {per_second: many}}", "this must be a number"},          // [IN-16]
		{"issuer: https://a, introspection: {auth: bearer, token_file: t, cache: {entries: 1.5}}", `"1.5" is not a number from 1`},
		{"issuer: https://a, jwks_file: k, ca_file: c, introspection: {auth: bearer, token_file: t}", ""},
		{"issuer: https://a, jwks_file: k, jwks: {refresh: 5m}, introspection: {auth: bearer, token_file: t}", `"jwks" is not used with jwks_file`},
		{"issuer: https://a, scope_claim: {type: list}", `"list" is not string or array`},
		{"issuer: https://a, audience: {a: b}", `this must be a list, not a table`},
	} {
		expect(t, change("issuers:\n  - {"+c.text+"}"), c.want)
	}
	expect(t, strings.Replace(smallest, "resource: https://api.example.com\n", "", 1), "5:5: this issuer has no audience") // [CL-09]
	cognito := strings.Replace(change("issuers:\n  - {issuer: https://a, preset: cognito, client_ids: [x]}"), "resource: https://api.example.com\n", "", 1)
	expect(t, cognito, "")
	expect(t, strings.Replace(cognito, "preset: cognito, ", "", 1), "this issuer has no audience") // [CL-10]
	expect(t, strings.Replace(cognito, ", client_ids: [x]", "", 1), "this issuer has no audience") // [CL-10]
	expect(t, strings.Replace(smallest, "resource: https://api.example.com\n", "metadata: true\n", 1), "metadata needs resource")
}

// What instances share is sealed: with a client secret, or a key of its own.
func TestCheckShared(t *testing.T) {
	secret := "{auth: client_secret_post, client_id: a, client_secret: b}"
	for _, c := range []struct{ introspection, rest, want string }{
		{secret, "redis: {url: redis://a}", ""},
		{secret, "redis: {url: redis://a, key_file: k}", ""},
		{"{auth: bearer, token_file: t}", "redis: {url: redis://a, key_file: k}", ""},
		{"{auth: bearer, token_file: t}", "redis: {url: redis://a}", "6:47: bearer has no client secret that could seal what is shared: redis needs key_file"},
		{"{auth: private_key_jwt, client_id: a, key_file: k}", "redis: {url: redis://a}", "redis needs key_file"},
		{"", "redis: {url: redis://a, key_file: k}\nrevocation: {list: redis}", "key_file is not used"},
		{"", "redis: {url: redis://a}\nrevocation: {list: redis}", ""},
		{"", "redis: {url: redis://a}", "nothing here uses redis"},
		{"", "revocation: {list: redis}", "a list on redis needs redis"},
		{"", "revocation: {list: memory}", "a list in memory is filled over admin"},
		{"", "admin: 127.0.0.1:1\nrevocation: {list: memory}", ""},
		{"", "admin: 192.0.2.1:1\nrevocation: {list: memory}", "to a loopback address"},
		{"{auth: private_key_jwt, client_id: a, key_file: k, algorithm: RS512}", "", "RS512"},
	} {
		issuer := "issuer: https://a"
		if c.introspection != "" {
			issuer += ", introspection: " + c.introspection
		}
		expect(t, change("issuers:\n  - {"+issuer+"}\n"+c.rest), c.want)
	}
}

func expect(t *testing.T, text, want string) {
	t.Helper()
	_, err := Parse("a", []byte(text))
	switch {
	case want == "" && err != nil:
		t.Errorf("%s\ngot %v", text, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
	}
}
