package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// All keys of sender constraints, and what they become.
func TestSenders(t *testing.T) {
	f, err := Parse("a.yaml", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	want := File{
		PublicURL:        []string{"https://api.example.com/v1", "https://API.example.org:8443"},
		TrustedProxies:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32")},
		Forwarded:        "rfc7239",
		ClientCertHeader: &ClientCertHeader{"Client-Cert", "rfc9440"},
		DPoP: &DPoP{
			Enabled: true, Replay: "memory", Entries: 1000, Window: 30 * time.Second, Nonce: "adaptive",
			NonceKeysFile: "nonces", StrayProof: "refuse", Algorithms: []string{"ES256", "EdDSA"},
		},
	}
	got := File{PublicURL: f.PublicURL, TrustedProxies: f.TrustedProxies, Forwarded: f.Forwarded, ClientCertHeader: f.ClientCertHeader, DPoP: f.DPoP, FAPI: f.FAPI}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(File{}), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

func TestSendersByDefault(t *testing.T) {
	f, err := Parse("a.yaml", []byte(change("dpop: {}\ntls: {cert_file: a, key_file: b}\npublic_url: https://a")))
	if err != nil {
		t.Fatal(err)
	}
	want := &DPoP{Enabled: true, Replay: "memory", Entries: 4_000_000, Window: time.Minute, Future: 10 * time.Second, Nonce: "off", StrayProof: "ignore"}
	if diff := cmp.Diff(want, f.DPoP); diff != "" {
		t.Error(diff)
	}
	if f.TLS.ClientCerts != "request" || len(f.PublicURL) != 1 { // [MT-03]
		t.Errorf("got %+v %q", f.TLS, f.PublicURL)
	}
	f, err = Parse("a.yaml", []byte(change("dpop: {enabled: false}")))
	if err != nil || f.DPoP != nil {
		t.Errorf("switched off: got %+v, %v", f, err)
	}
}

func TestCheckProxies(t *testing.T) {
	const trusted = "trusted_proxies: [127.0.0.0/8]\n"
	const header = "client_cert_header: {format: rfc9440, name: "
	for _, c := range []struct{ text, want string }{
		// public URLs
		{"public_url: https://api.example.com", ""},
		{"public_url: http://localhost:8080/v1/", ""},
		{"public_url: 'https://[::1]/v1'", ""},
		{"public_url: [https://a, http://a, 'https://a:8443']", ""},
		{"public_url: api.example.com", "9:13: \"api.example.com\" is not http or https, a host, and perhaps a prefix"},
		{"public_url: ftp://a", "9:13: \"ftp://a\" is not http or https, a host"},
		{"public_url: [https://a, 'https://b?x']", "9:25: \"https://b?x\" is not"},
		{"public_url: 'https://b#x'", "is not http or https, a host"},
		{"public_url: 'https://b?'", "is not http or https, a host"},
		{"public_url: 'https://u@b'", "is not http or https, a host"},
		{"public_url: 'https://b/a b'", "is not http or https, a host"},
		{"public_url: 'https://b/ä'", "is not http or https, a host"},
		{"public_url: 'https://b/%zz'", "is not http or https, a host"},
		{"public_url: 'https://b:99999'", "is not http or https, a host"},
		{"public_url: 'https://:80'", "is not http or https, a host"},
		{"public_url: https:///a", "is not http or https, a host"},
		{"public_url: [https://a, http://sa, https://a/y]", "there is one of the origin of \"https://a/y\" already"},
		{"public_url: [https://a/x, https://a/y]", "9:27: there is one of the origin of \"https://a/y\" already: Host cannot tell them apart"}, // [DP-12]
		{"public_url: [https://a, 'https://A:443/']", "there is one of the origin of \"https://A:443/\" already"},                              // [DP-12]
		{"public_url: ['http://[::1]:80', 'http://[::1]']", "there is one of the origin of"},                                                   // [DP-12]
		{"public_url: []", "9:13: this list is empty"},

		// trusted proxies
		{"forwarded: x-forwarded\ntrusted_proxies: [10.0.0.1, '::1', '2001:db8::/64']", ""},
		{"forwarded: none", ""},
		{"forwarded: nginx", `9:12: "nginx" is not none, x-forwarded or rfc7239`},
		{"forwarded: x-forwarded", "9:12: forwarded is believed of trusted_proxies only, and there are none"}, // [DP-12]
		{"forwarded: rfc7239", "9:12: forwarded is believed of trusted_proxies only"},                         // [DP-12]
		{header + "Client-Cert}", "9:21: client_cert_header is believed of trusted_proxies only"},             // [MT-07]
		{trusted, "9:18: trusted_proxies are trusted with nothing: set forwarded or client_cert_header"},
		{trusted + "forwarded: none", "9:18: trusted_proxies are trusted with nothing"},
		{trusted + "client_cert_header: {}", `"name" is missing`},
		{"forwarded: rfc7239\ntrusted_proxies: [0.0.0.0/0]", "10:19: this trusts everybody"},              // [MT-07 DP-12]
		{"forwarded: rfc7239\ntrusted_proxies: [10.0.0.1, '::/0']", "10:29: this trusts everybody"},       // [MT-07 DP-12]
		{"forwarded: rfc7239\ntrusted_proxies: [proxy.example]", `10:19: "proxy.example" is not an addr`}, // [DP-12]
		{"forwarded: rfc7239\ntrusted_proxies: ['10.0.0.1:80']", "is not an address, like 192.0.2.1"},
		{"forwarded: rfc7239\ntrusted_proxies: ['fe80::1%eth0']", "is not an address, like 192.0.2.1"},
		{"forwarded: rfc7239\ntrusted_proxies: [10.0.0.0/33]", "is not an address, like 192.0.2.1"},
		{"forwarded: rfc7239\ntrusted_proxies: [5]", "10:19: this must be text"},
		{"forwarded: rfc7239\ntrusted_proxies: 10.0.0.1", "10:18: this must be a list"},
		{"forwarded: rfc7239\ntrusted_proxies: []", "10:18: this list is empty"},
		{"forwarded: rfc7239\ntrusted_proxies: [10.0.0.1/8]", `10:19: "10.0.0.1/8" is an address inside of a range`},
		{"forwarded: rfc7239\ntrusted_proxies: ['::ffff:10.0.0.1']", "is IPv4 written as IPv6"},

		// the certificate header
		{trusted + header + "Client-Cert}", ""},
		{trusted + header + "X-SSL-Client-Cert}", ""},
		{trusted + header + "X-Forwarded-Client-Cert}", ""},
		{trusted + header + "X-Forwarded-Tls-Client-Cert}", ""},
		{trusted + header + "Authorization}", `10:45: "Authorization" has a meaning of its own and cannot carry a certificate`},
		{trusted + header + "dpop}", "has a meaning of its own"},
		{trusted + header + "X_Forwarded_For}", "has a meaning of its own"},
		{trusted + header + "X-Original-Cert}", "has a meaning of its own"},
		{trusted + header + "'Client Cert'}", `"Client Cert" is not a header name`},
		{trusted + "client_cert_header: {name: Client-Cert}", `10:21: "format" is missing`},
		{trusted + "client_cert_header: {format: xfcc}", `10:21: "name" is missing`},
		{trusted + "client_cert_header: {name: A, format: pem}", `10:39: "pem" is not rfc9440, pem-urlencoded, pem-oneline, xfcc or base64-der`},
		{trusted + header + "X-Cert}\nforward_headers: {x_cert: sub}", `11:19: "x_cert" of forward_headers and the name of client_cert_header in line 10 are one header to many servers`},
	} {
		expect(t, change(c.text+"\ndpop: {}"), c.want)
	}
}

func TestCheckProofs(t *testing.T) {
	const redis = "redis: {url: redis://a}\n"
	rule := func(keys string) string { return "rules:\n  - {match: /, " + keys + "}\n" }
	for _, c := range []struct{ text, want string }{
		{"dpop: {}", ""},
		{"dpop: {enabled: true}", ""},
		{"dpop:", `9:1: "dpop" has no value`},
		{"dpop: true", "9:7: this must be a table"},
		{"dpop: {enabled: yes}", "9:17: this must be true or false"},
		{"dpop: {window: 4s}", `9:16: "4s" is below 5s`},     // [DP-13]
		{"dpop: {window: 301s}", `9:16: "301s" is above 5m`}, // [DP-13]
		{"dpop: {window: 60}", `the duration "60" has no unit`},
		{"dpop: {future: 61s}", `9:16: "61s" is above 1m`}, // [DP-13]
		{"dpop: {future: -1s}", `9:16: "-1s" is below 0s`},
		{"dpop: {entries: 0}", `9:17: "0" is not a number from 1 to 100000000`}, // [DP-22]
		{"dpop: {nonce: on}", `9:15: "on" is not off, adaptive or required`},
		{"dpop: {nonce: off}", ""},
		{"dpop: {replay: none}", `9:16: "none" is not memory or redis`},
		{"dpop: {stray_proof: drop}", `9:21: "drop" is not ignore or refuse`},
		{"dpop: {algorithms: [ES256, HS256]}", `9:28: algorithm "HS256" cannot be allowed`}, // [DP-05]
		{"dpop: {algorithms: [none]}", `9:21: algorithm "none" cannot be allowed`},          // [DP-05]
		{"dpop: {algorithms: []}", "this list is empty"},

		// what instances share
		{redis + "dpop: {replay: redis}", ""},
		{redis + "dpop: {replay: redi}", `10:16: "redi" is not memory or redis; did you mean`},
		{redis + "dpop: {replay: memory}", "9:8: nothing here uses redis"},
		{"dpop: {replay: redis}", "9:16: used proofs on redis need redis"},
		{redis + "dpop: {replay: redis, entries: 1000}", "10:32: entries is not used: used proofs are on redis"},
		{redis + "dpop: {replay: redis, nonce: required}", "10:16: instances that share used proofs and ask for nonces need nonce_keys_file"},          // [DP-27]
		{redis + "dpop: {replay: redis, nonce: adaptive}", "need nonce_keys_file"},                                                                     // [DP-27]
		{rule("nonce: required") + redis + "dpop: {replay: redis}", "10:16: instances that share used proofs and ask for nonces need nonce_keys_file"}, // [DP-27]
		{redis + "dpop: {replay: redis, nonce: required, nonce_keys_file: k}", ""},
		{redis + "dpop: {replay: redis, nonce_keys_file: k}", "10:40: nonce_keys_file is not used: no nonces are asked for"},
		{"dpop: {nonce_keys_file: k}", "9:25: nonce_keys_file is not used"},
		{rule("nonce: adaptive") + "dpop: {nonce_keys_file: k}", ""},
		{rule("nonce: off") + "dpop: {nonce_keys_file: k}", "nonce_keys_file is not used"},
		{"dpop: {enabled: false}", ""},
		{"dpop: {enabled: false, nonce_keys_file: k, window: 60s, replay: redis}", ""}, // switched off as it is
		{"public_url: https://a\ndpop: {enabled: false}", ""},                          // serve says that nothing uses it
		{"forwarded: none", ""},

		// schemes
		{rule("schemes: [dpop]") + "dpop: {}", ""},
		{rule("schemes: [bearer, dpop]"), "8:34: scheme dpop needs dpop: without it no proofs are judged"},
		{rule("schemes: [dpop]") + "dpop: {enabled: false}", "8:26: scheme dpop needs dpop"},

		// bindings
		{rule("binding: if-bound"), ""},
		{rule("binding: dpop") + "dpop: {}", ""},
		{rule("binding: dpop"), "8:25: binding dpop needs dpop"},                            // [DP-18]
		{rule("binding: dpop") + "dpop: {enabled: false}", "8:25: binding dpop needs dpop"}, // [DP-18]
		{rule("binding: dpop, schemes: [bearer]") + "dpop: {}", "8:25: binding dpop where schemes has no dpop leaves no way to send a token"},
		{rule("binding: mtls"), "8:25: binding mtls needs client certificates, and none can arrive: set tls with client_certs, or client_cert_header"}, // [MT-01]
		{rule("binding: mtls") + "tls: {cert_file: a, key_file: b, client_certs: none}", "8:25: binding mtls needs client certificates"},               // [MT-01]
		{rule("binding: mtls") + "tls: {cert_file: a, key_file: b}", ""},
		{rule("binding: mtls") + "tls: {cert_file: a, key_file: b, client_certs: require}", ""},
		{rule("binding: mtls") + "trusted_proxies: [127.0.0.1]\nclient_cert_header: {name: A, format: xfcc}", ""},
		{rule("binding: bound"), "8:25: binding bound needs dpop, or client certificates"},
		{rule("binding: bound") + "dpop: {}", ""},
		{rule("binding: bound") + "tls: {cert_file: a, key_file: b}", ""},
		{rule("binding: bound, schemes: [bearer]") + "dpop: {}", "8:25: binding bound needs dpop, or client certificates"},
		{rule("binding: bound, schemes: [bearer]") + "tls: {cert_file: a, key_file: b}", ""},
		{rule("binding: none"), `8:25: "none" is not if-bound, bound, dpop or mtls`},
		{rule("public: true, binding: dpop"), `"binding" is not used on a public rule`},
		{rule("public: true, nonce: off"), `"nonce" is not used on a public rule`},
		{"tls: {cert_file: a, key_file: b, client_certs: verify}", `9:48: "verify" is not request, require or none`},

		// nonces of rules
		{rule("nonce: required") + "dpop: {}", ""},
		{rule("nonce: required") + "dpop: {nonce: adaptive}", ""},
		{rule("nonce: off"), ""},
		{rule("nonce: required"), "8:23: nonce required needs dpop"},
		{rule("nonce: required") + "dpop: {enabled: false}", "8:23: nonce required needs dpop"},
		{rule("nonce: off") + "dpop: {nonce: adaptive}", "8:23: nonce off is less than the adaptive of dpop: a rule can only raise it"},           // [DP-25]
		{rule("nonce: adaptive") + "dpop: {nonce: required}", "8:23: nonce adaptive is less than the required of dpop: a rule can only raise it"}, // [DP-25]
		{rule("nonce: required, schemes: [bearer]") + "dpop: {}", "8:23: nonce is about proofs, and schemes has no dpop"},
	} {
		expect(t, change(c.text), c.want)
	}
}

func TestCheckFAPI(t *testing.T) {
	const revocation = "admin: 127.0.0.1:1\nrevocation: {list: memory}\n"
	const fapi = "fapi: true\ndpop: {}\n" + revocation
	rule := func(keys string) string { return "rules:\n  - {match: /, " + keys + "}\n" }
	issuer := func(keys string) string { return "issuers:\n  - {issuer: https://a, " + keys + "}\n" }
	for _, c := range []struct{ text, want string }{
		{fapi, ""},
		{"fapi: false", ""},
		{"fapi: true\ntls: {cert_file: a, key_file: b}\n" + revocation, ""},
		{"fapi: true\n" + revocation, "9:7: fapi demands bound tokens: it needs dpop, or client certificates"},                              // [HS-03]
		{"fapi: true\ndpop: {enabled: false}\n" + revocation, "9:7: fapi demands bound tokens"},                                             // [HS-03]
		{"fapi: true\ndpop: {}", "6:5: fapi demands that no revoked token passes: set revocation, or introspection with always or every"},   // [HS-01]
		{issuer("introspection: {auth: bearer, token_file: t}") + "fapi: true\ndpop: {}", "6:5: fapi demands that no revoked token passes"}, // [HS-01]
		{issuer("introspection: {auth: bearer, token_file: t, always: true}") + "fapi: true\ndpop: {}", ""},
		{issuer("introspection: {auth: bearer, token_file: t, every: 5s}") + "fapi: true\ndpop: {}", ""},
		{issuer("introspection: {auth: bearer, token_file: t, jwt: false}") + "fapi: true\ndpop: {}", ""},
		{issuer("algorithms: [PS256, ES256, EdDSA, Ed25519]") + fapi, ""},
		{issuer("algorithms: [PS256, RS256]") + fapi, `6:45: algorithm "RS256" is none of FAPI 2.0, which has PS256, ES256 and EdDSA`}, // [HS-04]
		{"fapi: true\ndpop: {algorithms: [RS256]}\n" + revocation, `10:21: algorithm "RS256" is none of FAPI 2.0`},                     // [HS-04]
		{"fapi: true\ndpop: {nonce: adaptive}\n" + revocation, "10:15: adaptive nonces are no part of FAPI 2.0"},                       // [DP-25]
		{"fapi: true\ndpop: {nonce: required}\n" + revocation, ""},
		{rule("nonce: adaptive") + fapi, "8:23: adaptive nonces are no part of FAPI 2.0"}, // [DP-25]
		{rule("nonce: required") + fapi, ""},
		{rule("binding: if-bound") + fapi, "8:25: fapi demands bound tokens of every rule"}, // [HS-03]
		{rule("binding: dpop") + fapi, ""},
		{rule("schemes: [bearer]") + fapi, "8:25: fapi demands bound tokens, and schemes without dpop leaves no way to send one"},
		{rule("schemes: [bearer]") + fapi + "tls: {cert_file: a, key_file: b}", ""},
	} {
		expect(t, change(c.text), c.want)
	}
}

// Everything that is wrong is said at once, and nothing that only follows.
func TestAllSenderFaultsAtOnce(t *testing.T) {
	_, err := Parse("a", []byte(change(`rules:
  - {match: /a, binding: dpop, nonce: lots}
  - {match: /b, binding: mtls, schemes: [dpop]}
  - {match: /c, nonce: off}
public_url: [https://a, https://a/b]
trusted_proxies: [127.0.0.1/8]
forwarded: nginx
client_cert_header: {name: Host, format: xfcc}
dpop: {replay: redis, nonce: required, window: 1h}
tls: {cert_file: a, key_file: b, client_certs: all}`)))
	want := `a:8:39: "lots" is not off, adaptive or required
a:10:24: nonce off is less than the required of dpop: a rule can only raise it
a:11:25: there is one of the origin of "https://a/b" already: Host cannot tell them apart
a:12:19: "127.0.0.1/8" is an address inside of a range: write the address alone, or the first of the range
a:13:12: "nginx" is not none, x-forwarded or rfc7239
a:14:28: "Host" has a meaning of its own and cannot carry a certificate
a:15:16: used proofs on redis need redis
a:15:16: instances that share used proofs and ask for nonces need nonce_keys_file: each would refuse the nonces of the others
a:15:48: "1h" is above 5m
a:16:48: "all" is not request, require or none`
	if err == nil {
		t.Fatal("no fault")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	// A table that is not one says nothing about the rules that need it.
	_, err = Parse("a", []byte(change("rules: [{match: /a, binding: dpop, nonce: required, schemes: [dpop]}, {match: /b, binding: mtls}]\ndpop: yes\nclient_cert_header: yes")))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v", err)
	}
	_, err = Parse("a", []byte(change("redis: {url: redis://a}\ndpop: {replay: redi}")))
	if err == nil || strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("got %v", err)
	}
}

// A value from the environment is not shown.
func TestSenderFaultsShowNoSecrets(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	for _, text := range []string{
		`public_url: "${SECRET}"`, `public_url: ["https://${SECRET}", "https://${SECRET}/x"]`, `forwarded: "${SECRET}"`,
		"forwarded: rfc7239\ntrusted_proxies: [\"${SECRET}\"]", `dpop: {algorithms: ["${SECRET}"]}`, `dpop: {nonce: "${SECRET}"}`,
		"trusted_proxies: [127.0.0.1]\nclient_cert_header: {format: xfcc, name: \"${SECRET} x\"}",
	} {
		_, err := Parse("a", []byte(change(text)))
		if err == nil || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
