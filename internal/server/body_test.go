package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bearward/bearward/bearwardtest"
)

// patience ends a test that would hang.
const patience = 20 * time.Second

// part sends the head of a request and a part of its body.
func (s *served) part(head string) (*bufio.Reader, net.Conn) {
	s.t.Helper()
	from, conn := s.dial(strings.Replace(head, "\r\n", " HTTP/1.1\r\nHost: h\r\n", 1))
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	return from, conn
}

const (
	announced = "\r\nContent-Length: 100\r\n\r\nx"
	chunked   = "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx"
)

// A client that keeps a part of its body to itself gets its answer, and holds
// the connection for no longer than it takes to read what is on the way.
func TestAnswersBeforeTheBodyEnds(t *testing.T) {
	s := upstreamOf(t, "HTTP/1.1 204 No Content\r\n\r\n", func(s *Service) { s.linger = time.Millisecond })
	for head, want := range map[string]int{
		"POST /any/x" + announced:                               401,
		"POST /any/x" + chunked:                                 401,
		"POST /nothing" + announced:                             403,
		"POST /open/../x" + announced:                           400,
		"POST /any/x\r\nAuthorization: x" + announced:           401,
		"GET /.well-known/oauth-protected-resource" + announced: 200,
		"POST /.well-known/oauth-protected-resource" + chunked:  405,
		"POST /open/x" + announced:                              204,
		"POST /open/x" + chunked:                                204,
	} {
		from, _ := s.part(head)
		if a := read(t, from, "POST"); a.StatusCode != want {
			t.Errorf("%q: got %d, want %d", head, a.StatusCode, want)
		}
		if _, err := from.ReadByte(); err != io.EOF {
			t.Errorf("%q: the connection goes on: %v", head, err)
		}
	}
	for _, path := range []string{"/healthz", "/nothing"} { // the admin listener
		a := &served{t: t, api: s.admin}
		from, _ := a.part("GET " + path + "\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
		if a := read(t, from, "GET"); a.StatusCode != 200 && a.StatusCode != 404 {
			t.Errorf("%s: got %d", path, a.StatusCode)
		}
	}
}

// What follows a body that was cut short is no request.
func TestNoRequestInABody(t *testing.T) {
	const request = "GET /open/evil HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, s := range []*served{serve(t, echo, rules), upstreamOf(t, "HTTP/1.1 204 No Content\r\n\r\n")} {
		for _, path := range []string{"/open/x", "/any/x", "/nothing", "/open/../x"} {
			for _, head := range []string{
				"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc", "\r\nContent-Length: 1000000\r\n\r\n",
			} {
				from, conn := s.part("POST " + path + head + request)
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.CloseWrite()
				}
				answers, _ := io.ReadAll(from)
				if n := strings.Count(string(answers), "HTTP/1.1 "); n > 1 {
					t.Errorf("%s %q: got %d answers", path, head, n)
				}
			}
		}
	}
}

// The rest of a body that is on its way is read, and the connection goes on
// with the next request.
func TestConnectionGoesOn(t *testing.T) {
	s := serve(t, echo, rules)
	from, _ := s.part("POST /any/x" + announced + strings.Repeat("x", 99) + "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" +
		"GET /open/next HTTP/1.1\r\nHost: h\r\n\r\n")
	for _, want := range []int{401, 200} {
		if a := read(t, from, "POST"); a.StatusCode != want {
			t.Errorf("got %d, want %d", a.StatusCode, want)
		}
	}
	if a := read(t, from, "GET"); a.StatusCode != 200 || lines(a)[0] != "GET /open/next" {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
}

// A client that falls silent in the middle of its body is not waited for.
func TestSilentClient(t *testing.T) {
	ended := make(chan error, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}, rules, func(s *Service) { s.silence = time.Millisecond })
	from, _ := s.part("POST /open/x" + announced)
	if a := read(t, from, "POST"); a.StatusCode != http.StatusRequestTimeout || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s", a.StatusCode, a.body)
	}
	if err := <-ended; err == nil {
		t.Error("the upstream got a whole body")
	}
}

// deadlines is a connection that remembers its read deadlines.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error { d.set = append(d.set, at); return nil }

