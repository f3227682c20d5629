package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, Config) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return srv, Config{AllowPrivate: true, RootCAs: pool}
}

func get(t *testing.T, cfg Config, url string) (Response, error) {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c.Get(t.Context(), url)
}

func TestGet(t *testing.T) {
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
		// [JK-07] nothing ambient goes out, and no compression is offered
		for _, name := range []string{"Cookie", "Authorization", "Accept-Encoding", "Referer"} {
			if r.Header[name] != nil {
				t.Errorf("%s: %q", name, r.Header[name])
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.Header().Set("Cache-Control", "max-age=60")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "hello")
	})
	var calls []Call
	cfg.Done = func(c Call) { calls = append(calls, c) }
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdle()
	for range 2 {
		resp, err := c.Get(t.Context(), srv.URL)
		if err != nil || resp.Status != http.StatusTeapot || resp.Body != "hello" || resp.Header.Get("Cache-Control") != "max-age=60" {
			t.Errorf("got %+v, %v", resp, err)
		}
	}
	if len(calls) != 2 || calls[0].Status != http.StatusTeapot || calls[0].Err != nil || calls[0].Host == "" {
		t.Errorf("calls %+v", calls)
	}
}

func TestPrivateAddressIsRefusedAfterDNS(t *testing.T) { // [JK-06]
	var hits atomic.Int32
	srv, cfg := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	cfg.AllowPrivate = false
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "https://"), ":")
	for _, target := range []string{"https://localhost:" + port, srv.URL} {
		if _, err := get(t, cfg, target); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", target, err)
		}
	}
	if hits.Load() != 0 {
		t.Error("the server was reached")
	}
}

func TestPlainHTTP(t *testing.T) { // [JK-04]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }))
	defer srv.Close()
	if _, err := get(t, Config{AllowPrivate: true}, srv.URL); !errors.Is(err, ErrScheme) {
		t.Errorf("not allowed: %v", err)
	}
	byName := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	for _, target := range []string{srv.URL, byName} {
		if resp, err := get(t, Config{AllowHTTP: true}, target); err != nil || resp.Body != "x" {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) { // [JK-07]
	var followed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer other.Close()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		srv, cfg := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		})
		resp, err := get(t, cfg, srv.URL)
		if !errors.Is(err, ErrRedirect) || resp.Status != status {
			t.Errorf("%d: got %+v, %v", status, resp, err)
		}
	}
	if followed.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestSize(t *testing.T) { // [JK-07]
	size := 0
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			_, _ = zip.Write(make([]byte, 8<<20))
			_ = zip.Close()
			return
		}
		_, _ = io.Copy(w, bytes.NewReader(make([]byte, size)))
	})
	for _, tt := range []struct {
		size int
		want error
	}{{0, nil}, {DefaultMaxBytes, nil}, {DefaultMaxBytes + 1, ErrTooLarge}, {8 << 20, ErrTooLarge}} {
		size = tt.size
		resp, err := get(t, cfg, srv.URL)
		if !errors.Is(err, tt.want) || len(resp.Body) > DefaultMaxBytes || err == nil && len(resp.Body) != tt.size {
			t.Errorf("%d bytes: got %d, %v", tt.size, len(resp.Body), err)
		}
	}
	if resp, err := get(t, cfg, srv.URL+"/gzip"); err == nil && len(resp.Body) > 1<<17 {
		t.Errorf("a compressed body was expanded to %d bytes", len(resp.Body))
	}
	cfg.MaxBytes = 3
	size = 4
	if _, err := get(t, cfg, srv.URL); !errors.Is(err, ErrTooLarge) {
		t.Errorf("own limit: %v", err)
	}
}

func TestTimeout(t *testing.T) { // [JK-07]
	release := make(chan struct{})
	srv, cfg := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	})
	t.Cleanup(func() { close(release) }) // before the server is closed
	cfg.Timeout = 50 * time.Millisecond
	for _, path := range []string{"/header", "/body"} {
		if _, err := get(t, cfg, srv.URL+path); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := New(Config{AllowPrivate: true, RootCAs: cfg.RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(ctx, srv.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if c.config.Timeout != 5*time.Second || c.config.MaxBytes != 1<<20 {
		t.Errorf("defaults: %v, %d", c.config.Timeout, c.config.MaxBytes)
	}
}

func TestTLS(t *testing.T) { // [JK-04]
	srv, cfg := serve(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := get(t, Config{AllowPrivate: true}, srv.URL); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("unknown authority: %v", err)
	}
	if _, err := get(t, cfg, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)); !errors.As(err, new(x509.HostnameError)) {
		t.Errorf("other host: %v", err)
	}
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	if _, err := get(t, cfg, old.URL); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

func TestProxy(t *testing.T) {
	srv, cfg := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		if r.Method != http.MethodConnect {
			_, _ = io.WriteString(w, "plain")
			return
		}
		tunnel(w, strings.TrimPrefix(srv.URL, "https://"))
	}))
	defer proxy.Close()
	cfg.Proxy, _ = url.Parse(proxy.URL)

	// [JK-06] the proxy is on loopback and exempt; the target's literal is not
	cfg.AllowPrivate = false
	if _, err := get(t, cfg, srv.URL); !errors.Is(err, ErrAddress) || len(asked) != 0 {
		t.Errorf("private literal: %v, %v", err, asked)
	}
	// The test certificate is for example.com too.
	if resp, err := get(t, cfg, "https://example.com/"); err != nil || resp.Body != "x" || len(asked) != 1 || asked[0] != "CONNECT example.com:443" {
		t.Errorf("by name: %v, %v, %v", resp.Body, err, asked)
	}
	cfg.AllowHTTP = true
	if resp, err := get(t, cfg, "http://10.0.0.1/"); err != nil || resp.Body != "plain" {
		t.Errorf("plain: %v, %v", resp.Body, err)
	}
	if _, err := get(t, cfg, "http://idp.internal/"); !errors.Is(err, ErrScheme) { // [JK-04]
		t.Errorf("plain by name: %v", err)
	}
}

func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) { // [JK-07]
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if c.secure.Proxy != nil || c.plain.Proxy != nil {
		t.Error("a proxy is set")
	}
}

// tunnel joins the hijacked connection to addr.
func tunnel(w http.ResponseWriter, addr string) {
	up, err := net.Dial("tcp", addr)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	down, rest, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = up.Close()
		return
	}
	go func() {
		_, _ = io.Copy(up, rest)
		_ = up.Close()
	}()
	_, _ = io.Copy(down, up)
	_ = down.Close()
}
