package egress

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const form = "token=abc&token_type_hint=access_token"

func post(url string) Request {
	return Request{
		Method: http.MethodPost, URL: url, Body: form,
		Header: http.Header{"Authorization": {"Basic c2VjcmV0"}, "Content-Type": {"application/x-www-form-urlencoded"}},
	}
}

func client(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

// tells demands that err says nothing of the request.
func tells(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{"abc", "c2VjcmV0", "/path"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q in %v", secret, err)
		}
	}
}

func TestPost(t *testing.T) {
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != form || r.ContentLength != int64(len(form)) || r.Method != http.MethodPost || r.ProtoMajor != 1 {
			t.Errorf("%s of HTTP/%d: %q, %v", r.Method, r.ProtoMajor, body, err)
		}
		want := http.Header{
			"Authorization": {"Basic c2VjcmV0"}, "Content-Type": {"application/x-www-form-urlencoded"},
			"Content-Length": r.Header["Content-Length"], "User-Agent": {"bearward"},
		}
		if len(r.Header) != len(want) { // [JK-07] nothing ambient
			t.Errorf("header %v", r.Header)
		}
		for name := range want {
			if r.Header.Get(name) != want.Get(name) {
				t.Errorf("%s: %q", name, r.Header.Get(name))
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "{}")
	})
	var call Call
	cfg.Done = func(c Call) { call = c }
	c, r := client(t, cfg), post(srv.URL+"/path")
	for range 2 {
		resp, err := c.Do(t.Context(), r)
		if err != nil || resp.Status != http.StatusUnauthorized || resp.Body != "{}" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("got %+v, %v", resp, err)
		}
	}
	if call.Status != http.StatusUnauthorized || call.Err != nil || call.Host == "" {
		t.Errorf("told %+v", call)
	}
	if len(r.Header) != 2 {
		t.Errorf("the caller's header was changed: %v", r.Header)
	}
}

func TestPostKeepsConnections(t *testing.T) {
	const many = 8
	var opened atomic.Int32
	var together sync.WaitGroup
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		together.Done()
		together.Wait() // so that each has a connection
		_, _ = io.WriteString(w, "{}")
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := client(t, Config{AllowHTTP: true, MaxIdlePerHost: many})
	for range 3 {
		together.Add(many)
		var callers sync.WaitGroup
		for range many {
			callers.Go(func() {
				if _, err := c.Do(t.Context(), post(srv.URL)); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	if got := opened.Load(); got != many {
		t.Errorf("%d connections for %d at a time", got, many)
	}
	if d := client(t, Config{}); d.secure.MaxIdleConnsPerHost != 2 || d.plain.MaxIdleConnsPerHost != 2 {
		t.Errorf("default: %d", d.secure.MaxIdleConnsPerHost)
	}
}

func TestPostIsNotRedirected(t *testing.T) { // [JK-07]
	var followed atomic.Int32
	count := func(http.ResponseWriter, *http.Request) { followed.Add(1) }
	other := httptest.NewServer(http.HandlerFunc(count))
	defer other.Close()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/path" {
				count(w, r)
			}
			w.Header().Set("Location", map[bool]string{true: other.URL, false: "/elsewhere"}[status%2 == 0])
			w.WriteHeader(status)
		})
		cfg.AllowHTTP = true
		resp, err := client(t, cfg).Do(t.Context(), post(srv.URL+"/path"))
		if !errors.Is(err, ErrRedirect) || resp.Status != status || resp.Header.Get("Location") == "" || resp.Body != "" {
			t.Errorf("%d: got %+v, %v", status, resp, err)
		}
		tells(t, err)
	}
	if followed.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// A server that ends the connection after it has read the request may have
// acted on it.
func TestPostIsNotSentTwice(t *testing.T) {
	var asked atomic.Int32
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if asked.Add(1) == 1 {
			_, _ = io.WriteString(w, "{}") // the connection is reused for the second
			return
		}
		panic(http.ErrAbortHandler)
	})
	c := client(t, cfg)
	if _, err := c.Do(t.Context(), post(srv.URL)); err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(t.Context(), post(srv.URL+"/path"))
	if err == nil || resp.Status != 0 || asked.Load() != 2 {
		t.Errorf("got %+v, %v after %d requests", resp, err, asked.Load())
	}
	tells(t, err)
}

