package bearward_test

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/validate"
)

// secure publishes the signer's key over https, as an issuer on loopback whose
// identifier is what the test says.
type secure struct {
	*httptest.Server
	name    atomic.Value // the issuer in the metadata
	dialled atomic.Int32
}

func newSecure(t *testing.T, signer *issuer.Server) *secure {
	t.Helper()
	s := &secure{}
	set, err := json.Marshal(map[string]any{"keys": signer.JWKS()})
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/jwks" {
			_, _ = w.Write(set)
			return
		}
		_, _ = w.Write([]byte(`{"issuer":"` + s.name.Load().(string) + `","jwks_uri":"` + s.URL + `/jwks"}`))
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.dialled.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// TestPrivateAddresses: an issuer on a private address is not dialled unless
// the configuration says so, and then with a certificate that is trusted.
// [JK-04 JK-06]
func TestPrivateAddresses(t *testing.T) {
	signer := newIssuer(t)
	s := newSecure(t, signer)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	named := strings.Replace(s.URL, "127.0.0.1", "localhost", 1) // a name, so that only dialling tells

	for name, c := range map[string]struct {
		issuer bearward.Issuer
		cfg    bearward.Config
		status int
		dials  bool
	}{
		"named, no word":                {bearward.Issuer{URL: named, RootCAs: roots}, bearward.Config{}, 503, false},
		"keys named, no word":           {bearward.Issuer{URL: "https://login.example.test", JWKSURL: named + "/jwks", RootCAs: roots}, bearward.Config{}, 503, false},
		"allowed, not trusted":          {bearward.Issuer{URL: s.URL, AllowPrivate: true}, bearward.Config{}, 503, true},
		"allowed and trusted":           {bearward.Issuer{URL: s.URL, AllowPrivate: true, RootCAs: roots}, bearward.Config{}, 0, true},
		"trusted by the configuration":  {bearward.Issuer{URL: s.URL, AllowPrivate: true}, bearward.Config{RootCAs: roots}, 0, true},
		"the issuer's trust goes first": {bearward.Issuer{URL: s.URL, AllowPrivate: true, RootCAs: x509.NewCertPool()}, bearward.Config{RootCAs: roots}, 503, true},
	} {
		t.Run(name, func(t *testing.T) {
			s.dialled.Store(0)
			s.name.Store(c.issuer.URL)
			c.cfg.Resource, c.cfg.Issuers = api, []bearward.Issuer{c.issuer}
			g := newGuard(t, c.cfg)
			d := decide(t, g, mint(t, signer, map[string]any{"iss": c.issuer.URL}))
			if c.status == 0 && !d.Allowed {
				t.Errorf("%v", d.Err)
			}
			if c.status != 0 && (d.Allowed || d.Denial.Status != c.status || validate.CodeOf(d.Err) != validate.ErrKeysUnavailable) {
				t.Errorf("%+v", d)
			}
			if dialled := s.dialled.Load() > 0; dialled != c.dials {
				t.Errorf("%d connections", s.dialled.Load())
			}
			if c.status == 0 {
				return
			}
			if err := g.Load(t.Context()); !errors.Is(err, validate.ErrKeysUnavailable) {
				t.Errorf("Load: %v", err)
			}
		})
	}
	// Written as an address it is a fault at start.
	_, err := bearward.New(t.Context(), bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL}}})
	if err == nil {
		t.Error("a private address was taken")
	}
}

// TestEgressProxy: the configured one is used, the environment's is not.
func TestEgressProxy(t *testing.T) {
	s := newIssuer(t)
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	g := newGuard(t, bearward.Config{Resource: api, Issuers: []bearward.Issuer{{URL: s.URL(), AllowHTTP: true}}})
	if err := g.Load(t.Context()); err != nil || asked.Load() != 0 {
		t.Errorf("%v, the environment's proxy was asked %d times", err, asked.Load())
	}
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	g = newGuard(t, bearward.Config{Resource: api, EgressProxy: u, Issuers: []bearward.Issuer{{URL: s.URL(), AllowHTTP: true}}})
	if err := g.Load(t.Context()); !errors.Is(err, validate.ErrKeysUnavailable) || asked.Load() == 0 {
		t.Errorf("%v, the proxy was asked %d times", err, asked.Load())
	}
}
