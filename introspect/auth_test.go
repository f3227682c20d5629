package introspect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

func TestAuthentication(t *testing.T) { // [IN-02]
	id, secret := "my api:1", "p%ss wörd&="
	tests := map[string]struct {
		auth   Auth
		header string
		form   map[string]string
	}{
		"basic": {
			Auth{Method: Basic, ClientID: id, Secret: secret}, "Basic " + b64("my+api%3A1:p%25ss+w%C3%B6rd%26%3D"), nil,
		},
		"basic raw": {
			Auth{Method: BasicRaw, ClientID: "my api", Secret: secret}, "Basic " + b64("my api:"+secret), nil,
		},
		"post": {
			Auth{Method: Post, ClientID: id, Secret: secret}, "", map[string]string{"client_id": id, "client_secret": secret},
		},
		"bearer": {Auth{Method: Bearer, Token: "mine"}, "Bearer mine", nil},
		"bearer that changes": {
			Auth{Method: Bearer, TokenSource: func(context.Context) (string, error) { return "now", nil }}, "Bearer now", nil,
		},
		"none": {Auth{Method: None}, "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, cfg := started(t, says(200, yes))
			cfg.Auth = tt.auth
			if _, f := asking(t, cfg).ask(t.Context(), opaque); f != nil {
				t.Fatal(f)
			}
			got := e.last(t)
			if got.header.Get("Authorization") != tt.header {
				t.Errorf("Authorization %q, want %q", got.header.Get("Authorization"), tt.header)
			}
			for name, want := range tt.form {
				if got.form.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, got.form.Get(name), want)
				}
			}
			if len(got.form) != 2+len(tt.form) || got.form.Get("token") != opaque {
				t.Errorf("form %v", got.form)
			}
		})
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestNoTokenForTheEndpoint(t *testing.T) { // [IN-02]
	e, cfg := started(t, says(200, yes))
	for name, source := range map[string]func(context.Context) (string, error){
		"error":      func(context.Context) (string, error) { return "mine", errors.New("secret reason") },
		"empty":      func(context.Context) (string, error) { return "", nil },
		"line break": func(context.Context) (string, error) { return "mine\r\nX: y", nil },
		"space":      func(context.Context) (string, error) { return "mine too", nil },
	} {
		cfg.Auth = Auth{Method: Bearer, TokenSource: source}
		_, f := asking(t, cfg).ask(t.Context(), opaque)
		if f == nil || f.code != validate.ErrIntrospectionRefused || !f.counts {
			t.Fatalf("%s: %+v", name, f)
		}
		discreet(t, f)
	}
	if n := len(e.requests()); n != 0 {
		t.Errorf("%d requests without a token", n)
	}
}

