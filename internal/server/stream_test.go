package server

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// connect sends bytes and returns the connection to read from.
func (s *served) connect(text string) *bufio.Reader {
	from, _ := s.dial(text)
	return from
}

func (s *served) dial(text string) (*bufio.Reader, net.Conn) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.api)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	return bufio.NewReader(conn), conn
}

// events writes an event for each value of the channel.
func events(next <-chan string, ended chan<- error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		for {
			select {
			case e := <-next:
				fmt.Fprintf(w, "data: %s\n\n", e)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				ended <- r.Context().Err()
				return
			}
		}
	}
}

func (s *served) stream(method, path string) (*http.Response, *bufio.Reader) {
	s.t.Helper()
	from := s.connect(method + " " + path + " HTTP/1.1\r\nHost: h\r\n" + s.as("read") + "\r\n\r\n")
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp, bufio.NewReader(resp.Body)
}

// end lets the token of the request that has arrived last expire.
func (s *served) end() {
	s.t.Helper()
	select {
	case cancel := <-s.expire:
		cancel(errExpired)
	default:
		s.t.Fatal("the request does not end with its token")
	}
}

// Each event arrives before the next one is sent, and the stream ends with its
// token.
func TestEventStream(t *testing.T) { // [TR-19]
	next, ended := make(chan string), make(chan error, 1)
	s := serve(t, events(next, ended), rules)
	resp, body := s.stream("GET", "/read")
	if resp.StatusCode != 200 {
		t.Fatalf("got %d", resp.StatusCode)
	}
	for _, e := range []string{"one", "two", "three"} {
		next <- e
		line, err := body.ReadString('\n')
		if err != nil || line != "data: "+e+"\n" {
			t.Fatalf("got %q %v, want %s", line, err, e)
		}
		_, _ = body.ReadString('\n')
	}
	s.end()
	if _, err := body.ReadString('\n'); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("after expiry: got %v, want a broken body", err)
	}
	<-ended
}

func TestExpiredBeforeTheAnswer(t *testing.T) { // [TR-19]
	arrived := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}, rules)
	from := s.connect("GET /read HTTP/1.1\r\nHost: h\r\n" + s.as("read") + "\r\n\r\n")
	<-arrived
	s.end()
	if a := read(t, from, "GET"); a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "expired") {
		t.Errorf("got %d %v", a.StatusCode, a.Header)
	}
}

func TestLargeBodies(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // the answer begins before the body ends
		_, _ = io.Copy(w, r.Body)
	}, rules)
	const size = 16 << 20
	sent, got := sha256.New(), sha256.New()
	resp := s.post("http://"+s.api+"/any/echo", io.TeeReader(io.LimitReader(pattern{}, size), sent))
	defer resp.Body.Close()
	if n, err := io.Copy(got, resp.Body); n != size || err != nil {
		t.Fatalf("got %d bytes, %v", n, err)
	}
	if sum(sent) != sum(got) {
		t.Error("the body changed on the way")
	}
}

func (s *served) post(url string, body io.Reader) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "POST", url, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token("read"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}

type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i * 7)
	}
	return len(p), nil
}

func sum(h hash.Hash) string { return string(h.Sum(nil)) }

// shout switches protocols and answers lines in upper case.
func shout(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", r.Header.Get("Upgrade"))
	w.Header().Set("X-Saw", r.Header.Get("X-Auth-Subject")+r.Header.Get("Authorization"))
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = rw.WriteString(strings.ToUpper(line))
		_ = rw.Flush()
	}
}

func (s *served) upgrade(path, protocol string) (*http.Response, *bufio.Reader, net.Conn) {
	s.t.Helper()
	from, conn := s.dial("GET " + path + " HTTP/1.1\r\nHost: h\r\n" + s.as("read") + "\r\nX-Auth-Subject: evil\r\n" +
		"Connection: Upgrade, HTTP2-Settings, X-Auth-Subject\r\nUpgrade: " + protocol + "\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, from, conn
}

func TestWebSocket(t *testing.T) { // [TR-19]
	s := serve(t, shout, rules)
	resp, from, conn := s.upgrade("/read", "WebSocket")
	if resp.StatusCode != 101 || resp.Header.Get("X-Saw") != "user-1" {
		t.Fatalf("got %d %v", resp.StatusCode, resp.Header)
	}
	for _, word := range []string{"one\n", "two\n"} {
		_, _ = io.WriteString(conn, word)
		if line, err := from.ReadString('\n'); err != nil || line != strings.ToUpper(word) {
			t.Fatalf("got %q %v", line, err)
		}
	}
	s.end()
	if line, err := from.ReadString('\n'); err == nil {
		t.Errorf("after expiry: got %q", line)
	}
}

// Another protocol could carry requests that no rule has seen.
func TestOtherUpgrades(t *testing.T) {
	s := serve(t, shout, rules)
	for _, protocol := range []string{"h2c", "TLS/1.0", "websocket, h2c", "h2c, websocket"} {
		if resp, _, _ := s.upgrade("/read", protocol); resp.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("%s: got %d", protocol, resp.StatusCode)
		}
	}
	from := s.connect("GET /read HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if a := read(t, from, "GET"); a.StatusCode != 401 {
		t.Errorf("without token: got %d", a.StatusCode)
	}
}
