package server

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
)

// secured starts an upstream that speaks https, HTTP/2 too, and returns its URL
// and the file of its authority.
func secured(t *testing.T, h http.HandlerFunc) (url, ca string) {
	t.Helper()
	behind := httptest.NewUnstartedServer(h)
	behind.EnableHTTP2 = true
	behind.StartTLS()
	t.Cleanup(behind.Close)
	ca = place(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: behind.Certificate().Raw})))
	return behind.URL, ca
}

// both starts a server with HTTP/2 on both sides, and returns a client of it.
func both(t *testing.T, h http.HandlerFunc, rest string, change ...func(*Service)) (*served, *http.Transport) {
	t.Helper()
	url, ca := secured(t, h)
	certFile, keyFile, pool := keyPair(t)
	issuer := bearwardtest.NewIssuer(t)
	s := start(t, issuer, parse(t, issuer.URL, url, "upstream_ca_file: "+ca+"\ntls: {cert_file: "+certFile+", key_file: "+keyFile+"}\n"+rest), change...)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com"}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return s, transport
}

// over sends a request with a token to a server of both.
func (s *served) over(transport *http.Transport, method, path string, body io.Reader, change ...func(*http.Request)) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, "https://"+s.api+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token("read"))
	for _, f := range change {
		f(req)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// The upstream's certificate is judged, by the authorities of the file alone.
func TestUpstreamOverTLS(t *testing.T) {
	protocol := make(chan string, 1)
	url, ca := secured(t, func(_ http.ResponseWriter, r *http.Request) { protocol <- r.Proto })
	issuer := bearwardtest.NewIssuer(t)
	s := start(t, issuer, parse(t, issuer.URL, url, "upstream_ca_file: "+ca+"\n"+rules))
	if a := s.ask("GET", "/open/x"); a.StatusCode != 200 {
		t.Errorf("got %d", a.StatusCode)
	}
	if got := <-protocol; got != "HTTP/2.0" {
		t.Errorf("the upstream was spoken to in %s", got)
	}
	for _, rest := range []string{rules, "upstream_ca_file: " + other(t) + "\n" + rules} {
		s = start(t, issuer, parse(t, issuer.URL, url, rest))
		if a := s.ask("GET", "/open/x"); a.StatusCode != 502 {
			t.Errorf("an authority that is not trusted: got %d", a.StatusCode)
		}
	}
	_, err := New(t.Context(), parse(t, issuer.URL, url, "upstream_ca_file: "+filepath.Join(t.TempDir(), "none")+"\n"+rules), quiet)
	if err == nil || !strings.Contains(err.Error(), "serve.yaml:8:19: ") {
		t.Errorf("a file that is not there: got %v", err)
	}
}

// other is the file of some other authority.
func other(t *testing.T) string {
	t.Helper()
	_, c := pair(t)
	return place(t, t.TempDir(), "other.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
}

// A WebSocket goes over HTTP/1.1, also to an upstream that has HTTP/2.
func TestWebSocketOverTLS(t *testing.T) { // [TR-19]
	s, _ := both(t, shout, rules)
	conn, err := tls.Dial("tcp", s.api, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /read HTTP/1.1\r\nHost: h\r\n"+s.as("read")+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	from := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(from, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v %v", resp, err)
	}
	_, _ = io.WriteString(conn, "word\n")
	if line, err := from.ReadString('\n'); err != nil || line != "WORD\n" {
		t.Errorf("got %q %v", line, err)
	}
	s.end()
	if line, err := from.ReadString('\n'); err == nil {
		t.Errorf("after expiry: got %q", line)
	}
}

// What is late is answered 504: the headers, and TLS.
func TestUpstreamIsLate(t *testing.T) {
	timeouts := "upstream_timeouts: {answer: 20ms}\n" + rules
	ended := make(chan struct{}, 2)
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		ended <- struct{}{}
	}
	s := serve(t, hang, timeouts)
	if a := s.ask("GET", "/open/x"); a.StatusCode != 504 || a.body != `{"title":"Gateway Timeout","status":504}` {
		t.Errorf("HTTP/1: got %d %s", a.StatusCode, a.body)
	}
	<-ended
	s, transport := both(t, hang, timeouts)
	if resp := s.over(transport, "POST", "/any/x", strings.NewReader("x")); resp.StatusCode != 504 {
		t.Errorf("HTTP/2: got %d", resp.StatusCode)
	}
	<-ended
	mute, err := net.Listen("tcp", "127.0.0.1:0") // connections wait in its backlog
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	issuer := bearwardtest.NewIssuer(t)
	s = start(t, issuer, parse(t, issuer.URL, "https://"+mute.Addr().String(), "upstream_timeouts: {connect: 20ms}\n"+rules))
	if a := s.ask("GET", "/open/x"); a.StatusCode != 504 {
		t.Errorf("no TLS: got %d", a.StatusCode)
	}
}

// An upstream that takes nothing is given up.
func TestUpstreamTakesNothing(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if _, err := (impatient{near, time.Millisecond}).Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	b := &builder{file: parse(t, "https://login.example.test", "http://127.0.0.1:1", rules)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := b.upstream(time.Hour).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if c, ok := conn.(impatient); !ok || c.silence != time.Hour {
		t.Errorf("a connection is %T", conn)
	}
}

// endless writes until that fails, and says how much it was.
func endless(wrote *atomic.Int64, ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		for chunk := make([]byte, 32<<10); ; {
			n, err := w.Write(chunk)
			wrote.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// most is more than two connections have on the way.
const most = 64 << 20

// A client that takes nothing ends its request, and makes nothing grow.
func TestClientTakesNothing(t *testing.T) {
	var wrote atomic.Int64
	ended := make(chan struct{})
	s := serve(t, endless(&wrote, ended), rules, func(s *Service) { s.silence = 50 * time.Millisecond })
	s.connect("GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	<-ended
	if n := wrote.Load(); n > most {
		t.Errorf("%d bytes were taken from the upstream", n)
	}

	wrote.Store(0)
	again := make(chan struct{})
	s, transport := both(t, endless(&wrote, again), rules, func(s *Service) { s.silence = 50 * time.Millisecond })
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.api+"/open/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := transport.RoundTrip(req); err == nil { // it may be late
		defer resp.Body.Close()
	}
	<-again
	if n := wrote.Load(); n > most {
		t.Errorf("HTTP/2: %d bytes were taken from the upstream", n)
	}
}

// An answer whose headers have no end is none.
func TestEndlessHeaders(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", answerHeaderBytes) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: b\r\n", answerHeaderBytes/8) + "\r\n",
		strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", answerHeaderBytes/8),
	} {
		s := upstreamOf(t, answer)
		from := s.connect("GET /open/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		status := http.StatusEarlyHints
		for status == http.StatusEarlyHints {
			status = read(t, from, "GET").StatusCode
		}
		if status != 502 {
			t.Errorf("%.40q: got %d", answer, status)
		}
	}
}
