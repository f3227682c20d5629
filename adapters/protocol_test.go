package adapters_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/bearward/bearward/adapters/grpcauth"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
)

// TestNativeReply: below gRPC every refusal is HTTP 200 with a status in the
// trailer. [GR-07]
func TestNativeReply(t *testing.T) {
	w := newWorld(t)
	w.load()
	r := newRPC(t)
	p := middleware.Scopes("admin")
	methods := grpcauth.Methods{unaryMethod: p, streamMethod: p}
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	for name, c := range map[string]struct {
		method, authorization, status string
		challenge                     bool
	}{
		"unary, no token":      {unaryMethod, "", "16", true},
		"unary, missing scope": {unaryMethod, "Bearer " + w.mint(w.main, "", nil), "7", true},
		"unary, malformed":     {unaryMethod, "Bearer", "16", true},
		"stream, no token":     {streamMethod, "", "16", true},
		"stream, bad token":    {streamMethod, "Bearer x", "16", true},
	} {
		r.current.Store(&service{unary: grpcauth.Unary(w.strict, methods), stream: grpcauth.Stream(w.strict, methods), saw: &sight{}})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.conn.Target()+c.method, strings.NewReader("\x00\x00\x00\x00\x00"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
		if c.authorization != "" {
			req.Header.Set("Authorization", c.authorization)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		trailer := func(field string) string { return res.Trailer.Get(field) + res.Header.Get(field) } // the latter if nothing else is sent
		if res.StatusCode != 200 || trailer("Grpc-Status") != c.status || (trailer("Www-Authenticate") != "") != c.challenge {
			t.Errorf("%s: %d %v %v", name, res.StatusCode, res.Header, res.Trailer)
		}
	}
}

// TestEveryRequest: each request of a connection is judged for itself.
// [TR-18 MC-01]
func TestEveryRequest(t *testing.T) {
	w := newWorld(t)
	w.load()
	server := httptest.NewServer(httpauth.Protect(w.strict, middleware.Policy{})(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, "hello")
	})))
	defer server.Close()
	reused := 0
	for n, c := range []struct {
		kind   string
		status int
	}{{"valid", 200}, {"", 401}, {"valid", 200}, {"expired", 401}, {"bad-signature", 401}, {"valid", 200}} {
		trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
			if i.Reused {
				reused++
			}
		}}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.kind != "" {
			req.Header.Set("Authorization", "Bearer "+w.mint(w.main, c.kind, nil))
		}
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("request %d: %d, want %d", n+1, res.StatusCode, c.status)
		}
	}
	if reused == 0 {
		t.Error("the requests did not share a connection")
	}
}

// TestConnect: the Connect protocol is HTTP, so its clients read the statuses
// that they know and find the challenge. [GR-14]
func TestConnect(t *testing.T) {
	for name, c := range map[string]struct {
		world  func(*world)
		policy middleware.Policy
		kind   string
		status int
	}{
		"unauthenticated":   {(*world).load, middleware.Policy{}, "expired", 401},
		"permission denied": {(*world).load, middleware.Scopes("admin"), "", 403},
		"unavailable":       {func(w *world) { w.fault(issuer.Down) }, middleware.Policy{}, "", 503},
	} {
		w := newWorld(t)
		c.world(w)
		for _, kind := range []string{"application/proto", "application/json", "application/connect+json"} {
			req := httptest.NewRequest(http.MethodPost, unaryMethod, strings.NewReader("{}"))
			req.Header.Set("Content-Type", kind)
			req.Header.Set("Connect-Protocol-Version", "1")
			req.Header.Set("Authorization", "Bearer "+w.mint(w.main, c.kind, nil))
			rec := httptest.NewRecorder()
			httpauth.Protect(w.strict, c.policy)(http.NotFoundHandler()).ServeHTTP(rec, req)
			if rec.Code != c.status || (rec.Header().Get("WWW-Authenticate") != "") != (c.status != 503) {
				t.Errorf("%s, %s: %d %v", name, kind, rec.Code, rec.Header())
			}
		}
	}
}
