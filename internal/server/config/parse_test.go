package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const smallest = `listen: 127.0.0.1:9000
mode: proxy
upstream: http://127.0.0.1:9100
resource: https://api.example.com
issuers:
  - issuer: https://login.example.com
rules:
  - {match: "GET /read", scopes: [read]}
`

const everything = `# every key that is built
listen: 0.0.0.0:9000
admin: 127.0.0.1:9001
mode: proxy
upstream: https://backend.internal
upstream_ca_file: ca.pem
upstream_timeouts: {connect: 1s, answer: 0s}
forward_credentials: true
resource: https://api.example.com/v1
metadata: false
realm: api
plain_behind_tls: true
public_url: [https://api.example.com/v1, "https://API.example.org:8443"]
trusted_proxies: [10.0.0.0/8, 192.0.2.1, "2001:db8::/32"]
forwarded: rfc7239
client_cert_header: {name: Client-Cert, format: rfc9440}
dpop:
  enabled: true
  replay: memory
  entries: 1000
  window: 30s
  future: 0s
  nonce: adaptive
  nonce_keys_file: nonces
  stray_proof: refuse
  algorithms: [ES256, EdDSA]
fapi: false
issuers:
  - issuer: https://login.example.com
    name: main
    preset: generic
    audience: https://api.example.com
    profile: compat
    algorithms: [RS256, EdDSA]
    leeway: 0s
    max_lifetime: 24h
    discovery_url: http://10.0.0.1/.well-known/oauth-authorization-server
    allow_private: true
    allow_http: true
    ca_file: ca.pem
    jwks: {refresh: 5m, cooldown: 10s, max_stale: 1h}
    scope_claim: {name: scp, type: array}
  - issuer: https://two.example.com/realm/
    preset: rfc9068
    audience: ["https://api.example.com", other]
    jwks_uri: https://two.example.com/keys
    require: {repository_id: ["1", "2"]}
  - issuer: http://keycloak:8080/realms/x
    jwks_file: keys.json
  - issuer: https://login.microsoftonline.com/{tenantid}/v2.0
    name: entra
    preset: entra
    discovery_url: https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration
    tenants: any
    client_ids: [one, two]
    roles_claim: realm_access.roles
  - issuer: https://opaque.example.com
    opaque_prefix: ory_at_
    introspection:
      endpoint: https://opaque.example.com/introspect
      auth: client_secret_basic
      client_id: api
      client_secret_file: secret
      always: true
      opaque: true
      jwt: true
      token_type_hint: false
      audience: trust_server
      signed_response: require
      signed_audience: api
      cache: {positive: 0s, negative: 1s, entries: 1000, ignore_no_store: true}
      limits: {parallel: 8, per_second: 100, timeout: 1s}
  - issuer: https://assertion.example.com
    introspection: {auth: private_key_jwt, client_id: api, key_file: key.pem, key_id: k1, algorithm: ES256, assertion_audience: "https://as", every: 60s, opaque: false}
  - issuer: https://bearer.example.com
    opaque_prefix: b_
    introspection: {auth: bearer, token_file: token}
  - issuer: https://post.example.com
    opaque_prefix: p_
    introspection: {auth: client_secret_post, client_id: api, client_secret: secret}
redis: {url: "redis://127.0.0.1:6379/0", prefix: "bw:", timeout: 100ms, ca_file: ca.pem, key_file: shared.key}
revocation: {list: redis, retention: 48h}
cache: {disabled: false, entries: 5000, ttl: 1m}
rules:
  - {match: "GET /read", scopes: [read], any_scope: [a, b], issuers: [main, two.example.com/realm/], schemes: [bearer, dpop], binding: if-bound}
  - match: "POST /payments"
    roles: [payer]
    permissions: [pay]
    groups: [staff]
    details:
      - {type: payment, actions: [initiate], datatypes: [iban], privileges: [admin], identifier: "1", fields: {currency: [EUR]}}
  - {match: "/strict", profile: rfc9068, audience: "https://api.example.com", issuers: [main]}
  - match: /step-up/{rest...}
    acr: [phr, phrh]
    max_age: 300s
    user_only: true
    no_delegation: true
    hide: true
  - {match: "/maybe", optional: true, report_only: true}
  - {match: "/proven", binding: dpop, nonce: required}
  - {match: "GET /healthz", public: true}
openapi: api.yaml
openapi_base_path: /v1
forward_headers: {X-Auth-Subject: sub, X-Auth-Tenant: tenant}
implies: {admin: [read, write]}
report_only: true
pprof: true
wait_ready: 30s
drain: 5s
log: {level: debug, format: json}
`

