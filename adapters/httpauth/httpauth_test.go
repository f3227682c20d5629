package httpauth_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/internal/issuer"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newIssuer(t *testing.T) *issuer.Server {
	t.Helper()
	s, err := issuer.Start(issuer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newGuard(t *testing.T, change func(*bearward.Config), issuers ...*issuer.Server) *middleware.Guard {
	t.Helper()
	cfg := bearward.Config{Resource: issuer.DefaultAudience, Logger: slog.New(slog.DiscardHandler)}
	for _, s := range issuers {
		cfg.Issuers = append(cfg.Issuers, bearward.Issuer{URL: s.URL(), AllowHTTP: true})
	}
	if change != nil {
		change(&cfg)
	}
	g, err := bearward.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func mint(t *testing.T, s *issuer.Server, claims map[string]any) string {
	t.Helper()
	all := s.Claims("")
	for name, v := range claims {
		all[name] = v
	}
	token, err := s.Mint("", all)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// observer keeps codes and paths of decisions.
type observer struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (o *observer) Observe(_ context.Context, e middleware.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

func get(h http.Handler, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// TestFaultyPolicyPanics: at start, with all faults, and not on a request.
func TestFaultyPolicyPanics(t *testing.T) {
	g := newGuard(t, nil, newIssuer(t))
	defer func() {
		text, _ := recover().(string)
		if !strings.Contains(text, `"a b"`) || !strings.Contains(text, "MaxAge") {
			t.Errorf("%q", text)
		}
	}()
	httpauth.Protect(g, middleware.Scopes("a b").WithMaxAge(-time.Second))
	t.Error("a faulty policy was taken")
}

// TestChallengeIsFound: the field has its canonical name, so that Get finds it
// in handlers around and in recorders.
func TestChallengeIsFound(t *testing.T) {
	g := newGuard(t, nil, newIssuer(t))
	rec := get(httpauth.Protect(g, middleware.Policy{})(hello), "")
	if rec.Code != 401 || rec.Header().Get("WWW-Authenticate") == "" || len(rec.Result().Header.Values("WWW-Authenticate")) != 1 {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

// TestTarget: path and query come from the request line.
func TestTarget(t *testing.T) {
	o := &observer{}
	g := newGuard(t, func(c *bearward.Config) { c.Observer = o }, newIssuer(t))
	server := httptest.NewServer(http.StripPrefix("/api", httpauth.Protect(g, middleware.Policy{})(hello)))
	defer server.Close()
	for line, want := range map[string]string{
		"/api/orders":                     "/api/orders",
		"/api/a%2Fb/../c?x=1":             "/api/a%2Fb/../c",
		"http://other.test/api/orders?q":  "/api/orders",
		"/api/x?u=http://other.test/evil": "/api/x",
		"/api//x":                         "/api//x",
		"http://other.test/api?":          "/api",
		"/api/%zz":                        "",
	} {
		o.events = nil
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n\r\n", line)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		switch {
		case want == "" && res.StatusCode != 400:
			t.Errorf("%s: %d", line, res.StatusCode)
		case want != "" && (res.StatusCode != 401 || len(o.events) != 1 || o.events[0].Path != want):
			t.Errorf("%s: %d, %+v, want %s", line, res.StatusCode, o.events, want)
		}
	}
}

// TestRequest translates what was received and nothing else.
func TestRequest(t *testing.T) {
	r := httptest.NewRequest(http.MethodPut, "https://api.example.test/a%20b?c=d", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	cert := &x509.Certificate{}
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert, {}}}
	r.Header.Set("X-Forwarded-Host", "evil.test")
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}))
	got := httpauth.Request(r)
	if got.Method != "PUT" || got.Scheme != "https" || got.Host != "api.example.test" || got.RawPath != "/a%20b" || got.RawQuery != "c=d" ||
		got.Peer != netip.MustParseAddr("192.0.2.7") || got.Local.Unmap() != netip.MustParseAddr("127.0.0.1") || got.Certificate != cert {
		t.Errorf("%+v", got)
	}
	bare := &http.Request{URL: r.URL}
	if got := httpauth.Request(bare); got.Method != "GET" || got.RawPath != "/a%20b" || got.Scheme != "http" || got.Peer.IsValid() {
		t.Errorf("%+v", got)
	}
	for uri, want := range map[string]string{"*": "*", "http://h": "/", "http://h?q": "", "/p?a?b": "/p", "//h/p": "//h/p"} {
		bare.RequestURI = uri
		if got := httpauth.Request(bare); got.RawPath != want {
			t.Errorf("%s: path %q, want %q", uri, got.RawPath, want)
		}
	}
}

// TestMutatedToken: a handler that writes into its Token changes no later
// decision about the same token.
func TestMutatedToken(t *testing.T) {
	iss := newIssuer(t)
	g := newGuard(t, nil, iss)
	spoil := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, _ := middleware.FromContext(r.Context())
			token.Scopes = append(token.Scopes, "admin")
			for i := range token.Scopes {
				token.Scopes[i] = "admin"
			}
			for i := range token.Audience {
				token.Audience[i] = "https://elsewhere.test"
			}
			token.Subject, token.ClientID, token.ACR = "root", "other", "phr"
			token.ExpiresAt = time.Now().Add(24 * time.Hour)
			token.AuthTime, token.Actor = time.Now(), nil
			next.ServeHTTP(w, r)
		})
	}
	read := httpauth.Protect(g, middleware.Scopes("read"))
	token := mint(t, iss, map[string]any{"scope": "read", "client_id": "user-1", "act": map[string]any{"sub": "s"}})
	for name, c := range map[string]struct {
		inner middleware.Policy
		want  int
	}{
		"scope":    {middleware.Scopes("admin"), 403},
		"own":      {middleware.Scopes("read").WithAudience(issuer.DefaultAudience), 200},
		"user":     {middleware.Policy{UserOnly: true}, 403},
		"acr":      {middleware.Policy{ACR: []string{"phr"}}, 403}, // it stands for a client
		"delegate": {middleware.Policy{NoDelegation: true}, 403},
	} {
		h := read(spoil(httpauth.Protect(g, c.inner)(hello)))
		for range 2 { // the second request brings the token anew
			if rec := get(h, token); rec.Code != c.want {
				t.Errorf("%s: %d, want %d", name, rec.Code, c.want)
			}
		}
	}
}

