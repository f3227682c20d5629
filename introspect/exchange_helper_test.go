package introspect

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/validate"
)

const (
	opaque = "opaque+token/1=="
	api    = "https://api.example.com"
	yes    = `{"active":true,"sub":"user-1","aud":"https://api.example.com"}`
)

// endpoint is an introspection endpoint on loopback behind TLS.
type endpoint struct {
	*httptest.Server
	answer http.HandlerFunc

	mu    sync.Mutex
	asked []asked
}

// asked is one request as it came.
type asked struct {
	method, path, body string
	header             http.Header
	form               url.Values
	certificates       int
}

func newEndpoint(t testing.TB, answer http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{answer: answer}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		a := asked{method: r.Method, path: r.URL.Path, body: string(body), header: r.Header, form: form}
		if r.TLS != nil {
			a.certificates = len(r.TLS.PeerCertificates)
		}
		e.mu.Lock()
		e.asked = append(e.asked, a)
		answer := e.answer
		e.mu.Unlock()
		answer(w, r)
	}))
	e.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() { e.Close() })
	return e
}

func (e *endpoint) answers(answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

func (e *endpoint) requests() []asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]asked{}, e.asked...)
}

func (e *endpoint) last(t testing.TB) asked {
	t.Helper()
	all := e.requests()
	if len(all) == 0 {
		t.Fatal("the endpoint was not asked")
	}
	return all[len(all)-1]
}

// started is e behind TLS and a Config that asks it.
func started(t testing.TB, answer http.HandlerFunc) (*endpoint, Config) {
	t.Helper()
	e := newEndpoint(t, answer)
	e.StartTLS()
	return e, Config{
		Token:        validate.Config{Issuer: e.URL, Audience: []string{api}},
		Endpoint:     e.URL + "/introspect",
		Auth:         Auth{Method: Basic, ClientID: "api", Secret: "secret"},
		AllowPrivate: true, RootCAs: roots(e),
		Logger: slog.New(slog.DiscardHandler),
	}
}

// says answers with JSON of this status.
func says(status int, body string) http.HandlerFunc {
	return saysAs(status, "application/json; charset=utf-8", body)
}

func saysAs(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// asking is a client of cfg.
func asking(t testing.TB, cfg Config) *client {
	t.Helper()
	cfg, err := cfg.prepare()
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
	t.Cleanup(a.close)
	return a.(*client)
}

// keyring is a key source that is made by hand.
type keyring struct {
	keys []*validate.Key
	err  error
}

func (k *keyring) Keys(_ context.Context, kid, _ string) ([]*validate.Key, error) {
	if k.err != nil {
		return nil, k.err
	}
	var found []*validate.Key
	for _, key := range k.keys {
		if kid == "" || key == nil || key.ID == kid {
			found = append(found, key)
		}
	}
	return found, nil
}

func (k *keyring) Live(*validate.Key) bool { return true }

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func roots(e *endpoint) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(e.Certificate())
	return pool
}