func TestParseDefaults(t *testing.T) {
	f, err := Parse("a.yaml", []byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	i := f.Issuers[0]
	want := Issuer{
		Issuer: "https://login.example.com", Name: "login.example.com", Preset: "generic",
		Audience: []string{"https://api.example.com"}, Leeway: time.Minute,
		JWKS: JWKS{Refresh: 15 * time.Minute, Cooldown: 30 * time.Second, MaxStale: 24 * time.Hour},
	}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Error(diff)
	}
	if !f.Metadata || f.TLS != nil || f.Admin != "" || f.Log != (Log{Level: "info", Format: "text"}) || f.Rules[0].Binding != "if-bound" ||
		f.DPoP != nil || f.FAPI || f.PublicURL != nil || f.TrustedProxies != nil || f.Forwarded != "none" || f.ClientCertHeader != nil || f.Rules[0].Nonce != "" {
		t.Errorf("defaults: %+v", f)
	}
}

func TestParseEverything(t *testing.T) {
	f, err := Parse("a.yaml", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	if f.Upstream.String() != "https://backend.internal" || !f.ForwardCredentials || f.Metadata || f.Realm != "api" || !f.PlainBehindTLS {
		t.Errorf("top: %+v", f)
	}
	if f.UpstreamCAFile != "ca.pem" || f.UpstreamTimeouts != (UpstreamTimeouts{time.Second, 0}) {
		t.Errorf("upstream: %+v", f)
	}
	if f.Cache != (Cache{false, 5000, time.Minute}) {
		t.Errorf("cache: %+v", f.Cache)
	}
	one, two, three := f.Issuers[0], f.Issuers[1], f.Issuers[2]
	if one.Leeway != 0 || one.MaxLifetime != 24*time.Hour || one.DiscoveryURL.Host != "10.0.0.1" || !one.AllowPrivate || !one.AllowHTTP ||
		one.JWKS != (JWKS{5 * time.Minute, 10 * time.Second, time.Hour}) || *one.ScopeClaim != (ScopeClaim{"scp", "array"}) || one.CAFile != "ca.pem" {
		t.Errorf("first issuer: %+v", one)
	}
	if !slices.Equal(one.Algorithms, []string{"RS256", "EdDSA"}) || !slices.Equal(two.Audience, []string{"https://api.example.com", "other"}) {
		t.Errorf("lists: %v %v", one.Algorithms, two.Audience)
	}
	if !slices.Equal(two.Require["repository_id"], []string{"1", "2"}) {
		t.Errorf("require: %v", two.Require)
	}
	if two.Name != "two.example.com/realm/" || three.Name != "keycloak:8080/realms/x" || !slices.Equal(three.Audience, []string{f.Resource}) {
		t.Errorf("derived: %q %q %q", two.Name, three.Name, three.Audience)
	}
	five := f.Issuers[4].Introspection
	if five.Auth != "client_secret_basic" || !five.Always || five.TokenTypeHint || five.Audience != "trust_server" || five.Cache != (IntrospectionCache{0, time.Second, 1000, true}) || five.Limits != (IntrospectionLimits{8, 100, time.Second}) {
		t.Errorf("introspection: %+v", five)
	}
	if six := f.Issuers[5].Introspection; six.Every != time.Minute || six.Opaque || !six.JWT || six.Cache != (IntrospectionCache{30 * time.Second, 5 * time.Second, 100_000, false}) || six.Limits != (IntrospectionLimits{64, 500, 3 * time.Second}) {
		t.Errorf("introspection: %+v", six)
	}
	if d := f.Rules[1].Details[0]; d.Type != "payment" || !slices.Equal(d.Fields["currency"], []string{"EUR"}) {
		t.Errorf("details: %+v", d)
	}
	if !f.Pprof || !f.ReportOnly || !f.Rules[4].ReportOnly || f.Rules[0].ReportOnly {
		t.Error("report_only is lost")
	}
	step := f.Rules[3]
	if step.MaxAge != 5*time.Minute || !slices.Equal(step.ACR, []string{"phr", "phrh"}) || !step.UserOnly || !step.NoDelegation || !step.Hide {
		t.Errorf("rule: %+v", step)
	}
	if r := f.Rules[5]; r.Binding != "dpop" || r.Nonce != "required" || !slices.Equal(f.Rules[0].Schemes, []string{"bearer", "dpop"}) {
		t.Errorf("senders: %+v", r)
	}
	if f.ForwardHeaders["X-Auth-Tenant"] != "tenant" || !slices.Equal(f.Implies["admin"], []string{"read", "write"}) {
		t.Errorf("maps: %v %v", f.ForwardHeaders, f.Implies)
	}
	if f.OpenAPI != "api.yaml" || f.OpenAPIBasePath != "/v1" {
		t.Errorf("document: %q %q", f.OpenAPI, f.OpenAPIBasePath)
	}
	got := f.Faults(f.Fault("rules[2].unset", errors.New("two")), f.Fault("issuers[0].ca_file", errors.New("one")))
	if want := "a.yaml:40:14: one\na.yaml:92:5: two"; got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if err := f.Faults(); err != nil {
		t.Errorf("no fault: %v", err)
	}
}

// excluded are keys that exclude others; they have tests of their own.
var excluded = []string{"tls", "cert_file", "key_file", "client_certs", "forward_auth", "single_line_challenge", "status_for_400"}

// A file has rules of its own, or those of a document.
func TestRulesOrADocument(t *testing.T) {
	bare, _, _ := strings.Cut(smallest, "rules:")
	if f, err := Parse("a", []byte(bare+"openapi: api.yaml\n")); err != nil || f.OpenAPI != "api.yaml" || !slices.Equal(f.Files(), []string{"api.yaml"}) {
		t.Errorf("got %v", err)
	}
	for _, text := range []string{bare, bare + "openapi:\n"} {
		if _, err := Parse("a", []byte(text)); err == nil || strings.Contains(err.Error(), `"rules" is missing`) == strings.Contains(text, "openapi") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// Every key of the reference is in the file above or excludes one that is.
func TestEverythingIsEverything(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		fields, known := schema(typ)
		for i, key := range known {
			if !strings.Contains(everything, key+":") && !slices.Contains(excluded, key) {
				t.Errorf("%s is not tested", key)
			}
			inner := typ.Field(fields[i].index).Type
			for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && inner != urlType.Elem() {
				walk(inner)
			}
		}
	}
	walk(reflect.TypeFor[File]())
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := Parse("dir/a.yaml", []byte(`listen: 9000
mode: proxi
upstrem: http://127.0.0.1:9100
realm: api
issuers:
  - issuer: https://login.example.com
    leeway: 60
    profile:
    audience: [a, 5]
    leeway: 5s
rules:
  - {match: "GET /read", scopes: [read], biding: dpop}
  - match: GET /read
`))
	want := `dir/a.yaml:1:9: this must be text, not a number: put it in quotes if it is
dir/a.yaml:2:7: "proxi" is not proxy, forward-auth or ext-authz; did you mean "proxy"?
dir/a.yaml:3:1: unknown key "upstrem"; did you mean "upstream"?
dir/a.yaml:7:13: the duration "60" has no unit: write 60s, 60m or 60h
dir/a.yaml:8:5: "profile" has no value: leave the key out to use its default
dir/a.yaml:9:19: this must be text, not a number: put it in quotes if it is
dir/a.yaml:10:5: "leeway" is a duplicate of the key in line 7
dir/a.yaml:12:42: unknown key "biding"; did you mean "binding"?
dir/a.yaml:13:12: "GET /read" and the rule in line 12 match some requests in common and none of both is more specific`
	if err == nil {
		t.Fatal("no fault")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("BW_HOST", "127.0.0.1")
	t.Setenv("BW_BOOL", "true")
	t.Setenv("BW_AGE", "90s")
	t.Setenv("BW_SECRET", "hunter2")
	t.Setenv("BW_YAML", "[a, b]")
	text := strings.Replace(smallest, "127.0.0.1:9000", "${BW_HOST}:9000", 1) +
		"forward_credentials: ${BW_BOOL}\nrealm: $${BW_HOST} $x ${BW_YAML}\n"
	text = strings.Replace(text, "scopes: [read]", "max_age: \"${BW_AGE}\"", 1)
	f, err := Parse("a", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if f.Listen != "127.0.0.1:9000" || !f.ForwardCredentials || f.Realm != "${BW_HOST} $x [a, b]" || f.Rules[0].MaxAge != 90*time.Second {
		t.Errorf("got %+v", f)
	}
	for text, want := range map[string]string{
		"realm: ${BW_UNSET_NAME}":        "a:9:8: the environment variable BW_UNSET_NAME is not set",
		"realm: ${BW HOST}":              "a:9:8: ${ is not followed by a name",
		"realm: ${BW_HOST":               "a:9:8: ${ is not followed by a name",
		"realm: ${}":                     "a:9:8: ${ is not followed by a name",
		"realm: ${1X}":                   "a:9:8: ${ is not followed by a name",
		"plain_behind_tls: ${BW_SECRET}": "a:9:19: this must be true or false",
		"log: {level: \"${BW_SECRET}\"}": "a:9:14: the value from the environment is not debug",
		"implies: {\"${BW_HOST}\": [a]}": "a:9:11: ${NAME} works in values only",
	} {
		_, err := Parse("a", []byte(smallest+text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the fault prints the value: %v", text, err)
		}
	}
}

func TestNotYAMLAsMeant(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "a:1:1: the file is empty",
		"# nothing\n":                       "a:1:1: the file is empty",
		"- a\n":                             "a:1:1: the file must be a table of keys, not a list",
		"text":                              "a:1:1: the file must be a table of keys, not text",
		"a: [1, 2":                          "a:2:1: this is not valid YAML: did not find expected ',' or ']' while parsing a flow sequence",
		"a:\n\tb: 1":                        "a:2:1: this is not valid YAML: ",
		"a: b: c":                           "a:1:5: this is not valid YAML: ",
		"\xff":                              "a:1:1: the file is not UTF-8",
		"a: b\nc: \x00":                     "a:2:4: the file is not UTF-8",
		strings.Repeat("#", maxFile+1):      "a:1:1: the file is longer than 262144 bytes",
		"a: " + strings.Repeat("[", 100):    "a:1:68: the file has more than 64 levels",
		"a:\n " + strings.Repeat("- ", 100): "a:2:130: the file has more than 64 levels",
		strings.Repeat("? ", 100):           "a:1:129: the file has more than 64 levels",
		"\ufeffa: b":                        "a:1:1: there is a byte order mark",
		"---\na: 1\n---\nb: 1\n":            "a:1:1: the file has more than one YAML document",
		"%YAML 1.2\n---\na: 1\n":            "a:1:1: this is not valid YAML: found incompatible YAML document",
		"&root {a: 1}":                      "a:1:1: anchors and aliases",
	} {
		_, err := Parse("a", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"realm: &x api":                  "a:9:8: anchors and aliases are not used here",
		"realm: *x":                      "a:9:8: this is not valid YAML: unknown anchor",
		"realm: &x a\nx: *x":             "a:10:4: anchors and aliases are not used here",
		"<<: {realm: x}":                 "a:9:1: merge keys are not used here",
		"realm: !!str api":               "a:9:8: tags are not used here",
		"? [realm]\n: api":               "a:9:3: a key must be plain or quoted text",
		"!!str realm: api":               "a:9:1: a key must be plain or quoted text",
		"realm: ~":                       `a:9:1: "realm" has no value`,
		"realm: null":                    `a:9:1: "realm" has no value`,
		"realm:":                         `a:9:1: "realm" has no value`,
		"log: {level: ~}":                `a:9:7: "level" has no value`,
		"implies: {a: [~]}":              `a:9:15: "a[0]" has no value`,
		"realm: \"\"":                    "a:9:8: this is empty",
		"1: x":                           `a:9:1: unknown key "1"`,
		"realm: {a: b}":                  "a:9:8: this must be text, not a table",
		"log: info":                      "a:9:6: this must be a table, not text",
		"tls: []":                        "a:9:6: this must be a table, not a list",
		"tls: {cert_file: , key_file: }": "a:9:7: \"cert_file\" has no value\na:9:20: \"key_file\" has no value",
		"tls: {cert_file: a}":            `a:9:6: "key_file" is missing`,
		"implies: [a]":                   "a:9:10: this must be a table, not a list",
		"implies: {a: b}":                "a:9:14: this must be a list, not text",
		"implies: {a: []}":               "a:9:14: this list is empty",
		"metadata: \"true\"":             "a:9:11: this must be true or false",
		"metadata: yes":                  "a:9:11: this must be true or false",
		"metadata: 1":                    "a:9:11: this must be true or false",
		"realm: 1.5":                     "a:9:8: this must be text, not a number",
		"realm: true":                    "a:9:8: this must be text, not true or false",
		"realm: .inf":                    "a:9:8: this must be text, not a number",
		"mode: proxy":                    `a:9:1: "mode" is a duplicate of the key in line 2`,
		"log: {level: inf, level: inf}":  `a:9:14: "inf" is not debug, info, warn or error; did you mean "info"?`,
	} {
		_, err := Parse("a", []byte(smallest+text+"\n"))
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// A colon without a space is part of a word, everywhere: scopes are written so.
func TestColonsInWords(t *testing.T) {
	f, err := Parse("a", []byte(smallest+"implies: {orders:admin: [orders:read, \"orders:write\"]}\n"+
		"forward_headers: {X-Subject: urn:example:sub}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Implies["orders:admin"]; !slices.Equal(got, []string{"orders:read", "orders:write"}) {
		t.Errorf("implies: %q", f.Implies)
	}
	if f.ForwardHeaders["X-Subject"] != "urn:example:sub" {
		t.Errorf("headers: %q", f.ForwardHeaders)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte(everything))
	f.Add([]byte("a: &x [*x]\n<<: *x\n? {a: b}\n: c"))
	f.Add([]byte("rules: [{match: \"/{\"}, {match: \"GET  /%zz\"}, ~]\nissuers: {}\nimplies: {~: [${X}]}"))
	f.Add([]byte("listen: \"${\"\nupstream: \"http://[::1\"\nadmin: !!binary x\ntls: |\n  x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("f", data)
		if (file == nil) == (err == nil) {
			t.Fatalf("got %v and %v", file, err)
		}
		var faults *Faults
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("not a list of faults: %v", err)
		}
	})
}