// TestPlantedToken: a token for tests of handlers opens nothing.
func TestPlantedToken(t *testing.T) {
	g := newGuard(t, nil, newIssuer(t))
	plant := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := middleware.WithToken(r.Context(), &validate.Token{Subject: "root"})
			if token, ok := middleware.FromContext(ctx); !ok || token.Subject != "root" {
				t.Error("the planted token is not visible")
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
	if rec := get(plant(httpauth.Protect(g, middleware.Policy{})(hello)), ""); rec.Code != 401 {
		t.Errorf("%d", rec.Code)
	}
}

// TestMetadata serves the document over HTTP. [MD-01 MD-03 MD-04 MD-05]
func TestMetadata(t *testing.T) {
	iss := newIssuer(t)
	g := newGuard(t, nil, iss)
	mux := http.NewServeMux()
	mux.Handle("/.well-known/oauth-protected-resource", httpauth.Metadata(g))
	mux.Handle("/", httpauth.Protect(g, middleware.Policy{})(hello))
	server := httptest.NewServer(mux)
	defer server.Close()
	client := server.Client()
	res, err := client.Get(server.URL + "/.well-known/oauth-protected-resource")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	want := `{"resource":"` + issuer.DefaultAudience + `","authorization_servers":["` + iss.URL() + `"],"bearer_methods_supported":["header"]}` + "\n"
	if err != nil || res.StatusCode != 200 || string(body) != want || res.Header.Get("Content-Type") != "application/json" ||
		res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Cache-Control") != "max-age=3600" {
		t.Errorf("%d %s %v %v", res.StatusCode, body, res.Header, err)
	}
}

// TestMetadataInMux: mounted as the documentation says, the document is where
// the challenge points to.
func TestMetadataInMux(t *testing.T) { // [MD-03 MD-06]
	for resource, want := range map[string][]string{
		"https://api.example.test":         {"/.well-known/oauth-protected-resource"},
		"https://api.example.test/orders/": {"/.well-known/oauth-protected-resource/orders", "/.well-known/oauth-protected-resource"},
	} {
		g := newGuard(t, func(c *bearward.Config) { c.Resource = resource }, newIssuer(t))
		mux := http.NewServeMux()
		for _, path := range g.MetadataPaths() {
			mux.Handle(path, httpauth.Metadata(g))
		}
		for _, path := range want {
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"resource":"`+resource+`"`) {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
		if challenge := get(httpauth.Protect(g, middleware.Policy{})(hello), "").Header().Get("WWW-Authenticate"); !strings.Contains(challenge, "https://api.example.test"+want[0]+`"`) {
			t.Error(challenge)
		}
	}
}

// TestRoute: an event has the mux's pattern, unless the policy has a name.
func TestRoute(t *testing.T) { // [PV-02]
	events := &observer{}
	g := newGuard(t, func(c *bearward.Config) { c.Observer = events }, newIssuer(t))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", httpauth.Protect(g, middleware.Policy{})(hello))
	mux.Handle("GET /named", httpauth.Protect(g, middleware.Policy{Route: "mine"})(hello))
	for _, path := range []string{"/orders", "/named"} {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	get(httpauth.Protect(g, middleware.Policy{})(hello), "")
	var routes []string
	for _, e := range events.events {
		routes = append(routes, e.Route)
	}
	if want := []string{"GET /orders", "mine", ""}; !slices.Equal(routes, want) {
		t.Errorf("%q, want %q", routes, want)
	}
}

// TestUntilExpiry ends a handler that streams. [TR-19]
func TestUntilExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		g, err := middleware.New(middleware.Config{Issuers: []middleware.Issuer{{
			URL: "https://issuer.example.test", Name: "a", Leeway: 10 * time.Second,
			Verifier: validate.VerifierFunc(func(context.Context, string) (*validate.Token, error) {
				return &validate.Token{Issuer: "https://issuer.example.test", ExpiresAt: begun.Add(time.Minute)}, nil
			}),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		h := httpauth.Protect(g, middleware.Policy{})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ctx, cancel := middleware.UntilExpiry(r.Context())
			defer cancel()
			<-ctx.Done()
			if took := time.Since(begun); took != 70*time.Second || validate.CodeOf(context.Cause(ctx)) != validate.ErrExpired {
				t.Errorf("ended after %v: %v", took, context.Cause(ctx))
			}
			if token, ok := middleware.FromContext(ctx); !ok || token == nil {
				t.Error("the context lost its token")
			}
		}))
		get(h, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlLnRlc3QifQ.")
		if time.Since(begun) != 70*time.Second {
			t.Error("the handler did not run")
		}

		for _, ctx := range []context.Context{t.Context(), middleware.WithToken(t.Context(), &validate.Token{ExpiresAt: begun})} {
			free, cancel := middleware.UntilExpiry(ctx)
			if _, limited := free.Deadline(); limited || free.Err() != nil {
				t.Error("nothing limits this context")
			}
			cancel()
			if free.Err() == nil {
				t.Error("cancel does not end it")
			}
		}
	})
}
