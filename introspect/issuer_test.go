package introspect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// served is a whole issuer and a Config of one of its clients.
func served(t *testing.T, with issuer.Config) (*issuer.Server, Config) {
	t.Helper()
	with.Clients = append(with.Clients, issuer.Client{ID: "client-1", Secret: "p%ss: wörd"})
	s, err := issuer.Start(with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, Config{
		Token:     validate.Config{Issuer: s.URL(), Audience: []string{issuer.DefaultAudience}},
		Auth:      Auth{Method: Basic, ClientID: "client-1", Secret: "p%ss: wörd"},
		AllowHTTP: true, RootCAs: s.RootCAs(), Logger: slog.New(slog.DiscardHandler),
	}
}

func handedOut(t *testing.T, s *issuer.Server) string {
	t.Helper()
	raw, err := s.Opaque(s.Claims(""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestMethodsAtAServer(t *testing.T) { // [IN-02]
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := selfSigned(t)
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	s, cfg := served(t, issuer.Config{TLS: true, Clients: []issuer.Client{
		{ID: "my key:", Key: key.Public()}, {ID: "mtls", Certificate: leaf}, {ID: "bearer", Bearer: "mine"},
	}})
	for _, auth := range []Auth{
		cfg.Auth,
		{Method: Post, ClientID: "client-1", Secret: "p%ss: wörd"},
		{Method: PrivateKeyJWT, ClientID: "my key:", Key: key},
		{Method: SelfSignedTLS, ClientID: "mtls", Certificate: certificate},
		{Method: Bearer, Token: "mine"},
	} {
		cfg.Auth = auth
		c := asking(t, cfg)
		for range 2 {
			if r, f := c.ask(t.Context(), handedOut(t, s)); f != nil || !r.active {
				t.Errorf("%s: %+v, %v", auth.Method, r, f)
			}
		}
		if call := s.LastCall(); call.Method != string(auth.Method) || call.Hint != "access_token" {
			t.Errorf("%s: %+v", auth.Method, call)
		}
		if r, f := c.ask(t.Context(), "unknown"); f != nil || r.active { // [IN-04]
			t.Errorf("%s: %+v, %v", auth.Method, r, f)
		}
	}
	cfg.Auth = Auth{Method: Post, ClientID: "client-1", Secret: "wrong"}
	if _, f := asking(t, cfg).ask(t.Context(), handedOut(t, s)); f == nil || f.code != validate.ErrIntrospectionRefused {
		t.Errorf("wrong secret: %v", f)
	}
}

func TestFaultsOfAServer(t *testing.T) { // [IN-06]
	s, cfg := served(t, issuer.Config{})
	cfg.Limits.Timeout = 200 * time.Millisecond
	cfg.Endpoint = s.IntrospectionEndpoint()
	c := asking(t, cfg)
	answers := []issuer.Fault{issuer.NoStore, issuer.MaxAge}
	for _, fault := range issuer.IntrospectionFaults() {
		if err := s.BreakIntrospection(fault); err != nil {
			t.Fatal(err)
		}
		r, f := c.ask(t.Context(), handedOut(t, s))
		if known := slices.Contains(answers, fault); known != (f == nil) || known != r.active {
			t.Errorf("%s: %+v, %v", fault, r, f)
		}
		if f != nil {
			discreet(t, f)
		}
	}
	if s.Leaks() != 0 {
		t.Error("a redirect was followed")
	}
	s.HealIntrospection()
	if r, f := c.ask(t.Context(), handedOut(t, s)); f != nil || !r.active {
		t.Errorf("healed: %+v, %v", r, f)
	}
}

func TestSignedAnswersOfAServer(t *testing.T) { // [IN-18 IN-19]
	s, cfg := served(t, issuer.Config{})
	cfg.Token.Keys = &keyring{keys: published(s, "ES256")}
	for _, mode := range []SignedResponse{Accept, Require} {
		cfg.SignedResponse = mode
		c := asking(t, cfg)
		for _, kind := range issuer.SignedAnswers() {
			if err := s.Answer(kind.Name); err != nil {
				t.Fatal(err)
			}
			good := kind.Code == "" && (kind.Name != "plain" || mode == Accept)
			r, f := c.ask(t.Context(), handedOut(t, s))
			if good != r.active || good != (f == nil) || f != nil && f.code != validate.ErrIntrospectionInvalid {
				t.Errorf("%s, %s: %+v, %v", mode, kind.Name, r, f)
			}
		}
	}
}

func TestDialectsAtAServer(t *testing.T) {
	s, cfg := served(t, issuer.Config{Phantom: true, TokenInfo: true})
	phantom := cfg
	phantom.Token.Preset, phantom.Token.Keys = "curity", &keyring{keys: published(s, "ES256")}
	claims := s.Claims("")
	claims["purpose"] = "access_token"
	raw, err := s.Opaque(claims)
	if err != nil {
		t.Fatal(err)
	}
	if r, f := asking(t, phantom).ask(t.Context(), raw); f != nil || r.token == nil {
		t.Errorf("phantom: %+v, %v", r, f)
	}
	info := cfg
	info.Auth, info.Endpoint = Auth{Method: None}, s.URL()+"/tokeninfo"
	info.Token = validate.Config{Issuer: "https://accounts.google.com", Preset: "google-access", ClientIDs: []string{"client-1"}}
	if r, f := asking(t, info).ask(t.Context(), raw); f != nil || !r.active {
		t.Errorf("tokeninfo: %+v, %v", r, f)
	}
	for name, c := range map[string]Config{"phantom": phantom, "tokeninfo": info} {
		if r, f := asking(t, c).ask(t.Context(), "unknown"); f != nil || r.active {
			t.Errorf("%s: %+v, %v", name, r, f)
		}
	}
}

// TestPublicEndpointWithoutCredentials: whoever asks without credentials must
// not send tokens to the world, wherever the metadata point to.
func TestPublicEndpointWithoutCredentials(t *testing.T) { // [IN-02]
	m, cfg := discovered(t)
	cfg.Auth = Auth{Method: None}
	if r, f := asking(t, cfg).ask(t.Context(), opaque); f != nil || !r.active {
		t.Fatalf("private: %+v, %v", r, f)
	}
	m.set(func() { m.members = `,"introspection_endpoint":"https://192.88.99.1/"` })
	_, f := asking(t, cfg).ask(t.Context(), opaque)
	if f == nil || f.Error() != "only private and loopback addresses are allowed here" {
		t.Errorf("public: %v", f)
	}
}

// TestEndpointByHabit: some servers' metadata name no endpoint.
func TestEndpointByHabit(t *testing.T) {
	m, cfg := discovered(t)
	cfg.Token.Preset = "pingfederate"
	ask := func(want string) {
		t.Helper()
		if _, f := asking(t, cfg).ask(t.Context(), opaque); f != nil {
			t.Fatal(f)
		}
		if got := m.posted(); got[len(got)-1] != want {
			t.Errorf("asked at %v, want %s", got, want)
		}
	}
	ask("/a") // what the metadata says wins
	m.set(func() { m.members = "" })
	ask("/as/introspect.oauth2")
}

func TestCloseLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := issuer.Start(issuer.Config{Clients: []issuer.Client{{ID: "a", Secret: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := Config{
		Token: validate.Config{Issuer: s.URL(), Audience: []string{api}}, AllowHTTP: true,
		Auth: Auth{Method: Basic, ClientID: "a", Secret: "b"},
	}
	cfg, err := in.prepare()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := validate.NewAnswers(cfg.Token)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newClient(cfg, answers)
	if err != nil {
		t.Fatal(err)
	}
	if f := a.load(t.Context()); f != nil {
		t.Fatal(f)
	}
	if r, f := a.ask(t.Context(), handedOut(t, s)); f != nil || !r.active {
		t.Errorf("%+v, %v", r, f)
	}
	a.close()
}