// Once the body has ended, the client may be silent for as long as the answer
// takes; in HTTP/2 at any time.
func TestSilenceAfterTheBody(t *testing.T) {
	for major, limited := range map[int]bool{1: true, 2: false} {
		d := &deadlines{ResponseWriter: httptest.NewRecorder()}
		r := &http.Request{ProtoMajor: major, Body: io.NopCloser(strings.NewReader("x"))}
		b := carry(d, r, time.Hour)
		if _, err := r.Body.Read(make([]byte, 1)); err != nil || d.set[0].IsZero() == limited {
			t.Errorf("HTTP/%d: %v, deadlines %v", major, err, d.set)
		}
		if rest, err := io.ReadAll(r.Body); len(rest) != 0 || err != nil || !d.set[len(d.set)-1].IsZero() {
			t.Errorf("HTTP/%d: %q %v, deadlines %v", major, rest, err, d.set)
		}
		n := len(d.set)
		b.interrupt()
		b.leave(time.Hour)
		if _, err := r.Body.Read(nil); err != io.EOF || len(d.set) != n {
			t.Errorf("HTTP/%d: %v, deadlines %v", major, err, d.set)
		}
	}
}

// What is read after the answer is not the upstream's any more.
func TestLeftBody(t *testing.T) {
	d := &deadlines{ResponseWriter: httptest.NewRecorder()}
	r := &http.Request{ProtoMajor: 1, Body: io.NopCloser(strings.NewReader("x"))}
	b := carry(d, r, time.Hour)
	b.leave(time.Hour)
	if len(d.set) != 2 || d.set[0] != past || !d.set[1].After(time.Now()) {
		t.Errorf("deadlines %v", d.set)
	}
	if n, err := r.Body.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF || len(d.set) != 2 {
		t.Errorf("%d %v, deadlines %v", n, err, d.set)
	}
}

func TestExpiryEndsAnUpload(t *testing.T) { // [TR-19]
	arrived := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		_, _ = io.Copy(io.Discard, r.Body)
	}, rules)
	from, _ := s.part("POST /any/x\r\n" + s.as("read") + announced)
	<-arrived
	s.end()
	if a := read(t, from, "POST"); a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "expired") {
		t.Errorf("got %d %v", a.StatusCode, a.Header)
	}
}

// What the client did wrong is not blamed on the upstream.
func TestMalformedBody(t *testing.T) {
	s := serve(t, echo, rules)
	for _, chunk := range []string{"zz\r\n", "2\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\n"} {
		a := s.raw("POST", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"+chunk)
		if a.StatusCode != 400 || a.body != `{"title":"Bad Request","status":400}` || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: got %d %s", chunk, a.StatusCode, a.body)
		}
	}
}

// upstreamOf answers every request with the same bytes.
func upstreamOf(t *testing.T, answer string, change ...func(*Service)) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			from := bufio.NewReader(conn)
			_, _ = http.ReadRequest(from)
			_, _ = io.WriteString(conn, answer)
			if !strings.HasPrefix(answer, "HTTP/1.1 204") {
				_ = conn.Close()
				continue
			}
			go func() { // keeps its end open, and the client's body wanted
				_, _ = io.Copy(io.Discard, from)
				_ = conn.Close()
			}()
		}
	}()
	issuer := bearwardtest.NewIssuer(t)
	return start(t, issuer, parse(t, issuer.URL, "http://"+l.Addr().String(), rules), change...)
}

// The upstream's answer arrives as it is, without a guess at its type.
func TestAnswerIsNotGuessedAt(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>"
	for _, before := range []string{"", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"} {
		s := upstreamOf(t, before+ok)
		from := s.connect("GET /open/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if before != "" {
			if a := read(t, from, "GET"); a.StatusCode != 103 || a.Header.Get("Link") != "</a>" {
				t.Errorf("got %d %v", a.StatusCode, a.Header)
			}
		}
		a := read(t, from, "GET")
		if kind, given := a.Header["Content-Type"]; a.StatusCode != 200 || a.body != "<html>" || given {
			t.Errorf("got %d %q %s", a.StatusCode, kind, a.body)
		}
	}
}

func TestUpstreamSpeaksNoHTTP(t *testing.T) {
	for _, answer := range []string{"", "\x00\r\n\r\n", "HTTP/1.1 000 Odd\r\n\r\n", "HTTP/1.1 099 Odd\r\n\r\n", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"} {
		if a := upstreamOf(t, answer).ask("GET", "/open/x"); a.StatusCode != 502 {
			t.Errorf("%q: got %d", answer, a.StatusCode)
		}
	}
}
