package jwks

import (
	"crypto/x509"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

// realServer is an issuer on loopback behind TLS.
type realServer struct {
	*httptest.Server
	metadata, keys http.HandlerFunc
	hits           atomic.Int32
}

func newRealServer(t *testing.T) (*realServer, Config) {
	t.Helper()
	r := &realServer{}
	r.metadata = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"`+r.URL+`","jwks_uri":"`+r.URL+`/keys"}`)
	}
	r.keys = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, setOf("a")) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, q *http.Request) { r.metadata(w, q) })
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, q *http.Request) { r.hits.Add(1); r.keys(w, q) })
	r.Server = httptest.NewUnstartedServer(mux)
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.StartTLS()
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	return r, Config{Issuer: r.URL, AllowPrivate: true, RootCAs: pool, Logger: slog.New(slog.DiscardHandler)}
}

func start(t *testing.T, cfg Config) *Source {
	t.Helper()
	s, err := Remote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestRemoteOverTLS(t *testing.T) { // [JK-03 JK-04]
	defer goleak.VerifyNone(t)
	srv, cfg := newRealServer(t)
	defer srv.Close()
	s, err := Remote(cfg)
	if err != nil {
		t.Fatal(err)
	}
	has(t, s, "a")
	srv.keys = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, setOf("b")) }
	has(t, s, "b")
	hasNot(t, s, "a")
	if got := srv.hits.Load(); got != 2 {
		t.Errorf("%d fetches", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestRemoteRefusesWhereItMustNotGo(t *testing.T) {
	srv, cfg := newRealServer(t)
	defer srv.Close()
	var stolen atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer inside.Close()
	port := srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	pointTo := func(target string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"issuer":"`+srv.URL+`","jwks_uri":"`+target+`"}`)
		}
	}
	redirect := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) }
	tests := map[string]struct {
		change func(*Config)
		want   error
	}{
		"name of loopback":    {func(c *Config) { c.AllowPrivate, c.Issuer = false, "https://localhost"+port }, egress.ErrAddress}, // [JK-06]
		"jwks_uri plain":      {func(*Config) { srv.metadata = pointTo(inside.URL) }, egress.ErrScheme},                            // [JK-06]
		"jwks_uri file":       {func(*Config) { srv.metadata = pointTo("file:///etc/passwd") }, egress.ErrURL},                     // [JK-06]
		"jwks_uri multicast":  {func(*Config) { srv.metadata = pointTo("https://224.0.0.1/") }, egress.ErrAddress},                 // [JK-06]
		"metadata redirects":  {func(*Config) { srv.metadata = redirect }, egress.ErrRedirect},                                     // [JK-07]
		"key set redirects":   {func(c *Config) { srv.keys = redirect; c.JWKSURL = srv.URL + "/keys" }, egress.ErrRedirect},        // [JK-07]
		"key set huge":        {func(c *Config) { srv.keys = huge; c.JWKSURL = srv.URL + "/keys" }, egress.ErrTooLarge},            // [JK-07]
		"certificate unknown": {func(c *Config) { c.RootCAs = nil }, x509.UnknownAuthorityError{}},                                 // [JK-04]
	}
	metadata := srv.metadata
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			srv.metadata = metadata
			tt.change(&cfg)
			s := start(t, cfg)
			err := s.Load(t.Context())
			known := errors.Is(err, tt.want) || errors.As(tt.want, new(x509.UnknownAuthorityError)) && errors.As(err, new(x509.UnknownAuthorityError))
			if !errors.Is(err, validate.ErrKeysUnavailable) || !known {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if s.Health().LastError == "fetching failed" {
				t.Errorf("health has no word for %v", err)
			}
		})
	}
	if stolen.Load() != 0 {
		t.Error("a request went inside")
	}
}

func huge(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"keys":[`+strings.Repeat(" ", egress.DefaultMaxBytes)+jwkOf("a", "a", "")+`]}`)
}
