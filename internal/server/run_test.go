package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/server/route"
)

// state asks the admin listener.
func (s *served) state(path string) (int, string) {
	s.t.Helper()
	resp, err := http.Get("http://" + s.admin + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// The server is ready once it has loaded the keys by itself, and asking it
// fetches nothing.
func TestReadiness(t *testing.T) {
	issuer := bearwardtest.NewIssuer(t)
	issuer.Break(bearwardtest.Status500)
	s := start(t, issuer, parse(t, issuer.URL, "http://127.0.0.1:1", rules))
	first := <-s.waits // the first attempt has failed
	before := issuer.Requests("")
	for range 3 {
		status, body := s.state("/readyz")
		name := strings.TrimPrefix(issuer.URL, "http://")
		if status != 503 || !strings.Contains(body, `"ready":false`) || !strings.Contains(body, `"name":"`+name+`"`) {
			t.Errorf("before: got %d %s", status, body)
		}
		if strings.Contains(body, `"reason":""`) {
			t.Errorf("no reason: %s", body)
		}
	}
	if status, _ := s.state("/healthz"); status != 200 {
		t.Errorf("healthz: got %d", status)
	}
	if after := issuer.Requests(""); after != before {
		t.Errorf("asking fetched %d times", after-before)
	}
	if a := s.ask("GET", "/read", s.as("read")); a.StatusCode != 503 {
		t.Errorf("a request meanwhile: got %d", a.StatusCode)
	}
	issuer.Heal()
	issuer.Clock.Advance(time.Minute)
	first <- time.Time{}
	s.loaded()
	issuer.Break(bearwardtest.Down)
	issuer.Clock.Advance(48 * time.Hour) // later outages do not take it back
	if status, body := s.state("/readyz"); status != 200 {
		t.Errorf("after: got %d %s", status, body)
	}
	for path, want := range map[string]int{"/": 404, "/read": 404, "/metrics": 200, "/explain": 405, "/debug/pprof/": 404} {
		if status, _ := s.state(path); status != want {
			t.Errorf("%s: got %d", path, status)
		}
	}
	if a := s.ask("GET", "/readyz"); a.StatusCode != 403 {
		t.Errorf("the API answers for admin: %d", a.StatusCode)
	}
}

// loaded waits until the server says that it is ready; a retry that is still
// needed happens at once.
func (s *served) loaded() {
	s.t.Helper()
	for {
		select {
		case again := <-s.waits:
			s.clock.Advance(time.Minute)
			again <- time.Time{}
		default:
		}
		if status, _ := s.state("/readyz"); status == 200 {
			return
		}
		if s.t.Context().Err() != nil {
			s.t.Fatal("never ready")
		}
	}
}

func TestGracefulStop(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			shout(w, r)
			return
		}
		close(arrived)
		<-goOn
		_, _ = io.WriteString(w, "done")
	}, rules)
	s.loaded()
	_, socket, _ := s.upgrade("/read", "websocket")
	slow := s.connect("GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	<-arrived
	s.stop()
	for { // until readiness went first, or the admin listener after it
		resp, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			t.Fatalf("the admin listener closed before the last request ended: %v", err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode == 503 && strings.Contains(string(body), "stopping") {
			break
		}
	}
	close(goOn)
	if a := read(t, slow, "GET"); a.StatusCode != 200 || a.body != "done" {
		t.Errorf("the request under way: got %d %s", a.StatusCode, a.body)
	}
	if err := s.wait(); err != nil {
		t.Errorf("run: %v", err)
	}
	if _, err := socket.ReadString('\n'); err == nil {
		t.Error("the upgraded connection is still open")
	}
	if conn, err := net.Dial("tcp", s.api); err == nil {
		_ = conn.Close()
		t.Error("still accepting")
	}
}

// What does not end in time is cut off.
func TestStopCutsOff(t *testing.T) {
	ended := make(chan error, 1)
	behind := httptest.NewServer(events(nil, ended))
	defer behind.Close()
	issuer := bearwardtest.NewIssuer(t)
	service, err := New(t.Context(), parse(t, issuer.URL, behind.URL, rules), quiet)
	if err != nil {
		t.Fatal(err)
	}
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- (&runner{Service: service, out: in}).run(ctx) }() // no grace at all
	line := make([]byte, 100)
	n, _ := out.Read(line)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	s := &served{t: t, api: strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "bearward: listening on "))}
	from := s.connect("GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the stream ended well")
	}
	<-ended
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = in.Close()
}

func TestUpstreamDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().String()
	_ = l.Close()
	issuer := bearwardtest.NewIssuer(t)
	s := start(t, issuer, parse(t, issuer.URL, "http://"+port, rules))
	a := s.ask("GET", "/read", s.as("read"))
	if a.StatusCode != 502 || a.body != `{"title":"Bad Gateway","status":502}` || a.Header.Get("Content-Type") != "application/problem+json" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("got %d %v %q", a.StatusCode, a.Header, a.body)
	}
}