func TestPostIsBounded(t *testing.T) { // [JK-07]
	release := make(chan struct{})
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/huge" {
			_, _ = io.Copy(w, bytes.NewReader(make([]byte, 8<<20)))
			return
		}
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, `{"active":`)
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	})
	t.Cleanup(func() { close(release) }) // before the server is closed
	resp, err := client(t, cfg).Do(t.Context(), post(srv.URL+"/huge"))
	if !errors.Is(err, ErrTooLarge) || resp.Status != http.StatusOK || resp.Body != "" {
		t.Errorf("huge: got %d with %d bytes, %v", resp.Status, len(resp.Body), err)
	}
	cfg.Timeout = 50 * time.Millisecond
	for path, status := range map[string]int{"/header": 0, "/body": http.StatusOK} {
		resp, err := client(t, cfg).Do(t.Context(), post(srv.URL+path))
		if !errors.Is(err, context.DeadlineExceeded) || resp.Status != status || resp.Body != "" {
			t.Errorf("%s: got %+v, %v", path, resp, err)
		}
	}
}

func TestPostOnlyWhereAllowed(t *testing.T) { // [JK-04 JK-06]
	var hits atomic.Int32
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer plain.Close()
	secure, cfg := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for name, tt := range map[string]struct {
		cfg  Config
		url  string
		want error
	}{
		"plain":            {Config{AllowPrivate: true}, plain.URL, ErrScheme},
		"plain to world":   {Config{AllowHTTP: true}, "http://8.8.8.8/", ErrScheme},
		"loopback by name": {Config{RootCAs: cfg.RootCAs}, strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), ErrAddress},
		"user in the URL":  {cfg, strings.Replace(secure.URL, "//", "//a:b@", 1), ErrURL},
		"world":            {Config{AllowPrivate: true, OnlyPrivate: true}, "https://8.8.8.8/", ErrPublic}, // [IN-02]
	} {
		var told *Call
		tt.cfg.Done = func(c Call) { told = &c }
		if resp, err := client(t, tt.cfg).Do(t.Context(), post(tt.url)); !errors.Is(err, tt.want) || resp.Status != 0 {
			t.Errorf("%s: got %+v, %v", name, resp, err)
		} else if told != nil && told.Err == nil {
			t.Errorf("%s: told %+v", name, told)
		}
	}
	bad := post(secure.URL)
	bad.Header.Set("Authorization", "Basic c2VjcmV0\r\nX: y")
	_, err := client(t, cfg).Do(t.Context(), bad)
	if err == nil || hits.Load() != 0 {
		t.Errorf("got %v after %d requests", err, hits.Load())
	}
	tells(t, err)
}

func TestClientCertificate(t *testing.T) { // [IN-02]
	own, leaf := selfSigned(t)
	var shown atomic.Pointer[x509.Certificate]
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if peers := r.TLS.PeerCertificates; len(peers) > 0 {
			shown.Store(peers[0])
		}
	}))
	// The server names authorities that did not issue it: a self-signed
	// certificate is known by itself (RFC 8705 §2.2).
	other := x509.NewCertPool()
	_, stranger := selfSigned(t)
	other.AddCert(stranger)
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert, ClientCAs: other}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	cfg := Config{AllowPrivate: true, RootCAs: pool}
	if _, err := client(t, cfg).Do(t.Context(), post(srv.URL)); err == nil {
		t.Error("the server was content without a certificate")
	}
	cfg.Certificate = &own
	if resp, err := client(t, cfg).Do(t.Context(), post(srv.URL)); err != nil || resp.Status != http.StatusOK {
		t.Errorf("got %+v, %v", resp, err)
	}
	if got := shown.Load(); got == nil || !got.Equal(leaf) {
		t.Errorf("shown %v", got)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: hex.EncodeToString(public[:8])}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, leaf
}

// A deadline that is near enough is not made twice.
func TestWithin(t *testing.T) { // [JK-07]
	near, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	same, done := Within(near, time.Hour)
	done()
	if same != near || near.Err() != nil {
		t.Errorf("got %v, %v", same, near.Err())
	}
	for name, parent := range map[string]context.Context{"later": near, "none": t.Context()} {
		ctx, done := Within(parent, time.Second)
		if end, ok := ctx.Deadline(); !ok || time.Until(end) > time.Second {
			t.Errorf("%s: ends at %v, %v", name, end, ok)
		}
		if done(); ctx.Err() == nil || parent.Err() != nil {
			t.Errorf("%s: got %v, %v", name, ctx.Err(), parent.Err())
		}
	}
}
