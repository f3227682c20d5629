package server

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Events go through HTTP/2 one by one, and end with the token; the connection
// goes on.
func TestEventStreamOverHTTP2(t *testing.T) { // [TR-19]
	next, ended := make(chan string), make(chan error, 1)
	stream := events(next, ended)
	s, transport := both(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/open/x" {
			echo(w, r)
			return
		}
		stream(w, r)
	}, rules)
	resp := s.over(transport, "GET", "/read", nil)
	body := bufio.NewReader(resp.Body)
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %s %v", resp.Proto, resp)
	}
	for _, e := range []string{"one", "two"} {
		next <- e
		if line, err := body.ReadString('\n'); err != nil || line != "data: "+e+"\n" {
			t.Fatalf("got %q %v, want %s", line, err, e)
		}
		_, _ = body.ReadString('\n')
	}
	s.end()
	if rest, err := io.ReadAll(body); err == nil || len(rest) > 0 {
		t.Errorf("after expiry: got %q %v, want a broken stream", rest, err)
	}
	<-ended
	if a := s.over(transport, "GET", "/open/x", nil); a.StatusCode != 200 {
		t.Errorf("the next request: got %d", a.StatusCode)
	}
}

// Both directions of one HTTP/2 stream are open at the same time, and both end
// with the token.
func TestBothDirections(t *testing.T) { // [TR-19]
	ended := make(chan error, 1)
	s, transport := both(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		lines := bufio.NewReader(r.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				ended <- err
				return
			}
			_, _ = io.WriteString(w, strings.ToUpper(line))
			w.(http.Flusher).Flush()
		}
	}, rules)
	from, to := io.Pipe()
	resp := s.over(transport, "POST", "/any/x", from)
	body := bufio.NewReader(resp.Body)
	for _, word := range []string{"one\n", "two\n"} {
		_, _ = io.WriteString(to, word)
		if line, err := body.ReadString('\n'); err != nil || line != strings.ToUpper(word) {
			t.Fatalf("got %q %v", line, err)
		}
	}
	s.end()
	if line, err := body.ReadString('\n'); err == nil {
		t.Errorf("after expiry: got %q", line)
	}
	if err := <-ended; err == nil {
		t.Error("the upstream got a whole body")
	}
	_ = to.Close()
}

// summed answers with its own trailers, one of them not announced, and with
// those that it got.
func summed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Sum")
	echo(w, r)
	w.Header().Set("X-Sum", "theirs")
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}

// Trailers go both ways, over each protocol. What could pass for a credential or
// for identity does not.
func TestTrailersBothWays(t *testing.T) { // [TR-14 PV-05]
	plain := serve(t, summed, "forward_credentials: true\n"+rules)
	a := plain.raw("POST", "POST /any/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"+plain.as("read")+"\r\nTransfer-Encoding: chunked\r\n"+
		"Trailer: X-Sum, Authorization, DPoP, Cookie, X_Auth_Subject, Content-Type, Client-Cert, X-Absent\r\n\r\n"+
		"1\r\nx\r\n0\r\nX-Sum: mine\r\nAuthorization: evil\r\nDPoP: evil\r\nCookie: evil\r\nX_Auth_Subject: evil\r\nContent-Type: evil\r\nClient-Cert: evil\r\nX-More: evil\r\n\r\n")
	check := func(name string, status int, body string, trailer http.Header) {
		t.Helper()
		if status != 200 || !strings.Contains(body, "Trailer X-Sum: mine\n") || strings.Contains(body, "evil") {
			t.Errorf("%s: got %d %s", name, status, body)
		}
		if !slices.Equal(trailer["X-Sum"], []string{"theirs"}) || !slices.Equal(trailer["Grpc-Status"], []string{"0"}) {
			t.Errorf("%s: got the trailers %v", name, trailer)
		}
	}
	check("HTTP/1", a.StatusCode, a.body, a.Trailer)

	s, transport := both(t, summed, rules)
	resp := s.over(transport, "POST", "/any/x", io.MultiReader(strings.NewReader("x")), func(r *http.Request) {
		r.Trailer = http.Header{"X-Sum": {"mine"}, "X-Auth-Subject": {"evil"}, "Cookie": {"evil"}}
		r.Header.Set("Te", "trailers")
	})
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	check("HTTP/2", resp.StatusCode, string(body), resp.Trailer)
}