// A client that leaves is noticed by the upstream.
func TestClientLeaves(t *testing.T) {
	ended := make(chan error, 1)
	s := serve(t, events(nil, ended), rules)
	from, conn := s.dial("GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	_ = resp.Body.Close()
	<-ended
}

// keyPair writes the certificate of a test server and returns what trusts it.
func keyPair(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	c := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return certFile, keyFile, pool
}

func TestTLS(t *testing.T) { // [TR-12]
	certFile, keyFile, pool := keyPair(t)
	s := serve(t, echo, "tls: {cert_file: "+certFile+", key_file: "+keyFile+"}\n"+rules)
	for _, h2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com"}, ForceAttemptHTTP2: h2}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.api+"/any/a%2Fb?x", nil)
		req.Header.Set("Authorization", "Bearer "+s.token("read"))
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		transport.CloseIdleConnections()
		if resp.StatusCode != 200 || resp.ProtoMajor == 2 != h2 || !strings.HasPrefix(string(body), "GET /any/a%2Fb?x\n") || !strings.Contains(string(body), "X-Forwarded-Proto: https") {
			t.Errorf("HTTP/2 %v: got %s %d %s", h2, resp.Proto, resp.StatusCode, body)
		}
	}
	old := &tls.Config{RootCAs: pool, ServerName: "example.com", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	if conn, err := tls.Dial("tcp", s.api, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
	if a := s.ask("GET", "/open/x"); a.StatusCode != 400 {
		t.Errorf("plain http: got %d", a.StatusCode)
	}
}

func TestNewFaults(t *testing.T) {
	certFile, _, _ := keyPair(t)
	none := filepath.Join(t.TempDir(), "none")
	file, err := config.Parse("serve.yaml", []byte(`listen: 127.0.0.1:0
mode: proxy
upstream: http://127.0.0.1:1
resource: https://api.example.test
tls: {cert_file: `+certFile+`, key_file: `+none+`}
issuers:
  - {issuer: https://a, ca_file: `+none+`}
  - {issuer: https://b, ca_file: `+os.DevNull+`}
  - {issuer: https://c, jwks_file: `+none+`}
rules: [{match: /}]
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), file, quiet)
	for _, want := range []string{"serve.yaml:5:6: ", "serve.yaml:7:", "serve.yaml:8:", "contains no PEM certificate", "serve.yaml:9:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
	if err := Run(t.Context(), file, nil, io.Discard); err == nil {
		t.Error("Run starts")
	}
}

func TestListenFault(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	issuer := bearwardtest.NewIssuer(t)
	file := parse(t, issuer.URL, "http://127.0.0.1:1", rules)
	file.Admin = taken.Addr().String()
	var out bytes.Buffer
	if err := Run(t.Context(), file, nil, &out); err == nil || out.Len() != 0 {
		t.Errorf("got %v, printed %s", err, &out)
	}
}

// 0.0.0.0 is IPv4 only: whoever writes it may have left IPv6 to somebody else.
func TestListensOnItsFamily(t *testing.T) {
	for listen, want := range map[string]bool{"0.0.0.0:0": true, "[::]:0": false, ":0": false} {
		issuer := bearwardtest.NewIssuer(t)
		file := parse(t, issuer.URL, "http://127.0.0.1:1", "plain_behind_tls: true\n"+rules)
		file.Listen = listen
		at := start(t, issuer, file).api
		if got := strings.HasPrefix(at, "0.0.0.0:"); got != want {
			t.Errorf("%s: listens on %s", listen, at)
		}
	}
}

// What a command asks of a file without listening.
func TestMatch(t *testing.T) {
	issuer := bearwardtest.NewIssuer(t)
	s, err := New(t.Context(), parse(t, issuer.URL, "http://127.0.0.1:1", rules), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p, outcome := s.Match("GET", "/read"); outcome != route.Matched || p.Route != "GET /read" || p.AllScopes[0] != "read" {
		t.Errorf("got %v %d", p, outcome)
	}
	if _, outcome := s.Match("GET", "/nothing"); outcome != route.Unmatched {
		t.Errorf("got %d", outcome)
	}
}

func TestLogger(t *testing.T) {
	for _, c := range []struct{ level, format, want string }{
		{"info", "text", "level=WARN msg=w\n"},
		{"warn", "json", `{"level":"WARN","msg":"w"}` + "\n"},
		{"error", "text", ""},
	} {
		var out bytes.Buffer
		l := Logger(&config.File{Log: config.Log{Level: c.level, Format: c.format}}, &out)
		l.Debug("d")
		_ = l.Handler().Enabled(t.Context(), slog.LevelInfo)
		l.Warn("w")
		got := out.String()
		if i := strings.Index(got, "level"); i > 0 && c.format == "text" {
			got = got[i:]
		}
		if c.want != "" && c.format == "json" {
			got = `{` + got[strings.Index(got, `"level"`):]
		}
		if got != c.want {
			t.Errorf("%v: got %q", c, out.String())
		}
	}
}

// Issuers with keys in a file and with no leeway work like others.
func TestKeysInAFile(t *testing.T) {
	issuer := bearwardtest.NewIssuer(t)
	resp, err := http.Get(issuer.URL + "/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	set, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %d, %v", resp.StatusCode, err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, set, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := config.Parse("serve.yaml", []byte(`listen: 127.0.0.1:0
admin: 127.0.0.1:0
mode: proxy
upstream: http://127.0.0.1:1
resource: https://api.example.test
issuers: [{issuer: "`+issuer.URL+`", jwks_file: `+path+`, leeway: 0s}]
rules: [{match: /}]
`))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, issuer, file)
	s.loaded()
	as := s.as("")
	if a := s.ask("GET", "/", as); a.StatusCode != 502 {
		t.Errorf("got %d", a.StatusCode)
	}
	issuer.Clock.Advance(5*time.Minute + time.Second)
	if a := s.ask("GET", "/", as); a.StatusCode != 401 {
		t.Errorf("one second after its end: got %d", a.StatusCode)
	}
}
