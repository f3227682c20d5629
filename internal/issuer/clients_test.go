package issuer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bearward/bearward/internal/issuer"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func basic(id, secret string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}}
}

func form(members ...string) url.Values {
	out := url.Values{"token": {"t"}}
	for i := 0; i < len(members); i += 2 {
		out.Set(members[i], members[i+1])
	}
	return out
}

func TestClientAuthentication(t *testing.T) {
	s := start(t, issuer.Config{Clients: []issuer.Client{
		api,
		{ID: "odd:id", Secret: "a+b c%"},
		{ID: "raw", Secret: "a+b%20", Raw: true},
		{ID: "token", Bearer: "b3arer"},
	}})
	for _, test := range []struct {
		name   string
		header http.Header
		form   url.Values
		client string // "" for a refusal
		method string
		status int
	}{
		{"basic", basic("api", "s3cret"), form(), "api", "client_secret_basic", 200},
		{"basic and the same id", basic("api", "s3cret"), form("client_id", "api"), "api", "client_secret_basic", 200},
		{"basic encoded", basic("odd%3Aid", "a%2Bb+c%25"), form(), "odd:id", "client_secret_basic", 200},
		{"basic in small letters", http.Header{"Authorization": {"basic YXBpOnMzY3JldA=="}}, form(), "api", "client_secret_basic", 200},
		{"basic raw", basic("raw", "a+b%20"), form(), "raw", "client_secret_basic", 200},
		{"post", nil, form("client_id", "odd:id", "client_secret", "a+b c%"), "odd:id", "client_secret_post", 200},
		{"bearer", http.Header{"Authorization": {"Bearer b3arer"}}, form(), "token", "bearer", 200},

		{"nothing", nil, form(), "", "", 401},
		{"only an id", nil, form("client_id", "api"), "", "", 401},
		{"basic wrong secret", basic("api", "s3cre"), form(), "", "", 401},
		{"basic empty secret", basic("token", ""), form(), "", "", 401},
		{"basic unknown", basic("apj", "s3cret"), form(), "", "", 401},
		{"basic another id", basic("api", "s3cret"), form("client_id", "raw"), "", "", 401},
		{"basic not encoded", basic("odd:id", "a+b c%"), form(), "", "", 401},
		{"basic encoded for raw", basic("raw", "a%2Bb%2520"), form(), "", "", 401},
		{"basic bad base64", http.Header{"Authorization": {"Basic !"}}, form(), "", "", 401},
		{"basic no colon", http.Header{"Authorization": {"Basic YXBp"}}, form(), "", "", 401},
		{"two headers", http.Header{"Authorization": {basic("api", "s3cret")["Authorization"][0], "Bearer b3arer"}}, form(), "", "", 401},
		{"post wrong secret", nil, form("client_id", "api", "client_secret", "x"), "", "", 401},
		{"post without id", nil, form("client_secret", "s3cret"), "", "", 401},
		{"post empty secret", nil, form("client_id", "token", "client_secret", ""), "", "", 401},
		{"bearer wrong", http.Header{"Authorization": {"Bearer x"}}, form(), "", "", 401},
		{"bearer empty", http.Header{"Authorization": {"Bearer "}}, form(), "", "", 401},
		{"other scheme", http.Header{"Authorization": {"DPoP b3arer"}}, form(), "", "", 401},
		{"basic and post", basic("api", "s3cret"), form("client_id", "api", "client_secret", "s3cret"), "", "", 400},
		{"basic and assertion", basic("api", "s3cret"), form("client_assertion", "x"), "", "", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := s.LastCall()
			test.form.Set("token_type_hint", "access_token")
			res, body := post(t, s, call{form: test.form, header: test.header})
			if res.StatusCode != test.status {
				t.Fatalf("%s %s", res.Status, body)
			}
			if challenge := res.Header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
			last := s.LastCall()
			if test.client == "" {
				if last != before {
					t.Errorf("noted %+v", last)
				}
				return
			}
			if want := (issuer.Call{ClientID: test.client, Method: test.method, Hint: "access_token"}); last != want {
				t.Errorf("%+v, want %+v", last, want)
			}
		})
	}
}

