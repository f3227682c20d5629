package doctor

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/internal/redistest"
)

const clientSecret = "s/e+c%r:e t"

// guarded is an issuer that is asked about tokens.
func guarded(t *testing.T, raw bool) *issuer.Server {
	t.Helper()
	return start(t, issuer.Config{Clients: []issuer.Client{{ID: "api", Secret: clientSecret, Raw: raw}}})
}

func asks(auth, secret string) string {
	return fmt.Sprintf("    introspection: {auth: %s, client_id: api, client_secret: %q}", auth, secret)
}

// documents serves fixed metadata and keys. In both, ISSUER is its own URL.
func documents(t *testing.T, metadata, keys string) string {
	t.Helper()
	var own string
	own = listening(t, func(w http.ResponseWriter, r *http.Request) {
		body := metadata
		if r.URL.Path == "/jwks" {
			body = keys
		} else if !strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, strings.ReplaceAll(body, "ISSUER", own))
	})
	return own
}

const (
	plainMetadata = `{"issuer":"ISSUER","jwks_uri":"ISSUER/jwks"}`
	goodKey       = `{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	secretKey     = `{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
	privateKey    = `{"kty":"EC","crv":"P-256","kid":"p","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"AAAA"}`
	weakKey       = `{"kty":"RSA","kid":"w","e":"AQAB","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4"}`
	ed25519Key    = `{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
)

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// plants are misconfigurations, each with what finds it and words of its fix.
var plants = []struct {
	name  string
	plant func(*testing.T, *scene) Report
	found *Kind
	words []string
}{
	{"a healthy API", func(t *testing.T, s *scene) Report {
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, keysFine, nil},
	{"a healthy API that asks about tokens", func(t *testing.T, s *scene) Report {
		s.issuerLines = asks("client_secret_basic", clientSecret)
		r := s.examine(s.text(guarded(t, false).URL()))
		healthy(t, r)
		return r
	}, askFine, nil},

	{"the final slash of the issuer", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(start(t, issuer.Config{}).URL() + "/"))
	}, issuerSlash, []string{"issuers[0].issuer: http://127.0.0.1:"}},
	{"one document for all tenants", func(t *testing.T, s *scene) Report {
		own := documents(t, `{"issuer":"ISSUER/{tenantid}/v2.0","jwks_uri":"ISSUER/jwks"}`, set(goodKey))
		return s.examine(s.text(own))
	}, issuerTemplate, []string{"tenants: [TENANT]"}},
	{"localhost outside, another name inside", func(t *testing.T, s *scene) Report {
		own := documents(t, `{"issuer":"http://localhost:1/realms/a","jwks_uri":"ISSUER/jwks"}`, set(goodKey))
		s.issuerLines = "    preset: keycloak"
		return s.examine(s.text(own + "/realms/a"))
	}, issuerHost, []string{"issuers[0].issuer: http://localhost:1/realms/a with discovery_url: http://127.0.0.1:"}},
	{"another issuer", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    discovery_url: " + start(t, issuer.Config{}).URL() + "/.well-known/openid-configuration"
		return s.examine(s.text("https://sts.example.test/v1"))
	}, issuerOther, []string{"compare with iss"}},
	{"no metadata", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(listening(t, http.NotFound)))
	}, metadataStatus, []string{"discovery_url", "jwks_uri"}},
	{"metadata behind a door", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(listening(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })))
	}, metadataClosed, []string{"issuers[0].jwks_file", "kubectl"}},
	{"metadata behind a sign-in", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(listening(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })))
	}, metadataClosed, nil},
	{"a page in place of metadata", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{})
		_ = i.Break(issuer.HTML)
		return s.examine(s.text(i.URL()))
	}, metadataInvalid, []string{"discovery_url"}},
	{"metadata without keys", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, `{"issuer":"ISSUER"}`, "")))
	}, metadataMember, []string{"issuers[0].jwks_uri"}},
	{"metadata that is not needed", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    jwks_uri: " + start(t, issuer.Config{}).URL() + "/jwks"
		r := s.examine(s.text("https://login.example.test"))
		healthy(t, r)
		return r
	}, metadataUnused, nil},
	{"metadata that is good", func(t *testing.T, s *scene) Report { return s.examine(s.text(start(t, issuer.Config{}).URL())) }, metadataFine, nil},
	{"a provider without its preset", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(start(t, issuer.Config{Path: "/realms/a"}).URL()))
	}, presetMissing, []string{"issuers[0].preset: keycloak"}},

	{"nobody listens", func(t *testing.T, s *scene) Report { return s.examine(s.text("http://" + closedPort(t))) }, noConnection, []string{"issuers[0].issuer, or discovery_url"}},
	{"a name that does not exist", func(_ *testing.T, s *scene) Report { return s.examine(s.text("https://login.invalid")) }, noName, []string{"DNS"}},
	{"a redirect", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{})
		_ = i.Break(issuer.Redirect)
		return s.examine(s.text(i.URL()))
	}, redirected, []string{"issuers[0].discovery_url: http://127.0.0.1:"}},
	{"a huge answer", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{})
		_ = i.Break(issuer.Huge)
		return s.examine(s.text(i.URL()))
	}, tooLarge, nil},
	{"a server that does not answer", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{})
		_ = i.Break(issuer.Slow)
		return s.examine(s.text(i.URL()), Options{Timeout: 300 * time.Millisecond})
	}, tooSlow, []string{"--timeout"}},
	{"a cut connection", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(listening(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })))
	}, unreachable, nil},
	{"a private address", func(t *testing.T, s *scene) Report {
		srv := secure(t)
		name := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
		return s.examine(strings.Replace(s.text(name), "allow_http: true", "allow_http: false", 1))
	}, privateAddress, []string{"issuers[0].allow_private: true"}},
	{"a private address as such", func(_ *testing.T, s *scene) Report {
		return s.examine(strings.Replace(s.text("https://10.1.2.3"), "allow_http: true", "allow_http: false", 1))
	}, faulty, []string{"allow_private"}},
	{"an address of nobody", func(t *testing.T, s *scene) Report {
		own := documents(t, `{"issuer":"ISSUER","jwks_uri":"https://169.254.169.254/keys"}`, "")
		return s.examine(s.text(own))
	}, specialAddress, nil},
	{"keys over plain http", func(t *testing.T, s *scene) Report {
		own := documents(t, `{"issuer":"ISSUER","jwks_uri":"http://8.8.8.8/keys"}`, "")
		return s.examine(s.text(own))
	}, plainHTTP, []string{"https"}},
	{"an http issuer", func(_ *testing.T, s *scene) Report {
		return s.examine(strings.Replace(s.text("http://login.example.test"), "allow_http: true", "allow_http: false", 1))
	}, faulty, []string{"allow_http"}},
	{"an internal authority", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(start(t, issuer.Config{TLS: true}).URL()))
	}, authority, []string{"issuers[0].ca_file"}},
	{"a certificate for another name", func(t *testing.T, s *scene) Report {
		srv := secure(t)
		s.issuerLines = "    ca_file: " + s.authorityOf(srv)
		return s.examine(s.text(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)))
	}, wrongName, []string{"127.0.0.1", "example.com"}},
	{"http where https is expected", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(strings.Replace(listening(t, http.NotFound), "http:", "https:", 1)))
	}, badTLS, nil},

	{"no keys at the place of keys", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    jwks_uri: " + listening(t, http.NotFound) + "/keys"
		return s.examine(s.text("https://login.example.test"))
	}, keysStatus, []string{"issuers[0].jwks_uri"}},
	{"something else at the place of keys", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, plainMetadata, `{"issuer":"a"}`)))
	}, keysInvalid, []string{"issuers[0].jwks_uri"}},
	{"an empty set", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{})
		_ = i.Break(issuer.EmptySet)
		return s.examine(s.text(i.URL()))
	}, keysEmpty, nil},
	{"shared secrets only, by the metadata", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, `{"issuer":"ISSUER","id_token_signing_alg_values_supported":["HS256"]}`, "")))
	}, keysSymmetric, []string{"RS256"}},
	{"shared secrets only, by the set", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, plainMetadata, set(secretKey))))
	}, keysSymmetric, []string{"RS256"}},
	{"keys of another algorithm", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    algorithms: [RS256]"
		return s.examine(s.text(documents(t, plainMetadata, set(goodKey, ed25519Key))))
	}, keysUnfit, []string{"issuers[0].algorithms: [ES256, Ed25519]"}},
	{"keys for an algorithm that is not allowed", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    algorithms: [PS256]"
		return s.examine(s.text(start(t, issuer.Config{Algorithms: []string{"RS256"}}).URL()))
	}, keysUnfit, []string{"issuers[0].algorithms: [RS256]"}},
	{"weak keys only", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, plainMetadata, set(weakKey))))
	}, keysUnusable, []string{"2048"}},
	{"a weak key among others", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, plainMetadata, set(goodKey, weakKey))))
	}, keyWeak, []string{"key 1"}},
	{"a private key for everybody", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(documents(t, plainMetadata, set(goodKey, privateKey))))
	}, keyPrivate, []string{"key 1", "replace"}},
	{"a key of an unknown kind", func(t *testing.T, s *scene) Report {
		r := s.examine(s.text(documents(t, plainMetadata, set(goodKey, `{"kty":"AKP"}`))))
		healthy(t, r)
		return r
	}, keySkipped, nil},
	{"keys in a file", func(_ *testing.T, s *scene) Report {
		s.issuerLines = "    jwks_file: " + s.place("keys.json", set(goodKey))
		r := s.examine(strings.Replace(s.text("https://login.example.test"), "    allow_http: true\n", "", 1))
		healthy(s.t, r)
		return r
	}, keysFile, nil},
	{"no keys needed", func(t *testing.T, s *scene) Report {
		s.issuerLines = strings.Replace(asks("client_secret_basic", clientSecret), "{", "{jwt: false, ", 1)
		r := s.examine(s.text(guarded(t, false).URL()))
		healthy(t, r)
		return r
	}, keysNone, nil},

	{"a clock that is right", func(t *testing.T, s *scene) Report { return s.examine(s.text(start(t, issuer.Config{}).URL())) }, clockFine, nil},
	{"a clock that is five minutes off", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{Now: func() time.Time { return time.Now().Add(5 * time.Minute) }})
		return s.examine(s.text(i.URL()))
	}, clockWrong, []string{"NTP"}},
	{"a clock here that is 20 seconds off", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(start(t, issuer.Config{}).URL()), at(20*time.Second))
	}, clockApart, []string{"NTP", "leeway"}},
	{"an answer of a cache", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(listening(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Age", "300")
			w.Header().Set("Date", time.Now().Add(-300*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusNotFound)
		})))
	}, clockFine, nil},
	{"no time at all", func(t *testing.T, s *scene) Report {
		return s.examine(s.text(listening(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			w.WriteHeader(http.StatusNotFound)
		})))
	}, clockMute, nil},

	{"an audience that is good", func(t *testing.T, s *scene) Report { return s.examine(s.text(start(t, issuer.Config{}).URL())) }, audienceFine, []string{resource}},
	{"the audience of everybody", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    preset: keycloak\n    audience: account"
		return s.examine(s.text(start(t, issuer.Config{Path: "/realms/a"}).URL()))
	}, audienceAccount, []string{"audience mapper"}},
	{"the audience of everybody, below another path", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    preset: keycloak\n    audience: account"
		return s.examine(s.text(start(t, issuer.Config{Path: "/auth"}).URL()))
	}, audienceAccount, nil},
	{"no audience mapper", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    preset: keycloak"
		r := s.examine(s.text(start(t, issuer.Config{Path: "/realms/a"}).URL()))
		healthy(t, r)
		return r
	}, audienceMapper, []string{resource}},
	{"a name where v2 tokens have a number", func(_ *testing.T, s *scene) Report {
		s.issuerLines = "    preset: entra\n    jwks_file: " + s.place("keys.json", set(goodKey))
		return s.examine(strings.Replace(s.text("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"), "    allow_http: true\n", "", 1))
	}, audienceGUID, []string{"GUID"}},
	{"the issuer as audience", func(t *testing.T, s *scene) Report {
		i := start(t, issuer.Config{})
		s.issuerLines = "    audience: " + i.URL()
		return s.examine(s.text(i.URL()))
	}, audienceIssuer, nil},
	{"the client as audience", func(t *testing.T, s *scene) Report {
		s.issuerLines = asks("client_secret_basic", clientSecret) + "\n    audience: api"
		return s.examine(s.text(guarded(t, false).URL()))
	}, audienceClient, nil},

	{"a wrong secret", func(t *testing.T, s *scene) Report {
		s.issuerLines = asks("client_secret_basic", "wrong/secret")
		return s.examine(s.text(guarded(t, false).URL()))
	}, askRefused, []string{"status 401", "issuers[0].introspection.client_id"}},
	{"a server that does not decode", func(t *testing.T, s *scene) Report {
		s.issuerLines = asks("client_secret_basic", clientSecret)
		return s.examine(s.text(guarded(t, true).URL()))
	}, askMethod, []string{"issuers[0].introspection.auth: client_secret_basic_raw"}},
	{"a server that decodes", func(t *testing.T, s *scene) Report {
		s.issuerLines = asks("client_secret_basic_raw", clientSecret)
		return s.examine(s.text(guarded(t, false).URL()))
	}, askMethod, []string{"issuers[0].introspection.auth: client_secret_basic"}},
	{"everything is active", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    jwks_file: " + s.place("keys.json", set(goodKey)) + "\n" + strings.Replace(asks("client_secret_post", "secret"), "{", "{endpoint: \""+
			listening(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"active":true,"sub":"a","aud":%q}`, resource)
			})+"\", ", 1)
		return s.examine(s.text("https://login.example.test"))
	}, askActive, nil},
	{"nobody to ask", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    jwks_file: " + s.place("keys.json", set(goodKey)) + "\n" + strings.Replace(asks("client_secret_post", "secret"), "{", "{endpoint: \"http://"+closedPort(t)+"/\", ", 1)
		return s.examine(s.text("https://login.example.test"))
	}, askAway, []string{"introspection.endpoint"}},
	{"400 about a token", func(t *testing.T, s *scene) Report {
		i := guarded(t, false)
		_ = i.BreakIntrospection(issuer.Status400)
		s.issuerLines = asks("client_secret_basic", clientSecret)
		return s.examine(s.text(i.URL()))
	}, askInvalid, []string{"token_type_hint"}},

	{"a secret that everybody can read", func(t *testing.T, s *scene) Report {
		path := s.place("secret", clientSecret)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		s.issuerLines = "    introspection: {auth: client_secret_basic, client_id: api, client_secret_file: " + path + "}"
		return s.examine(s.text(guarded(t, false).URL()))
	}, fileOpen, []string{"chmod 600"}},
	{"secrets that are kept", func(t *testing.T, s *scene) Report {
		s.issuerLines = "    introspection: {auth: client_secret_basic, client_id: api, client_secret_file: " + s.place("secret", clientSecret) + "}"
		r := s.examine(s.text(guarded(t, false).URL()))
		healthy(t, r)
		return r
	}, fileFine, nil},
	{"no secrets in nonce_keys_file", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {nonce: required, nonce_keys_file: " + s.place("nonces", "") + "}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, faulty, []string{"no secret in it"}},
	{"nonces of one process", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {nonce: required}\n"
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, noncesOwn, []string{"nonce_keys_file"}},
	{"revocations that nobody can add", func(t *testing.T, s *scene) Report {
		s.top = "revocation: {list: memory}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, faulty, []string{"admin"}},
	{"the rest after faults", func(_ *testing.T, s *scene) Report { return s.examine("listen: 1\n") }, notAsked, nil},

	{"credentials for the upstream", func(t *testing.T, s *scene) Report {
		s.top = "forward_credentials: true\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, credentialsOn, []string{"forward_credentials: false"}},
	{"rules that refuse nothing", func(t *testing.T, s *scene) Report {
		s.rules += "  - {match: /maybe, report_only: true}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, onlyReported, []string{"1 rule", "report_only: false"}},
	{"nothing is refused", func(t *testing.T, s *scene) Report {
		s.top = "report_only: true\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, onlyReported, []string{"all rules"}},
	{"nginx without its settings", func(t *testing.T, s *scene) Report {
		r := s.examine(strings.Replace(s.asked(t), "headers: x-forwarded", "headers: x-original", 1))
		healthy(t, r)
		return r
	}, nginxSays, []string{"single_line_challenge: true", "status_for_400: 401"}},
	{"a proxy of the environment", func(t *testing.T, s *scene) Report {
		t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, proxyIgnored, []string{"HTTPS_PROXY"}},
	{"half the world is trusted", func(t *testing.T, s *scene) Report {
		s.top = "trusted_proxies: [52.0.0.0/8]\nforwarded: x-forwarded\ndpop: {}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, wideTrust, []string{"trusted_proxies"}},
	{"open beside the proxy", func(t *testing.T, s *scene) Report {
		s.top = "plain_behind_tls: true\n"
		text := strings.Replace(s.text(start(t, issuer.Config{}).URL()), "listen: 127.0.0.1:0", "listen: 0.0.0.0:0", 1)
		r := s.examine(text)
		healthy(t, r)
		return r
	}, openToAll, []string{"127.0.0.1"}},
	{"proofs behind TLS without a public URL", func(t *testing.T, s *scene) Report {
		s.top = "plain_behind_tls: true\ndpop: {}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, proofsBlind, []string{"public_url: https://"}},
	{"proofs where a proxy asks", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\n"
		r := s.examine(s.asked(t))
		healthy(t, r)
		return r
	}, proofsAsked, []string{"public_url"}},
	{"proofs on loopback", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\n"
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, proofsLocal, nil},
	{"a public URL of plain http", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\npublic_url: http://api.example.test\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, proofsPlain, []string{"https"}},
	{"a public URL of somebody else", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\npublic_url: https://other.example.test\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, proofsOther, []string{"public_url", "resource"}},
	{"a public URL that fits", func(t *testing.T, s *scene) Report {
		s.top = "dpop: {}\npublic_url: https://api.example.test/v1\n"
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, proofsFine, nil},

	{"no upstream", func(t *testing.T, s *scene) Report {
		s.upstream = "http://" + closedPort(t)
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, upstreamAway, []string{"upstream: "}},
	{"an upstream of an internal authority", func(t *testing.T, s *scene) Report {
		s.upstream = secure(t).URL
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, authority, []string{"upstream_ca_file"}},
	{"an upstream with its authority", func(t *testing.T, s *scene) Report {
		srv := secure(t)
		s.upstream, s.top = srv.URL, "upstream_ca_file: "+s.authorityOf(srv)+"\n"
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, upstreamFine, nil},
	{"an upstream without TLS", func(t *testing.T, s *scene) Report {
		s.upstream = strings.Replace(s.upstream, "http:", "https:", 1)
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, badTLS, nil},
	{"an upstream", func(t *testing.T, s *scene) Report { return s.examine(s.text(start(t, issuer.Config{}).URL())) }, upstreamFine, nil},
	{"no redis", func(t *testing.T, s *scene) Report {
		s.top = "redis: {url: \"redis://:hidden-word@" + closedPort(t) + "\"}\nrevocation: {list: redis}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, redisAway, []string{"redis.url"}},
	{"a redis that evicts", func(t *testing.T, s *scene) Report {
		r := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
		s.top = "redis: {url: " + r.URL() + "}\nrevocation: {list: redis}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, redisEvicts, []string{"noeviction", "allkeys-lru"}},
	{"a redis that forgets", func(t *testing.T, s *scene) Report {
		s.top = "redis: {url: " + redistest.Start(t).URL() + "}\ndpop: {replay: redis}\n"
		return s.examine(s.text(start(t, issuer.Config{}).URL()))
	}, redisForgets, []string{"appendonly yes"}},
	{"a redis that keeps", func(t *testing.T, s *scene) Report {
		s.top = "redis: {url: " + redistest.Start(t, "--appendonly", "yes").URL() + "}\ndpop: {replay: redis}\n"
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, redisFine, nil},
	{"a redis for answers only", func(t *testing.T, s *scene) Report {
		s.issuerLines = asks("client_secret_basic", clientSecret)
		s.top = "redis: {url: " + redistest.Start(t, "--maxmemory-policy", "allkeys-lru").URL() + "}\n"
		r := s.examine(s.text(guarded(t, false).URL()))
		healthy(t, r)
		return r
	}, redisUsable, nil},
	{"a redis that does not tell", func(t *testing.T, s *scene) Report {
		s.top = "redis: {url: " + redistest.Start(t, "--rename-command", "CONFIG", "").URL() + "}\ndpop: {replay: redis}\n"
		r := s.examine(s.text(start(t, issuer.Config{}).URL()))
		healthy(t, r)
		return r
	}, redisMute, nil},
}

// TestPlanted: each misconfiguration is found, and its fix is named.
func TestPlanted(t *testing.T) {
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			s := newScene(t)
			r := p.plant(t, s)
			expect(t, r, p.found, p.words...)
			for _, secret := range []string{clientSecret, "wrong/secret", "wrong%2Fsecret", "hidden-word"} {
				if strings.Contains(r.String(), secret) {
					t.Errorf("a secret is shown:\n%s", r)
				}
			}
		})
	}
}