func TestClientCertificate(t *testing.T) { // [IN-02]
	certificate := selfSigned(t)
	m := &metadata{status: 200}
	m.e = newEndpoint(t, m.serve)
	m.e.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	m.e.StartTLS()
	m.members = `,"introspection_endpoint":"` + m.e.URL + `/plain","mtls_endpoint_aliases":{"introspection_endpoint":"` + m.e.URL + `/mtls"}`
	cfg := Config{
		Token:        validate.Config{Issuer: m.e.URL, Audience: []string{api}},
		AllowPrivate: true, RootCAs: roots(m.e),
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, method := range []Method{TLS, SelfSignedTLS} {
		cfg.Auth = Auth{Method: method, ClientID: "api", Certificate: certificate}
		if _, f := asking(t, cfg).ask(t.Context(), opaque); f != nil {
			t.Fatal(f)
		}
		got := m.e.last(t)
		if got.certificates != 1 || got.form.Get("client_id") != "api" || got.path != "/mtls" {
			t.Errorf("%s: %d certificates at %s, %v", method, got.certificates, got.path, got.form)
		}
	}
	for _, a := range m.e.requests() {
		if a.method == "GET" && a.certificates != 0 {
			t.Error("the certificate was shown with the metadata")
		}
	}
	cfg.Auth = Auth{Method: Basic, ClientID: "api", Secret: "secret"}
	if _, f := asking(t, cfg).ask(t.Context(), opaque); f != nil || m.e.last(t).path != "/plain" {
		t.Errorf("without a certificate: %s, %v", m.e.last(t).path, f)
	}
}

func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "api"}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestAuthFaults(t *testing.T) { // [IN-02]
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	source := func(context.Context) (string, error) { return "", io.EOF }
	tests := map[string]struct {
		auth Auth
		want string // "" for none
	}{
		"basic":                 {Auth{Method: Basic, ClientID: "a", Secret: "s"}, ""},
		"key":                   {Auth{Method: PrivateKeyJWT, ClientID: "a", Key: key, KeyID: "1", Algorithm: "ES256", Audience: "x"}, ""},
		"bearer":                {Auth{Method: Bearer, Token: "t"}, ""},
		"bearer by name":        {Auth{Method: Bearer, Token: "t", ClientID: "a"}, ""},
		"certificate and basic": {Auth{Method: Basic, ClientID: "a", Secret: "s", Certificate: selfSigned(t)}, ""},

		"nothing":               {Auth{}, "method is required"},
		"unknown method":        {Auth{Method: "client_secret_jwt", ClientID: "a", Secret: "s"}, "not known"},
		"no id":                 {Auth{Method: Post, Secret: "s"}, "needs a client id"},
		"no secret":             {Auth{Method: Basic, ClientID: "a"}, "needs a client secret"},
		"no key":                {Auth{Method: PrivateKeyJWT, ClientID: "a"}, "needs a key"},
		"no certificate":        {Auth{Method: TLS, ClientID: "a"}, "needs a client certificate"},
		"no token":              {Auth{Method: Bearer}, "needs a token"},
		"line break in secret":  {Auth{Method: Basic, ClientID: "a", Secret: "s\n"}, "control character"},
		"line break in id":      {Auth{Method: Post, ClientID: "a\n", Secret: "s"}, "character"},
		"colon in raw id":       {Auth{Method: BasicRaw, ClientID: "a:b", Secret: "s"}, "character"},
		"secret beside key":     {Auth{Method: PrivateKeyJWT, ClientID: "a", Key: key, Secret: "s"}, "does not use a client secret"},
		"key beside secret":     {Auth{Method: Basic, ClientID: "a", Secret: "s", Key: key}, "does not use a key"},
		"token beside secret":   {Auth{Method: Basic, ClientID: "a", Secret: "s", Token: "t"}, "does not use a token"},
		"source beside none":    {Auth{Method: None, TokenSource: source}, "does not use a token"},
		"kid without key":       {Auth{Method: Basic, ClientID: "a", Secret: "s", KeyID: "1"}, "does not use key id"},
		"algorithm without key": {Auth{Method: Basic, ClientID: "a", Secret: "s", Algorithm: "ES256"}, "does not use key id"},
		"audience without key":  {Auth{Method: Basic, ClientID: "a", Secret: "s", Audience: "x"}, "does not use key id"},
		"token and source":      {Auth{Method: Bearer, Token: "t", TokenSource: source}, "want one"},
		"token with a space":    {Auth{Method: Bearer, Token: "a b"}, "no token has"},
		"another key's alg":     {Auth{Method: PrivateKeyJWT, ClientID: "a", Key: key, Algorithm: "RS256"}, "does not fit RS256"},
		"HMAC":                  {Auth{Method: PrivateKeyJWT, ClientID: "a", Key: key, Algorithm: "HS256"}, "is not one of"},
		"P-521":                 {Auth{Method: PrivateKeyJWT, ClientID: "a", Key: p521}, "cannot sign"},
		"empty certificate":     {Auth{Method: TLS, ClientID: "a", Certificate: &tls.Certificate{}}, "certificate is empty"},
	}
	for name, tt := range tests {
		err := tt.auth.check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