// assertion signs an ES256 client assertion.
func assertion(t *testing.T, key *ecdsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	part := func(members map[string]any) string {
		raw, err := json.Marshal(members, json.Deterministic(true))
		must(t, err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	input := part(header) + "." + part(claims)
	h := crypto.SHA256.New()
	h.Write([]byte(input))
	r, sig, err := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
	must(t, err)
	var out [64]byte
	r.FillBytes(out[:32])
	sig.FillBytes(out[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(out[:])
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func TestPrivateKeyJWT(t *testing.T) {
	key, stranger := newECKey(t), newECKey(t)
	now := time.Now()
	s := start(t, issuer.Config{Clients: []issuer.Client{{ID: "app", Key: key.Public()}, api}})
	send := func(text string) *http.Response {
		res, _ := post(t, s, call{form: form("client_assertion_type", assertionType, "client_assertion", text)})
		return res
	}
	claims := func(name string, value any) map[string]any {
		c := map[string]any{"iss": "app", "sub": "app", "aud": s.URL(), "jti": "j-1", "iat": now.Unix(), "exp": now.Unix() + 60}
		c[name] = value
		if value == nil {
			delete(c, name)
		}
		return c
	}
	header := map[string]any{"alg": "ES256", "typ": "JWT"}
	for name, c := range map[string]map[string]any{
		s.URL():                   claims("aud", s.URL()),
		s.IntrospectionEndpoint(): claims("aud", []string{"x", s.IntrospectionEndpoint()}),
	} {
		for range 2 {
			if res := send(assertion(t, key, header, c)); res.StatusCode != 200 {
				t.Fatalf("%s: %s", name, res.Status)
			}
		}
		if want := (issuer.Call{ClientID: "app", Method: "private_key_jwt", Audience: name}); s.LastCall() != want {
			t.Errorf("%+v", s.LastCall())
		}
	}
	if s.Assertions() != 1 {
		t.Errorf("one jti, counted %d", s.Assertions())
	}
	if res := send(assertion(t, key, map[string]any{"alg": "ES256"}, claims("jti", "j-2"))); res.StatusCode != 200 || s.Assertions() != 2 {
		t.Errorf("%s, %d jtis", res.Status, s.Assertions())
	}
	right := assertion(t, key, header, claims("jti", "j-3"))
	for name, text := range map[string]string{
		"nonsense":     "x",
		"three parts":  "x.y.z",
		"stranger":     assertion(t, stranger, header, claims("jti", "j-3")),
		"alg":          assertion(t, key, map[string]any{"alg": "RS256"}, claims("jti", "j-3")),
		"typ":          assertion(t, key, map[string]any{"alg": "ES256", "typ": "at+jwt"}, claims("jti", "j-3")),
		"crit":         assertion(t, key, map[string]any{"alg": "ES256", "crit": []string{"x"}}, claims("jti", "j-3")),
		"iss":          assertion(t, key, header, claims("iss", "api")),
		"sub":          assertion(t, key, header, claims("sub", "api")),
		"aud":          assertion(t, key, header, claims("aud", "https://other.example.test")),
		"no aud":       assertion(t, key, header, claims("aud", nil)),
		"no jti":       assertion(t, key, header, claims("jti", nil)),
		"no exp":       assertion(t, key, header, claims("exp", nil)),
		"expired":      assertion(t, key, header, claims("exp", now.Unix()-1)),
		"exp far":      assertion(t, key, header, claims("exp", now.Unix()+7200)),
		"exp text":     assertion(t, key, header, claims("exp", "tomorrow")),
		"iat future":   assertion(t, key, header, claims("iat", now.Unix()+600)),
		"nbf future":   assertion(t, key, header, claims("nbf", now.Unix()+600)),
		"cut off":      right[:len(right)-4],
		"no signature": right[:strings.LastIndexByte(right, '.')+1],
	} {
		if res := send(text); res.StatusCode != 401 || s.Assertions() != 2 {
			t.Errorf("%s: %s, %d jtis", name, res.Status, s.Assertions())
		}
	}
	if res, _ := post(t, s, call{form: form("client_assertion", right)}); res.StatusCode != 401 {
		t.Errorf("no type: %s", res.Status)
	}
	if res, _ := post(t, s, call{form: form("client_id", "api", "client_assertion_type", assertionType, "client_assertion", right)}); res.StatusCode != 401 {
		t.Errorf("another client_id: %s", res.Status)
	}
	if res := send(right); res.StatusCode != 200 {
		t.Errorf("right: %s", res.Status)
	}
}

// certificate makes a client certificate, signed by parent or by itself.
func certificate(t *testing.T, name string, parent *tls.Certificate) *tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: parent == nil, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	signer, key := template, crypto.Signer(private)
	if parent != nil {
		signer, key = parent.Leaf, parent.PrivateKey.(crypto.Signer)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, public, key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}
}

func TestTLSClients(t *testing.T) {
	own, ca, otherCA := certificate(t, "own.test", nil), certificate(t, "ca.test", nil), certificate(t, "ca.test", nil)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Leaf)
	s := start(t, issuer.Config{TLS: true, ClientCAs: roots, Clients: []issuer.Client{
		{ID: "self", Certificate: own.Leaf},
		{ID: "named", DNSName: "api.test"},
		api,
	}})
	if !strings.HasPrefix(s.URL(), "https://") || !strings.HasPrefix(s.IntrospectionEndpoint(), "https://") {
		t.Fatal(s.URL())
	}
	with := func(c *tls.Certificate) *http.Client {
		config := &tls.Config{RootCAs: s.RootCAs()}
		if c != nil {
			config.Certificates = []tls.Certificate{*c}
		}
		return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
	}
	secret := basic("api", "s3cret")
	for _, test := range []struct {
		name, id, method string // no method: refused
		certificate      *tls.Certificate
		header           http.Header
	}{
		{"self-signed", "self", "self_signed_tls_client_auth", own, nil},
		{"named", "named", "tls_client_auth", certificate(t, "api.test", ca), nil},
		{"secret beside a certificate", "api", "client_secret_basic", own, secret},
		{"secret", "api", "client_secret_basic", nil, secret},
		{"no certificate", "self", "", nil, nil},
		{"no id", "", "", own, nil},
		{"another id", "api", "", own, nil},
		{"another certificate", "self", "", certificate(t, "own.test", nil), nil},
		{"another name", "named", "", certificate(t, "other.test", ca), nil},
		{"another CA", "named", "", certificate(t, "api.test", otherCA), nil},
		{"the right name, self-signed", "named", "", certificate(t, "api.test", nil), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body := post(t, s, call{form: form("client_id", test.id), header: test.header, client: with(test.certificate)})
			if test.method == "" {
				if res.StatusCode != 401 {
					t.Errorf("%s %s", res.Status, body)
				}
				return
			}
			if want := (issuer.Call{ClientID: test.id, Method: test.method}); res.StatusCode != 200 || s.LastCall() != want {
				t.Errorf("%s %+v", res.Status, s.LastCall())
			}
		})
	}
	if _, err := client.Get(s.URL() + "/jwks"); err == nil {
		t.Error("the certificate is trusted without RootCAs")
	}
	if start(t, issuer.Config{}).RootCAs() != nil {
		t.Error("roots without TLS")
	}
}

func TestClientsAreChecked(t *testing.T) {
	_, err := issuer.Start(issuer.Config{Clients: []issuer.Client{
		{ID: "", Secret: "x"},
		{ID: "bare"},
		{ID: "twice", Secret: "x"},
		{ID: "twice", Secret: "y"},
		{ID: "cert", Certificate: certificate(t, "a", nil).Leaf},
		{ID: "name", DNSName: "a"},
	}})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{`client ""`, `client "bare" has no credential`, `client "twice"`, `client "cert" has a certificate`, `client "name" has a name`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
